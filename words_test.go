package bole_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"bole/internal/locale"
)

// Every key that the program names has its sentence, and no sentence waits for a key that nobody names.
func TestEveryKeyHasItsSentence(t *testing.T) {
	known, used := locale.Keys(), map[string]bool{}
	shape := regexp.MustCompile(`^[a-z_]+\.[a-z_.]*$`)
	err := filepath.WalkDir("internal", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if strings.HasSuffix(name, ".html") {
			b, err := os.ReadFile(name)
			for _, m := range regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)+)"`).FindAllStringSubmatch(string(b), -1) {
				used[m[1]] = true
			}
			return err
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		fset := token.NewFileSet()
		f, err := parser.ParseFile(fset, name, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if sel, ok := call.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "New" && len(call.Args) >= 3 {
					if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "fault" {
						if lit, ok := call.Args[2].(*ast.BasicLit); ok {
							if key, _ := strconv.Unquote(lit.Value); !known[key] {
								t.Errorf("%s: no sentence for %s", fset.Position(lit.Pos()), key)
							}
						}
					}
				}
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
				if s, err := strconv.Unquote(lit.Value); err == nil && shape.MatchString(s) {
					used[s] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for key := range known {
		named := false
		for s := range used { // "outcome." and a word, "web.need_run" and "_by"
			named = named || strings.HasPrefix(key, s)
		}
		if !named {
			t.Errorf("%s: nobody says this sentence", key)
		}
	}
}
