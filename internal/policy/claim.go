package policy

import (
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/pack"
)

// Claim is a claim under the policy, as limits know it: of whom, of which subject row, for which part, and on which day it was settled.
type Claim struct {
	Person  string
	Subject string
	Part    int64
	Settled bool
	Day     calendar.Day // the day on which it was settled; the day asked about for one that was not, and where nobody says
	PaidFen int64        // what was paid, of one that was settled; 0 where nobody says
}

// Stake is what a claim puts into one limit.
type Stake struct {
	*pack.Member
	Counts  bool     // it is one of those that the limit counts
	Keys    []any    // claims that have all of these alike are a group; nil for unknown
	Each    []any    // claims of the group that have all of these alike count as one; nil where each counts by itself
	Rank    int64    // of higher, cap_fen and less_fen
	Paid    bool     // of paid: somebody else has paid
	Order   []any    // of quota and shares
	Missing []string // facts without which it cannot be told whether the limit holds the claim
	Cap     []string // those of them without which a cap cannot be told: they matter to a claim that is alone as well
}

// Claims reports whether findings of the policy are claims that limits or earlier payments concern.
func (p *Policy) Claims() bool { return p.Policy.Settled != nil || len(p.Members()) > 0 }

// Claim says whether and when a claim was settled. Only a plain yes counts.
//
// Errors: a fact's value has another type than the pack declares.
func (p *Policy) Claim(facts Facts, on calendar.Day, person, subject string, part int64) (Claim, error) {
	c := Claim{Person: person, Subject: subject, Part: part, Day: on}
	s := p.Settled
	if s == nil {
		return c, nil
	}
	d, _ := p.versionDay(facts, on)
	values := p.values(facts, d, on, part)
	v, err := s.HoldsExpr().Eval(values)
	if err != nil {
		return c, err
	}
	if c.Settled, _ = v.(bool); !c.Settled {
		return c, nil
	}
	if x := s.DayExpr(); x != nil {
		if v, err = x.Eval(values); err != nil {
			return c, err
		}
		if day, ok := v.(calendar.Day); ok {
			c.Day = day
		}
	}
	if x := s.AmountExpr(); x != nil {
		if v, err = x.Eval(values); err != nil {
			return c, err
		}
		c.PaidFen, _ = v.(int64)
	}
	return c, nil
}

// Stakes are what a claim puts into the limits that count claims of the policy.
//
// Errors: a fact's value has another type than the pack declares.
func (p *Policy) Stakes(facts Facts, on calendar.Day, c Claim) ([]Stake, error) {
	d, _ := p.versionDay(facts, on)
	values := p.values(facts, d, on, c.Part)
	named := func(name string) any {
		switch name {
		case "person":
			return c.Person
		case "subject":
			return c.Subject
		case "claim_day":
			return c.Day
		}
		return values(name)
	}
	out := make([]Stake, 0, len(p.Members()))
	for _, m := range p.Members() {
		s, err := stake(m, named)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func stake(m *pack.Member, values expr.Values) (Stake, error) {
	s := Stake{Member: m, Counts: true}
	ask := func(x *expr.Expr) (any, error) {
		v, err := x.Eval(values)
		if err == nil && v == nil {
			for _, f := range x.Requires() {
				if values(f) == nil && !slices.Contains(s.Missing, f) {
					s.Missing = append(s.Missing, f)
				}
			}
		}
		return v, err
	}
	if m.Where != nil {
		v, err := ask(m.Where)
		if err != nil {
			return s, err
		}
		if counts, told := v.(bool); told && !counts {
			return Stake{Member: m}, nil
		}
	}
	for _, x := range m.Over {
		v, err := ask(x)
		if err != nil {
			return s, err
		}
		s.Keys = append(s.Keys, v)
	}
	for _, x := range m.Each {
		v, err := ask(x)
		if err != nil {
			return s, err
		}
		s.Each = append(s.Each, v)
	}
	for _, x := range m.Order {
		v, err := ask(x)
		if err != nil {
			return s, err
		}
		s.Order = append(s.Order, v)
	}
	if m.Rank == nil {
		return s, nil
	}
	if k := m.Limit.Kind(); k == "paid" || k == "less_fen" { // the silence of a register refuses nobody
		v, err := m.Rank.Eval(values)
		s.Paid, _ = v.(bool)
		s.Rank, _ = v.(int64)
		return s, err
	}
	before := len(s.Missing)
	v, err := ask(m.Rank)
	if s.Rank, _ = v.(int64); m.Limit.Kind() == "cap_fen" && v == nil {
		s.Cap = slices.Clone(s.Missing[before:])
	}
	return s, err
}

// Allows is how many claims a limit of most or quota lets stand on a day; false where its number did not yet hold.
func Allows(l *pack.Limit, on calendar.Day) (int64, bool) {
	n, ok := same(l, l.Number(), on)
	return n, ok
}

// Percents are the shares of a limit on a day, of the first claim, the second and so on; nothing where they did not yet hold.
func Percents(l *pack.Limit, on calendar.Day) []int64 {
	var out []int64
	for _, x := range l.Percents() {
		n, ok := same(l, x, on)
		if !ok {
			return nil
		}
		out = append(out, n)
	}
	return out
}

// same is a number of a limit that is the same for all claims: by the parameters of the day asked about.
func same(l *pack.Limit, x *expr.Expr, on calendar.Day) (int64, bool) {
	v, err := x.Eval(func(name string) any {
		if name == "on" {
			return on
		}
		v, _ := l.Policy.Parameter(strings.TrimPrefix(name, "p.")).On(on)
		return v
	})
	n, ok := v.(int64)
	return n, err == nil && ok
}
