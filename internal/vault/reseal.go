package vault

import (
	"context"
	"database/sql"

	"bole/internal/fault"
	"bole/internal/seal"
)

// resealRows is how many records one transaction of Reseal seals anew.
const resealRows = 1000

// Sealed counts the records by the key that seals them.
func (v *Vault) Sealed(ctx context.Context) (map[seal.KeyID]int64, error) {
	rows, err := v.db.QueryContext(ctx, `SELECT substr(sealed, 2, 4), count(*) FROM vault_holder GROUP BY substr(sealed, 2, 4)`)
	if err != nil {
		return nil, fault.Wrap("vault.Sealed", err)
	}
	defer rows.Close()
	out := map[seal.KeyID]int64{}
	for rows.Next() {
		var id []byte
		var n int64
		if err := rows.Scan(&id, &n); err != nil {
			return nil, fault.Wrap("vault.Sealed", err)
		}
		out[seal.KeyID(id)] = n
	}
	return out, fault.Wrap("vault.Sealed", rows.Err())
}

// Reseal seals anew every record that is not sealed with the current key, and answers how many it did. Each batch is a transaction of its
// own: a reader sees a record as it was or as it is, and a call that is killed goes on where it was. progress is told after each batch;
// may be nil. What the records say does not change, nor does the index.
func (v *Vault) Reseal(ctx context.Context, progress func(resealed int64)) (resealed int64, err error) {
	const op = "vault.Reseal"
	if err := v.keys.Reload(); err != nil {
		return 0, fault.Wrap(op, err)
	}
	for after := int64(0); ; {
		n, last := int64(0), int64(0)
		err := v.db.Tx(ctx, func(tx *sql.Tx) (err error) {
			n, last, err = v.resealSome(ctx, tx, after)
			return err
		})
		if err != nil || n == 0 {
			return resealed, fault.Wrap(op, err)
		}
		resealed, after = resealed+n, last
		if progress != nil {
			progress(resealed)
		}
	}
}

// resealSome seals anew the first records after a holder that need it: how many, and the last of them.
func (v *Vault) resealSome(ctx context.Context, tx *sql.Tx, after int64) (n, last int64, err error) {
	current := v.keys.Current()
	rows, err := tx.QueryContext(ctx, `SELECT id, sealed FROM vault_holder WHERE id > $1 AND substr(sealed, 2, 4) <> $2 ORDER BY id LIMIT $3`, after, current[:], resealRows)
	if err != nil {
		return 0, 0, err
	}
	type record struct {
		id     int64
		sealed []byte
	}
	var found []record
	for rows.Next() {
		var r record
		if err := rows.Scan(&r.id, &r.sealed); err != nil {
			rows.Close()
			return 0, 0, err
		}
		found = append(found, r)
	}
	if err := rows.Close(); err != nil {
		return 0, 0, err
	}
	if err := rows.Err(); err != nil {
		return 0, 0, err
	}
	out := updateHolders(tx)
	for _, r := range found {
		plain, err := v.keys.Unseal(r.sealed, sealContext(r.id))
		if err != nil {
			return 0, 0, err
		}
		if err := out.add(ctx, r.id, v.keys.Seal(plain, sealContext(r.id))); err != nil {
			return 0, 0, err
		}
		n, last = n+1, r.id
	}
	return n, last, out.end(ctx)
}
