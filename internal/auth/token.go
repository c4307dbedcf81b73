package auth

import (
	"context"
	"database/sql"
	"slices"
	"strings"
	"time"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/store"
)

// Everything in the place of a token's permissions is all that the account has when the token is made; what it is given later the token
// has not.
const Everything = "all"

// Wish is a token to be made.
type Wish struct {
	Title       string        // what it is for, in its owner's words
	Permissions []string      // or Everything alone
	Life        time.Duration // 0 for TokenLife
}

// Token is a token as a list shows it; its text is told once, when it is made.
type Token struct {
	ID          string
	Account     string
	Title       string
	Permissions []string
	Made        time.Time
	Expires     time.Time
	Seen        time.Time // last used; zero for never
}

// MakeToken makes a token for one's own account, proved by password and code as a sign-in is, and answers its text.
//
// Errors: those of SignIn; Invalid "auth.permission_unknown", "auth.token_life", "auth.token_title"; Forbidden "auth.may_not" of a permission that
// the account has not.
func (d *Desk) MakeToken(ctx context.Context, in Attempt, w Wish) (secret string, t Token, err error) {
	const op = "auth.MakeToken"
	if err := w.check(); err != nil {
		return "", t, err
	}
	p, err := d.verify(ctx, in)
	if err != nil {
		return "", t, fault.Wrap(op, err)
	}
	who := Actor{Account: p.id, Name: p.name, Subject: p.subject}
	if err := d.fill(ctx, &who); err != nil {
		return "", t, fault.Wrap(op, err)
	}
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := d.use(ctx, tx, p); err != nil {
			return err
		}
		secret, t, err = d.makeToken(ctx, tx, p.at, who, w)
		return err
	})
	return secret, t, fault.Wrap(op, err)
}

// Narrow makes a token by a token: with some of its permissions, for no longer, and such that it makes none itself.
//
// Errors: Forbidden "auth.token_child" of a session or of a token that was made by a token; Invalid and Forbidden as MakeToken.
func (d *Desk) Narrow(ctx context.Context, by Actor, w Wish) (secret string, t Token, err error) {
	const op = "auth.Narrow"
	if err := w.check(); err != nil {
		return "", t, err
	}
	if by.token == "" || by.child {
		return "", t, fault.New(op, fault.Forbidden, "auth.token_child")
	}
	at := d.now()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		var alive int64
		if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM auth_token WHERE id = $1 AND ended IS NULL`, by.token).Scan(&alive); err != nil {
			return err
		}
		if alive == 0 {
			return fault.New(op, fault.Forbidden, "auth.token_over")
		}
		secret, t, err = d.makeToken(ctx, tx, at, by, w)
		return err
	})
	return secret, t, fault.Wrap(op, err)
}

const titleLongest = 60

func (w Wish) check() error {
	const op = "auth.check"
	if w.Life < 0 || w.Life > TokenMost {
		return fault.New(op, fault.Invalid, "auth.token_life", "days", int(TokenMost/(24*time.Hour)))
	}
	if len([]rune(w.Title)) > titleLongest {
		return fault.New(op, fault.Invalid, "auth.token_title", "most", titleLongest)
	}
	if len(w.Permissions) == 0 {
		return fault.New(op, fault.Invalid, "auth.permission_none")
	}
	if slices.Equal(w.Permissions, []string{Everything}) {
		return nil
	}
	return known(w.Permissions)
}

func (d *Desk) makeToken(ctx context.Context, tx *sql.Tx, at time.Time, who Actor, w Wish) (secret string, t Token, err error) {
	t = Token{ID: newID(), Account: who.Name, Title: w.Title, Made: at, Expires: at.Add(TokenLife)}
	if w.Life > 0 {
		t.Expires = at.Add(w.Life)
	}
	if who.token != "" && store.Micros(t.Expires) > who.until {
		t.Expires = time.UnixMicro(who.until)
	}
	for _, p := range Permissions {
		asked := slices.Contains(w.Permissions, p.Code)
		if !asked && w.Permissions[0] != Everything {
			continue
		}
		if who.Has(p.Code) {
			t.Permissions = append(t.Permissions, p.Code)
		} else if asked {
			return "", t, who.need("auth.makeToken", p.Code)
		}
	}
	secret = newSecretText(tokenFront)
	parent := sql.NullString{String: who.token, Valid: who.token != ""}
	if _, err := tx.ExecContext(ctx, `INSERT INTO auth_token (id, hash, account, parent, title, permissions, made, expires) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
		t.ID, d.hashed(tokenFront, secret), who.Account, parent, t.Title, strings.Join(t.Permissions, " "), store.Micros(at), store.Micros(t.Expires)); err != nil {
		return "", t, err
	}
	return secret, t, d.log(ctx, tx, at, record{by: hand{name: who.Name}, action: "make", kind: "token", object: t.ID,
		after: []audit.Field{text("permissions", strings.Join(t.Permissions, " ")), {Name: "expires", Value: audit.Instant(t.Expires)}}})
}

// Bearer tells for whom a token acts. The account is named beside it, so that nobody acts for another by mistake.
//
// Errors: Forbidden "auth.token_over" of a token that is unknown, ended, too old, or another account's.
func (d *Desk) Bearer(ctx context.Context, name, secret string) (who Actor, err error) {
	const op = "auth.Bearer"
	at := d.now()
	now := store.Micros(at)
	var seen int64
	var parent sql.NullString
	var permissions string
	err = d.db.QueryRowContext(ctx, `SELECT t.id, t.parent, t.permissions, t.expires, coalesce(t.seen, 0), a.id, a.name, a.subject FROM auth_token t JOIN auth_account a ON a.id = t.account
WHERE t.hash = $1 AND t.ended IS NULL AND t.expires > $2 AND a.ended IS NULL AND a.name = $3`,
		d.hashed(tokenFront, secret), now, normal(name)).Scan(&who.token, &parent, &permissions, &who.until, &seen, &who.Account, &who.Name, &who.Subject)
	if none(err) {
		return Actor{}, fault.New(op, fault.Forbidden, "auth.token_over", "account", name)
	}
	who.child, who.only = parent.Valid, append([]string{}, strings.Fields(permissions)...)
	if err == nil && now-seen >= seenEvery.Microseconds() {
		_, err = d.db.ExecContext(ctx, `UPDATE auth_token SET seen = $1 WHERE id = $2 AND (seen IS NULL OR seen < $1)`, now, who.token)
	}
	if err == nil {
		err = d.fill(ctx, &who)
	}
	if err != nil {
		return Actor{}, fault.Wrap(op, err)
	}
	return who, nil
}

// Tokens lists the actor's own tokens that are good, the newest first.
func (d *Desk) Tokens(ctx context.Context, by Actor) ([]Token, error) {
	out, err := list(ctx, d.db, func(rows *sql.Rows, t *Token) error {
		var made, expires int64
		var seen sql.NullInt64
		var permissions string
		err := rows.Scan(&t.ID, &t.Account, &t.Title, &permissions, &made, &expires, &seen)
		t.Permissions, t.Made, t.Expires, t.Seen = strings.Fields(permissions), time.UnixMicro(made), time.UnixMicro(expires), instant(seen)
		return err
	}, `SELECT t.id, a.name, t.title, t.permissions, t.made, t.expires, t.seen FROM auth_token t JOIN auth_account a ON a.id = t.account
WHERE t.account = $1 AND t.ended IS NULL AND t.expires > $2 ORDER BY t.made DESC, t.id`, by.Account, store.Micros(d.now()))
	return out, fault.Wrap("auth.Tokens", err)
}
