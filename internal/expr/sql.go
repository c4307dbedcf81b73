package expr

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"cel.dev/cel-go/common/operators"
)

// Dialect is what differs between databases: a third one is one more value.
type Dialect struct {
	Name     string
	Wide     func(x string) string        // a 64-bit integer
	Quotient func(a, b string) string     // truncated towards zero, as CEL does
	Binary   func(x string) string        // a text that is compared by its bytes, which is by code points
	Day      func(d calendar.Day) string  // a literal
	Starts   func(x, with string) string  // whether a text begins with another
	Field    func(part, d string) string  // the year, month or day of a day
	Date     func(y, m, d string) string  // a day by its year, month and day of the month
	NumberOf func(x, other string) string // a text of one to nine digits as an integer, or the other number
}

func cast(x, as string) string { return "CAST(" + x + " AS " + as + ")" }

// DuckDB is the dialect of the lake.
var DuckDB = Dialect{
	Name:     "duckdb",
	Wide:     func(x string) string { return cast(x, "BIGINT") },
	Quotient: func(a, b string) string { return "(" + a + " // " + b + ")" },
	Binary:   func(x string) string { return x },
	Day:      func(d calendar.Day) string { return "DATE '" + d.String() + "'" },
	Starts:   func(x, with string) string { return "starts_with(" + x + ", " + with + ")" },
	Field:    func(part, d string) string { return part + "(" + d + ")" },
	Date:     func(y, m, d string) string { return "make_date(" + y + ", " + m + ", " + d + ")" },
	NumberOf: func(x, other string) string {
		digits := "regexp_full_match(" + x + ", '[0-9]{1,9}')"
		return "(CASE WHEN " + digits + " THEN TRY_CAST(" + x + " AS BIGINT) WHEN NOT " + digits + " THEN " + other + " END)"
	},
}

// Postgres is the dialect of the office's database. PostgreSQL works out constants before it runs a query, inside a CASE too, so nothing
// here may fail for any value: a cast is of what a pattern has cut out.
var Postgres = Dialect{
	Name:     "postgres",
	Wide:     DuckDB.Wide,
	Quotient: func(a, b string) string { return "(" + a + " / " + b + ")" },
	Binary:   func(x string) string { return "(" + x + ` COLLATE "C")` },
	Day:      DuckDB.Day,
	Starts:   DuckDB.Starts,
	Field:    func(part, d string) string { return cast("extract("+part+" FROM "+d+")", "BIGINT") },
	Date: func(y, m, d string) string {
		return "make_date(" + cast(y, "INTEGER") + ", " + cast(m, "INTEGER") + ", " + cast(d, "INTEGER") + ")"
	},
	NumberOf: func(x, other string) string {
		digits := "substring(" + x + " FROM '^[0-9]{1,9}$')"
		return "(CASE WHEN " + x + " IS NOT NULL THEN coalesce(" + cast(digits, "BIGINT") + ", " + other + ") END)"
	},
}

// Names binds an expression's names to SQL.
type Names struct {
	Column func(name string) string                 // a fact or a parameter: a column, a literal, or an expression over columns
	Lookup func(name string, keys ...string) string // a table's number for its key or keys, NULL where it has none
	Member func(name, x string) string              // whether a set has x, NULL where x is
	Value  Values                                   // of a name that is the same for everybody, nil of any other; may be nil
}

// SQL writes the expression for a dialect. It is NULL exactly where Eval answers unknown.
func (x *Expr) SQL(d Dialect, names Names) string {
	g := generator{d: d, names: names, vocabulary: x.names}
	return g.sql(x.root)
}

type generator struct {
	d          Dialect
	names      Names
	vocabulary map[string]Name
}

var infix = map[string]string{
	operators.LogicalAnd: "AND", operators.LogicalOr: "OR",
	operators.Equals: "=", operators.NotEquals: "<>", operators.Less: "<", operators.LessEquals: "<=", operators.Greater: ">", operators.GreaterEquals: ">=",
}

// sqlTypes are the types by names that every dialect knows.
var sqlTypes = map[Type]string{Bool: "BOOLEAN", Int: "BIGINT", Text: "VARCHAR", Day: "DATE"}

var arithmetic = map[string]string{operators.Add: "+", operators.Subtract: "-", operators.Multiply: "*", operators.Modulo: "%", "months_in_years": "*"}

var ordered = []string{operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals}

