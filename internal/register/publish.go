package register

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/lake"
)

// twice looks for rows of the file that share a key. The very same row once more is passed over. Rows that say different things under one key wait,
// all of them: nobody can tell which is right.
func (l *loading) twice(ctx context.Context, conn *sql.Conn) error {
	var same int64
	if err := columnar.Row(ctx, conn, "SELECT count(*) - count(DISTINCT (seq, key_hash)) FROM staging", &same); err != nil || same == 0 {
		return err
	}
	const doubled = `SELECT seq, key_hash, row_hash, min(ord) AS first, count(*) OVER (PARTITION BY seq, key_hash) AS says
FROM staging JOIN (SELECT seq, key_hash FROM staging GROUP BY seq, key_hash HAVING count(*) > 1) USING (seq, key_hash) GROUP BY seq, key_hash, row_hash`
	if _, err := conn.ExecContext(ctx, "CREATE TEMP TABLE doubled AS "+doubled); err != nil {
		return err
	}
	query := func(q string, each func(seq, ord int64)) error {
		rows, err := conn.QueryContext(ctx, q)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var seq, ord int64
			if err := rows.Scan(&seq, &ord); err != nil {
				return err
			}
			each(seq, ord)
		}
		return rows.Err()
	}
	const repeats = "FROM staging s JOIN doubled d USING (seq, key_hash, row_hash) WHERE s.ord > d.first"
	const unclear = "FROM staging s JOIN doubled d USING (seq, key_hash, row_hash) WHERE d.says > 1 AND s.ord = d.first"
	parts := map[int64]*part{}
	for _, p := range l.parts {
		parts[p.id] = p
	}
	if err := query("SELECT seq, count(*) "+repeats+" GROUP BY seq", func(seq, n int64) {
		parts[seq].unchanged += n
		l.rep.Unchanged, l.rep.Repeated = l.rep.Unchanged+n, l.rep.Repeated+n
	}); err != nil {
		return err
	}
	wait := map[int64]bool{}
	if err := query("SELECT seq, ord "+unclear, func(_, ord int64) { wait[ord] = true }); err != nil {
		return err
	}
	for _, which := range []string{repeats, unclear} {
		if _, err := conn.ExecContext(ctx, "DELETE FROM staging WHERE ord IN (SELECT s.ord "+which+")"); err != nil {
			return err
		}
	}
	if len(wait) == 0 {
		return nil
	}
	return l.reread(ctx, wait)
}

