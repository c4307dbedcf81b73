package fact

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"sort"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
)

// Want is the facts of one kind of subject that somebody asks for; what they are worked out from is added.
type Want struct {
	Subject *pack.Subject
	Names   []string // facts of the subject or of its person
}

// Request says which facts are wanted.
type Request struct {
	Wants    []Want
	Days     []calendar.Day // the days asked about, at least one
	Person   Person         // 0 for everybody
	Continue *Contributions // suppose that contributions go on; nil to suppose nothing
}

// Contributions supposes months of contributions that have not happened: on time, one a month.
type Contributions struct {
	From, To int // months as year * 12 + month - 1
	Kinds    []string
	USCC     string
}

// Table is the temporary table that Derive fills for a kind of subject: one row a subject row and day, with the columns person, subject, "on"
// and one a fact.
func Table(s *pack.Subject) string { return "fact_" + s.Name }

// Derive derives facts on one connection of a snapshot. The temporary tables live as long as the connection.
//
// Errors: only what the lake or DuckDB fail with; a register that is silent leaves facts unknown.
func Derive(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, req Request) error {
	d := &deriver{snap: s, pack: p, req: req}
	person := p.Subject("person")
	if err := prepare(ctx, conn, s, p); err != nil {
		return err
	}
	queries := []string{"CREATE OR REPLACE TEMP TABLE days AS SELECT unnest([" + d.days() + "]) AS \"on\""}
	wanted := map[string]bool{} // of persons, by any kind
	for _, w := range req.Wants {
		for _, f := range d.closed(w) {
			wanted[f] = true
		}
	}
	queries = append(queries, "CREATE OR REPLACE TEMP TABLE "+Table(person)+" AS "+d.query(person, among(person, wanted), nil))
	for _, w := range req.Wants {
		if w.Subject == person {
			continue
		}
		own := map[string]bool{}
		for _, f := range d.closed(w) {
			own[f] = true
		}
		queries = append(queries, "CREATE OR REPLACE TEMP TABLE "+Table(w.Subject)+" AS "+d.query(w.Subject, among(w.Subject, own), among(person, own)))
	}
	for _, q := range queries {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return fault.Wrap("fact.Derive", fmt.Errorf("%w in %s", err, q))
		}
	}
	return nil
}

type deriver struct {
	snap *lake.Snapshot
	pack *pack.Pack
	req  Request
}

func (d *deriver) days() string {
	out := make([]string, len(d.req.Days))
	for i, day := range d.req.Days {
		out[i] = expr.DuckDB.Day(day)
	}
	return strings.Join(out, ", ")
}

// closed lists the wanted facts and all that they are worked out from.
func (d *deriver) closed(w Want) []string {
	seen := map[string]bool{}
	var out []string
	var add func(name string)
	add = func(name string) {
		f := d.pack.Fact(w.Subject, name)
		if f == nil || seen[name] {
			return
		}
		seen[name] = true
		out = append(out, name)
		if f.Take.Text == "value" {
			for _, in := range f.ValueExpr().Inputs() {
				add(in)
			}
		}
	}
	for _, n := range w.Names {
		add(n)
	}
	return out
}

// among picks a kind's own facts in the order of declaration, in which each may name those before it.
func among(s *pack.Subject, names map[string]bool) []*pack.Fact {
	var out []*pack.Fact
	for _, f := range s.Facts {
		if names[f.Name.Text] {
			out = append(out, f)
		}
	}
	return out
}

// rows is SQL for a register's current rows with their person, to stand after FROM; false when it was never delivered.
func (d *deriver) rows(reg *pack.Register) (string, bool) {
	src, ok := d.snap.Source(reg.Name, ways(reg))
	if !ok {
		return "", false
	}
	if reg.About != "person" {
		return "(SELECT * FROM " + src + ")", true
	}
	identity, _ := d.snap.Identity()
	q := "(SELECT i.person, x.* FROM " + src + " x JOIN " + identity + " i USING (holder)"
	if d.req.Person != 0 {
		q += fmt.Sprintf(" WHERE i.person = %d", d.req.Person)
	}
	return q + ")", true
}

