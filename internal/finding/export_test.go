package finding

import (
	"context"
	"database/sql"

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
	var err error
	if req.Continue, err = goOn(ctx, conn, s, p, x.Policy, x.Person, x.On); err != nil {
		return nil, fault.Wrap("finding.Supposed", err)
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

// What the tests of a pack are asked with.
var (
	Completed = completed
	SQLTypes  = sqlTypes
)
