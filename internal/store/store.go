package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"strings"
	"time"

	"bole/internal/fault"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite" // also the database/sql driver "sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is the office's database.
type DB struct {
	*sql.DB
	postgres bool
}

// Postgres reports whether a text names a PostgreSQL database (postgres://user@host/name) and not the path of a SQLite file.
func Postgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

// Open opens a database and migrates it: a PostgreSQL one by its address, which must be there, or a SQLite file by its path, which is
// made where it is missing. Of a SQLite file only one process writes at a time; the others wait up to ten seconds.
//
// Errors: Upstream "store.unreachable" when no PostgreSQL answers at the address; Invalid "store.postgres_old" before PostgreSQL 15.
func Open(ctx context.Context, dsn string) (db *DB, err error) {
	if Postgres(dsn) {
		db, err = openPostgres(ctx, dsn)
	} else {
		db, err = openSQLite(ctx, dsn)
	}
	return db, fault.Wrap("store.Open", err)
}

// openSQLite has 64 MB of a big file's pages in memory, since the index of the vault is written all over. Its temporary tables stay in memory: there is
// no folder but the home in which anything of the office may lie.
func openSQLite(ctx context.Context, path string) (*DB, error) {
	q := url.Values{"_pragma": {"journal_mode(WAL)", "busy_timeout(10000)", "foreign_keys(ON)", "synchronous(FULL)", "cache_size(-65536)", "temp_store(MEMORY)"}, "_txlock": {"immediate"}}
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	if err := migrate(ctx, db, goose.DialectSQLite3); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{DB: db}, nil
}

const (
	connections   = 20     // of the hundred that a PostgreSQL grants by default
	oldestVersion = 150000 // as server_version_num tells it
	migrateLock   = 0x626f6c65
)

func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	cfg, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, unreachable(nil) // the cause would quote the address
	}
	db := stdlib.OpenDB(*cfg)
	db.SetMaxOpenConns(connections)
	if err := migratePostgres(ctx, db); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return &DB{DB: db, postgres: true}, nil
}

func unreachable(cause error) error {
	e := fault.New("store.openPostgres", fault.Upstream, "store.unreachable")
	e.Err = cause
	return e
}

// migratePostgres lets one process at a time bring the tables up to date, by a lock that ends with the connection that holds it.
func migratePostgres(ctx context.Context, db *sql.DB) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return unreachable(err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	var version int
	if err := conn.QueryRowContext(ctx, `SELECT CAST(current_setting('server_version_num') AS INTEGER)`).Scan(&version); err != nil {
		return err
	}
	if version < oldestVersion {
		return fault.New("store.openPostgres", fault.Invalid, "store.postgres_old", "version", version/10000)
	}
	if _, err := conn.ExecContext(ctx, `SELECT pg_advisory_lock($1)`, migrateLock); err != nil {
		return err
	}
	defer func() {
		_, e := conn.ExecContext(context.WithoutCancel(ctx), `SELECT pg_advisory_unlock($1)`, migrateLock)
		err = errors.Join(err, e)
	}()
	if _, err := conn.ExecContext(ctx, `DO $$ BEGIN CREATE DOMAIN blob AS bytea; EXCEPTION WHEN duplicate_object THEN NULL; END $$`); err != nil {
		return err
	}
	return migrate(ctx, db, goose.DialectPostgres)
}

// otherDialect ends the names of the migrations that are not for a dialect. Two files with one number, one for each, stand where no text serves both.
var otherDialect = map[goose.Dialect]string{goose.DialectSQLite3: "postgres", goose.DialectPostgres: "sqlite"}

func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	others, err := fs.Glob(files, "*_"+otherDialect[dialect]+".sql")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db, files, goose.WithExcludeNames(others))
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Tx runs f in a transaction of its own and commits it when f returns nil; an error of f is returned as it is and nothing is kept.
// Transactions come out as if one had run after the other. On SQLite they do run so: the write lock is taken at the beginning. On
// PostgreSQL one that another got in the way of is run again from the start, so f may run several times: what it changes beside the
// database it must set anew each time.
//
// Errors: Conflict "store.contended" when others got in the way too often, or held SQLite's write lock for longer than ten seconds.
func (db *DB) Tx(ctx context.Context, f func(*sql.Tx) error) error {
	const tries = 12 // the last waits end after some six seconds
	for try := range tries {
		err := db.in(ctx, sql.LevelSerializable, f)
		if !db.again(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return fault.Wrap("store.Tx", ctx.Err())
		case <-time.After(time.Duration(rand.Int64N(int64(2*time.Millisecond) << try))):
		}
	}
	return fault.New("store.Tx", fault.Conflict, "store.contended")
}

// in runs f once, in a transaction of its own.
func (db *DB) in(ctx context.Context, level sql.IsolationLevel, f func(*sql.Tx) error) error {
	var o *sql.TxOptions // SQLite has one kind of transaction
	if db.postgres {
		o = &sql.TxOptions{Isolation: level}
	}
	tx, err := db.BeginTx(ctx, o)
	var busy *sqlite.Error
	if errors.As(err, &busy) && busy.Code() == sqlite3.SQLITE_BUSY {
		return fault.New("store.Tx", fault.Conflict, "store.contended")
	}
	if err != nil {
		return fault.Wrap("store.Tx", err)
	}
	defer tx.Rollback() // after a commit this does nothing
	if err := f(tx); err != nil {
		return err
	}
	return fault.Wrap("store.Tx", tx.Commit())
}

// Race runs f once in a transaction that is not serializable: what must hold among several of them is a unique key's work. lost is whether another
// took such a key first; then nothing is kept and that is no error. A serializable transaction that reads what everybody writes, as the sealer of the log
// does once a second, would have PostgreSQL run everybody else's again.
func (db *DB) Race(ctx context.Context, f func(*sql.Tx) error) (lost bool, err error) {
	err = db.in(ctx, sql.LevelReadCommitted, f)
	if taken(err) {
		return true, nil
	}
	return false, err
}

// taken reports whether a unique key had been taken by another.
func taken(err error) bool {
	var p *pgconn.PgError
	if errors.As(err, &p) {
		return p.Code == "23505"
	}
	var s *sqlite.Error
	return errors.As(err, &s) && (s.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY || s.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE)
}

// again reports whether PostgreSQL gave a transaction up only because of another: serialization_failure, deadlock_detected.
func (db *DB) again(err error) bool {
	var e *pgconn.PgError
	return db.postgres && errors.As(err, &e) && (e.Code == "40001" || e.Code == "40P01")
}

// Micros is an instant as the tables keep it.
func Micros(t time.Time) int64 { return t.UnixMicro() }
