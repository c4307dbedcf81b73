package vault

import (
	"context"
	"database/sql"
	"encoding/json"
)

// changer writes what registers say about known holders, some hundred at a time: their records are read, changed and sealed again,
// and the index follows. A record that stays as it is, is left alone.
type changer struct {
	*Resolver
	tx     *sql.Tx
	words  map[int64][]word
	number int64 // of the last change
	index  *bulk
	log    *bulk
}

// word is one row's word on a holder.
type word struct {
	rec   Record
	parts Parts
}

func (r *Resolver) saveChanges(ctx context.Context, tx *sql.Tx) error {
	c := &changer{Resolver: r, tx: tx, words: map[int64][]word{}, index: insertIndex(tx),
		log: &bulk{tx: tx, head: `INSERT INTO vault_change (n, holder)`, columns: 2}}
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) FROM vault_change`).Scan(&c.number); err != nil {
		return err
	}
	err := r.spool.each(func(it sealedItem) error {
		if !it.change || r.only != nil && !r.only[it.id] {
			return nil
		}
		return c.take(ctx, it)
	})
	if err == nil {
		err = c.flush(ctx)
	}
	if err == nil {
		err = c.index.end(ctx)
	}
	if err == nil {
		err = c.log.end(ctx)
	}
	return err
}

func (c *changer) take(ctx context.Context, it sealedItem) error {
	plain, err := c.v.keys.Unseal(it.sealed, changeContext(it.id))
	if err != nil {
		return err
	}
	w := word{parts: it.parts}
	if err := json.Unmarshal(plain, &w.rec); err != nil {
		return err
	}
	if c.words[it.id] == nil && len(c.words) == bulkRows {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	c.words[it.id] = append(c.words[it.id], w)
	return nil
}

func (c *changer) flush(ctx context.Context) error {
	if len(c.words) == 0 {
		return nil
	}
	before, err := c.read(ctx)
	if err != nil {
		return err
	}
	holders := updateHolders(c.tx)
	for _, b := range before {
		after := b.rec
		for _, w := range c.words[b.id] {
			after.settle(w.rec, w.parts)
		}
		if after == b.rec {
			continue
		}
		sealed, err := c.v.sealed(b.id, after)
		if err != nil {
			return err
		}
		if err := holders.add(ctx, b.id, sealed); err != nil {
			return err
		}
		c.number++
		if err := c.log.add(ctx, c.number, b.id); err != nil {
			return err
		}
		for kind, values := range map[string][2]string{byPhone: {b.rec.Phone, after.Phone}, byAccount: {b.rec.Account, after.Account}} {
			if err := c.reindex(ctx, b.id, kind, values[0], values[1]); err != nil {
				return err
			}
		}
	}
	clear(c.words)
	return holders.end(ctx)
}

// reindex moves a holder from one value of the index to another.
func (c *changer) reindex(ctx context.Context, id int64, kind, before, after string) error {
	if before == after {
		return nil
	}
	if before != "" {
		idx := c.v.keys.Index(kind, before)
		if err := c.index.flush(ctx); err != nil { // the entry may be waiting there, from an earlier row of the same load
			return err
		}
		if _, err := c.tx.ExecContext(ctx, `DELETE FROM vault_index WHERE kind = $1 AND idx = $2 AND holder = $3`, kind, idx[:], id); err != nil {
			return err
		}
	}
	if after == "" {
		return nil
	}
	idx := c.v.keys.Index(kind, after)
	return c.index.add(ctx, kind, idx[:], id)
}

// opened is a record and whose it is.
type opened struct {
	id  int64
	rec Record
}

// read unseals the records that there is a word about, in order.
func (c *changer) read(ctx context.Context) (out []opened, err error) {
	ids := make([]any, 0, len(c.words))
	for id := range c.words {
		ids = append(ids, id)
	}
	rows, err := c.tx.QueryContext(ctx, `SELECT id, sealed FROM vault_holder WHERE id IN `+places(1, len(ids))+` ORDER BY id`, ids...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var sealed sql.RawBytes
	for rows.Next() {
		var o opened
		if err := rows.Scan(&o.id, &sealed); err != nil {
			return nil, err
		}
		if o.rec, err = c.v.unsealed(o.id, sealed); err != nil {
			return nil, err
		}
		out = append(out, o)
	}
	return out, rows.Err()
}
