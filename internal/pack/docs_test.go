package pack

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"bole/internal/expr"
)

// docs/policies.md shows every function of the rule language as its table has it, and every way to take a fact.
func TestPoliciesPageIsComplete(t *testing.T) {
	b, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	for _, f := range expr.Functions {
		if row := fmt.Sprintf("| `%s` | `%s` | %s |\n", f.Example, f.Result, f.Meaning); !strings.Contains(page, row) {
			t.Errorf("docs/policies.md lacks the row\n%s", row)
		}
	}
	_, table, _ := strings.Cut(page, "| take | the fact is |")
	table, _, _ = strings.Cut(table, "\n\n")
	_, section, _ := strings.Cut(page, "## 5. Facts")
	section, _, _ = strings.Cut(section, "## 6.")
	for f := range reflect.TypeFor[Fact]().Fields() {
		key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key != "" && key != "-" && !strings.Contains(section, "`"+key) && !strings.Contains(section, "\n    "+key+": ") {
			t.Errorf("docs/policies.md does not say what %s of a fact is", key)
		}
	}
	for _, take := range takes {
		if !strings.Contains(table, "`"+take+"`") {
			t.Errorf("docs/policies.md does not say what take: %s means", take)
		}
	}
}

// The page's own example of a test is one of the shipped ones, and its example of a mistake is what the check says.
func TestPoliciesPageExamples(t *testing.T) {
	b, err := os.ReadFile("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	shipped, err := os.ReadFile("../../packs/liaocheng/policies/unemployment-skill-subsidy_test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, example, _ := strings.Cut(page, "## 7. Tests")
	_, example, _ = strings.Cut(example, "tests:\n")
	example, _, _ = strings.Cut(example, "```")
	if example == "" || !strings.Contains(string(shipped), example) {
		t.Errorf("no shipped test reads like the page's example:\n%s", example)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../packs/liaocheng")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "policies/unemployment-skill-subsidy.yaml")
	if b, err = os.ReadFile(file); err != nil {
		t.Fatal(err)
	}
	b = bytes.Replace(b, []byte("unemployment_months_total >="), []byte("unemployment_month_total >="), 1)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err = Load(os.DirFS(dir), nil); err == nil || !strings.Contains(page, err.Error()) {
		t.Errorf("the page's example of a mistake is not what the check says:\n%v", err)
	}
}
