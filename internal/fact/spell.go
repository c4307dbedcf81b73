package fact

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
)

// contributions is the register that spells are made of. Its columns are named here because netting is law, not layout.
const contributions = "contributions"

// spellTable is the lake's table of spells.
//
// spell: one row a holder, kind, quality, employer, place, lag and stretch of months without a gap.
// place: division where insured; ” for elsewhere, nobody says where.
// lag: how many months after the month it is due for a payment was received; 0 in that month itself, before it, where nobody says when, and
// everywhere in a pack that has no fact by months received, so that spells are not cut for nothing.
// m_from, m_to: months as year * 12 + month - 1, both included.
const spellTable = "spell"

// net is the query that nets month rows into spells. A month is there when it was paid more often than refunded. It belongs to the employer
// whose payments stand, with two to the one with the higher base, and its quality is the best of the standing employers' payments: the
// month that a former employer paid by mistake and got back is not his. A month insured in the city and elsewhere is the city's; a payment whose place
// nobody told is the city's unless it was transferred in. Differences of base (adjust) are no months. What is taken back is a row of its own: a refund,
// or a negative amount.
//
// Nearly every month has one employer, so whose it is need not be asked; only the months of several are netted by employer first. Texts are compared as
// the numbers of an enum that is in their order. A spell begins at a month that does not go on from the one before, and ends before the next begins.
const net = `
WITH paid AS (
  SELECT holder, CAST(kind AS net_kind) AS kind, CAST(year(month) * 12 + month(month) - 1 AS SMALLINT) AS m, CAST(uscc AS net_uscc) AS uscc, base_fen,
    CAST(CASE WHEN pay_kind = 'refund' OR paid_fen < 0 THEN -1 ELSE 1 END AS TINYINT) AS sign,
    CAST(CASE WHEN pay_kind = 'transfer' THEN 5 WHEN pay_kind IN ('back', 'lump') THEN 4 WHEN pay_kind = 'recollected' THEN 3
         WHEN datediff('month', month, posted_day) >= 2 THEN 2 ELSE 1 END * 10000 + %[3]s AS INTEGER) AS way,
    CAST(%[4]s AS net_place) AS place
  FROM %[1]s
  WHERE posted AND pay_kind <> 'adjust' AND %[2]s),
by_month AS (
  SELECT holder, kind, m, min(uscc) AS uscc, max(uscc) AS other, min(way) FILTER (sign > 0) AS way, min(place) FILTER (sign > 0) AS place
  FROM paid GROUP BY holder, kind, m HAVING sum(sign) > 0),
by_employer AS (
  SELECT holder, kind, m, uscc, max(coalesce(base_fen, 0)) FILTER (sign > 0) AS base, min(way) FILTER (sign > 0) AS way, min(place) FILTER (sign > 0) AS place
  FROM paid SEMI JOIN (SELECT * FROM by_month WHERE uscc <> other) USING (holder, kind, m) GROUP BY holder, kind, m, uscc HAVING sum(sign) > 0),
month_net AS (
  SELECT holder, kind, m, uscc, way, place FROM by_month WHERE uscc = other
  UNION ALL
  SELECT holder, kind, m, arg_max(uscc, (base, uscc)), min(way), min(place) FROM by_employer GROUP BY holder, kind, m),
seen AS (
  SELECT *, lag(m) OVER months AS before, lag(way) OVER months AS way_before, lag(uscc) OVER months AS uscc_before, lag(place) OVER months AS place_before,
    max(m) OVER (PARTITION BY holder, kind) AS last
  FROM month_net WINDOW months AS (PARTITION BY holder, kind ORDER BY m))
SELECT holder, CAST(kind AS VARCHAR) AS kind, ['paid', 'late', 'recollected', 'back', 'transfer'][way // 10000] AS quality, CAST(uscc AS VARCHAR) AS uscc,
  substr(CAST(place AS VARCHAR), 2) AS place, CAST(way %% 10000 AS SMALLINT) AS lag,
  CAST(m AS INTEGER) AS m_from, CAST(coalesce(lead(before) OVER (PARTITION BY holder, kind ORDER BY m), last) AS INTEGER) AS m_to
FROM seen WHERE before IS NULL OR m > before + 1 OR way <> way_before OR uscc <> uscc_before OR place <> place_before
ORDER BY holder, kind, m_from`

// lag is SQL for how many months after its own a payment was received.
const lag = `least(greatest(coalesce(datediff('month', month, posted_day), 0), 0), 9999)`

