package expr

import (
	"database/sql"
	"fmt"
	"math/big"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/store/storetest"

	"cel.dev/cel-go/common/operators"
	_ "github.com/duckdb/duckdb-go/v2"
)

const rowCount = 400

// corpus is what the two engines are compared on: the same expressions, rows and answers for the agreement and for the mutants.
type corpus struct {
	seed    uint64
	rows    []row
	exprs   []*Expr
	trees   []*tree
	answers [][]any        // of Eval: expression, row
	refused map[string]int // expressions that Compile refused, by the first words of the reason
	meets   map[string]*meeting
}

// meeting counts the expressions in which an operator met a row where it knew all operands, and one where it did not.
type meeting struct{ known, unknown int }

// enough meetings of each kind, and a corpus is no accident.
const enough = 10

// drawn is the corpus of this run: 2,000 expressions, 10,000 with BOLE_FULL=1; BOLE_SEED draws others.
var drawn = sync.OnceValues(func() (*corpus, error) {
	seed, n := uint64(20241220), 2000
	if s := os.Getenv("BOLE_SEED"); s != "" {
		var err error
		if seed, err = strconv.ParseUint(s, 10, 64); err != nil {
			return nil, err
		}
	}
	if os.Getenv("BOLE_FULL") == "1" {
		n = 10000
	}
	return draw(seed, n)
})

func draw(seed uint64, n int) (*corpus, error) {
	v, err := lexiconVocabulary()
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(seed, 1))
	c := &corpus{seed: seed, rows: drawRows(r, rowCount), refused: map[string]int{}, meets: map[string]*meeting{}}
	wants := []Type{Bool, Bool, Bool, Int, Int, Int, Day, Text}
	for len(c.exprs) < n {
		t := author{r}.expr(wants[r.IntN(len(wants))], 1+r.IntN(5))
		x, problems := v.Compile(t.src, t.typ)
		if problems != nil {
			words := strings.Fields(problems[0].Message)
			c.refused[strings.Join(words[:min(3, len(words))], " ")]++
			continue
		}
		c.exprs, c.trees = append(c.exprs, x), append(c.trees, t)
		if err := c.meet(v, t); err != nil {
			return nil, err
		}
	}
	c.answers = make([][]any, n)
	for i, x := range c.exprs {
		if c.answers[i], err = c.eval(x); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *corpus) eval(x *Expr) ([]any, error) {
	out := make([]any, len(c.rows))
	for i, r := range c.rows {
		var err error
		if out[i], err = x.Eval(r.values); err != nil {
			return nil, fmt.Errorf("seed %d row %d: %w", c.seed, i, err)
		}
	}
	return out, nil
}

// meet notes for every operator of an expression whether its operands were known; of ?: the condition counts.
func (c *corpus) meet(v *Vocabulary, t *tree) error {
	var failed error
	t.walk(func(t *tree) {
		m := c.meets[t.op]
		if m == nil {
			m = &meeting{}
			c.meets[t.op] = m
		}
		if t.op == "" || m.known >= enough && m.unknown >= enough {
			return
		}
		operands := t.args
		if t.op == "?:" {
			operands = t.args[:1]
		}
		gaps := make([]bool, len(c.rows))
		for _, a := range operands {
			x, problems := v.Compile(a.src, a.typ)
			if problems != nil {
				failed = fmt.Errorf("%s stands in an expression and is refused: %v", a.src, problems)
				return
			}
			answers, err := c.eval(x)
			if err != nil {
				failed = err
				return
			}
			for i, y := range answers {
				gaps[i] = gaps[i] || y == nil
			}
		}
		if slices.Contains(gaps, false) {
			m.known++
		}
		if slices.Contains(gaps, true) {
			m.unknown++
		}
	})
	return failed
}

// names binds the lexicon to the columns of the table of rows, parameters as literals.
func names(d Dialect) Names {
	fixed := func(name string) any {
		for _, w := range lexicon {
			if w.Name.Name == name {
				return w.fixed
			}
		}
		return nil
	}
	return Names{
		Value: fixed,
		Column: func(name string) string {
			for _, w := range lexicon {
				if w.Name.Name == name && w.column == "" {
					return Literal(d, w.fixed)
				}
			}
			return name
		},
		Lookup: func(name string, keys ...string) string { return lookup(d, fixed(name), keys) },
		Member: func(name, x string) string {
			var items []string
			switch set := fixed(name).(type) {
			case []int64:
				for _, v := range set {
					items = append(items, Literal(d, v))
				}
			case []string:
				for _, v := range set {
					items = append(items, Literal(d, v))
				}
			}
			return "(" + x + " IN (" + strings.Join(items, ", ") + "))"
		},
	}
}

