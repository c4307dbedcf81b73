package expr

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bole/internal/calendar"
	"bole/internal/fault"
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Limits on one expression: a rule that needs more is asking for a fact.
const (
	maxLength = 2000
	maxDepth  = 40
	maxWeight = 4000
)

// Expr is a checked expression.
type Expr struct {
	src     string
	root    *node
	program cel.Program
	parts   *compiler // of what it was made, and its parts can be
	names   map[string]Name
	inputs  []string
}

// Problem is one thing wrong in an expression.
type Problem struct {
	Line, Column int // from 1, within the expression
	Message      string
}

// node is our own small tree: what is left of the CEL syntax tree when everything outside the language has been refused.
type node struct {
	op     string // operator or function name of CEL; "name", "const"
	typ    Type
	args   []*node
	name   string // op name: the word; op index: the table; op in: the set, unless there is a list
	word   string // op const: the name of a constant
	value  any    // op const: int64, string, bool, calendar.Day
	lo, hi int64  // range of an Int
	unit   string // of an Int; "" fits any
	list   []any  // op in: the literals
	times  int    // op index and in: how often SQL writes what is asked with
}

// Compile checks an expression against the vocabulary and the wanted type, "" for any of bool, int, text and day. Either the expression or the problems are returned,
// all of them at once.
func (v *Vocabulary) Compile(src string, want Type) (*Expr, []Problem) {
	if len(src) > maxLength {
		return nil, []Problem{{1, 1, fmt.Sprintf("longer than %d bytes: declare a fact for a part of it", maxLength)}}
	}
	if strings.ContainsRune(src, 0) {
		before := src[:strings.IndexByte(src, 0)]
		line := before[strings.LastIndexByte(before, '\n')+1:]
		return nil, []Problem{{1 + strings.Count(before, "\n"), 1 + utf8.RuneCountInString(line), "a NUL byte"}}
	}
	parsed, iss := v.env.Parse(src)
	if iss.Err() != nil {
		return nil, v.problems(src, iss)
	}
	checked, iss := v.env.Check(parsed)
	if iss.Err() != nil {
		return nil, v.problems(src, iss)
	}
	c := &compiler{v: v, src: src, ast: checked.NativeRep()}
	root := c.node(checked.NativeRep().Expr(), 0)
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	if want != "" && root.typ != want {
		return nil, []Problem{{1, 1, fmt.Sprintf("must be %s, and is %s", want, root.typ)}}
	}
	if root.weight() > maxWeight {
		return nil, []Problem{{1, 1, "would be too long in SQL, which repeats what stands in ?:, least, greatest and the functions of days: declare a fact for a part of it"}}
	}
	program, err := v.env.Program(checked)
	if err != nil {
		return nil, []Problem{{1, 1, err.Error()}}
	}
	return &Expr{src: src, root: root, program: program, parts: c, names: v.names, inputs: root.inputs()}, nil
}

// Source is the expression as written.
func (x *Expr) Source() string { return x.src }

// Inputs lists the names that the expression reads, in order: facts, and parameters by their "p." names.
func (x *Expr) Inputs() []string { return x.inputs }

// Unit is the unit of an Int expression, "" where it fits any.
func (x *Expr) Unit() string { return x.root.unit }

// Range returns the proven range of an Int expression.
func (x *Expr) Range() (lo, hi int64) { return x.root.lo, x.root.hi }

func (n *node) walk(f func(*node)) {
	f(n)
	for _, a := range n.args {
		a.walk(f)
	}
}

func (n *node) inputs() []string {
	var out []string
	n.walk(func(n *node) {
		if n.name != "" && !slices.Contains(out, n.name) {
			out = append(out, n.name)
		}
	})
	slices.Sort(out)
	return out
}