// place is SQL for where a payment insured, such that the city comes before other places.
func place(p *pack.Pack) string {
	return fmt.Sprintf(`CASE WHEN %s OR insured_place IS NULL AND pay_kind <> 'transfer' THEN '0' ELSE '1' END || coalesce(insured_place, CASE WHEN pay_kind <> 'transfer' THEN %s ELSE '' END)`,
		inCity("insured_place", p), expr.Quote(p.Division))
}

// netting is the query that nets those rows of a source for a pack of which a condition holds.
func netting(p *pack.Pack, source, condition string) string {
	after := "0"
	for _, s := range p.Subjects {
		for _, f := range s.Facts {
			if text(f.Counted) == "received" || f.Within != nil {
				after = lag
			}
		}
	}
	return fmt.Sprintf(net, source, condition, after, place(p))
}

// rowsAtOnce is how many month rows are netted at once: the rest of the memory limit is room for sorting them. Only tests change it.
var rowsAtOnce int64 = 2_000_000

// parts are the queries that net a source, each over some of the holders, so that any number of rows fits in memory. A delivery is in the order of its
// holders: each part reads little of what the others need. The parts share the enums, which are of this source and connection.
func parts(ctx context.Context, conn *sql.Conn, p *pack.Pack, source string) ([]string, error) {
	for _, enum := range [][3]string{{"net_kind", "kind", "kind"}, {"net_uscc", "uscc", "uscc"}, {"net_place", place(p), "insured_place, pay_kind"}} {
		q := fmt.Sprintf("CREATE OR REPLACE TEMP TYPE %s AS ENUM (SELECT DISTINCT %s AS v FROM (SELECT DISTINCT %s FROM %s) ORDER BY v)", enum[0], enum[1], enum[2], source)
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return nil, fault.Wrap("fact.parts", err)
		}
	}
	together := rowsAtOnce / 2000 // holders, too few to make a part much too big
	rows, err := conn.QueryContext(ctx, fmt.Sprintf("SELECT holder // %d AS h, count(*) FROM %s GROUP BY h ORDER BY h", together, source))
	if err != nil {
		return nil, fault.Wrap("fact.parts", err)
	}
	defer rows.Close()
	var out []string
	var from, sum int64
	for rows.Next() {
		var h, n int64
		if err := rows.Scan(&h, &n); err != nil {
			return nil, fault.Wrap("fact.parts", err)
		}
		if sum > 0 && sum+n > rowsAtOnce {
			out = append(out, netting(p, source, fmt.Sprintf("holder >= %d AND holder < %d", from, h*together)))
			from, sum = h*together, 0
		}
		sum += n
	}
	return append(out, netting(p, source, fmt.Sprintf("holder >= %d", from))), fault.Wrap("fact.parts", rows.Err())
}

// inCity is SQL for whether a division lies in the pack's city: the first four digits of its code are the city's.
func inCity(division string, p *pack.Pack) string {
	return "starts_with(" + division + ", " + expr.Quote(p.Division[:min(4, len(p.Division))]) + ")"
}

// Net brings the spells up to date with the contributions that the lake holds, as a generation of its own. It does nothing when they are.
func Net(ctx context.Context, l *lake.Lake, p *pack.Pack) (err error) {
	reg := p.Register(contributions)
	if reg == nil {
		return nil
	}
	w, err := l.Write(ctx, "net contributions")
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Abort(ctx); err == nil {
			err = e
		}
	}()
	source, ok := w.Source(contributions, lake.Ways(reg.Ways()))
	if !ok || current(w.Snapshot, p) {
		return nil
	}
	conn, err := w.Conn(ctx)
	if err != nil {
		return err
	}
	w.Replace(spellTable)
	queries, err := parts(ctx, conn, p, source)
	for _, q := range queries {
		if _, err = w.Parquet(ctx, conn, lake.File{Table: spellTable, Meta: newest(w.Snapshot, p)}, q); err != nil {
			break
		}
	}
	if e := conn.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	return w.Commit(ctx, nil)
}

// newest names the deliveries that spells must have seen, by their files: one that came late carries an earlier day of receipt, and what a delivery
// left unsaid is written under its old number.
func newest(s *lake.Snapshot, p *pack.Pack) string {
	sum := sha256.New()
	sum.Write([]byte(netting(p, "", ""))) // spells of another program, of another city or without what facts ask for are not these
	files := s.Files(contributions)
	for _, f := range files {
		sum.Write([]byte(f.Path + "\n"))
	}
	return fmt.Sprintf("%x of %d", sum.Sum(nil)[:8], len(files))
}

