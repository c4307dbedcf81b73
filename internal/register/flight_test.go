package register

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf16"
)

// What is planted in every row begins with one of these, whatever follows: a number of a resident, a name, a telephone number, an account, a number of a
// paper, which the lake has keyed.
var planted = []string{"3715021977", "禤龘", "100987654", "62220199887766", "ZS77889"}

const guests = `register: guests
title: {zh: 来客, en: Guests}
owner: {zh: 前台, en: Desk}
basis: {zh: 测试, en: a test}
about: person
mode: upsert
key: [no]
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: person_name, title: {zh: 姓名, en: Name}, type: person_name, class: personal, required: true}
  - {name: phone, title: {zh: 电话, en: Phone}, type: phone, class: personal}
  - {name: account, title: {zh: 账号, en: Account}, type: account, class: personal}
  - {name: no, title: {zh: 编号, en: No}, type: number, class: keyed, required: true}
  - {name: firm_name, title: {zh: 单位, en: Firm}, type: text, class: cleared}
  - {name: came, title: {zh: 来时, en: Came}, type: day, class: day}
`

// guestList is so many rows, every hundredth of them faulty.
func guestList(rows int) string {
	var b strings.Builder
	b.WriteString("证件号码,姓名,电话,账号,编号,单位,来时\n")
	for i := range rows {
		came := "2024-03-01"
		if i%100 == 7 {
			came = "2024-13-01"
		}
		fmt.Fprintf(&b, "%s,禤龘%c,100987654%02d,62220199887766%05d,ZS77889%06d,第%d号%s,%s\n", citizen("371502", fmt.Sprintf("1977%02d%02d", i/28000%12+1, i/1000%28+1), i%1000),
			'一'+rune(i%5000), i%100, i, i, i, strings.Repeat("聊城机床有限公司", 12), came)
	}
	return b.String()
}

// watch looks for planted values in all that lies in some folders, again and again, and in the open files of this process that have no name any more.
type watch struct {
	folders  []string
	patterns map[string]string // bytes → what they are of
	mu       sync.Mutex
	found    map[string]bool
	rounds   int
	seen     map[string]int64 // kind of file → the most bytes of one
}

func newWatch(t *testing.T, folders ...string) *watch {
	t.Helper()
	w := &watch{folders: folders, patterns: map[string]string{}, found: map[string]bool{}, seen: map[string]int64{}}
	for _, p := range planted {
		var little, big []byte
		for _, u := range utf16.Encode([]rune(p)) {
			little, big = append(little, byte(u), byte(u>>8)), append(big, byte(u>>8), byte(u))
		}
		for bytes, what := range map[string]string{p: p, gb18030(t, p): p + " in GB18030", string(little): p + " in UTF-16LE", string(big): p + " in UTF-16BE"} {
			if len(bytes) >= 6 { // four bytes stand somewhere in thirty megabytes of what is sealed once in a hundred loads, by chance
				w.patterns[bytes] = what
			}
		}
	}
	return w
}

// look goes through everything once. Files that come and go meanwhile are what it is for: those that are gone are passed over.
func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rounds++
	for _, folder := range w.folders {
		_ = filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				w.file(name, kindOf(name))
			}
			return nil
		})
	}
	open, _ := os.ReadDir("/proc/self/fd")
	for _, d := range open {
		name := filepath.Join("/proc/self/fd", d.Name())
		if to, err := os.Readlink(name); err == nil && strings.HasSuffix(to, " (deleted)") && strings.HasPrefix(to, "/") {
			w.file(name, "without a name: "+kindOf(strings.TrimSuffix(to, " (deleted)")))
		}
	}
}

func kindOf(name string) string {
	if strings.Contains(name, "/duckdb-") {
		return "DuckDB"
	}
	folder, file := filepath.Split(name)
	return filepath.Base(folder) + "/" + strings.TrimRight(file, "0123456789")
}

