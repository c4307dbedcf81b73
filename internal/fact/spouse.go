package fact

import (
	"fmt"
	"strings"

	"bole/internal/expr"
	"bole/internal/lake"
	"bole/internal/pack"
)

// Who is married to whom is told by several registers, whose columns are named here because reading them together is law, not layout.
//
// marriages: one row a person and marriage; the spouse may have a row of their own, or none. It is not complete: people marry elsewhere.
// deaths: the death of either ends a marriage of which nobody told the end.
// people: the marital status, without a day. It settles only what marriages leave open: whether there is a spouse, not who.

// spouse adds a relation of one row a person and "on" of the moments: married (true, false, or NULL where nobody can tell) and spouse, the person (NULL
// where there is none or nobody says who). Of two marriages at once the later counts.
func (q *query) spouse(m moment) string {
	wed := "(SELECT 0 AS person, 0 AS spouse, DATE '1970-01-01' AS registered_day, DATE '1970-01-01' AS ended_day WHERE FALSE)"
	if rows, ok := q.snap.Source("marriages", lake.Ways(q.pack.Register("marriages").Ways())); ok {
		wed = q.marriages(rows, m)
	}
	status := "(SELECT 0 AS person, FALSE AS married WHERE FALSE)"
	var only func(string) string
	if q.req.Person != 0 {
		only = within(m.table, "person")
	}
	if rows, ok := q.rows(q.pack.Register("people"), only); ok {
		status = `(SELECT person, CASE WHEN bool_or(marital_status = 'married') THEN TRUE WHEN bool_or(marital_status IN ('single', 'widowed', 'divorced')) THEN FALSE END AS married
  FROM ` + rows + ` GROUP BY person)`
	}
	return q.keep("w", fmt.Sprintf(`SELECT d.person, d."on", CASE WHEN w.spouse IS NOT NULL THEN TRUE ELSE p.married END AS married, w.spouse
FROM (SELECT DISTINCT person, "on" FROM %[1]s) d LEFT JOIN (
  SELECT d.person, d."on", arg_max(w.spouse, (w.registered_day, w.spouse)) AS spouse FROM (SELECT DISTINCT person, "on" FROM %[1]s) d JOIN %[2]s w
    ON w.person = d.person AND w.registered_day <= d."on" AND (w.ended_day IS NULL OR w.ended_day > d."on")
  GROUP BY d.person, d."on") w ON w.person = d.person AND w."on" = d."on"
LEFT JOIN %[3]s p ON p.person = d.person`, m.table, wed, status))
}

// marriages is SQL for marriages from both sides: one row a person, spouse and registered_day, with the day it ended if anybody told one.
func (q *query) marriages(rows string, m moment) string {
	identity, _ := q.snap.Identity()
	both := fmt.Sprintf(`SELECT i.person, j.person AS spouse, x.registered_day, x.ended_day FROM %[1]s x JOIN %[2]s i ON i.holder = x.holder JOIN %[2]s j ON j.holder = x.spouse_number
  WHERE i.person <> j.person`, rows, identity)
	two := "(SELECT * FROM (" + both + ") UNION ALL SELECT spouse, person, registered_day, ended_day FROM (" + both + "))"
	if q.req.Person != 0 {
		two = "(SELECT * FROM " + two + " WHERE " + within(m.table, "person")("person") + ")"
	}
	deaths := "(SELECT 0 AS person, DATE '1970-01-01' AS death_day WHERE FALSE)"
	if dead, ok := q.rows(q.pack.Register("deaths"), nil); ok {
		deaths = "(SELECT person, min(death_day) AS death_day FROM " + dead + " GROUP BY person)"
	}
	return fmt.Sprintf(`(SELECT y.person, y.spouse, y.registered_day, coalesce(max(y.ended_day), min(a.death_day), min(b.death_day)) AS ended_day
  FROM %[1]s y LEFT JOIN %[2]s a ON a.person = y.person LEFT JOIN %[2]s b ON b.person = y.spouse GROUP BY y.person, y.spouse, y.registered_day)`, two, deaths)
}

