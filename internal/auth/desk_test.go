package auth

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/store/storetest"
)

// The bodies of the tests: a city, two districts, a functional zone (which has no division code), and a station in each of two of them.
var bodies = []Body{{"city", ""}, {"dongchangfu", "city"}, {"chiping", "city"}, {"etdz", "city"}, {"etdz-station", "etdz"}, {"chiping-station", "chiping"}}

const phrase = "correct horse battery"

// office is a desk with a clock that is set by hand.
type office struct {
	*Desk
	t   *testing.T
	dir string // of the keys
	at  time.Time
	two map[string]Second // by account
}

func newOffice(t *testing.T, db *store.DB) *office {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := seal.Create(dir, "sm"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := NewBodies(bodies)
	if err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, dir: dir, at: time.Date(2026, 11, 27, 9, 0, 0, 0, time.UTC), two: map[string]Second{}}
	o.Desk = Open(db, keys, tree, func() time.Time { return o.at }, Cost{Time: 1, Memory: 64, Threads: 1})
	return o
}

// each runs a test on both databases, in an office of its own.
func each(t *testing.T, f func(t *testing.T, o *office)) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) { f(t, newOffice(t, open())) })
}

func must[T any](t *testing.T, v T, err error) T {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// wants asks that an error has a key; "" for none.
func wants(t *testing.T, what string, err error, key string) {
	t.Helper()
	got := ""
	var e *fault.E
	if errors.As(err, &e) {
		got = e.Key
	}
	if got != key || key == "" && err != nil {
		t.Errorf("%s: want %q, got %q (%v)", what, key, got, err)
	}
}

// wait lets time pass.
func (o *office) wait(d time.Duration) { o.at = o.at.Add(d) }

// welcome opens an account by its link.
func (o *office) welcome(link string) string {
	o.t.Helper()
	name, two, err := o.Welcome(o.t.Context(), link, phrase)
	if err != nil {
		o.t.Fatal(err)
	}
	o.two[name] = two
	return name
}

// attempt is a right one. The code is the next step's, which was not used yet.
func (o *office) attempt(name string) Attempt {
	o.t.Helper()
	o.wait(codeStep * time.Second)
	return Attempt{Account: name, Password: phrase, Code: codeOf(o.two[name].Secret, o.at), Source: "10.0.0.1"}
}

// codeOf is what a phone shows; nothing for an account that was never opened.
func codeOf(secret string, at time.Time) string {
	code, err := Code(secret, at)
	if err != nil || secret == "" {
		return "000000"
	}
	return code
}

func (o *office) signIn(name string) (string, Actor) {
	o.t.Helper()
	secret, who, err := o.SignIn(o.t.Context(), o.attempt(name))
	if err != nil {
		o.t.Fatal(err)
	}
	return secret, who
}

// security is the first account, signed in.
func (o *office) security() Actor {
	o.t.Helper()
	o.welcome(o.first())
	_, who := o.signIn("security")
	return who
}

func (o *office) first() string {
	o.t.Helper()
	link, err := o.FirstLink(o.t.Context(), "")
	return must(o.t, link, err)
}

// add adds an account and opens it.
func (o *office) add(by Actor, name string, g Giving) {
	o.t.Helper()
	link, err := o.Add(o.t.Context(), by, New{Name: name}, g)
	o.welcome(must(o.t, link, err))
}

// logged are the records, in the order of their instants, as "account action kind object".
func (o *office) logged() (out []string) {
	o.t.Helper()
	out, err := list(o.t.Context(), o.db, func(rows *sql.Rows, s *string) error {
		var by, action, kind, object string
		err := rows.Scan(&by, &action, &kind, &object)
		if kind != "account" && object != "" {
			object = "…" // a random id
		}
		*s = by + " " + action + " " + kind + " " + object
		return err
	}, `SELECT account, action, kind, object FROM audit_record ORDER BY at, id`)
	return must(o.t, out, err)
}

func (o *office) tx(f func(*sql.Tx) error) error {
	return o.db.Tx(context.Background(), f)
}
