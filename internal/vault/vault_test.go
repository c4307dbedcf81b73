package vault

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestNumbers(t *testing.T) {
	for in, want := range map[string]struct {
		birth int
		male  bool
		fault string
	}{
		"11010519491231002X": {19491231, false, ""},
		"11010519491231002x": {19491231, false, ""},
		"110105491231002":    {19491231, false, ""},
		"110105194912310021": {0, false, "reject.id_check"},
		"1101051949123100":   {0, false, "reject.id_length"},
		"1101O519491231002X": {0, false, "reject.id_characters"},
		"3.71502E+17":        {0, false, "reject.excel_number"},
		"110105494931002":    {0, false, "reject.id_birth"},
	} {
		n, fault := ParseNumber(in)
		if fault != want.fault || int(n.Birth) != want.birth || n.Male != want.male {
			t.Errorf("ParseNumber(%q) = %+v, %q; want %+v", in, n, fault, want)
		}
	}
}

type vector struct {
	Value    string
	Kind     string
	Valid    *bool // null: the source does not say
	Reason   string
	Expected struct{ Birth, Sex string }
}

// vectors reads a file of the reference data; where that is not at hand, the few written here.
func vectors(t *testing.T, name string, few ...vector) []vector {
	t.Helper()
	dir := os.Getenv("BOLE_REFDATA")
	if dir == "" {
		return few
	}
	b, err := os.ReadFile(filepath.Join(dir, "vectors", name))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(b, &file); err != nil || len(file.Vectors) == 0 {
		t.Fatalf("no vectors in %s: %v", name, err)
	}
	return file.Vectors
}

func TestReferenceNumbers(t *testing.T) {
	tried := 0
	yes := true
	for _, v := range vectors(t, "id_vectors.json", vector{Value: "11010519491231002X", Kind: "resident18", Valid: new(true)}) {
		if v.Kind != "resident18" && v.Kind != "resident15" {
			continue // other kinds of number come with a later round
		}
		tried++
		if strings.Contains(v.Reason, "address code") {
			v.Valid = &yes // a number is never refused for its region code: codes are retired and older than their holders
		}
		n, fault := ParseNumber(v.Value)
		if v.Valid != nil && (fault == "") != *v.Valid {
			t.Errorf("%s (%s): fault %q, want valid %v", v.Value, v.Reason, fault, *v.Valid)
		}
		if v.Expected.Birth != "" && fault == "" && n.Birth.String() != v.Expected.Birth {
			t.Errorf("%s: born %s, want %s", v.Value, n.Birth, v.Expected.Birth)
		}
		if v.Expected.Sex != "" && fault == "" && n.Male != (v.Expected.Sex == "male") {
			t.Errorf("%s: male %v, want %s", v.Value, n.Male, v.Expected.Sex)
		}
	}
	if tried == 0 {
		t.Error("no vector was tried")
	}
}

func TestReferenceCreditCodes(t *testing.T) {
	for _, v := range vectors(t, "uscc_vectors.json", vector{Value: "91350100M000100Y43", Valid: new(true)}, vector{Value: "91350100M000100Y44", Valid: new(false)}) {
		if _, ok, sound := CreditCode(v.Value); v.Valid != nil && (ok && sound) != *v.Valid {
			t.Errorf("%s: form %v, check digit %v, want valid %v (%s)", v.Value, ok, sound, *v.Valid, v.Reason)
		}
	}
}
