package web

import (
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/money"
	"bole/internal/policy"
)

// verdict is what a finding says to a person, the sentence first.
type verdict struct {
	outcome
	Sentence string
	Notes    []string
	Also     string // how many conditions are unknown beside the one that fails
	Cite     link   // the article of the condition that decides
	Money    sum
}

// verdict puts an explanation into words.
func (o *origins) verdict(x finding.Explanation) verdict {
	out := verdict{outcome: o.outcome(x.Answer.Outcome)}
	switch x.Answer.Outcome {
	case "eligible":
		o.eligible(x, &out)
	case "not_in_force":
		out.Sentence = o.t("web.not_in_force")
	case "undetermined":
		o.undetermined(x, &out)
	default:
		if len(x.Answer.Failed) == 1 {
			out.outcome = o.outcome("near")
		}
		o.ineligible(x, &out)
		if n := unknowns(x); n > 0 {
			out.Also = o.t("web.also_unknown", "n", n)
		}
	}
	return out
}

func (o *origins) eligible(x finding.Explanation, out *verdict) {
	out.Money = o.money(money.Fen(x.Answer.AmountFen))
	yuan := out.Money.Exact
	switch {
	case x.Policy.Monthly():
		out.Sentence = o.t("web.eligible_month", "yuan", yuan)
		out.Notes = append(out.Notes, o.t("web.eligible_period", "month", x.On.Month()))
	case x.Answer.WindowEnds != 0:
		out.Sentence = o.t("web.eligible_until", "yuan", yuan, "day", o.day(x.Answer.WindowEnds))
		out.Notes = append(out.Notes, o.t("web.until_included"))
	default:
		out.Sentence = o.t("web.eligible", "yuan", yuan)
	}
	out.Notes = append(out.Notes, o.t("web.eligible_limits"))
}

// undetermined names what is missing and who would know, register by register. A gap in the law is missing as well.
func (o *origins) undetermined(x finding.Explanation, out *verdict) {
	var parts, registers []string
	facts := map[string][]string{} // by the registers that would tell them
	for _, name := range x.Answer.Missing {
		if name == "law" {
			day := x.On
			if d, ok := x.Facts[x.Policy.VersionBy.Text].(calendar.Day); ok {
				day = d
			}
			parts = append(parts, o.t("web.missing_law", "day", o.day(day)))
		} else {
			from := o.from(x, name)
			registers = appendNew(registers, from)
			facts[from] = append(facts[from], o.named(x.Policy, name))
		}
	}
	for _, from := range registers {
		parts = append(parts, o.t("web.missing_fact", "fact", o.list(facts[from]), "registers", from))
	}
	out.Sentence = o.t("web.undetermined", "missing", strings.Join(parts, o.t("web.semicolon")))
	if !slices.Contains(x.Answer.Missing, "law") {
		out.Notes = append(out.Notes, o.t("web.undetermined_note"))
	}
}

// ineligible leads with the condition that decides: one that nothing mends; or months of contributions, which can be waited for; or the first.
func (o *origins) ineligible(x finding.Explanation, out *verdict) {
	c := decisive(x)
	w, months := wants(x.Policy, c)
	months = months && w.lacks() > 0 && w.required > 1 // one month is being insured, which the rule's title says better
	day, mends := x.Rules[c.ID]
	if x.Earliest != 0 {
		day, mends = x.Earliest, true
	}
	switch {
	case months:
		key := "web.need_run"
		if w.total {
			key = "web.need_total"
		}
		if mends {
			out.Sentence = o.t(key+"_by", "months", o.months(w.required), "has", w.has, "earliest", day.Month())
		} else {
			out.Sentence = o.t(key, "months", o.months(w.required), "has", w.has)
		}
	case c.ID == "window" && c.Rule == nil:
		out.Sentence = o.t("web.window_over", "day", o.day(x.Answer.WindowEnds))
	case mends:
		out.Sentence = o.t("web.fails_until", "rule", o.in(c.Title), "day", o.day(day))
	default:
		out.Sentence = o.t("web.fails", "rule", o.in(c.Title))
		switch known := o.known(x, c); {
		case len(known) > 2: // more than a sentence carries
			out.Notes = append(out.Notes, o.t("web.known", "values", o.list(known)))
		case len(known) > 0:
			out.Sentence += o.t("web.semicolon") + o.list(known)
		}
	}
	if a, ok := x.Policy.Law.Find(c.By); ok {
		out.Cite = o.cite(a, policyHref(x.Policy.Name))
	}
	switch {
	case x.Earliest != 0:
		out.Notes = append(out.Notes, o.t("web.if_going_on", "day", o.day(x.Earliest)))
	case hopeless(x):
		out.Notes = append(out.Notes, o.t("web.never"))
	default:
		if mends {
			out.Notes = append(out.Notes, o.t("web.that_alone"))
		}
		if needs := o.needs(x); needs != "" {
			out.Notes = append(out.Notes, o.t("web.needs", "facts", needs))
		}
	}
	if others := len(x.Answer.Failed) - 1; others > 0 {
		out.Notes = append(out.Notes, o.t("web.others_fail", "n", others))
	}
}

// known are the values that a check saw, in words; what no register told is left out.
func (o *origins) known(x finding.Explanation, c policy.CheckAnswer) (out []string) {
	for _, v := range c.Values {
		if f := x.Policy.Fact(v.Name); f != nil && v.Value != nil {
			out = append(out, o.in(f.Title)+" "+o.value(f, v.Value))
		}
	}
	return out
}