// lookup writes a table as a CASE over its key, one of two keys as one over both.
func lookup(d Dialect, table any, keys []string) string {
	var arms []string
	arm := func(n int64, when string) { arms = append(arms, " WHEN "+when+" THEN "+Literal(d, n)) }
	switch t := table.(type) {
	case map[int64]int64:
		for k, n := range t {
			arm(n, Literal(d, k))
		}
	case map[string]int64:
		for k, n := range t {
			arm(n, Literal(d, k))
		}
	case Grid:
		for k, n := range t {
			arm(n, keys[0]+" = "+Literal(d, k[0])+" AND "+keys[1]+" = "+Literal(d, k[1]))
		}
		keys = []string{""}
	}
	slices.Sort(arms)
	return "(CASE " + keys[0] + strings.Join(arms, "") + " END)"
}

// engine is one database with the rows of a corpus in it.
type engine struct {
	Dialect
	db *sql.DB
}

func (e engine) sql(x *Expr) string { return x.SQL(e.Dialect, names(e.Dialect)) }

// open opens an empty database of each dialect.
func open(t testing.TB) []engine {
	t.Helper()
	var out []engine
	for _, e := range []struct {
		dialect      Dialect
		driver, name string
	}{{DuckDB, "duckdb", ""}, {Postgres, "pgx", storetest.Postgres(t)}} {
		db, err := sql.Open(e.driver, e.name)
		if err != nil {
			t.Fatal(err)
		}
		db.SetMaxOpenConns(1)
		t.Cleanup(func() { db.Close() })
		out = append(out, engine{e.dialect, db})
	}
	return out
}

// postgresTypes are the columns that PostgreSQL has not, and texts in an order that is no order of bytes.
var postgresTypes = map[string]string{"UTINYINT": "SMALLINT", "VARCHAR": `TEXT COLLATE "und-x-icu"`}

// load puts the rows into a table of each database.
func (c *corpus) load(t testing.TB) []engine {
	t.Helper()
	tuples := make([]string, len(c.rows))
	for i := range c.rows {
		tuples[i] = "(" + strconv.Itoa(i)
	}
	for _, w := range lexicon {
		for i, r := range c.rows {
			if w.column != "" {
				tuples[i] += ", " + Literal(DuckDB, r[w.Name.Name])
			}
		}
	}
	engines := open(t)
	for _, e := range engines {
		columns := []string{"row_number INTEGER"}
		for _, w := range lexicon {
			if w.column == "" {
				continue
			}
			column := w.column
			if other := postgresTypes[column]; e.Name == Postgres.Name && other != "" {
				column = other
			}
			columns = append(columns, w.Name.Name+" "+column)
		}
		for _, q := range []string{"CREATE TABLE subjects (" + strings.Join(columns, ", ") + ")", "INSERT INTO subjects VALUES " + strings.Join(tuples, "), ") + ")"} {
			if _, err := e.db.Exec(q); err != nil {
				t.Fatalf("%s: %v", e.Name, err)
			}
		}
	}
	return engines
}

// difference is a row on which SQL answers otherwise than Eval; row -1 when SQL failed.
type difference struct {
	expr, row int
	sql       string
	got       any
}

func (d difference) in(c *corpus) string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %s\n sql: %s\n sql answers %v", c.seed, c.exprs[d.expr].Source(), d.sql, d.got)
	if d.row >= 0 {
		fmt.Fprintf(&b, ", Eval %v of row %d:", c.answers[d.expr][d.row], d.row)
		for _, name := range c.exprs[d.expr].Inputs() {
			fmt.Fprintf(&b, " %s=%v", name, c.rows[d.row][name])
		}
	}
	return b.String()
}

// compare asks SQL for the answers of the expressions that write gives SQL for, and returns the first difference of each, at most limit.
func (c *corpus) compare(db *sql.DB, limit int, write func(*Expr) (string, bool)) (asked int, out []difference) {
	const together = 25
	var batch []difference
	ask := func() {
		found := c.ask(db, batch)
		if found == nil && len(batch) > 0 { // the query failed: find out by which expression
			for _, one := range batch {
				found = append(found, c.ask(db, []difference{one})...)
			}
		}
		out, batch = append(out, found...), nil
	}
	for i, x := range c.exprs {
		text, ok := write(x)
		if !ok {
			continue
		}
		asked++
		batch = append(batch, difference{expr: i, row: -1, sql: text})
		if len(batch) == together {
			ask()
		}
		if len(out) >= limit {
			return asked, out
		}
	}
	ask()
	return asked, out
}

