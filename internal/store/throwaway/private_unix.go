//go:build unix

package throwaway

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// socketRoom is how long the name of a folder may be that a Unix socket lies in.
const socketRoom = 80

// supervise runs the database until its standard input closes. $1 is the folder; the rest is the command.
const supervise = `dir=$1; shift
"$@" >"$dir/log" 2>&1 </dev/null &
server=$!
while read -r line; do :; done
kill -QUIT $server 2>/dev/null
wait $server
rm -rf "$dir"`

// start makes a private server.
func start(ctx context.Context, bin string, o Options) (_ *Server, err error) {
	parent := os.TempDir()
	if len(parent) > socketRoom {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, "bole-postgres-")
	if err != nil {
		return nil, err
	}
	attr, err := ordinary(dir)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	data := filepath.Join(dir, "data")
	initdb := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", data, "-U", "bole", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	initdb.SysProcAttr, initdb.Dir = attr, dir
	if said, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w: %s", err, bytes.TrimSpace(said)), os.RemoveAll(dir))
	}
	args := []string{"-c", supervise, "supervise", dir, filepath.Join(bin, "postgres"), "-D", data, "-k", dir, "-c", "listen_addresses="}
	if !o.Durable {
		args = append(args, "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	}
	sh := exec.Command("/bin/sh", args...)
	sh.SysProcAttr, sh.Dir = attr, dir
	hold, err := sh.StdinPipe()
	if err == nil {
		err = sh.Start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s := &Server{
		address: url.URL{Scheme: "postgres", User: url.User("bole"), Path: "/postgres", RawQuery: url.Values{"host": {dir}}.Encode()},
		stop: func() error {
			err := hold.Close()
			_ = sh.Wait() // it ends with the code of whatever it removed last
			return err
		},
	}
	if err := s.wait(ctx); err != nil {
		log, _ := os.ReadFile(filepath.Join(dir, "log"))
		return nil, errors.Join(fmt.Errorf("%w: %s", err, bytes.TrimSpace(log)), s.stop())
	}
	return s, nil
}

// ordinary gives the folder to a user that PostgreSQL accepts, and answers how to start a process as that one. The process gets a
// group of its own, so that an interrupt from the keyboard does not stop the supervisor before its work.
func ordinary(dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setpgid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		if u, err = user.Lookup("nobody"); err != nil {
			return nil, err
		}
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, errors.Join(err1, err2, os.Chown(dir, int(uid), int(gid)))
}

// wait returns when the server answers, or after half a minute.
func (s *Server) wait(ctx context.Context) error {
	db, err := sql.Open("pgx", s.address.String())
	if err != nil {
		return err
	}
	defer db.Close()
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		err := db.PingContext(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}
