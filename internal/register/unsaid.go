package register

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/lake"
)

// A row that the lake has already is not written again, and what it says rests on the row of another delivery. When a delivery comes late, or a
// correction of an earlier one, it may put something else under that row's key, between the two. Then what was left unsaid is said after all: by the
// delivery that left it unsaid, in its place.

// unsaid is what one delivery left unsaid.
type unsaid struct {
	id               int64
	received, cutoff calendar.Day
	stands           calendar.Day
	standsSeq        int64
	rows             string // the name of the sealed file of the rows' hashes, Parquet
}

// place is where a delivery stands among the deliveries of its register, and among those that stand with one delivery.
func (u unsaid) place() []int64 {
	return []int64{int64(u.stands), u.standsSeq, int64(u.received), u.id}
}

// unsaid is a part of this load in the same form.
func (l *loading) unsaid(p *part) unsaid {
	u := unsaid{p.id, l.in.Received, l.in.Cutoff, p.stands, p.corrects, p.unsaid}
	if p.corrects == 0 {
		u.stands, u.standsSeq = l.in.Received, p.id
	}
	return u
}

// leave keeps, sealed, which rows a part leaves unsaid; rows is SQL for them.
func (l *loading) leave(ctx context.Context, conn *sql.Conn, p *part, rows string) error {
	name, err := scratch(ctx, conn)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	if _, err := conn.ExecContext(ctx, "COPY (SELECT row_hash FROM "+rows+") TO '"+strings.ReplaceAll(name, "'", "''")+"' (FORMAT parquet)"); err != nil {
		return err
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	p.unsaid, _, err = l.Files.Put(f)
	return errors.Join(err, f.Close())
}

// scratch makes a file in the folder for temporary files; the caller removes it.
func scratch(ctx context.Context, conn *sql.Conn) (string, error) {
	var dir string
	if err := columnar.Row(ctx, conn, "SELECT current_setting('temp_directory')", &dir); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(dir, "unsaid-*.parquet")
	if err != nil {
		return "", fault.Wrap("register.scratch", err)
	}
	return f.Name(), f.Close()
}

// say writes what deliveries that stand after a part left unsaid about what the part has changed: of a key, a month, or the whole register, as its
// deliveries add up. The first of them says it for all.
func (l *loading) say(ctx context.Context, w *lake.Writer, conn *sql.Conn, p *part) error {
	after, err := l.after(ctx, p)
	if err != nil || len(after) == 0 || l.reg.Mode.Text == "append" {
		return err
	}
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE unsaid (_n INTEGER, row_hash UBIGINT)"); err != nil {
		return err
	}
	for n, u := range after {
		if err := l.recollect(ctx, conn, n, u.rows); err != nil {
			return err
		}
	}
	var unit []string
	touched := "TRUE"
	switch l.reg.Mode.Text {
	case "upsert":
		unit = l.reg.KeyColumns()
		touched = "EXISTS (SELECT 1 FROM " + w.Written(p.wrote) + " s WHERE " + l.sameKey("s", "r") + ")"
	case "replace_month":
		unit = []string{l.reg.Month.Text}
		touched = "r." + columnar.Quote(l.reg.Month.Text) + " IN (" + monthDays(p.monthList()) + ")"
	}
	over := "ORDER BY u._n"
	if unit != nil {
		over = "PARTITION BY " + columnar.Quote(unit...) + " " + over
	}
	all, ok := w.Scan(l.reg.Name)
	if !ok {
		return nil
	}
	q := fmt.Sprintf(`CREATE OR REPLACE TEMP TABLE said AS SELECT r.*, u._n
FROM (SELECT * FROM %s QUALIFY row_number() OVER (PARTITION BY row_hash) = 1) r JOIN unsaid u USING (row_hash) WHERE %s QUALIFY rank() OVER (%s) = 1`, all, touched, over)
	if _, err := conn.ExecContext(ctx, q); err != nil {
		return err
	}
	for n, u := range after {
		f := lake.File{Table: l.reg.Name, Received: u.received, Cutoff: u.cutoff, Seq: u.id, Stands: u.stands, StandsSeq: u.standsSeq}
		rows := "said WHERE _n = " + strconv.Itoa(n)
		if l.reg.Month != nil {
			month := "strftime(" + columnar.Quote(l.reg.Month.Text) + ", '%Y%m')"
			if err := columnar.Row(ctx, conn, "SELECT coalesce(string_agg(DISTINCT "+month+", ' ' ORDER BY "+month+"), '') FROM "+rows, &f.Meta); err != nil {
				return err
			}
		}
		if _, err := w.Parquet(ctx, conn, f, fmt.Sprintf("SELECT * EXCLUDE (_n) REPLACE (CAST(%d AS BIGINT) AS seq) FROM %s ORDER BY row_hash", u.id, rows)); err != nil {
			return err
		}
	}
	return nil
}

// after lists what deliveries that stand after a part left unsaid, in the order in which they stand.
func (l *loading) after(ctx context.Context, p *part) (out []unsaid, err error) {
	rows, err := l.Store.QueryContext(ctx, `
SELECT d.id, d.received, d.cutoff, coalesce(s.received, d.received), coalesce(s.id, d.id), d.unsaid
FROM register_delivery d LEFT JOIN register_delivery s ON s.id = d.corrects WHERE d.register = $1 AND d.unsaid <> ''`, l.reg.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var u unsaid
		if err := rows.Scan(&u.id, &u.received, &u.cutoff, &u.stands, &u.standsSeq, &u.rows); err != nil {
			return nil, err
		}
		out = append(out, u)
	}
	for _, other := range l.parts {
		if other.unsaid != "" {
			out = append(out, l.unsaid(other))
		}
	}
	mine := l.unsaid(p).place()
	out = slices.DeleteFunc(out, func(u unsaid) bool { return slices.Compare(u.place(), mine) <= 0 })
	slices.SortFunc(out, func(a, b unsaid) int { return slices.Compare(a.place(), b.place()) })
	return out, rows.Err()
}

// recollect reads which rows the n-th delivery left unsaid.
func (l *loading) recollect(ctx context.Context, conn *sql.Conn, n int, sum string) (err error) {
	name, err := scratch(ctx, conn)
	if err != nil {
		return err
	}
	defer os.Remove(name)
	in, err := l.Files.Open(sum)
	if err != nil {
		return err
	}
	out, err := os.Create(name)
	if err == nil {
		_, err = io.Copy(out, in)
		err = errors.Join(err, out.Close())
	}
	if err = cmp.Or(err, in.Close()); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, fmt.Sprintf("INSERT INTO unsaid SELECT %d, row_hash FROM read_parquet('%s')", n, strings.ReplaceAll(name, "'", "''")))
	return err
}
