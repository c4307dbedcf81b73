package expr

import (
	"fmt"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"cel.dev/cel-go/common/operators"
)

// Dialect is what differs between databases: a third one is one more value.
type Dialect struct {
	Name       string
	Wide       func(x string) string         // a 64-bit integer
	Quotient   func(a, b string) string      // truncated towards zero, as CEL does
	Day        func(d calendar.Day) string   // a literal
	Starts     func(x, prefix string) string //
	AddDays    func(d, n string) string      //
	AddMonths  func(d, n string) string      // the same day, or the month's last
	Digits     func(d string) string         // yyyymmdd as an integer
	DaysAfter  func(from, to string) string  // days from one day to another
	MonthIndex func(d string) string         // year * 12 + month - 1
	DayOfMonth func(d string) string         //
	YearOf     func(d string) string         //
	NumberOf   func(x, other string) string  // a text of one to nine digits as an integer, or the other number
}

// DuckDB is the dialect of the lake.
var DuckDB = Dialect{
	Name:       "duckdb",
	Wide:       func(x string) string { return "CAST(" + x + " AS BIGINT)" },
	Quotient:   func(a, b string) string { return "(" + a + " // " + b + ")" },
	Day:        func(d calendar.Day) string { return "DATE '" + d.String() + "'" },
	Starts:     func(x, prefix string) string { return "starts_with(" + x + ", " + prefix + ")" },
	AddDays:    func(d, n string) string { return "(" + d + " + CAST(" + n + " AS INTEGER))" },
	Digits:     func(d string) string { return "(year(" + d + ") * 10000 + month(" + d + ") * 100 + day(" + d + "))" },
	DaysAfter:  func(from, to string) string { return "(" + to + " - " + from + ")" },
	MonthIndex: func(d string) string { return "(year(" + d + ") * 12 + month(" + d + ") - 1)" },
	DayOfMonth: func(d string) string { return "day(" + d + ")" },
	YearOf:     func(d string) string { return "year(" + d + ")" },
	NumberOf: func(x, other string) string {
		digits := "regexp_full_match(" + x + ", '[0-9]{1,9}')"
		return "(CASE WHEN " + digits + " THEN TRY_CAST(" + x + " AS BIGINT) WHEN NOT " + digits + " THEN " + other + " END)"
	},
	AddMonths: func(d, n string) string {
		m := "(year(" + d + ") * 12 + month(" + d + ") - 1 + " + n + ")"
		first := func(m string) string { return "make_date(" + m + " // 12, " + m + " % 12 + 1, 1)" }
		// the day itself, but never past the month's last; least skips NULL, but both are NULL where d or n is
		return fmt.Sprintf("least(%s + CAST(day(%s) - 1 AS INTEGER), %s - 1)", first(m), d, first("("+m+" + 1)"))
	},
}

// Names binds an expression's names to SQL.
type Names struct {
	Column func(name string) string      // a fact or a parameter: a column, a literal, or an expression over columns
	Lookup func(name, key string) string // a table's number for a key, NULL where it has none
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

var arithmetic = map[string]string{operators.Add: "+", operators.Subtract: "-", operators.Multiply: "*", operators.Modulo: "%"}

func (g generator) sql(n *node) string {
	arg := func(i int) string { return g.sql(n.args[i]) }
	if op, ok := infix[n.op]; ok {
		return "(" + arg(0) + " " + op + " " + arg(1) + ")"
	}
	if op, ok := arithmetic[n.op]; ok {
		return "(" + g.wide(n.args[0]) + " " + op + " " + g.wide(n.args[1]) + ")"
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
		items := make([]string, len(n.list))
		for i, v := range n.list {
			items[i] = g.literal(v)
		}
		return "(" + arg(0) + " IN (" + strings.Join(items, ", ") + "))"
	case operators.Index:
		return g.names.Lookup(n.name, arg(0))
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
	case "add_days":
		return g.d.AddDays(arg(0), arg(1))
	case "add_months":
		return g.d.AddMonths(arg(0), g.wide(n.args[1]))
	case "days_between":
		return g.d.DaysAfter(arg(0), arg(1))
	case "years_between":
		return g.d.Quotient("("+g.d.Digits(arg(1))+" - "+g.d.Digits(arg(0))+")", "10000")
	case "months_between":
		return g.monthsBetween(arg(0), arg(1))
	case "year_of":
		return g.d.YearOf(arg(0))
	}
	panic("expr: no SQL for " + n.op)
}

// choose writes least and greatest so that an unknown operand makes them unknown: SQL's own skip NULL.
func (g generator) choose(n *node, op string) string {
	a, b := g.sql(n.args[0]), g.sql(n.args[1])
	return fmt.Sprintf("(CASE WHEN %[1]s %[3]s %[2]s THEN %[1]s WHEN NOT (%[1]s %[3]s %[2]s) THEN %[2]s END)", a, b, op)
}

func (g generator) monthsBetween(a, b string) string {
	whole := func(from, to string) string {
		return fmt.Sprintf("(%s - %s - CASE WHEN %s < %s THEN 1 ELSE 0 END)", g.d.MonthIndex(to), g.d.MonthIndex(from), g.d.DayOfMonth(to), g.d.DayOfMonth(from))
	}
	return fmt.Sprintf("(CASE WHEN %[2]s >= %[1]s THEN %[3]s WHEN %[2]s < %[1]s THEN - %[4]s END)", a, b, whole(a, b), whole(b, a))
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
