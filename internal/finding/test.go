package finding

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/pack"
	"bole/internal/policy"
)

// TestReport is what became of a pack's tests.
type TestReport struct {
	Passed   int
	Failures []string // "file: name (engine): what was wanted and what came", one a test and engine
}

// verdict is what either evaluator says, in words that can be compared.
type verdict struct {
	Outcome   string
	AmountFen int64
	Failed    string
	Missing   string
	Window    calendar.Day
	Limit     string
	Wins      string // the claim's name in the test
}

// Test runs the tests beside a pack's policies, each through both evaluators: the SQL that screens everybody, in DuckDB, and the one that
// explains a person. Facts of take: value that a test does not give are worked out from those that it gives.
func Test(ctx context.Context, p *pack.Pack) (rep TestReport, err error) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 256, Threads: 1})
	if err != nil {
		return rep, err
	}
	defer db.Close()
	for _, pol := range policy.All(p) {
		for _, t := range pol.Tests {
			one, all, err := situation(ctx, db.DB, p, pol, t)
			if err != nil {
				return rep, fault.Wrap("finding.Test", err)
			}
			wrong := differing(t, one)
			switch {
			case wrong != "":
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: %s", pol.File, t.Name, wrong))
			case !slices.Equal(one, all):
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: the evaluators disagree: one person %+v, SQL %+v", pol.File, t.Name, one, all))
			default:
				rep.Passed++
			}
		}
	}
	return rep, nil
}

// asked is one claim of a situation: the one that a test is about, or one beside it.
type asked struct {
	name    string
	policy  *policy.Policy
	part    int64
	person  fact.Person
	subject string
	values  map[string]any
}

// situation asks the claims of a test through both evaluators, in the order of the test.
func situation(ctx context.Context, db *sql.DB, p *pack.Pack, pol *policy.Policy, t *pack.Test) (one, all []verdict, err error) {
	claims, err := claimsOf(p, pol, t)
	if err != nil {
		return nil, nil, err
	}
	if one, err = evaluated(p, t.On, claims); err != nil {
		return nil, nil, err
	}
	all, err = screened(ctx, db, p, t.On, claims)
	return one, all, err
}

func claimsOf(p *pack.Pack, pol *policy.Policy, t *pack.Test) ([]asked, error) {
	persons := map[string]fact.Person{}
	person := func(name string) fact.Person {
		if persons[name] == 0 {
			persons[name] = fact.Person(len(persons) + 1)
		}
		return persons[name]
	}
	out := []asked{{name: "this", policy: pol, part: t.Part, person: person(t.Person), subject: "this", values: t.Values}}
	for _, o := range t.Others {
		a := asked{name: o.Claim.Text, policy: policy.New(p, o.Under), part: o.Part, person: out[0].person, subject: cmp.Or(o.Subject, o.Claim.Text), values: o.Values}
		if o.Person != "" {
			a.person = person(o.Person)
		}
		out = append(out, a)
	}
	for i, a := range out {
		if a.policy.Subject.Name == "person" {
			out[i].subject = fmt.Sprint(int64(a.person))
		}
		values, err := completed(p, a.policy, t.On, a.values)
		if err != nil {
			return nil, err
		}
		out[i].values = values
	}
	return out, nil
}

// completed adds the facts that are worked out from others.
func completed(p *pack.Pack, pol *policy.Policy, on calendar.Day, given map[string]any) (map[string]any, error) {
	values := maps.Clone(given)
	subjects := []*pack.Subject{p.Subject("person")}
	if pol.Subject != subjects[0] {
		subjects = append(subjects, pol.Subject)
	}
	for _, s := range subjects {
		for _, f := range s.Facts {
			if _, given := values[f.Name.Text]; given || f.Take.Text != "value" {
				continue
			}
			v, err := f.ValueExpr().Eval(func(name string) any {
				if name == "on" {
					return on
				}
				return values[name]
			})
			if err != nil {
				return nil, err
			}
			if v != nil {
				values[f.Name.Text] = v
			}
		}
	}
	return values, nil
}

