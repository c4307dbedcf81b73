package locale

import (
	"strings"
	"testing"

	"bole/internal/fault"
)

func TestEverySentenceIsInBothLanguages(t *testing.T) {
	for k, s := range catalogue() {
		if strings.TrimSpace(s.Zh) == "" || strings.TrimSpace(s.En) == "" {
			t.Errorf("%s lacks a language", k)
		}
		if strings.Count(s.Zh, "{") != strings.Count(s.En, "{") {
			t.Errorf("%s names other arguments in one language than in the other", k)
		}
	}
}

func TestErrorIsASentence(t *testing.T) {
	err := fault.Wrap("cli", fault.New("sheet.Open", fault.Invalid, "sheet.no_header", "file", "a.csv"))
	if got := Error(Zh, err); got != "a.csv：没有表头。第一行应为列名。" {
		t.Errorf("got %q", got)
	}
	if got := Error(En, fault.Wrap("x", errBare{})); got != Text(En, "error.internal") {
		t.Errorf("got %q", got)
	}
}

type errBare struct{}

func (errBare) Error() string { return "secret" }
