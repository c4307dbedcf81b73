package fault

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"
)

func TestMistakeShowsItsPlace(t *testing.T) {
	m := Mistake{File: "policies/x.yaml", Line: 3, Column: 8, Message: "no fact called 年", Source: "holds: 年限 > 1"}
	want := "policies/x.yaml:3:8: no fact called 年\n | holds: 年限 > 1\n | .......^"
	if got := m.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestClosest(t *testing.T) {
	names := []string{"insured_months", "degree_level", "on"}
	for word, want := range map[string]string{"insured_month": "insured_months", "degre_levle": "degree_level", "dgeree_level": "degree_level", "zzzz": ""} {
		if got := Closest(word, names); got != want {
			t.Errorf("Closest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestWrapKeepsKind(t *testing.T) {
	err := Wrap("cli.Load", Wrap("register.Load", New("sheet.Open", Invalid, "sheet.no_header", "file", "a.csv")))
	if KindOf(err) != Invalid {
		t.Errorf("KindOf = %s, want invalid", KindOf(err))
	}
	if Wrap("x", nil) != nil {
		t.Error("Wrap(nil) is not nil")
	}
	if KindOf(Wrap("x", errors.New("disk"))) != Internal {
		t.Error("a foreign error is not Internal")
	}
}

type numbered int

func (n numbered) Error() string { return "failed" }
func (n numbered) Code() int     { return int(n) }

func TestAFullDiskIsOneError(t *testing.T) {
	for name, err := range map[string]error{
		"the system":         &fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC},
		"a quota":            syscall.EDQUOT,
		"a limit on files":   syscall.EFBIG,
		"DuckDB":             errors.New(`IO Error: Could not write file "x.parquet": No space left on device`),
		"DuckDB, spilling":   errors.New("Out of Memory Error: failed to offload data block of size 256.0 KiB. This limit was set by the 'max_temp_directory_size' setting."),
		"SQLite":             numbered(13),
		"beside another":     errors.Join(errors.New("rolled back"), numbered(13)),
		"beside our mistake": errors.Join(Wrap("a", errors.New("b")), syscall.ENOSPC),
	} {
		var e *E
		if w := Wrap("y", Wrap("x", err)); !errors.As(w, &e) || e.Key != "disk.full" || e.Kind != Upstream {
			t.Errorf("%s: %v", name, w)
		}
	}
	for name, err := range map[string]error{"a refused file": errors.Join(New("x", Invalid, "sheet.no_header"), syscall.ENOSPC), "another number": numbered(19), "another word": errors.New("no space")} {
		if w := Wrap("x", err).(*E); w.Key == "disk.full" {
			t.Errorf("%s became %v", name, w)
		}
	}
}
