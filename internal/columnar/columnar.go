package columnar

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"bole/internal/fault"
	"github.com/duckdb/duckdb-go/v2"
)

// Config says what an instance may use.
type Config struct {
	MemoryMB int    // defaults to 1024
	Threads  int    // defaults to the number of processors
	TempDir  string // folder under which the instance makes its own; defaults to the system's
}

// DB is one instance.
type DB struct {
	*sql.DB
	temp string
}

// Open starts an instance.
func Open(cfg Config) (*DB, error) {
	if cfg.MemoryMB == 0 {
		cfg.MemoryMB = 1024
	}
	if cfg.Threads == 0 {
		cfg.Threads = runtime.NumCPU()
	}
	if cfg.TempDir != "" {
		if err := os.MkdirAll(cfg.TempDir, 0o700); err != nil {
			return nil, fault.Wrap("columnar.Open", err)
		}
	}
	sweep(cfg.TempDir)
	temp, err := os.MkdirTemp(cfg.TempDir, fmt.Sprintf("duckdb-%d-", os.Getpid()))
	if err != nil {
		return nil, fault.Wrap("columnar.Open", err)
	}
	c, err := duckdb.NewConnector("", func(conn driver.ExecerContext) error {
		for _, q := range []string{
			fmt.Sprintf("SET memory_limit='%dMB'", cfg.MemoryMB),
			fmt.Sprintf("SET threads=%d", cfg.Threads),
			"SET temp_directory='" + temp + "'",
			"SET preserve_insertion_order=false",
			"SET TimeZone='UTC'",
			"SET autoinstall_known_extensions=false",
			"SET autoload_known_extensions=false",
		} {
			if _, err := conn.ExecContext(context.Background(), q, nil); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fault.Wrap("columnar.Open", err)
	}
	return &DB{sql.OpenDB(c), temp}, nil
}

// sweep removes the folders of processes that are no longer there: what one that was killed left behind. A folder that cannot be removed is
// the next start's.
func sweep(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, "duckdb-*-*"))
	for _, name := range left {
		var pid int
		if _, err := fmt.Sscanf(filepath.Base(name), "duckdb-%d-", &pid); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			_ = os.RemoveAll(name)
		}
	}
}

// Close ends the instance and removes its folder.
func (db *DB) Close() error {
	err := db.DB.Close()
	if e := os.RemoveAll(db.temp); err == nil {
		err = e
	}
	return err
}

// Appender adds rows to a table of one connection, fast.
type Appender struct{ *duckdb.Appender }

// Append runs fill with an appender for a table; the rows are there when it returns. Values are int64 and smaller ints, string, bool,
// time.Time for dates, or nil.
func Append(ctx context.Context, conn *sql.Conn, table string, fill func(Appender) error) error {
	err := conn.Raw(func(raw any) error {
		a, err := duckdb.NewAppenderFromConn(raw.(driver.Conn), "", table)
		if err != nil {
			return err
		}
		err = fill(Appender{a})
		if e := a.Close(); err == nil {
			err = e
		}
		return err
	})
	return fault.Wrap("columnar.Append", err)
}

// Row reads a query of one row.
func Row(ctx context.Context, db interface {
	QueryRowContext(context.Context, string, ...any) *sql.Row
}, query string, into ...any) error {
	return fault.Wrap("columnar.Row", db.QueryRowContext(ctx, query).Scan(into...))
}

// Quote writes names of columns or tables as SQL takes any name, parted by commas.
func Quote(names ...string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = `"` + strings.ReplaceAll(n, `"`, `""`) + `"`
	}
	return strings.Join(out, ", ")
}
