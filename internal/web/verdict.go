package web

import (
	"strings"

	"bole/internal/finding"
	"bole/internal/policy"
	"bole/internal/tell"
)

// verdict is what a finding says to a person, as a page shows it.
type verdict struct {
	outcome
	tell.Verdict
	Cite link // the article that decides
}

func (o *origins) verdict(x finding.Explanation) verdict {
	v := o.tell.Verdict(x)
	out := verdict{outcome: o.outcome(v.Outcome), Verdict: v}
	if a, ok := x.Policy.Law.Find(v.By); ok {
		out.Cite = o.cite(a, policyHref(x.Policy.Name))
	}
	return out
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

// conditions lists the conditions of an explanation.
func (o *origins) conditions(x finding.Explanation) (out []condition) {
	lead := ""
	if x.Answer.Outcome == "ineligible" {
		lead = tell.Decisive(x).ID
	}
	for _, c := range tell.Conditions(x) {
		row := condition{Title: o.In(c.Title), Outcome: o.state(string(c.State)), Decisive: c.ID == lead}
		if a, ok := x.Policy.Law.Find(c.By); ok {
			row.Article = o.cite(a, policyHref(x.Policy.Name))
		}
		for _, v := range c.Values {
			o.seen(x, v, &row)
		}
		if c.ID == "window" && c.Rule == nil && x.Answer.WindowEnds != 0 {
			row.Values = append(row.Values, named{Title: o.T("web.window_ends"), Value: x.Answer.WindowEnds.String()})
		}
		if d, ok := x.Rules[c.ID]; ok && c.State == policy.NotMet {
			row.When = o.T("web.holds_from", "day", d)
		}
		out = append(out, row)
	}
	return out
}

// seen adds a value that a check saw: a fact with its registers, or a number that the law fixes.
func (o *origins) seen(x finding.Explanation, v policy.Value, row *condition) {
	if f := x.Policy.Fact(v.Name); f != nil {
		row.Values = append(row.Values, named{Title: o.In(f.Title), Value: o.Value(f, v.Value)})
		for _, r := range o.tell.Registers(x.Policy, v.Name, func(string) bool { return false }) {
			row.Sources = appendNew(row.Sources, o.of(r))
		}
		return
	}
	name, ok := strings.CutPrefix(v.Name, "p.")
	if !ok {
		return
	}
	if p := x.Policy.Parameter(name); p != nil && p.Key == nil {
		number := named{Title: o.In(p.Title), Value: o.Scalar(v.Value, p.Unit)}
		if a, ok := x.Policy.Law.Find(v.By); ok && number.Value != "" {
			number.By = o.cite(a, policyHref(x.Policy.Name))
		}
		row.Asked = append(row.Asked, number)
	}
}
