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
}

// Test runs the tests beside a pack's policies, each through both evaluators: the SQL that screens everybody, in DuckDB, and the one that
// explains a person. Facts of take: value that a test does not give are worked out from those that it gives.
func Test(ctx context.Context, p *pack.Pack) (rep TestReport, err error) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 256, Threads: 1})
	if err != nil {
		return rep, err
	}
	defer db.Close()
	for _, decl := range p.Policies { // drafts too: a test is how one finds out whether a draft is right
		pol := policy.New(p, decl)
		for _, t := range pol.Tests {
			values, err := completed(p, pol, t)
			if err != nil {
				return rep, fault.Wrap("finding.Test", err)
			}
			one, err := evaluated(pol, t, values)
			if err != nil {
				return rep, fault.Wrap("finding.Test", err)
			}
			all, err := screened(ctx, db.DB, pol, t, values)
			if err != nil {
				return rep, fault.Wrap("finding.Test", err)
			}
			wrong := differs(t.Want, one)
			switch {
			case wrong != "":
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: %s", pol.File, t.Name, wrong))
			case one != all:
				rep.Failures = append(rep.Failures, fmt.Sprintf("%s: %s: the evaluators disagree: one person %+v, SQL %+v", pol.File, t.Name, one, all))
			default:
				rep.Passed++
			}
		}
	}
	return rep, nil
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

// screened asks the same of SQL, over a fact table of one row.
func screened(ctx context.Context, db *sql.DB, pol *policy.Policy, t *pack.Test, values map[string]any) (v verdict, err error) {
	cols := []string{"1 AS person", "'x' AS subject"}
	for _, name := range pol.FactNames() {
		f := pol.Fact(name)
		if f == nil {
			continue
		}
		cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS %s", expr.Literal(expr.DuckDB, values[name]), sqlTypes[f.ExprType()], policy.Quote(name)))
	}
	g := Group{pol.Subject, []*policy.Policy{pol}}
	q := pol.SQL(expr.DuckDB, t.On)
	from := "(SELECT " + strings.Join(cols, ", ") + ")"
	bits := fmt.Sprintf("(SELECT *, %s AS outcome FROM (%s))", outcome(pol, t.On), g.BitsQuery(from, t.On))
	var amount, window sql.NullInt64
	err = db.QueryRowContext(ctx, fmt.Sprintf(`
SELECT b.outcome, h.amount_fen, %[1]s, CASE WHEN b.outcome = 'undetermined' THEN %[2]s ELSE '' END, CASE WHEN %[6]s > 0 THEN strftime(%[3]s, '%%Y%%m%%d')::INTEGER END
FROM %[4]s f, %[5]s b LEFT JOIN (%[7]s) h ON TRUE`,
		q.Failed(bitsColumn(pol), version(pol, t.On)), q.Missing(bitsColumn(pol), version(pol, t.On)), "CAST("+q.Window+" AS DATE)", from, bits, version(pol, t.On), g.HitsQuery(from, t.On))).
		Scan(&v.Outcome, &amount, &v.Failed, &v.Missing, &window)
	v.AmountFen, v.Window = amount.Int64, calendar.Day(window.Int64)
	return v, err
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
