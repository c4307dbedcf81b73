package store

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"
)

func TestOpenTwiceAndRollBack(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a b#?%.db")
	for range 2 {
		db, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		no := errors.New("no")
		if err := db.Tx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.Exec(`INSERT INTO lake_generation (id, at, note) VALUES ($1, $2, $3)`, 1, 0, "x"); err != nil {
				return err
			}
			return no
		}); err != no {
			t.Fatalf("got %v, want the function's own error", err)
		}
		var n int
		if err := db.QueryRow(`SELECT count(*) FROM lake_generation`).Scan(&n); err != nil || n != 0 {
			t.Fatalf("%d generations after a rollback, %v", n, err)
		}
		db.Close()
	}
}