// query is the statement for one kind of subject: its own facts, and those of its person.
func (d *deriver) query(s *pack.Subject, facts, of []*pack.Fact) string {
	q := &query{deriver: d, subject: s}
	q.subjects()
	groups := map[string][]*pack.Fact{}
	var order []string
	var values []*pack.Fact
	for _, f := range facts {
		g := groupOf(f)
		switch g {
		case "value":
			values = append(values, f)
			continue
		case "column":
			if q.silent {
				q.columns = append(q.columns, "CAST(NULL AS "+sqlType(f)+") AS "+quote(f.Name.Text))
				continue
			}
			q.columns = append(q.columns, q.expr(f.ValueExpr(), "s")+" AS "+quote(f.Name.Text))
			continue
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], f)
	}
	sort.Strings(order)
	for i, g := range order {
		q.group(fmt.Sprintf("g%d", i), groups[g])
	}
	if s.Name != "person" {
		for _, f := range of {
			q.columns = append(q.columns, "p."+quote(f.Name.Text))
		}
		q.joins = append(q.joins, "LEFT JOIN "+Table(d.pack.Subject("person"))+` p ON p.person = s.person AND p."on" = s."on"`)
	}
	out := "SELECT s.person, s.subject, s.\"on\""
	if len(q.columns) > 0 {
		out += ", " + strings.Join(q.columns, ", ")
	}
	out += " FROM subject s " + strings.Join(q.joins, " ")
	for _, f := range values { // in order of declaration: each may name those before it
		out = "SELECT *, " + q.expr(f.ValueExpr(), "") + " AS " + quote(f.Name.Text) + " FROM (" + out + ")"
	}
	return "WITH " + strings.Join(q.ctes, ",\n") + "\n" + out
}

type query struct {
	*deriver
	subject *pack.Subject
	silent  bool // the register of the subject's rows was never delivered: there are none
	ctes    []string
	columns []string
	joins   []string
}

func (q *query) subjects() {
	identity, ok := q.snap.Identity()
	if !ok {
		identity = "(SELECT 0 AS holder, 0 AS person, FALSE AS subject WHERE FALSE)"
	}
	one := " WHERE subject IS NOT FALSE" // a spouse who is only named is nobody's subject
	if q.req.Person != 0 {
		one += fmt.Sprintf(" AND person = %d", q.req.Person)
	}
	if q.snap.AsOf != 0 {
		one += " AND " + q.named()
	}
	reg := q.subject.Rows()
	if reg == nil {
		q.ctes = append(q.ctes, fmt.Sprintf("subject AS (SELECT x.person, CAST(x.person AS VARCHAR) AS subject, d.\"on\" FROM (SELECT DISTINCT person FROM %s%s) x, days d)", identity, one))
		return
	}
	rows, ok := q.rows(reg)
	if !ok {
		q.silent = true
		q.ctes = append(q.ctes, "subject AS (SELECT 0 AS person, '' AS subject, DATE '1970-01-01' AS \"on\" WHERE FALSE)")
		return
	}
	where := "TRUE"
	if x := q.subject.WhereExpr(); x != nil {
		where = x.SQL(expr.DuckDB, expr.Names{Column: func(name string) string {
			if name == "on" {
				return `d."on"`
			}
			return "x." + quote(name)
		}})
	}
	q.ctes = append(q.ctes, fmt.Sprintf("subject AS (SELECT x.*, CAST(x.%s AS VARCHAR) AS subject, d.\"on\" FROM %s x, days d WHERE %s)", quote(q.subject.ID.Text), rows, where))
}

// named is SQL for the holders whom a delivery of the snapshot names: the table of holders is of today, and an earlier day knew fewer.
func (q *query) named() string {
	parts := []string{"SELECT 0 AS holder WHERE FALSE"}
	for _, reg := range q.pack.Registers {
		if all, ok := q.snap.Scan(reg.Name); ok && reg.About == "person" {
			parts = append(parts, "SELECT holder FROM "+all)
		}
	}
	return "holder IN (" + strings.Join(parts, " UNION ALL ") + ")"
}

