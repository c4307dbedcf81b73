package auth

import (
	"slices"

	"bole/internal/fault"
)

// Body is a handling body and the one above it; Parent is "" at the top. A functional zone is a body like a district: that it has no
// division code is no matter here.
type Body struct {
	Code, Parent string
}

// Bodies are the handling bodies of a pack as a tree.
type Bodies struct {
	above map[string]string
}

// NewBodies makes the tree.
//
// Errors: Invalid "auth.body_twice"; Invalid "auth.body_unknown" of a parent that is none of them; Invalid "auth.body_circle".
func NewBodies(list []Body) (Bodies, error) {
	const op = "auth.NewBodies"
	b := Bodies{map[string]string{}}
	for _, x := range list {
		if _, twice := b.above[x.Code]; twice || x.Code == "" {
			return Bodies{}, fault.New(op, fault.Invalid, "auth.body_twice", "body", x.Code)
		}
		b.above[x.Code] = x.Parent
	}
	for _, x := range list {
		at := x.Parent
		for range list { // a path is never longer than there are bodies
			if at == "" {
				break
			}
			next, ok := b.above[at]
			if !ok {
				return Bodies{}, fault.New(op, fault.Invalid, "auth.body_unknown", "body", at)
			}
			at = next
		}
		if at != "" {
			return Bodies{}, fault.New(op, fault.Invalid, "auth.body_circle", "body", x.Code)
		}
	}
	return b, nil
}

// Has reports whether there is such a body.
func (b Bodies) Has(code string) bool { _, ok := b.above[code]; return ok }

// Within reports whether a body is another one or below it.
func (b Bodies) Within(code, top string) bool {
	for code != "" && b.Has(code) {
		if code == top {
			return true
		}
		code = b.above[code]
	}
	return false
}

// below lists a body and all below it, in order.
func (b Bodies) below(top string) (out []string) {
	for code := range b.above {
		if b.Within(code, top) {
			out = append(out, code)
		}
	}
	slices.Sort(out)
	return out
}

// Place is where a row belongs: to the handling body that handles it, and to the person or employer that it is about. Either may be "";
// a row that belongs to no body is seen by those whose scope is all.
type Place struct {
	Body    string
	Subject string // as the account of that person or employer has it
}

// Grant is a role as an account has it.
type Grant struct {
	ID     int64
	Role   string
	Scope  Scope
	Bodies []string // one of Own and Below, the list of Chosen, none of All and Self
}

// Actor is somebody who was let in, by a session or a token, with what the account may at this moment.
type Actor struct {
	Account int64
	Name    string
	Subject string // "" where the account stands for nobody in the registers
	Grants  []Grant

	session string   // "" without one
	token   string   // "" without one
	child   bool     // the token was made by a token
	only    []string // permissions of the token; nil for a session: all that the account has
	until   int64    // end of the token, epoch microseconds
	bodies  Bodies
}

// grants lists the grants that have a permission; none where the token lacks it.
func (a Actor) grants(permission string) (out []Grant) {
	if a.only != nil && !slices.Contains(a.only, permission) {
		return nil
	}
	for _, g := range a.Grants {
		if r := roleOf(g.Role); r != nil && slices.Contains(r.May, permission) {
			out = append(out, g)
		}
	}
	return out
}

// Has reports whether the actor has a permission anywhere: whether to show a button, or whether to do what is about no row. Who does
// something to a row asks Allows.
func (a Actor) Has(permission string) bool { return len(a.grants(permission)) > 0 }

// Allows reports whether the actor may do something to a row of that place. What nothing allows is refused, so a row whose place was
// forgotten is seen by nobody but those who see everything.
func (a Actor) Allows(permission string, at Place) bool {
	return a.roleFor(permission, at) != ""
}

// reaches is what each scope reaches.
var reaches = map[Scope]func(Actor, Grant, Place) bool{
	All:    func(Actor, Grant, Place) bool { return true },
	Own:    func(_ Actor, g Grant, at Place) bool { return at.Body != "" && slices.Contains(g.Bodies, at.Body) },
	Chosen: func(_ Actor, g Grant, at Place) bool { return at.Body != "" && slices.Contains(g.Bodies, at.Body) },
	Below: func(a Actor, g Grant, at Place) bool {
		return slices.ContainsFunc(g.Bodies, func(top string) bool { return a.bodies.Within(at.Body, top) })
	},
	Self: func(a Actor, _ Grant, at Place) bool { return a.Subject != "" && a.Subject == at.Subject },
}

// Reach is which rows a permission reaches, for a list that is asked of a database: all, or those of the bodies and of the subject. Rows
// that Allows refuses are in none of the three.
type Reach struct {
	All     bool
	Bodies  []string // in order
	Subject string   // "" for none
}

// Reach tells it for a permission; of one that the actor has not, nothing.
func (a Actor) Reach(permission string) (r Reach) {
	for _, g := range a.grants(permission) {
		switch g.Scope {
		case All:
			return Reach{All: true}
		case Self:
			r.Subject = a.Subject
		case Below:
			for _, top := range g.Bodies {
				r.Bodies = append(r.Bodies, a.bodies.below(top)...)
			}
		case Own, Chosen:
			r.Bodies = append(r.Bodies, g.Bodies...)
		}
	}
	slices.Sort(r.Bodies)
	r.Bodies = slices.Compact(r.Bodies)
	return r
}

// need asks for a permission that is about no row.
//
// Errors: Forbidden "auth.may_not".
func (a Actor) need(op, permission string) error {
	if a.Has(permission) {
		return nil
	}
	return fault.New(op, fault.Forbidden, "auth.may_not", "account", a.Name, "permission", permission)
}