func (w *watch) file(name, kind string) {
	b, err := os.ReadFile(name)
	if err != nil {
		return
	}
	w.seen[kind] = max(w.seen[kind], int64(len(b)))
	for p, what := range w.patterns {
		if bytes.Contains(b, []byte(p)) {
			w.found[kind+" holds "+what] = true
		}
	}
}

// While a load is under way, and afterwards, nobody's number, name, phone, account or paper stands in the clear in the home or in the system's folder for
// temporary files. The workbook of rejects is the one place where they do: what it needs lies beside it, in its own folder.
func TestNoPersonalDataWhileALoadRuns(t *testing.T) {
	temp := filepath.Join(t.TempDir(), "temp") // what anybody puts into the system's folder lands here
	desk := filepath.Join(t.TempDir(), "desk") // where the delivery lies and the workbook is written
	for _, dir := range []string{temp, desk} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("TMPDIR", temp)
	dir := t.TempDir()
	if err := makeHome(dir); err != nil {
		t.Fatal(err)
	}
	h, err := openHome(t.Context(), dir, 80, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer h.Store.Close()
	h.Pack = small(t, "guests", guests)
	delivery := filepath.Join(desk, "guests.csv")
	if err := os.WriteFile(delivery, []byte(guestList(80_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	control := newWatch(t, desk)
	control.look()
	if len(control.found) < len(planted) {
		t.Fatalf("the watch sees only %v in the delivery itself", control.found)
	}

	w := newWatch(t, dir, temp)
	h.Step = func(string) { w.look() }
	ctx, cancel := context.WithCancel(t.Context())
	var watching sync.WaitGroup
	watching.Go(func() {
		for ctx.Err() == nil {
			w.look()
			time.Sleep(100 * time.Millisecond) // or the load gets no turn
		}
	})
	book := &Rejects{Path: filepath.Join(desk, "rejects.xlsx")}
	rep, err := h.Load(t.Context(), Delivery{Register: "guests", Path: delivery, Received: 20241201, At: time.Unix(1, 0), Rejects: book, Progress: func(int64) { w.look() }})
	cancel()
	watching.Wait()
	if err == nil {
		err = book.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if rep.Quarantined != 800 || rep.Accepted != 79_200 {
		t.Fatal(told(rep))
	}
	w.look()
	for what := range w.found {
		t.Error(what)
	}
	t.Logf("%d rounds, the largest of each kind: %v", w.rounds, w.seen)
	_, sealing := w.seen["files/put-"] // of rejected rows, from the first one on; it grows by a mebibyte at a time
	if w.rounds < 15 || w.seen["DuckDB"] == 0 || w.seen["without a name: tmp/vault-"] == 0 || !sealing || w.seen["office/office.db-wal"] == 0 {
		t.Errorf("the load wrote less than it should, or the watch saw less: %d rounds, %v", w.rounds, w.seen)
	}
	h.clearColumns(t, w)
	for cell, where := range (&office{Desk: h.Desk, t: t, dir: h.dir}).lakeCells() {
		for _, p := range planted {
			if strings.Contains(cell, p) {
				t.Fatalf("%s holds %s", where, p)
			}
		}
	}
}

// clearColumns looks into every column of the office's database that is not sealed.
func (h *place) clearColumns(t *testing.T, w *watch) {
	t.Helper()
	columns, err := h.texts(t.Context(), h.Store.DB, `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'`)
	if err != nil {
		t.Fatal(err)
	}
	sealed := 0
	for _, name := range columns {
		table, column, _ := strings.Cut(name, ".")
		if column == "sealed" {
			sealed++
			continue
		}
		values, err := h.texts(t.Context(), h.Store.DB, `SELECT DISTINCT CAST(`+column+` AS TEXT) FROM `+table+` WHERE `+column+` IS NOT NULL`)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range values {
			for p, what := range w.patterns {
				if strings.Contains(v, p) {
					t.Fatalf("%s holds %s", name, what)
				}
			}
		}
	}
	if sealed != 2 || len(columns) < 40 { // of the vault, and of what accounts sign in with
		t.Errorf("%d columns, %d of them sealed", len(columns), sealed)
	}
}