// expr writes an expression over a table's columns; "on" is the row's day.
func (q *query) expr(x *expr.Expr, table string) string {
	if table != "" {
		table += "."
	}
	return x.SQL(expr.DuckDB, expr.Names{Column: func(name string) string { return table + quote(name) }})
}

// groupOf names the facts that one grouped query can answer together.
func groupOf(f *pack.Fact) string {
	switch {
	case f.Take.Text == "value", f.Take.Text == "column" && f.Register == nil:
		return f.Take.Text
	case f.Months(), f.Take.Text == "employer":
		words := []string{f.Take.Text[:6]}
		for _, k := range append(slices.Clone(f.Kinds), f.Qualities...) {
			words = append(words, k.Text)
		}
		return strings.Join(words, " ")
	}
	return "register " + f.Source().Name
}

func (q *query) group(name string, facts []*pack.Fact) {
	first := facts[0]
	rows, ok := "", false
	switch {
	case first.Months(), first.Take.Text == "employer":
		rows, ok = q.spells(first)
	default:
		rows, ok = q.rows(first.Source())
	}
	if !ok { // never delivered: unknown
		for _, f := range facts {
			q.columns = append(q.columns, "CAST(NULL AS "+sqlType(f)+") AS "+quote(f.Name.Text))
		}
		return
	}
	switch {
	case first.Take.Text == "employer":
		q.employer(name, rows, facts)
	case first.Months():
		q.months(name, rows, facts)
	default:
		q.picks(name, rows, facts)
	}
	q.joins = append(q.joins, fmt.Sprintf(`LEFT JOIN %[1]s ON %[1]s.person = s.person AND %[1]s."on" = s."on"`, name))
	for _, f := range facts {
		col := name + "." + quote(f.Name.Text)
		if v := f.AbsentValue(); v != nil {
			col = fmt.Sprintf("CASE WHEN %s.person IS NULL THEN %s ELSE %s END", name, expr.Literal(expr.DuckDB, v), col)
		}
		q.columns = append(q.columns, "CAST("+col+" AS "+sqlType(f)+") AS "+quote(f.Name.Text))
	}
}

// picks answers facts that choose among, or count, the rows of a register.
func (q *query) picks(name, rows string, facts []*pack.Fact) {
	var cols []string
	for _, f := range facts {
		bind := expr.Names{Column: func(name string) string {
			if name == "on" {
				return `d."on"`
			}
			return "r." + quote(name)
		}}
		cond := "TRUE"
		if x := f.WhereExpr(); x != nil {
			cond = x.SQL(expr.DuckDB, bind)
		}
		value := ""
		if x := f.ValueExpr(); x != nil {
			value = x.SQL(expr.DuckDB, bind)
		}
		absent := expr.Literal(expr.DuckDB, f.AbsentValue())
		var sql string
		switch f.Take.Text {
		case "exists":
			sql = fmt.Sprintf("CASE WHEN bool_or(%[1]s) THEN TRUE WHEN bool_or((%[1]s) IS NULL) THEN NULL ELSE %[2]s END", cond, absent)
		case "count":
			sql = fmt.Sprintf("CASE WHEN bool_or((%[1]s) IS NULL) THEN NULL ELSE count(*) FILTER (WHERE %[1]s) END", cond)
		case "sum":
			sql = fmt.Sprintf("CASE WHEN bool_or((%[1]s) IS NULL OR (%[1]s) AND %[2]s IS NULL) THEN NULL ELSE coalesce(sum(%[2]s) FILTER (WHERE %[1]s), %[3]s) END", cond, value, absent)
		default: // column, highest, latest, first
			by, best, beats := "0", "max", ">="
			if f.By != nil {
				by = "r." + quote(f.By.Text)
			}
			if f.Take.Text == "first" {
				best, beats = "min", "<="
			}
			// The best row that counts, unless a row of which nobody can say whether it counts might beat it.
			sql = fmt.Sprintf(`CASE WHEN coalesce(%[4]s(%[1]s) FILTER (WHERE (%[2]s) IS NULL) %[6]s %[4]s(%[1]s) FILTER (WHERE %[2]s), bool_or((%[2]s) IS NULL)) THEN NULL
  WHEN NOT bool_or(%[2]s) THEN %[5]s
  ELSE arg_%[4]s_null(%[3]s, (%[1]s, %[7]s)) FILTER (WHERE %[2]s) END`, by, cond, value, best, absent, beats, tie(f.Source()))
		}
		cols = append(cols, sql+" AS "+quote(f.Name.Text))
	}
	q.ctes = append(q.ctes, fmt.Sprintf("%s AS (SELECT r.person, d.\"on\", %s FROM %s r, days d GROUP BY r.person, d.\"on\")", name, strings.Join(cols, ",\n "), rows))
}

