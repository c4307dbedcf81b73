package finding

import (
	"bufio"
	"context"
	"fmt"
	"strings"

	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
)

// changesTable is the lake's table of how a run differs from the one before it.
//
// One row a finding that is eligible in one of the two runs and not in the other, or for another amount: policy, part, person, subject, change (new, ended or
// amount), before_fen and after_fen (NULL where it was, or is, not eligible). An allowance of every month is the same finding in each month.
const changesTable = "finding_change"

// ChangeColumns are the columns of the file of changes.
var ChangeColumns = []string{"person", "subject", "policy", "part", "change", "before_fen", "after_fen"}

// changes compares the hits of this run with those of the last published one, over the policies that this run asks.
func (s *screening) changes(ctx context.Context) error {
	before := "SELECT '' AS policy, 0 AS part, 0 AS person, '' AS subject, '' AS outcome, 0 AS amount_fen WHERE FALSE"
	if hits, ok := s.snap.Scan(hitsTable); ok { // a run of an older program kept neither parts nor outcomes
		before += " UNION ALL BY NAME SELECT * FROM " + hits
	}
	asked := []string{"''"}
	for _, g := range s.groups {
		for _, p := range g.Policies {
			asked = append(asked, expr.Quote(p.Name))
		}
	}
	query := fmt.Sprintf(`
SELECT coalesce(a.policy, b.policy) AS policy, CAST(coalesce(a.part, b.part) AS TINYINT) AS part, coalesce(a.person, b.person) AS person, coalesce(a.subject, b.subject) AS subject,
  CASE WHEN b.policy IS NULL THEN 'new' WHEN a.policy IS NULL THEN 'ended' ELSE 'amount' END AS change, b.amount_fen AS before_fen, a.amount_fen AS after_fen
FROM (SELECT policy, part, person, subject, amount_fen FROM hits WHERE outcome = 'eligible') a
FULL JOIN (SELECT policy, coalesce(part, 0) AS part, person, CAST(subject AS VARCHAR) AS subject, amount_fen FROM (%s) WHERE coalesce(outcome, 'eligible') = 'eligible' AND policy IN (%s)) b
  ON a.policy = b.policy AND a.part = b.part AND a.person = b.person AND a.subject = b.subject
WHERE a.policy IS NULL OR b.policy IS NULL OR a.amount_fen <> b.amount_fen`, before, strings.Join(asked, ", "))
	if err := s.keep(ctx, "changes", changesTable, query); err != nil {
		return err
	}
	c := &s.result.Changed
	return columnar.Row(ctx, s.conn, "SELECT count(*) FILTER (change = 'new'), count(*) FILTER (change = 'ended'), count(*) FILTER (change = 'amount') FROM changes", &c.New, &c.Ended, &c.Amount)
}

// outChanges writes the changes as CSV.
func (s *screening) outChanges(ctx context.Context) error {
	return written(s.req.Changes, func(b *bufio.Writer) error {
		b.WriteString(strings.Join(ChangeColumns, ",") + "\r\n")
		rows, err := s.conn.QueryContext(ctx, fmt.Sprintf(`SELECT concat_ws(',', who, CASE WHEN subject = CAST(person AS VARCHAR) THEN who ELSE subject END, policy, part, change, coalesce(CAST(before_fen AS VARCHAR), ''), coalesce(CAST(after_fen AS VARCHAR), ''))
FROM (SELECT *, %s AS who FROM changes) ORDER BY policy, who, subject, part`, fact.PersonSQL("person")))
		if err != nil {
			return fault.Wrap("finding.outChanges", err)
		}
		defer rows.Close()
		var line string
		for rows.Next() {
			if err := rows.Scan(&line); err != nil {
				return fault.Wrap("finding.outChanges", err)
			}
			b.WriteString(line + "\r\n")
		}
		return fault.Wrap("finding.outChanges", rows.Err())
	})
}
