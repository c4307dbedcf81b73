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
	Days     []calendar.Day  // the days asked about, at least one
	Person   Person          // 0 for everybody
	Also     []Person        // others than Person
	Continue []Contributions // suppose that contributions go on
}

// Contributions supposes months of a person's contributions that have not happened: on time, one a month.
type Contributions struct {
	Person   Person
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
	d.steps = []string{"CREATE OR REPLACE TEMP TABLE days AS SELECT unnest([" + d.days() + "]) AS \"on\""}
	wanted := map[string]bool{} // of persons, by any kind
	for _, w := range req.Wants {
		for _, f := range d.closed(w) {
			wanted[f] = true
		}
	}
	d.steps = append(d.steps, "CREATE OR REPLACE TEMP TABLE "+Table(person)+" AS "+d.query(person, among(person, wanted), nil, ""))
	for _, w := range req.Wants {
		if w.Subject == person {
			continue
		}
		own := map[string]bool{}
		for _, f := range d.closed(w) {
			own[f] = true
		}
		d.steps = append(d.steps, "CREATE OR REPLACE TEMP TABLE "+Table(w.Subject)+" AS "+d.query(w.Subject, among(w.Subject, own), among(person, own), ""))
	}
	for _, name := range d.kept {
		d.steps = append(d.steps, "DROP TABLE "+name)
	}
	for _, q := range d.steps {
		if _, err := conn.ExecContext(ctx, q); err != nil {
			return fault.Wrap("fact.Derive", fmt.Errorf("%w in %s", err, q))
		}
	}
	return nil
}

type deriver struct {
	snap  *lake.Snapshot
	pack  *pack.Pack
	req   Request
	steps []string // statements, in order
	kept  []string // temporary tables that only later steps read
	names int
}

// keep makes what a query selects a temporary table that later steps read. It is a step of its own: a table can be spilled, while the parts of one
// long statement must fit in memory together.
func (d *deriver) keep(kind, query string) string {
	name := d.name(kind)
	d.steps, d.kept = append(d.steps, "CREATE OR REPLACE TEMP TABLE "+name+" AS "+query), append(d.kept, name)
	return name
}