func (g generator) sql(n *node) string {
	arg := func(i int) string { return g.sql(n.args[i]) }
	if op, ok := infix[n.op]; ok {
		if n.args[0].typ == Text && slices.Contains(ordered, n.op) {
			return "(" + g.d.Binary(arg(0)) + " " + op + " " + g.d.Binary(arg(1)) + ")"
		}
		return "(" + arg(0) + " " + op + " " + arg(1) + ")"
	}
	if op, ok := arithmetic[n.op]; ok {
		return "(" + g.wide(n.args[0]) + " " + op + " " + g.wide(n.args[1]) + ")"
	}
	if n.typ == Day && n.op != "name" {
		if d, ok := g.day(n); ok {
			return g.d.Day(d)
		}
	}
	switch n.op {
	case "const":
		return g.literal(n.value)
	case "name":
		s := g.names.Column(n.name)
		if s == "NULL" { // of no type: year(NULL) would be refused
			return "CAST(NULL AS " + sqlTypes[n.typ] + ")"
		}
		return s
	case operators.LogicalNot:
		return "(NOT " + arg(0) + ")"
	case operators.Conditional:
		c := arg(0)
		return "(CASE WHEN " + c + " THEN " + arg(1) + " WHEN NOT " + c + " THEN " + arg(2) + " END)"
	case operators.Divide:
		return g.d.Quotient(g.wide(n.args[0]), g.wide(n.args[1]))
	case operators.Negate:
		return "(- " + g.wide(n.args[0]) + ")"
	case operators.In:
		if n.name != "" {
			return g.names.Member(n.name, arg(0))
		}
		items := make([]string, len(n.list))
		for i, v := range n.list {
			items[i] = g.literal(v)
		}
		return "(" + arg(0) + " IN (" + strings.Join(items, ", ") + "))"
	case operators.Index:
		keys := make([]string, len(n.args))
		for i := range keys {
			keys[i] = arg(i)
		}
		return g.names.Lookup(n.name, keys...)
	case "startsWith":
		return g.d.Starts(arg(0), arg(1))
	case "least":
		return g.choose(n, "<=")
	case "greatest":
		return g.choose(n, ">=")
	case "known":
		return "(" + arg(0) + " IS NOT NULL)"
	case "value_or":
		return "coalesce(" + arg(0) + ", " + arg(1) + ")"
	case "part":
		return "substr(" + arg(0) + ", " + arg(1) + ", " + arg(2) + ")"
	case "number_of":
		return g.d.NumberOf(arg(0), g.wide(n.args[1]))
	case "length_of":
		return "length(" + arg(0) + ")"
	case "part_of":
		return g.partOf(n)
	case "add_days":
		return "(" + arg(0) + " + " + cast(arg(1), "INTEGER") + ")"
	case "add_months":
		return g.addMonths(arg(0), g.wide(n.args[1]))
	case "days_between":
		return "(" + arg(1) + " - " + arg(0) + ")"
	case "years_between":
		return g.d.Quotient("("+g.digits(arg(1), "10000")+" - "+g.digits(arg(0), "10000")+")", "10000")
	case "months_between":
		return g.d.Quotient("("+g.digits(arg(1), "1200")+" - "+g.digits(arg(0), "1200")+")", "100")
	case "year_of", "month_of", "day_of":
		return g.d.Field(strings.TrimSuffix(n.op, "_of"), arg(0))
	case "half_year_of":
		return g.d.Quotient("("+g.d.Field("month", arg(0))+" + 5)", "6")
	case "first_of_month", "last_of_month", "first_of_half_year", "last_of_half_year", "first_of_year", "last_of_year":
		return g.stretch(n.op, arg(0))
	}
	panic("expr: no SQL for " + n.op)
}

// choose writes least and greatest so that an unknown operand makes them unknown: SQL's own skip NULL.
func (g generator) choose(n *node, op string) string {
	a, b := g.sql(n.args[0]), g.sql(n.args[1])
	return fmt.Sprintf("(CASE WHEN %[1]s %[3]s %[2]s THEN %[1]s WHEN NOT (%[1]s %[3]s %[2]s) THEN %[2]s END)", a, b, op)
}

// day works out a day that is the same for everybody, such as the end of the month before the day asked about: DuckDB takes half a second
// to fold the two functions of it.
func (g generator) day(n *node) (calendar.Day, bool) {
	values := g.names.Value
	if values == nil {
		values = func(string) any { return nil }
	}
	switch n.op {
	case "const":
		d, ok := n.value.(calendar.Day)
		return d, ok
	case "name":
		d, ok := values(n.name).(calendar.Day)
		return d, ok
	case "add_days", "add_months":
		d, ok := g.day(n.args[0])
		by, known := number(n.args[1], values)
		if !ok || !known {
			return 0, false
		}
		if n.op == "add_days" {
			return d.AddDays(int(by)), true
		}
		return d.AddMonths(int(by)), true
	}
	f, ok := stretches[n.op]
	if !ok {
		return 0, false
	}
	d, ok := g.day(n.args[0])
	if !ok {
		return 0, false
	}
	return f(d), true
}

