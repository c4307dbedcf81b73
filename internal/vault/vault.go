package vault

import (
	"context"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"strconv"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
)

// Vault is the sealed records and their index in the office's database.
type Vault struct {
	db   *store.DB
	keys *seal.Keys
}

// Open opens the vault.
func Open(db *store.DB, keys *seal.Keys) *Vault { return &Vault{db, keys} }

// Record is what is known of a holder in person. It lives in memory only while somebody with a right to it looks.
type Record struct {
	Number string `json:"id_number"` // normal form
	Name   string `json:"person_name,omitempty"`
	Phone  string `json:"phone,omitempty"`
}

// Keyed is the value of a keyed column as the lake holds it: 16 letters and digits that only the keys can make from the number.
func (v *Vault) Keyed(column, value string) string {
	idx := v.keys.Index("column "+column, value)
	return encoding.EncodeToString(idx[:10])
}

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Fingerprint is a keyed hash of a personal value, for telling whether two rows are the same.
func (v *Vault) Fingerprint(value string) [16]byte { return v.keys.Index("fingerprint", value) }

// Resolver finds and makes holders during a load. What it makes is kept by Save; until then nobody else sees it.
type Resolver struct {
	v       *Vault
	known   map[[16]byte]int64
	last    int64 // the highest holder id seen
	added   []added
	changed map[int64]Record
}

type added struct {
	id     int64
	index  [16]byte
	record Record
}

// Resolver starts from the holders known now.
func (v *Vault) Resolver(ctx context.Context) (*Resolver, error) {
	r := &Resolver{v: v, known: map[[16]byte]int64{}, changed: map[int64]Record{}}
	return r, r.Refresh(ctx)
}

// Refresh learns of holders that others made since, and forgets what was not saved.
func (r *Resolver) Refresh(ctx context.Context) error {
	for _, a := range r.added {
		delete(r.known, a.index)
		r.last = min(r.last, a.id-1)
	}
	r.added = nil
	clear(r.changed)
	rows, err := r.v.db.QueryContext(ctx, `SELECT idx, holder FROM vault_index WHERE kind = 'id_number' AND holder > $1`, r.last)
	if err != nil {
		return fault.Wrap("vault.Refresh", err)
	}
	defer rows.Close()
	for rows.Next() {
		var idx []byte
		var holder int64
		if err := rows.Scan(&idx, &holder); err != nil {
			return fault.Wrap("vault.Refresh", err)
		}
		r.known[[16]byte(idx)] = holder
		r.last = max(r.last, holder)
	}
	return fault.Wrap("vault.Refresh", rows.Err())
}

// Holder returns the holder that a number names, and makes one where it is new. describes says that the record comes from a register with
// one row a person, whose word on name and phone replaces what was known.
func (r *Resolver) Holder(rec Record, describes bool) int64 {
	idx := r.v.keys.Index("id_number", rec.Number)
	id, ok := r.known[idx]
	if !ok {
		r.last++
		id = r.last
		r.known[idx] = id
		r.added = append(r.added, added{id, idx, rec})
		return id
	}
	if describes {
		r.changed[id] = rec
	}
	return id
}

// Added reports how many holders would be new.
func (r *Resolver) Added() int { return len(r.added) }

// Save writes what the load made, within the caller's transaction.
func (r *Resolver) Save(ctx context.Context, tx *sql.Tx) error {
	for _, a := range r.added {
		sealed, err := r.v.sealed(a.id, a.record)
		if err == nil {
			_, err = tx.ExecContext(ctx, `INSERT INTO vault_holder (id, person, sealed) VALUES ($1, $1, $2)`, a.id, sealed)
		}
		if err == nil {
			err = r.index(ctx, tx, "id_number", a.index[:], a.id)
		}
		if err == nil {
			err = r.phone(ctx, tx, a.id, a.record)
		}
		if err != nil {
			return fault.Wrap("vault.Save", err)
		}
	}
	for id, rec := range r.changed {
		sealed, err := r.v.sealed(id, rec)
		if err == nil {
			_, err = tx.ExecContext(ctx, `UPDATE vault_holder SET sealed = $1 WHERE id = $2`, sealed, id)
		}
		if err == nil {
			_, err = tx.ExecContext(ctx, `DELETE FROM vault_index WHERE kind = 'phone' AND holder = $1`, id)
		}
		if err == nil {
			err = r.phone(ctx, tx, id, rec)
		}
		if err != nil {
			return fault.Wrap("vault.Save", err)
		}
	}
	return nil
}

// Only keeps, of the known holders whose record a register describes anew, those in a set.
func (r *Resolver) Only(holders map[int64]bool) {
	for id := range r.changed {
		if !holders[id] {
			delete(r.changed, id)
		}
	}
}

// Saved says that the caller's transaction is committed.
func (r *Resolver) Saved() {
	r.added = nil
	clear(r.changed)
}

func (r *Resolver) phone(ctx context.Context, tx *sql.Tx, id int64, rec Record) error {
	if rec.Phone == "" {
		return nil
	}
	idx := r.v.keys.Index("phone", rec.Phone)
	return r.index(ctx, tx, "phone", idx[:], id)
}

func (r *Resolver) index(ctx context.Context, tx *sql.Tx, kind string, idx []byte, id int64) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO vault_index (kind, idx, holder) VALUES ($1, $2, $3)`, kind, idx, id)
	return err
}

func (v *Vault) sealed(id int64, rec Record) ([]byte, error) {
	plain, err := json.Marshal(rec)
	return v.keys.Seal(plain, sealContext(id)), err
}

func sealContext(id int64) []byte { return strconv.AppendInt([]byte("holder "), id, 10) }

// Unseal returns the record of a holder. The caller has the right to see it and has it on record.
//
// Errors: NotFound for a holder that does not exist.
func (v *Vault) Unseal(ctx context.Context, holder int64) (Record, error) {
	var sealed []byte
	var rec Record
	err := v.db.QueryRowContext(ctx, `SELECT sealed FROM vault_holder WHERE id = $1`, holder).Scan(&sealed)
	if err == sql.ErrNoRows {
		return rec, fault.New("vault.Unseal", fault.NotFound, "person.unknown")
	}
	if err != nil {
		return rec, fault.Wrap("vault.Unseal", err)
	}
	plain, err := v.keys.Unseal(sealed, sealContext(holder))
	if err != nil {
		return rec, fault.Wrap("vault.Unseal", err)
	}
	return rec, fault.Wrap("vault.Unseal", json.Unmarshal(plain, &rec))
}

// Persons calls f for every holder with the person it stands for, in order of holder.
func (v *Vault) Persons(ctx context.Context, f func(holder, person int64) error) error {
	rows, err := v.db.QueryContext(ctx, `SELECT id, person FROM vault_holder ORDER BY id`)
	if err != nil {
		return fault.Wrap("vault.Persons", err)
	}
	defer rows.Close()
	for rows.Next() {
		var holder, person int64
		if err := rows.Scan(&holder, &person); err != nil {
			return fault.Wrap("vault.Persons", err)
		}
		if err := f(holder, person); err != nil {
			return err
		}
	}
	return fault.Wrap("vault.Persons", rows.Err())
}

// New calls f for every holder that the load would make, in order.
func (r *Resolver) New(f func(holder int64) error) error {
	for _, a := range r.added {
		if err := f(a.id); err != nil {
			return err
		}
	}
	return nil
}
