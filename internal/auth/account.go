package auth

import (
	"context"
	"database/sql"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/store"
)

// Person is an account as a list shows it. It is called after nobody: a name is a login name.
type Person struct {
	Name    string
	Subject string
	Grants  []Grant
	Made    time.Time
	Ended   time.Time // zero while it is in force
	Seen    time.Time // last session or token; zero for never
	Ready   bool      // whether its link was used, so that it can sign in
}

// row is an account as the table has it.
type row struct {
	id      int64
	name    string
	subject string
	ended   sql.NullInt64
}

// names begin with a letter, so that no phone and no identity number becomes one; they stand in the log for ever.
var nameShape = regexp.MustCompile(`^[a-z][a-z0-9._-]{1,39}$`)

const nameDigits = 8 // at most

func nameFits(name string) bool {
	digits := 0
	for _, r := range name {
		if unicode.IsDigit(r) {
			digits++
		}
	}
	return nameShape.MatchString(name) && name != audit.System && digits <= nameDigits
}

// normal is a login name as it is kept.
func normal(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

// account finds an account by its name.
//
// Errors: NotFound "auth.account_none".
func account(ctx context.Context, q querier, name string) (r row, err error) {
	err = q.QueryRowContext(ctx, `SELECT id, name, subject, ended FROM auth_account WHERE name = $1`, normal(name)).Scan(&r.id, &r.name, &r.subject, &r.ended)
	if none(err) {
		return r, fault.New("auth.account", fault.NotFound, "auth.account_none", "account", name)
	}
	return r, err
}

// inForce is account for one that has not ended.
//
// Errors: NotFound "auth.account_none"; Conflict "auth.account_ended".
func inForce(ctx context.Context, q querier, name string) (row, error) {
	r, err := account(ctx, q, name)
	if err == nil && r.ended.Valid {
		err = fault.New("auth.inForce", fault.Conflict, "auth.account_ended", "account", r.name)
	}
	return r, err
}

// grantsOf are the grants of an account that are in force, in the order in which they were made.
func grantsOf(ctx context.Context, q querier, id int64) ([]Grant, error) {
	grants, err := list(ctx, q, func(rows *sql.Rows, g *Grant) error { return rows.Scan(&g.ID, &g.Role, &g.Scope) },
		`SELECT id, role, scope FROM auth_grant WHERE account = $1 AND ended IS NULL ORDER BY id`, id)
	if err != nil {
		return nil, err
	}
	for i := range grants {
		grants[i].Bodies, err = list(ctx, q, func(rows *sql.Rows, b *string) error { return rows.Scan(b) },
			`SELECT body FROM auth_grant_body WHERE grant_id = $1 ORDER BY body`, grants[i].ID)
		if err != nil {
			return nil, err
		}
	}
	return grants, nil
}

// Giving is a role to be given.
type Giving struct {
	Role   string
	Scope  Scope
	Bodies []string
}

// firstName is what the first account is called where nothing else is said. It has no password before its link is used.
const firstName = "security"

// FirstLink makes the first account of a home, a security administrator, and its one-time link. Where it was made and never used, because its
// link is lost or too old, it gets another link: as long as nobody can sign in, nobody's right is passed over.
//
// Errors: Conflict "auth.first_done" when somebody can sign in already; Invalid "auth.name_shape".
func (d *Desk) FirstLink(ctx context.Context, name string) (link string, err error) {
	const op = "auth.FirstLink"
	if name = normal(name); name == "" {
		name = firstName
	}
	if !nameFits(name) {
		return "", fault.New(op, fault.Invalid, "auth.name_shape", "account", name)
	}
	at := d.now()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		var accounts, ready int64
		if err := tx.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM auth_account), (SELECT count(*) FROM auth_credential)`).Scan(&accounts, &ready); err != nil {
			return err
		}
		if ready > 0 || accounts > 1 {
			return fault.New(op, fault.Conflict, "auth.first_done")
		}
		r := row{name: name}
		if accounts == 1 {
			if err := tx.QueryRowContext(ctx, `SELECT id, name FROM auth_account`).Scan(&r.id, &r.name); err != nil {
				return err
			}
		} else {
			if r.id, err = d.insert(ctx, tx, at, machine, New{Name: name}); err != nil {
				return err
			}
			if err := d.give(ctx, tx, at, machine, r, Giving{Role: "security-administrator", Scope: All}); err != nil {
				return err
			}
		}
		link, err = d.link(ctx, tx, at, machine, r)
		return err
	})
	return link, fault.Wrap(op, err)
}

// New is an account to be added.
type New struct {
	Name    string
	Subject string // person:P-7K2M-90C or employer: and its credit code; "" where it stands for nobody in the registers
}

// Add adds an account with a first role and answers its one-time link.
//
// Errors: Forbidden "auth.may_not" without account.add and account.grant; Invalid "auth.name_shape"; Conflict "auth.name_taken", also by an account
// that has ended; those of Grant.
func (d *Desk) Add(ctx context.Context, by Actor, n New, g Giving) (link string, err error) {
	const op = "auth.Add"
	for _, p := range []string{"account.add", "account.grant"} {
		if err := by.need(op, p); err != nil {
			return "", err
		}
	}
	n.Name = normal(n.Name)
	if !nameFits(n.Name) {
		return "", fault.New(op, fault.Invalid, "auth.name_shape", "account", n.Name)
	}
	at := d.now()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		id, err := d.insert(ctx, tx, at, by.hand("account.add"), n)
		if err != nil {
			return err
		}
		r := row{id: id, name: n.Name, subject: n.Subject}
		if err := d.give(ctx, tx, at, by.hand("account.grant"), r, g); err != nil {
			return err
		}
		link, err = d.link(ctx, tx, at, by.hand("account.add"), r)
		return err
	})
	return link, fault.Wrap(op, err)
}

// subjectShape is how a person or an employer is named: by what is no secret.
var subjectShape = regexp.MustCompile(`^(person:P-[0-9A-Z]{4}-[0-9A-Z]{3}|employer:[0-9A-Z]{18})?$`)

func (d *Desk) insert(ctx context.Context, tx *sql.Tx, at time.Time, by hand, n New) (int64, error) {
	if !subjectShape.MatchString(n.Subject) {
		return 0, fault.New("auth.insert", fault.Invalid, "auth.subject_shape")
	}
	_, err := account(ctx, tx, n.Name)
	if err == nil {
		return 0, fault.New("auth.insert", fault.Conflict, "auth.name_taken", "account", n.Name)
	}
	if fault.KindOf(err) != fault.NotFound {
		return 0, err
	}
	id, err := next(ctx, tx, "auth_account")
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO auth_account (id, name, subject, made) VALUES ($1, $2, $3, $4)`, id, n.Name, n.Subject, store.Micros(at)); err != nil {
		return 0, err
	}
	return id, d.log(ctx, tx, at, record{by: by, action: "add", kind: "account", object: n.Name, after: []audit.Field{{Name: "subject", Value: audit.Keyed(d.keys, "subject", n.Subject)}}})
}

