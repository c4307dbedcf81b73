package vault

import (
	"context"
	"database/sql"
	"encoding/base32"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strconv"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
)

// Vault is the sealed records and their index in the office's database.
type Vault struct {
	db   *store.DB
	keys *seal.Keys
	temp string
}

// Open opens the vault. What a load seals and has not saved lies in the system's temporary folder; see In.
func Open(db *store.DB, keys *seal.Keys) *Vault { return &Vault{db, keys, os.TempDir()} }

// In is the same vault with another temporary folder, made when it is needed.
func (v *Vault) In(temp string) *Vault { return &Vault{v.db, v.keys, temp} }

// Record is what is known of a holder in person. It lives in memory only while somebody with a right to it looks.
type Record struct {
	Number  string `json:"id_number"`      // normal form
	Kind    string `json:"kind,omitempty"` // of number; "" for a resident's
	Name    string `json:"person_name,omitempty"`
	Phone   string `json:"phone,omitempty"`
	Account string `json:"account,omitempty"` // of a bank
}

// Parts is a set of parts of a record.
type Parts uint8

// The parts that a register may settle. The number is none of them: another number is another holder.
const (
	SettlesName Parts = 1 << iota
	SettlesPhone
	SettlesAccount
)

// settle puts the parts of word that it settles into rec. An empty part is silence and settles nothing.
func (rec *Record) settle(word Record, parts Parts) {
	for _, p := range []struct {
		part Parts
		have *string
		said string
	}{{SettlesName, &rec.Name, word.Name}, {SettlesPhone, &rec.Phone, word.Phone}, {SettlesAccount, &rec.Account, word.Account}} {
		if parts&p.part != 0 && p.said != "" {
			*p.have = p.said
		}
	}
}

// Kinds of the blind index. Those of other numbers than a resident's stand apart, so that the index tells which holder is named by which
// without unsealing anything.
const (
	byNumber      = "id_number"
	byOtherNumber = "other_number"
	byPhone       = "phone"
	byAccount     = "account"
)

// numbered is the index entry of a record's number. The kind is part of the value, so that a passport and a permit with the same
// digits do not meet.
func (v *Vault) numbered(rec Record) (kind string, idx [16]byte) {
	if rec.Kind == "" {
		return byNumber, v.keys.Index(byNumber, rec.Number)
	}
	return byOtherNumber, v.keys.Index(byOtherNumber, rec.Kind+":"+rec.Number)
}

// Keyed is the value of a keyed column as the lake holds it: 16 letters and digits that only the keys can make from the number.
func (v *Vault) Keyed(column, value string) string {
	idx := v.keys.Index("column "+column, value)
	return encoding.EncodeToString(idx[:10])
}

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Fingerprint is a keyed hash of a personal value, for telling whether two rows are the same.
func (v *Vault) Fingerprint(value string) [16]byte { return v.keys.Index("fingerprint", value) }

// Find returns the holders whose number, phone or account is that of asked, lowest first; what asked leaves empty is not looked for.
// Nothing is unsealed.
func (v *Vault) Find(ctx context.Context, asked Record) ([]int64, error) {
	type entry struct {
		kind string
		idx  [16]byte
	}
	var out []int64
	look := func(e entry) error {
		rows, err := v.db.QueryContext(ctx, `SELECT holder FROM vault_index WHERE kind = $1 AND idx = $2 ORDER BY holder`, e.kind, e.idx[:])
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var holder int64
			if err := rows.Scan(&holder); err != nil {
				return err
			}
			out = append(out, holder)
		}
		return rows.Err()
	}
	var entries []entry
	if asked.Number != "" {
		kind, idx := v.numbered(asked)
		entries = append(entries, entry{kind, idx})
	}
	for _, e := range [][2]string{{byPhone, asked.Phone}, {byAccount, asked.Account}} {
		if e[1] != "" {
			entries = append(entries, entry{e[0], v.keys.Index(e[0], e[1])})
		}
	}
	for _, e := range entries {
		if err := look(e); err != nil {
			return nil, fault.Wrap("vault.Find", err)
		}
	}
	slices.Sort(out)
	return slices.Compact(out), nil
}

func (v *Vault) sealed(id int64, rec Record) ([]byte, error) {
	plain, err := json.Marshal(rec)
	return v.keys.Seal(plain, sealContext(id)), err
}

func (v *Vault) unsealed(id int64, sealed []byte) (rec Record, err error) {
	plain, err := v.keys.Unseal(sealed, sealContext(id))
	if err != nil {
		return rec, err
	}
	return rec, json.Unmarshal(plain, &rec)
}

func sealContext(id int64) []byte { return strconv.AppendInt([]byte("holder "), id, 10) }

// Unseal returns the record of a holder. The caller has the right to see it and has it on record.
//
// Errors: NotFound for a holder that does not exist.
func (v *Vault) Unseal(ctx context.Context, holder int64) (Record, error) {
	var sealed []byte
	err := v.db.QueryRowContext(ctx, `SELECT sealed FROM vault_holder WHERE id = $1`, holder).Scan(&sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return Record{}, fault.New("vault.Unseal", fault.NotFound, "person.unknown")
	}
	if err != nil {
		return Record{}, fault.Wrap("vault.Unseal", err)
	}
	rec, err := v.unsealed(holder, sealed)
	return rec, fault.Wrap("vault.Unseal", err)
}