// current reports whether the stored spells have seen exactly the deliveries of the snapshot. As of an earlier day they have seen too much, and the
// snapshot nets afresh.
func current(s *lake.Snapshot, p *pack.Pack) bool {
	f := s.Files(spellTable)
	return len(f) > 0 && f[0].Meta == newest(s, p)
}

// prepare nets a snapshot whose spells the lake does not hold into a temporary table of the connection. It does nothing when they are there.
func prepare(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack) error {
	reg := p.Register(contributions)
	if reg == nil || current(s, p) {
		return nil
	}
	source, ok := s.Source(contributions, lake.Ways(reg.Ways()))
	if !ok {
		return nil
	}
	var there bool
	if err := conn.QueryRowContext(ctx, "SELECT count(*) > 0 FROM duckdb_tables() WHERE temporary AND table_name = "+expr.Quote(netted(s, p))).Scan(&there); err != nil || there {
		return fault.Wrap("fact.prepare", err)
	}
	queries, err := parts(ctx, conn, p, source)
	if err != nil {
		return err
	}
	for i, q := range queries {
		verb := "INSERT INTO netting "
		if i == 0 {
			verb = "CREATE OR REPLACE TEMP TABLE netting AS "
		}
		queries[i] = verb + q
	}
	for _, q := range append(queries, "ALTER TABLE netting RENAME TO "+quote(netted(s, p))) { // under its name only when it is whole
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return fault.Wrap("fact.prepare", err)
		}
	}
	return nil
}

// netted names the temporary table of a snapshot's spells.
func netted(s *lake.Snapshot, p *pack.Pack) string { return "spell " + newest(s, p) }

// spells is SQL for the spells of a snapshot with their person, to stand after FROM; false when no contributions were received. Where the lake does
// not hold them, prepare has netted them. Of somebody, who is looked up first, so that little is read; of everybody (0), only holders who are another
// person, for they are few.
func spells(s *lake.Snapshot, p *pack.Pack, who Person) (string, bool) {
	if len(s.Files(contributions)) == 0 {
		return "", false
	}
	source := quote(netted(s, p))
	if current(s, p) {
		source, _ = s.Scan(spellTable)
	}
	identity, _ := s.Identity()
	if who == 0 {
		return fmt.Sprintf("(SELECT coalesce(i.person, x.holder) AS person, x.* FROM %s x LEFT JOIN (SELECT holder, person FROM %s WHERE person <> holder) i USING (holder))", source, identity), true
	}
	return fmt.Sprintf("(SELECT i.person, x.* FROM %s x JOIN %s i USING (holder))", source, identity), true
}

// Month is one month of one person's contributions, for the strip of months.
type Month struct {
	Index   int    // year * 12 + month - 1
	Quality string // as in pack.Qualities
	USCC    string // the employer that paid
}

// Months lists the months of a person's contributions of some kinds, in order, each once with its best quality.
func Months(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, person Person, kinds []string) ([]Month, error) {
	if err := prepare(ctx, conn, s, p); err != nil {
		return nil, err
	}
	src, ok := spells(s, p, person)
	if !ok {
		return nil, nil
	}
	best := "(list_position([" + quoted(pack.Qualities) + "], quality), uscc)"
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(`
SELECT m, min_by(quality, %[1]s), min_by(uscc, %[1]s) FROM (SELECT unnest(range(m_from, m_to + 1)) AS m, quality, uscc FROM %[2]s WHERE person = %[3]d AND kind IN (%[4]s))
GROUP BY m ORDER BY m`, best, src, person, quoted(kinds)))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []Month
	for rows.Next() {
		var m Month
		if err := rows.Scan(&m.Index, &m.Quality, &m.USCC); err != nil {
			return nil, err
		}
		out = append(out, m)
	}
	return out, rows.Err()
}

// Told returns the first and the last month that deliveries of contributions cover; 0 when there was none.
func Told(s *lake.Snapshot) (from, to calendar.Month) {
	for _, f := range s.Files(contributions) {
		for _, w := range strings.Fields(f.Meta) {
			var m calendar.Month
			if _, err := fmt.Sscan(w, &m); err != nil {
				continue
			}
			if from == 0 || m < from {
				from = m
			}
			to = max(to, m)
		}
	}
	return from, to
}
