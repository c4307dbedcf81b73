package finding

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
)

// Columns of the file of findings, one row a finding.
var Columns = []string{"person", "subject_kind", "subject", "policy", "version", "period", "outcome", "amount_fen", "failed", "missing", "window_ends", "limited_by", "wins"}

// rows is the query of findings in canonical order. person and, for persons, subject are written as people read them.
func (s *screening) rows(all bool) string {
	var out []string
	for _, g := range s.groups {
		for _, p := range g.Policies {
			subject, where := "b.subject", ""
			if g.Subject.Name == "person" {
				subject = fact.PersonSQL("b.person")
			}
			if !all {
				where = " AND b.outcome NOT IN ('ineligible', 'not_in_force')"
			}
			for _, part := range p.Parts() {
				q := p.SQL(expr.DuckDB, s.req.On, part)
				out = append(out, fmt.Sprintf(`SELECT %s AS person, '%s' AS subject_kind, %s AS subject, '%s' AS policy, %s AS version, '%s' AS period, b.outcome,
  b.amount_fen, %s AS failed, CASE WHEN b.outcome <> 'undetermined' THEN '' WHEN b.limit_missing <> '' THEN b.limit_missing ELSE %s END AS missing, CASE WHEN b.version > 0 THEN CAST(%s AS VARCHAR) END AS window_ends,
  coalesce(b.limit_name, '') AS limited_by, coalesce(b.wins, '') AS wins
FROM %s b JOIN %s f ON f.person = b.person AND f.subject = b.subject WHERE b.part = %d%s`,
					fact.PersonSQL("b.person"), g.Subject.Name, subject, p.Name, q.Named, p.Period(s.req.On, part),
					q.Failed("b.bits", "b.version"), q.Missing("b.bits", "b.version"), q.Window, findings(p, s.req.On, "bits_"+g.Subject.Name, "hits"), fact.Table(g.Subject), part, where))
			}
		}
	}
	if out == nil {
		return ""
	}
	return strings.Join(out, "\nUNION ALL\n") + "\nORDER BY policy, person, subject, period"
}

// canonical writes the findings that are not ineligible as CSV in one order, and the counts of all, so that two runs are the same exactly when
// this is.
func (s *screening) canonical(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for _, c := range s.result.Policies {
		fmt.Fprintf(b, "%s %d %d %d %d %d %d %d\n", c.Policy, c.Eligible, c.Limited, c.Settled, c.Ineligible, c.Undetermined, c.NotInForce, c.AmountFen)
	}
	if err := s.csv(ctx, b, false); err != nil {
		return err
	}
	return b.Flush()
}

func (s *screening) csv(ctx context.Context, b *bufio.Writer, all bool) error {
	b.WriteString(strings.Join(Columns, ",") + "\r\n")
	q := s.rows(all)
	if q == "" {
		return nil
	}
	rows, err := s.conn.QueryContext(ctx, "SELECT concat_ws(',', "+csvFields()+") FROM ("+q+") ORDER BY policy, person, subject, period")
	if err != nil {
		return fault.Wrap("finding.csv", err)
	}
	defer rows.Close()
	var line string
	for rows.Next() {
		if err := rows.Scan(&line); err != nil {
			return fault.Wrap("finding.csv", err)
		}
		b.WriteString(line)
		b.WriteString("\r\n")
	}
	return fault.Wrap("finding.csv", rows.Err())
}

// csvFields needs quotation marks only where a subject is named by a text: codes, days and numbers hold no comma.
func csvFields() string {
	out := make([]string, len(Columns))
	for i, c := range Columns {
		out[i] = "coalesce(CAST(" + c + " AS VARCHAR), '')"
		if c == "subject" {
			out[i] = `(CASE WHEN regexp_matches(subject, '[,"\r\n]') THEN '"' || replace(subject, '"', '""') || '"' ELSE ` + out[i] + ` END)`
		}
	}
	return strings.Join(out, ", ")
}

// writable says early that a file is not one that can be written.
func writable(out string) error {
	if ext := strings.ToLower(filepath.Ext(out)); out != "" && ext != ".csv" && ext != ".parquet" {
		return fault.New("finding.out", fault.Invalid, "finding.out_format", "file", filepath.Base(out))
	}
	return nil
}

// writableChanges says early that a file of changes is not one that can be written.
func writableChanges(name string) error {
	if name != "" && strings.ToLower(filepath.Ext(name)) != ".csv" {
		return fault.New("finding.out", fault.Invalid, "finding.changes_format", "file", filepath.Base(name))
	}
	return nil
}

// out writes the file that was asked for.
func (s *screening) out(ctx context.Context) error {
	if strings.ToLower(filepath.Ext(s.req.Out)) == ".csv" {
		return written(s.req.Out, func(b *bufio.Writer) error { return s.csv(ctx, b, s.req.All) })
	}
	q := s.rows(s.req.All)
	if q == "" {
		return fault.New("finding.out", fault.Invalid, "finding.nothing")
	}
	tmp := s.req.Out + ".part"
	_, err := s.conn.ExecContext(ctx, "COPY ("+q+") TO "+expr.Quote(tmp)+" (FORMAT parquet, COMPRESSION zstd)")
	if err == nil {
		err = os.Rename(tmp, s.req.Out)
	}
	if err != nil {
		_ = os.Remove(tmp) // the first error is the one to tell
	}
	return fault.Wrap("finding.out", err)
}

// written writes a file that is in place only when it is whole.
func written(name string, fill func(*bufio.Writer) error) (err error) {
	tmp := name + ".part"
	defer func() {
		if err != nil {
			_ = os.Remove(tmp) // the first error is the one to tell
		}
	}()
	f, err := os.Create(tmp)
	if err != nil {
		return fault.Wrap("finding.written", err)
	}
	b := bufio.NewWriterSize(f, 1<<16)
	err = fill(b)
	for _, step := range []func() error{b.Flush, f.Sync, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fault.Wrap("finding.written", err)
	}
	return fault.Wrap("finding.written", os.Rename(tmp, name))
}
