package sheet

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// vector is a small CSV file and what must be read from it: one object a row, or a single object for a single row.
type vector struct {
	File     string          `json:"file"`
	Expected json.RawMessage `json:"expected"`
	text     []byte
}

// standIns are vectors of our own for a machine without the reference data.
var standIns = []vector{
	{"quotes.csv", json.RawMessage(`[{"a":"x, \"y\"","b":"2"},{"a":"","b":"{\"k\": [1, 2]}"}]`), []byte("a,b\n\"x, \"\"y\"\"\",2\n\"\",\"{\"\"k\"\": [1, 2]}\"\n")},
	{"lines.csv", json.RawMessage(`[{"a":"x \ny","b":"2"},{"a":"3","b":"4"}]`), []byte("a,b\r\n\"x \r\ny\",2\r\n3,4")},
	{"marks.csv", json.RawMessage(`{"a":"5'3\"N","b":"ʤ"}`), []byte("a,b\n5'3\"N,ʤ")},
}

// mistaken are places where the reference data contradicts itself: the file says one thing, the index another.
var mistaken = map[string]bool{"spectrum-location_coordinates.csv/Contact Phone Number": true}

// garbledFiles hold U+FFFD in their only row: it is read, and its fault said.
var garbledFiles = map[string]bool{"spectrum-location_coordinates.csv": true}

// vectors reads the reference data from $BOLE_REFDATA/bad-input/csv, or gives our own where there is none.
func vectors(t *testing.T) []vector {
	t.Helper()
	root := os.Getenv("BOLE_REFDATA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "data")
	}
	dir := filepath.Join(root, "bad-input", "csv")
	index, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return standIns
	}
	if err != nil {
		t.Fatal(err)
	}
	var all []vector
	if err := json.Unmarshal(index, &all); err != nil {
		t.Fatal(err)
	}
	if len(all) == 0 {
		t.Fatal("the index of the reference data is empty")
	}
	for i, v := range all {
		if all[i].text, err = os.ReadFile(filepath.Join(dir, v.File)); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestReferenceData(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.File, func(t *testing.T) {
			var want []map[string]string
			if json.Unmarshal(v.Expected, &want) != nil {
				want = make([]map[string]string, 1)
				if err := json.Unmarshal(v.Expected, &want[0]); err != nil {
					t.Fatal(err)
				}
			}
			f := read(t, string(v.text))
			got := rows(t, f)
			if len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for i, row := range got {
				wantFault := map[bool]string{true: RowEncoding}[garbledFiles[v.File]]
				if row.Fault != wantFault || len(row.Fields) != len(want[i]) {
					t.Errorf("row %d: fault %q, want %q; %d fields, want %d", i+1, row.Fault, wantFault, len(row.Fields), len(want[i]))
					continue
				}
				for j, h := range f.Header() {
					// The files with CRLF lie in the reference data with LF, and the index still says CRLF.
					a, b := strings.ReplaceAll(row.Fields[j], "\r\n", "\n"), strings.ReplaceAll(want[i][h], "\r\n", "\n")
					if a != b && !mistaken[v.File+"/"+h] {
						t.Errorf("row %d, %s: %q, want %q", i+1, h, row.Fields[j], want[i][h])
					}
				}
			}
		})
	}
}
