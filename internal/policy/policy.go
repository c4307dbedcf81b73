package policy

import (
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/pack"
)

// Policy is a pack's policy, ready to be asked.
type Policy struct {
	*pack.Policy
	Checks  []Check
	members []*pack.Member
	pack    *pack.Pack
	facts   []string
}

// Check is one condition of the policy with its article.
type Check struct {
	ID    string // a rule's id, "window" or "award"
	By    string // anchor in the law text
	Title pack.Words
	Rule  *pack.Rule // nil for window and award

	holds    *expr.Expr // rule
	requires []string   // facts without which the check may be unknown
	compares []expr.Comparison
}

// Text is the condition as written.
func (c *Check) Text() string {
	if c.Rule == nil {
		return c.holds.Source()
	}
	out := c.Rule.Holds.Text
	for _, e := range c.Rule.Unless {
		out += "  ||  " + e.Holds.Text
	}
	return out
}

var (
	windowTitle = pack.Words{Zh: "在申领期限内", En: "Within the time for claiming"}
	awardTitle  = pack.Words{Zh: "补贴标准可以确定", En: "The amount can be told"}
)

// New prepares a policy of a pack. A limit that a draft declares ties nobody's claims, but those of the draft itself and of whatever is asked beside
// it when it is tried by its name.
func New(p *pack.Pack, pol *pack.Policy, tried ...string) *Policy {
	out := &Policy{Policy: pol, pack: p, facts: pol.Facts()}
	for _, m := range pol.Members() {
		if by := m.Limit.Policy; !by.Draft || by == pol || slices.Contains(tried, by.Name) {
			out.members = append(out.members, m)
		}
	}
	ensured := map[string]bool{}
	for _, r := range pol.Rules {
		out.Checks = append(out.Checks, Check{ID: r.ID.Text, By: r.By.Text, Title: r.Title, Rule: r, holds: r.Whole(), requires: r.Whole().Requires(), compares: r.Expr().Comparisons()})
		for _, f := range r.Whole().Ensures() {
			ensured[f] = true
		}
	}
	if w := pol.WindowExpr(); w != nil {
		out.Checks = append(out.Checks, Check{ID: "window", By: pol.Window.By.Text, Title: windowTitle, holds: w, requires: w.Requires()})
		for _, f := range w.Ensures() {
			ensured[f] = true
		}
	}
	// The award is a check of its own where the rules do not make sure that the amount can be told.
	needs := pol.AmountExpr().Requires()
	if pol.AmountExpr().Looks() || slices.ContainsFunc(needs, func(f string) bool { return !ensured[f] && !given(f) }) {
		out.Checks = append(out.Checks, Check{ID: "award", By: pol.Award.Amount.By.Text, Title: awardTitle, holds: pol.AmountExpr(), requires: needs})
	}
	for i := range out.Checks {
		out.Checks[i].requires = slices.DeleteFunc(slices.Clone(out.Checks[i].requires), given)
	}
	return out
}

// Members are what the policy's claims put into the limits that count, its own and those of other policies, in the order of the pack.
func (p *Policy) Members() []*pack.Member { return p.members }

// given is what no register tells: the day asked about, and the part of the award.
func given(name string) bool { return name == "on" || name == "part_no" }

// All prepares every policy of a pack, or those named. A draft is asked only by its name.
func All(p *pack.Pack, names ...string) []*Policy {
	var out []*Policy
	for _, pol := range p.Policies {
		if len(names) == 0 && !pol.Draft || slices.Contains(names, pol.Name) {
			out = append(out, New(p, pol, names...))
		}
	}
	return out
}

// FactNames lists the facts that the policy reads, in order.
func (p *Policy) FactNames() []string { return p.facts }

// Fact finds the declaration of a fact that the policy may name.
func (p *Policy) Fact(name string) *pack.Fact { return p.pack.Fact(p.Subject, name) }

// Parts are the numbers of the award's parts, from 1, each a finding of its own; a single 0 where it is not paid in parts.
func (p *Policy) Parts() []int64 {
	if p.Award.Parts == 0 {
		return []int64{0}
	}
	out := make([]int64, p.Award.Parts)
	for i := range out {
		out[i] = int64(i) + 1
	}
	return out
}

// Period is what a finding on a day is for: "once", the month of the day, or the part of the award, "part-2".
func (p *Policy) Period(on calendar.Day, part int64) string {
	switch {
	case p.Monthly():
		return on.Month().String()
	case part > 0:
		return fmt.Sprintf("part-%d", part)
	}
	return "once"
}

// State is what a check came to.
type State string

// The three answers.
const (
	Met     State = "met"
	NotMet  State = "not_met"
	Unknown State = "unknown"
)

// Answer is one policy asked of one subject on one day.
type Answer struct {
	Outcome    string        // see pack.Outcomes
	Version    *pack.Version // nil when not in force or not found
	AmountFen  int64         // when eligible
	WindowEnds calendar.Day  // 0 without a claim window, or unknown
	Checks     []CheckAnswer // in order; empty when no version applies
	Missing    []string      // facts no register told, in order of name; "law" where the law was not found
	Failed     []string      // ids of checks that fail, in order of the checks
}

// CheckAnswer is one check with the values that it saw.
type CheckAnswer struct {
	*Check
	State  State
	Values []Value
	Need   *Need // a threshold on a number that it misses or meets
}

