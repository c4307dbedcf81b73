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

// What a file says of itself must not steer the terminal that an error is read on, nor fill it.
func TestArgumentsAreShownAndNotObeyed(t *testing.T) {
	got := Text(En, "register.ignored", "file", "a\x1b[2J.csv", "columns", "红\u202e\xff\r")
	if want := `a\u001b[2J.csv: columns that were not used: 红\u202e` + "\uFFFD" + `\u000d`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := Some([]string{"证书\n编号", "b"}); got != "证书 编号、b" {
		t.Errorf("got %q", got)
	}
	if got := Some(make([]string, 100_000)); len(got) > 200 || !strings.HasSuffix(got, "(100000)") {
		t.Errorf("got %q", got)
	}
}