// Grant gives an account a role in a scope, in the place of the scope in which it had the role.
//
// Errors: Forbidden "auth.may_not" without account.grant, "auth.not_oneself" for the own account; NotFound "auth.account_none"; Conflict
// "auth.account_ended"; Invalid "auth.role_unknown", "auth.scope_unfit", "auth.body_unknown"; Conflict "auth.roles_exclude" with the reason.
func (d *Desk) Grant(ctx context.Context, by Actor, name string, g Giving) error {
	const op = "auth.Grant"
	return d.change(ctx, op, by, "account.grant", name, func(tx *sql.Tx, at time.Time, r row) error {
		return d.give(ctx, tx, at, by.hand("account.grant"), r, g)
	})
}

// TakeBack takes a role from an account.
//
// Errors: as Grant; NotFound "auth.grant_none" when it has not the role.
func (d *Desk) TakeBack(ctx context.Context, by Actor, name, role string) error {
	const op = "auth.TakeBack"
	return d.change(ctx, op, by, "account.grant", name, func(tx *sql.Tx, at time.Time, r row) error {
		had, err := d.take(ctx, tx, at, r, role)
		if err == nil && had == nil {
			err = fault.New(op, fault.NotFound, "auth.grant_none", "account", r.name, "role", role)
		}
		if err != nil {
			return err
		}
		return d.log(ctx, tx, at, record{by: by.hand("account.grant"), action: "take_back", kind: "account", object: r.name, before: grantFields(*had)})
	})
}