// tie is what parts rows that the order leaves equal: what they say, column by column, so that homes with other keys choose alike; and last the
// row's hash, between rows that say the same.
func tie(reg *pack.Register) string {
	var cols []string
	for _, c := range reg.Columns {
		if c.InLake() && c.Class.Text != "keyed" {
			cols = append(cols, "r."+quote(c.Name.Text))
		}
	}
	return strings.Join(append(cols, "r.row_hash"), ", ")
}

// spells is SQL for the person's spells of the fact's kinds and qualities up to the day asked about: person, "on", m_from, m_to, uscc and
// the month of the day, m_on.
func (q *query) spells(f *pack.Fact) (string, bool) {
	src, ok := spells(q.snap)
	if c := q.req.Continue; c != nil && q.req.Person != 0 {
		var rows []string
		for _, k := range c.Kinds {
			rows = append(rows, fmt.Sprintf("SELECT %d AS person, 0 AS holder, %s AS kind, 'paid' AS quality, %s AS uscc, %d AS m_from, %d AS m_to", q.req.Person, expr.Quote(k), expr.Quote(c.USCC), c.From, c.To))
		}
		if ok {
			rows = append(rows, "SELECT person, holder, kind, quality, uscc, m_from, m_to FROM "+src)
		}
		src, ok = "("+strings.Join(rows, " UNION ALL ")+")", true
	}
	if !ok {
		return "", false
	}
	cond := "kind IN (" + quoted(texts(f.Kinds)) + ")"
	if f.Qualities != nil {
		cond += " AND quality IN (" + quoted(texts(f.Qualities)) + ")"
	}
	if q.req.Person != 0 {
		cond += fmt.Sprintf(" AND person = %d", q.req.Person)
	}
	month := `(year(d."on") * 12 + month(d."on") - 1)`
	return fmt.Sprintf(`(SELECT x.person, d."on", x.uscc, x.m_from, least(x.m_to, %[1]s) AS m_to, %[1]s AS m_on FROM %[2]s x, days d WHERE %[3]s AND x.m_from <= %[1]s)`, month, src, cond), true
}

// months merges spells into runs without a gap and measures them.
func (q *query) months(name, rows string, facts []*pack.Fact) {
	key := `person, "on"`
	runs := fmt.Sprintf(`SELECT %[1]s, m_on, min(m_from) AS a, max(m_to) AS b FROM (
  SELECT *, sum(CASE WHEN before IS NULL OR m_from > before + 1 THEN 1 ELSE 0 END) OVER (PARTITION BY %[1]s ORDER BY m_from, m_to) AS run FROM (
    SELECT *, max(m_to) OVER (PARTITION BY %[1]s ORDER BY m_from, m_to ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM %[2]s))
  GROUP BY %[1]s, m_on, run`, key, rows)
	first := func(m string) string { return fmt.Sprintf("make_date(%[1]s // 12, %[1]s %% 12 + 1, 1)", m) }
	var cols []string
	for _, f := range facts {
		sql := map[string]string{
			"months_total":   "sum(b - a + 1)",
			"months_longest": "max(b - a + 1)",
			"months_current": fmt.Sprintf("CASE WHEN max(b) >= max(m_on) - %d THEN arg_max(b - a + 1, b) ELSE 0 END", f.Grace),
			"months_first":   first("min(a)"),
			"months_last":    first("max(b)"),
		}[f.Take.Text]
		cols = append(cols, sql+" AS "+quote(f.Name.Text))
	}
	q.ctes = append(q.ctes, fmt.Sprintf("%s AS (SELECT %s, %s FROM (%s) GROUP BY %s)", name, key, strings.Join(cols, ", "), runs, key))
}

