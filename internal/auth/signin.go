package auth

import (
	"context"
	"database/sql"
	"time"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/store"
)

// Attempt is what somebody shows who wants to be let in.
type Attempt struct {
	Account  string
	Password string
	Code     string // six digits of the second factor
	Source   string // where it comes from: an address of the net, or "console"
	Held     string // the session that the browser came with; "" for none
}

// delay is how failures of one kind are slowed: after so many, each further one waits twice as long as the one before.
type delay struct {
	free   int64         // failures that cost nothing
	first  time.Duration // wait after the next one
	most   time.Duration
	forget time.Duration // after that much quiet they count no more
}

// delays by what they count. A source may be a whole building behind one address, so it has more; it is what slows whoever tries one password
// with every name.
var delays = map[string]delay{
	"account": {free: 5, first: time.Minute, most: 30 * time.Minute, forget: 24 * time.Hour},
	"source":  {free: 20, first: time.Minute, most: 30 * time.Minute, forget: time.Hour},
}

// counters in the order in which they are asked, always the same so that two sign-ins do not wait for each other crosswise.
var counters = []string{"account", "source"}

func (dl delay) after(failures int64) time.Duration {
	over := failures - dl.free
	if over < 0 {
		return 0
	}
	return min(dl.first<<min(over, 10), dl.most)
}

// failure is a row of auth_failure.
type failure struct {
	failures, refused, last, until int64
}

func (d *Desk) counter(kind string, in Attempt) [16]byte {
	return d.keys.Index("auth failure "+kind, map[string]string{"account": normal(in.Account), "source": in.Source}[kind])
}

// charge counts a try before it is looked at, so that any number of them at once are counted, and answers how many were turned away since
// the last. The owner's success takes it back.
//
// Errors: Forbidden "auth.locked", with the minutes to wait, when there were too many; nothing else is then looked at.
func (d *Desk) charge(ctx context.Context, at time.Time, in Attempt) (refused int64, err error) {
	now, wait := store.Micros(at), time.Duration(0)
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		refused, wait = 0, 0
		rows := map[string]failure{}
		for _, kind := range counters {
			f, err := failureOf(ctx, tx, kind, d.counter(kind, in))
			if err != nil {
				return err
			}
			if f.until <= now && f.last+delays[kind].forget.Microseconds() <= now {
				f.failures = 0
			}
			wait = max(wait, time.Duration(f.until-now)*time.Microsecond)
			refused = max(refused, f.refused)
			rows[kind] = f
		}
		for _, kind := range counters {
			idx := d.counter(kind, in)
			if wait > 0 { // it costs the caller nothing, and the log as little: the next record tells how many there were
				if _, err := tx.ExecContext(ctx, `UPDATE auth_failure SET refused = refused + 1 WHERE kind = $1 AND idx = $2`, kind, idx[:]); err != nil {
					return err
				}
				continue
			}
			n := rows[kind].failures + 1
			if _, err := tx.ExecContext(ctx, `INSERT INTO auth_failure (kind, idx, failures, refused, last, until) VALUES ($1, $2, $3, 0, $4, $5)
ON CONFLICT (kind, idx) DO UPDATE SET failures = excluded.failures, refused = 0, last = excluded.last, until = excluded.until`,
				kind, idx[:], n, now, now+delays[kind].after(n).Microseconds()); err != nil {
				return err
			}
		}
		return d.sweep(ctx, tx, at)
	})
	if err == nil && wait > 0 {
		err = fault.New("auth.charge", fault.Forbidden, "auth.locked", "minutes", int64((wait+time.Minute-1)/time.Minute))
	}
	return refused, err
}

func failureOf(ctx context.Context, q querier, kind string, idx [16]byte) (f failure, err error) {
	err = q.QueryRowContext(ctx, `SELECT failures, refused, last, until FROM auth_failure WHERE kind = $1 AND idx = $2`, kind, idx[:]).Scan(&f.failures, &f.refused, &f.last, &f.until)
	if none(err) {
		err = nil
	}
	return f, err
}

