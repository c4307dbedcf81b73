package tell

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Lines is an explanation to be read aloud: the verdict with its notes, and a line for each condition.
func (t *Teller) Lines(x finding.Explanation) []string {
	out := []string{t.Says(x)}
	for _, c := range Conditions(x) {
		out = append(out, t.Rule(x, c))
	}
	return out
}

// Says is the verdict with its notes, as sentences.
func (t *Teller) Says(x finding.Explanation) string {
	v := t.Verdict(x)
	whole := []string{v.Sentence}
	if v.By != "" && x.Limit == nil { // a limit's sentence has its article
		whole[0] += t.w.T("tell.by", "article", t.article(x.Policy, v.By))
	}
	whole = append(whole, v.Notes...)
	if v.Also != "" {
		whole = append(whole, v.Also)
	}
	for i := range whole {
		whole[i] = t.sentence(whole[i])
	}
	return t.join(whole)
}

// Conditions lists the conditions that are told. An amount that cannot be told is left out where the person is refused anyhow.
func Conditions(x finding.Explanation) (out []policy.CheckAnswer) {
	for _, c := range x.Answer.Checks {
		if !isAward(c) || x.Answer.Outcome != "ineligible" {
			out = append(out, c)
		}
	}
	return out
}

func isAward(c policy.CheckAnswer) bool  { return c.ID == "award" && c.Rule == nil }
func isWindow(c policy.CheckAnswer) bool { return c.ID == "window" && c.Rule == nil }

// Rule is one condition in sentences: whether it holds and by which article, what was seen and who says so, what the law asks for, what is missing, and what
// would help.
func (t *Teller) Rule(x finding.Explanation, c policy.CheckAnswer) string {
	out := []string{t.w.T("tell."+string(c.State), "rule", t.w.In(c.Title), "article", t.article(x.Policy, c.By))}
	if lifted := t.exceptions(x, c); lifted != "" {
		out = append(out, lifted)
	}
	out = append(out, t.seen(x, c)...)
	out = append(out, t.asks(x, c)...)
	switch c.State {
	case policy.Unknown:
		out = append(out, t.lacks(x, c)...)
	case policy.NotMet:
		out = append(out, t.helps(x, c))
	}
	return t.join(slices.DeleteFunc(out, func(s string) bool { return s == "" }))
}

// exceptions names the exceptions of a rule that holds only by them.
func (t *Teller) exceptions(x finding.Explanation, c policy.CheckAnswer) string {
	if c.Rule == nil || c.State != policy.Met || len(c.Rule.Unless) == 0 {
		return ""
	}
	plain, err := c.Rule.Expr().Eval(func(name string) any {
		for _, v := range c.Values {
			if v.Name == name {
				return v.Value
			}
		}
		return nil
	})
	if holds, ok := plain.(bool); err != nil || ok && holds {
		return ""
	}
	var out []string
	for _, e := range c.Rule.Unless {
		out = append(out, t.w.T("tell.exception", "rule", t.w.In(e.Title), "article", t.article(x.Policy, e.By.Text)))
	}
	return t.w.T("tell.lifted", "exceptions", t.w.List(out))
}

// seen tells the values that a condition saw, register by register, with the day that its last delivery describes.
func (t *Teller) seen(x finding.Explanation, c policy.CheckAnswer) (out []string) {
	var order []string
	values := map[string][]string{}
	for _, v := range c.Values {
		f := x.Policy.Fact(v.Name)
		if f == nil || v.Value == nil {
			continue
		}
		key := "tell.is"
		if _, yes := v.Value.(bool); yes {
			key = "tell.is_so"
		}
		from := t.sources(t.Registers(x.Policy, v.Name, func(string) bool { return false }))
		order = appendNew(order, from)
		values[from] = append(values[from], t.w.T(key, "fact", t.w.In(f.Title), "value", t.w.Value(f, v.Value)))
	}
	for _, from := range order {
		key := "tell.seen"
		if from == "" {
			key = "tell.known"
		}
		out = append(out, t.sentence(t.w.T(key, "registers", from, "values", strings.Join(values[from], t.w.T("tell.semicolon")))))
	}
	return out
}

// sources names registers with the days that they describe.
func (t *Teller) sources(registers []*pack.Register) string {
	out := make([]string, len(registers))
	for i, r := range registers {
		out[i] = t.w.In(r.Title)
		if d := t.Told(r); d != 0 {
			out[i] = t.w.T("tell.as_of", "register", out[i], "day", t.w.Day(d))
		}
	}
	return t.w.List(out)
}

