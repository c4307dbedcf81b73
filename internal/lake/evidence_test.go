package lake

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/store/storetest"
	"github.com/google/go-cmp/cmp"
)

// kept publishes a file of evidence.
func (h *house) kept(parts ...Part) File {
	h.t.Helper()
	ctx := h.t.Context()
	w, err := h.Write(ctx, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := w.Conn(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	f, err := w.Evidence(ctx, conn, File{Meta: "meta"}, parts)
	if err != nil {
		h.t.Fatal(err)
	}
	conn.Close()
	if err := w.Commit(ctx, nil); err != nil {
		h.t.Fatal(err)
	}
	return f
}

// evidence opens what a reader finds; the test closes it.
func (h *house) evidence() (*Evidence, error) {
	h.t.Helper()
	s, err := h.Read(h.t.Context(), 0)
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { s.Close() })
	return s.Evidence()
}

// odd are values that a format of text could trip over.
const odd = `SELECT * FROM (VALUES
  (7, '7', TRUE, CAST(-12 AS SMALLINT), '', DATE '2024-02-29', CAST(9223372036854775807 AS BIGINT)),
  (7, '8|3:x', FALSE, NULL, 'a|b:c''d' || chr(10) || '聊城', NULL, CAST(-9223372036854775808 AS BIGINT)),
  (3, '', NULL, 0, NULL, DATE '1901-01-01', 0)) t(person, subject, b, i, "te xt", d, n)`

var oddWant = map[int64][]EvidenceRow{
	3: {{"p", "", map[string]any{"b": nil, "i": int64(0), "te xt": nil, "d": calendar.Day(19010101), "n": int64(0)}},
		{"q", "x", map[string]any{"only": "text"}}},
	7: {{"p", "7", map[string]any{"b": true, "i": int64(-12), "te xt": "", "d": calendar.Day(20240229), "n": int64(1<<63 - 1)}},
		{"p", "8|3:x", map[string]any{"b": false, "i": nil, "te xt": "a|b:c'd\n聊城", "d": nil, "n": int64(-1 << 63)}}},
}

func TestEvidenceGivesBackWhatWasKept(t *testing.T) {
	houses(t, func(h *house) {
		if e, err := h.evidence(); e != nil || err != nil {
			t.Fatalf("an empty lake has evidence: %v %v", e, err)
		}
		f := h.kept(Part{"p", odd}, Part{"q", "SELECT 3 AS person, 'x' AS subject, 'text' AS only"}, Part{"none", "SELECT 1 AS person, 'y' AS subject WHERE FALSE"})
		if f.Rows != 4 {
			t.Errorf("%d rows", f.Rows)
		}
		e, err := h.evidence()
		if err != nil {
			t.Fatal(err)
		}
		if e.Of.Meta != "meta" || e.Of.Rows != 4 {
			t.Errorf("the manifest says %+v", e.Of)
		}
		for _, person := range []int64{2, 3, 4, 7, 8} {
			got, err := e.Person(person)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(oddWant[person], got); d != "" {
				t.Errorf("person %d: %s", person, d)
			}
		}
		// The next one stands in its place; one without rows leaves none.
		h.kept(Part{"p", "SELECT 9 AS person, 'n' AS subject, 1 AS v"})
		if e, err = h.evidence(); err != nil {
			t.Fatal(err)
		}
		if rows, err := e.Person(7); err != nil || rows != nil {
			t.Errorf("of the file before: %v %v", rows, err)
		}
		if f := h.kept(Part{"p", "SELECT 9 AS person, 'n' AS subject WHERE FALSE"}); f.Rows != 0 {
			t.Errorf("%d rows of none", f.Rows)
		}
		if e, err := h.evidence(); e != nil || err != nil {
			t.Errorf("evidence of nobody: %v %v", e, err)
		}
	})
}

// many are people of several rows each, in several blocks, more than are sorted at once.
const many = `SELECT CAST(i // 2 * 3 AS BIGINT) AS person, CAST(i AS VARCHAR) AS subject, md5(CAST(i AS VARCHAR)) AS code, i AS number FROM range(120000) r(i)`

func TestEveryPersonIsFoundInOneBlock(t *testing.T) {
	h := oneHouse(t)
	h.kept(Part{"p", many})
	e, err := h.evidence()
	if err != nil {
		t.Fatal(err)
	}
	if len(e.blocks) < 10 {
		t.Fatalf("only %d blocks: the test is blind", len(e.blocks))
	}
	n := int64(0)
	err = e.Each(func(person int64, row EvidenceRow) error {
		if person != n/2*3 || row.Subject != fmt.Sprint(n) || row.Values["number"] != n {
			return fmt.Errorf("row %d is %d %+v", n, person, row)
		}
		n++
		return nil
	})
	if err != nil || n != 120000 {
		t.Fatalf("%d rows: %v", n, err)
	}
	for range 2000 {
		person := rand.Int64N(60000*3 + 10)
		rows, err := e.Person(person)
		if err != nil {
			t.Fatal(err)
		}
		want := 0
		if person%3 == 0 && person < 180000 {
			want = 2
		}
		if len(rows) != want {
			t.Fatalf("person %d has %d rows, want %d", person, len(rows), want)
		}
	}
	for _, b := range e.blocks { // the first and the last of a block are not lost between two
		for _, person := range []int64{b.first, max(0, b.first-3)} {
			if rows, err := e.Person(person); err != nil || len(rows) != 2 {
				t.Fatalf("person %d at the edge of a block: %d rows, %v", person, len(rows), err)
			}
		}
	}
}

// oneHouse is a lake on SQLite: a file's bytes are the same whatever database knows it.
func oneHouse(t testing.TB) (h *house) {
	t.Helper()
	return newHouse(t, storetest.Open(t, storetest.SQLite(t)))
}

// A byte that was cut, added or turned anywhere is a fault that names the file, never another answer.
func TestChangedEvidenceIsAFault(t *testing.T) {
	h := oneHouse(t)
	f := h.kept(Part{"p", odd}, Part{"q", "SELECT 3 AS person, 'x' AS subject, 'text' AS only"})
	full := filepath.Join(h.dir, f.Path)
	whole, err := os.ReadFile(full)
	if err != nil {
		t.Fatal(err)
	}
	broken := func(what string, b []byte) {
		t.Helper()
		if err := os.WriteFile(full, b, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := openEvidence(h.dir, f)
		if err == nil {
			err = e.Each(func(int64, EvidenceRow) error { return nil })
			e.close()
		}
		var as *fault.E
		if !errors.As(err, &as) || as.Key != "lake.evidence_broken" || !strings.Contains(fmt.Sprint(as.Args["file"]), f.Path) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for i := range whole {
		broken(fmt.Sprintf("cut to %d bytes", i), whole[:i])
		for _, turn := range []byte{1, 0x80, 0xff} {
			b := bytes.Clone(whole)
			b[i] ^= turn
			broken(fmt.Sprintf("byte %d turned by %x", i, turn), b)
		}
	}
	broken("a byte more", append(bytes.Clone(whole), 0))
	broken("a byte before", append([]byte{0}, whole...))
	broken("twice", append(bytes.Clone(whole), whole...))
	broken("nothing", nil)
}

// A process that dies while it writes evidence leaves the generation before as it was, and the next writer sweeps.
func TestUnfinishedEvidenceLeavesNothing(t *testing.T) {
	houses(t, func(h *house) {
		h.kept(Part{"p", odd})
		ctx := t.Context()
		w, err := h.Write(ctx, "cut off")
		if err != nil {
			t.Fatal(err)
		}
		conn, _ := w.Conn(ctx)
		f, err := w.Evidence(ctx, conn, File{}, []Part{{"p", "SELECT 9 AS person, 'n' AS subject, 1 AS v"}})
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		w.stop()
		w.beats.Wait()
		if e, err := h.evidence(); err != nil || e.Of.Rows != 3 {
			t.Errorf("a reader sees %+v, %v", e, err)
		}
		h.clock = h.clock.Add(time.Minute)
		h.deliver("a", "SELECT 1 k, 1 v", "2024-02-10", 3, "")
		if _, err := os.Stat(filepath.Join(h.dir, f.Path)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the unfinished file is still there: %v", err)
		}
		if e, err := h.evidence(); err != nil || e.Of.Rows != 3 {
			t.Errorf("the next reader sees %+v, %v", e, err)
		}
	})
}

// What cannot be kept is refused by name, and leaves no file.
func TestEvidenceRefusesOtherTypes(t *testing.T) {
	h := oneHouse(t)
	ctx := t.Context()
	w, err := h.Write(ctx, "test")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort(ctx)
	conn, err := w.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for _, typ := range []string{"DOUBLE", "TIMESTAMP", "INTEGER[]", "DECIMAL(10,2)"} {
		_, err := w.Evidence(ctx, conn, File{}, []Part{{"p", "SELECT 1 AS person, 's' AS subject, CAST(NULL AS " + typ + ") AS v"}})
		if err == nil || !strings.Contains(err.Error(), "p.v") {
			t.Errorf("%s: %v", typ, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(h.dir, EvidenceTable, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