// Link makes a new one-time link for an account whose password or phone is lost; older links of it are good for nothing from now on. The account's
// password stays until the link is used.
//
// Errors: as Grant, for account.link.
func (d *Desk) Link(ctx context.Context, by Actor, name string) (link string, err error) {
	err = d.change(ctx, "auth.Link", by, "account.link", name, func(tx *sql.Tx, at time.Time, r row) (err error) {
		link, err = d.link(ctx, tx, at, by.hand("account.link"), r)
		return err
	})
	return link, err
}

// End ends an account for good: with it its roles, links, sessions and tokens, at once.
//
// Errors: as Grant, for account.end.
func (d *Desk) End(ctx context.Context, by Actor, name string) error {
	return d.change(ctx, "auth.End", by, "account.end", name, func(tx *sql.Tx, at time.Time, r row) error {
		if err := d.log(ctx, tx, at, record{by: by.hand("account.end"), action: "end", kind: "account", object: r.name}); err != nil {
			return err
		}
		for _, table := range []string{"auth_grant", "auth_link"} {
			if _, err := tx.ExecContext(ctx, `UPDATE `+table+` SET ended = $1 WHERE account = $2 AND ended IS NULL`, store.Micros(at), r.id); err != nil {
				return err
			}
		}
		if err := d.endAll(ctx, tx, at, by.hand("account.end"), r); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `UPDATE auth_account SET ended = $1 WHERE id = $2`, store.Micros(at), r.id)
		return err
	})
}

// change does something to another's account in a transaction. Nobody changes the rights of their own account: it takes two.
func (d *Desk) change(ctx context.Context, op string, by Actor, permission, name string, f func(*sql.Tx, time.Time, row) error) error {
	if err := by.need(op, permission); err != nil {
		return err
	}
	if normal(name) == by.Name {
		return fault.New(op, fault.Forbidden, "auth.not_oneself", "account", by.Name)
	}
	at := d.now()
	return fault.Wrap(op, d.db.Tx(ctx, func(tx *sql.Tx) error {
		r, err := inForce(ctx, tx, name)
		if err != nil {
			return err
		}
		return f(tx, at, r)
	}))
}