// asks tells what the law asks for in numbers: the threshold, and the other numbers that it fixes.
func (t *Teller) asks(x finding.Explanation, c policy.CheckAnswer) (out []string) {
	n, threshold := t.threshold(x, c)
	by := c.By
	for _, v := range c.Values {
		name, ok := strings.CutPrefix(v.Name, "p.")
		if !ok {
			continue
		}
		p := x.Policy.Parameter(name)
		if p == nil || p.Key != nil || p.Codes != nil || v.Value == nil {
			continue
		}
		if n != nil && v.Value == n.Required && p.Unit == x.Policy.Fact(n.Fact).Unit {
			by = v.By // the threshold itself
			continue
		}
		out = append(out, t.sentence(t.w.T("tell.parameter", "parameter", t.w.In(p.Title), "value", t.w.Scalar(v.Value, p.Unit), "article", t.article(x.Policy, v.By))))
	}
	if n != nil {
		out = append([]string{t.sentence(t.w.T("tell.asks", "threshold", threshold, "article", t.article(x.Policy, by)))}, out...)
	}
	if isWindow(c) && x.Answer.WindowEnds != 0 {
		out = append(out, t.sentence(t.w.T("tell.ends", "day", t.w.Day(x.Answer.WindowEnds))))
	}
	return out
}

// threshold is a condition's number in words; nil where there is none, or where the condition holds for another reason.
func (t *Teller) threshold(x finding.Explanation, c policy.CheckAnswer) (*policy.Need, string) {
	n := c.Need
	if n == nil || c.State == policy.Met && !n.Met() {
		return nil, ""
	}
	f := x.Policy.Fact(n.Fact)
	op, required := n.Op, n.Required
	if !strings.HasPrefix(f.Unit, "fen") { // of what is counted, more than 0 is at least 1
		switch op {
		case ">":
			op, required = ">=", required+1
		case "<":
			op, required = "<=", required-1
		}
	}
	return n, t.w.T(thresholds[op], "fact", t.w.In(f.Title), "number", t.w.Quantity(required, f.Unit))
}

var thresholds = map[string]string{">=": "tell.at_least", ">": "tell.more_than", "<=": "tell.at_most", "<": "tell.less_than", "==": "tell.exactly"}

// lacks tells what is missing for a condition, and which register would tell it, which question of the form or whom to ask.
func (t *Teller) lacks(x finding.Explanation, c policy.CheckAnswer) (out []string) {
	var order, questions []string
	facts := map[string][]string{}
	never := map[string]bool{}
	for _, v := range c.Values {
		if x.Policy.Fact(v.Name) == nil || v.Value != nil {
			continue
		}
		registers := t.silent(x, v.Name)
		from := t.titles(registers)
		never[from] = len(registers) > 0 && !slices.ContainsFunc(registers, func(r *pack.Register) bool { return t.Told(r) != 0 })
		order = appendNew(order, from)
		facts[from] = append(facts[from], t.named(x.Policy, v.Name))
		if q := x.Policy.Question(v.Name); q != nil {
			questions = append(questions, t.sentence(t.w.T("tell.question", "question", t.w.In(q.Title), "why", t.w.In(q.Why))))
		}
	}
	for _, from := range order {
		key := "tell.lacks"
		switch {
		case from == "":
			key = "tell.lacks_ask"
		case never[from]:
			key = "tell.lacks_never"
		}
		out = append(out, t.sentence(t.w.T(key, "facts", t.w.List(facts[from]), "registers", from)))
	}
	if order == nil { // all is told, and the law has no number for it
		day := x.On
		if d, ok := x.Facts[x.Policy.VersionBy.Text].(calendar.Day); ok {
			day = d
		}
		out = append(out, t.sentence(t.w.T("tell.missing_law", "day", t.w.Day(day))))
	}
	return append(out, questions...)
}

// helps tells what would make a condition hold: a day, a fact that changes, or nothing.
func (t *Teller) helps(x finding.Explanation, c policy.CheckAnswer) string {
	if day, ok := x.Rules[c.ID]; ok {
		key := "tell.met_from"
		switch {
		case day == x.On: // by what is supposed, and no delivery tells yet
			key = "tell.met_told"
		case finding.Kinds(x.Policy) == nil:
			key = "tell.met_waiting"
		}
		return t.sentence(t.w.T(key, "day", t.w.Day(day)))
	}
	if fixed(x, c) {
		return t.sentence(t.w.T("tell.stays"))
	}
	var facts []string
	for _, v := range c.Values {
		if slices.Contains(x.Needs, v.Name) {
			facts = append(facts, t.named(x.Policy, v.Name))
		}
	}
	return t.sentence(t.w.T("tell.would_help", "facts", t.w.List(facts)))
}

// sentence ends a text as a sentence, and begins it as one.
func (t *Teller) sentence(text string) string {
	if text == "" {
		return ""
	}
	if t.w.Lang == locale.En {
		r, n := utf8.DecodeRuneInString(text)
		text = string(unicode.ToUpper(r)) + text[n:]
	}
	stop := t.w.T("tell.stop")
	if strings.HasSuffix(text, stop) {
		return text
	}
	return text + stop
}

// join puts sentences one after another.
func (t *Teller) join(sentences []string) string {
	if t.w.Lang == locale.En {
		return strings.Join(sentences, " ")
	}
	return strings.Join(sentences, "")
}
