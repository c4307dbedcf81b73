package store_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"bole/internal/fault"
	"bole/internal/store"
	"bole/internal/store/storetest"
)

func TestOpenTwiceAndRollBack(t *testing.T) {
	storetest.EachAddress(t, func(t *testing.T, dsn string) {
		if !store.Postgres(dsn) {
			dsn = filepath.Join(t.TempDir(), "a b#?%.db")
		}
		for range 2 {
			db, err := store.Open(t.Context(), dsn)
			if err != nil {
				t.Fatal(err)
			}
			no := errors.New("no")
			if err := db.Tx(t.Context(), func(tx *sql.Tx) error {
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
	})
}

func TestManyOpenAnEmptyDatabaseAtOnce(t *testing.T) {
	storetest.EachAddress(t, func(t *testing.T, dsn string) {
		if !store.Postgres(dsn) {
			storetest.Open(t, dsn) // a SQLite home is made by one process, bole init
		}
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				db, err := store.Open(t.Context(), dsn)
				if err != nil {
					t.Error(err)
					return
				}
				db.Close()
			})
		}
		wg.Wait()
	})
}

// Each transaction reads all rows and adds one more than it read. Run one after the other, the n-th adds n.
func TestTransactionsRunAsIfOneAfterTheOther(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		const writers, each = 4, 5
		handles := []*store.DB{open(), open()}
		var wg sync.WaitGroup
		for i := range writers {
			wg.Go(func() {
				for range each {
					err := handles[i%2].Tx(t.Context(), func(tx *sql.Tx) error {
						var n int64
						if err := tx.QueryRow(`SELECT count(*) FROM lake_generation`).Scan(&n); err != nil {
							return err
						}
						_, err := tx.Exec(`INSERT INTO lake_generation (id, at, note) VALUES ($1, $2, 'x')`, 1000*i+int(n), n)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		wg.Wait()
		var rows, different, highest int
		if err := handles[0].QueryRow(`SELECT count(*), count(DISTINCT at), max(at) FROM lake_generation`).Scan(&rows, &different, &highest); err != nil {
			t.Fatal(err)
		}
		if rows != writers*each || different != rows || highest != rows-1 {
			t.Errorf("%d rows, %d different, up to %d; want %d of them, all different", rows, different, highest, writers*each)
		}
	})
}

func TestBytesGoInAndComeOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		want := []byte{0, 1, 0xff, '\\', 'x'}
		if _, err := db.Exec(`INSERT INTO vault_index (kind, idx, holder) VALUES ('none', $1, 1)`, want); err == nil {
			t.Error("an index entry of no holder was taken: foreign keys are off")
		}
		if _, err := db.Exec(`INSERT INTO vault_holder (id, sealed) VALUES ($1, $2)`, 1, want); err != nil {
			t.Fatal(err)
		}
		var got, part []byte
		if err := db.QueryRow(`SELECT sealed, substr(sealed, 2, 2) FROM vault_holder WHERE sealed = $1`, want).Scan(&got, &part); err != nil {
			t.Fatal(err)
		}
		if string(got) != string(want) || string(part) != string(want[1:3]) {
			t.Errorf("got %x and %x of %x", got, part, want)
		}
	})
}

func TestAnUnreachableDatabaseIsSaidSo(t *testing.T) {
	for _, dsn := range []string{"postgres://bole:secret@127.0.0.1:1/bole", "postgres://bole:secret@127.0.0.1:notaport/bole"} {
		_, err := store.Open(t.Context(), dsn)
		if fault.KindOf(err) != fault.Upstream {
			t.Errorf("%v", err)
		}
	}
}
