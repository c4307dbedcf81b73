package fact

import (
	"fmt"
	"strings"

	"bole/internal/expr"
	"bole/internal/pack"
)

// moment is when, and beside which columns of the subject's own row, a group of facts is taken. The zero moment is the days asked about, for everybody
// in one go. Any other is a relation of one row a person, "on" and, as a fact has them, "from" and "row.<column>": each once, however many subject
// rows it serves.
type moment struct {
	table    string   // the relation; "" for the days asked about
	cols     []string // its columns beside person and "on"
	at, from string   // SQL over the subject s for its day and for the day since which months count; "" for the day asked about and for none
}

// moment keeps the moments of a fact over what was joined so far.
//
// Nobody looks ahead: where the day of a fact is still to come on the day asked about, the fact is taken on the day asked about.
func (q *query) moment(f *pack.Fact) moment {
	var m moment
	on, told := `s."on"`, "TRUE"
	if x := f.AtExpr(); x != nil {
		m.at = fmt.Sprintf(`(CASE WHEN %[1]s < s."on" THEN %[1]s WHEN %[1]s >= s."on" THEN s."on" END)`, q.expr(x, "s"))
		on, told = m.at, told+" AND "+m.at+" IS NOT NULL"
	}
	picked := []string{"s.person", on + ` AS "on"`}
	if x := f.FromExpr(); x != nil {
		m.from = q.expr(x, "s")
		picked, told = append(picked, m.from+` AS "from"`), told+" AND "+m.from+" IS NOT NULL"
		m.cols = append(m.cols, "from")
	}
	for _, own := range f.OwnColumns() {
		picked = append(picked, "s."+quote("row."+own))
		m.cols = append(m.cols, "row."+own)
	}
	m.table = q.keep("m", fmt.Sprintf("SELECT DISTINCT %s FROM %s s WHERE %s", strings.Join(picked, ", "), q.table, told))
	return m
}

// key lists the moment's columns: the person from rows x, the rest from the moments d; "" for columns without a table.
func (m moment) key(d, x string) string {
	if d != "" {
		d, x = d+".", x+"."
	}
	if m.table != "" {
		x = d
	}
	out := []string{x + "person", d + `"on"`}
	for _, c := range m.cols {
		out = append(out, d+quote(c))
	}
	return strings.Join(out, ", ")
}

// on joins what was answered for moments to the subject s.
func (m moment) on(name string) string {
	at := m.at
	if at == "" {
		at = `s."on"`
	}
	out := fmt.Sprintf(`%[1]s.person = s.person AND %[1]s."on" = %[2]s`, name, at)
	for _, c := range m.cols {
		theirs := "s." + quote(c)
		if c == "from" {
			theirs = m.from
		}
		out += fmt.Sprintf(" AND %s.%s IS NOT DISTINCT FROM %s", name, quote(c), theirs)
	}
	return out
}

// missing is SQL over the subject s for a moment that nobody can tell, or a column to match that nobody told; "" where there is none.
func (m moment) missing(f *pack.Fact) string {
	var out []string
	for _, x := range []string{m.at, m.from} {
		if x != "" {
			out = append(out, x+" IS NULL")
		}
	}
	pairs, _ := f.Matches()
	for _, p := range pairs {
		out = append(out, "s."+quote("row."+p.Own)+" IS NULL")
	}
	return strings.Join(out, " OR ")
}

// rows joins the rows r of a register to the moments d.
func (m moment) rows(f *pack.Fact, rows string) string {
	if m.table == "" {
		return rows + " r, days d"
	}
	pairs, person := f.Matches()
	var on []string
	if person {
		on = append(on, "r.person = d.person")
	}
	for _, p := range pairs {
		on = append(on, "r."+quote(p.Theirs)+" = d."+quote("row."+p.Own))
	}
	return rows + " r JOIN " + m.table + " d ON " + strings.Join(on, " AND ")
}

// spells joins spells x to the moments d. Months are a person's own, whatever else they must match.
func (m moment) spells(f *pack.Fact, src string) string {
	if m.table == "" {
		return src + " x, days d"
	}
	on := "x.person = d.person"
	pairs, _ := f.Matches()
	for _, p := range pairs {
		on += " AND x." + quote(p.Theirs) + " = d." + quote("row."+p.Own)
	}
	return src + " x JOIN " + m.table + " d ON " + on
}