// sweep drops the counts that count no more: names can be made up without end.
func (d *Desk) sweep(ctx context.Context, tx *sql.Tx, at time.Time) error {
	_, err := tx.ExecContext(ctx, `DELETE FROM auth_failure WHERE last < $1`, store.Micros(at.Add(-delays["account"].forget-delays["account"].most)))
	return err
}

// takeBack makes good what charge counted: a name starts anew, a source gets its one try back. A source does not start anew, or whoever has an
// account could clear it with each success; and a wait that another try has set meanwhile stays.
func (d *Desk) takeBack(ctx context.Context, tx *sql.Tx, at time.Time, in Attempt) error {
	name, source := d.counter("account", in), d.counter("source", in)
	if _, err := tx.ExecContext(ctx, `DELETE FROM auth_failure WHERE kind = $1 AND idx = $2`, "account", name[:]); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `UPDATE auth_failure SET failures = failures - 1, until = CASE WHEN last = $3 THEN 0 ELSE until END
WHERE kind = $1 AND idx = $2 AND failures > 0`, "source", source[:], store.Micros(at))
	return err
}

// proof is what verify found: an account whose password and code were right, not yet used.
type proof struct {
	row
	at       time.Time
	in       Attempt
	made     int64 // of the password
	step     int64 // of the code
	refused  int64
	password string // a new hash where the old one was made with other parameters; "" where it need not change
}

// verify looks at password and code. It takes one run of Argon2 whether or not there is such an account, and says one thing whatever was wrong.
//
// Errors: Forbidden "auth.signin_failed"; Forbidden "auth.locked".
func (d *Desk) verify(ctx context.Context, in Attempt) (p proof, err error) {
	const op = "auth.verify"
	p = proof{in: in, at: d.now()}
	if p.refused, err = d.charge(ctx, p.at, in); err != nil {
		return p, err
	}
	var hash string
	var shared []byte
	var last int64
	known := true
	p.row, err = account(ctx, d.db, in.Account)
	if fault.KindOf(err) == fault.NotFound {
		known, err = false, nil
	}
	if err == nil {
		hash, shared, p.made, last, err = d.credentials(ctx, p.id)
	}
	if err != nil {
		return p, fault.Wrap(op, err)
	}
	right, old := d.hasher.test(in.Password, hash)
	step, fresh := matches(shared, in.Code, p.at, last)
	if !right || !fresh || shared == nil || !known || p.ended.Valid {
		return p, d.failed(ctx, p, known)
	}
	p.step = step
	if old {
		p.password = d.hasher.hash(in.Password)
	}
	return p, nil
}

// credentials unseals what an account signs in with; nothing where it has none.
func (d *Desk) credentials(ctx context.Context, id int64) (hash string, shared []byte, made, last int64, err error) {
	type credential struct {
		kind       string
		sealed     []byte
		used, made int64
	}
	found, err := list(ctx, d.db, func(rows *sql.Rows, c *credential) error { return rows.Scan(&c.kind, &c.sealed, &c.used, &c.made) },
		`SELECT kind, sealed, used, made FROM auth_credential WHERE account = $1 AND ref = ''`, id)
	for _, c := range found {
		plain, err := d.keys.Unseal(c.sealed, credentialContext(id, c.kind, ""))
		if err != nil {
			return "", nil, 0, 0, err
		}
		switch c.kind {
		case password:
			hash, made = string(plain), c.made
		case totp:
			shared, last = plain, c.used
		}
	}
	return hash, shared, made, last, err
}

// failed writes the record of a failed sign-in. A name that is no account's is not written: it may be a password that was typed into the
// wrong field.
func (d *Desk) failed(ctx context.Context, p proof, known bool) error {
	r := record{by: machine, action: "sign_in_failed", kind: "account", after: []audit.Field{text("source", p.in.Source), {Name: "refused", Value: audit.Int(p.refused)}}}
	if known {
		r.object = p.name // and not its hand: who tried is what nobody knows
	}
	if err := d.db.Tx(ctx, func(tx *sql.Tx) error { return d.log(ctx, tx, p.at, r) }); err != nil {
		return fault.Wrap("auth.failed", err)
	}
	return fault.New("auth.verify", fault.Forbidden, "auth.signin_failed")
}