// repeats is how often the SQL of an operator writes its first and its other operands, where that is more than once.
var repeats = map[string][2]int{
	operators.Conditional: {2, 1}, "least": {3, 3}, "greatest": {3, 3}, "years_between": {3, 3}, "months_between": {3, 3}, "add_months": {9, 4}, "number_of": {3, 1},
	"first_of_month": {2, 1}, "last_of_month": {4, 1}, "first_of_half_year": {2, 1}, "last_of_half_year": {3, 1}, "part_of": {6, 6},
}

// weight counts the words of the node's SQL, as far as just past maxWeight.
func (n *node) weight() int {
	out := 1 + len(n.list)
	for i, a := range n.args {
		times := max(n.times, 1)
		if r, ok := repeats[n.op]; ok {
			times = r[min(i, 1)]
		}
		out = min(out+times*a.weight(), maxWeight+1)
	}
	return out
}

var undeclared = regexp.MustCompile(`undeclared reference to '([^']+)'`)
var noOverload = regexp.MustCompile(`found no matching overload for '([^']+)' applied to '(.*)'`)
var notIn = regexp.MustCompile(`\bnot\s+in\b`)

// typeWords puts the types of the rule language for those of CEL, the longer first.
var typeWords = func() *strings.Replacer {
	var pairs []string
	for _, t := range celTypes {
		pairs = append(pairs, t.cel.String(), string(t.typ))
	}
	return strings.NewReplacer(append(pairs, "timestamp", string(Day))...)
}()

// problems says what CEL found in the words of the rule language.
func (v *Vocabulary) problems(src string, iss *cel.Issues) []Problem {
	var out []Problem
	for _, e := range iss.Errors() {
		p := Problem{max(e.Location.Line(), 1), max(e.Location.Column()+1, 1), typeWords.Replace(e.Message)}
		word, start, called := wordAt(src, p.Line, p.Column)
		if m := undeclared.FindStringSubmatch(e.Message); m != nil && called {
			p.Column, p.Message = start, unknownFunction(m[1])
		} else if m != nil {
			p.Column, p.Message = start, v.unknownWord(cmp.Or(word, m[1]))
		} else if m := noOverload.FindStringSubmatch(e.Message); m != nil {
			p.Column, p.Message = start, fmt.Sprintf("%s cannot be applied to %s", symbol(m[1]), typeWords.Replace(m[2]))
		} else if at, ok := strings.CutPrefix(e.Message, "Syntax error: "); ok {
			at, _, _ = strings.Cut(at, " expecting ")
			p.Message = "cannot be read: " + at
			if notIn.MatchString(src) {
				p.Message += "; not in is written !(x in y)"
			}
		}
		out = append(out, p)
	}
	return out
}

// wordAt finds the dotted word at a place, the column where it starts, and whether it is called. CEL points at the last dot of a
// name and at the bracket of a call, where a reader looks for the beginning. No word: the column as it was.
func wordAt(src string, line, column int) (word string, start int, called bool) {
	lines := strings.Split(src, "\n")
	if line < 1 || line > len(lines) {
		return "", column, false
	}
	text := []rune(lines[line-1])
	at := min(column-1, len(text))
	called = at < len(text) && text[at] == '('
	inWord := func(i int) bool {
		return i >= 0 && i < len(text) && (text[i] == '_' || text[i] == '.' && !called || text[i] < utf8.RuneSelf && (unicode.IsLetter(text[i]) || unicode.IsDigit(text[i])))
	}
	if !called && !inWord(at) && !(at < len(text) && text[at] == '[') {
		return "", column, false
	}
	from, to := at, at
	for inWord(from - 1) {
		from--
	}
	for inWord(to) {
		to++
	}
	if from == to {
		return "", column, called
	}
	return string(text[from:to]), from + 1, called
}

// macros are the words by which CEL loops over a list or asks for a field.
var macros = strings.Fields("has all exists exists_one map filter")

func unknownFunction(word string) string {
	if slices.Contains(macros, word) {
		return "the macro " + word + " is not in the rule language: a rule that loops wants a fact"
	}
	among := []string{"startsWith"}
	for _, f := range Functions {
		among = append(among, f.Name)
	}
	return suggest("no function called "+word, word, among)
}

