package expr

import (
	"cmp"
	"slices"
	"strings"

	"cel.dev/cel-go/common/operators"
)

// ratios are the units of a part of something, with how many make the whole.
var ratios = map[string]int64{"percent": 100, "permille": 1000}

// alike are the operands that must be of one unit, by operator; the result, where it is an int, is of that unit too.
var alike = map[string][2]int{
	operators.Equals: {0, 1}, operators.NotEquals: {0, 1}, operators.Less: {0, 1}, operators.LessEquals: {0, 1}, operators.Greater: {0, 1}, operators.GreaterEquals: {0, 1},
	operators.Add: {0, 1}, operators.Subtract: {0, 1}, operators.Conditional: {1, 2}, "least": {0, 1}, "greatest": {0, 1}, "value_or": {0, 1},
}

// units refuses what mixes units, and works out the unit of an int. A literal fits any unit, and so does a name without one.
func (c *compiler) units(id int64, n *node) *node {
	if pair, ok := alike[n.op]; ok {
		a, b := n.args[pair[0]], n.args[pair[1]]
		if a.unit != "" && b.unit != "" && a.unit != b.unit {
			hint := ""
			if both := []string{a.unit, b.unit}; slices.Contains(both, "year") && slices.Contains(both, "month") {
				hint = "; years are made months by months_in_years"
			}
			return c.refuse(id, "%s is %s and %s is %s: %s wants one unit%s", a.called(), a.unit, b.called(), b.unit, symbol(n.op), hint)
		}
		if n.typ == Int {
			n.unit = cmp.Or(a.unit, b.unit)
		}
		return n
	}
	switch n.op {
	case operators.Negate, operators.Divide, operators.Modulo:
		n.unit = n.args[0].unit
	case operators.Multiply:
		return c.product(id, n)
	}
	f, ok := function(n.op)
	if !ok {
		return n
	}
	for i, want := range f.takes {
		if has := n.args[i].unit; want != "" && has != "" && has != want {
			return c.refuse(id, "%s takes %ss, and %s is %s", n.op, want, n.args[i].called(), has)
		}
	}
	if n.unit = f.unit; n.op == "part_of" {
		n.unit = n.args[0].unit
		if whole, ok := ratios[n.args[1].unit]; ok && n.args[2].value != whole {
			return c.refuse(id, "%s is %s: part_of wants it of %d", n.args[1].called(), n.args[1].unit, whole)
		}
	}
	return n
}

// product is the unit of a product: fen/month times month is fen; times a literal it is open, and fits any. A ratio is part_of's, which says how
// the amount is rounded, and any other product of two units means nothing.
func (c *compiler) product(id int64, n *node) *node {
	a, b := n.args[0], n.args[1]
	for _, x := range n.args {
		if whole, ok := ratios[x.unit]; ok && !(a.literal() || b.literal()) {
			return c.refuse(id, "%s is %s: write part_of(amount, %s, %d, \"down\"), which says how the amount is rounded", x.called(), x.unit, x.called(), whole)
		}
	}
	switch {
	case a.unit == "" || b.unit == "": // a literal may be a rate (500 fen a month) or turn one unit into another (12 months a year): nobody says
	default:
		var ok bool
		if n.unit, ok = times(a.unit, b.unit); !ok {
			if n.unit, ok = times(b.unit, a.unit); !ok {
				return c.refuse(id, "%s is %s and %s is %s: their product has no unit", a.called(), a.unit, b.called(), b.unit)
			}
		}
	}
	return n
}

// times cancels a unit against one that the other is counted by: fen/person/month times month is fen/person.
func times(rate, by string) (string, bool) {
	parts := strings.Split(rate, "/")
	i := slices.Index(parts[1:], by)
	if i < 0 {
		return "", false
	}
	return strings.Join(slices.Delete(parts, i+1, i+2), "/"), true
}

// literal reports whether no name gives the node its value.
func (n *node) literal() bool {
	out := n.unit == ""
	n.walk(func(n *node) { out = out && n.name == "" })
	return out
}

// called is how a problem names an operand: by the first word in it that has its unit.
func (n *node) called() string {
	switch {
	case n.op == operators.Index:
		return n.name + "[...]"
	case n.name != "":
		return n.name
	case n.word != "":
		return n.word
	}
	if _, ok := function(n.op); ok && alike[n.op] == [2]int{} {
		return n.op + "(...)"
	}
	for _, a := range n.args {
		if a.unit == n.unit {
			return a.called()
		}
	}
	return "the product" // whose unit is neither operand's
}
