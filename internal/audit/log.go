package audit

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
)

// Log seals, shows, exports and checks what Write wrote.
type Log struct {
	db     *store.DB
	roots  string // folder of the file of roots
	signer *seal.Signer
	now    func() time.Time
}

// Open opens the log of a database. roots is the folder in which the signed hashes of days are kept, apart from the data: beside the keys, or better on another
// machine. It is read and written only when there is something to do there.
func Open(db *store.DB, roots string, signer *seal.Signer, now func() time.Time) *Log {
	return &Log{db: db, roots: roots, signer: signer, now: now}
}

// atOnce is how many records one transaction seals.
const atOnce = 1000

// Seal chains what was committed and is in no chain yet, and answers how many records this call sealed. It may run in several processes at once. The first
// one of a new day writes the root of the days before.
//
// Errors: one of the roots' file does not keep records from being sealed, and is returned afterwards.
func (l *Log) Seal(ctx context.Context) (n int64, err error) {
	const op = "audit.Seal"
	waits, err := l.waits(ctx)
	if err != nil || !waits {
		return 0, fault.Wrap(op, err)
	}
	rooted := l.rootDue(ctx) // before anything of this day stands behind it
	for waits {
		var some int64
		lost, err := l.db.Race(ctx, func(tx *sql.Tx) (err error) {
			some, err = l.batch(ctx, tx)
			return err
		})
		if err != nil {
			return n, errors.Join(fault.Wrap(op, err), rooted)
		}
		if !lost {
			n, waits = n+some, some == atOnce
		}
	}
	return n, fault.Wrap(op, rooted)
}

// waits reports whether there is anything to seal, without taking the lock that writers need.
func (l *Log) waits(ctx context.Context) (yes bool, err error) {
	err = l.db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM audit_tail)`).Scan(&yes)
	return yes, err
}

// batch seals the oldest records that are in no chain.
func (l *Log) batch(ctx context.Context, tx *sql.Tx) (int64, error) {
	w, err := head(ctx, tx)
	if err != nil {
		return 0, err
	}
	// A record that is listed and sealed already, by whatever hand, must not stop the others.
	tail, err := list(ctx, tx, `SELECT 0, `+columns+` FROM audit_tail t JOIN audit_record r ON r.id = t.record
WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.record = t.record) ORDER BY r.at, r.id LIMIT $1`, atOnce)
	if err != nil {
		return 0, err
	}
	into, err := tx.PrepareContext(ctx, `INSERT INTO audit_seal (seq, record, hash) VALUES ($1, $2, $3)`)
	if err != nil {
		return 0, err
	}
	defer into.Close()
	var text []byte
	for _, e := range tail {
		e.Seq = w.seq + 1
		text = e.appendText(text[:0])
		w.seq, w.last = e.Seq, w.chained(text)
		if _, err := into.ExecContext(ctx, e.Seq, e.ID, w.last[:]); err != nil {
			return 0, err
		}
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM audit_tail WHERE EXISTS (SELECT 1 FROM audit_seal s WHERE s.record = audit_tail.record)`)
	return int64(len(tail)), err
}

// querier is a database or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// head stands on the last record of the chain.
func head(ctx context.Context, q querier) (w walker, err error) {
	var hash []byte
	err = q.QueryRowContext(ctx, `SELECT seq, hash FROM audit_seal ORDER BY seq DESC LIMIT 1`).Scan(&w.seq, &hash)
	if errors.Is(err, sql.ErrNoRows) {
		return w, nil
	}
	copy(w.last[:], hash)
	return w, err
}

// columns are those of a record, as scan takes them after its number.
const columns = `r.id, r.at, r.account, r.role, r.action, r.kind, r.object, r.before_fields, r.after_fields, r.reason, r.n, r.request`

// scan reads a number and columns, and whatever stands before them in the row.
func scan(rows *sql.Rows, before ...any) (e Entry, err error) {
	var micros int64
	var was, became string
	err = rows.Scan(append(before, &e.Seq, &e.ID, &micros, &e.Account, &e.Role, &e.Action, &e.Kind, &e.Object, &was, &became, &e.Reason, &e.Count, &e.Request)...)
	e.At, e.Before, e.After = time.UnixMicro(micros).UTC(), []byte(was), []byte(became)
	return e, err
}

func list(ctx context.Context, q querier, query string, args ...any) (out []Entry, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		e, err := scan(rows)
		if err != nil {
			return nil, err
		}
		out = append(out, e)
	}
	return out, rows.Err()
}

// Tail counts the records that are not sealed yet, and lists the oldest of them, limit at most. Where something seals, none is older than a
// second or two; an older one is a thing to look into.
func (l *Log) Tail(ctx context.Context, limit int) (n int64, oldest []Entry, err error) {
	const op = "audit.Tail"
	if err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM audit_tail`).Scan(&n); err != nil {
		return 0, nil, fault.Wrap(op, err)
	}
	oldest, err = list(ctx, l.db, `SELECT 0, `+columns+` FROM audit_tail t JOIN audit_record r ON r.id = t.record ORDER BY r.at, r.id LIMIT $1`, limit)
	return n, oldest, fault.Wrap(op, err)
}

// Run seals every so often until ctx ends, and once more then. What fails is told and tried again: the records wait.
func (l *Log) Run(ctx context.Context, every time.Duration, failed func(error)) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		if _, err := l.Seal(ctx); err != nil && ctx.Err() == nil {
			failed(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			if _, err := l.Seal(context.WithoutCancel(ctx)); err != nil {
				failed(err)
			}
			return
		}
	}
}
