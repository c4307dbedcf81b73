package audit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
)

// System is the account of what no person did: a command on the machine itself, a job, the clock.
const System = "system"

// Record is one thing that somebody did, or one look at personal data.
type Record struct {
	At      time.Time // when, from the caller's clock
	Account string    // login name, or System
	Role    string    // the role in which the account acted, "" where it has none
	Action  string    // the verb of the glossary, in the form that a command has: load, screen, rotate, reveal, grant
	Kind    string    // what it was done to: delivery, key, account, person
	Object  string    // its id; never personal data; "" where it is about the kind as a whole
	Before  []Field   // what stood there, only the fields that matter; nil for something new
	After   []Field   // what stands there now; nil for a look and for something removed
	Reason  string    // why, in the words of whoever did it; without personal data
	Count   int64     // rows of personal data seen, or rows touched
	Request string    // id of the request, by which the records of one click are found
}

// Field is one field of what was changed.
type Field struct {
	Name  string // as the table or the declaration calls it: small letters, digits and _
	Value Value
}

// Value is what a field held, made by one of the functions below. The zero Value is a field that had nothing in it.
type Value struct {
	json string // as it stands in the record; "" for null
	text string // what has to be looked at before it may stand there
}

// Text is a code, an id, or words without personal data.
func Text(s string) Value { return Value{json: string(appendText(nil, s)), text: s} }

// Int is a number: an amount in fen, a count, a version.
func Int(n int64) Value { return Value{json: strconv.FormatInt(n, 10)} }

// Bool is yes or no.
func Bool(b bool) Value { return Value{json: strconv.FormatBool(b)} }

// Day is a day, nothing for 0.
func Day(d calendar.Day) Value {
	if d == 0 {
		return Value{}
	}
	return Value{json: string(appendText(nil, d.String()))}
}

// Instant is a moment, nothing for the zero time.
func Instant(t time.Time) Value {
	if t.IsZero() {
		return Value{}
	}
	return Value{json: string(appendText(nil, instant(store.Micros(t))))}
}

// Keyed is the keyed fingerprint of something personal: two records show whether it changed, and nobody without the keys learns what it is. Name is the field's
// name: fingerprints of different fields, and those of the vault's index, never meet.
func Keyed(k *seal.Keys, name, personal string) Value {
	x := k.Index("audit."+name, personal)
	return Value{json: `{"keyed":"` + hex.EncodeToString(x[:]) + `"}`}
}

// Masked is something personal with only its end left: the last quarter, at most four characters. Of a name of three characters nothing is left but its
// length.
func Masked(personal string) Value {
	r := []rune(personal)
	hide := len(r) - min(len(r)/4, 4)
	for i := range r[:hide] {
		r[i] = '*'
	}
	return Value{json: `{"masked":` + string(appendText(nil, string(r))) + `}`}
}

// What a record's texts may be.
const (
	longestName = 64   // characters of account, role, action, kind, object, request and a field's name
	longestText = 1000 // characters of a reason and of a field's text
	phoneDigits = 11   // digits in a row that may be a phone, an ID number or a bank card
)

// turn counts the records of this process, so that those of one instant are sealed in the order in which they were written.
var turn atomic.Uint64

// Write adds a record in the caller's transaction: it is kept when the transaction is, and not otherwise. A transaction that runs again writes it again,
// since the first try was not kept.
//
// Errors: Internal "audit.record" when a part that every record has is missing or is no code; Invalid "audit.text" when a text is too long or has
// control characters, and Invalid "audit.personal" when it has eleven digits in a row, as a phone, an ID number and a bank card have. Args name the field.
func Write(ctx context.Context, tx *sql.Tx, r Record) error {
	const op = "audit.Write"
	if tx == nil {
		return fault.New(op, fault.Internal, "audit.record", "field", "tx")
	}
	if err := r.check(); err != nil {
		return fault.Wrap(op, err)
	}
	id := newID()
	if _, err := tx.ExecContext(ctx, `INSERT INTO audit_record (id, at, account, role, action, kind, object, before_fields, after_fields, reason, n, request)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		id, store.Micros(r.At), r.Account, r.Role, r.Action, r.Kind, r.Object, fields(r.Before), fields(r.After), r.Reason, r.Count, r.Request); err != nil {
		return fault.Wrap(op, err)
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_tail (record) VALUES ($1)`, id)
	return fault.Wrap(op, err)
}

