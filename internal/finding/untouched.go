package finding

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Untouched is what none of a policy's tests looks at: a neighbour of a threshold, a day at which the law changes, an amount, a silent fact. It is
// advice: the tests hold, and a wrong number of the law would still pass them.
type Untouched struct {
	Policy  string `json:"policy"`
	File    string `json:"file"`
	Line    int    `json:"line"`    // of the parameter's value, the version or the rule
	What    string `json:"what"`    // as the policy has it
	Missing string `json:"missing"` // see Missings
	Value   string `json:"value"`   // the number, day or code that a situation should have; "" where there is none to tell
}

// Missings are the words for what a situation would have to be.
var Missings = []string{"under", "at", "over", "holds", "fails", "day_before", "first_day", "last_day", "day_after", "window_last_day", "window_day_after",
	"amount", "silent", "limits", "settled"}

// coverage looks at the tests of one policy.
type coverage struct {
	pack     *pack.Pack
	pol      *policy.Policy
	tests    []*situation // of every policy
	all      []*situation // of this one
	attempts []attempt    // those for which a version is found
	days     []calendar.Day
	out      []Untouched
	err      error
}

// attempt is a situation with what the policy's expressions see of it.
type attempt struct {
	*situation
	values expr.Values
	day    calendar.Day // that picks the version
}

// untouched lists what no test looks at, in the order of the policies and of their files.
func untouched(p *pack.Pack, cases []*situation) (out []Untouched, err error) {
	for _, decl := range p.Policies {
		c := &coverage{pack: p, pol: policy.New(p, decl), tests: cases}
		for _, s := range cases {
			if s.policy.Name == decl.Name {
				c.all = append(c.all, s)
			}
		}
		out = append(out, c.list()...)
		err = errors.Join(err, c.err)
	}
	return out, err
}

