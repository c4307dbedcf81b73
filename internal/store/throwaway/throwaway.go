package throwaway

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"bole/internal/fault"
	_ "github.com/jackc/pgx/v5/stdlib" // the database/sql driver "pgx"
)

// Server is a PostgreSQL in which databases can be made and thrown away.
type Server struct {
	address url.URL // of a database that is there
	stop    func() error
}

// Options say how a private server runs.
type Options struct {
	Durable bool // writes reach the disk before a commit returns, as in production; a benchmark wants it and a test does not
}

// Start finds a server or starts one. Close it.
//
// Errors: NotFound "store.no_postgres" when there is none to start; Invalid "store.postgres_address" when BOLE_POSTGRES is no address.
func Start(ctx context.Context, o Options) (*Server, error) {
	if given := os.Getenv("BOLE_POSTGRES"); given != "" {
		u, err := url.Parse(given)
		if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
			return nil, fault.New("throwaway.Start", fault.Invalid, "store.postgres_address")
		}
		return &Server{*u, func() error { return nil }}, nil
	}
	bin, ok := binaries()
	if !ok {
		return nil, fault.New("throwaway.Start", fault.NotFound, "store.no_postgres")
	}
	s, err := start(ctx, bin, o)
	return s, fault.Wrap("throwaway.Start", err)
}

// binaries is the folder with initdb and postgres: the newest of Debian's, or one on the PATH.
func binaries() (string, bool) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	slices.SortFunc(found, func(a, b string) int { // 9 before 15
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return -slices.Compare([]byte(a), []byte(b))
	})
	if len(found) > 0 {
		return filepath.Dir(found[0]), true
	}
	onPath, err := exec.LookPath("initdb")
	return filepath.Dir(onPath), err == nil
}

// Database makes an empty database and answers its address; drop removes it, whoever is still in it.
func (s *Server) Database(ctx context.Context) (dsn string, drop func() error, err error) {
	db, err := sql.Open("pgx", s.address.String())
	if err != nil {
		return "", nil, fault.Wrap("throwaway.Database", err)
	}
	random := make([]byte, 8)
	rand.Read(random)
	name := "bole_" + hex.EncodeToString(random)
	if _, err := db.ExecContext(ctx, `CREATE DATABASE `+name+` TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'`); err != nil {
		return "", nil, fault.Wrap("throwaway.Database", errors.Join(err, db.Close()))
	}
	own := s.address
	own.Path = "/" + name
	return own.String(), func() error {
		_, err := db.Exec(`DROP DATABASE ` + name + ` WITH (FORCE)`)
		return fault.Wrap("throwaway.Database", errors.Join(err, db.Close()))
	}, nil
}

// Close stops a private server and removes what it left; of a server that ran before it leaves the databases that were not dropped.
func (s *Server) Close() error { return fault.Wrap("throwaway.Close", s.stop()) }