// name is a fresh name of a part of a statement: statements stand within one another.
func (d *deriver) name(kind string) string {
	d.names++
	return fmt.Sprintf("fact_%s%d", kind, d.names)
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
		for _, in := range f.Others() {
			add(in)
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

// query is the statement for one kind of subject: its own facts, and those of its person. asked names a relation of person and "on", for facts of persons
// on days of their own; "" for everybody who is asked about, on the days asked about.
//
// Facts come in stages: first those taken on the day asked about, joined to the subject in one go; then those taken on a day, or by columns, that an
// earlier stage gave. Values are worked out at the end of the stage in which the last of their inputs comes. Where there is more than one stage, or more
// groups of facts than one statement holds, all but the last SELECT become steps of the deriver.
func (d *deriver) query(s *pack.Subject, facts, of []*pack.Fact, asked string) string {
	q := &query{deriver: d, subject: s, asked: asked, stages: map[string]int{}}
	q.subjects()
	last := 0
	for _, f := range facts {
		last = max(last, q.stage(f))
	}
	for n := 0; n <= last; n++ {
		q.join(n, facts, of)
	}
	if q.table == "" {
		return q.selected
	}
	cols := []string{"person", "subject", `"on"`}
	for _, f := range append(slices.Clone(of), facts...) {
		cols = append(cols, quote(f.Name.Text))
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM (" + q.selected + ")"
}

type query struct {
	*deriver
	subject *pack.Subject
	asked   string         // the relation of persons and days asked about, or ""
	stages  map[string]int // by fact
	silent  bool           // the register of the subject's rows was never delivered: there are none
	table   string         // what was joined so far, as a table that was kept; "" at the beginning
	// Of the SELECT that is being written, and what was written last.
	ctes     []string
	columns  []string
	joins    []string
	selected string
}

// stage says in which stage a fact comes.
func (q *query) stage(f *pack.Fact) int {
	if n, ok := q.stages[f.Name.Text]; ok {
		return n
	}
	n := 0
	for _, name := range f.Others() { // those of the person are there from the beginning
		for _, other := range q.subject.Facts {
			if other.Name.Text == name {
				n = max(n, q.stage(other))
			}
		}
	}
	if anchored(f) {
		n++
	}
	q.stages[f.Name.Text] = n
	return n
}

// anchored facts are taken for moments of the subject, rather than for everybody on the days asked about.
func anchored(f *pack.Fact) bool {
	return f.AtExpr() != nil || f.FromExpr() != nil || len(f.OwnColumns()) > 0 || f.Household() || slices.Contains([]string{"person", "spouse", "couple"}, f.Take.Text)
}

// groupsAtOnce is how many groups of facts one statement joins.
const groupsAtOnce = 6

// join writes the SELECTs of one stage.
func (q *query) join(stage int, facts, of []*pack.Fact) {
	groups := map[string][]*pack.Fact{}
	var order []string
	var values []*pack.Fact
	for _, f := range facts {
		if q.stages[f.Name.Text] != stage {
			continue
		}
		g := groupOf(f)
		switch g {
		case "value":
			values = append(values, f)
			continue
		case "column":
			q.columns = append(q.columns, q.column(f))
			continue
		}
		if groups[g] == nil {
			order = append(order, g)
		}
		groups[g] = append(groups[g], f)
	}
	sort.Strings(order)
	if stage == 0 {
		q.ownColumns(facts)
		if q.subject.Name != "person" {
			for _, f := range of {
				q.columns = append(q.columns, "p."+quote(f.Name.Text))
			}
			q.joins = append(q.joins, "LEFT JOIN "+Table(q.pack.Subject("person"))+` p ON p.person = s.person AND p."on" = s."on"`)
		}
	} else {
		q.next()
	}
	for i, g := range order {
		if i > 0 && i%groupsAtOnce == 0 {
			q.write()
			q.next()
		}
		m := moment{table: q.asked}
		if stage > 0 {
			m = q.moment(groups[g][0])
		}
		q.group(q.name("g"), groups[g], m)
	}
	q.write()
	for _, f := range values { // in order of declaration: each may name those before it
		q.selected = "SELECT *, " + q.expr(f.ValueExpr(), "") + " AS " + quote(f.Name.Text) + " FROM (" + q.selected + ")"
	}
}

// write writes the SELECT over what was joined so far.
func (q *query) write() {
	out := `SELECT s.person, s.subject, s."on"`
	from := "subject"
	if q.table != "" {
		out, from = "SELECT s.*", q.table
	}
	if len(q.columns) > 0 {
		out += ", " + strings.Join(q.columns, ", ")
	}
	q.selected = out + " FROM " + from + " s " + strings.Join(q.joins, " ")
	if len(q.ctes) > 0 {
		q.selected = "WITH " + strings.Join(q.ctes, ",\n") + "\n" + q.selected
	}
}

// next keeps what was written, for the SELECT that follows.
func (q *query) next() {
	q.table = q.keep("t", q.selected)
	q.ctes, q.columns, q.joins = nil, nil, nil
}

// column is a column of the subject's own row, as the stage's.
func (q *query) column(f *pack.Fact) string {
	if q.silent {
		return "CAST(NULL AS " + sqlType(f) + ") AS " + quote(f.Name.Text)
	}
	return q.value(f, expr.Names{Column: func(name string) string { return "s." + quote(name) }}) + " AS " + quote(f.Name.Text)
}

// ownColumns keeps the columns of the subject's own row that later stages look at, as row.<column>.
func (q *query) ownColumns(facts []*pack.Fact) {
	var names []string
	for _, f := range facts {
		names = append(names, f.OwnColumns()...)
		for _, other := range f.Others() {
			if own, ok := strings.CutPrefix(other, "row."); ok {
				names = append(names, own)
			}
		}
	}
	sort.Strings(names)
	for _, name := range slices.Compact(names) {
		source := "s." + quote(name)
		if q.silent {
			source = "CAST(NULL AS " + q.subject.Rows().Column(name).SQLType() + ")"
		}
		q.columns = append(q.columns, source+" AS "+quote("row."+name))
	}
}

// value is SQL for what a fact says of a row, or whether that is listed.
func (q *query) value(f *pack.Fact, names expr.Names) string {
	sql := f.ValueExpr().SQL(expr.DuckDB, names)
	if l := f.ListedIn(); l != nil {
		codes := make([]string, len(l.Items))
		for i, it := range l.Items {
			codes[i] = it.Code.Text
		}
		return "(" + sql + " IN (" + quoted(codes) + "))"
	}
	return sql
}

func (q *query) subjects() {
	if q.asked != "" {
		q.ctes = append(q.ctes, `subject AS (SELECT person, CAST(person AS VARCHAR) AS subject, "on" FROM `+q.asked+")")
		return
	}
	identity, ok := q.snap.Identity()
	if !ok {
		identity = "(SELECT 0 AS holder, 0 AS person, FALSE AS subject WHERE FALSE)"
	}
	one := " WHERE subject IS NOT FALSE" // a spouse who is only named is nobody's subject
	if q.req.Person != 0 {
		one += " AND " + q.asking("person")
	}
	if q.snap.AsOf != 0 {
		one += " AND " + q.named()
	}
	reg := q.subject.Rows()
	if reg == nil {
		q.ctes = append(q.ctes, fmt.Sprintf("subject AS (SELECT x.person, CAST(x.person AS VARCHAR) AS subject, d.\"on\" FROM (SELECT DISTINCT person FROM %s%s) x, days d)", identity, one))
		return
	}
	rows, ok := q.rows(reg, q.only())
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
	q.ctes = append(q.ctes, fmt.Sprintf("subject AS (SELECT x.*, %s AS subject, d.\"on\" FROM %s x, days d WHERE %s)", q.id(), rows, where))
}

// id is SQL for what names a subject row: its column, or a hash of its columns.
func (q *query) id() string {
	ids := q.subject.ID
	var cols []string
	for _, id := range ids {
		name := id.Text
		if q.subject.Rows().Column(name) == q.subject.Rows().PersonColumn() {
			name = "holder"
		}
		cols = append(cols, "CAST(x."+quote(name)+" AS VARCHAR)")
	}
	if len(cols) == 1 {
		return cols[0]
	}
	for i, c := range cols {
		cols[i] = "coalesce(" + c + ", '')"
	}
	return "substr(md5(" + strings.Join(cols, " || chr(31) || ") + "), 1, 24)"
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

// only is the SQL condition on a column of persons that narrows a register to those asked about; "" for everybody.
func (q *query) only() func(column string) string {
	switch {
	case q.req.Person == 0:
		return nil
	case q.asked != "":
		return within(q.asked, "person")
	}
	return q.asking
}

// asking is SQL for whether a column of persons is of one who is asked about.
func (q *query) asking(column string) string {
	out := fmt.Sprintf("%s IN (%d", column, q.req.Person)
	for _, p := range q.req.Also {
		out += fmt.Sprintf(", %d", p)
	}
	return out + ")"
}

// within narrows to the persons of a relation.
func within(relation, person string) func(column string) string {
	return func(column string) string { return column + " IN (SELECT " + person + " FROM " + relation + ")" }
}

// rows is SQL for a register's current rows with their person, to stand after FROM; false when it was never delivered.
func (d *deriver) rows(reg *pack.Register, only func(column string) string) (string, bool) {
	src, ok := d.snap.Source(reg.Name, lake.Ways(reg.Ways()))
	if !ok {
		return "", false
	}
	if reg.About != "person" {
		return "(SELECT * FROM " + src + ")", true
	}
	identity, _ := d.snap.Identity()
	q := "(SELECT i.person, x.* FROM " + src + " x JOIN " + identity + " i USING (holder)"
	if only != nil {
		q += " WHERE " + only("i.person")
	}
	return q + ")", true
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
	words := []string{"register"}
	switch {
	case f.Take.Text == "value", f.Take.Text == "column" && f.Register == nil:
		return f.Take.Text
	case slices.Contains([]string{"person", "spouse", "couple"}, f.Take.Text):
		words = []string{f.Take.Text}
	case f.Months(), f.Take.Text == "employer":
		words = []string{f.Take.Text[:6], text(f.Place), text(f.Counted), fmt.Sprint(f.User)}
		if f.Within != nil {
			words = append(words, fmt.Sprint(*f.Within))
		}
		for _, k := range append(slices.Clone(f.Kinds), f.Qualities...) {
			words = append(words, k.Text)
		}
	default:
		words = append(words, f.Source().Name)
	}
	if anchored(f) {
		words = append(words, "at", text(f.At), "from", text(f.From), "match", strings.Join(texts(f.Match), " "), text(f.Of))
		words = append(words, f.OwnColumns()...)
	}
	return strings.Join(words, " ")
}

func text(s *pack.Src) string {
	if s == nil {
		return ""
	}
	return s.Text
}

func (q *query) group(name string, facts []*pack.Fact, m moment) {
	if !q.answer(name, facts, m) { // never delivered: unknown
		for _, f := range facts {
			q.columns = append(q.columns, "CAST(NULL AS "+sqlType(f)+") AS "+quote(f.Name.Text))
		}
		return
	}
	q.joins = append(q.joins, "LEFT JOIN "+name+" ON "+m.on(name))
	for _, f := range facts {
		col := name + "." + quote(f.Name.Text)
		if v := f.AbsentValue(); v != nil {
			col = fmt.Sprintf("CASE WHEN %s.person IS NULL THEN %s ELSE %s END", name, expr.Literal(expr.DuckDB, v), col)
		}
		if missing := m.missing(f); missing != "" {
			col = "CASE WHEN " + missing + " THEN NULL ELSE " + col + " END"
		}
		q.columns = append(q.columns, "CAST("+col+" AS "+sqlType(f)+") AS "+quote(f.Name.Text))
	}
}

// answer adds the part of the statement that takes facts of one group, one row a person and moment; false when its register was never delivered.
func (q *query) answer(name string, facts []*pack.Fact, m moment) bool {
	f := facts[0]
	switch {
	case f.Take.Text == "person":
		q.persons(name, facts, m)
	case f.Take.Text == "spouse":
		return q.spouses(name, facts, m)
	case f.Take.Text == "couple":
		return q.couples(name, facts, m)
	case f.Months(), f.Take.Text == "employer":
		rows, ok := q.spells(f, m)
		if !ok {
			return false
		}
		if f.Months() {
			q.months(name, rows, facts, m)
		} else {
			q.employer(name, rows, facts, m)
		}
	case f.Household():
		return q.household(name, facts, m)
	default:
		only := q.only()
		if _, person := f.Matches(); !person {
			only = nil // whoever's they are
		}
		rows, ok := q.rows(f.Source(), only)
		if !ok {
			return false
		}
		q.ctes = append(q.ctes, fmt.Sprintf("%s AS (SELECT %s, %s FROM %s GROUP BY %s)", name, m.key("d", "r"), strings.Join(q.picks(facts, "TRUE"), ",\n "), m.rows(f, rows), m.key("d", "r")))
	}
	return true
}

// picks are the columns that choose among, or count, the rows r of a register at the moments d. present is SQL for whether there is a row at all.
func (q *query) picks(facts []*pack.Fact, present string) []string {
	var cols []string
	for _, f := range facts {
		bind := expr.Names{Column: func(name string) string {
			if name == "on" || strings.HasPrefix(name, "row.") {
				return "d." + quote(name)
			}
			return "r." + quote(name)
		}}
		cond := "TRUE"
		if x := f.WhereExpr(); x != nil {
			cond = x.SQL(expr.DuckDB, bind)
		}
		if present != "TRUE" {
			cond = "(" + present + " AND (" + cond + "))"
		}
		value := ""
		if f.ValueExpr() != nil {
			value = q.value(f, bind)
		}
		absent := expr.Literal(expr.DuckDB, f.AbsentValue())
		var sql string
		switch f.Take.Text {
		case "exists":
			sql = fmt.Sprintf("CASE WHEN bool_or(%[1]s) THEN TRUE WHEN bool_or((%[1]s) IS NULL) THEN NULL ELSE %[2]s END", cond, absent)
		case "count":
			what := "count(*)"
			if f.Distinct != nil {
				what = "count(DISTINCT r." + quote(f.Distinct.Text) + ")"
			}
			sql = fmt.Sprintf("CASE WHEN bool_or((%[1]s) IS NULL) THEN NULL ELSE %[2]s FILTER (WHERE %[1]s) END", cond, what)
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
		if f.Household() {
			sql = settled(f, cond, sql)
		}
		cols = append(cols, sql+" AS "+quote(f.Name.Text))
	}
	return cols
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

// spells is SQL for the person's spells that count for a fact, up to its moment: the moment's columns, uscc, m_from and m_to. A month is a month whole:
// that of the day counts, and so does that of the day since which months count.
func (q *query) spells(f *pack.Fact, m moment) (string, bool) {
	src, ok := spells(q.snap, q.pack, q.req.Person)
	if q.req.Continue != nil {
		var rows, parts []string
		for _, c := range q.req.Continue {
			for _, k := range c.Kinds {
				rows = append(rows, fmt.Sprintf("(%d, 0, %s, 'paid', %s, %s, 0, %d, %d)", c.Person, expr.Quote(k), expr.Quote(c.USCC), expr.Quote(q.pack.Division), c.From, c.To))
			}
		}
		const columns = "person, holder, kind, quality, uscc, place, lag, m_from, m_to"
		if rows != nil {
			parts = append(parts, "SELECT * FROM (VALUES "+strings.Join(rows, ", ")+") supposed("+columns+")")
		}
		if ok {
			parts = append(parts, "SELECT "+columns+" FROM "+src)
		}
		if parts != nil {
			src, ok = "("+strings.Join(parts, " UNION ALL ")+")", true
		}
	}
	if !ok {
		return "", false
	}
	cond := "x.kind IN (" + quoted(texts(f.Kinds)) + ")"
	if f.Qualities != nil {
		cond += " AND x.quality IN (" + quoted(texts(f.Qualities)) + ")"
	}
	if text(f.Place) == "city" {
		cond += " AND " + inCity("x.place", q.pack)
	}
	if f.Within != nil {
		cond += fmt.Sprintf(" AND x.lag <= %d", *f.Within)
	}
	if only := q.only(); only != nil {
		cond += " AND " + only("x.person")
	}
	from, to := "x.m_from", "x.m_to"
	if text(f.Counted) == "received" {
		from, to = "(x.m_from + x.lag)", "(x.m_to + x.lag)"
	}
	month := monthOf(`d."on"`)
	since := from
	if f.FromExpr() != nil {
		since = "greatest(" + from + ", " + monthOf(`d."from"`) + ")"
		cond += " AND " + to + " >= " + monthOf(`d."from"`)
	}
	return fmt.Sprintf(`(SELECT %[1]s, x.uscc, %[2]s AS m_from, least(%[3]s, %[4]s) AS m_to FROM %[5]s WHERE %[6]s AND %[2]s <= %[4]s)`,
		m.key("d", "x"), since, to, month, m.spells(f, src), cond), true
}

// monthOf is SQL for the month of a day, as year * 12 + month - 1.
func monthOf(day string) string { return fmt.Sprintf("(year(%[1]s) * 12 + month(%[1]s) - 1)", day) }

// months merges spells into runs without a gap and measures them. A run begins where nothing before it reaches, and ends where what comes before the next
// run does: most spells begin none, so the second look is at few.
func (q *query) months(name, rows string, facts []*pack.Fact, m moment) {
	key := m.key("", "")
	runs := fmt.Sprintf(`SELECT %[1]s, m_from AS a, coalesce(lead(before) OVER (PARTITION BY %[1]s ORDER BY m_from), last) AS b FROM (
  SELECT %[1]s, m_from, max(m_to) OVER (PARTITION BY %[1]s) AS last,
    max(m_to) OVER (PARTITION BY %[1]s ORDER BY m_from ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM %[2]s)
  WHERE before IS NULL OR m_from > before + 1`, key, rows)
	first := func(m string) string { return fmt.Sprintf("make_date(%[1]s // 12, %[1]s %% 12 + 1, 1)", m) }
	var cols []string
	for _, f := range facts {
		sql := map[string]string{
			"months_total":   "sum(b - a + 1)",
			"months_longest": "max(b - a + 1)",
			"months_current": fmt.Sprintf("CASE WHEN max(b) >= %s - %d THEN arg_max(b - a + 1, b) ELSE 0 END", monthOf(`"on"`), f.Grace),
			"months_first":   first("min(a)"),
			"months_last":    first("max(b)"),
		}[f.Take.Text]
		cols = append(cols, sql+" AS "+quote(f.Name.Text))
	}
	q.ctes = append(q.ctes, fmt.Sprintf("%s AS (SELECT %s, %s FROM (%s) GROUP BY %s)", name, key, strings.Join(cols, ", "), runs, key))
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
			v := Value(cells[i])
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

// Value is a cell of a fact table as a fact's value: bool, int64, string, calendar.Day; nil for unknown.
func Value(v any) any {
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

// Sharing lists the persons whose rows of a kind of subject have a fact, a column of the subject's own row, alike with any of some values.
func Sharing(ctx context.Context, conn *sql.Conn, s *lake.Snapshot, p *pack.Pack, f *pack.Fact, values []string) (out []Person, err error) {
	q := &query{deriver: &deriver{snap: s, pack: p}, subject: f.Subject}
	rows, ok := q.rows(f.Subject.Rows(), nil)
	if !ok {
		return nil, nil
	}
	found, err := conn.QueryContext(ctx, "SELECT DISTINCT s.person FROM "+rows+" s WHERE CAST("+
		q.value(f, expr.Names{Column: func(name string) string { return "s." + quote(name) }})+" AS VARCHAR) IN ("+quoted(values)+") ORDER BY 1")
	if err != nil {
		return nil, fault.Wrap("fact.Sharing", err)
	}
	defer found.Close()
	for found.Next() {
		var who Person
		if err := found.Scan(&who); err != nil {
			return nil, fault.Wrap("fact.Sharing", err)
		}
		out = append(out, who)
	}
	return out, fault.Wrap("fact.Sharing", found.Err())
}
