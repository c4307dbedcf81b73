package auth

import (
	"context"
	"database/sql"

	"bole/internal/fault"
	"bole/internal/seal"
)

// Sealed counts the credentials by the key that seals them.
func (d *Desk) Sealed(ctx context.Context) (map[seal.KeyID]int64, error) {
	out := map[seal.KeyID]int64{}
	ids, err := list(ctx, d.db, func(rows *sql.Rows, id *[]byte) error { return rows.Scan(id) }, `SELECT substr(sealed, 2, 4) FROM auth_credential`)
	for _, id := range ids {
		out[seal.KeyID(id)]++
	}
	return out, fault.Wrap("auth.Sealed", err)
}

// Reseal seals anew every credential that is not sealed with the current key, and answers how many it did. There are few: one transaction.
func (d *Desk) Reseal(ctx context.Context) (resealed int64, err error) {
	const op = "auth.Reseal"
	if err := d.keys.Reload(); err != nil {
		return 0, fault.Wrap(op, err)
	}
	type credential struct {
		account   int64
		kind, ref string
		sealed    []byte
	}
	current := d.keys.Current()
	err = d.db.Tx(ctx, func(tx *sql.Tx) error {
		found, err := list(ctx, tx, func(rows *sql.Rows, c *credential) error { return rows.Scan(&c.account, &c.kind, &c.ref, &c.sealed) },
			`SELECT account, kind, ref, sealed FROM auth_credential WHERE substr(sealed, 2, 4) <> $1 ORDER BY account, kind, ref`, current[:])
		if err != nil {
			return err
		}
		for _, c := range found {
			about := credentialContext(c.account, c.kind, c.ref)
			plain, err := d.keys.Unseal(c.sealed, about)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `UPDATE auth_credential SET sealed = $1 WHERE account = $2 AND kind = $3 AND ref = $4`,
				d.keys.Seal(plain, about), c.account, c.kind, c.ref); err != nil {
				return err
			}
		}
		resealed = int64(len(found))
		return nil
	})
	return resealed, fault.Wrap(op, err)
}