// persons answers facts of take: person: what other facts of the person are at the moment.
func (q *query) persons(name string, facts []*pack.Fact, m moment) {
	var cols []string
	for _, f := range facts {
		cols = append(cols, q.value(f, expr.Names{Column: func(name string) string { return "f." + quote(name) }})+" AS "+quote(f.Name.Text))
	}
	q.ctes = append(q.ctes, fmt.Sprintf(`%s AS (SELECT f.person, f."on", %s FROM (%s) f)`, name, strings.Join(cols, ", "), q.inner(facts, m.table)))
}

// inner is the statement for the facts of persons that others are worked out from, of the persons and days of a relation.
func (q *query) inner(facts []*pack.Fact, asked string) string {
	person := q.pack.Subject("person")
	w := Want{Subject: person}
	for _, f := range facts {
		w.Names = append(w.Names, f.ValueExpr().Inputs()...)
	}
	names := map[string]bool{}
	for _, n := range q.closed(w) {
		names[n] = true
	}
	return q.query(person, among(person, names), nil, asked)
}

// employer answers facts about the employer that paid for the latest month, or of a dispatched worker about the unit where he works.
func (q *query) employer(name, rows string, facts []*pack.Fact, m moment) {
	employers, ok := q.rows(q.pack.Register("employers"), nil)
	if !ok {
		employers = "(SELECT '' AS uscc, FALSE AS dispatch WHERE FALSE)"
	}
	var cols []string
	for _, f := range facts {
		known := ok
		sql := q.value(f, expr.Names{Column: func(col string) string {
			switch {
			case col == "uscc", col == "on", strings.HasPrefix(col, "row."): // the code is known from what was paid
				return "l." + quote(col)
			}
			return "e." + quote(col)
		}})
		if x := f.ValueExpr(); len(x.Inputs()) == 1 && x.Inputs()[0] == "uscc" {
			known = true
		}
		if !known {
			sql = "NULL"
		}
		cols = append(cols, sql+" AS "+quote(f.Name.Text))
	}
	key := m.key("", "")
	latest := fmt.Sprintf("SELECT %[1]s, arg_max(uscc, (m_to, uscc)) AS uscc FROM %[2]s GROUP BY %[1]s", key, rows)
	if facts[0].User {
		latest = q.userUnit(latest, employers, m)
	}
	q.ctes = append(q.ctes, fmt.Sprintf(`%s AS (SELECT %s, %s FROM (%s) l LEFT JOIN %s e ON e.uscc = l.uscc)`,
		name, moment{table: "l", cols: m.cols}.key("l", "l"), strings.Join(cols, ", "), latest, employers))
}

// userUnit puts the unit where a dispatched worker works in the place of the employer that pays, by the contract in force with that employer. Of an
// agency that has no contract saying so, and of an employer of which nobody says whether it dispatches, the unit is unknown.
func (q *query) userUnit(latest, employers string, m moment) string {
	contracts, ok := q.rows(q.pack.Register("employment_contracts"), q.only())
	if !ok {
		contracts = `(SELECT 0 AS person, '' AS uscc, '' AS user_uscc, DATE '1970-01-01' AS start_day, DATE '1970-01-01' AS end_day, DATE '1970-01-01' AS terminated_day WHERE FALSE)`
	}
	l := q.keep("l", latest)
	return fmt.Sprintf(`SELECT l.* REPLACE (CASE WHEN c.user_uscc IS NOT NULL THEN c.user_uscc WHEN a.dispatch IS FALSE OR a.dispatch IS NULL AND c.person IS NOT NULL THEN l.uscc END AS uscc)
FROM %[1]s l LEFT JOIN (
  SELECT l.person, l."on", l.uscc, arg_max_null(k.user_uscc, (k.start_day, k.user_uscc)) AS user_uscc FROM %[1]s l JOIN %[2]s k ON k.person = l.person AND k.uscc = l.uscc
    AND k.start_day <= l."on" AND (k.end_day IS NULL OR k.end_day >= l."on") AND (k.terminated_day IS NULL OR k.terminated_day > l."on")
  GROUP BY l.person, l."on", l.uscc) c ON c.person = l.person AND c."on" = l."on" AND c.uscc = l.uscc
LEFT JOIN %[3]s a ON a.uscc = l.uscc`, l, contracts, employers)
}
