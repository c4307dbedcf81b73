package finding

import (
	"context"
	"database/sql"
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Ahead is how far an explanation looks for the earliest day: five years of days.
const Ahead = 5 * 366

// Explanation is one policy asked of one subject row of one person on one day, with reasons.
type Explanation struct {
	Policy  *policy.Policy
	Person  fact.Person
	Subject string // the subject row's id; for persons the person's number
	Period  string
	On      calendar.Day
	Answer  policy.Answer
	Facts   map[string]any

	// Earliest is the first day from the day asked on which the policy would find the subject eligible, if contributions go on and nothing else
	// changes; 0 when there is none within five years, or it is eligible already.
	Earliest calendar.Day
	// Rules gives, for each check that does not hold, the first day on which it would; absent when none.
	Rules map[string]calendar.Day
	// Needs lists, where no day helps, the facts that would have to change or be told, and "law" where the law of the day was not found; empty
	// when nothing can help: never.
	Needs []string
}

// Explain asks a policy of a person's subject rows; subject narrows it to one.
//
// Errors: NotFound "policy.unknown", "person.unknown".
func Explain(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, person fact.Person, name, subject string, on calendar.Day) ([]Explanation, error) {
	decl := p.Policy(name)
	if decl == nil {
		return nil, fault.New("finding.Explain", fault.NotFound, "policy.unknown", "policy", name)
	}
	pols := []*policy.Policy{policy.New(p, decl)}
	known, err := factsOn(ctx, conn, s, p, pols, []fact.Person{person}, on)
	if err != nil {
		return nil, fault.Wrap("finding.Explain", err)
	}
	if len(known["person"]) == 0 {
		return nil, fault.New("finding.Explain", fault.NotFound, "person.unknown")
	}
	out, err := Judge(pols[0], known[pols[0].Subject.Name], subject, on)
	if err != nil {
		return nil, fault.Wrap("finding.Explain", err)
	}
	return out, fault.Wrap("finding.Explain", ahead(ctx, conn, s, p, on, out))
}

// Judge asks a policy of subject rows whose facts are known, without looking at anything else and without the days to come; subject narrows it to one.
func Judge(pol *policy.Policy, rows []fact.Row, subject string, on calendar.Day) (out []Explanation, err error) {
	for _, r := range rows {
		x := Explanation{Policy: pol, Person: r.Person, Subject: subjectID(pol, r), Period: pol.Period(on), On: on, Facts: r.Values, Rules: map[string]calendar.Day{}}
		if subject != "" && subject != x.Subject {
			continue
		}
		if x.Answer, err = pol.Evaluate(r.Fact, on); err != nil {
			return nil, err
		}
		out = append(out, x)
	}
	return out, nil
}

// subjectID names a subject row as people read it: a person by number.
func subjectID(pol *policy.Policy, r fact.Row) string {
	if pol.Subject.Name == "person" {
		return r.Person.String()
	}
	return r.Subject
}

// ahead asks every day to come of those that are not eligible. Policies that count the same kinds of contributions suppose the same, and are asked together.
func ahead(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, on calendar.Day, xs []Explanation) error {
	var order []string
	alike := map[string][]*Explanation{}
	for i := range xs {
		if xs[i].Answer.Outcome == "eligible" {
			continue
		}
		key := strings.Join(Kinds(xs[i].Policy), " ")
		if alike[key] == nil {
			order = append(order, key)
		}
		alike[key] = append(alike[key], &xs[i])
	}
	for _, key := range order {
		if err := aheadTogether(ctx, conn, s, p, on, alike[key]); err != nil {
			return err
		}
	}
	return nil
}

func aheadTogether(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, on calendar.Day, xs []*Explanation) error {
	req := fact.Request{}
	for i := 1; i <= Ahead; i++ {
		req.Days = append(req.Days, on.AddDays(i))
	}
	var pols []*policy.Policy
	for _, x := range xs {
		if !slices.Contains(pols, x.Policy) {
			pols = append(pols, x.Policy)
		}
		if slices.Contains(req.Persons, x.Person) {
			continue
		}
		req.Persons = append(req.Persons, x.Person)
		c, err := goOn(ctx, conn, s, p, x.Policy, x.Person, on)
		if err != nil {
			return err
		}
		if c != nil {
			req.Continue = append(req.Continue, *c)
		}
	}
	req.Wants = wants(pols)
	if err := fact.Derive(ctx, conn, s, p, req); err != nil {
		return err
	}
	for _, w := range req.Wants {
		rows, err := fact.Rows(ctx, conn, w.Subject, "")
		if err != nil {
			return err
		}
		of := map[string][]fact.Row{}
		for _, r := range rows {
			of[r.Subject] = append(of[r.Subject], r)
		}
		for _, x := range xs {
			if x.Policy.Subject != w.Subject {
				continue
			}
			id := x.Subject
			if w.Subject.Name == "person" {
				id = strconv.FormatInt(int64(x.Person), 10)
			}
			if err := x.look(of[id]); err != nil {
				return err
			}
		}
	}
	return nil
}

// look finds the earliest days among its subject's facts on the days to come, in order.
func (x *Explanation) look(rows []fact.Row) error {
	for _, r := range rows {
		a, err := x.Policy.Evaluate(r.Fact, r.On)
		if err != nil {
			return err
		}
		for _, c := range a.Checks {
			if _, had := x.Rules[c.ID]; c.State == policy.Met && !had && x.state(c.ID) != policy.Met {
				x.Rules[c.ID] = r.On
			}
		}
		if a.Outcome == "eligible" {
			x.Earliest = r.On
			return nil
		}
	}
	// No day helps: say which facts stand in the way of checks that no day mends.
	for _, c := range x.Answer.Checks {
		if _, mends := x.Rules[c.ID]; c.State == policy.Met || mends {
			continue
		}
		for _, v := range c.Values {
			if f := x.Policy.Fact(v.Name); f != nil && !slices.Contains(x.Needs, v.Name) && !fixed(f) {
				x.Needs = append(x.Needs, v.Name)
			}
		}
	}
	if x.Answer.Outcome != "undetermined" {
		return nil // what is unknown besides does not stand in the way
	}
	for _, m := range x.Answer.Missing {
		if !slices.Contains(x.Needs, m) {
			x.Needs = append(x.Needs, m)
		}
	}
	return nil
}

// fixed facts do not change for all that anybody does: those of the subject row that have happened (a certificate's day of issue), and those that
// only the days to come change (an age), which were asked already.
func fixed(f *pack.Fact) bool {
	if f.Take.Text == "value" {
		return slices.Contains(f.ValueExpr().Inputs(), "on")
	}
	return f.Take.Text == "column" && f.Source() == nil || f.Take.Text == "months_first"
}

func (x *Explanation) state(id string) policy.State {
	for _, c := range x.Answer.Checks {
		if c.ID == id {
			return c.State
		}
	}
	return policy.Unknown
}

// goOn supposes that contributions go on: from the month after the last one recorded if that is the month asked about or one of the two before it
// (a month is posted in the next), otherwise from the month after the one asked about.
func goOn(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pol *policy.Policy, person fact.Person, on calendar.Day) (*fact.Contributions, error) {
	kinds := Kinds(pol)
	if kinds == nil {
		return nil, nil
	}
	months, err := fact.Months(ctx, conn, s, p, person, kinds)
	if err != nil {
		return nil, err
	}
	now := on.Month().Index()
	c := &fact.Contributions{Person: person, From: now + 1, To: now + 12*50, Kinds: kinds}
	if n := len(months); n > 0 {
		last := months[n-1]
		c.USCC = last.USCC
		if last.Index >= now-2 {
			c.From = last.Index + 1
		}
	}
	return c, nil
}

// Kinds lists the kinds of contributions that a policy counts, also behind facts that are worked out from others.
func Kinds(pol *policy.Policy) []string {
	var out []string
	names := slices.Clone(pol.FactNames())
	for i := 0; i < len(names); i++ {
		f := pol.Fact(names[i])
		if f == nil {
			continue
		}
		if f.Take.Text == "value" {
			for _, in := range f.ValueExpr().Inputs() {
				if !slices.Contains(names, in) {
					names = append(names, in)
				}
			}
		}
		if f.Months() {
			for _, k := range f.Kinds {
				if !slices.Contains(out, k.Text) {
					out = append(out, k.Text)
				}
			}
		}
	}
	return out
}
