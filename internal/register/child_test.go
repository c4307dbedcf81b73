package register

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/vault"
	"bole/packs"
)

// errand is what a child process does: this very binary, run again. A test that kills a process, fills a disk or measures memory needs one of its own.
type errand struct {
	Do       string // which of errands
	Home     string
	Files    []string // to load, one after the other
	Register string
	Received calendar.Day
	Step     string   // the step at which it kills itself; "" for none
	Rejects  string   // the workbook of rejected rows; "" for none
	Memory   int      // of DuckDB, in MB; 0 for as little as will do
	Scratch  string   // an empty folder
	Disk     string   // the part of the home in Scratch that lies on a small disk: a folder, or "." for all; "" for none
	Steps    []string // at which that becomes full
	Growth   int64    // by how many hundredths it takes more from trial to trial
}

var errands = map[string]func(context.Context, errand) error{"load": loadErrand, "full": fullErrand, "mount": mountErrand}

const errandVariable = "BOLE_TEST_ERRAND"

func TestMain(m *testing.M) {
	text, is := os.LookupEnv(errandVariable)
	if !is {
		os.Exit(m.Run())
	}
	var e errand
	err := json.Unmarshal([]byte(text), &e)
	if err == nil {
		err = errands[e.Do](context.Background(), e)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// command is the child process for an errand, not yet started.
func command(t *testing.T, e errand) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), self)
	c.Env = append(os.Environ(), errandVariable+"="+string(text))
	return c
}

// place is an opened home.
type place struct {
	*Desk
	dir  string
	done func(Report) // told each load; may be nil
}

// openHome opens a home in dir that newOffice made. now is the clock of its lease.
func openHome(ctx context.Context, dir string, memory int, now func() time.Time) (*place, error) {
	p, err := townPack()
	if err != nil {
		return nil, err
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		return nil, err
	}
	db, err := store.Open(ctx, filepath.Join(dir, "office", "office.db"))
	if err != nil {
		return nil, err
	}
	l, err := lake.Open(filepath.Join(dir, "lake"), db, columnar.Config{MemoryMB: cmp.Or(memory, 100), Threads: 2, TempDir: filepath.Join(dir, "tmp")}, now)
	if err != nil {
		return nil, err
	}
	return &place{&Desk{Pack: p, Store: db, Lake: l, Vault: vault.Open(db, keys).In(filepath.Join(dir, "tmp")), Files: files.Open(filepath.Join(dir, "files"), keys)}, dir, nil}, nil
}

// makeHome makes an empty home. What a full disk may hit lies in a folder each: office, lake, files and tmp.
func makeHome(dir string) error {
	for _, folder := range []string{"office", "lake", "files", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return err
		}
	}
	return seal.Create(filepath.Join(dir, "keys"), "aes")
}

// copied is a copy of a home.
func copied(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := copyHome(dir, to); err != nil {
		t.Fatal(err)
	}
	return to
}

// copyHome copies a home, and keeps it its owner's.
func copyHome(from, to string) error {
	return filepath.WalkDir(from, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(to, strings.TrimPrefix(name, from))
		if d.IsDir() {
			return os.MkdirAll(target, 0o700)
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		return os.WriteFile(target, b, 0o600)
	})
}

// townPack is the shipped pack, with a register more in which a row may have two numbers of one person.
func townPack() (*pack.Pack, error) {
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		return nil, err
	}
	const renumbered = `register: renumbered
title: {zh: 换号登记, en: Changes of number}
owner: {zh: 公安, en: Police}
basis: {zh: 测试, en: a test}
about: person
mode: append
key: [id_number]
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: person_name, title: {zh: 姓名, en: Name}, type: person_name, class: personal, required: true}
  - {name: old_number, title: {zh: 原号码, en: Old number}, type: id_number, kind: old_kind, class: alias}
  - {name: old_kind, title: {zh: 原证件类型, en: Kind of the old document}, type: code, codes: id_kind, class: code}
`
	const kinds = `codes: id_kind
title: {zh: 证件类型, en: Kind of identity document}
source: a test
items:
  - {code: passport, zh: 护照, en: passport}
`
	whole := fstest.MapFS{"registers/renumbered.yaml": {Data: []byte(renumbered)}, "codes/id_kind.yaml": {Data: []byte(kinds)}}
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(sub, name)
		whole[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		return nil, err
	}
	return pack.Load(whole, packs.Files)
}

// loadErrand loads files. It says "loading" when all is open, for whoever wants to kill it meanwhile, and in the end how much memory it had, and how many
// rows.
func loadErrand(ctx context.Context, e errand) error {
	h, err := openHome(ctx, e.Home, e.Memory, time.Now)
	if err != nil {
		return err
	}
	defer h.Store.Close()
	h.Step = func(name string) {
		if name == e.Step {
			killSelf()
		}
	}
	fmt.Println("loading")
	rows := int64(0)
	h.done = func(rep Report) { rows += rep.Rows }
	if err := h.loadAll(ctx, e); err != nil {
		return err
	}
	mb, err := peak()
	fmt.Printf("%d MB, %d rows\n", mb, rows)
	return err
}

