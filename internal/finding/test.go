package finding

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// TestReport is what became of a pack's tests.
type TestReport struct {
	Passed    int
	Failures  []string    // "file: name (engine): what was wanted and what came", one a test and engine
	Untouched []Untouched // what no test looks at
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

// situation is a test of a policy with what either evaluator says of each of its claims.
type situation struct {
	*pack.Test
	policy   *policy.Policy
	asked    []asked // the claim that the test is about, then those beside it
	one, all []verdict
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

// Test runs the tests beside a pack's policies, each through both evaluators: the SQL that screens everybody, in DuckDB, and the one that
// explains a person. Facts of take: value that a test does not give are worked out from those that it gives.
func Test(ctx context.Context, p *pack.Pack) (rep TestReport, err error) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 256, Threads: 1})
	if err != nil {
		return rep, err
	}
	defer db.Close()
	cases, err := situations(p)
	if err != nil {
		return rep, fault.Wrap("finding.Test", err)
	}
	if err := side(batches(cases), func(batch []*situation) error { return screened(ctx, db.DB, p, batch) }); err != nil {
		return rep, fault.Wrap("finding.Test", err)
	}
	for _, c := range cases {
		wrong := differing(c.Test, c.one)
		switch {
		case wrong != "":
			rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: %s", c.policy.File, c.Name, wrong))
		case !slices.Equal(c.one, c.all):
			rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: the evaluators disagree: one person %+v, SQL %+v", c.policy.File, c.Name, c.one, c.all))
		default:
			rep.Passed++
		}
	}
	rep.Untouched, err = untouched(p, cases)
	return rep, fault.Wrap("finding.Test", err)
}

// situations are the tests of a pack with their claims, asked of one person after the other.
func situations(p *pack.Pack) (out []*situation, err error) {
	for _, decl := range p.Policies { // drafts too: a test is how one finds out whether a draft is right
		pol := policy.New(p, decl)
		for _, t := range pol.Tests {
			c := &situation{Test: t, policy: pol}
			if c.asked, err = claimsOf(p, pol, t, len(out)); err != nil {
				return nil, err
			}
			if c.one, err = evaluated(p, t.On, c.asked); err != nil {
				return nil, err
			}
			c.all = make([]verdict, len(c.asked))
			out = append(out, c)
		}
	}
	return out, nil
}

// side does something with each, as many side by side as there are processors: planning a query takes most of the time of one, and uses one processor.
func side[T any](all []T, do func(T) error) error {
	next := make(chan T)
	errs := make([]error, runtime.NumCPU())
	var workers sync.WaitGroup
	for i := range errs {
		workers.Go(func() {
			for x := range next {
				if errs[i] == nil {
					errs[i] = do(x)
				}
			}
		})
	}
	for _, x := range all {
		next <- x
	}
	close(next)
	workers.Wait()
	return errors.Join(errs...)
}

// batches parts situations into those that SQL can be asked of together, which saves most of the time: of one day and of the same policies.
func batches(cases []*situation) [][]*situation {
	var out [][]*situation
	at := map[string]int{}
	for _, c := range cases {
		var names []string
		for _, a := range c.asked {
			names = append(names, a.policy.Name)
		}
		slices.Sort(names)
		key := fmt.Sprint(c.On, slices.Compact(names))
		if _, ok := at[key]; !ok {
			at[key], out = len(out), append(out, nil)
		}
		out[at[key]] = append(out[at[key]], c)
	}
	return out
}

// A situation's persons are numbered from a hundred of its own, so that claims of two situations are never allocated together.
const firstPerson, personsEach = 1_000_000, 100

// place is the situation of a person.
func place(who fact.Person) int { return (int(who) - firstPerson) / personsEach }