// give writes a grant after all that may speak against it was asked.
func (d *Desk) give(ctx context.Context, tx *sql.Tx, at time.Time, by hand, r row, g Giving) error {
	const op = "auth.give"
	role := roleOf(g.Role)
	if role == nil {
		return fault.New(op, fault.Invalid, "auth.role_unknown", "role", g.Role)
	}
	if err := d.fits(role, g); err != nil {
		return err
	}
	had, err := d.take(ctx, tx, at, r, g.Role)
	if err != nil {
		return err
	}
	others, err := grantsOf(ctx, tx, r.id)
	if err != nil {
		return err
	}
	for _, o := range others {
		if x := excluded(g.Role, o.Role); x != nil {
			return fault.New(op, fault.Conflict, "auth.roles_exclude", "account", r.name, "role", g.Role, "other", o.Role, "why_zh", x.Why.Zh, "why_en", x.Why.En)
		}
	}
	id, err := next(ctx, tx, "auth_grant")
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO auth_grant (id, account, role, scope, made) VALUES ($1, $2, $3, $4, $5)`, id, r.id, g.Role, string(g.Scope), store.Micros(at)); err != nil {
		return err
	}
	bodies := slices.Compact(slices.Sorted(slices.Values(g.Bodies)))
	for _, b := range bodies {
		if _, err := tx.ExecContext(ctx, `INSERT INTO auth_grant_body (grant_id, body) VALUES ($1, $2)`, id, b); err != nil {
			return err
		}
	}
	log := record{by: by, action: "grant", kind: "account", object: r.name, after: grantFields(Grant{Role: g.Role, Scope: g.Scope, Bodies: bodies})}
	if had != nil {
		log.before = grantFields(*had)
	}
	return d.log(ctx, tx, at, log)
}

// take ends a grant and answers it; nil where there was none.
func (d *Desk) take(ctx context.Context, tx *sql.Tx, at time.Time, r row, role string) (*Grant, error) {
	grants, err := grantsOf(ctx, tx, r.id)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(grants, func(g Grant) bool { return g.Role == role })
	if i < 0 {
		return nil, nil
	}
	_, err = tx.ExecContext(ctx, `UPDATE auth_grant SET ended = $1 WHERE id = $2`, store.Micros(at), grants[i].ID)
	return &grants[i], err
}

// bodiesOf is how many bodies a grant of each scope names: at least, at most.
var bodiesOf = map[Scope][2]int{Own: {1, 1}, Below: {1, 1}, Chosen: {1, 1000}, All: {}, Self: {}}

func (d *Desk) fits(role *Role, g Giving) error {
	const op = "auth.fits"
	n, known := bodiesOf[g.Scope]
	if !known || !slices.Contains(role.Scopes, g.Scope) || len(g.Bodies) < n[0] || len(g.Bodies) > n[1] {
		scopes := make([]string, len(role.Scopes))
		for i, s := range role.Scopes {
			scopes[i] = string(s)
		}
		return fault.New(op, fault.Invalid, "auth.scope_unfit", "role", role.Code, "scope", string(g.Scope), "scopes", strings.Join(scopes, ", "))
	}
	for _, b := range g.Bodies {
		if !d.bodies.Has(b) {
			return fault.New(op, fault.Invalid, "auth.body_unknown", "body", b)
		}
	}
	return nil
}

func grantFields(g Grant) []audit.Field {
	return []audit.Field{text("role", g.Role), text("scope", string(g.Scope)), text("bodies", strings.Join(g.Bodies, ","))}
}

// link makes a one-time link, in the place of the older ones.
func (d *Desk) link(ctx context.Context, tx *sql.Tx, at time.Time, by hand, r row) (string, error) {
	secret := newSecretText(linkFront)
	if _, err := tx.ExecContext(ctx, `UPDATE auth_link SET ended = $1 WHERE account = $2 AND ended IS NULL`, store.Micros(at), r.id); err != nil {
		return "", err
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO auth_link (hash, account, made, expires) VALUES ($1, $2, $3, $4)`,
		d.hashed(linkFront, secret), r.id, store.Micros(at), store.Micros(at.Add(LinkLife))); err != nil {
		return "", err
	}
	return secret, d.log(ctx, tx, at, record{by: by, action: "link", kind: "account", object: r.name,
		after: []audit.Field{{Name: "expires", Value: audit.Instant(at.Add(LinkLife))}}})
}

