package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
)

// SettledSQL is SQL for whether a claim is settled, over the columns of a fact table; "" where nothing says so.
func (p *Policy) SettledSQL(d expr.Dialect, on calendar.Day, part int64) string {
	if p.Settled == nil {
		return ""
	}
	return "coalesce(" + writer{p: p, d: d, on: on, part: part}.expr(p.Settled.HoldsExpr()) + ", FALSE)"
}

// SQL is the policy over a fact table of its kind of subject, one row a subject, one column a fact, for one day asked about. Every field is an
// SQL expression or condition over that table's columns; none of them names the table.
type SQL struct {
	Version string // 0 not in force, -1 law not found, else the version's place from 1; NULL when the day that picks it is unknown
	Fixed   bool   // Version is a literal: the same for everybody
	Bits    string // the checks as one integer; see the package comment
	Type    string // the narrowest SQL type that holds Bits
	Where   string // in force, found and every check holds
	Amount  string // fen, as BIGINT
	Window  string // last day of the claim window; NULL without one
	Named   string // text: the version's id, NULL when none applies

	// Over stored columns of Bits and Version beside the facts:
	Missing func(bits, version string) string // text: facts that are missing in unknown checks, in order of name, separated by blanks
	Failed  func(bits, version string) string // text: ids of checks that fail, in order, separated by blanks
}

// SQL writes the policy for a dialect, for a part of the award.
func (p *Policy) SQL(d expr.Dialect, on calendar.Day, part int64) SQL {
	g := writer{p: p, d: d, on: on, part: part}
	out := SQL{Window: "NULL", Named: g.named(), Amount: d.Wide(g.expr(p.AmountExpr()))}
	out.Version, out.Fixed = g.version()
	if w := p.WindowExpr(); w != nil {
		out.Window = g.expr(w)
	}
	var bits, conds []string
	n := len(p.Checks)
	if !out.Fixed || out.Version == "0" || out.Version == "-1" {
		conds = append(conds, out.Version+" > 0")
	}
	for i := range p.Checks {
		cond := g.check(&p.Checks[i])
		conds = append(conds, cond)
		bits = append(bits, fmt.Sprintf("coalesce(CAST(%s AS %s) * %d, %d)", cond, bitsType(n), uint64(1)<<i, uint64(1)<<(n+i)))
	}
	out.Type = bitsType(n)
	out.Bits = fmt.Sprintf("CAST(%s AS %s)", strings.Join(bits, " + "), out.Type)
	out.Where = strings.Join(conds, " AND ")
	out.Missing, out.Failed = g.missing, g.failed
	return out
}

// bitsType is the narrowest unsigned type for 2n bits.
func bitsType(n int) string {
	switch {
	case n <= 4:
		return "UTINYINT"
	case n <= 8:
		return "USMALLINT"
	case n <= 16:
		return "UINTEGER"
	}
	return "UBIGINT"
}

// Masks returns the bits of n checks that all hold, and all that may be set.
func Masks(n int) (all, every uint64) { return 1<<n - 1, 1<<(2*n) - 1 }

type writer struct {
	p    *Policy
	d    expr.Dialect
	on   calendar.Day
	part int64
}

func (g writer) expr(x *expr.Expr) string {
	return x.SQL(g.d, expr.Names{Column: g.column, Lookup: g.lookup, Member: g.member, Value: g.value})
}

// value is the day asked about, or a parameter that has one value for everybody.
func (g writer) value(name string) any {
	par, ok := strings.CutPrefix(name, "p.")
	switch {
	case name == "on":
		return g.on
	case name == "part_no":
		return g.part
	case !ok:
		return nil
	case g.p.VersionBy.Text == "on":
		v, _ := g.p.Parameter(par).On(g.on)
		return v
	}
	if values := g.p.Parameter(par).Dated(); len(values) == 1 {
		return values[0].Typed()
	}
	return nil
}

func (g writer) check(c *Check) string {
	switch {
	case c.Rule != nil:
		return g.expr(c.holds)
	case c.ID == "window":
		return "(" + g.d.Day(g.on) + " <= " + g.expr(c.holds) + ")"
	}
	// an amount that cannot be told is unknown, never refused
	return "(CASE WHEN " + g.expr(c.holds) + " IS NOT NULL THEN TRUE END)"
}

// column binds a name: a fact is its column, "on" the day, a parameter its number on the day that picks the version.
func (g writer) column(name string) string {
	switch name {
	case "on":
		return g.d.Day(g.on)
	case "part_no":
		return expr.Literal(g.d, g.part)
	}
	par, ok := strings.CutPrefix(name, "p.")
	if !ok {
		return Quote(name)
	}
	return g.dated(par, func(v any) string { return expr.Literal(g.d, v) })
}

func (g writer) lookup(name string, keys ...string) string {
	return g.dated(strings.TrimPrefix(name, "p."), func(v any) string { return g.table(v, keys) })
}

func (g writer) member(name, x string) string {
	return g.dated(strings.TrimPrefix(name, "p."), func(v any) string {
		var items []string
		switch set := v.(type) {
		case []int64:
			for _, m := range set {
				items = append(items, expr.Literal(g.d, m))
			}
		case []string:
			for _, m := range set {
				items = append(items, expr.Literal(g.d, m))
			}
		}
		return "(" + x + " IN (" + strings.Join(items, ", ") + "))"
	})
}

