package auth

import (
	"context"
	"database/sql"
	"time"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/store"
)

// Online is a session as a list shows it.
type Online struct {
	ID      string
	Account string
	Source  string
	Made    time.Time
	Seen    time.Time
}

// Session tells who holds a session. What the account may is read each time, so that a role that was taken back is gone with the next click.
//
// Errors: Forbidden "auth.session_over" of one that is unknown, ended, unused for too long or too old.
func (d *Desk) Session(ctx context.Context, secret string) (who Actor, err error) {
	const op = "auth.Session"
	at := d.now()
	now := store.Micros(at)
	var seen int64
	err = d.db.QueryRowContext(ctx, `SELECT s.id, s.seen, a.id, a.name, a.subject FROM auth_session s JOIN auth_account a ON a.id = s.account
WHERE s.hash = $1 AND s.ended IS NULL AND s.idle > $2 AND s.expires > $2 AND a.ended IS NULL`,
		d.hashed(sessionFront, secret), now).Scan(&who.session, &seen, &who.Account, &who.Name, &who.Subject)
	if none(err) {
		return Actor{}, fault.New(op, fault.Forbidden, "auth.session_over")
	}
	if err == nil && now-seen >= seenEvery.Microseconds() {
		_, err = d.db.ExecContext(ctx, `UPDATE auth_session SET seen = $1, idle = $2 WHERE id = $3 AND ended IS NULL AND seen < $1`,
			now, store.Micros(at.Add(SessionIdle)), who.session)
	}
	if err == nil {
		err = d.fill(ctx, &who)
	}
	if err != nil {
		return Actor{}, fault.Wrap(op, err)
	}
	return who, nil
}

func (d *Desk) fill(ctx context.Context, who *Actor) (err error) {
	who.bodies = d.bodies
	who.Grants, err = grantsOf(ctx, d.db, who.Account)
	return err
}

// leave ends the session of a secret; one that is over already is left alone.
func (d *Desk) leave(ctx context.Context, tx *sql.Tx, at time.Time, secret string) error {
	var id, name string
	err := tx.QueryRowContext(ctx, `SELECT s.id, a.name FROM auth_session s JOIN auth_account a ON a.id = s.account WHERE s.hash = $1 AND s.ended IS NULL`,
		d.hashed(sessionFront, secret)).Scan(&id, &name)
	if none(err) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.endOne(ctx, tx, at, "session", id, name, hand{name: name})
}

// SignOut ends the session of a secret.
func (d *Desk) SignOut(ctx context.Context, secret string) error {
	at := d.now()
	return fault.Wrap("auth.SignOut", d.db.Tx(ctx, func(tx *sql.Tx) error { return d.leave(ctx, tx, at, secret) }))
}

// Sessions lists the sessions that are open, the newest first: the actor's own, or with all everybody's.
//
// Errors: Forbidden "auth.may_not" for all without session.list.
func (d *Desk) Sessions(ctx context.Context, by Actor, all bool) ([]Online, error) {
	const op = "auth.Sessions"
	if all {
		if err := by.need(op, "session.list"); err != nil {
			return nil, err
		}
	}
	now := store.Micros(d.now())
	out, err := list(ctx, d.db, func(rows *sql.Rows, o *Online) error {
		var made, seen int64
		err := rows.Scan(&o.ID, &o.Account, &o.Source, &made, &seen)
		o.Made, o.Seen = time.UnixMicro(made), time.UnixMicro(seen)
		return err
	}, `SELECT s.id, a.name, s.source, s.made, s.seen FROM auth_session s JOIN auth_account a ON a.id = s.account
WHERE s.ended IS NULL AND s.idle > $1 AND s.expires > $1 AND a.ended IS NULL AND (s.account = $2 OR $3) ORDER BY s.made DESC, s.id`, now, by.Account, all)
	return out, fault.Wrap(op, err)
}

// EndSession ends a session: one's own, or another's with session.end. A session of somebody else is not there for whoever may not end it.
//
// Errors: NotFound "auth.session_none".
func (d *Desk) EndSession(ctx context.Context, by Actor, id string) error {
	return d.end(ctx, by, "session", id)
}

// EndToken ends a token and those that it made: one's own, or another's with token.end.
//
// Errors: NotFound "auth.token_none".
func (d *Desk) EndToken(ctx context.Context, by Actor, id string) error {
	return d.end(ctx, by, "token", id)
}

// missing are the sentences of what is not there to be ended.
var missing = map[string]string{"session": "auth.session_none", "token": "auth.token_none"}

func (d *Desk) end(ctx context.Context, by Actor, kind, id string) error {
	const op = "auth.end"
	at := d.now()
	return fault.Wrap(op, d.db.Tx(ctx, func(tx *sql.Tx) error {
		var owner int64
		var name string
		err := tx.QueryRowContext(ctx, `SELECT a.id, a.name FROM auth_`+kind+` x JOIN auth_account a ON a.id = x.account WHERE x.id = $1 AND x.ended IS NULL`, id).Scan(&owner, &name)
		if none(err) || err == nil && owner != by.Account && !by.Has(kind+".end") {
			return fault.New(op, fault.NotFound, missing[kind])
		}
		if err != nil {
			return err
		}
		who := hand{name: by.Name}
		if owner != by.Account {
			who = by.hand(kind + ".end")
		}
		if kind == "token" {
			children, err := list(ctx, tx, func(rows *sql.Rows, c *string) error { return rows.Scan(c) },
				`SELECT id FROM auth_token WHERE parent = $1 AND ended IS NULL ORDER BY id`, id)
			if err != nil {
				return err
			}
			for _, c := range children {
				if err := d.endOne(ctx, tx, at, kind, c, name, who); err != nil {
					return err
				}
			}
		}
		return d.endOne(ctx, tx, at, kind, id, name, who)
	}))
}

func (d *Desk) endOne(ctx context.Context, tx *sql.Tx, at time.Time, kind, id, account string, by hand) error {
	if _, err := tx.ExecContext(ctx, `UPDATE auth_`+kind+` SET ended = $1 WHERE id = $2`, store.Micros(at), id); err != nil {
		return err
	}
	return d.log(ctx, tx, at, record{by: by, action: "end", kind: kind, object: id, before: []audit.Field{text("account", account)}})
}