func (v *Vocabulary) unknownWord(word string) string {
	what, among := "fact", v.Names()
	if rest, ok := strings.CutPrefix(word, "p."); ok {
		what, word = "parameter", rest
		among = nil
		for _, n := range v.Names() {
			if p, ok := strings.CutPrefix(n, "p."); ok {
				among = append(among, p)
			}
		}
	}
	return suggest(fmt.Sprintf("no %s called %s", what, word), word, among)
}

func suggest(msg, word string, among []string) string {
	if near := fault.Closest(word, among); near != "" {
		msg += "; did you mean " + near + "?"
	}
	return msg
}

// symbol is an operator as a reader writes it; a function is called by its name.
func symbol(op string) string {
	switch op {
	case operators.Conditional:
		return "?:"
	case operators.Index:
		return "[]"
	}
	return strings.Trim(op, "_@")
}

type compiler struct {
	v        *Vocabulary
	src      string
	ast      *ast.AST
	problems []Problem
	tooDeep  bool
}

// refused is the type of a node with a problem; what contains it is not looked at further.
const refused Type = "refused"

func (c *compiler) refuse(id int64, format string, args ...any) *node {
	at := c.ast.SourceInfo().GetStartLocation(id)
	p := Problem{max(at.Line(), 1), max(at.Column()+1, 1), fmt.Sprintf(format, args...)}
	if _, start, called := wordAt(c.src, p.Line, p.Column); called {
		p.Column = start
	}
	c.problems = append(c.problems, p)
	return &node{op: "const", typ: refused}
}

func (c *compiler) node(e ast.Expr, depth int) *node {
	if depth > maxDepth && c.tooDeep {
		return &node{op: "const", typ: refused}
	}
	if depth > maxDepth {
		c.tooDeep = true
		return c.refuse(e.ID(), "nested deeper than %d: declare a fact for a part of it", maxDepth)
	}
	t := typeOf(c.ast.GetType(e.ID()))
	switch e.Kind() {
	case ast.LiteralKind:
		return c.literal(e.ID(), e.AsLiteral())
	case ast.IdentKind:
		return c.name(e, t)
	case ast.CallKind:
		return c.call(e, t, depth)
	case ast.SelectKind:
		return c.refuse(e.ID(), "no field %s here", e.AsSelect().FieldName())
	}
	return c.refuse(e.ID(), "lists and maps may only stand on the right of in")
}

func (c *compiler) literal(id int64, v ref.Val) *node {
	switch x := v.(type) {
	case types.Int:
		return &node{op: "const", typ: Int, value: int64(x), lo: int64(x), hi: int64(x)}
	case types.Bool:
		return &node{op: "const", typ: Bool, value: bool(x)}
	case types.String:
		if strings.ContainsRune(string(x), 0) {
			return c.refuse(id, "a NUL byte in a text")
		}
		return &node{op: "const", typ: Text, value: string(x)}
	}
	return c.refuse(id, "%s is not a value of the rule language: use bool, int, text or day(\"2024-12-20\")", v.Type().TypeName())
}

func (c *compiler) name(e ast.Expr, t Type) *node {
	r := c.ast.ReferenceMap()[e.ID()]
	word := e.AsIdent()
	if r != nil && r.Name != "" {
		word = r.Name
	}
	n, ok := c.v.names[word]
	if !ok {
		return c.refuse(e.ID(), "%s", c.v.unknownWord(word))
	}
	if n.Const != nil {
		return &node{op: "const", typ: n.Type, word: word, value: n.Const, lo: n.Min, hi: n.Max, unit: n.Unit}
	}
	return &node{op: "name", typ: t, name: word, lo: n.Min, hi: n.Max, unit: n.Unit, times: n.Repeats}
}

