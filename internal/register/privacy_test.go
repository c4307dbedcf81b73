package register

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bole/internal/city"
	"bole/internal/columnar"
	"bole/internal/pack"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Nobody's name, number, phone or paper stands anywhere in a loaded city's lake, database or sealed files.
func TestNoPersonalDataInTheHome(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	delivered, err := city.Write(t.Context(), o.Pack, filepath.Join(t.TempDir(), "deliveries"), city.Options{People: 500, Seed: 3, Until: 202412})
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string]string{} // value → column
	faults, quarantined := 0, int64(0)
	for _, f := range delivered {
		rep, err := o.Load(t.Context(), Delivery{Register: f.Register, Path: f.Path, Received: f.Received, Cutoff: f.Cutoff, At: time.Unix(1, 0)})
		if err != nil {
			t.Fatalf("%s: %v", filepath.Base(f.Path), err)
		}
		faults, quarantined = faults+len(f.Faults), quarantined+rep.Quarantined
		o.gather(o.Pack.Register(f.Register), f.Path, secrets)
	}
	if quarantined != int64(faults) {
		t.Errorf("%d rows handed back, %d faults planted", quarantined, faults)
	}
	kinds := map[string]int{}
	for _, column := range secrets {
		kinds[column]++
	}
	for _, column := range []string{"id_number", "person_name", "phone", "account", "spouse_number", "certificate_no", "contract_no", "diploma_no", "degree_no"} {
		if kinds[column] < 40 {
			t.Errorf("only %d values of %s to look for: %v", kinds[column], column, kinds)
		}
	}
	cells := o.lakeCells()
	if len(cells) < 1000 {
		t.Fatalf("only %d texts in the lake", len(cells))
	}
	for cell, where := range cells {
		for _, part := range append(strings.FieldsFunc(cell, func(r rune) bool { return r == ' ' || r == ',' }), cell) {
			if column, is := secrets[part]; is {
				t.Fatalf("%s holds a %s", where, column)
			}
		}
	}
	// Some names are two characters that may be part of an employer's name; numbers are no part of anything.
	for secret, column := range secrets {
		if column == "person_name" {
			continue
		}
		for cell, where := range cells {
			if len(cell) > len(secret) && strings.Contains(cell, secret) {
				t.Fatalf("%s holds a %s within a text", where, column)
			}
		}
	}
	o.scan(secrets)
}

// gather collects the personal and keyed values of a delivery file.
func (o *office) gather(reg *pack.Register, path string, into map[string]string) {
	o.t.Helper()
	l := &loading{Desk: o.Desk, reg: reg, in: Delivery{Path: path}, rep: &Report{}}
	file, err := l.open(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	defer file.close()
	for {
		line, err := file.next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			o.t.Fatal(err)
		}
		for i, c := range reg.Columns {
			if v := field(line.Fields, line.place[i]); line.Fault == "" && len(v) > 5 && (!c.InLake() || c.Class.Text == "holder" || c.Class.Text == "keyed") {
				into[v] = c.Name.Text
			}
		}
	}
}

// lakeCells is every text in every column of every Parquet file, with where it stands.
func (o *office) lakeCells() map[string]string {
	o.t.Helper()
	db, err := columnar.Open(columnar.Config{MemoryMB: 300, Threads: 2, TempDir: filepath.Join(o.dir, "tmp")})
	if err != nil {
		o.t.Fatal(err)
	}
	defer db.Close()
	out := map[string]string{}
	tables, err := os.ReadDir(filepath.Join(o.dir, "lake"))
	if err != nil {
		o.t.Fatal(err)
	}
	for _, table := range tables {
		from := "read_parquet('" + filepath.Join(o.dir, "lake", table.Name(), "*.parquet") + "', union_by_name=true)"
		columns, err := db.QueryContext(o.t.Context(), "SELECT column_name FROM (DESCRIBE SELECT * FROM "+from+")")
		if err != nil {
			o.t.Fatal(err)
		}
		var names []string
		for columns.Next() {
			var n string
			if err := columns.Scan(&n); err != nil {
				o.t.Fatal(err)
			}
			names = append(names, n)
		}
		columns.Close()
		for _, n := range names {
			cells, err := db.QueryContext(o.t.Context(), `SELECT DISTINCT CAST("`+n+`" AS VARCHAR) FROM `+from+` WHERE "`+n+`" IS NOT NULL`)
			if err != nil {
				o.t.Fatal(err)
			}
			for cells.Next() {
				var s string
				if err := cells.Scan(&s); err != nil {
					o.t.Fatal(err)
				}
				out[s] = table.Name() + "." + n
			}
			if err := cells.Err(); err != nil {
				o.t.Fatal(err)
			}
			cells.Close()
		}
	}
	return out
}

// scan looks for secrets in the raw bytes of every file of the home but the lake's, which are compressed, and the keys.
func (o *office) scan(secrets map[string]string) {
	o.t.Helper()
	byStart := map[[4]byte][]string{}
	gb := simplifiedchinese.GB18030.NewEncoder()
	for secret := range secrets {
		other, err := gb.String(secret)
		if err != nil {
			o.t.Fatal(err)
		}
		byStart[[4]byte([]byte(secret))] = append(byStart[[4]byte([]byte(secret))], secret)
		if len(other) > 5 { // two characters are four bytes, which sealed bytes hit by chance
			byStart[[4]byte([]byte(other))] = append(byStart[[4]byte([]byte(other))], other)
		}
	}
	found := 0
	err := filepath.WalkDir(o.dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "/lake/") || strings.Contains(name, "/keys/") {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		found++
		for i := 0; i+4 <= len(b); i++ {
			for _, secret := range byStart[[4]byte(b[i:])] {
				if bytes.HasPrefix(b[i:], []byte(secret)) {
					o.t.Fatalf("%s holds a %s", strings.TrimPrefix(name, o.dir), secrets[secret])
				}
			}
		}
		return nil
	})
	if err != nil {
		o.t.Fatal(err)
	}
	if found < 10 {
		o.t.Errorf("only %d files looked at", found)
	}
}
