package expr

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/operators"
)

// Threshold is a comparison of two ints or two days, wherever in an expression it stands. What is compared with a choice is compared with each of what
// may be chosen. Where only one side is about somebody, it is the left.
type Threshold struct {
	Op          string // < <= > >= == !=
	Left, Right *Expr
	When        []Guard // the choices that lead to it
}

// Guard is the condition of a choice, and what it must be.
type Guard struct {
	Is   *Expr
	Want bool
}

// Use is one asking of a parameter.
type Use struct {
	Name string  // with "p."
	Keys []*Expr // of a table
	When []Guard
}

// Thresholds lists the comparisons of ints and of days that look at a fact or at the day asked about.
//
// Errors: none but of CEL itself, of a part of what it has planned as a whole.
func (x *Expr) Thresholds() (out []Threshold, err error) {
	w := walker{x: x}
	w.visit(x.parts.ast.Expr(), nil, func(e ast.Expr, when []Guard) {
		op, ok := comparisonOf(e)
		if !ok {
			return
		}
		args := e.AsCall().Args()
		w.choices(args[0], when, func(l ast.Expr, when []Guard) {
			w.choices(args[1], when, func(r ast.Expr, when []Guard) {
				t := Threshold{op, w.part(l), w.part(r), when}
				if t.Left.about() == t.Right.about() && !t.Left.about() || t.Left.root.typ != Int && t.Left.root.typ != Day {
					return
				}
				if !t.Left.about() {
					t.Left, t.Right, t.Op = t.Right, t.Left, turned(op)
				}
				out = append(out, t)
			})
		})
	})
	return out, w.err
}

// Uses lists where the expression asks parameters.
//
// Errors: as Thresholds.
func (x *Expr) Uses() (out []Use, err error) {
	w := walker{x: x}
	w.visit(x.parts.ast.Expr(), nil, func(e ast.Expr, when []Guard) {
		u := Use{When: when}
		for e.Kind() == ast.CallKind && e.AsCall().FunctionName() == operators.Index {
			u.Keys = append([]*Expr{w.part(e.AsCall().Args()[1])}, u.Keys...)
			e = e.AsCall().Args()[0]
		}
		r := x.parts.ast.ReferenceMap()[e.ID()]
		if r == nil || !x.names[r.Name].Fixed || len(u.Keys) != x.names[r.Name].Type.keys() {
			return // no parameter, or a table on its way to its keys
		}
		u.Name = r.Name
		out = append(out, u)
	})
	return out, w.err
}

// Type is the type of the expression.
func (x *Expr) Type() Type { return x.root.typ }

// Single reports whether the expression is one name, and not made of several.
func (x *Expr) Single() bool { return x.root.op == "name" }

// Steady reports whether what the expression comes to can change by one: no product or quotient of somebody's facts.
func (x *Expr) Steady() bool {
	steady := true
	x.root.walk(func(n *node) {
		switch n.op {
		case operators.Multiply, operators.Divide, operators.Modulo, "part_of", "months_in_years":
			steady = steady && x.fixed(n)
		}
	})
	return steady
}

// about reports whether the expression looks at a fact or at the day asked about.
func (x *Expr) about() bool {
	return slices.ContainsFunc(x.inputs, func(in string) bool { return !x.names[in].Fixed })
}

func comparisonOf(e ast.Expr) (op string, ok bool) {
	if e.Kind() != ast.CallKind {
		return "", false
	}
	fn := e.AsCall().FunctionName()
	if fn == operators.NotEquals {
		return "!=", true
	}
	op, ok = comparisons[fn]
	return op, ok
}

func turned(op string) string {
	if t, ok := mirrored[op]; ok {
		return t
	}
	return op
}

// walker goes through the syntax tree of an expression.
type walker struct {
	x   *Expr
	err error
}

// visit calls f with every part, with the choices that lead to it.
func (w *walker) visit(e ast.Expr, when []Guard, f func(ast.Expr, []Guard)) {
	f(e, when)
	if e.Kind() != ast.CallKind {
		return
	}
	call := e.AsCall()
	if call.IsMemberFunction() {
		w.visit(call.Target(), when, f)
	}
	for i, a := range call.Args() {
		w.visit(a, w.guarded(call, i, when), f)
	}
}

// guarded are the choices that lead to an argument of a call.
func (w *walker) guarded(call ast.CallExpr, i int, when []Guard) []Guard {
	if call.FunctionName() != operators.Conditional || i == 0 {
		return when
	}
	return append(slices.Clone(when), Guard{w.part(call.Args()[0]), i == 1})
}

// choices calls f with each of what an operand may be.
func (w *walker) choices(e ast.Expr, when []Guard, f func(ast.Expr, []Guard)) {
	if e.Kind() != ast.CallKind || e.AsCall().FunctionName() != operators.Conditional {
		f(e, when)
		return
	}
	call := e.AsCall()
	for i := 1; i <= 2; i++ {
		w.choices(call.Args()[i], w.guarded(call, i, when), f)
	}
}

// part makes an expression of a part of one.
func (w *walker) part(e ast.Expr) *Expr {
	whole := w.x.parts.ast
	c := &compiler{v: w.x.parts.v, src: w.x.src, ast: whole}
	out := &Expr{root: c.node(e, 0), names: w.x.names, parts: &compiler{v: c.v, src: w.x.src}}
	out.inputs = out.root.inputs()
	sub := ast.NewCheckedAST(ast.NewAST(e, whole.SourceInfo()), whole.TypeMap(), whole.ReferenceMap())
	out.parts.ast = sub
	src, err := cel.ExprToString(e, whole.SourceInfo())
	if err == nil {
		out.src = strings.Join(strings.Fields(src), " ")
		out.program, err = c.v.env.PlanProgram(sub)
	}
	if err != nil && w.err == nil {
		w.err = fmt.Errorf("expr: a part of %s: %w", w.x.src, err)
	}
	return out
}