func (c *compiler) call(e ast.Expr, t Type, depth int) *node {
	call := e.AsCall()
	fn := call.FunctionName()
	n := &node{op: fn, typ: t}
	if fn == operators.In {
		return c.in(e, n, depth)
	}
	exprs := call.Args()
	if call.IsMemberFunction() {
		exprs = append([]ast.Expr{call.Target()}, exprs...)
	}
	for _, a := range exprs {
		n.args = append(n.args, c.node(a, depth+1))
	}
	for _, a := range n.args {
		if a.typ == refused {
			return a
		}
	}
	for _, a := range n.args {
		switch {
		case a.typ.set():
			return c.refuse(e.ID(), "a set can only stand on the right of in")
		case a.typ.table() && fn != operators.Index:
			return c.refuse(e.ID(), "a table can only be asked by a key, p.name[key]")
		}
	}
	if fn == operators.Index {
		return c.index(e.ID(), n)
	}
	if n = c.rule(e.ID(), n); n.typ == refused {
		return n
	}
	return c.units(e.ID(), n)
}

// index asks a table by a key. A table of two keys that was asked by the first is a table by the second.
func (c *compiler) index(id int64, n *node) *node {
	table, key := n.args[0], n.args[1]
	if !table.typ.table() || table.op != "name" && table.op != operators.Index {
		return c.refuse(id, "only a parameter table can be asked by a key")
	}
	keys := append(slices.Clone(table.args), key) // a name has no args
	if want := c.v.names[table.name].KeyUnits[len(keys)-1]; want != "" && key.unit != "" && key.unit != want {
		return c.refuse(id, "%s is asked by %s, and %s is %s", table.name, want, key.called(), key.unit)
	}
	return &node{op: operators.Index, typ: n.typ, name: table.name, args: keys, lo: table.lo, hi: table.hi, unit: table.unit, times: table.times}
}

// rule refuses what is outside the language and works out the range of an int.
func (c *compiler) rule(id int64, n *node) *node {
	arg := func(i int) *node { return n.args[i] }
	switch n.op {
	case operators.LogicalAnd, operators.LogicalOr, operators.LogicalNot:
	case operators.Equals, operators.NotEquals:
		c.codes(id, arg(0), arg(1))
		c.codes(id, arg(1), arg(0))
	case operators.Less, operators.LessEquals, operators.Greater, operators.GreaterEquals:
		if arg(0).typ == Bool || arg(0).typ != arg(1).typ {
			return c.refuse(id, "%s and %s have no order", arg(0).typ, arg(1).typ)
		}
	case operators.Conditional:
		n.lo, n.hi = min(arg(1).lo, arg(2).lo), max(arg(1).hi, arg(2).hi)
	case operators.Add, operators.Subtract, operators.Multiply:
		if n.typ != Int {
			return c.refuse(id, "%s is for ints: write add_days, add_months or days_between for days", symbol(n.op))
		}
		return c.bound(id, n)
	case operators.Divide, operators.Modulo:
		if d, ok := arg(1).value.(int64); !ok || d == 0 || n.typ != Int {
			return c.refuse(id, "the divisor must be a literal int other than 0")
		}
		return c.bound(id, n)
	case operators.Negate:
		if n.typ != Int {
			return c.refuse(id, "- is for ints")
		}
		return c.bound(id, n)
	case "startsWith":
		if _, ok := arg(1).value.(string); !ok {
			return c.refuse(id, "startsWith asks for a literal text")
		}
	case "part":
		from, okFrom := arg(1).value.(int64)
		n, okN := arg(2).value.(int64)
		if !okFrom || !okN || from < 1 || n < 1 || from > 1000 || n > 1000 {
			return c.refuse(id, "part asks for a literal place and a literal number of characters, both from 1 to 1000")
		}
	case "number_of":
		if _, ok := arg(1).value.(int64); !ok {
			return c.refuse(id, "number_of asks for a literal int where the text says no number")
		}
		n.lo, n.hi = min(arg(1).lo, 0), max(arg(1).hi, 999_999_999)
	case "day":
		s, ok := arg(0).value.(string)
		d, err := calendar.Parse(s)
		if !ok || err != nil {
			return c.refuse(id, `day asks for a literal day, day("2024-12-20")`)
		}
		return &node{op: "const", typ: Day, value: d}
	case "add_months", "add_days":
		limit := map[string]int64{"add_months": 1200, "add_days": 36600}[n.op]
		if arg(1).lo < -limit || arg(1).hi > limit {
			return c.refuse(id, "%s of more than %d: the number here can be from %d to %d", n.op, limit, arg(1).lo, arg(1).hi)
		}
		if first := arg(0).added(); first != "" {
			return c.refuse(id, "%s of %s: add once", n.op, first)
		}
	case "part_of":
		return c.partOf(id, n)
	case "months_in_years":
		n.args = append(n.args, &node{op: "const", typ: Int, value: int64(12), lo: 12, hi: 12})
		return c.bound(id, n)
	case "least":
		n.lo, n.hi = min(arg(0).lo, arg(1).lo), min(arg(0).hi, arg(1).hi)
	case "greatest":
		n.lo, n.hi = max(arg(0).lo, arg(1).lo), max(arg(0).hi, arg(1).hi)
	case "value_or":
		n.lo, n.hi = min(arg(0).lo, arg(1).lo), max(arg(0).hi, arg(1).hi)
		c.codes(id, arg(0), arg(1))
	default:
		f, ok := function(n.op)
		if !ok {
			return c.refuse(id, "%s is not in the rule language", symbol(n.op))
		}
		n.lo, n.hi = f.lo, f.hi
	}
	return n
}

