package register

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bole/internal/fault"
	"bole/internal/sheet"
	"golang.org/x/text/unicode/norm"
)

// naughty are strings that break programs: of the reference data where it is at hand, else a few.
func naughty(t *testing.T) []string {
	t.Helper()
	few := []string{"", "undefined", "=1+1", "@SUM(1,1)", "-1", "<script>alert(1)</script>", "'; DROP TABLE users; --", "Ω≈ç√∫˜µ≤≥÷", "田中さんにあげて下さい", "\u202e右から左", "a\tb", "a\nb", "𠂇𠃌", "１２３", "\"", "'", "$(touch x)", "%s%n", "😀"}
	dir := os.Getenv("BOLE_REFDATA")
	if dir == "" {
		return few
	}
	b, err := os.ReadFile(filepath.Join(dir, "bad-input", "blns.json"))
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	if err := json.Unmarshal(b, &list); err != nil || len(list) < 300 {
		t.Fatalf("%d naughty strings, %v", len(list), err)
	}
	return append(few, list...)
}

// Every naughty string goes through a text that the lake may hold, a name that only the vault holds and a field that refuses it: to the lake as it was, or
// back to its sender as it was.
func TestNaughtyStrings(t *testing.T) {
	strs := naughty(t)
	o := newOffice(t, liaocheng(t))
	var text strings.Builder
	w := csv.NewWriter(&text)
	_ = w.Write([]string{"统一社会信用代码", "单位名称", "单位类型"})
	for i, s := range strs {
		_ = w.Write([]string{fmt.Sprintf("91371500MA3C%06d", i), s, "企业"})
	}
	w.Flush()
	rep := o.take("employers", "naughty.csv", text.String(), "2024-12-01")
	if rep.Rows < int64(len(strs)) || rep.Accepted < int64(len(strs))/2 {
		t.Fatalf("%d rows of %d: %s", rep.Rows, len(strs), told(rep))
	}
	refused := map[string]bool{}
	for _, k := range o.keptRejects(rep.Delivery) {
		refused[k.Fields[0]] = true
	}
	got := map[string]bool{}
	for line := range strings.SplitSeq(o.rows("employers", "uscc employer_name", ""), "\n") {
		got[line] = true
	}
	for i, s := range strs {
		code := fmt.Sprintf("91371500MA3C%06d", i)
		if refused[code] || strings.ContainsAny(s, "\r\n") {
			continue
		}
		if !got[code+" "+sheet.Clean(s)] {
			t.Errorf("%q is not in the lake as it was", s)
		}
	}

	// As a kind of employer none of them is known: each goes back, in a workbook whose cells are what was sent.
	text.Reset()
	_ = w.Write([]string{"统一社会信用代码", "单位名称", "单位类型"})
	n := 0
	for i, s := range strs {
		if sheet.Clean(s) != "" && s == norm.NFC.String(s) {
			_ = w.Write([]string{fmt.Sprintf("91371500MA4C%06d", i), "某单位", s})
			n++
		}
	}
	w.Flush()
	rep = o.take("employers", "kinds.csv", text.String(), "2024-12-02")
	if rep.Accepted > 2 || rep.Quarantined < int64(n-2) {
		t.Fatalf("%d rows: %s", n, told(rep))
	}
	cells := map[string]string{}
	for _, rows := range workbook(t, o.handBack("employers")) {
		for _, r := range rows[1:] {
			if len(r) > 8 {
				cells[r[6]] = r[8]
			}
		}
	}
	for i, s := range strs {
		code := fmt.Sprintf("91371500MA4C%06d", i)
		back, ok := cells[code]
		if !ok || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == utf8.RuneError || r == '\uFFFE' || r == '\uFFFF' }) {
			continue // what XML cannot hold is told as such
		}
		if back != s {
			t.Errorf("%q comes back as %q", s, back)
		}
	}
	if len(cells) < n-10 {
		t.Errorf("%d of %d come back", len(cells), n)
	}
	// Taken back untouched, they go on waiting, and none is put before anybody again.
	waits := o.wait("employers")
	again := o.bring("employers", o.mend(o.handBack("employers")), "2024-12-03")
	if again.Quarantined > 20 || o.wait("employers") != waits {
		t.Errorf("untouched: %s, %d wait and then %d", told(again), waits, o.wait("employers"))
	}
}

// A file that is no table at all, of the shape that programs send instead of one, is refused as a whole and leaves nothing.
func TestFilesThatAreNoTables(t *testing.T) {
	texts := [][]byte{[]byte(`{"rows": []}`), []byte(`[1, 2`), []byte("\xff\xfe{\x00"), []byte("<html><body>502 Bad Gateway</body></html>"), {0}}
	if dir := os.Getenv("BOLE_REFDATA"); dir != "" {
		b, err := os.ReadFile(filepath.Join(dir, "bad-input", "json_test_suite.json"))
		var cases []struct {
			Name string
			B64  []byte
		}
		if err == nil {
			err = json.Unmarshal(b, &cases)
		}
		if err != nil || len(cases) < 100 {
			t.Fatalf("%d cases, %v", len(cases), err)
		}
		for _, c := range cases {
			texts = append(texts, c.B64)
		}
	}
	o := newOffice(t, liaocheng(t))
	before := o.state()
	for i, text := range texts {
		for _, name := range []string{"answer.csv", "answer.json", "answer.xlsx"} {
			if _, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write(name, string(text)), Received: 20241201, At: time.Unix(1, 0)}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("text %d as %s: %v", i, name, err)
			}
		}
	}
	if after := o.state(); after != before {
		t.Errorf("from %+v to %+v", before, after)
	}
}
