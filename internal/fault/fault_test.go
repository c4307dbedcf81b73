package fault

import (
	"errors"
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