// Value is a fact or a parameter as a check saw it; Value is nil for unknown. By is the anchor of the article that gives a parameter its
// number on the day that picked the version; "" for a fact.
type Value struct {
	Name  string
	Value any
	By    string
}

// Need is a threshold: the fact's value against the number that the law asks for.
type Need struct {
	Fact     string
	Op       string // <= < >= > ==
	Has      int64
	Known    bool
	Required int64
}

// Facts gives the value of a fact: bool, int64, string, calendar.Day, or nil for unknown.
type Facts func(name string) any

// versionDay is the day that picks the version; false when the fact is unknown.
func (p *Policy) versionDay(facts Facts, on calendar.Day) (calendar.Day, bool) {
	if p.VersionBy.Text == "on" {
		return on, true
	}
	d, ok := facts(p.VersionBy.Text).(calendar.Day)
	return d, ok
}

// Evaluate asks the policy of one subject, for a part of the award.
//
// Errors: a fact's value has another type than the pack declares.
func (p *Policy) Evaluate(facts Facts, on calendar.Day, part int64) (Answer, error) {
	d, ok := p.versionDay(facts, on)
	if !ok {
		return Answer{Outcome: "undetermined", Missing: []string{p.VersionBy.Text}}, nil
	}
	version, n := p.VersionOn(d)
	switch n {
	case 0:
		return Answer{Outcome: "not_in_force"}, nil
	case -1:
		return Answer{Outcome: "undetermined", Missing: []string{"law"}}, nil
	}
	values := p.values(facts, d, on, part)
	a := Answer{Outcome: "eligible", Version: version}
	if w := p.WindowExpr(); w != nil {
		v, err := w.Eval(values)
		if err != nil {
			return a, err
		}
		a.WindowEnds, _ = v.(calendar.Day)
	}
	amount, err := p.AmountExpr().Eval(values)
	if err != nil {
		return a, err
	}
	missing := map[string]bool{}
	for i := range p.Checks {
		c, err := p.check(&p.Checks[i], values, on, a.WindowEnds, amount)
		if err != nil {
			return a, err
		}
		for j, v := range c.Values {
			if par, ok := strings.CutPrefix(v.Name, "p."); ok {
				if _, dated := p.Parameter(par).On(d); dated != nil {
					c.Values[j].By = dated.By.Text
				}
			}
		}
		a.Checks = append(a.Checks, c)
		switch c.State {
		case NotMet:
			a.Failed = append(a.Failed, c.ID)
		case Unknown:
			told := true
			for _, f := range c.requires {
				if values(f) == nil {
					missing[f], told = true, false
				}
			}
			if told {
				missing["law"] = true
			}
		}
	}
	for f := range missing {
		a.Missing = append(a.Missing, f)
	}
	slices.Sort(a.Missing)
	switch {
	case len(a.Failed) > 0:
		a.Outcome = "ineligible"
	case len(a.Missing) > 0:
		a.Outcome = "undetermined"
	default:
		a.AmountFen = amount.(int64)
	}
	return a, nil
}

// Asked is what the policy's expressions see of a subject on a day, and the day that picks the version; false where no version is found.
func (p *Policy) Asked(facts Facts, on calendar.Day, part int64) (values expr.Values, d calendar.Day, ok bool) {
	if d, ok = p.versionDay(facts, on); !ok {
		return nil, 0, false
	}
	v, _ := p.VersionOn(d)
	return p.values(facts, d, on, part), d, v != nil
}

// values adds the day asked about, the part and the parameters of a version's day to a subject's facts.
func (p *Policy) values(facts Facts, d, on calendar.Day, part int64) expr.Values {
	return func(name string) any {
		switch name {
		case "on":
			return on
		case "part_no":
			return part
		}
		if par, ok := strings.CutPrefix(name, "p."); ok {
			v, _ := p.Parameter(par).On(d)
			return v
		}
		return facts(name)
	}
}

func (p *Policy) check(c *Check, values expr.Values, on, ends calendar.Day, amount any) (CheckAnswer, error) {
	out := CheckAnswer{Check: c, State: Unknown}
	for _, in := range c.holds.Inputs() {
		out.Values = append(out.Values, Value{Name: in, Value: values(in)})
	}
	switch {
	case c.ID == "window" && c.Rule == nil:
		if ends != 0 {
			out.State = state(on <= ends)
		}
		return out, nil
	case c.ID == "award" && c.Rule == nil:
		if amount != nil {
			out.State = Met
		}
		return out, nil
	}
	v, err := c.holds.Eval(values)
	if err != nil {
		return out, err
	}
	if holds, ok := v.(bool); ok {
		out.State = state(holds)
	}
	for _, cmp := range c.compares {
		required, ok := cmp.Number(values)
		if f := p.Fact(cmp.Fact); !ok || f == nil || f.List() != nil {
			continue
		}
		has, known := values(cmp.Fact).(int64)
		if need := (&Need{cmp.Fact, cmp.Op, has, known, required}); out.Need == nil || !need.Met() {
			out.Need = need
		}
	}
	return out, nil
}

// Met reports whether the number reaches the threshold; an unknown one does not.
func (n *Need) Met() bool {
	if !n.Known {
		return false
	}
	switch n.Op {
	case "<":
		return n.Has < n.Required
	case "<=":
		return n.Has <= n.Required
	case ">":
		return n.Has > n.Required
	case ">=":
		return n.Has >= n.Required
	}
	return n.Has == n.Required
}

func state(holds bool) State {
	if holds {
		return Met
	}
	return NotMet
}
