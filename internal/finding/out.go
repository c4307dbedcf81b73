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
var Columns = []string{"person", "subject_kind", "subject", "policy", "version", "period", "outcome", "amount_fen", "failed", "missing", "window_ends"}

// rows is the query of findings in canonical order. person and, for persons, subject are written as people read them.
func (s *screening) rows(all bool) string {
	var parts []string
	for _, g := range s.groups {
		for _, p := range g.Policies {
			q := p.SQL(expr.DuckDB, s.req.On)
			subject := "b.subject"
			if g.Subject.Name == "person" {
				subject = fact.PersonSQL("b.person")
			}
			named := fmt.Sprintf("(SELECT *, %s AS outcome FROM bits_%s)", outcome(p, s.req.On), g.Subject.Name)
			where := ""
			if !all {
				where = " WHERE b.outcome NOT IN ('ineligible', 'not_in_force')"
			}
			parts = append(parts, fmt.Sprintf(`SELECT %s AS person, '%s' AS subject_kind, %s AS subject, '%s' AS policy, %s AS version, '%s' AS period, b.outcome,
  CASE WHEN b.outcome = 'eligible' THEN %s END AS amount_fen, %s AS failed, CASE WHEN b.outcome = 'undetermined' THEN %s ELSE '' END AS missing, CASE WHEN %s > 0 THEN CAST(%s AS VARCHAR) END AS window_ends
FROM %s b JOIN %s f ON f.person = b.person AND f.subject = b.subject%s`,
				fact.PersonSQL("b.person"), g.Subject.Name, subject, p.Name, q.Named, p.Period(s.req.On),
				q.Amount, q.Failed("b."+bitsColumn(p), prefixed(version(p, s.req.On))), q.Missing("b."+bitsColumn(p), prefixed(version(p, s.req.On))),
				prefixed(version(p, s.req.On)), q.Window, named, fact.Table(g.Subject), where))
		}
	}
	if parts == nil {
		return ""
	}
	return strings.Join(parts, "\nUNION ALL\n") + "\nORDER BY policy, person, subject, period"
}

func prefixed(version string) string {
	if strings.HasPrefix(version, `"`) {
		return "b." + version
	}
	return version
}

// canonical writes the findings that are not ineligible as CSV in one order, and the counts of all, so that two runs are the same exactly when
// this is.
func (s *screening) canonical(ctx context.Context, w io.Writer) error {
	b := bufio.NewWriterSize(w, 1<<16)
	for _, c := range s.result.Policies {
		fmt.Fprintf(b, "%s %d %d %d %d %d\n", c.Policy, c.Eligible, c.Ineligible, c.Undetermined, c.NotInForce, c.AmountFen)
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

// out writes the file that was asked for, in place only when it is whole.
func (s *screening) out(ctx context.Context) (err error) {
	tmp := s.req.Out + ".part"
	defer func() {
		if err != nil {
			_ = os.Remove(tmp) // the first error is the one to tell
		}
	}()
	switch strings.ToLower(filepath.Ext(s.req.Out)) {
	case ".parquet":
		q := s.rows(s.req.All)
		if q == "" {
			return fault.New("finding.out", fault.Invalid, "finding.nothing")
		}
		if _, err := s.conn.ExecContext(ctx, "COPY ("+q+") TO "+expr.Quote(tmp)+" (FORMAT parquet, COMPRESSION zstd)"); err != nil {
			return fault.Wrap("finding.out", err)
		}
	case ".csv":
		f, err := os.Create(tmp)
		if err != nil {
			return fault.Wrap("finding.out", err)
		}
		b := bufio.NewWriterSize(f, 1<<16)
		err = s.csv(ctx, b, s.req.All)
		for _, step := range []func() error{b.Flush, f.Sync, f.Close} {
			if e := step(); err == nil {
				err = e
			}
		}
		if err != nil {
			return fault.Wrap("finding.out", err)
		}
	}
	return fault.Wrap("finding.out", os.Rename(tmp, s.req.Out))
}