func (a *asked) facts(name string) any { return a.values[name] }

func evaluated(p *pack.Pack, on calendar.Day, asked []asked) ([]verdict, error) {
	out := make([]verdict, len(asked))
	var claims []*claim
	at := map[*claim]int{}
	for i, q := range asked {
		a, err := q.policy.Evaluate(q.facts, on, q.part)
		if err != nil {
			return nil, err
		}
		out[i] = verdict{Outcome: a.Outcome, AmountFen: a.AmountFen, Failed: strings.Join(a.Failed, " "), Missing: strings.Join(a.Missing, " "), Window: a.WindowEnds}
		if out[i].Outcome != "undetermined" {
			out[i].Missing = ""
		}
		c, err := newClaim(q.policy, q.facts, on, q.person, q.subject, q.part, a.Outcome == "eligible", a.AmountFen, a.WindowEnds)
		if err != nil {
			return nil, err
		}
		if c != nil {
			claims, at[c] = append(claims, c), i
		}
	}
	for _, q := range unnamed(asked) {
		a, err := q.policy.Evaluate(q.facts, on, q.part)
		if err != nil {
			return nil, err
		}
		c, err := newClaim(q.policy, q.facts, on, q.person, q.subject, q.part, a.Outcome == "eligible", a.AmountFen, a.WindowEnds)
		if err != nil {
			return nil, err
		}
		if c != nil {
			claims = append(claims, c)
		}
	}
	allocate(p, on, claims)
	for _, c := range claims {
		i, named := at[c]
		if !named {
			continue
		}
		v := &out[i]
		v.Outcome, v.AmountFen, v.Missing = c.outcome, 0, strings.Join(c.missing, " ")
		if c.outcome == "eligible" {
			v.AmountFen = c.award
		}
		if c.limit != nil {
			v.Limit = c.limit.Name()
		}
		if i, named := at[c.wins]; named {
			v.Wins = asked[i].name
		}
	}
	return out, nil
}

// unnamed are the claims that a test does not name and that there are all the same, as in a screening: other parts of an award, and other policies of the
// test asked of the same subject row.
func unnamed(given []asked) (out []asked) {
	all := slices.Clone(given)
	for _, row := range given {
		for _, under := range given {
			if under.policy.Subject != row.policy.Subject {
				continue
			}
			for _, part := range under.policy.Parts() {
				q := asked{policy: under.policy, part: part, person: row.person, subject: row.subject, values: row.values}
				if !slices.ContainsFunc(all, func(have asked) bool {
					return have.policy.Name == q.policy.Name && have.part == part && have.person == q.person && have.subject == q.subject
				}) {
					all, out = append(all, q), append(out, q)
				}
			}
		}
	}
	return out
}