// dated writes a parameter: its value if there is one, or a choice by the day that picks the version.
func (g writer) dated(par string, write func(any) string) string {
	param := g.p.Parameter(par)
	if g.p.VersionBy.Text == "on" {
		v, _ := param.On(g.on)
		if v == nil { // not in force then: the version says so
			return "NULL"
		}
		return write(v)
	}
	values := param.Dated()
	if len(values) == 1 {
		return write(values[0].Typed())
	}
	var b strings.Builder
	b.WriteString("(CASE")
	for i := len(values) - 1; i >= 0; i-- {
		fmt.Fprintf(&b, " WHEN %s >= %s THEN %s", Quote(g.p.VersionBy.Text), g.d.Day(values[i].From), write(values[i].Typed()))
	}
	return b.String() + " END)"
}

// table writes a table as a CASE over its key, and one of two keys as a CASE over the first with one over the second in each arm.
func (g writer) table(v any, keys []string) string {
	var arms []string
	arm := func(key any, then string) { arms = append(arms, " WHEN "+expr.Literal(g.d, key)+" THEN "+then) }
	switch t := v.(type) {
	case map[int64]int64:
		for k, n := range t {
			arm(k, expr.Literal(g.d, n))
		}
	case map[string]int64:
		for k, n := range t {
			arm(k, expr.Literal(g.d, n))
		}
	case expr.Grid:
		for k, row := range t.Rows() {
			arm(k, g.table(row, keys[1:]))
		}
	}
	slices.Sort(arms)
	return "(CASE " + keys[0] + strings.Join(arms, "") + " END)"
}

func (g writer) version() (sql string, fixed bool) {
	if g.p.VersionBy.Text == "on" {
		_, n := g.p.VersionOn(g.on)
		return strconv.Itoa(n), true
	}
	by := Quote(g.p.VersionBy.Text)
	var b strings.Builder
	fmt.Fprintf(&b, "(CASE WHEN %s < %s THEN 0", by, g.d.Day(g.p.Versions[0].From))
	if e := g.p.Ended; e != nil {
		fmt.Fprintf(&b, " WHEN %s > %s THEN 0", by, g.d.Day(e.On))
	}
	for i := len(g.p.Versions) - 1; i >= 0; i-- {
		v := g.p.Versions[i]
		if v.To != nil {
			fmt.Fprintf(&b, " WHEN %s > %s THEN -1", by, g.d.Day(*v.To))
		}
		fmt.Fprintf(&b, " WHEN %s >= %s THEN %d", by, g.d.Day(v.From), i+1)
	}
	return b.String() + " END)", false
}

func (g writer) named() string {
	v, _ := g.version()
	var b strings.Builder
	b.WriteString("(CASE " + v)
	for i, ver := range g.p.Versions {
		fmt.Fprintf(&b, " WHEN %d THEN '%s'", i+1, ver.ID())
	}
	return b.String() + " END)"
}

// missing names, for checks that are unknown, the facts that no register told; "law" where all were told and a table has no number, or
// no version was found.
func (g writer) missing(bits, version string) string {
	n := len(g.p.Checks)
	var parts []string
	masks := map[string]uint64{}
	for i, c := range g.p.Checks {
		for _, f := range c.requires {
			masks[f] |= 1 << (n + i)
		}
	}
	names := make([]string, 0, len(masks))
	for f := range masks {
		names = append(names, f)
	}
	lawless := []string{"FALSE"}
	for i, c := range g.p.Checks {
		told := fmt.Sprintf("((%s & %d) <> 0", bits, uint64(1)<<(n+i))
		for _, f := range c.requires {
			told += " AND " + Quote(f) + " IS NOT NULL"
		}
		lawless = append(lawless, told+")")
	}
	names = append(names, "law")
	slices.Sort(names)
	for _, f := range names {
		if f == "law" {
			parts = append(parts, "CASE WHEN "+strings.Join(lawless, " OR ")+" THEN 'law' END")
			continue
		}
		parts = append(parts, fmt.Sprintf("CASE WHEN %s IS NULL AND (%s & %d) <> 0 THEN %s END", Quote(f), bits, masks[f], expr.Quote(f)))
	}
	by := "''"
	if g.p.VersionBy.Text != "on" {
		by = expr.Quote(g.p.VersionBy.Text)
	}
	return fmt.Sprintf("(CASE WHEN %[1]s IS NULL THEN %[2]s WHEN %[1]s = -1 THEN 'law' WHEN %[1]s = 0 THEN '' ELSE concat_ws(' ', %[3]s) END)", version, by, strings.Join(parts, ", "))
}

func (g writer) failed(bits, version string) string {
	n := len(g.p.Checks)
	parts := make([]string, n)
	for i, c := range g.p.Checks {
		parts[i] = fmt.Sprintf("CASE WHEN (%s & %d) = 0 THEN %s END", bits, uint64(1)<<i|uint64(1)<<(n+i), expr.Quote(c.ID))
	}
	return fmt.Sprintf("(CASE WHEN %s > 0 THEN concat_ws(' ', %s) ELSE '' END)", version, strings.Join(parts, ", "))
}

// Quote writes a column's name.
func Quote(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
