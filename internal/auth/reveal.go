package auth

import (
	"context"
	"database/sql"
	"strings"
	"unicode/utf8"

	"bole/internal/audit"
	"bole/internal/fault"
)

// Look is a look at masked fields in clear.
type Look struct {
	Person string  // P-7K2M-90C: never a number or a name
	At     Place   // of the row in which they stand
	Fields []Field // which are shown
	Reason string  // in the words of whoever looks
	Where  string  // id of the request; "" on the command line
}

const reasonShortest, reasonLongest = 4, 200 // characters

// Reveal lets somebody see fields in clear: it writes the record, and only when that is kept does read run and its values go out. read is given
// no transaction, since what was seen cannot be unseen when one is taken back.
//
// Errors: Forbidden "auth.may_not" without person.reveal at that place; Invalid "auth.reason" without a reason; Invalid "audit.personal" when the
// reason holds a number like a phone's.
func Reveal[T any](ctx context.Context, d *Desk, by Actor, l Look, read func() (T, error)) (value T, err error) {
	const op = "auth.Reveal"
	if !by.Allows("person.reveal", l.At) {
		return value, fault.New(op, fault.Forbidden, "auth.may_not", "account", by.Name, "permission", "person.reveal")
	}
	reason := strings.TrimSpace(l.Reason)
	if n := utf8.RuneCountInString(reason); n < reasonShortest || n > reasonLongest {
		return value, fault.New(op, fault.Invalid, "auth.reason", "least", reasonShortest, "most", reasonLongest)
	}
	fields := make([]string, len(l.Fields))
	for i, f := range l.Fields {
		fields[i] = string(f)
	}
	at := d.now()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		return audit.Write(ctx, tx, audit.Record{At: at, Account: by.Name, Role: by.roleFor("person.reveal", l.At), Action: "reveal", Kind: "person", Object: l.Person,
			After: []audit.Field{text("fields", strings.Join(fields, ","))}, Reason: reason, Count: 1, Request: l.Where})
	})
	if err != nil {
		return value, fault.Wrap(op, err)
	}
	value, err = read()
	return value, fault.Wrap(op, err)
}

// roleFor is the role by which something is allowed.
func (a Actor) roleFor(permission string, at Place) string {
	for _, g := range a.grants(permission) {
		if f := reaches[g.Scope]; f != nil && f(a, g, at) {
			return g.Role
		}
	}
	return ""
}