// screened screens the claims, over fact tables of one row a subject.
func screened(ctx context.Context, db *sql.DB, p *pack.Pack, on calendar.Day, asked []asked) (out []verdict, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	s := &screening{pack: p, req: Request{On: on}, conn: conn}
	var ps []*policy.Policy
	names := map[string]string{}
	for _, q := range asked {
		c := claim{policy: q.policy, person: q.person, subject: q.subject, part: q.part}
		names[c.name(on)] = q.name
		if !slices.ContainsFunc(ps, func(have *policy.Policy) bool { return have.Name == q.policy.Name }) {
			ps = append(ps, q.policy)
		}
	}
	s.groups = Groups(ps)
	for _, g := range s.groups {
		facts := map[string]*pack.Fact{}
		for _, pol := range g.Policies {
			for _, n := range pol.FactNames() {
				facts[n] = pol.Fact(n)
			}
		}
		var rows []string
		done := map[string]bool{}
		for _, q := range asked {
			if q.policy.Subject != g.Subject || done[fmt.Sprint(q.person, q.subject)] {
				continue
			}
			done[fmt.Sprint(q.person, q.subject)] = true
			cols := []string{fmt.Sprintf("CAST(%d AS BIGINT) AS person, %s AS subject", q.person, expr.Quote(q.subject))}
			for _, n := range slices.Sorted(maps.Keys(facts)) {
				cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS %s", expr.Literal(expr.DuckDB, q.values[n]), sqlTypes[facts[n].ExprType()], policy.Quote(n)))
			}
			rows = append(rows, "SELECT "+strings.Join(cols, ", "))
		}
		if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+fact.Table(g.Subject)+" AS "+strings.Join(rows, " UNION ALL ")); err != nil {
			return nil, err
		}
	}
	if err := s.bits(ctx); err != nil {
		return nil, err
	}
	for _, q := range asked {
		var v verdict
		var amount, window sql.NullInt64
		var wins string
		subject := q.subject
		if q.policy.Subject.Name == "person" {
			subject = q.person.String()
		}
		err := conn.QueryRowContext(ctx, fmt.Sprintf(`SELECT outcome, amount_fen, failed, missing, CAST(replace(window_ends, '-', '') AS INTEGER), limited_by, wins FROM (%s) WHERE policy = %s AND person = %s AND subject = %s AND period = %s`,
			s.rows(true), expr.Quote(q.policy.Name), expr.Quote(q.person.String()), expr.Quote(subject), expr.Quote(q.policy.Period(on, q.part)))).
			Scan(&v.Outcome, &amount, &v.Failed, &v.Missing, &window, &v.Limit, &wins)
		if err != nil {
			return nil, err
		}
		v.AmountFen, v.Window, v.Wins = amount.Int64, calendar.Day(window.Int64), names[wins]
		out = append(out, v)
	}
	return out, nil
}

var sqlTypes = map[expr.Type]string{expr.Bool: "BOOLEAN", expr.Int: "BIGINT", expr.Text: "VARCHAR", expr.Day: "DATE"}

// differing says how the verdicts of a situation are not what its test wants; "" when they are.
func differing(t *pack.Test, got []verdict) string {
	var out []string
	for i, w := range append([]*pack.Want{&t.Want}, wanted(t)...) {
		if w == nil {
			continue
		}
		if d := differs(*w, got[i]); d != "" && i > 0 {
			out = append(out, t.Others[i-1].Claim.Text+": "+d)
		} else if d != "" {
			out = append(out, d)
		}
	}
	return strings.Join(out, "; ")
}

func wanted(t *pack.Test) (out []*pack.Want) {
	for _, o := range t.Others {
		out = append(out, o.Want)
	}
	return out
}

// differs says how a verdict is not what a test wants; "" when it is.
func differs(w pack.Want, v verdict) string {
	var out []string
	if w.Outcome.Text != v.Outcome {
		out = append(out, fmt.Sprintf("outcome: want %s, got %s", w.Outcome.Text, v.Outcome))
	}
	if w.AmountFen != nil && *w.AmountFen != v.AmountFen {
		out = append(out, fmt.Sprintf("amount_fen: want %d, got %d", *w.AmountFen, v.AmountFen))
	}
	set := func(name string, want []string, got string) {
		if want == nil {
			return
		}
		g := strings.Fields(got)
		w := slices.Clone(want)
		slices.Sort(g)
		slices.Sort(w)
		if !slices.Equal(w, g) {
			out = append(out, fmt.Sprintf("%s: want %v, got %v", name, w, g))
		}
	}
	set("because", w.Because, v.Failed)
	set("missing", w.Missing, v.Missing)
	for _, x := range []struct {
		name string
		want *pack.Src
		got  string
	}{{"limit", w.Limit, v.Limit}, {"wins", w.Wins, v.Wins}} {
		if x.want != nil && x.want.Text != x.got {
			out = append(out, fmt.Sprintf("%s: want %s, got %s", x.name, x.want.Text, x.got))
		}
	}
	if w.WindowEnds != nil && *w.WindowEnds != v.Window {
		out = append(out, fmt.Sprintf("window_ends: want %s, got %s", *w.WindowEnds, v.Window))
	}
	if len(out) > 0 {
		out = append(out, fmt.Sprintf("(failed: %s; missing: %s)", v.Failed, v.Missing))
	}
	return strings.Join(out, "; ")
}