// claimsOf are the claims of a test. Persons and subjects are those of no other test, and in order as their numbers and names are.
func claimsOf(p *pack.Pack, pol *policy.Policy, t *pack.Test, place int) ([]asked, error) {
	persons := map[string]fact.Person{}
	person := func(name string) fact.Person {
		if persons[name] == 0 {
			persons[name] = fact.Person(firstPerson + personsEach*place + len(persons))
		}
		return persons[name]
	}
	out := []asked{{name: "this", policy: pol, part: t.Part, person: person(t.Person), subject: "this", values: t.Values}}
	for _, o := range t.Others {
		a := asked{name: o.Claim.Text, policy: policy.New(p, o.Under, pol.Name), part: o.Part, person: out[0].person, subject: cmp.Or(o.Subject, o.Claim.Text), values: o.Values}
		if o.Person != "" {
			a.person = person(o.Person)
		}
		out = append(out, a)
	}
	for i, a := range out {
		out[i].subject = fmt.Sprintf("%06d %s", place, a.subject)
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
	for i, q := range append(slices.Clone(asked), unnamed(asked)...) {
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
		if i >= len(asked) {
			continue
		}
		out[i] = verdict{Outcome: a.Outcome, AmountFen: a.AmountFen, Failed: strings.Join(a.Failed, " "), Missing: strings.Join(a.Missing, " "), Window: a.WindowEnds}
		if out[i].Outcome != "undetermined" {
			out[i].Missing = ""
		}
		if c != nil {
			at[c] = i
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

// screened screens the claims of situations of one day, over fact tables of a row a subject.
func screened(ctx context.Context, db *sql.DB, p *pack.Pack, batch []*situation) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	on := batch[0].On
	s := &screening{pack: p, req: Request{On: on}, snap: &lake.Snapshot{}, conn: conn, apart: place}
	var all []asked
	var ps []*policy.Policy
	names := map[string]string{}      // of claims, in their tests
	verdicts := map[string]*verdict{} // by claim
	for _, c := range batch {
		all = append(all, c.asked...)
		for i, q := range c.asked {
			name := (&claim{policy: q.policy, person: q.person, subject: q.subject, part: q.part}).name(on)
			names[name], verdicts[q.key(on)] = q.name, &c.all[i]
			if !slices.ContainsFunc(ps, func(have *policy.Policy) bool { return have.Name == q.policy.Name }) {
				ps = append(ps, q.policy)
			}
		}
	}
	s.groups = Groups(ps)
	for _, g := range s.groups {
		if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+fact.Table(g.Subject)+" AS "+factRows(g, all)); err != nil {
			return err
		}
	}
	if err := s.bits(ctx); err != nil {
		return err
	}
	rows, err := conn.QueryContext(ctx, "SELECT policy, person, subject, period, outcome, coalesce(amount_fen, 0), failed, missing, coalesce(CAST(replace(window_ends, '-', '') AS INTEGER), 0), limited_by, wins FROM ("+s.rows(true)+")")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key [4]string
		var v verdict
		if err := rows.Scan(&key[0], &key[1], &key[2], &key[3], &v.Outcome, &v.AmountFen, &v.Failed, &v.Missing, &v.Window, &v.Limit, &v.Wins); err != nil {
			return err
		}
		v.Wins = names[v.Wins]
		if mine := verdicts[strings.Join(key[:], " ")]; mine != nil { // others are of the same row under a policy that is not asked of it
			*mine = v
		}
	}
	return rows.Err()
}

// key is the claim as a screening's rows name it.
func (a *asked) key(on calendar.Day) string {
	subject := a.subject
	if a.policy.Subject.Name == "person" {
		subject = a.person.String()
	}
	return strings.Join([]string{a.policy.Name, a.person.String(), subject, a.policy.Period(on, a.part)}, " ")
}

// factRows writes claims as the rows of a fact table.
func factRows(g Group, claims []asked) string {
	facts := map[string]*pack.Fact{}
	for _, pol := range g.Policies {
		for _, n := range pol.FactNames() {
			if f := pol.Fact(n); f != nil {
				facts[n] = f
			}
		}
	}
	order := slices.Sorted(maps.Keys(facts))
	columns := append([]string{"person", "subject"}, order...)
	var rows []string
	done := map[string]bool{}
	for _, q := range claims {
		row := fmt.Sprintf("CAST(%d AS BIGINT), %s", q.person, expr.Quote(q.subject))
		if q.policy.Subject != g.Subject || done[row] {
			continue
		}
		done[row] = true
		for _, n := range order {
			row += fmt.Sprintf(", CAST(%s AS %s)", expr.Literal(expr.DuckDB, q.values[n]), sqlTypes[facts[n].ExprType()])
		}
		rows = append(rows, row)
	}
	return "SELECT * FROM (VALUES (" + strings.Join(rows, "), (") + ")) AS v(" + columnar.Quote(columns...) + ")"
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