// ask runs one query; nil if it failed for several expressions, empty if SQL and Eval agree.
func (c *corpus) ask(db *sql.DB, batch []difference) []difference {
	if len(batch) == 0 {
		return nil
	}
	selected := make([]string, len(batch))
	for i, b := range batch {
		selected[i] = b.sql
	}
	out := []difference{}
	fail := func(err error) []difference {
		if len(batch) > 1 {
			return nil
		}
		batch[0].got = err
		return batch
	}
	rows, err := db.Query("SELECT " + strings.Join(selected, ",\n") + " FROM subjects ORDER BY row_number")
	if err != nil {
		return fail(err)
	}
	defer rows.Close()
	values, into := make([]any, len(batch)), make([]any, len(batch))
	for i := range values {
		into[i] = &values[i]
	}
	differs := make([]bool, len(batch))
	n := 0
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			return fail(err)
		}
		for i, b := range batch {
			if got := fromSQL(values[i]); got != c.answers[b.expr][n] && !differs[i] {
				differs[i] = true
				out = append(out, difference{b.expr, n, b.sql, got})
			}
		}
	}
	if err := rows.Err(); err != nil {
		return fail(err)
	}
	if n != len(c.rows) {
		return fail(fmt.Errorf("%d rows", n))
	}
	return out
}

// fromSQL makes what the driver answers a value of the language. A fraction stays one, and so equals nothing.
func fromSQL(v any) any {
	switch v := v.(type) {
	case int8:
		return int64(v)
	case int16:
		return int64(v)
	case int32:
		return int64(v)
	case uint8:
		return int64(v)
	case uint16:
		return int64(v)
	case uint32:
		return int64(v)
	case float64:
		if v == float64(int64(v)) {
			return int64(v)
		}
	case *big.Int:
		if v.IsInt64() {
			return v.Int64()
		}
	case time.Time:
		return calendar.DayOf(v)
	}
	return v
}

func TestSQLAnswersAsEval(t *testing.T) {
	c, err := drawn()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.load(t) {
		t.Run(e.Name, func(t *testing.T) {
			asked, found := c.compare(e.db, 5, func(x *Expr) (string, bool) { return e.sql(x), true })
			for _, d := range found {
				t.Error(d.in(c))
			}
			if len(found) == 0 && asked < 2000 {
				t.Errorf("compared %d expressions, want 2000 at least", asked)
			}
		})
	}
}

// TestCorpusMeetsEverything fails when the comparison above would pass without having looked.
func TestCorpusMeetsEverything(t *testing.T) {
	c, err := drawn()
	if err != nil {
		t.Fatal(err)
	}
	wanted := strings.Fields("&& || ! == != < <= > >= ?: + - * / % -x in startsWith")
	wanted = append(wanted, "int table", "text table", "int grid", "text grid", "in set")
	for _, f := range Functions {
		wanted = append(wanted, f.Name)
	}
	for _, op := range wanted {
		m := c.meets[op]
		if m == nil {
			m = &meeting{}
		}
		if m.known < enough {
			t.Errorf("seed %d: %s met only known operands in %d expressions, want %d", c.seed, op, m.known, enough)
		}
		if m.unknown < enough && op != "day" { // day is of a literal only
			t.Errorf("seed %d: %s met an unknown operand in %d expressions, want %d", c.seed, op, m.unknown, enough)
		}
	}

	tally, bools := map[any]int{}, 0
	typed := map[Type]int{}
	for i, tr := range c.trees {
		typed[tr.typ]++
		if tr.typ == Bool {
			for _, y := range c.answers[i] {
				tally[y]++
				bools++
			}
		}
	}
	for _, y := range []any{true, false, nil} {
		if share := 100 * tally[y] / bools; share < 15 {
			t.Errorf("seed %d: %v is %d%% of the conditions' answers, want 15%% at least", c.seed, y, share)
		}
	}
	for _, typ := range scalars {
		if typed[typ] < len(c.exprs)/20 {
			t.Errorf("seed %d: %d of %d expressions are %s", c.seed, typed[typ], len(c.exprs), typ)
		}
	}

	refused := 0
	for _, n := range c.refused {
		refused += n
	}
	if refused >= len(c.exprs) {
		t.Errorf("seed %d: %d expressions refused and %d accepted: %v", c.seed, refused, len(c.exprs), c.refused)
	}
	t.Logf("seed %d: %d accepted, %d refused %v; conditions true %d, false %d, unknown %d", c.seed, len(c.exprs), refused, c.refused, tally[true], tally[false], tally[nil])
}