// partOf proves that twice the product and the denominator stay in int64: the most that a rounding works with.
func (c *compiler) partOf(id int64, n *node) *node {
	den, ok := n.args[2].value.(int64)
	rounding, isText := n.args[3].value.(string)
	if !ok || den < 1 || den > 1_000_000 {
		return c.refuse(id, "part_of asks for a literal denominator from 1 to 1000000")
	}
	if !isText || !slices.Contains(Roundings, rounding) {
		return c.refuse(id, "part_of asks for a literal rounding: %s", strings.Join(Roundings, ", "))
	}
	product := &node{op: operators.Multiply, typ: Int, args: n.args[:2]}
	if product = c.bound(id, product); product.typ == refused {
		return product
	}
	twice := &node{op: operators.Multiply, typ: Int, args: []*node{product, {op: "const", typ: Int, value: int64(2), lo: 2, hi: 2}}}
	if twice = c.bound(id, twice); twice.typ == refused {
		return twice
	}
	if room := math.MaxInt64 - 2*den; twice.lo < -room || twice.hi > room {
		return c.refuse(id, "could leave the range of an int: state a minimum and maximum of its facts")
	}
	n.lo, n.hi = min(round(product.lo, den, "up"), round(product.lo, den, "down")), max(round(product.hi, den, "up"), round(product.hi, den, "down"))
	return n
}

// added names the add_months or add_days that a day may come from, "" if none.
func (n *node) added() string {
	switch n.op {
	case "add_months", "add_days":
		return n.op
	case operators.Conditional:
		return cmp.Or(n.args[1].added(), n.args[2].added())
	case "least", "greatest", "value_or":
		return cmp.Or(n.args[0].added(), n.args[1].added())
	}
	if n.typ == Day && len(n.args) == 1 { // the first or last day of a stretch
		return n.args[0].added()
	}
	return ""
}