// decisive picks the failing check that the sentence is about.
func decisive(x finding.Explanation) policy.CheckAnswer {
	var failing []policy.CheckAnswer
	for _, c := range x.Answer.Checks {
		if c.State == policy.NotMet {
			failing = append(failing, c)
		}
	}
	is := func(f func(policy.CheckAnswer) bool) *policy.CheckAnswer {
		if i := slices.IndexFunc(failing, f); i >= 0 {
			return &failing[i]
		}
		return nil
	}
	if x.Earliest == 0 {
		if c := is(func(c policy.CheckAnswer) bool { return fixed(x, c) }); c != nil {
			return *c
		}
	}
	if c := is(func(c policy.CheckAnswer) bool {
		w, ok := wants(x.Policy, c)
		return ok && w.lacks() > 0
	}); c != nil {
		return *c
	}
	return failing[0]
}

// fixed reports whether neither a day nor a fact that could change mends a check.
func fixed(x finding.Explanation, c policy.CheckAnswer) bool {
	_, mends := x.Rules[c.ID]
	return !mends && !slices.ContainsFunc(c.Values, func(v policy.Value) bool { return slices.Contains(x.Needs, v.Name) })
}

// hopeless reports whether some check stays failed whatever is told.
func hopeless(x finding.Explanation) bool {
	return slices.ContainsFunc(x.Answer.Checks, func(c policy.CheckAnswer) bool { return c.State == policy.NotMet && fixed(x, c) })
}

func unknowns(x finding.Explanation) (n int) {
	for _, c := range x.Answer.Checks {
		if c.State == policy.Unknown && c.ID != "award" {
			n++
		}
	}
	return n
}

// needs names the facts that would have to change or be told.
func (o *origins) needs(x finding.Explanation) string {
	var out []string
	for _, name := range x.Needs {
		if name != "law" {
			out = append(out, o.named(x.Policy, name))
		}
	}
	return o.list(out)
}

// named is a fact's title.
func (o *origins) named(p *policy.Policy, name string) string {
	if f := p.Fact(name); f != nil {
		return o.in(f.Title)
	}
	return name
}

// from names the registers that would tell a fact.
func (o *origins) from(x finding.Explanation, name string) string {
	var out []string
	for _, r := range o.registers(x.Policy, name, func(in string) bool { return x.Facts[in] == nil }) {
		out = append(out, o.in(r.Title))
	}
	return o.list(out)
}

// condition is one check as a person's page shows it.
type condition struct {
	Title    string
	Article  link
	Values   []named
	Asked    []named // the parameters that the check compares with
	Sources  []source
	Outcome  outcome
	Decisive bool
	When     string // the first day on which it would hold
}

type named struct {
	Title, Value string
	By           link // the article that gives a number of the law
}

// conditions lists the checks of an explanation. An amount that cannot be told is left out where the person is refused anyhow.
func (o *origins) conditions(x finding.Explanation) (out []condition) {
	lead := ""
	if x.Answer.Outcome == "ineligible" {
		lead = decisive(x).ID
	}
	for _, c := range x.Answer.Checks {
		if c.ID == "award" && c.Rule == nil && x.Answer.Outcome == "ineligible" {
			continue
		}
		row := condition{Title: o.in(c.Title), Outcome: o.state(string(c.State)), Decisive: c.ID == lead}
		if a, ok := x.Policy.Law.Find(c.By); ok {
			row.Article = o.cite(a, policyHref(x.Policy.Name))
		}
		for _, v := range c.Values {
			o.seen(x, v, &row)
		}
		if c.ID == "window" && c.Rule == nil && x.Answer.WindowEnds != 0 {
			row.Values = append(row.Values, named{Title: o.t("web.window_ends"), Value: x.Answer.WindowEnds.String()})
		}
		if d, ok := x.Rules[c.ID]; ok && c.State == policy.NotMet {
			row.When = o.t("web.holds_from", "day", d)
		}
		out = append(out, row)
	}
	return out
}

// seen adds a value that a check saw: a fact with its registers, or a number that the law fixes.
func (o *origins) seen(x finding.Explanation, v policy.Value, row *condition) {
	if f := x.Policy.Fact(v.Name); f != nil {
		row.Values = append(row.Values, named{Title: o.in(f.Title), Value: o.value(f, v.Value)})
		for _, r := range o.registers(x.Policy, v.Name, func(string) bool { return false }) {
			row.Sources = appendNew(row.Sources, o.of(r))
		}
		return
	}
	name, ok := strings.CutPrefix(v.Name, "p.")
	if !ok {
		return
	}
	if p := x.Policy.Parameter(name); p != nil && p.Key == nil {
		number := named{Title: o.in(p.Title), Value: o.scalar(v.Value, p.Unit)}
		if a, ok := x.Policy.Law.Find(v.By); ok && number.Value != "" {
			number.By = o.cite(a, policyHref(x.Policy.Name))
		}
		row.Asked = append(row.Asked, number)
	}
}

// subjectTitle names a subject row in a heading: a certificate by the start of its id and its own facts; nothing for a person.
func (o *origins) subjectTitle(x finding.Explanation) string {
	if x.Policy.Subject.Name == "person" {
		return ""
	}
	parts := []string{o.in(x.Policy.Subject.Title) + " " + short(x.Subject)}
	for _, f := range x.Policy.Subject.Facts {
		if x.Facts[f.Name.Text] != nil && f.Take.Text == "column" && f.Source() == nil {
			parts = append(parts, o.value(f, x.Facts[f.Name.Text]))
		}
	}
	return strings.Join(parts, o.t("web.comma"))
}
