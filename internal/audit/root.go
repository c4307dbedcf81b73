package audit

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/seal"
)

// rootFile is the name of the file of roots: one a line, "day seq hash signature", only ever added to.
const rootFile = "audit-roots"

// root is the hash of the chain as it stood at the end of a day.
type root struct {
	day       calendar.Day
	seq       int64
	hash      string // hex
	signature string // of signed(), hex
	readable  bool
}

// signed is what the signature of a root is of. The first line says of what kind the text is, so that no signature serves for another thing.
func (r root) signed() []byte {
	return fmt.Appendf(nil, "bole audit root\n%s %d %s", r.day, r.seq, r.hash)
}

func (r root) line() string {
	return fmt.Sprintf("%s %d %s %s\n", r.day, r.seq, r.hash, r.signature)
}

// parseRoot reads a line; one that is not written exactly as line writes it is not readable.
func parseRoot(line string) (r root) {
	var day string
	if _, err := fmt.Sscanf(line, "%s %d %s %s\n", &day, &r.seq, &r.hash, &r.signature); err != nil {
		return root{}
	}
	r.day, _ = calendar.Parse(day)
	r.readable = r.line() == line
	return r
}

// readRoots reads the file of roots, in its order; none where there is no file.
func (l *Log) readRoots() (roots []root, err error) {
	f, err := os.Open(filepath.Join(l.roots, rootFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	in := bufio.NewReader(f)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			roots = append(roots, parseRoot(line))
		}
		if err == io.EOF {
			return roots, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

// rootDue writes the root of the days before, when the chain has records of none but those and no root has its end yet.
func (l *Log) rootDue(ctx context.Context) error {
	today := calendar.DayOf(l.now())
	var seq, micros int64
	var hash []byte
	err := l.db.QueryRowContext(ctx, `SELECT s.seq, s.hash, r.at FROM audit_seal s JOIN audit_record r ON r.id = s.record ORDER BY s.seq DESC LIMIT 1`).Scan(&seq, &hash, &micros)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	day := calendar.DayOf(time.UnixMicro(micros).In(l.now().Location()))
	if day >= today {
		return nil
	}
	roots, err := l.readRoots()
	if err != nil || len(roots) > 0 && roots[len(roots)-1].seq >= seq {
		return err
	}
	return l.addRoot(root{day: day, seq: seq, hash: hex.EncodeToString(hash)})
}

// Root signs the end of the chain as it is now, under today's date, for whoever is about to rely on it.
func (l *Log) Root(ctx context.Context) error {
	w, err := head(ctx, l.db)
	if err != nil || w.seq == 0 {
		return fault.Wrap("audit.Root", err)
	}
	return fault.Wrap("audit.Root", l.addRoot(root{day: calendar.DayOf(l.now()), seq: w.seq, hash: hex.EncodeToString(w.last[:])}))
}

// addRoot signs a root and adds it to the file. Two processes may add the same one, which says the same twice.
func (l *Log) addRoot(r root) (err error) {
	if r.signature, err = l.signer.Sign(r.signed()); err != nil {
		return err
	}
	name := filepath.Join(l.roots, rootFile)
	_, err = os.Stat(name)
	fresh := errors.Is(err, fs.ErrNotExist)
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, strings.NewReader(r.line())) // one write: lines of two processes do not mix
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil || !fresh {
		return err
	}
	d, err := os.Open(l.roots)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ours reports whether a root can be read and was signed with a key.
func (r root) ours(public string) bool {
	return r.readable && seal.Signed(public, r.signed(), r.signature)
}
