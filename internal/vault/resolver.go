package vault

import (
	"context"
	"database/sql"
	"slices"

	"bole/internal/calendar"
	"bole/internal/fault"
)

// Resolver finds and makes holders during a load. What it makes is kept by Save; until then nobody else sees it. It belongs to one
// goroutine; sealing goes on in others meanwhile.
//
// It remembers the fingerprint of every number: some 40 bytes a holder.
type Resolver struct {
	v      *Vault
	known  map[[16]byte]int64
	last   int64              // the highest holder id seen
	others map[int64]struct{} // holders that another number names than a resident's
	spool  *spool
	added  [][16]byte // fingerprints of the new holders, which are numbered last-len(added)+1 to last
	only   map[int64]bool

	stated   []statement    // saved ones
	said     []statement    // by this load
	now      *groups        // by everything that is stated and said
	then     *groups        // by what was known on the day of this load; now, unless the load came late
	apart    map[int64]bool // nil: holders that a resident's number names
	delivery int64
	day      calendar.Day
}

// Resolver starts from the holders known now.
func (v *Vault) Resolver(ctx context.Context) (*Resolver, error) {
	r := &Resolver{v: v, known: map[[16]byte]int64{}, others: map[int64]struct{}{}, spool: newSpool(v)}
	return r, r.Refresh(ctx)
}

