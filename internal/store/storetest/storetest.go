package storetest

import (
	"context"
	"path/filepath"
	"sync"
	"testing"

	"bole/internal/fault"
	"bole/internal/store"
	"bole/internal/store/throwaway"
)

// databases are the two, by the names of their subtests, and how a test gets the address of an empty one.
var databases = []struct {
	name  string
	empty func(testing.TB) string
}{{"SQLite", SQLite}, {"PostgreSQL", Postgres}}

// Each runs f on each database, as a subtest named for it. open opens the subtest's database, a further handle each time, as a further
// process would; all are closed when the subtest ends.
func Each(t *testing.T, f func(t *testing.T, open func() *store.DB)) {
	EachAddress(t, func(t *testing.T, dsn string) {
		f(t, func() *store.DB { return Open(t, dsn) })
	})
}

// EachAddress is Each for tests that open the database themselves, or let another process open it.
func EachAddress(t *testing.T, f func(t *testing.T, dsn string)) {
	for _, d := range databases {
		t.Run(d.name, func(t *testing.T) { f(t, d.empty(t)) })
	}
}

// Open opens a database for as long as the test runs.
func Open(t testing.TB, dsn string) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// SQLite is the path of a database file yet to be made.
func SQLite(t testing.TB) string { return filepath.Join(t.TempDir(), "office.db") }

// server is the one of this process. Nobody closes it: it ends with the process.
var server = sync.OnceValues(func() (*throwaway.Server, error) {
	return throwaway.Start(context.Background(), throwaway.Options{})
})

// Postgres is the address of an empty database, dropped when the test ends. Where there is no PostgreSQL the test is skipped.
func Postgres(t testing.TB) string {
	t.Helper()
	s, err := server()
	if fault.KindOf(err) == fault.NotFound && err != nil {
		t.Skip("no PostgreSQL here: install the package postgresql, or name one in BOLE_POSTGRES")
	}
	if err != nil {
		t.Fatal(err)
	}
	dsn, drop, err := s.Database(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := drop(); err != nil {
			t.Error(err)
		}
	})
	return dsn
}