// bound proves that an arithmetic result stays in int64.
func (c *compiler) bound(id int64, n *node) *node {
	a := n.args[0]
	ends := []*big.Int{}
	each := func(f func(x, y *big.Int) *big.Int) {
		b := n.args[1]
		for _, x := range []int64{a.lo, a.hi} {
			for _, y := range []int64{b.lo, b.hi} {
				ends = append(ends, f(big.NewInt(x), big.NewInt(y)))
			}
		}
	}
	switch n.op {
	case operators.Add:
		each(func(x, y *big.Int) *big.Int { return x.Add(x, y) })
	case operators.Subtract:
		each(func(x, y *big.Int) *big.Int { return x.Sub(x, y) })
	case operators.Multiply, "months_in_years":
		each(func(x, y *big.Int) *big.Int { return x.Mul(x, y) })
	case operators.Divide:
		each(func(x, y *big.Int) *big.Int { return x.Quo(x, y) })
		ends = append(ends, new(big.Int)) // a quotient is nearest 0 in the middle
	case operators.Modulo:
		d := n.args[1].value.(int64)
		if d == math.MinInt64 || d == -1 && a.lo == math.MinInt64 { // the least int has no opposite
			return c.refuse(id, "the divisor is out of range")
		}
		d = max(d, -d) - 1
		ends = append(ends, big.NewInt(-d), big.NewInt(d))
	case operators.Negate:
		ends = append(ends, new(big.Int).Neg(big.NewInt(a.lo)), new(big.Int).Neg(big.NewInt(a.hi)))
	}
	lo, hi := ends[0], ends[0]
	for _, e := range ends {
		if e.Cmp(lo) < 0 {
			lo = e
		}
		if e.Cmp(hi) > 0 {
			hi = e
		}
	}
	if !lo.IsInt64() || !hi.IsInt64() {
		return c.refuse(id, "could leave the range of an int (from %s to %s): state a minimum and maximum of its facts", lo, hi)
	}
	n.lo, n.hi = lo.Int64(), hi.Int64()
	return n
}

// codes refuses a literal that the name's code list does not have.
func (c *compiler) codes(id int64, word, other *node) {
	n, ok := c.v.names[word.name]
	s, isText := other.value.(string)
	if word.op != "name" || !ok || n.Codes == nil || !isText || slices.Contains(n.Codes, s) {
		return
	}
	msg := fmt.Sprintf("%s is never %q", word.name, s)
	if near := fault.Closest(s, n.Codes); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	c.refuse(id, "%s", msg)
}

// in is of a list of literals or of a parameter that is a set.
func (c *compiler) in(e ast.Expr, n *node, depth int) *node {
	args := e.AsCall().Args()
	left := c.node(args[0], depth+1)
	if left.typ == refused {
		return left
	}
	n.args = []*node{left}
	fits := func(id int64, l *node) bool {
		if left.unit == "" || l.unit == "" || left.unit == l.unit {
			return true
		}
		c.refuse(id, "%s is %s and %s is %s: in wants one unit", left.called(), left.unit, l.called(), l.unit)
		return false
	}
	if args[1].Kind() != ast.ListKind {
		right := c.node(args[1], depth+1)
		if right.typ != refused && (right.op != "name" || !right.typ.set()) {
			return c.refuse(e.ID(), "in asks for a list of literals or a parameter that is a set")
		}
		if right.typ == refused || !fits(e.ID(), right) {
			return &node{op: "const", typ: refused}
		}
		if mine, theirs := c.v.names[left.name].Codes, c.v.names[right.name].Codes; left.op == "name" && mine != nil && theirs != nil && !slices.ContainsFunc(mine, func(s string) bool { return slices.Contains(theirs, s) }) {
			return c.refuse(e.ID(), "%s and %s have no code in common", left.name, right.name)
		}
		n.name, n.times = right.name, right.times
		return n
	}
	for _, el := range args[1].AsList().Elements() {
		l := c.node(el, depth+1)
		if l.typ == refused {
			return l
		}
		if l.op != "const" || l.typ != left.typ || l.typ == Bool || l.typ == Day {
			return c.refuse(el.ID(), "in asks for a list of int or text literals of the type on its left")
		}
		if !fits(el.ID(), l) {
			return &node{op: "const", typ: refused}
		}
		c.codes(el.ID(), left, l)
		n.list = append(n.list, l.value)
	}
	if len(n.list) == 0 {
		return c.refuse(e.ID(), "in of an empty list holds for nobody")
	}
	return n
}
