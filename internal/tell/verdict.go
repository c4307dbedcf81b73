package tell

import (
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/money"
	"bole/internal/policy"
)

// Verdict is what a finding says to a person, the sentence first.
type Verdict struct {
	Outcome  string // the outcome, or "near" where one condition fails and no other
	Sentence string
	Notes    []string
	Also     string // how many conditions are unknown beside those that fail
	By       string // anchor of the article that decides; "" for none
	Money    Sum    // when eligible
}

// Verdict puts an explanation into words.
func (t *Teller) Verdict(x finding.Explanation) Verdict {
	out := Verdict{Outcome: x.Answer.Outcome}
	switch x.Answer.Outcome {
	case "eligible":
		t.eligible(x, &out)
	case "not_in_force":
		out.Sentence = t.w.T("tell.not_in_force")
	case "undetermined":
		t.undetermined(x, &out)
	case "limited", "settled":
		t.held(x, &out)
	default:
		if len(x.Answer.Failed) == 1 {
			out.Outcome = "near"
		}
		t.ineligible(x, &out)
		if n := Unknowns(x); n > 0 {
			out.Also = t.w.T("tell.also_unknown", "n", n)
		}
	}
	return out
}

func (t *Teller) eligible(x finding.Explanation, out *Verdict) {
	out.Money = t.w.Money(money.Fen(x.Answer.AmountFen))
	yuan := out.Money.Exact
	switch {
	case x.Policy.Monthly():
		out.Sentence = t.w.T("tell.eligible_month", "yuan", yuan)
		out.Notes = append(out.Notes, t.w.T("tell.eligible_period", "month", x.On.Month()))
	case x.Answer.WindowEnds != 0:
		out.Sentence = t.w.T("tell.eligible_until", "yuan", yuan, "day", t.w.Day(x.Answer.WindowEnds))
		out.Notes = append(out.Notes, t.w.T("tell.until_included"))
	default:
		out.Sentence = t.w.T("tell.eligible", "yuan", yuan)
	}
	switch {
	case x.Limit != nil:
		out.Notes = append(out.Notes, t.cut(x))
	case !x.Policy.Claims():
		out.Notes = append(out.Notes, t.w.T("tell.eligible_limits"))
	}
}

// undetermined names what is missing and who would know, register by register. A gap in the law is missing as well.
func (t *Teller) undetermined(x finding.Explanation, out *Verdict) {
	var parts, registers []string
	facts := map[string][]string{} // by the registers that would tell them
	for _, name := range x.Answer.Missing {
		if name == "law" {
			day := x.On
			if d, ok := x.Facts[x.Policy.VersionBy.Text].(calendar.Day); ok {
				day = d
			}
			parts = append(parts, t.w.T("tell.missing_law", "day", t.w.Day(day)))
		} else {
			from := t.titles(t.silent(x, name))
			registers = appendNew(registers, from)
			facts[from] = append(facts[from], t.named(x.Policy, name))
		}
	}
	for _, from := range registers {
		key := "tell.missing_fact"
		if from == "" { // no register would
			key = "tell.missing_ask"
		}
		parts = append(parts, t.w.T(key, "fact", t.w.List(facts[from]), "registers", from))
	}
	out.Sentence = t.w.T("tell.undetermined", "missing", strings.Join(parts, t.w.T("tell.semicolon")))
	if x.Entitled {
		out.Notes = append(out.Notes, t.w.T("tell.limit_untold"))
	}
	if !slices.Contains(x.Answer.Missing, "law") {
		out.Notes = append(out.Notes, t.w.T("tell.undetermined_note"))
	}
}

// ineligible leads with the condition that decides: one that nothing mends; or months of contributions, which can be waited for; or the first.
func (t *Teller) ineligible(x finding.Explanation, out *Verdict) {
	c := Decisive(x)
	w, months := Wants(x.Policy, c)
	months = months && w.Lacks() > 0 && w.Required > 1 // one month is being insured, which the rule's title says better
	day, mends := x.Rules[c.ID]
	if x.Earliest != 0 {
		day, mends = x.Earliest, true
	}
	switch {
	case months:
		key := "tell.need_run"
		if w.Total {
			key = "tell.need_total"
		}
		if mends {
			out.Sentence = t.w.T(key+"_by", "months", t.w.Months(w.Required), "has", w.Has, "earliest", day.Month())
		} else {
			out.Sentence = t.w.T(key, "months", t.w.Months(w.Required), "has", w.Has)
		}
	case c.ID == "window" && c.Rule == nil:
		out.Sentence = t.w.T("tell.window_over", "day", t.w.Day(x.Answer.WindowEnds))
	case mends:
		out.Sentence = t.w.T("tell.fails_until", "rule", t.w.In(c.Title), "day", t.w.Day(day))
	default:
		out.Sentence = t.w.T("tell.fails", "rule", t.w.In(c.Title))
		switch known := t.known(x, c); {
		case len(known) > 2: // more than a sentence carries
			out.Notes = append(out.Notes, t.w.T("tell.known", "values", t.w.List(known)))
		case len(known) > 0:
			out.Sentence += t.w.T("tell.semicolon") + t.w.List(known)
		}
	}
	out.By = c.By
	switch {
	case x.Earliest == x.On:
		out.Notes = append(out.Notes, t.w.T("tell.if_told"))
	case x.Earliest != 0:
		out.Notes = append(out.Notes, t.w.T("tell.if_going_on", "day", t.w.Day(x.Earliest)))
	case hopeless(x):
		out.Notes = append(out.Notes, t.w.T("tell.never"))
	default:
		if mends {
			out.Notes = append(out.Notes, t.w.T("tell.that_alone"))
		}
		if needs := t.needs(x); needs != "" {
			out.Notes = append(out.Notes, t.w.T("tell.needs", "facts", needs))
		}
	}
	if others := len(x.Answer.Failed) - 1; others > 0 {
		out.Notes = append(out.Notes, t.w.T("tell.others_fail", "n", others))
	}
}

// known are the values that a check saw, in words; what no register told is left out.
func (t *Teller) known(x finding.Explanation, c policy.CheckAnswer) (out []string) {
	for _, v := range c.Values {
		if f := x.Policy.Fact(v.Name); f != nil && v.Value != nil {
			out = append(out, t.w.In(f.Title)+" "+t.w.Value(f, v.Value))
		}
	}
	return out
}

// Decisive picks the failing check that the sentence is about.
func Decisive(x finding.Explanation) policy.CheckAnswer {
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
		w, ok := Wants(x.Policy, c)
		return ok && w.Lacks() > 0
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

// Unknowns counts the conditions that cannot be told, but for the amount.
func Unknowns(x finding.Explanation) (n int) {
	for _, c := range x.Answer.Checks {
		if c.State == policy.Unknown && c.ID != "award" {
			n++
		}
	}
	return n
}

// needs names the facts that would have to change or be told.
func (t *Teller) needs(x finding.Explanation) string {
	var out []string
	for _, name := range x.Needs {
		if name != "law" {
			out = append(out, t.named(x.Policy, name))
		}
	}
	return t.w.List(out)
}
