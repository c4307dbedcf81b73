package auth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"bole/internal/audit"
	"bole/internal/seal"
	"bole/internal/store"
)

// How long things last.
const (
	LinkLife    = 24 * time.Hour
	SessionIdle = 30 * time.Minute
	SessionLife = 12 * time.Hour
	TokenLife   = 90 * 24 * time.Hour  // where nothing else is said
	TokenMost   = 366 * 24 * time.Hour // at most
	// seenEvery is how far "last seen" may lag, so that not every look at a page writes.
	seenEvery = time.Minute
)

// Desk keeps the accounts of a home.
type Desk struct {
	db     *store.DB
	keys   *seal.Keys
	bodies Bodies
	now    func() time.Time
	hasher *hasher
}

// Open opens the accounts in the office's database. cost is that of new passwords: StandardCost, and less only in tests.
func Open(db *store.DB, keys *seal.Keys, bodies Bodies, now func() time.Time, cost Cost) *Desk {
	return &Desk{db, keys, bodies, now, newHasher(cost)}
}

// hand is who does something, and in which role.
type hand struct{ name, role string }

// machine is the hand of what no account does.
var machine = hand{name: audit.System}

// hand is the actor's for what a permission is needed for; without a role where it is about the own account.
func (a Actor) hand(permission string) hand {
	h := hand{name: a.Name}
	if g := a.grants(permission); len(g) > 0 {
		h.role = g[0].Role
	}
	return h
}

// record is what a change leaves in the log: who, what, and to which account, session or token.
type record struct {
	by     hand
	action string
	kind   string
	object string
	before []audit.Field
	after  []audit.Field
	reason string
}

func (d *Desk) log(ctx context.Context, tx *sql.Tx, at time.Time, r record) error {
	return audit.Write(ctx, tx, audit.Record{At: at, Account: r.by.name, Role: r.by.role, Action: r.action, Kind: r.kind, Object: r.object,
		Before: r.before, After: r.after, Reason: r.reason})
}

func text(name, value string) audit.Field { return audit.Field{Name: name, Value: audit.Text(value)} }

// Secrets are 32 random bytes. The front tells a scanner of texts what it has found, and is part of the secret.
const (
	linkFront    = "bole_link_"
	sessionFront = "bole_session_"
	tokenFront   = "bole_token_"
)

func newSecretText(front string) string {
	b := make([]byte, 32)
	rand.Read(b)
	return front + base64.RawURLEncoding.EncodeToString(b)
}

// hashed is what is kept of a secret. A plain hash in place of a slow one: nobody guesses 256 bits.
func (d *Desk) hashed(front, secret string) []byte {
	h := d.keys.Index("auth "+front, secret)
	return h[:]
}

// next is the next id of a table. Two that take the same one at once cannot both commit.
func next(ctx context.Context, tx *sql.Tx, table string) (id int64, err error) {
	err = tx.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM `+table).Scan(&id)
	return id, err
}

// newID is the id of a session or a token: ten letters and digits that say nothing. Ids that count would make all who sign in at once wait
// for each other.
func newID() string {
	b := make([]byte, 10)
	rand.Read(b)
	for i := range b {
		b[i] = "0123456789abcdefghjkmnpqrstvwxyz"[b[i]&31]
	}
	return string(b)
}

// one runs a statement that must touch exactly one row; ok is whether it did.
func one(ctx context.Context, tx *sql.Tx, query string, args ...any) (ok bool, err error) {
	res, err := tx.ExecContext(ctx, query, args...)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// list reads all rows of a query.
func list[T any](ctx context.Context, q querier, scan func(*sql.Rows, *T) error, query string, args ...any) (out []T, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var t T
		if err := scan(rows, &t); err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, rows.Err()
}

func none(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// instant is epoch microseconds as a time; the zero time for null.
func instant(n sql.NullInt64) time.Time {
	if !n.Valid {
		return time.Time{}
	}
	return time.UnixMicro(n.Int64)
}

// kinds of credentials that this package makes.
const (
	password = "password"
	totp     = "totp"
)

func credentialContext(account int64, kind, ref string) []byte {
	return fmt.Appendf(nil, "auth_credential %d %s %s", account, kind, ref)
}