// digits is a day as an integer whose last two digits are the day of its month: yyyymmdd with 10000 a year, and with 1200 months without a gap.
func (g generator) digits(d, year string) string {
	return "(" + g.d.Field("year", d) + " * " + year + " + " + g.d.Field("month", d) + " * 100 + " + g.d.Field("day", d) + ")"
}

// month is a month's index.
func (g generator) month(d string) string {
	return "(" + g.d.Field("year", d) + " * 12 + " + g.d.Field("month", d) + " - 1)"
}

// first is the first day of a month by its index.
func (g generator) first(index string) string {
	return g.d.Date(g.d.Quotient(index, "12"), index+" % 12 + 1", "1")
}

// addMonths is the day itself that many months later, but never past the month's last. least skips NULL, but both are NULL where d or n is.
func (g generator) addMonths(d, n string) string {
	index := "(" + g.month(d) + " + " + n + ")"
	return fmt.Sprintf("least(%s + %s, %s - 1)", g.first(index), cast(g.d.Field("day", d)+" - 1", "INTEGER"), g.first("("+index+" + 1)"))
}

// stretch is the first or the last day of the stretch of months that a day is in. Without a day there is no year, and so no date.
func (g generator) stretch(op, d string) string {
	year, month := g.d.Field("year", d), g.d.Field("month", d)
	half := func(first, second string) string {
		return "(CASE WHEN " + month + " < 7 THEN " + first + " ELSE " + second + " END)"
	}
	switch op {
	case "first_of_month":
		return g.d.Date(year, month, "1")
	case "last_of_month":
		return "(" + g.first("("+g.month(d)+" + 1)") + " - 1)"
	case "first_of_half_year":
		return g.d.Date(year, half("1", "7"), "1")
	case "last_of_half_year":
		return g.d.Date(year, half("6", "12"), half("30", "31"))
	case "first_of_year":
		return g.d.Date(year, "1", "1")
	}
	return g.d.Date(year, "12", "31")
}

// partOf rounds by whole numbers alone. The divisor is doubled where a half decides; half_even takes back what half_up added to an even half.
func (g generator) partOf(n *node) string {
	p := "(" + g.wide(n.args[0]) + " * " + g.wide(n.args[1]) + ")"
	by := n.args[2].value.(int64)
	sign := "(CASE WHEN " + p + " < 0 THEN -1 ELSE 1 END)"
	half := g.d.Quotient(fmt.Sprintf("(%s * 2 + %d * %s)", p, by, sign), strconv.FormatInt(2*by, 10))
	switch n.args[3].value {
	case "down":
		return g.d.Quotient(p, strconv.FormatInt(by, 10))
	case "up":
		return g.d.Quotient(fmt.Sprintf("(%s + %d * %s)", p, by-1, sign), strconv.FormatInt(by, 10))
	case "half_up":
		return half
	}
	return fmt.Sprintf("(%s - CASE WHEN abs(%s * 2) %% %d = %d AND %s %% 2 <> 0 THEN %s ELSE 0 END)", half, p, 2*by, by, half, sign)
}

// wide makes an operand of arithmetic a 64-bit integer, so that a narrow column never overflows on the way.
func (g generator) wide(n *node) string {
	s := g.sql(n)
	if _, ok := arithmetic[n.op]; ok || n.op == operators.Divide || n.op == operators.Negate {
		return s
	}
	return g.d.Wide(s)
}

func (g generator) literal(v any) string {
	switch v := v.(type) {
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case int64:
		if v == math.MinInt64 { // whose digits alone are beyond 64 bits
			return "(-9223372036854775807 - 1)"
		}
		if v < 0 {
			return "(" + strconv.FormatInt(v, 10) + ")"
		}
		return strconv.FormatInt(v, 10)
	case string:
		return Quote(v)
	case calendar.Day:
		return g.d.Day(v)
	}
	panic(fmt.Sprintf("expr: no literal for %T", v))
}

// Quote writes a text as an SQL literal. A NUL byte never reaches it: Compile and the pack's code lists refuse one.
func Quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Literal writes a value of the language (bool, int64, string, calendar.Day) for a dialect, NULL for nil.
func Literal(d Dialect, v any) string {
	if v == nil {
		return "NULL"
	}
	return generator{d: d}.literal(v)
}
