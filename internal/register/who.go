package register

import (
	"context"
	"database/sql"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/vault"
)

// settles says which parts of a person's record this delivery's word decides: those that its register settles, unless a newer delivery has spoken.
func settles(reg *pack.Register, newest bool) (out vault.Parts) {
	if !newest {
		return 0
	}
	for _, s := range reg.Settles {
		switch reg.Column(s.Text).Type.Text {
		case "person_name":
			out |= vault.SettlesName
		case "phone":
			out |= vault.SettlesPhone
		case "account":
			out |= vault.SettlesAccount
		}
	}
	return out
}

// describe leaves the sealed records of people alone whose rows the lake had already.
func (l *loading) describe(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	if l.settles == 0 {
		return nil
	}
	query := "SELECT holder FROM staging s"
	if current, have := w.Source(l.reg.Name, lake.Ways(l.reg.Ways())); have {
		query += " WHERE NOT EXISTS (SELECT 1 FROM " + current + " c WHERE c.row_hash = s.row_hash)"
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	fresh := map[int64]bool{}
	for rows.Next() {
		var holder int64
		if err := rows.Scan(&holder); err != nil {
			return err
		}
		fresh[holder] = true
	}
	l.resolver.Only(fresh)
	return rows.Err()
}

// who finds the holders of the people whom a row names. What it says of another number of the person is looked at when all rows are known.
func (l *loading) who(t *taken) {
	var about int64
	for i, n := range t.people {
		settled := vault.Parts(0)
		if i == 0 {
			settled = l.settles
		}
		h := l.resolver.Holder(n.record, settled)
		if n.place < 0 {
			l.aliases = append(l.aliases, [2]int64{about, h})
			continue
		}
		t.lake[n.place] = h
		if i == 0 {
			about = h
		}
	}
}

// join makes one person of the holders that a row calls one. A register that keeps people, and so settles their names, is believed as long as it has no
// row of its own for both: it says of a former number whose it was. Any other register is believed unless it makes one person of two citizens. What it
// is not believed waits for a person.
func (l *loading) join(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	if len(l.aliases) == 0 {
		return nil
	}
	if len(l.reg.Settles) > 0 {
		own := "SELECT holder FROM staging"
		if current, have := w.Source(l.reg.Name, lake.Ways(l.reg.Ways())); have {
			own += " UNION SELECT holder FROM " + current
		}
		apart := map[int64]bool{}
		rows, err := conn.QueryContext(ctx, own)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var holder int64
			if err := rows.Scan(&holder); err != nil {
				return err
			}
			apart[holder] = true
		}
		if err := rows.Err(); err != nil {
			return err
		}
		l.resolver.Apart(apart)
	}
	for _, p := range l.aliases {
		if !l.resolver.Join(p[0], p[1]) {
			l.pairs = append(l.pairs, p)
		}
	}
	return nil
}

// identity publishes who is who with the generation that needs it: where the load made holders or said that two are one, or has a row about somebody
// whom registers only named before.
func (l *loading) identity(ctx context.Context, w *lake.Writer, conn *sql.Conn, changed bool) error {
	subjects := "SELECT DISTINCT holder FROM staging"
	if l.reg.About != "person" {
		subjects = "SELECT CAST(0 AS BIGINT) AS holder WHERE FALSE"
	}
	before, ok := w.Identity()
	if !ok {
		before = "(SELECT CAST(0 AS BIGINT) AS holder, FALSE AS subject WHERE FALSE)"
	}
	var first int64
	if err := columnar.Row(ctx, conn, "SELECT count(*) FROM ("+subjects+") s LEFT JOIN "+before+" b USING (holder) WHERE b.subject IS NOT TRUE", &first); err != nil {
		return err
	}
	if l.resolver.Joined() == 0 && first == 0 && (!changed || l.resolver.Added() == 0) {
		return nil
	}
	for _, q := range []string{"CREATE TEMP TABLE who (holder BIGINT, person BIGINT)", "CREATE TEMP TABLE who_changed (holder BIGINT, person BIGINT, known DATE, n BIGINT)"} {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return err
		}
	}
	if err := columnar.Append(ctx, conn, "who", func(a columnar.Appender) error {
		for holder := int64(1); holder <= l.resolver.Last(); holder++ {
			if err := a.AppendRow(holder, l.resolver.Person(holder)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		return err
	}
	n := int64(0)
	if err := columnar.Append(ctx, conn, "who_changed", func(a columnar.Appender) error {
		return l.resolver.Identity(func(holder, person int64, known calendar.Day) error {
			n++
			return a.AppendRow(holder, person, known.Time(), n)
		})
	}); err != nil {
		return err
	}
	for _, t := range []struct{ table, query string }{
		{lake.IdentityTable, "SELECT w.holder, w.person, coalesce(b.subject, FALSE) OR w.holder IN (" + subjects + ") AS subject FROM who w LEFT JOIN " + before + " b USING (holder) ORDER BY holder"},
		{lake.IdentityChanges, "SELECT * FROM who_changed ORDER BY holder, n"},
	} {
		if t.table == lake.IdentityChanges && n == 0 {
			continue
		}
		w.Replace(t.table)
		if _, err := w.Parquet(ctx, conn, lake.File{Table: t.table}, t.query); err != nil {
			return err
		}
	}
	return nil
}