// Refresh learns of holders that others made since, and forgets what was not saved.
func (r *Resolver) Refresh(ctx context.Context) error {
	const op = "vault.Refresh"
	for _, idx := range r.added {
		delete(r.others, r.known[idx])
		delete(r.known, idx)
	}
	r.last -= int64(len(r.added))
	r.said = nil
	r.Saved()
	if err := r.v.keys.Reload(); err != nil {
		return fault.Wrap(op, err)
	}
	if err := r.learn(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	var err error
	if r.stated, err = r.v.statements(ctx); err != nil {
		return fault.Wrap(op, err)
	}
	r.Receive(0, 0)
	return nil
}

func (r *Resolver) learn(ctx context.Context) error {
	rows, err := r.v.db.QueryContext(ctx, `SELECT kind, idx, holder FROM vault_index WHERE kind IN ('id_number', 'other_number') AND holder > $1`, r.last)
	if err != nil {
		return err
	}
	defer rows.Close()
	var kind, idx sql.RawBytes
	var holder int64
	for rows.Next() {
		if err := rows.Scan(&kind, &idx, &holder); err != nil {
			return err
		}
		r.known[[16]byte(idx)] = holder
		if string(kind) == byOtherNumber {
			r.others[holder] = struct{}{}
		}
		r.last = max(r.last, holder)
	}
	return rows.Err()
}

// Receive says which delivery is being loaded and on which day it was received; what Join learns is known from that day. Without it
// Join's word counts from day 0.
func (r *Resolver) Receive(delivery int64, day calendar.Day) {
	r.delivery, r.day, r.said, r.apart = delivery, day, nil, nil
	r.now, r.then = newGroups(), nil
	late := newGroups()
	for _, s := range r.stated {
		r.now.unite(s.holder, s.person)
		if s.known <= day {
			late.unite(s.holder, s.person)
		} else {
			r.then = late
		}
	}
	if r.then == nil {
		r.then = r.now
	}
}

// Holder returns the holder that a number names, and makes one where it is new: with the whole record. Of a known holder the parts that
// settles names are replaced by rec's, as far as rec has them; the others are kept.
func (r *Resolver) Holder(rec Record, settles Parts) int64 {
	_, idx := r.v.numbered(rec)
	id, ok := r.known[idx]
	if ok {
		if settles != 0 {
			r.spool.add(item{id: id, rec: rec, parts: settles, change: true})
		}
		return id
	}
	r.last++
	r.known[idx] = r.last
	r.added = append(r.added, idx)
	if rec.Kind != "" {
		r.others[r.last] = struct{}{}
	}
	r.spool.add(item{id: r.last, idx: idx, rec: rec})
	return r.last
}

// Apart says by which holders people are told apart in what Join is told from now on: the word of a register that keeps people, which has a row of
// its own for each of them. nil, as after Receive: by residents' numbers.
func (r *Resolver) Apart(holders map[int64]bool) { r.apart = holders }

// Join says that two holders are one human being from now on; what else either of them was one with, comes along. It answers false and
// does nothing when that would make one person of two that are told apart: of two residents' numbers, or of two rows of a register that keeps
// people. A person decides that. Two that are one already stay so.
func (r *Resolver) Join(a, b int64) (joined bool) {
	if r.now.person(a) != r.now.person(b) && r.stands(a) && r.stands(b) {
		return false
	}
	if r.then != r.now {
		r.now.unite(a, b)
	}
	if r.then.unite(a, b) != nil {
		r.said = append(r.said, statement{max(a, b), min(a, b), r.day, r.delivery})
	}
	return true
}

// stands reports whether the holder, or another of its group, is one by whom people are told apart.
func (r *Resolver) stands(holder int64) bool {
	alone := func(h int64) bool {
		if r.apart != nil {
			return r.apart[h]
		}
		_, other := r.others[h]
		return !other
	}
	person := r.now.person(holder)
	return alone(person) || slices.ContainsFunc(r.now.below[person], alone)
}

// Person is the holder that stands for the same human being, by everything that is known now; the lowest of them.
func (r *Resolver) Person(holder int64) int64 { return r.now.person(holder) }

// Last is the highest holder, new ones among them. Holders are numbered from 1 without a gap.
func (r *Resolver) Last() int64 { return r.last }

// Added reports how many holders would be new.
func (r *Resolver) Added() int { return len(r.added) }

// Joined reports how many times this load said that two holders are one and nobody had by its day. A load that changes it, or adds
// holders, publishes the identities anew.
func (r *Resolver) Joined() int { return len(r.said) }

// Identity is Vault.Persons with what the load says and has not saved.
func (r *Resolver) Identity(f func(holder, person int64, known calendar.Day) error) error {
	return replay(slices.Concat(r.stated, r.said), f)
}

// Only keeps, of what the load says about known holders, what it says about those in a set.
func (r *Resolver) Only(holders map[int64]bool) { r.only = holders }

// Save writes what the load made, within the caller's transaction, and may be called again when that has to be run again.
func (r *Resolver) Save(ctx context.Context, tx *sql.Tx) error {
	err := r.spool.finish()
	if err == nil {
		err = r.saveNew(ctx, tx)
	}
	if err == nil && r.spool.changes > 0 {
		err = r.saveChanges(ctx, tx)
	}
	if err == nil {
		err = r.saveStatements(ctx, tx)
	}
	return fault.Wrap("vault.Save", err)
}

// Saved says that the caller's transaction is committed.
func (r *Resolver) Saved() {
	r.spool.discard()
	r.added, r.only = nil, nil
	r.stated, r.said = append(r.stated, r.said...), nil
}

// saveNew writes an index row after its holder, and whole statements of both as far as the rows reach.
func (r *Resolver) saveNew(ctx context.Context, tx *sql.Tx) error {
	holders, index := insertHolders(tx), insertIndex(tx)
	var waiting []sealedItem // whose holders are written or about to be
	enter := func() error {
		for _, it := range waiting {
			for i := range it.entries {
				if err := index.add(ctx, kinds[it.entries[i].kind], it.entries[i].idx[:], it.id); err != nil {
					return err
				}
			}
		}
		waiting = waiting[:0]
		return nil
	}
	err := r.spool.each(func(it sealedItem) error {
		if it.change {
			return nil
		}
		waiting = append(waiting, it)
		if err := holders.add(ctx, it.id, it.sealed); err != nil || len(holders.args) > 0 {
			return err
		}
		return enter()
	})
	if err == nil {
		err = holders.end(ctx)
	}
	if err == nil {
		err = enter()
	}
	if err == nil {
		err = index.end(ctx)
	}
	return err
}

func insertHolders(tx *sql.Tx) *bulk {
	return &bulk{tx: tx, head: `INSERT INTO vault_holder (id, sealed)`, columns: 2}
}

// updateHolders puts other records in the place of those that are there; no statement names a holder twice.
func updateHolders(tx *sql.Tx) *bulk {
	return &bulk{tx: tx, head: `INSERT INTO vault_holder (id, sealed)`, tail: `ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed`, columns: 2}
}

func insertIndex(tx *sql.Tx) *bulk {
	return &bulk{tx: tx, head: `INSERT INTO vault_index (kind, idx, holder)`, columns: 3}
}

func (r *Resolver) saveStatements(ctx context.Context, tx *sql.Tx) error {
	out := &bulk{tx: tx, head: `INSERT INTO vault_identity (holder, person, known, delivery)`, columns: 4}
	for _, s := range r.said {
		if err := out.add(ctx, s.holder, s.person, int64(s.known), s.delivery); err != nil {
			return err
		}
	}
	return out.end(ctx)
}