// newID is the turn in 15 bits, which tells apart and orders what one instant has, and 48 random ones, which tell processes apart.
func newID() int64 {
	var b [8]byte
	rand.Read(b[2:])
	return int64((turn.Add(1)&0x7fff)<<48 | binary.BigEndian.Uint64(b[:]))
}

// check refuses what may not stand in the log.
func (r Record) check() error {
	for _, must := range []struct{ field, value string }{{"action", r.Action}, {"kind", r.Kind}} {
		if !code(must.value) {
			return fault.New("audit.check", fault.Internal, "audit.record", "field", must.field)
		}
	}
	switch {
	case r.At.IsZero():
		return fault.New("audit.check", fault.Internal, "audit.record", "field", "at")
	case r.Account == "":
		return fault.New("audit.check", fault.Internal, "audit.record", "field", "account")
	case r.Count < 0:
		return fault.New("audit.check", fault.Internal, "audit.record", "field", "count")
	}
	texts := []struct {
		field, value string
		longest      int
	}{{"account", r.Account, longestName}, {"role", r.Role, longestName}, {"object", r.Object, longestName}, {"request", r.Request, longestName}, {"reason", r.Reason, longestText}}
	for _, list := range [][]Field{r.Before, r.After} {
		seen := map[string]bool{}
		for _, f := range list {
			if !code(f.Name) || seen[f.Name] {
				return fault.New("audit.check", fault.Internal, "audit.record", "field", f.Name)
			}
			seen[f.Name] = true
			texts = append(texts, struct {
				field, value string
				longest      int
			}{f.Name, f.Value.text, longestText})
		}
	}
	for _, t := range texts {
		if !utf8.ValidString(t.value) || strings.ContainsFunc(t.value, unicode.IsControl) || utf8.RuneCountInString(t.value) > t.longest {
			return fault.New("audit.check", fault.Invalid, "audit.text", "field", t.field, "longest", t.longest)
		}
		if t.field != "request" && numbered(t.value) { // a request's id is the program's own
			return fault.New("audit.check", fault.Invalid, "audit.personal", "field", t.field)
		}
	}
	return nil
}

// code reports whether a text is a word of ours: small letters, digits and _, a letter first.
func code(s string) bool {
	return s != "" && len(s) <= longestName && s[0] >= 'a' && s[0] <= 'z' &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

// ids are words of ours in which digits may stand in a row by chance: hashes and random ids in hex.
var ids = regexp.MustCompile(`\b([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{16,})\b`)

// numbered reports whether a text has as many digits in a row as a phone, blanks and hyphens between them left out; full-width digits are digits.
func numbered(s string) bool {
	s = ids.ReplaceAllStringFunc(s, func(id string) string {
		if strings.ContainsAny(id, "abcdef") {
			return "id"
		}
		return id
	})
	n := 0
	for _, r := range s {
		switch {
		case unicode.IsDigit(r):
			if n++; n >= phoneDigits {
				return true
			}
		case r != ' ' && r != '-' && r != '\u3000':
			n = 0
		}
	}
	return false
}

// fields writes fields as a JSON object, in their order.
func fields(list []Field) string {
	b := []byte{'{'}
	for i, f := range list {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendText(b, f.Name), ':')
		if f.Value.json == "" {
			b = append(b, "null"...)
		}
		b = append(b, f.Value.json...)
	}
	return string(append(b, '}'))
}

// appendText writes a JSON string. What is in a record has no control characters; in what somebody changed in the database they may stand, and then
// the text need only differ.
func appendText(b []byte, s string) []byte {
	b = append(b, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < 0x20:
			b = append(b, `\u00`...)
			b = append(b, "0123456789abcdef"[c>>4], "0123456789abcdef"[c&15])
		default:
			b = append(b, c)
		}
	}
	return append(b, '"')
}

// instant writes epoch microseconds to be read by people, in UTC, without losing one.
func instant(micros int64) string {
	return time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.000000Z")
}