// reread looks some rows up in the file, by their places, and puts them into quarantine: they were taken before it was known that others contradict
// them.
func (l *loading) reread(ctx context.Context, wait map[int64]bool) error {
	again, err := l.open(ctx)
	if err != nil {
		return err
	}
	defer again.close()
	for len(wait) > 0 {
		line, err := again.next()
		if err != nil {
			return err
		}
		if !wait[line.ord] {
			continue
		}
		delete(wait, line.ord)
		t := l.take(line)
		l.rep.Duplicates++
		p, _, err := l.belongs(&t)
		if err == nil {
			err = l.refuse(&t, p, []reason{{column: -1, key: "reject.duplicate"}})
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// publish writes the staged rows of a part that the lake does not have. It reports whether there was anything to write.
func (l *loading) publish(ctx context.Context, w *lake.Writer, conn *sql.Conn, p *part) (bool, error) {
	mine := fmt.Sprintf("(SELECT * FROM staging WHERE seq = %d)", p.id)
	count := func(into *int64, q string) error { return columnar.Row(ctx, conn, "SELECT count(*) FROM "+q, into) }
	if err := l.overtaken(ctx, w, conn, p); err != nil {
		return false, err
	}
	var staged, changed, ended int64
	if err := count(&staged, mine); err != nil || staged == 0 {
		return false, err
	}
	months := p.monthList()
	before := l.before(w)
	if months != "" {
		before = before.Covering(l.reg.Name, strings.Fields(months))
	}
	current, have := before.Source(l.reg.Name, lake.Ways(l.reg.Ways()))
	if have && months != "" {
		current = fmt.Sprintf("(SELECT * FROM %s WHERE %s IN (%s))", current, columnar.Quote(l.reg.Month.Text), monthDays(months))
	}
	whole := l.replaces() && p.corrects == 0
	if whole && have && l.rep.Cut > 0 { // half a file must not take the place of a whole one
		var present int64
		if err := count(&present, current); err != nil {
			return false, err
		}
		if present > 0 {
			return false, fault.New("register.publish", fault.Invalid, "register.file_cut", "file", l.rep.File, "line", l.rep.Cut)
		}
	}
	fresh, query := staged, mine
	known := "" // the rows that are not written, for the lake has them
	if have {
		news := "(SELECT s.* FROM " + mine + " s WHERE NOT EXISTS (SELECT 1 FROM " + current + " c WHERE c.row_hash = s.row_hash))"
		if err := count(&fresh, news); err != nil {
			return false, err
		}
		if l.reg.Mode.Text != "append" {
			if err := count(&changed, news+" s WHERE EXISTS (SELECT 1 FROM "+current+" c WHERE "+l.sameKey("s", "c")+")"); err != nil {
				return false, err
			}
		}
		known = "(SELECT s.* FROM " + mine + " s WHERE EXISTS (SELECT 1 FROM " + current + " c WHERE c.row_hash = s.row_hash))"
		if !whole {
			query = news
		} else if err := count(&ended, current+" c WHERE NOT EXISTS (SELECT 1 FROM "+mine+" s WHERE "+l.sameKey("s", "c")+")"); err != nil {
			return false, err
		}
	}
	p.accepted, p.unchanged = p.accepted+fresh, p.unchanged+staged-fresh
	l.rep.Accepted, l.rep.Unchanged = l.rep.Accepted+fresh, l.rep.Unchanged+staged-fresh
	l.rep.New, l.rep.Changed, l.rep.Ended = l.rep.New+fresh-changed, l.rep.Changed+changed, l.rep.Ended+ended
	// A delivery of which rows were refused takes its place even where the others say nothing new: its corrections will stand with it.
	write := fresh > 0 || ended > 0 || whole && (p.quarantined > 0 || len(l.waiting.carried) > 0)
	if known != "" && fresh < staged && l.reg.Mode.Text != "append" && !(whole && write) {
		if err := l.leave(ctx, conn, p, known); err != nil {
			return false, err
		}
	}
	if !write {
		return false, nil
	}
	order := "holder"
	if l.reg.About != "person" {
		order = "row_hash"
	}
	f := lake.File{Table: l.reg.Name, Received: l.in.Received, Cutoff: l.in.Cutoff, Seq: p.id, Meta: months, Stands: p.stands, StandsSeq: p.corrects}
	var err error
	p.wrote, err = w.Parquet(ctx, conn, f, "SELECT * EXCLUDE (ord, key_hash) FROM "+query+" ORDER BY "+order)
	return true, err
}

// sameKey is SQL for two rows having one key. A key's column may be empty.
func (l *loading) sameKey(a, b string) string {
	var out []string
	for _, k := range l.reg.KeyColumns() {
		k = columnar.Quote(k)
		out = append(out, a+"."+k+" IS NOT DISTINCT FROM "+b+"."+k)
	}
	return strings.Join(out, " AND ")
}

// monthDays writes months as the lake has them, the first day of each.
func monthDays(months string) string {
	list := strings.Fields(months)
	for i, m := range list {
		list[i] = "DATE '" + m[:4] + "-" + m[4:] + "-01'"
	}
	return strings.Join(list, ", ")
}

// overtaken takes corrections out of staging that come too late: a delivery received by then has taken the place of the one that they correct, so that
// they would never be seen.
func (l *loading) overtaken(ctx context.Context, w *lake.Writer, conn *sql.Conn, p *part) error {
	if p.corrects == 0 || !l.replaces() {
		return nil
	}
	before := l.before(w)
	where := fmt.Sprintf("seq = %d", p.id)
	if l.reg.Month == nil {
		if !before.Overtaken(l.reg.Name, p.stands, p.corrects, "") {
			return nil
		}
	} else {
		var late []string
		for _, m := range strings.Fields(p.monthList()) {
			if before.Overtaken(l.reg.Name, p.stands, p.corrects, m) {
				late = append(late, m)
			}
		}
		if late == nil {
			return nil
		}
		where += fmt.Sprintf(" AND %s IN (%s)", columnar.Quote(l.reg.Month.Text), monthDays(strings.Join(late, " ")))
	}
	done, err := conn.ExecContext(ctx, "DELETE FROM staging WHERE "+where)
	if err != nil {
		return err
	}
	n, err := done.RowsAffected()
	p.unchanged, l.rep.Unchanged, l.rep.Overtaken = p.unchanged+n, l.rep.Unchanged+n, l.rep.Overtaken+n
	return err
}
