package finding

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fault"
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
}

// situation is a test of a policy with what either evaluator says of it.
type situation struct {
	*pack.Test
	values   map[string]any // the facts, with those that are worked out
	one, all verdict
}

// Test runs the tests beside a pack's policies, each through both evaluators: the SQL that screens everybody, in DuckDB, and the one that
// explains a person. Facts of take: value that a test does not give are worked out from those that it gives.
func Test(ctx context.Context, p *pack.Pack) (rep TestReport, err error) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 256, Threads: 1})
	if err != nil {
		return rep, err
	}
	defer db.Close()
	for _, decl := range p.Policies {
		pol := policy.New(p, decl)
		cases, err := situations(p, pol)
		if err == nil {
			err = screened(ctx, db.DB, pol, cases)
		}
		if err != nil {
			return rep, fault.Wrap("finding.Test", err)
		}
		for _, c := range cases {
			wrong := differs(c.Want, c.one)
			switch {
			case wrong != "":
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: %s", pol.File, c.Name, wrong))
			case c.one != c.all:
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: the evaluators disagree: one person %+v, SQL %+v", pol.File, c.Name, c.one, c.all))
			default:
				rep.Passed++
			}
		}
		left, err := untouched(p, pol, cases)
		if err != nil {
			return rep, fault.Wrap("finding.Test", err)
		}
		rep.Untouched = append(rep.Untouched, left...)
	}
	return rep, nil
}

// situations completes the tests of a policy and evaluates each for one person.
func situations(p *pack.Pack, pol *policy.Policy) (out []*situation, err error) {
	for _, t := range pol.Tests {
		c := &situation{Test: t}
		if c.values, err = completed(p, pol, t); err != nil {
			return nil, err
		}
		if c.one, err = evaluated(pol, t, c.values); err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// completed adds the facts that are worked out from others.
func completed(p *pack.Pack, pol *policy.Policy, t *pack.Test) (map[string]any, error) {
	values := map[string]any{}
	for k, v := range t.Values {
		values[k] = v
	}
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
					return t.On
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

func evaluated(pol *policy.Policy, t *pack.Test, values map[string]any) (verdict, error) {
	a, err := pol.Evaluate(func(name string) any { return values[name] }, t.On)
	v := verdict{a.Outcome, a.AmountFen, strings.Join(a.Failed, " "), strings.Join(a.Missing, " "), a.WindowEnds}
	if v.Outcome != "undetermined" {
		v.Missing = ""
	}
	return v, err
}

// screened asks the same of SQL: one question a day, over a fact table of a row a situation.
func screened(ctx context.Context, db *sql.DB, pol *policy.Policy, cases []*situation) error {
	byDay := map[calendar.Day][]*situation{}
	for _, c := range cases {
		byDay[c.On] = append(byDay[c.On], c)
	}
	for on, cases := range byDay {
		if err := screenedOn(ctx, db, pol, on, cases); err != nil {
			return err
		}
	}
	return nil
}

func screenedOn(ctx context.Context, db *sql.DB, pol *policy.Policy, on calendar.Day, cases []*situation) error {
	g := Group{pol.Subject, []*policy.Policy{pol}}
	q := pol.SQL(expr.DuckDB, on)
	bits := fmt.Sprintf("(SELECT *, %s AS outcome FROM (%s))", outcome(pol, on), g.BitsQuery("facts", on))
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`
WITH facts AS MATERIALIZED (%[4]s)
SELECT f.person, b.outcome, h.amount_fen, %[1]s, CASE WHEN b.outcome = 'undetermined' THEN %[2]s ELSE '' END,
  CASE WHEN %[6]s > 0 THEN strftime(%[3]s, '%%Y%%m%%d')::INTEGER END
FROM facts f JOIN %[5]s b ON b.person = f.person LEFT JOIN (%[7]s) h ON h.person = f.person`,
		q.Failed(bitsColumn(pol), version(pol, on)), q.Missing(bitsColumn(pol), version(pol, on)), "CAST("+q.Window+" AS DATE)",
		factRows(pol, cases), bits, version(pol, on), g.HitsQuery("facts", on)))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var i int
		var v verdict
		var amount, window sql.NullInt64
		if err := rows.Scan(&i, &v.Outcome, &amount, &v.Failed, &v.Missing, &window); err != nil {
			return err
		}
		v.AmountFen, v.Window = amount.Int64, calendar.Day(window.Int64)
		cases[i].all = v
	}
	return rows.Err()
}

// factRows writes situations as rows of a fact table; a situation's person is its place among them.
func factRows(pol *policy.Policy, cases []*situation) string {
	names := []string{"person", "subject"}
	rows := make([]string, len(cases))
	for i := range cases {
		rows[i] = fmt.Sprintf("%d, 'x'", i)
	}
	for _, name := range pol.FactNames() {
		f := pol.Fact(name)
		if f == nil {
			continue
		}
		names = append(names, policy.Quote(name))
		for i, c := range cases {
			rows[i] += fmt.Sprintf(", CAST(%s AS %s)", expr.Literal(expr.DuckDB, c.values[name]), sqlTypes[f.ExprType()])
		}
	}
	return "SELECT * FROM (VALUES (" + strings.Join(rows, "), (") + ")) AS v(" + strings.Join(names, ", ") + ")"
}

var sqlTypes = map[expr.Type]string{expr.Bool: "BOOLEAN", expr.Int: "BIGINT", expr.Text: "VARCHAR", expr.Day: "DATE"}

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
	if w.WindowEnds != nil && *w.WindowEnds != v.Window {
		out = append(out, fmt.Sprintf("window_ends: want %s, got %s", *w.WindowEnds, v.Window))
	}
	if len(out) > 0 {
		out = append(out, fmt.Sprintf("(failed: %s; missing: %s)", v.Failed, v.Missing))
	}
	return strings.Join(out, "; ")
}
