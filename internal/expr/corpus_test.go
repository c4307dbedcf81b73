package expr

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"

	"bole/internal/calendar"
)

// word is a name of the test's vocabulary, the SQL type of its column, and the values that its rows may have.
type word struct {
	Name
	column string // UTINYINT, DATE ..; "" for a parameter or a constant, which is a literal in SQL
	values []any  // of a fact: picked with equal chance, beside any number between Min and Max
	fixed  any    // of a parameter
}

func days(list ...string) []any {
	var out []any
	for _, s := range list {
		out = append(out, calendar.MustParse(s))
	}
	return out
}

var degrees = []string{"bachelor", "master", "doctor"}

// lexicon has every type, ints of every width and sign, facts that are never unknown, parameters, one that the law leaves out, and constants.
var lexicon = []word{
	{Name: Name{Name: "age_years", Type: Int, Min: 0, Max: 150}, column: "UTINYINT", values: []any{int64(0), int64(35), int64(36), int64(150)}},
	{Name: Name{Name: "level", Type: Int, Min: 0, Max: 6}, column: "UTINYINT"},
	{Name: Name{Name: "offset_months", Type: Int, Min: -500, Max: 500}, column: "SMALLINT", values: []any{int64(-500), int64(-1), int64(0), int64(1), int64(500)}},
	{Name: Name{Name: "short_days", Type: Int, Min: -32768, Max: 32767}, column: "SMALLINT", values: []any{int64(-32768), int64(32767), int64(0)}},
	{Name: Name{Name: "balance_fen", Type: Int, Min: -2147483648, Max: 2147483647}, column: "INTEGER", values: []any{int64(-2147483648), int64(2147483647), int64(-1)}},
	{Name: Name{Name: "paid_fen", Type: Int, Min: -1_000_000_000_000, Max: 1_000_000_000_000}, column: "BIGINT", values: []any{int64(-1_000_000_000_000), int64(1_000_000_000_000), int64(60000)}},
	{Name: Name{Name: "serial", Type: Int}, column: "BIGINT", values: []any{int64(math.MinInt64), int64(math.MaxInt64), int64(math.MinInt64 + 1), int64(0)}},
	{Name: Name{Name: "children", Type: Int, Min: 0, Max: 20, Sure: true}, column: "UTINYINT", values: []any{int64(0), int64(1), int64(2)}},
	{Name: Name{Name: "debt_fen", Type: Int, Min: -90000, Max: 90000, Sure: true}, column: "INTEGER", values: []any{int64(0)}},
	{Name: Name{Name: "owns_home", Type: Bool}, column: "BOOLEAN", values: []any{true, false}},
	{Name: Name{Name: "insured", Type: Bool}, column: "BOOLEAN", values: []any{true, false}},
	{Name: Name{Name: "resident", Type: Bool, Sure: true}, column: "BOOLEAN", values: []any{true, false}},
	{Name: Name{Name: "degree", Type: Text, Codes: degrees}, column: "VARCHAR", values: []any{"bachelor", "master", "doctor"}},
	{Name: Name{Name: "place", Type: Text}, column: "VARCHAR", values: []any{"", "it's", "a_b", "axb", "a%", "abc", "Abc", "博士", "博", `\`, "z", "é", "e\u0301", "𠀀", "\uffee", "24", "24\n", "1234567890"}},
	{Name: Name{Name: "kind", Type: Text, Codes: []string{"a", "ab", "b"}, Sure: true}, column: "VARCHAR", values: []any{"a", "ab", "b"}},
	{Name: Name{Name: "born_on", Type: Day}, column: "DATE", values: days("1900-01-01", "1904-02-29", "1960-02-29", "1969-12-31", "1970-01-01", "1988-12-31", "1999-05-31", "2000-02-29", "2001-03-01")},
	{Name: Name{Name: "since", Type: Day}, column: "DATE", values: days("2023-12-31", "2024-01-31", "2024-02-28", "2024-02-29", "2024-03-01", "2024-12-20", "2025-02-28", "2199-12-31")},
	{Name: Name{Name: "claimed_on", Type: Day, Sure: true}, column: "DATE", values: days("1968-03-30", "2024-01-30", "2024-02-29", "2024-12-31", "2025-01-01")},
	{Name: Name{Name: "p.months_min", Type: Int, Min: 1, Max: 60, Fixed: true}, fixed: int64(6)},
	{Name: Name{Name: "p.gap_fen", Type: Int, Min: -5, Max: 5, Fixed: true}},
	{Name: Name{Name: "p.gap_on", Type: Day, Fixed: true}},
	{Name: Name{Name: "p.gap_text", Type: Text, Fixed: true}},
	{Name: Name{Name: "p.gap_holds", Type: Bool, Fixed: true}},
	{Name: Name{Name: "p.from", Type: Day, Fixed: true}, fixed: calendar.MustParse("2023-07-01")},
	{Name: Name{Name: "p.place", Type: Text, Fixed: true}, fixed: "it's"},
	{Name: Name{Name: "p.strict", Type: Bool, Fixed: true}, fixed: true},
	{Name: Name{Name: "p.amount_fen", Type: IntTable, Min: -600, Max: 90000, Fixed: true, Repeats: 6}, fixed: map[int64]int64{-1: -600, 0: 0, 1: 60000, 2: 80000, 4: 90000, 6: 1}},
	{Name: Name{Name: "p.rate", Type: TextTable, Min: 0, Max: 100, Fixed: true, Repeats: 6}, fixed: map[string]int64{"bachelor": 40, "doctor": 100, "it's": 7, "": 0, "a": 1, "博士": 99}},
	{Name: Name{Name: "p.share", Type: Int, Min: 0, Max: 1000, Fixed: true}, fixed: int64(333)},
	{Name: Name{Name: "p.grid_fen", Type: IntTextGrid, Min: -600, Max: 90000, Fixed: true, Repeats: 8}, fixed: Grid{{int64(1), "bachelor"}: 100, {int64(1), "it's"}: -600, {int64(3), "doctor"}: 90000, {int64(0), "master"}: 1, {int64(2), "master"}: 2, {int64(2), "doctor"}: 3, {int64(5), "bachelor"}: 4, {int64(-1), ""}: 7}},
	{Name: Name{Name: "p.tiers", Type: TextIntGrid, Min: 0, Max: 9, Fixed: true, Repeats: 6}, fixed: Grid{{"master", int64(0)}: 1, {"master", int64(1)}: 2, {"a", int64(2)}: 9, {"b", int64(0)}: 3, {"ab", int64(1)}: 4, {"it's", int64(6)}: 0}},
	{Name: Name{Name: "p.levels", Type: IntSet, Fixed: true}, fixed: []int64{-1, 0, 2, 4, 300}},
	{Name: Name{Name: "p.places", Type: TextSet, Fixed: true}, fixed: []string{"", "it's", "master", "a%", "博士", `\`}},
	{Name: Name{Name: "months_max", Type: Int, Const: int64(36)}},
	{Name: Name{Name: "least_int", Type: Int, Const: int64(math.MinInt64)}},
	{Name: Name{Name: "master_degree", Type: Text, Const: "master"}},
	{Name: Name{Name: "always", Type: Bool, Const: true}},
}

func lexiconVocabulary() (*Vocabulary, error) {
	names := make([]Name, len(lexicon))
	for i, w := range lexicon {
		names[i] = w.Name
	}
	return NewVocabulary(names...)
}

// row is one subject's values by name; an absent one is unknown.
type row map[string]any

func (r row) values(name string) any { return r[name] }

// drawRows makes n subjects whose unsure facts are unknown one time in four.
func drawRows(r *rand.Rand, n int) []row {
	out := make([]row, n)
	for i := range out {
		out[i] = row{}
		for _, w := range lexicon {
			switch {
			case w.column == "":
				if w.fixed != nil {
					out[i][w.Name.Name] = w.fixed
				}
			case !w.Sure && r.IntN(4) == 0:
			case w.Type == Int && (len(w.values) == 0 || r.IntN(2) == 0):
				out[i][w.Name.Name] = between(r, w.Min, w.Max)
			default:
				out[i][w.Name.Name] = w.values[r.IntN(len(w.values))]
			}
		}
	}
	return out
}

// between draws from lo to hi, any int where both are 0.
func between(r *rand.Rand, lo, hi int64) int64 {
	if lo == 0 && hi == 0 {
		return int64(r.Uint64())
	}
	return lo + r.Int64N(hi-lo+1)
}

// tree is a drawn expression: enough of it to know which operator met which operands.
type tree struct {
	op   string // as a reader writes it, "-x" for the minus of one operand, "int table", "text table"; "" of a leaf
	src  string
	typ  Type
	args []*tree // a table itself and the literals of in are not among them
}

func (t *tree) walk(f func(*tree)) {
	f(t)
	for _, a := range t.args {
		a.walk(f)
	}
}

// author draws expressions: typed ones, most of which Compile accepts.
type author struct{ *rand.Rand }

var scalars = []Type{Bool, Int, Text, Day}

func (a author) one(of ...string) string { return of[a.IntN(len(of))] }

func (a author) chance(percent int) bool { return a.IntN(100) < percent }

// write puts operands into a pattern: write("+", Int, "(%s + %s)", x, y).
func write(op string, typ Type, pattern string, args ...*tree) *tree {
	srcs := make([]any, len(args))
	for i, x := range args {
		srcs[i] = x.src
	}
	return &tree{op: op, typ: typ, src: fmt.Sprintf(pattern, srcs...), args: args}
}

// expr draws an expression of a type, at most depth operators deep.
func (a author) expr(t Type, depth int) *tree {
	if depth <= 0 || a.chance(15) {
		return a.leaf(t)
	}
	x := func(t Type) *tree { return a.expr(t, depth-1) }
	if a.chance(8) {
		return write("?:", t, "(%s ? %s : %s)", x(Bool), x(t), x(t))
	}
	if a.chance(5) {
		return write("value_or", t, "value_or(%s, %s)", x(t), a.leaf(t))
	}
	switch t {
	case Bool:
		return a.condition(x)
	case Int:
		return a.number(x)
	case Day:
		return a.day(x)
	}
	if a.chance(50) {
		return a.leaf(Text)
	}
	return write("part", Text, "part(%s, "+a.one("1, 1", "1, 2", "2, 1", "2, 3", "9, 2")+")", x(Text))
}

func (a author) condition(x func(Type) *tree) *tree {
	switch a.IntN(16) {
	case 0, 1, 2, 3:
		op := a.one("&&", "||")
		return write(op, Bool, "(%s "+op+" %s)", x(Bool), x(Bool))
	case 4:
		return write("!", Bool, "!%s", x(Bool))
	case 5, 6:
		op, t := a.one("==", "!="), scalars[a.IntN(4)]
		if t == Text && a.chance(50) {
			return write(op, Bool, "(%s "+op+" %s)", a.leafOf("degree"), a.literalOf(degrees...))
		}
		return write(op, Bool, "(%s "+op+" %s)", x(t), x(t))
	case 7, 8, 9, 10:
		op, t := a.one("<", "<=", ">", ">="), scalars[1+a.IntN(3)]
		return write(op, Bool, "(%s "+op+" %s)", x(t), x(t))
	case 11, 15:
		if a.chance(50) {
			t := scalars[1+a.IntN(2)]
			return write("in set", Bool, "(%s in "+map[Type]string{Int: "p.levels", Text: "p.places"}[t]+")", x(t))
		}
		if a.chance(50) {
			return write("in", Bool, "(%s in ["+a.list(Int)+"])", x(Int))
		}
		return write("in", Bool, "(%s in ["+strings.ReplaceAll(a.list(Text), "%", "%%")+"])", x(Text))
	case 12, 13:
		prefix := strconv.Quote(a.one("", "a", "a_", "a%", "it'", "博", "b", "m", `\`))
		return write("startsWith", Bool, "%s.startsWith("+strings.ReplaceAll(prefix, "%", "%%")+")", x(Text))
	}
	return write("known", Bool, "known(%s)", x(scalars[a.IntN(4)]))
}

func (a author) number(x func(Type) *tree) *tree {
	switch a.IntN(32) {
	case 12, 17, 21, 22:
		f := a.one("year_of", "month_of", "day_of", "half_year_of")
		return write(f, Int, f+"(%s)", x(Day))
	case 18, 19, 30:
		part := a.one("p.share", "children", "37", "-37")
		return write("part_of", Int, "part_of(%s, %s, "+a.one("2", "2", "4", "7", "12", "100", "1000", "1")+", "+strconv.Quote(a.one(Roundings...))+")", x(Int), a.leafOrLiteral(part))
	case 20:
		return write("months_in_years", Int, "months_in_years(%s)", x(Int))
	case 15, 28:
		return write("length_of", Int, "length_of(%s)", x(Text))
	case 16, 29:
		return write("number_of", Int, "number_of(%s, %s)", x(Text), a.literalOf("0", "-1", "3000000000"))
	case 0, 1, 2:
		op := a.one("+", "-")
		return write(op, Int, "(%s "+op+" %s)", x(Int), x(Int))
	case 3:
		return write("*", Int, "(%s * %s)", x(Int), a.leaf(Int))
	case 4, 5, 6:
		op := a.one("/", "%")
		return write(op, Int, "(%s "+strings.ReplaceAll(op, "%", "%%")+" %s)", x(Int), a.literalOf("2", "3", "7", "-2", "-7", "10", "12", "-1", "1", "1000", "3000000000"))
	case 7, 31:
		return write("-x", Int, "-(%s)", x(Int))
	case 8, 9, 23, 24, 25, 26:
		if a.chance(40) {
			key := a.leafOf("level")
			if a.chance(30) {
				key = x(Int)
			}
			return write("int table", Int, "p.amount_fen[%s]", key)
		}
		if a.chance(50) {
			if a.chance(50) {
				return write("int grid", Int, "p.grid_fen[%s][%s]", a.key(Int, "level", "1", "3"), a.key(Text, "degree", "place"))
			}
			return write("text grid", Int, "p.tiers[%s][%s]", a.key(Text, "degree", "kind"), a.key(Int, "children", "level"))
		}
		return write("text table", Int, "p.rate[%s]", x(Text))
	case 10, 11, 27:
		f := a.one("years_between", "months_between", "days_between")
		return write(f, Int, f+"(%s, %s)", x(Day), x(Day))
	}
	f := a.one("least", "greatest")
	return write(f, Int, f+"(%s, %s)", x(Int), x(Int))
}

func (a author) day(x func(Type) *tree) *tree {
	switch a.IntN(10) {
	case 6, 7, 8, 9:
		f := a.one("first_of_month", "last_of_month", "first_of_half_year", "last_of_half_year", "first_of_year", "last_of_year")
		return write(f, Day, f+"(%s)", x(Day))
	case 0, 1:
		f := a.one("least", "greatest")
		return write(f, Day, f+"(%s, %s)", x(Day), x(Day))
	case 2, 3:
		return write("add_months", Day, "add_months(%s, %s)", a.leaf(Day), a.short(x))
	}
	return write("add_days", Day, "add_days(%s, %s)", a.leaf(Day), a.short(x))
}

// short draws a number that may be added to a day.
func (a author) short(x func(Type) *tree) *tree {
	switch a.IntN(4) {
	case 0:
		return write("%", Int, "(%s %% %s)", x(Int), a.literalOf("13", "-40", "1200"))
	case 1:
		return a.literalOf("-1200", "-13", "-12", "-1", "0", "1", "11", "12", "1200")
	case 2:
		return x(Int)
	}
	return a.leafOf("offset_months", "age_years", "children", "p.months_min", "months_max")
}

func (a author) list(t Type) string {
	items := make([]string, 1+a.IntN(4))
	for i := range items {
		items[i] = a.literal(t).src
	}
	return strings.Join(items, ", ")
}

// leaf draws a word or a literal.
func (a author) leaf(t Type) *tree {
	if a.chance(20) {
		return a.literal(t)
	}
	var names []string
	for _, w := range lexicon {
		gap := strings.HasPrefix(w.Name.Name, "p.gap")
		if w.Type == t && (!gap || a.chance(15)) {
			names = append(names, w.Name.Name)
		}
	}
	return a.leafOf(names...)
}

func (a author) leafOf(names ...string) *tree {
	name := a.one(names...)
	for _, w := range lexicon {
		if w.Name.Name == name {
			return &tree{src: name, typ: w.Type}
		}
	}
	panic(name)
}

// key draws a key of a table: mostly one that it has.
func (a author) key(t Type, words ...string) *tree {
	if a.chance(20) {
		return a.expr(t, 2)
	}
	return a.leafOrLiteral(a.one(words...))
}

func (a author) leafOrLiteral(s string) *tree {
	if _, err := strconv.Atoi(s); err == nil {
		return a.literalOf(s)
	}
	return a.leafOf(s)
}

func (a author) literalOf(literals ...string) *tree {
	s := a.one(literals...)
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return &tree{src: s, typ: Int}
	}
	return &tree{src: strconv.Quote(s), typ: Text}
}

func (a author) literal(t Type) *tree {
	switch t {
	case Bool:
		return &tree{src: a.one("true", "false"), typ: t}
	case Int:
		return a.literalOf("0", "1", "-1", "2", "6", "35", "36", "-7", "150", "255", "256", "300", "-129", "2024", "32768", "-40000", "60000", "2147483647", "2147483648", "-2147483649",
			"9223372036854775807", "-9223372036854775808")
	case Text:
		return &tree{src: strconv.Quote(a.one("bachelor", "master", "doctor", "", "it's", "a", "ab", "a_b", "a%", "博士", `\`, `"`, "0", "24", "123456789", "1234567890", "-1", "２", "1博", "24\n", "é", "e\u0301")), typ: t}
	}
	d := &tree{src: strconv.Quote(a.one("1900-01-01", "1960-02-29", "1969-12-31", "1970-01-01", "2023-12-31", "2024-02-29", "2024-12-20", "2025-01-31", "2199-12-31")), typ: Text}
	return write("day", Day, "day(%s)", d)
}