func (c *coverage) list() []Untouched {
	for _, s := range c.all {
		if values, day, ok := c.pol.Asked(s.fact, s.On, s.asked[0].part); ok {
			c.attempts = append(c.attempts, attempt{s, values, day})
		}
	}
	c.changes()
	for _, r := range c.pol.Rules {
		c.expression(r.Expr(), r.Holds.Line)
		for _, e := range r.Unless {
			c.expression(e.Expr(), e.Holds.Line)
		}
	}
	if w := c.pol.WindowExpr(); w != nil {
		c.expression(w, c.pol.Window.Ends.Line)
		c.window(w)
	}
	c.expression(c.pol.AmountExpr(), c.pol.Award.Amount.Value.Line)
	c.amounts()
	c.silences()
	c.limits()
	slices.SortStableFunc(c.out, func(a, b Untouched) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(c.out)
}

func (s *situation) fact(name string) any { return s.asked[0].values[name] }

func (c *coverage) add(line int, what, missing, value string) {
	c.out = append(c.out, Untouched{c.pol.Name, c.pol.File, line, what, missing, value})
}

// changes asks for the days at which the law changes: the day before, the first and the last day of each version and the day after, and the first day
// of a number that changes within one. It also gathers the days from which on something else holds.
func (c *coverage) changes() {
	had := map[calendar.Day]bool{}
	for _, s := range c.all {
		day, _ := s.fact(c.pol.VersionBy.Text).(calendar.Day)
		if c.pol.VersionBy.Text == "on" {
			day = s.On
		}
		had[day] = true
	}
	want := func(line int, what, missing string, day calendar.Day) {
		if !had[day] {
			c.add(line, what, missing, day.String())
		}
		had[day] = true
	}
	for _, v := range c.pol.Versions {
		what := "version " + v.ID()
		want(v.Place.Line, what, "day_before", v.From.AddDays(-1))
		want(v.Place.Line, what, "first_day", v.From)
		if v.To != nil {
			want(v.Place.Line, what, "last_day", *v.To)
			want(v.Place.Line, what, "day_after", v.To.AddDays(1))
		}
		c.days = append(c.days, v.From)
	}
	if e := c.pol.Ended; e != nil {
		want(e.By.Line, "ended", "last_day", e.On)
		want(e.By.Line, "ended", "day_after", e.On.AddDays(1))
	}
	for _, par := range c.pol.Parameters {
		for _, dated := range par.Value.Values {
			from := dated.Value.From
			if v, _ := c.pol.VersionOn(from); v == nil {
				continue // never in force, or from a gap on: the version after it begins on a day of its own
			}
			want(dated.Key.Line, "p."+par.Key.Text, "day_before", from.AddDays(-1))
			want(dated.Key.Line, "p."+par.Key.Text, "first_day", from)
			c.days = append(c.days, from)
		}
	}
	slices.Sort(c.days)
	c.days = slices.Compact(c.days)
}

// stretch is a part of the law's time in which some parameters have the values that they have on a day.
type stretch struct {
	day    calendar.Day // the first of them
	values string
	line   int // where the first of the parameters has its value; 0 without any
}

// stretches lists the different values that the law gives the parameters among some names, the earliest first.
func (c *coverage) stretches(names []string) (out []stretch) {
	for _, day := range c.days {
		s := stretch{day: day, values: c.fingerprint(names, day)}
		if slices.ContainsFunc(out, func(o stretch) bool { return o.values == s.values }) {
			continue
		}
		for _, n := range names {
			if par := c.parameter(n); par != nil && s.line == 0 {
				s.line = lineOn(par, day)
			}
		}
		out = append(out, s)
	}
	return out
}

func (c *coverage) parameter(name string) *pack.Parameter {
	if name, ok := strings.CutPrefix(name, "p."); ok {
		return c.pol.Parameter(name)
	}
	return nil
}

// fingerprint writes the values of the parameters among some names.
func (c *coverage) fingerprint(names []string, day calendar.Day) string {
	var out []string
	for _, n := range names {
		if par := c.parameter(n); par != nil {
			v, _ := par.On(day)
			out = append(out, fmt.Sprintf("%s=%v", n, v))
		}
	}
	return strings.Join(out, " ")
}

// lineOn is where a parameter has the value of a day.
func lineOn(par *pack.Parameter, day calendar.Day) (line int) {
	for _, e := range par.Values {
		if e.Value.From <= day {
			line = e.Key.Line
		}
	}
	return line
}

// during lists the situations of a stretch to which some choices lead.
func (c *coverage) during(names []string, s stretch, when []expr.Guard) (out []attempt) {
	for _, a := range c.attempts {
		if c.fingerprint(names, a.day) == s.values && c.guarded(a, when) {
			out = append(out, a)
		}
	}
	return out
}

func (c *coverage) guarded(a attempt, when []expr.Guard) bool {
	for _, g := range when {
		if c.value(g.Is, a.values) != g.Want {
			return false
		}
	}
	return true
}

func (c *coverage) value(x *expr.Expr, values expr.Values) any {
	v, err := x.Eval(values)
	c.err = errors.Join(c.err, err)
	return v
}

// expression asks for the neighbours of every threshold of an expression, for each number that the law gives it.
func (c *coverage) expression(x *expr.Expr, line int) {
	thresholds, err := x.Thresholds()
	c.err = errors.Join(c.err, err)
	for _, t := range thresholds {
		names := slices.Concat(t.Left.Inputs(), t.Right.Inputs())
		what := t.Left.Source() + " " + t.Op + " " + t.Right.Source()
		scale := c.scale(t)
		for _, s := range c.stretches(names) {
			touched := map[string]bool{}
			for _, a := range c.during(names, s, t.When) {
				if l, r := c.value(t.Left, a.values), c.value(t.Right, a.values); l != nil && r != nil {
					touched[scale.place(l, r)] = true
				}
			}
			for _, w := range c.wanted(t, scale, s) {
				if !touched[w.missing] {
					c.add(cmp.Or(s.line, line), what, w.missing, w.value)
				}
			}
		}
	}
}

// want is one neighbour of a threshold.
type want struct{ missing, value string }

// wanted lists the neighbours of a threshold in a stretch; without those that the left side can never be.
func (c *coverage) wanted(t expr.Threshold, by scale, s stretch) (out []want) {
	if !t.Left.Steady() || !t.Right.Steady() {
		return []want{{"holds", ""}, {"fails", ""}}
	}
	about := slices.ContainsFunc(t.Right.Inputs(), func(n string) bool { return c.parameter(n) == nil })
	if about { // another one for everybody
		unit := ""
		if t.Left.Type() == expr.Day {
			unit = map[bool]string{true: " month", false: " day"}[by.months]
		}
		return []want{{"under", t.Right.Source() + " - 1" + unit}, {"at", t.Right.Source()}, {"over", t.Right.Source() + " + 1" + unit}}
	}
	bound := c.value(t.Right, func(name string) any {
		v, _ := c.parameter(name).On(s.day)
		return v
	})
	if bound == nil { // the law gives no number
		return nil
	}
	for i, missing := range []string{"under", "at", "over"} {
		v, ok := by.step(bound, i-1)
		if n, isInt := v.(int64); isInt && ok {
			lo, hi := t.Left.Range()
			ok = lo <= n && n <= hi
		}
		if ok && c.possible(t, s, v) {
			out = append(out, want{missing, by.write(v)})
		}
	}
	return out
}

// possible reports whether the choices that lead to a threshold can lead to it with a value of the fact that it looks at: not to "x == 2" with 1 where x
// was not 1 before.
func (c *coverage) possible(t expr.Threshold, s stretch, v any) bool {
	return !slices.ContainsFunc(t.When, func(g expr.Guard) bool {
		is := c.value(g.Is, func(name string) any {
			if par := c.parameter(name); par != nil {
				v, _ := par.On(s.day)
				return v
			}
			return map[string]any{t.Left.Source(): v}[name]
		})
		return is != nil && is != g.Want
	})
}

// scale is what one step is: one, a day, a month for a day that is always the first of one, the next code for a rank.
type scale struct {
	op     string
	steady bool
	months bool
	list   *pack.CodeList
}

func (c *coverage) scale(t expr.Threshold) scale {
	s := scale{op: t.Op, steady: t.Left.Steady() && t.Right.Steady()}
	if list := c.pack.CodeList(cmp.Or(t.Left.Unit(), t.Right.Unit())); list != nil && list.Ordered {
		s.list = list
	}
	s.months = t.Left.Type() == expr.Day && t.Left.Single() && c.firstOfMonth(t.Left.Inputs()[0])
	return s
}

// firstOfMonth reports whether a fact is a month's first day.
func (c *coverage) firstOfMonth(name string) bool {
	f := c.pol.Fact(name)
	switch {
	case f == nil:
		return false
	case f.Take.Text == "months_first", f.Take.Text == "months_last":
		return true
	}
	return f.Take.Text == "person" && f.ValueExpr().Single() && c.firstOfMonth(f.ValueExpr().Source())
}

// place says where a value stands beside a bound; "" for farther than a step.
func (s scale) place(l, r any) string {
	places := map[int]string{-1: "under", 0: "at", 1: "over"}
	switch l := l.(type) {
	case calendar.Day:
		r := r.(calendar.Day)
		days, months := calendar.DaysBetween(r, l), l.Month().Index()-r.Month().Index()
		if s.months && (days < -1 || days > 1) && months != 0 {
			return places[months]
		}
		return places[days]
	case int64:
		r := r.(int64)
		if !s.steady {
			return map[bool]string{true: "holds", false: "fails"}[s.holds(l, r)]
		}
		if s.list != nil {
			return places[s.rank(l)-s.rank(r)]
		}
		if d := l - r; d >= -1 && d <= 1 {
			return places[int(d)]
		}
	}
	return ""
}

func (s scale) holds(l, r int64) bool {
	return map[string]bool{"<": l < r, "<=": l <= r, ">": l > r, ">=": l >= r, "==": l == r, "!=": l != r}[s.op]
}

// rank is the place of a rank among the codes of the list.
func (s scale) rank(n int64) int {
	return slices.IndexFunc(s.list.Items, func(it pack.CodeItem) bool { return it.Rank >= n })
}

// step is the value so many steps from a bound, if there is one.
func (s scale) step(bound any, by int) (any, bool) {
	switch b := bound.(type) {
	case calendar.Day:
		if s.months && by != 0 {
			return b.Month().Add(by).First(), true
		}
		return b.AddDays(by), true
	case int64:
		if s.list == nil {
			return b + int64(by), true
		}
		if i := s.rank(b) + by; i >= 0 && i < len(s.list.Items) {
			return s.list.Items[i].Rank, true
		}
	}
	return nil, false
}

func (s scale) write(v any) string {
	if s.list != nil {
		for _, it := range s.list.Items {
			if it.Rank == v {
				return it.Code.Text
			}
		}
	}
	return fmt.Sprint(v)
}

// window asks for the last day of the claim window and the day after, for each length that the law gives it.
func (c *coverage) window(x *expr.Expr) {
	for _, s := range c.stretches(x.Inputs()) {
		touched := map[int]bool{}
		for _, a := range c.during(x.Inputs(), s, nil) {
			if ends, ok := c.value(x, a.values).(calendar.Day); ok {
				touched[calendar.DaysBetween(ends, a.On)] = true
			}
		}
		for after, missing := range []string{"window_last_day", "window_day_after"} {
			if !touched[after] {
				c.add(cmp.Or(s.line, c.pol.Window.Ends.Line), x.Source(), missing, "")
			}
		}
	}
}

// amounts asks that each number that an amount is made from is reached by somebody who is eligible.
func (c *coverage) amounts() {
	uses, err := c.pol.AmountExpr().Uses()
	c.err = errors.Join(c.err, err)
	reached := map[string]bool{} // parameter, code and number
	for _, u := range uses {
		for _, a := range c.attempts {
			if a.one[0].Outcome != "eligible" || !c.guarded(a, u.When) {
				continue
			}
			var keys []string
			for _, k := range u.Keys {
				keys = append(keys, fmt.Sprint(c.value(k, a.values)))
			}
			v, _ := c.parameter(u.Name).On(a.day)
			for _, e := range c.numbers(u.Name, v) {
				if slices.Equal(e.keys, keys) {
					reached[u.Name+e.String()] = true
				}
			}
		}
	}
	for _, u := range uses {
		for _, day := range c.days {
			v, dated := c.parameter(u.Name).On(day)
			for _, e := range c.numbers(u.Name, v) {
				if !reached[u.Name+e.String()] {
					c.add(e.line(dated, lineOn(c.parameter(u.Name), day)), u.Name, "amount", e.String())
				}
				reached[u.Name+e.String()] = true
			}
		}
	}
}

// number is one number of a parameter: of a table with its codes, and as the rule language knows them.
type number struct {
	codes, keys []string
	value       any
}

func (e number) String() string {
	return strings.Join(append(slices.Clone(e.codes), fmt.Sprint(e.value)), " ")
}

// line is where a table has its number.
func (e number) line(dated *pack.DatedValue, otherwise int) int {
	for _, row := range dated.Table {
		if len(e.codes) == 0 || row.Key.Text != e.codes[0] {
			continue
		}
		for _, cell := range row.Value.Row {
			if cell.Key.Text == e.codes[len(e.codes)-1] {
				return cell.Key.Line
			}
		}
		return row.Key.Line
	}
	return otherwise
}

func (c *coverage) numbers(name string, value any) (out []number) {
	par := c.parameter(name)
	if len(par.Key) == 0 {
		return []number{{value: value}}
	}
	for _, e := range par.Table(value) {
		n := number{value: e.Number}
		for i, it := range e.Codes {
			n.codes = append(n.codes, it.Code.Text)
			key := it.Code.Text
			if c.pack.CodeList(par.Key[i].Text).Ordered {
				key = fmt.Sprint(it.Rank)
			}
			n.keys = append(n.keys, key)
		}
		out = append(out, n)
	}
	return out
}

// silences asks that each fact that the policy reads, or that one is worked out from, is one that no register told, while another one was told, in some
// situation that a version is found for: what is silent together does not show what each does.
func (c *coverage) silences() {
	names := slices.Clone(c.pol.FactNames())
	readBy := map[string]string{} // by what the policy reads it
	for i := 0; i < len(names); i++ {
		name := names[i]
		f := c.pol.Fact(name)
		if f == nil {
			continue
		}
		if f.Take.Text == "value" {
			for _, in := range f.ValueExpr().Inputs() {
				if !slices.Contains(names, in) {
					names, readBy[in] = append(names, in), cmp.Or(readBy[name], name)
				}
			}
		}
		others := slices.DeleteFunc(slices.Clone(c.pol.FactNames()), func(other string) bool {
			return other == name || other == readBy[name] || other == c.pol.VersionBy.Text
		})
		silent := func(s *situation) bool {
			told := slices.ContainsFunc(others, func(other string) bool { return s.fact(other) != nil })
			return s.fact(name) == nil && (told || len(others) == 0)
		}
		byVersion := name == c.pol.VersionBy.Text // without it no version is found
		if !c.always(f) && !slices.ContainsFunc(c.attempts, func(a attempt) bool { return silent(a.situation) }) &&
			!(byVersion && slices.ContainsFunc(c.all, silent)) {
			c.add(c.lineOf(cmp.Or(readBy[name], name)), name, "silent", "")
		}
	}
}

// always reports whether a fact is worked out and never unknown, whatever no register tells.
func (c *coverage) always(f *pack.Fact) bool {
	return f.Take.Text == "value" && !slices.ContainsFunc(f.ValueExpr().Requires(), func(name string) bool {
		of := c.pol.Fact(name)
		return of != nil && !c.always(of)
	})
}

// limits asks that each limit of the policy holds or cuts some claim, and that some claim was settled before.
func (c *coverage) limits() {
	limits, settled := map[string]bool{}, false
	for _, s := range c.tests {
		for i, v := range s.one {
			limits[v.Limit] = true
			settled = settled || v.Outcome == "settled" && s.asked[i].policy.Name == c.pol.Name
		}
	}
	for _, l := range c.pol.Limits {
		if !limits[l.Name()] {
			c.add(l.ID.Line, l.ID.Text, "limits", "")
		}
	}
	if c.pol.Settled != nil && !settled {
		c.add(c.pol.Settled.Holds.Line, "settled", "settled", "")
	}
}

// lineOf is where a policy first reads a fact.
func (c *coverage) lineOf(name string) int {
	if name == c.pol.VersionBy.Text {
		return c.pol.VersionBy.Line
	}
	reads := func(x *expr.Expr) bool { return x != nil && slices.Contains(x.Inputs(), name) }
	for _, r := range c.pol.Rules {
		if reads(r.Expr()) {
			return r.Holds.Line
		}
		for _, e := range r.Unless {
			if reads(e.Expr()) {
				return e.Holds.Line
			}
		}
	}
	if reads(c.pol.WindowExpr()) {
		return c.pol.Window.Ends.Line
	}
	if s := c.pol.Settled; s != nil && (reads(s.HoldsExpr()) || reads(s.DayExpr()) || reads(s.AmountExpr())) {
		return s.Holds.Line
	}
	for _, m := range c.pol.Members() {
		if m.Limit.Policy.Name == c.pol.Name && slices.ContainsFunc(slices.Concat(m.Over, m.Order, []*expr.Expr{m.Where, m.Rank}), reads) {
			return m.Limit.ID.Line
		}
	}
	return c.pol.Award.Amount.Value.Line
}