// use spends a proof in the transaction of what it is for. A code is good once, also for two who come with it at once, and a password that was
// changed meanwhile is no longer right.
//
// Errors: Forbidden "auth.signin_failed".
func (d *Desk) use(ctx context.Context, tx *sql.Tx, p proof) error {
	ok, err := one(ctx, tx, `UPDATE auth_credential SET used = $1 WHERE account = $2 AND kind = 'totp' AND ref = '' AND used < $1
AND EXISTS (SELECT 1 FROM auth_credential o WHERE o.account = $2 AND o.kind = 'password' AND o.ref = '' AND o.made = $3)
AND EXISTS (SELECT 1 FROM auth_account a WHERE a.id = $2 AND a.ended IS NULL)`, p.step, p.id, p.made)
	if err == nil && !ok {
		err = fault.New("auth.use", fault.Forbidden, "auth.signin_failed")
	}
	if err != nil {
		return err
	}
	if p.password != "" {
		if _, err := tx.ExecContext(ctx, `UPDATE auth_credential SET sealed = $1 WHERE account = $2 AND kind = 'password' AND ref = ''`,
			d.keys.Seal([]byte(p.password), credentialContext(p.id, password, "")), p.id); err != nil {
			return err
		}
	}
	return d.takeBack(ctx, tx, p.at, p.in)
}

// SignIn lets somebody in by password and code and answers the secret of a new session, for the browser to hold. The session that the browser came
// with ends, whoever's it was.
//
// Errors: Forbidden "auth.signin_failed", the same whatever was wrong; Forbidden "auth.locked" after too many failures of the name or the source.
func (d *Desk) SignIn(ctx context.Context, in Attempt) (secret string, who Actor, err error) {
	const op = "auth.SignIn"
	p, err := d.verify(ctx, in)
	if err != nil {
		return "", who, fault.Wrap(op, err)
	}
	var id string
	err = d.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		if err := d.use(ctx, tx, p); err != nil {
			return err
		}
		if in.Held != "" {
			if err := d.leave(ctx, tx, p.at, in.Held); err != nil {
				return err
			}
		}
		id, secret = newID(), newSecretText(sessionFront)
		if _, err := tx.ExecContext(ctx, `INSERT INTO auth_session (id, hash, account, source, made, seen, idle, expires) VALUES ($1, $2, $3, $4, $5, $5, $6, $7)`,
			id, d.hashed(sessionFront, secret), p.id, in.Source, store.Micros(p.at), store.Micros(p.at.Add(SessionIdle)), store.Micros(p.at.Add(SessionLife))); err != nil {
			return err
		}
		return d.log(ctx, tx, p.at, record{by: hand{name: p.name}, action: "sign_in", kind: "session", object: id,
			after: []audit.Field{text("source", in.Source), {Name: "refused", Value: audit.Int(p.refused)}}})
	})
	if err != nil {
		return "", who, fault.Wrap(op, err)
	}
	who, err = d.Session(ctx, secret)
	return secret, who, fault.Wrap(op, err)
}

// SetPassword sets another password, proved by the old one and a code. Every session and token of the account ends, the one in which it was asked
// as well: whoever changes a password may do so because another knows it.
//
// Errors: those of SignIn; Invalid, with the rule, of the new password.
func (d *Desk) SetPassword(ctx context.Context, in Attempt, fresh string) error {
	const op = "auth.SetPassword"
	if err := fit(fresh, normal(in.Account)); err != nil {
		return fault.Wrap(op, err)
	}
	p, err := d.verify(ctx, in)
	if err != nil {
		return fault.Wrap(op, err)
	}
	stored := d.hasher.hash(fresh)
	return fault.Wrap(op, d.db.Tx(ctx, func(tx *sql.Tx) error {
		if err := d.use(ctx, tx, p); err != nil {
			return err
		}
		if err := d.endAll(ctx, tx, p.at, hand{name: p.name}, p.row); err != nil {
			return err
		}
		if err := d.keep(ctx, tx, p.at, p.id, password, []byte(stored)); err != nil {
			return err
		}
		return d.log(ctx, tx, p.at, record{by: hand{name: p.name}, action: "set_password", kind: "account", object: p.name})
	}))
}