// employer answers facts about the employer that paid for the latest month.
func (q *query) employer(name, rows string, facts []*pack.Fact) {
	employers, ok := q.rows(q.pack.Register("employers"))
	if !ok {
		employers = "(SELECT '' AS uscc WHERE FALSE)"
	}
	var cols []string
	for _, f := range facts {
		if ok {
			cols = append(cols, q.expr(f.ValueExpr(), "e")+" AS "+quote(f.Name.Text))
		} else {
			cols = append(cols, "NULL AS "+quote(f.Name.Text))
		}
	}
	q.ctes = append(q.ctes, fmt.Sprintf(`%[1]s AS (SELECT l.person, l."on", %[2]s FROM (SELECT person, "on", arg_max(uscc, (m_to, uscc)) AS uscc FROM %[3]s GROUP BY person, "on") l LEFT JOIN %[4]s e ON e.uscc = l.uscc)`,
		name, strings.Join(cols, ", "), rows, employers))
}

func sqlType(f *pack.Fact) string {
	switch f.ExprType() {
	case expr.Bool:
		return "BOOLEAN"
	case expr.Int:
		if f.List() != nil {
			return "SMALLINT"
		}
		return "BIGINT"
	case expr.Day:
		return "DATE"
	}
	return "VARCHAR"
}

func quote(name string) string { return columnar.Quote(name) }

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = expr.Quote(s)
	}
	return strings.Join(out, ", ")
}

func texts(list []pack.Src) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = s.Text
	}
	return out
}

// Row is the facts of one subject row on one day.
type Row struct {
	Person  Person
	Subject string
	On      calendar.Day
	Values  map[string]any // by name: bool, int64, string, calendar.Day; nil for unknown
}

// Rows reads what Derive derived, in order of subject and day; where may narrow it, as an SQL condition.
func Rows(ctx context.Context, conn *sql.Conn, s *pack.Subject, where string) ([]Row, error) {
	q := "SELECT * FROM " + Table(s)
	if where != "" {
		q += " WHERE " + where
	}
	rows, err := conn.QueryContext(ctx, q+` ORDER BY subject, "on"`)
	if err != nil {
		return nil, fault.Wrap("fact.Rows", err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, fault.Wrap("fact.Rows", err)
	}
	var out []Row
	for rows.Next() {
		cells := make([]any, len(names))
		into := make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fault.Wrap("fact.Rows", err)
		}
		r := Row{Values: map[string]any{}}
		for i, n := range names {
			v := value(cells[i])
			switch n {
			case "person":
				p, _ := v.(int64)
				r.Person = Person(p)
			case "subject":
				r.Subject, _ = v.(string)
			case "on":
				r.On, _ = v.(calendar.Day)
			default:
				r.Values[n] = v
			}
		}
		out = append(out, r)
	}
	return out, fault.Wrap("fact.Rows", rows.Err())
}

func value(v any) any {
	switch x := v.(type) {
	case int8:
		return int64(x)
	case int16:
		return int64(x)
	case int32:
		return int64(x)
	case uint8:
		return int64(x)
	case uint16:
		return int64(x)
	case uint32:
		return int64(x)
	case time.Time:
		return calendar.DayOf(x)
	}
	return v
}

// Fact gives a value by its name, as policies ask for it; nil for unknown.
func (r Row) Fact(name string) any { return r.Values[name] }
