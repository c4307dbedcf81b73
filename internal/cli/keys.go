package cli

import (
	"context"
	"database/sql"
	"io"
	"slices"
	"strconv"

	"bole/internal/audit"
	"bole/internal/fault"
	"bole/internal/locale"
	"bole/internal/seal"
	"github.com/spf13/cobra"
)

func (a *app) keysCmd() *cobra.Command {
	return group("keys", "data", "the sealing keys · 密钥", a.keysList(), a.keysRotate(), a.keysRetire())
}

// inUse is how much a key seals.
type inUse struct {
	Key     string `json:"key"`
	Current bool   `json:"current"`
	Missing bool   `json:"missing,omitempty"` // something is sealed with it and the ring does not have it
	Records int64  `json:"records"`
	Files   int64  `json:"files"`
}

// sealedBy counts what each key seals, those of the ring first.
func (h *home) sealedBy(ctx context.Context) (by []inUse, total map[seal.KeyID]int64, err error) {
	records, err := h.vault.Sealed(ctx)
	if err != nil {
		return nil, nil, err
	}
	stored, err := h.files.Sealed(ctx)
	if err != nil {
		return nil, nil, err
	}
	credentials, err := h.auth.Sealed(ctx)
	if err != nil {
		return nil, nil, err
	}
	for id, n := range credentials { // what accounts sign in with are records as well
		records[id] += n
	}
	total = map[seal.KeyID]int64{}
	for _, m := range []map[seal.KeyID]int64{records, stored} {
		for id, n := range m {
			total[id] += n
		}
	}
	ids := h.keys.IDs()
	known := len(ids)
	for id := range total {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	for i, id := range ids {
		by = append(by, inUse{id.String(), i == 0, i >= known, records[id], stored[id]})
	}
	return by, total, nil
}

func (a *app) keysList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "each key and how much it seals; never the keys themselves · 密钥及其封存数量",
		Example: "  bole keys list --json", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				by, _, err := h.sealedBy(ctx)
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"suite": h.keys.Suite(), "keys": by}, func(w io.Writer) { table(w, a.keyRows(by)) })
			})
		},
	}
}

func (a *app) keyRows(by []inUse) [][]string {
	say := func(key string) string { return locale.Text(a.language(), key) }
	rows := [][]string{{say("keys.key"), say("keys.records"), say("keys.files"), ""}}
	for _, k := range by {
		state := ""
		switch {
		case k.Current:
			state = say("keys.current")
		case k.Missing:
			state = say("keys.missing")
		}
		rows = append(rows, []string{k.Key, strconv.FormatInt(k.Records, 10), strconv.FormatInt(k.Files, 10), state})
	}
	return rows
}

func (a *app) keysRotate() *cobra.Command {
	return &cobra.Command{
		Use: "rotate", Short: "seal everything anew with a new key · 更换密钥并重新封存",
		Long: `Adds a key to the ring and seals every record and every file anew with it, while others read and write. One that was interrupted goes on
with the key that it had added. The older keys stay until bole keys retire. Back the ring up again afterwards.`,
		Example: "  bole keys rotate --json", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				key, err := a.nextKey(ctx, h)
				if err != nil {
					return err
				}
				told := func(what string) func(int64) {
					return func(n int64) { a.say(what, "n", n) }
				}
				records, err := h.vault.Reseal(ctx, told("keys.resealing"))
				if err != nil {
					return err
				}
				credentials, err := h.auth.Reseal(ctx)
				if err != nil {
					return err
				}
				records += credentials
				stored, err := h.files.Reseal(ctx, told("keys.resealing_files"))
				if err != nil {
					return err
				}
				if err := a.record(ctx, h, audit.Record{Action: "reseal", Kind: "key", Object: key.String(), Count: records + stored,
					After: []audit.Field{{Name: "records", Value: audit.Int(records)}, {Name: "files", Value: audit.Int(stored)}}}); err != nil {
					return err
				}
				done := map[string]any{"key": key.String(), "resealed": records, "files": stored, "done": true}
				return a.answer(done, func(w io.Writer) {
					printf("%s\n", locale.Text(a.language(), "keys.rotated", "key", key, "n", records, "files", stored))(w)
				})
			})
		},
	}
}

// nextKey adds a key to the ring, unless an earlier rotation has something left to do: then it is that one's.
//
// Errors: NotFound "seal.key_unknown" when something is sealed with a key that the ring does not have.
func (a *app) nextKey(ctx context.Context, h *home) (seal.KeyID, error) {
	by, total, err := h.sealedBy(ctx)
	if err != nil {
		return seal.KeyID{}, err
	}
	if slices.ContainsFunc(by, func(k inUse) bool { return k.Missing }) { // another ring, or an old copy of this one
		return seal.KeyID{}, fault.New("cli.nextKey", fault.NotFound, "seal.key_unknown")
	}
	delete(total, h.keys.Current())
	if len(total) > 0 && len(h.keys.IDs()) > 1 {
		a.say("keys.resumed", "key", h.keys.Current())
		return h.keys.Current(), nil
	}
	var id seal.KeyID
	added := false
	err = h.db.Tx(ctx, func(tx *sql.Tx) (err error) {
		if !added { // the transaction may run again, the ring is changed once
			if id, err = seal.Rotate(a.keysDir()); err != nil {
				return err
			}
			added = true
		}
		return a.write(ctx, tx, audit.Record{Action: "rotate", Kind: "key", Object: id.String(),
			Before: []audit.Field{{Name: "current", Value: audit.Text(h.keys.Current().String())}}, After: []audit.Field{{Name: "current", Value: audit.Text(id.String())}}})
	})
	if err != nil {
		return id, err
	}
	return id, h.keys.Reload()
}

func (a *app) keysRetire() *cobra.Command {
	return &cobra.Command{
		Use: "retire", Short: "drop the keys that seal nothing any more · 删除不再使用的密钥",
		Long: `Drops every key but the current one, when nothing is sealed with them; else changes nothing and says how much is. Stop the other processes
of this home first: one that was started before the rotation may still seal with an older key. Backups from before the rotation need the ring from
before it.`,
		Example: "  bole keys retire", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				_, total, err := h.sealedBy(ctx)
				if err != nil {
					return err
				}
				retired := []string{}
				if err := h.db.Tx(ctx, func(tx *sql.Tx) error {
					gone, err := seal.Retire(a.keysDir(), total) // of a transaction that runs again, none are left to go
					if err != nil {
						return err
					}
					for _, id := range gone {
						retired = append(retired, id.String())
					}
					for _, id := range retired {
						if err := a.write(ctx, tx, audit.Record{Action: "retire", Kind: "key", Object: id, Before: []audit.Field{{Name: "in_ring", Value: audit.Bool(true)}},
							After: []audit.Field{{Name: "in_ring", Value: audit.Bool(false)}}}); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					return err
				}
				return a.answer(map[string]any{"retired": retired}, func(w io.Writer) {
					for _, id := range retired {
						printf("%s\n", id)(w)
					}
				})
			})
		},
	}
}