// TestClaimsHold checks on the same corpus what Compile and the lists claim: ranges, Requires, Ensures, Looks.
func TestClaimsHold(t *testing.T) {
	c, err := drawn()
	if err != nil {
		t.Fatal(err)
	}
	law := map[string]any{}
	for _, w := range lexicon {
		law[w.Name.Name] = w.fixed
	}
	unknown := func(r row, names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool { return r[name] == nil })
	}
	for i, x := range c.exprs {
		lo, hi := x.Range()
		requires, ensures, looks := x.Requires(), x.Ensures(), x.Looks()
		for _, name := range x.Inputs() {
			w, _ := x.names[name]
			looks = looks || w.Fixed && law[name] == nil // the law leaves it out
		}
		for j, y := range c.answers[i] {
			if n, ok := y.(int64); ok && (n < lo || n > hi) {
				t.Fatalf("seed %d: %s is %d, outside %d to %d", c.seed, x.Source(), n, lo, hi)
			}
			if y == nil && !looks && !unknown(c.rows[j], requires) {
				t.Fatalf("seed %d: %s is unknown though everything of Requires %v is known", c.seed, x.Source(), requires)
			}
			if y == true && unknown(c.rows[j], ensures) {
				t.Fatalf("seed %d: %s holds though one of Ensures %v is unknown", c.seed, x.Source(), ensures)
			}
		}
	}
}

// replace rewrites a tree from the leaves up.
func (n *node) replace(f func(*node) *node) *node {
	out := *n
	out.args = make([]*node, len(n.args))
	for i, a := range n.args {
		out.args[i] = a.replace(f)
	}
	return f(&out)
}

// rewritten says in the language itself what a wrong generator's SQL would mean.
func rewritten(f func(*node) *node) func(engine, *Expr) string {
	return func(e engine, x *Expr) string {
		return e.sql(&Expr{src: x.src, root: x.root.replace(f), names: x.names})
	}
}

func orElse(a, b *node) *node { return &node{op: "value_or", typ: a.typ, args: []*node{a, b}} }

// unguarded is SQL's own least or greatest, which skips NULL.
func unguarded(name string) func(engine, *Expr) string {
	return rewritten(func(n *node) *node {
		if n.op != name {
			return n
		}
		return orElse(n, orElse(n.args[0], n.args[1]))
	})
}

func replaced(from, to string) func(engine, *Expr) string {
	return func(e engine, x *Expr) string { return strings.ReplaceAll(e.sql(x), from, to) }
}

func dialect(change func(*Dialect)) func(engine, *Expr) string {
	return func(e engine, x *Expr) string {
		change(&e.Dialect)
		return e.sql(x)
	}
}

// quotient is another division than the dialect's, but where days are made of it: there a fraction could not be read.
func quotient(f func(a, b string) string) func(engine, *Expr) string {
	return func(e engine, x *Expr) string {
		if right := e.sql(x); strings.Contains(right, "make_date") {
			return right
		}
		e.Quotient = f
		return e.sql(x)
	}
}

