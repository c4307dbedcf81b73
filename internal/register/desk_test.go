package register

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	"bole/internal/store/storetest"
	"bole/internal/vault"
	"bole/packs"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// office is a desk in a home of its own.
type office struct {
	*Desk
	t   testing.TB
	dir string
}

func newOffice(t testing.TB, p *pack.Pack) *office {
	t.Helper()
	return officeOn(t, p, storetest.SQLite(t))
}

// officeOn is an office whose database is the one named.
func officeOn(t testing.TB, p *pack.Pack, dsn string) *office {
	t.Helper()
	dir := t.TempDir()
	if err := seal.Create(filepath.Join(dir, "keys"), "aes"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	db := storetest.Open(t, dsn)
	l, err := lake.Open(filepath.Join(dir, "lake"), db, columnar.Config{MemoryMB: 300, Threads: 2, TempDir: filepath.Join(dir, "tmp")}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &office{&Desk{Pack: p, Store: db, Lake: l, Vault: vault.Open(db, keys).In(filepath.Join(dir, "tmp")), Files: files.Open(filepath.Join(dir, "files"), keys)}, t, dir}
}

// liaocheng is the shipped pack.
func liaocheng(t testing.TB) *pack.Pack {
	t.Helper()
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		t.Fatal(err)
	}
	return loaded(t, sub)
}

func loaded(t testing.TB, fsys fs.FS) *pack.Pack {
	t.Helper()
	p, err := pack.Load(fsys, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// small is a pack of one register with the declaration given.
func small(t *testing.T, name, register string) *pack.Pack {
	t.Helper()
	return loaded(t, fstest.MapFS{
		"pack.yaml": {Data: []byte("pack: small\ntitle: {zh: 小城, en: Small}\ndivision: \"371500\"\n")},
		"codes/colour.yaml": {Data: []byte(`codes: colour
title: {zh: 颜色, en: Colour}
source: a test
items:
  - {code: red, zh: 红, en: red}
  - {code: green, zh: 绿, en: green, also: [青]}
`)},
		"codes/id_kind.yaml": {Data: []byte(`codes: id_kind
title: {zh: 证件类型, en: Kind of identity document}
source: a test
items:
  - {code: resident, zh: 居民身份证, en: resident identity card}
  - {code: passport, zh: 护照, en: passport}
  - {code: other, zh: 其他, en: other}
`)},
		"registers/" + name + ".yaml": {Data: []byte(register)},
		"facts/person.yaml": {Data: []byte(`subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: seen, title: {zh: 有记录, en: Seen}, type: bool, take: exists, register: ` + name + `}
`)},
	})
}

// write writes a delivery file.
func (o *office) write(name, text string) string {
	o.t.Helper()
	path := filepath.Join(o.dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		o.t.Fatal(err)
	}
	return path
}

func gb18030(t *testing.T, text string) string {
	t.Helper()
	out, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// take loads a file that must be taken.
func (o *office) take(register, name, text, received string) Report {
	o.t.Helper()
	rep, err := o.Load(o.t.Context(), Delivery{Register: register, Path: o.write(name, text), Received: calendar.MustParse(received), At: time.Unix(1, 0)})
	if err != nil {
		o.t.Fatalf("%s: %v", name, err)
	}
	if rep.Rows != rep.Accepted+rep.Quarantined+rep.Unchanged {
		o.t.Errorf("%s: %d rows are not %d accepted, %d quarantined and %d unchanged", name, rep.Rows, rep.Accepted, rep.Quarantined, rep.Unchanged)
	}
	return rep
}

// tally is a report in a line.
func told(r Report) string {
	s := fmt.Sprintf("%d accepted %d quarantined %d unchanged", r.Accepted, r.Quarantined, r.Unchanged)
	if r.Again {
		s += " again"
	}
	return s
}

// state is what a load may change: the generation, the deliveries, the holders and the sealed files.
type state struct {
	generation, deliveries, holders int64
	sealed, parquet, temporary      int
}

func (o *office) state() (s state) {
	o.t.Helper()
	ctx := context.Background()
	var err error
	if s.generation, err = o.Lake.Generation(ctx); err != nil {
		o.t.Fatal(err)
	}
	if err := o.Store.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM register_delivery), (SELECT count(*) FROM vault_holder)`).Scan(&s.deliveries, &s.holders); err != nil {
		o.t.Fatal(err)
	}
	s.sealed, s.parquet, s.temporary = o.count("files"), o.count("lake"), o.count("tmp")
	return s
}

// count counts the files under a folder of the home, and in tmp the folders too.
func (o *office) count(folder string) (n int) {
	o.t.Helper()
	root := filepath.Join(o.dir, folder)
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && (!d.IsDir() || folder == "tmp" && name != root) {
			n++
		}
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return n
}

// rows are the current rows of a register as text, one a line, with the columns given, in order.
func (o *office) rows(register, columns, asOf string) string {
	o.t.Helper()
	var day calendar.Day
	if asOf != "" {
		day = calendar.MustParse(asOf)
	}
	s, err := o.Lake.Read(o.t.Context(), day)
	if err != nil {
		o.t.Fatal(err)
	}
	defer s.Close()
	src, ok := s.Source(register, lake.Ways(o.Pack.Register(register).Ways()))
	if !ok {
		return "nothing"
	}
	var fields []string
	for _, c := range strings.Fields(columns) {
		fields = append(fields, "coalesce(CAST("+c+" AS VARCHAR), '-')")
	}
	rows, err := s.QueryContext(o.t.Context(), "SELECT concat_ws(' ', "+strings.Join(fields, ", ")+") AS line FROM "+src+" ORDER BY line")
	if err != nil {
		o.t.Fatal(err)
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			o.t.Fatal(err)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// keptRejects opens the sealed rejects of a delivery.
func (o *office) keptRejects(delivery int64) (out []handed) {
	o.t.Helper()
	var sum string
	if err := o.Store.QueryRowContext(o.t.Context(), `SELECT rejects FROM register_delivery WHERE id = $1`, delivery).Scan(&sum); err != nil {
		o.t.Fatal(err)
	}
	if sum == "" {
		return nil
	}
	if err := o.kept(sum, func(_ []string, h *handed) error { out = append(out, *h); return nil }); err != nil {
		o.t.Fatal(err)
	}
	return out
}

// citizen is a valid identity number: the weight of a place is a power of 2 modulo 11, counted from the check digit.
func citizen(region, birth string, serial int) string {
	s := fmt.Sprintf("%s%s%03d", region, birth, serial)
	weight, sum := 1, 0
	for i := len(s) - 1; i >= 0; i-- {
		weight = weight * 2 % 11
		sum += weight * int(s[i]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

// persons is who was who as of a day: holder=person, in order.
func (o *office) persons(asOf string) string {
	o.t.Helper()
	var day calendar.Day
	if asOf != "" {
		day = calendar.MustParse(asOf)
	}
	s, err := o.Lake.Read(o.t.Context(), day)
	if err != nil {
		o.t.Fatal(err)
	}
	defer s.Close()
	identity, ok := s.Identity()
	if !ok {
		return ""
	}
	var out string
	if err := s.QueryRowContext(o.t.Context(), "SELECT string_agg(holder || '=' || person, ' ' ORDER BY holder) FROM "+identity).Scan(&out); err != nil {
		o.t.Fatal(err)
	}
	return out
}