// Welcome opens an account by its one-time link: it sets the password and answers the second factor, which is shown this once. What the account had
// before, password, second factor, sessions and tokens, is gone. A password that is refused does not use the link up.
//
// Errors: Forbidden "auth.link_dead" of a link that is unknown, used, replaced or too old; Invalid, with the rule, of a password.
func (d *Desk) Welcome(ctx context.Context, link, secret string) (name string, two Second, err error) {
	const op = "auth.Welcome"
	at := d.now()
	dead := fault.New(op, fault.Forbidden, "auth.link_dead")
	hash := d.hashed(linkFront, link)
	var r row
	err = d.db.QueryRowContext(ctx, `SELECT a.id, a.name FROM auth_link l JOIN auth_account a ON a.id = l.account
WHERE l.hash = $1 AND l.ended IS NULL AND l.expires > $2 AND a.ended IS NULL`, hash, store.Micros(at)).Scan(&r.id, &r.name)
	if none(err) {
		return "", two, dead
	}
	if err == nil {
		err = fit(secret, r.name)
	}
	if err != nil {
		return "", two, fault.Wrap(op, err)
	}
	stored, shared := d.hasher.hash(secret), newSecret()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		ok, err := one(ctx, tx, `UPDATE auth_link SET ended = $1 WHERE hash = $2 AND ended IS NULL AND expires > $1`, store.Micros(at), hash)
		if err == nil && !ok {
			err = dead
		}
		if err != nil {
			return err
		}
		if _, err := inForce(ctx, tx, r.name); err != nil {
			return dead
		}
		if err := d.endAll(ctx, tx, at, hand{name: r.name}, r); err != nil {
			return err
		}
		for kind, plain := range map[string][]byte{password: []byte(stored), totp: shared} {
			if err := d.keep(ctx, tx, at, r.id, kind, plain); err != nil {
				return err
			}
		}
		return d.log(ctx, tx, at, record{by: hand{name: r.name}, action: "welcome", kind: "account", object: r.name})
	})
	return r.name, second(r.name, shared), fault.Wrap(op, err)
}

// keep seals a credential in the place of the one of its kind.
func (d *Desk) keep(ctx context.Context, tx *sql.Tx, at time.Time, id int64, kind string, plain []byte) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO auth_credential (account, kind, ref, sealed, used, made) VALUES ($1, $2, '', $3, 0, $4)
ON CONFLICT (account, kind, ref) DO UPDATE SET sealed = excluded.sealed, used = 0, made = excluded.made`,
		id, kind, d.keys.Seal(plain, credentialContext(id, kind, "")), store.Micros(at))
	return err
}

// endings end what an account has and what has not run out by itself.
var endings = map[string]string{
	"session": `UPDATE auth_session SET ended = $1 WHERE account = $2 AND ended IS NULL AND idle > $1 AND expires > $1 RETURNING id`,
	"token":   `UPDATE auth_token SET ended = $1 WHERE account = $2 AND ended IS NULL AND expires > $1 RETURNING id`,
}

// endAll ends every session and token of an account, each with its record.
func (d *Desk) endAll(ctx context.Context, tx *sql.Tx, at time.Time, by hand, r row) error {
	for _, kind := range []string{"session", "token"} {
		ids, err := list(ctx, tx, func(rows *sql.Rows, id *string) error { return rows.Scan(id) }, endings[kind], store.Micros(at), r.id)
		if err != nil {
			return err
		}
		slices.Sort(ids)
		for _, id := range ids {
			if err := d.log(ctx, tx, at, record{by: by, action: "end", kind: kind, object: id, before: []audit.Field{text("account", r.name)}}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Accounts lists the accounts by name, those that have ended as well.
//
// Errors: Forbidden "auth.may_not" without account.list.
func (d *Desk) Accounts(ctx context.Context, by Actor) ([]Person, error) {
	const op = "auth.Accounts"
	if err := by.need(op, "account.list"); err != nil {
		return nil, err
	}
	type found struct {
		Person
		id int64
	}
	rows, err := list(ctx, d.db, func(rows *sql.Rows, f *found) error {
		var made, session, token int64
		var ended sql.NullInt64
		err := rows.Scan(&f.id, &f.Name, &f.Subject, &made, &ended, &session, &token, &f.Ready)
		f.Made, f.Ended = time.UnixMicro(made), instant(ended)
		if seen := max(session, token); seen > 0 {
			f.Seen = time.UnixMicro(seen)
		}
		return err
	}, `SELECT a.id, a.name, a.subject, a.made, a.ended,
  (SELECT coalesce(max(seen), 0) FROM auth_session s WHERE s.account = a.id),
  (SELECT coalesce(max(seen), 0) FROM auth_token t WHERE t.account = a.id),
  EXISTS (SELECT 1 FROM auth_credential c WHERE c.account = a.id)
FROM auth_account a ORDER BY a.name`)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	out := make([]Person, len(rows))
	for i, f := range rows {
		out[i] = f.Person
		if out[i].Grants, err = grantsOf(ctx, d.db, f.id); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	return out, nil
}