// mutants are what a wrong generator of SQL would write.
var mutants = []struct {
	name  string
	only  string // the one dialect in which it is wrong, "" for both
	write func(engine, *Expr) string
}{
	{"a ternary that takes its ELSE when the condition is unknown", "", rewritten(func(n *node) *node {
		if n.op == operators.Conditional {
			n.args[0] = orElse(n.args[0], &node{op: "const", typ: Bool, value: false})
		}
		return n
	})},
	{"a quotient with a fraction", "", quotient(func(a, b string) string { return "(CAST(" + a + " AS DOUBLE PRECISION) / " + b + ")" })},
	{"the quotient of the other database", DuckDB.Name, quotient(Postgres.Quotient)},
	{"a quotient rounded down", "", quotient(func(a, b string) string { return "CAST(floor(CAST(" + a + " AS NUMERIC) / " + b + ") AS BIGINT)" })},
	{"least that skips NULL", "", unguarded("least")},
	{"greatest that skips NULL", "", unguarded("greatest")},
	{"unequal that takes NULL for a value", "", replaced(" <> ", " IS DISTINCT FROM ")},
	{"equal that takes NULL for a value", "", replaced(" = ", " IS NOT DISTINCT FROM ")},
	{"arithmetic in the width of the column", "", dialect(func(d *Dialect) { d.Wide = func(x string) string { return x } })},
	{"startsWith as LIKE", "", dialect(func(d *Dialect) {
		d.Starts = func(x, prefix string) string { return "(" + x + " LIKE " + prefix + " || '%')" }
	})},
	{"text in the order of the columns", Postgres.Name, dialect(func(d *Dialect) { d.Binary = DuckDB.Binary })},
	{"a number of a text with a line after it", Postgres.Name, replaced("{1,9}$'", "{1,9}\\n?$'")},
	{"months counted without the day of the month", "", dialect(func(d *Dialect) {
		field := d.Field
		d.Field = func(part, x string) string {
			if part == "day" {
				return "1"
			}
			return field(part, x)
		}
	})},
	{"a month added by the engine's own overflow", "", func(e engine, x *Expr) string {
		return strings.ReplaceAll(e.sql(x), "least(make_date(", "greatest(make_date(")
	}},
	{"years by 365 days", "", rewritten(func(n *node) *node {
		if n.op != "years_between" {
			return n
		}
		return &node{op: operators.Divide, typ: Int, args: []*node{{op: "days_between", typ: Int, args: n.args}, {op: "const", typ: Int, value: int64(365)}}}
	})},
	{"a half-year that begins in June", "", replaced(" + 5)", " + 6)")},
	{"a stretch that ends on the first day of the next", "", replaced(" - 1)", " - 0)")},
	{"a half rounded to the even one", "", rewritten(func(n *node) *node {
		if n.op == "part_of" && n.args[3].value == "half_up" {
			n.args[3] = &node{op: "const", typ: Text, value: "half_even"}
		}
		return n
	})},
	{"a part rounded up where it is rounded down", "", rewritten(func(n *node) *node {
		if n.op == "part_of" && n.args[3].value == "down" {
			n.args[3] = &node{op: "const", typ: Text, value: "up"}
		}
		return n
	})},
	{"a part of a debt rounded as one of an amount", "", replaced("< 0 THEN -1 ELSE", "< 0 THEN 1 ELSE")},
	{"a set that refuses the silent", "", func(e engine, x *Expr) string {
		n := names(e.Dialect)
		member := n.Member
		n.Member = func(name, x string) string { return "coalesce(" + member(name, x) + ", FALSE)" }
		return x.SQL(e.Dialect, n)
	}},
	{"a table of two keys asked by the first alone", "", func(e engine, x *Expr) string {
		n := names(e.Dialect)
		lookup := n.Lookup
		n.Lookup = func(name string, keys ...string) string {
			if len(keys) == 2 {
				keys[1] = map[string]string{"p.grid_fen": "'master'", "p.tiers": "0"}[name]
			}
			return lookup(name, keys...)
		}
		return x.SQL(e.Dialect, n)
	}},
	{"a guess for what a table lacks", "", func(e engine, x *Expr) string {
		n := names(e.Dialect)
		lookup := n.Lookup
		n.Lookup = func(name string, keys ...string) string { return "coalesce(" + lookup(name, keys...) + ", 0)" }
		return x.SQL(e.Dialect, n)
	}},
}

// TestMutantsAreFound plants them. The comparison must find each, on each database, or it proves nothing.
func TestMutantsAreFound(t *testing.T) {
	c, err := drawn()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range c.load(t) {
		for _, m := range mutants {
			if m.only != "" && m.only != e.Name {
				continue
			}
			t.Run(e.Name+": "+m.name, func(t *testing.T) {
				touched, found := c.compare(e.db, 4, func(x *Expr) (string, bool) {
					s := m.write(e, x)
					return s, s != e.sql(x)
				})
				if len(found) == 0 {
					t.Fatalf("seed %d: not found, though %d expressions contain it", c.seed, touched)
				}
				i := slices.IndexFunc(found, func(d difference) bool { // SQL that cannot be read is no mutant
					err, failed := d.got.(error)
					return !failed || strings.Contains(err.Error(), "Overflow") || strings.Contains(err.Error(), "out of range")
				})
				if i < 0 {
					t.Fatalf("not one that the database could read: %s", found[0].in(c))
				}
				t.Log(found[i].in(c))
			})
		}
	}
}
