package store

import (
	"context"
	"database/sql"
	"embed"
	"io/fs"
	"net/url"
	"time"

	"bole/internal/fault"
	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // the database/sql driver "sqlite"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the office's database.
type DB struct{ *sql.DB }

// Open opens (or makes) the SQLite file at path and migrates it. Only one process writes at a time; the others wait up to ten seconds.
func Open(ctx context.Context, path string) (*DB, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "foreign_keys(ON)", "synchronous(FULL)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, fault.Wrap("store.Open", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err == nil {
		var p *goose.Provider
		if p, err = goose.NewProvider(goose.DialectSQLite3, db, files); err == nil {
			_, err = p.Up(ctx)
		}
	}
	if err != nil {
		db.Close()
		return nil, fault.Wrap("store.Open", err)
	}
	return &DB{db}, nil
}

// Tx runs f in a transaction that takes the write lock at once, and commits it when f returns nil.
func (db *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return fault.Wrap("store.Tx", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := f(tx); err != nil {
		return err
	}
	return fault.Wrap("store.Tx", tx.Commit())
}

// Micros is an instant as the tables keep it.
func Micros(t time.Time) int64 { return t.UnixMicro() }
