package vault

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"testing"

	"bole/internal/seal"
	"bole/internal/store"
)

func open(t *testing.T) (*Vault, *store.DB, string) {
	t.Helper()
	dir := t.TempDir()
	db, err := store.Open(t.Context(), filepath.Join(dir, "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := seal.Create(filepath.Join(dir, "keys"), "sm"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return Open(db, keys), db, dir
}

func TestHoldersAreSealedAndFoundAgain(t *testing.T) {
	v, db, dir := open(t)
	ctx := t.Context()
	r, err := v.Resolver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	lost := r.Holder(Record{Number: "11010519491231002X", Name: "未存"}, false)
	if err := r.Refresh(ctx); err != nil { // the load failed: nothing was saved
		t.Fatal(err)
	}
	rec := Record{Number: "110105194912310038", Name: "植名甲", Phone: "10012345678"}
	id := r.Holder(rec, true)
	if id != lost {
		t.Errorf("an id was used up by a load that failed: %d after %d", id, lost)
	}
	if again := r.Holder(rec, false); again != id {
		t.Errorf("the same number names %d and %d", id, again)
	}
	if err := db.Tx(ctx, func(tx *sql.Tx) error { return r.Save(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	r.Saved()
	r2, err := v.Resolver(ctx)
	if err != nil {
		t.Fatal(err)
	}
	rec.Name = "植名乙"
	if got := r2.Holder(rec, true); got != id || r2.Added() != 0 {
		t.Errorf("found %d again as %d", id, got)
	}
	if err := db.Tx(ctx, func(tx *sql.Tx) error { return r2.Save(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
	if got, err := v.Unseal(ctx, id); err != nil || got != rec {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{rec.Number, "植名", rec.Phone} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the database holds a personal datum in clear")
		}
	}
}
