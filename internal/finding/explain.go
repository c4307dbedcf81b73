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
	Part    int64  // of an award in parts; else 0
	Period  string
	On      calendar.Day
	Answer  policy.Answer // its outcome and amount are those after limits
	Facts   map[string]any

	Entitled bool        // every check holds, whatever other claims there are
	Limit    *pack.Limit // the limit that holds the claim or cuts its amount; nil for none
	Wins     string      // the claim that it gives way to: POLICY PERSON [SUBJECT] PERIOD; "" for none

	// Earliest is the first day from the day asked on which the policy would find the subject eligible, if contributions go on and nothing else
	// changes; 0 when there is none within five years, or it is eligible already. It is the day asked where contributions that no delivery tells of yet,
	// of that month and those before it, would do.
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
	pol := policy.New(p, decl)
	known, err := look(ctx, conn, s, p, []*policy.Policy{pol}, person, on)
	if err != nil {
		return nil, fault.Wrap("finding.Explain", err)
	}
	if len(known.rows["person"]) == 0 {
		return nil, fault.New("finding.Explain", fault.NotFound, "person.unknown")
	}
	out, err := known.judge(ctx, conn, s, p, pol, person, subject, on)
	if err != nil {
		return nil, fault.Wrap("finding.Explain", err)
	}
	return out, fault.Wrap("finding.Explain", ahead(ctx, conn, s, p, on, out))
}

// Judge asks a policy of a person's subject rows whose facts are known, without looking at other claims or at days to come; subject narrows them to one.
func Judge(pol *policy.Policy, person fact.Person, subject string, rows []fact.Row, on calendar.Day) (out []Explanation, err error) {
	for _, r := range rows {
		id := r.Subject
		if pol.Subject.Name == "person" {
			id = person.String()
		}
		if subject != "" && subject != id {
			continue
		}
		for _, part := range pol.Parts() {
			x := Explanation{Policy: pol, Person: person, Subject: id, Part: part, Period: pol.Period(on, part), On: on, Facts: r.Values, Rules: map[string]calendar.Day{}}
			if x.Answer, err = pol.Evaluate(r.Fact, on, part); err != nil {
				return nil, err
			}
			x.Entitled = x.Answer.Outcome == "eligible"
			out = append(out, x)
		}
	}
	return out, nil
}

// claims reports whether limits or an earlier payment may concern the finding.
func (x *Explanation) claims() bool {
	return x.Entitled && x.Policy.Claims() || x.Policy.Settled != nil
}

// waits reports whether a day to come may help: entitled findings wait for no day, and settled ones for nothing.
func (x *Explanation) waits() bool { return !x.Entitled && x.Answer.Outcome != "settled" }

// row is the id of the subject row as fact tables have it.
func (x *Explanation) row() string {
	if x.Policy.Subject.Name == "person" {
		return strconv.FormatInt(int64(x.Person), 10)
	}
	return x.Subject
}

// settle puts what became of claims into explanations.
func settle(xs []Explanation, fates standing) {
	for i := range xs {
		x := &xs[i]
		if f, ok := fates[claimKey{x.row(), x.Part}]; ok {
			x.befell(f)
		}
	}
}

// ahead asks every day to come of those that wait for one. Policies that count the same kinds of contributions suppose the same, and are asked together.
func ahead(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, on calendar.Day, xs []Explanation) error {
	var order []string
	alike := map[string][]*Explanation{}
	for i := range xs {
		if !xs[i].waits() {
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
	var days []calendar.Day
	for i := range Ahead + 1 { // the day itself too: what is supposed may do already
		days = append(days, on.AddDays(i))
	}
	var pols []*policy.Policy
	for _, x := range xs {
		if !slices.Contains(pols, x.Policy) {
			pols = append(pols, x.Policy)
		}
	}
	req, err := supposing(ctx, conn, s, p, xs, days)
	if err != nil {
		return err
	}
	req.Wants = wants(Groups(pols))
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
			if err := x.look(of[x.row()]); err != nil {
				return err
			}
		}
	}
	return nil
}

// supposing is the request for the persons of explanations whose policies count the same kinds of contributions, on the supposition that these go on.
func supposing(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, xs []*Explanation, days []calendar.Day) (fact.Request, error) {
	req := fact.Request{Days: days}
	asked := map[fact.Person]bool{}
	for _, x := range xs {
		if asked[x.Person] {
			continue
		}
		asked[x.Person] = true
		if req.Person == 0 {
			req.Person = x.Person
		} else {
			req.Also = append(req.Also, x.Person)
		}
		c, err := goOn(ctx, conn, s, p, x.Policy, x.Person, x.On)
		if err != nil {
			return req, err
		}
		if c != nil {
			req.Continue = append(req.Continue, *c)
		}
	}
	return req, nil
}

// look finds the earliest days among its subject's facts on the days to come, in order.
func (x *Explanation) look(rows []fact.Row) error {
	for _, r := range rows {
		a, err := x.Policy.Evaluate(r.Fact, r.On, x.Part)
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