// spouses answers facts of take: spouse: what facts of persons are of the spouse at the moment, the fact's absent where there certainly is none, and
// otherwise unknown. A value that looks at no fact is there for whoever has a spouse, known by name or not.
func (q *query) spouses(name string, facts []*pack.Fact, m moment) bool {
	if q.pack.Register("marriages") == nil || q.pack.Register("people") == nil || q.pack.Register("deaths") == nil {
		return false
	}
	w := q.spouse(m)
	a := q.keep("a", `SELECT DISTINCT spouse AS person, "on" FROM `+w+` WHERE spouse IS NOT NULL`)
	var cols []string
	for _, f := range facts {
		known := "w.spouse IS NOT NULL"
		if len(f.ValueExpr().Inputs()) == 0 {
			known = "w.married"
		}
		value := q.value(f, expr.Names{Column: func(name string) string { return "f." + quote(name) }})
		cols = append(cols, fmt.Sprintf("CASE WHEN w.married IS FALSE THEN %s WHEN %s THEN %s END AS %s", expr.Literal(expr.DuckDB, f.AbsentValue()), known, value, quote(f.Name.Text)))
	}
	q.ctes = append(q.ctes, fmt.Sprintf(`%s AS (SELECT w.person, w."on", %s FROM %s w LEFT JOIN (%s) f ON f.person = w.spouse AND f."on" = w."on")`,
		name, strings.Join(cols, ", "), w, q.inner(facts, a)))
	return true
}

// couples answers facts of take: couple: a word that both of a couple have alike, and whoever certainly has no spouse has alone; unknown where nobody can
// tell who the spouse is and whether there is one. It names the persons, so that Couple can say who they are.
func (q *query) couples(name string, facts []*pack.Fact, m moment) bool {
	if q.pack.Register("marriages") == nil || q.pack.Register("people") == nil || q.pack.Register("deaths") == nil {
		return false
	}
	var cols []string
	for _, f := range facts {
		cols = append(cols, "CASE WHEN w.married IS FALSE THEN CAST(w.person AS VARCHAR) WHEN w.spouse IS NOT NULL THEN least(w.person, w.spouse) || '+' || greatest(w.person, w.spouse) END AS "+quote(f.Name.Text))
	}
	q.ctes = append(q.ctes, fmt.Sprintf(`%s AS (SELECT w.person, w."on", %s FROM %s w)`, name, strings.Join(cols, ", "), q.spouse(m)))
	return true
}

// Couple are the persons whom a fact of take: couple names.
func Couple(fact string) (out []Person) {
	for _, s := range strings.Split(fact, "+") {
		var p Person
		if _, err := fmt.Sscan(s, &p); err == nil {
			out = append(out, p)
		}
	}
	return out
}

// household answers facts over the rows of the person and the spouse. They are unknown where nobody can tell who the spouse is and whether there is one,
// and over a register that is not complete where it does not name both; but what one of them has, the household has.
func (q *query) household(name string, facts []*pack.Fact, m moment) bool {
	if q.pack.Register("marriages") == nil || q.pack.Register("people") == nil || q.pack.Register("deaths") == nil {
		return false
	}
	w := q.spouse(m)
	x := q.keep("x", fmt.Sprintf(`SELECT d.*, d.person AS member, CASE WHEN w.spouse IS NULL THEN 1 ELSE 2 END AS members, (w.married IS FALSE OR w.spouse IS NOT NULL) AS settled FROM %[1]s d JOIN %[2]s w USING (person, "on")
UNION ALL SELECT d.*, w.spouse, 2, TRUE FROM %[1]s d JOIN %[2]s w USING (person, "on") WHERE w.spouse IS NOT NULL`, m.table, w))
	var only func(string) string
	if q.req.Person != 0 {
		only = within(x, "member")
	}
	rows, ok := q.rows(facts[0].Source(), only)
	if !ok {
		return false
	}
	key := m.key("d", "d")
	q.ctes = append(q.ctes, fmt.Sprintf("%s AS (SELECT %s, %s FROM %s d LEFT JOIN %s r ON r.person = d.member GROUP BY %s)",
		name, key, strings.Join(q.picks(facts, "r.row_hash IS NOT NULL"), ",\n "), x, rows, key))
	return true
}

// settled leaves a household's fact unknown where somebody's rows may be missing.
func settled(f *pack.Fact, cond, sql string) string {
	open := "NOT bool_and(d.settled)"
	if !f.Source().Complete {
		open = "(" + open + " OR count(DISTINCT r.person) < max(d.members))"
	}
	if f.Take.Text == "exists" {
		return fmt.Sprintf("CASE WHEN bool_or(%s) THEN TRUE WHEN %s THEN NULL ELSE %s END", cond, open, sql)
	}
	return fmt.Sprintf("CASE WHEN %s THEN NULL ELSE %s END", open, sql)
}