func (h *place) loadAll(ctx context.Context, e errand) error {
	for _, path := range e.Files {
		in := Delivery{Register: e.Register, Path: path, Received: e.Received, At: time.Unix(1, 0)}
		if e.Rejects != "" {
			in.Rejects = &Rejects{Path: e.Rejects}
		}
		rep, err := h.Load(ctx, in)
		if err != nil {
			return err
		}
		if h.done != nil {
			h.done(rep)
		}
		if in.Rejects != nil {
			if e.Step == "handing" { // after Steps: the workbook is about to be written
				killSelf()
			}
			if err := in.Rejects.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// holdings is all that a home holds, as text by which two homes are compared: every row of the office's database, with the people unsealed, every row
// of the lake's files that the manifest names, and every rejected row, unsealed. What comes of clocks, of chance and of the lease's token is left out.
func (h *place) holdings(ctx context.Context) (string, error) {
	var out strings.Builder
	tables, err := h.texts(ctx, h.Store.DB, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' AND name <> 'lake_lease' ORDER BY name`)
	if err != nil {
		return "", err
	}
	for _, table := range tables {
		if err := h.table(ctx, &out, table); err != nil {
			return "", fmt.Errorf("%s: %w", table, err)
		}
	}
	if err := h.lakeRows(ctx, &out); err != nil {
		return "", err
	}
	blobs, err := h.texts(ctx, h.Store.DB, `SELECT DISTINCT rejects FROM register_delivery WHERE rejects <> '' ORDER BY rejects`)
	if err != nil {
		return "", err
	}
	for _, sum := range blobs {
		if err := h.kept(sum, func(_ []string, x *handed) error { fmt.Fprintf(&out, "rejected %+v\n", *x); return nil }); err != nil {
			return "", err
		}
	}
	return out.String(), nil
}

// table writes a table of the office's database.
func (h *place) table(ctx context.Context, out *strings.Builder, table string) error {
	rows, err := h.Store.QueryContext(ctx, "SELECT * FROM "+table)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	var lines []string
	values, into := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		line := table
		for i, c := range columns {
			switch {
			case c == "sealed" && table == "vault_holder":
				rec, err := h.Vault.Unseal(ctx, values[0].(int64))
				if err != nil {
					return err
				}
				line += fmt.Sprintf(" %+v", rec)
			case strings.HasPrefix(table, "lake_") && slices.Contains([]string{"path", "bytes", "at"}, c), c == "sealed":
			case strings.HasPrefix(table, "audit_") && slices.Contains([]string{"id", "record"}, c): // random
			default:
				line += fmt.Sprintf(" %s=%v", c, values[i])
			}
		}
		lines = append(lines, line)
	}
	slices.Sort(lines)
	out.WriteString(strings.Join(append(lines, ""), "\n"))
	return rows.Err()
}

// lakeRows writes the rows of the lake's files.
func (h *place) lakeRows(ctx context.Context, out *strings.Builder) error {
	s, err := h.Lake.Read(ctx, 0)
	if err != nil {
		return err
	}
	defer s.Close()
	paths, err := h.texts(ctx, h.Store.DB, `SELECT path FROM lake_file ORDER BY tbl, added, seq, path`)
	if err != nil {
		return err
	}
	for _, path := range paths {
		lines, err := h.texts(ctx, s.DB.DB, `SELECT CAST(f AS VARCHAR) AS line FROM read_parquet('`+filepath.Join(h.dir, "lake", path)+`') f ORDER BY line`)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "%s: %s\n", filepath.Dir(path), strings.Join(lines, "\n  "))
	}
	return nil
}

// leftovers is what lies on the disk of a home, as text: how many files the lake has, what the sealed store and the folder for temporary files have.
func (h *place) leftovers() (string, error) {
	var out []string
	parquet := 0
	for _, folder := range []string{"files", "lake", "tmp"} {
		err := fs.WalkDir(os.DirFS(h.dir), folder, func(name string, d fs.DirEntry, err error) error {
			switch {
			case err != nil || name == folder:
			case folder == "lake" && !d.IsDir():
				parquet++
			case folder != "lake":
				out = append(out, name)
			}
			return err
		})
		if err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%d files in the lake\n%s", parquet, strings.Join(out, "\n")), nil
}

type queryer interface {
	QueryContext(context.Context, string, ...any) (*sql.Rows, error)
}

// texts reads a query of one column.
func (h *place) texts(ctx context.Context, db queryer, query string) (out []string, err error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// difference is the lines of two texts that only one of them has.
func difference(a, b string) string {
	var out []string
	for _, side := range []struct{ mark, mine, other string }{{"-", a, b}, {"+", b, a}} {
		have := map[string]bool{}
		for line := range strings.Lines(side.other) {
			have[line] = true
		}
		for line := range strings.Lines(side.mine) {
			if !have[line] {
				out = append(out, side.mark+strings.TrimRight(line, "\n"))
			}
		}
	}
	return strings.Join(out[:min(len(out), 20)], "\n")
}

// readAll reads a sealed file to its end.
func (h *place) readAll(sum string) error {
	r, err := h.Files.Open(sum)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	if e := r.Close(); err == nil {
		err = e
	}
	return err
}
