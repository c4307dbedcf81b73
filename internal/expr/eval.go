package expr

import (
	"fmt"
	"slices"

	"bole/internal/calendar"
	"cel.dev/cel-go/common/operators"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// Values gives the value of a name: bool, int64, string or calendar.Day; for a table a map from int64 or string to int64, or a Grid; for a
// set a slice of int64 or string; nil for unknown.
type Values func(name string) any

// Eval answers for one subject. The answer is a bool, int64, string or calendar.Day, or nil for unknown; a table that has no
// number for its key is unknown too.
//
// Errors: a value of another type than the vocabulary declares.
func (x *Expr) Eval(values Values) (any, error) {
	if x.program == nil { // a bound
		if v, ok := number(x.root, values); ok {
			return v, nil
		}
		return nil, nil
	}
	a := &activation{values: values, names: x.names}
	out, _, err := x.program.Eval(a)
	if a.err != nil { // first: known and value_or would take it for a silence
		return nil, fmt.Errorf("expr: %s: %w", x.src, a.err)
	}
	if out != nil && types.IsUnknown(out) {
		return nil, nil
	}
	if err != nil {
		if err.Error() == noKey {
			return nil, nil
		}
		return nil, fmt.Errorf("expr: %s: %w", x.src, err)
	}
	switch v := out.(type) {
	case types.Bool:
		return bool(v), nil
	case types.Int:
		return int64(v), nil
	case types.String:
		return string(v), nil
	case types.Timestamp:
		return calendar.DayOf(v.Time), nil
	}
	return nil, fmt.Errorf("expr: %s: answered %v", x.src, out.Type())
}

// noKey is what a table answers for a key that it does not have: the law has no number for it.
const noKey = "no number in the table"

type activation struct {
	values Values
	names  map[string]Name
	err    error // a value of another type than declared
}

func (a *activation) Parent() interpreter.Activation { return nil }

func (a *activation) ResolveName(name string) (any, bool) {
	n, ok := a.names[name]
	if !ok {
		return nil, false
	}
	v := n.Const
	if v == nil {
		v = a.values(name)
	}
	if v == nil {
		return types.NewUnknown(0, nil), true
	}
	out, t := value(v, n.Type)
	if t != n.Type {
		a.err = fmt.Errorf("%s is a %T, and %s is declared", name, v, n.Type)
		return types.WrapErr(a.err), true
	}
	return out, true
}

// value makes a CEL value, and says of which type of the language it is. A Grid is of the wanted type if its keys are.
func value(v any, want Type) (ref.Val, Type) {
	switch v := v.(type) {
	case bool:
		return types.Bool(v), Bool
	case int64:
		return types.Int(v), Int
	case string:
		return types.String(v), Text
	case calendar.Day:
		return dayVal(v), Day
	case map[int64]int64:
		return byOne(v), IntTable
	case map[string]int64:
		return byOne(v), TextTable
	case Grid:
		return byTwo(v), v.typ(want)
	case []int64:
		return &set[int64]{members: v}, IntSet
	case []string:
		return &set[string]{members: v}, TextSet
	}
	return nil, ""
}

// typ is the type by any one entry; a grid without one is of the wanted type.
func (g Grid) typ(want Type) Type {
	for k := range g {
		_, a := value(k[0], "")
		_, b := value(k[1], "")
		return Type("table[" + a + "][" + b + "]int")
	}
	return want
}

// Requires lists the facts without which the value may be unknown: what a form would have to ask.
func (x *Expr) Requires() []string { return sorted(x.required(x.root, map[string]bool{})) }

func (x *Expr) required(n *node, into map[string]bool) map[string]bool {
	switch n.op {
	case "known":
		return into
	case "value_or":
		return x.required(n.args[1], into)
	}
	if w, ok := x.names[n.name]; n.name != "" && ok && !w.Sure && !w.Fixed {
		into[n.name] = true
	}
	for _, a := range n.args {
		x.required(a, into)
	}
	return into
}

// Ensures lists the facts that must be known when the condition holds.
func (x *Expr) Ensures() []string { return sorted(x.ensured(x.root, true)) }

func (x *Expr) ensured(n *node, truth bool) map[string]bool {
	both := func(truth bool, join func(a, b map[string]bool) map[string]bool) map[string]bool {
		return join(x.ensured(n.args[0], truth), x.ensured(n.args[1], truth))
	}
	switch n.op {
	case operators.LogicalAnd:
		if truth {
			return both(truth, union)
		}
		return both(truth, common)
	case operators.LogicalOr:
		if truth {
			return both(truth, common)
		}
		return both(truth, union)
	case operators.LogicalNot:
		return x.ensured(n.args[0], !truth)
	case operators.Conditional:
		return common(union(x.ensured(n.args[0], true), x.ensured(n.args[1], truth)), union(x.ensured(n.args[0], false), x.ensured(n.args[2], truth)))
	case "known":
		if truth {
			return x.strict(n.args[0])
		}
	}
	return x.strict(n)
}

// strict lists the facts that must be known for the node to be known at all.
func (x *Expr) strict(n *node) map[string]bool {
	out := map[string]bool{}
	switch n.op {
	case "known", "value_or", operators.LogicalAnd, operators.LogicalOr:
		return out
	case operators.Conditional:
		return union(x.strict(n.args[0]), common(x.strict(n.args[1]), x.strict(n.args[2])))
	case "name":
		if !x.names[n.name].Fixed {
			out[n.name] = true
		}
	}
	for _, a := range n.args {
		out = union(out, x.strict(a))
	}
	return out
}

// Looks reports whether the expression asks a table, which may have no number for a key.
func (x *Expr) Looks() bool {
	found := false
	x.root.walk(func(n *node) { found = found || n.op == operators.Index })
	return found
}

func union(a, b map[string]bool) map[string]bool {
	for k := range b {
		a[k] = true
	}
	return a
}

func common(a, b map[string]bool) map[string]bool {
	for k := range a {
		if !b[k] {
			delete(a, k)
		}
	}
	return a
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for k := range set {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// Comparison is a conjunct of the form "fact op number": a threshold, whose neighbours a test should touch and of which a sentence can
// say how much is missing.
type Comparison struct {
	Fact  string
	Op    string // <= < >= > ==
	Bound *Expr  // a literal, a parameter or arithmetic of them; its Source is the whole condition
}

// Comparisons lists the thresholds among the top-level conjuncts, with the fact always on the left.
func (x *Expr) Comparisons() []Comparison {
	var out []Comparison
	var visit func(n *node)
	visit = func(n *node) {
		if n.op == operators.LogicalAnd {
			visit(n.args[0])
			visit(n.args[1])
			return
		}
		op, ok := comparisons[n.op]
		if !ok {
			return
		}
		l, r := n.args[0], n.args[1]
		if !x.fixed(r) {
			l, r, op = r, l, mirrored[op]
		}
		if l.op == "name" && !x.names[l.name].Fixed && x.fixed(r) && l.typ == Int {
			out = append(out, Comparison{l.name, op, &Expr{src: x.src, root: r, names: x.names, inputs: r.inputs()}})
		}
	}
	visit(x.root)
	return out
}

var comparisons = map[string]string{operators.Less: "<", operators.LessEquals: "<=", operators.Greater: ">", operators.GreaterEquals: ">=", operators.Equals: "=="}
var mirrored = map[string]string{"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}

// fixed reports whether number can work the node out.
func (x *Expr) fixed(n *node) bool {
	ok := true
	n.walk(func(n *node) {
		_, sum := arithmetic[n.op]
		switch n.op {
		case "const", operators.Divide, operators.Negate, "least", "greatest":
			sum = true
		case "name":
			sum = x.names[n.name].Fixed
		}
		ok = ok && sum && n.typ == Int
	})
	return ok
}

// Number works out a bound of literals and parameters; unknown where the law gives no number.
func (c Comparison) Number(values Values) (int64, bool) {
	return number(c.Bound.root, values)
}

func number(n *node, values Values) (int64, bool) {
	if n.op == "const" {
		v, ok := n.value.(int64)
		return v, ok
	}
	if n.op == "name" {
		v, ok := values(n.name).(int64)
		return v, ok
	}
	var args []int64
	for _, a := range n.args {
		v, ok := number(a, values)
		if !ok {
			return 0, false
		}
		args = append(args, v)
	}
	switch n.op {
	case operators.Add:
		return args[0] + args[1], true
	case operators.Subtract:
		return args[0] - args[1], true
	case operators.Multiply, "months_in_years":
		return args[0] * args[1], true
	case operators.Divide:
		return args[0] / args[1], true
	case operators.Modulo:
		return args[0] % args[1], true
	case operators.Negate:
		return -args[0], true
	case "least":
		return min(args[0], args[1]), true
	case "greatest":
		return max(args[0], args[1]), true
	}
	return 0, false
}
