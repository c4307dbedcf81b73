package finding

import (
	"context"
	"database/sql"
	"fmt"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Supposed asks the policy of an explanation's subject on other days, on the supposition that contributions go on as the explanation supposes: its
// Earliest is the first of them that is eligible.
func Supposed(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, x Explanation, days []calendar.Day) ([]policy.Answer, error) {
	req := fact.Request{Wants: []fact.Want{{Subject: x.Policy.Subject, Names: x.Policy.FactNames()}}, Days: days, Person: x.Person}
	c, err := goOn(ctx, conn, s, p, x.Policy, x.Person, x.On)
	if err != nil {
		return nil, fault.Wrap("finding.Supposed", err)
	}
	if c != nil {
		req.Continue = []fact.Contributions{*c}
	}
	if err := fact.Derive(ctx, conn, s, p, req); err != nil {
		return nil, fault.Wrap("finding.Supposed", err)
	}
	rows, err := fact.Rows(ctx, conn, x.Policy.Subject, "")
	if err != nil {
		return nil, fault.Wrap("finding.Supposed", err)
	}
	var out []policy.Answer
	for _, r := range rows {
		if x.Policy.Subject.Name != "person" && r.Subject != x.Subject {
			continue
		}
		a, err := x.Policy.Evaluate(r.Fact, r.On, x.Part)
		if err != nil {
			return nil, fault.Wrap("finding.Supposed", err)
		}
		out = append(out, a)
	}
	return out, nil
}

// UntouchedBy is what the tests of a pack leave untouched, without asking SQL; failures are those of the tests that the evaluator of one person does not bear out.
func UntouchedBy(p *pack.Pack) (out []Untouched, failures []string, err error) {
	cases, err := situations(p)
	if err != nil {
		return nil, nil, err
	}
	for _, c := range cases {
		if wrong := differing(c.Test, c.one); wrong != "" {
			failures = append(failures, c.Name+": "+wrong)
		}
	}
	out, err = untouched(p, cases)
	return out, failures, err
}

// Held is held.
func Held(s *lake.Snapshot, p *pack.Pack, on calendar.Day) (*lake.Evidence, error) {
	return held(s, p, on)
}

// Kept is kept, of one person.
func Kept(e *lake.Evidence, person fact.Person, on calendar.Day) (map[string][]fact.Row, error) {
	return kept(e, person, on)
}

// Wanted are the facts that screening derives and keeps.
func Wanted(p *pack.Pack) []fact.Want { return append(wants(Groups(policy.All(p))), who(p)) }

// ExplainAll is Explain of several people, whose days to come are asked together.
func ExplainAll(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, persons []fact.Person, pol *policy.Policy, on calendar.Day) (out []Explanation, err error) {
	for _, person := range persons {
		known, err := look(ctx, conn, s, p, []*policy.Policy{pol}, person, on)
		if err != nil {
			return nil, err
		}
		xs, err := known.judge(ctx, conn, s, p, pol, person, "", on)
		if err != nil {
			return nil, err
		}
		out = append(out, xs...)
	}
	return out, ahead(ctx, conn, s, p, on, out)
}

// Later is what a screening of a day finds, before claims limit each other: whether every check holds, and which do.
type Later struct {
	Eligible bool
	Met      map[string]bool
}

// ScreenLater screens the subject rows of explanations under one policy on days to come, on the supposition that contributions go on as the explanations
// suppose: by day and by explanation, as PERSON SUBJECT PART.
func ScreenLater(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pol *policy.Policy, xs []*Explanation, days []calendar.Day) (map[calendar.Day]map[string]Later, error) {
	req, err := supposing(ctx, conn, s, p, xs, days)
	if err != nil {
		return nil, err
	}
	groups := Groups([]*policy.Policy{pol})
	req.Wants = wants(groups)
	if err := fact.Derive(ctx, conn, s, p, req); err != nil {
		return nil, err
	}
	out := map[calendar.Day]map[string]Later{}
	all, _ := policy.Masks(len(pol.Checks))
	for _, day := range days {
		bits := groups[0].BitsQuery(fmt.Sprintf(`(SELECT * FROM %s WHERE "on" = DATE '%s')`, fact.Table(pol.Subject), day), day)
		none := "(SELECT '' AS policy, 0 AS part, 0 AS person, '' AS subject, CAST(NULL AS DATE) AS window_ends, FALSE AS entitled, '' AS outcome, 0 AS amount_fen, '' AS limit_name, '' AS wins, '' AS missing WHERE FALSE)"
		rows, err := conn.QueryContext(ctx, "SELECT person, subject, part, outcome, coalesce(version, 0) > 0, CAST(bits AS UBIGINT) FROM "+findings(pol, day, "("+bits+")", none))
		if err != nil {
			return nil, err
		}
		out[day] = map[string]Later{}
		for rows.Next() {
			var x Explanation
			var outcome string
			var mask uint64
			var inForce bool
			if err := rows.Scan(&x.Person, &x.Subject, &x.Part, &outcome, &inForce, &mask); err != nil {
				return nil, err
			}
			l := Later{outcome == "eligible", map[string]bool{}}
			if l.Eligible != (inForce && mask&uint64(all) == uint64(all)) {
				return nil, fmt.Errorf("%s on %s: %s with bits %b", pol.Name, day, outcome, mask)
			}
			for i, c := range pol.Checks {
				l.Met[c.ID] = inForce && mask>>i&1 == 1 // before the law there is nothing to meet
			}
			out[day][fmt.Sprintf("%d %s %d", x.Person, x.Subject, x.Part)] = l
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Key names an explanation as ScreenLater does.
func (x *Explanation) Key() string { return fmt.Sprintf("%d %s %d", x.Person, x.row(), x.Part) }

// Looked asks policies of a person on a day, without other claims and days to come.
func Looked(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, pols []*policy.Policy, person fact.Person, on calendar.Day) error {
	known, err := look(ctx, conn, s, p, pols, person, on)
	for _, pol := range pols {
		if err == nil {
			_, err = Judge(pol, person, "", known.rows[pol.Subject.Name], on)
		}
	}
	return err
}

// What the tests of a pack are asked with.
var (
	Completed = completed
	SQLTypes  = sqlTypes
)
