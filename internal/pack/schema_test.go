package pack_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/fault"
	"bole/internal/pack"
	"bole/packs"
	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// docs/schemas holds the schema of each kind of file as the types have it. Run with -update after a key was added.
func TestSchemasAreCommitted(t *testing.T) {
	for _, k := range pack.FileKinds {
		file := filepath.Join("../../docs/schemas", k.Name+".json")
		if *update {
			if err := os.WriteFile(file, k.Schema(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(have), string(k.Schema())); diff != "" {
			t.Errorf("%s is not what the types say; run: go test ./internal/pack -run Schemas -update\n%s", file, diff)
		}
	}
}

// schemas compiles the schema of each kind of file.
func schemas(t *testing.T) map[string]*jsonschema.Schema {
	t.Helper()
	c, out := jsonschema.NewCompiler(), map[string]*jsonschema.Schema{}
	c.AssertFormat()
	for _, k := range pack.FileKinds {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(k.Schema()))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.AddResource(k.Name+".json", doc); err != nil {
			t.Fatal(err)
		}
		if out[k.Name], err = c.Compile(k.Name + ".json"); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// kindOf is the kind of a file of a pack, by its path from the pack's folder, as an editor finds it.
func kindOf(file string) string {
	for _, k := range pack.FileKinds {
		is := false
		for _, m := range k.Match {
			pattern, not := strings.CutPrefix(m, "!")
			if ok, _ := path.Match(pattern, file); ok {
				is = !not
			}
		}
		if is {
			return k.Name
		}
	}
	return ""
}

// plain is a YAML value as JSON has it, and as YAML 1.2 reads it: a day and a number that is parted with _ are texts.
func plain(n *yaml.Node) any {
	switch n.Kind {
	case yaml.DocumentNode:
		return plain(n.Content[0])
	case yaml.AliasNode:
		return plain(n.Alias)
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		return m
	case yaml.SequenceNode:
		l := []any{}
		for _, c := range n.Content {
			l = append(l, plain(c))
		}
		return l
	}
	var v any
	switch tag := n.ShortTag(); {
	case tag == "!!timestamp", tag == "!!int" && strings.Contains(n.Value, "_"), n.Decode(&v) != nil:
		return n.Value
	}
	return v
}

// validate reads a file as an editor does: what its schema says against it, nil for nothing.
func validate(t *testing.T, all map[string]*jsonschema.Schema, fsys fs.FS, file string) error {
	t.Helper()
	b, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(b, &n); err != nil {
		return err
	}
	s := all[kindOf(file)]
	if s == nil {
		t.Fatalf("%s is of no kind", file)
	}
	return s.Validate(plain(&n))
}

// files calls f with every YAML file of a pack that is loaded.
func files(t *testing.T, fsys fs.FS, f func(file string)) {
	t.Helper()
	for _, glob := range []string{"pack.yaml", "*/*.yaml"} {
		names, err := fs.Glob(fsys, glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range names {
			f(n)
		}
	}
}

// Every file of every shipped pack is what its schema asks for.
func TestShippedFilesFitTheirSchemas(t *testing.T) {
	all, seen := schemas(t), map[string]int{}
	for _, glob := range []string{"*/pack.yaml", "reference/*/pack.yaml"} {
		heads, err := fs.Glob(packs.Files, glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, head := range heads {
			sub, err := fs.Sub(packs.Files, path.Dir(head))
			if err != nil {
				t.Fatal(err)
			}
			files(t, sub, func(file string) {
				seen[kindOf(file)]++
				if err := validate(t, all, sub, file); err != nil {
					t.Errorf("%s/%s: %v", path.Dir(head), file, err)
				}
			})
		}
	}
	for _, k := range pack.FileKinds {
		if seen[k.Name] == 0 {
			t.Errorf("no shipped file is of the kind %s", k.Name)
		}
	}
}

// structural are the mistakes that a file shows by itself, by how the check words them.
var structural = []string{"no key ", " is missing", " is empty", "wants true or false", "wants a list", "wants a mapping", "no type called",
	"no way to take a fact called", "no column type called", "about is person or employer", "no outcome called", "no payee called", "no period called",
	"no way of delivery called", "cannot be the name of a column", "cannot be the name of a constant"}

// A file of a broken pack that has such a mistake fails its schema.
func TestMistakesFailTheSchemas(t *testing.T) {
	all := schemas(t)
	dirs, err := filepath.Glob("testdata/errors/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no broken packs:", err)
	}
	for _, dir := range dirs {
		var mistakes fault.Mistakes
		if _, err := pack.Load(os.DirFS(dir), packs.Files); !errors.As(err, &mistakes) {
			t.Fatal(err)
		}
		for _, m := range mistakes {
			told := func(s string) bool { return strings.Contains(m.Message, s) }
			if m.Line > 0 && kindOf(m.File) != "" && slices.ContainsFunc(structural, told) && validate(t, all, os.DirFS(dir), m.File) == nil {
				t.Errorf("%s: the check says %q, and the schema nothing", dir, m)
			}
		}
	}
}

// Typical mistakes, one at a time in a file that is sound: the schema finds each where it is.
func TestOneMistakeFailsTheSchema(t *testing.T) {
	all := schemas(t)
	const (
		policy = "policies/unemployment-skill-subsidy.yaml"
		tests  = "policies/unemployment-skill-subsidy_test.yaml"
	)
	for _, c := range []struct{ file, from, to, at string }{
		{"pack.yaml", "division:", "divison:", "''"},
		{"codes/skill_level.yaml", "zh: 无技能等级, ", "", "'/items/0'"},
		{"codes/skill_level.yaml", "ordered: true", "ordered: yes", "'/ordered'"},
		{"registers/skill_certificates.yaml", "mode: upsert", "mode: update", "'/mode'"},
		{"registers/skill_certificates.yaml", "key: [certificate_no]", "key: certificate_no", "'/key'"},
		{"registers/skill_certificates.yaml", "class: personal", "class: secret", "'/columns/0/class'"},
		{"facts/certificate.yaml", "take: column", "take: col", "'/facts/0/take'"},
		{"facts/certificate.yaml", "type: day", "type: date", "'/facts/0/type'"},
		{"facts/certificate.yaml", "- name: issued_day", "- name: issued-day", "'/facts/0/name'"},
		{policy, "payee: person", "payee: people", "'/payee'"},
		{policy, "every: once", "every: year", "'/award/every'"},
		{policy, "from: 2017-01-01", "from: 2017-1-1", "'/versions/0/from'"},
		{policy, "from: 2017-01-01", "from: 2017-02-29", "'/versions/0/from'"},
		{policy, "2017-01-01: {value: 36", "2017: {value: 36", "'': '2017'"},
		{policy, "unless:", "except:", "'/rules/0'"},
		{policy, "title: {zh: 失业保险技能提升补贴, en: Skill-upgrading subsidy from unemployment insurance}", "title: 失业保险技能提升补贴", "'/title'"},
		{policy, "junior: 1000_00", "junior: one thousand", "'/parameters/amount_fen/values/2017-01-01/table/junior'"},
		{tests, "want: {outcome: not_in_force}", "want: {outcome: no}", "'/tests/0/want/outcome'"},
		{tests, "want: {outcome: not_in_force}", "wants: {outcome: not_in_force}", "'/tests/0'"},
		{tests, "amount_fen: 1000_00", "amount_fen: 1000.50", "'/tests/1/want/amount_fen'"},
	} {
		b, err := fs.ReadFile(packs.Files, "liaocheng/"+c.file)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Count(b, []byte(c.from)) == 0 {
			t.Fatalf("%s has no %s", c.file, c.from)
		}
		fsys := fstest.MapFS{c.file: {Data: bytes.Replace(b, []byte(c.from), []byte(c.to), 1)}}
		if err := validate(t, all, fsys, c.file); err == nil || !strings.Contains(err.Error(), "at "+c.at) {
			t.Errorf("%s with %q: the schema says %v", c.file, c.to, err)
		}
	}
}

// Every key has words in both languages, so that an editor can say what it means.
func TestEveryKeyHasWords(t *testing.T) {
	for _, k := range pack.FileKinds {
		var s struct {
			Title      string
			Properties map[string]struct{ Description string }
			Defs       map[string]struct {
				Properties map[string]struct{ Description string }
			} `json:"$defs"`
		}
		if err := json.Unmarshal(k.Schema(), &s); err != nil {
			t.Fatal(err)
		}
		say := func(of, key, words string) {
			if words == "" {
				t.Errorf("%s: nothing says what %s of %s means: write a line in words.go", k.Name, key, of)
			}
		}
		for key, p := range s.Properties {
			say("the file", key, p.Description)
		}
		for name, d := range s.Defs {
			for key, p := range d.Properties {
				say(name, key, p.Description)
			}
		}
	}
}

// Every list of the package that a check looks into is in the schemas: its name stands in the table of choices.
func TestEveryChoiceIsInTheSchemas(t *testing.T) {
	src, err := os.ReadFile("schema.go")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(src), "var choices = ")
	table, _, _ = strings.Cut(table, "\n}\n")
	lists, asked := map[string]bool{}, map[string]string{}
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for of := range file.Scope.Objects {
			lists[of] = true
		}
		for _, imp := range file.Imports {
			lists[path.Base(strings.Trim(imp.Path.Value, `"`))] = true
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && len(call.Args) == 4 {
				if fn, ok := call.Fun.(*ast.SelectorExpr); ok && fn.Sel.Name == "oneOf" {
					asked[types.ExprString(call.Args[3])] = name
				}
			}
			return true
		})
	}
	found := 0
	for list, file := range asked {
		root := list[:len(list)-len(strings.TrimLeft(list, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))]
		if !lists[root] && root != "" {
			continue // made there, of names in the pack
		}
		if found++; !strings.Contains(table, ": "+list+",") {
			t.Errorf("%s looks into %s, and the choices of schema.go lack it", file, list)
		}
	}
	if found < 5 {
		t.Errorf("only %d checks of a choice were found", found)
	}
}
