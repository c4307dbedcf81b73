package bole_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// line is one package of the house: its name under internal (with a leading slash: its folder from the root), and the packages
// that its non-test files may import directly. A "*" may import everything.
type line struct{ name, may string }

// words are the leaves that nearly every package speaks.
const words = "money calendar fault law"

// floorPlan is the plan of the house. Data flows one way: a line names only packages on lines above it. A package arrives when
// it is needed, with its line; to bend the plan is to edit this table, in the open.
var floorPlan = []line{
	{"money", ""},
	{"calendar", ""},
	{"fault", ""},
	{"law", "calendar"},
	{"seal", "fault"},
	{"columnar", "fault"},
	{"store", "fault"},
	{"sheet", "calendar fault"},
	{"expr", words},
	{"locale", words},
	{"audit", "calendar fault seal store"},
	{"auth", "calendar fault seal store audit"},
	{"files", "fault seal store"},
	{"pack", words + " expr locale"},
	{"vault", words + " audit pack seal store"},
	{"lake", "calendar columnar fault store"},
	{"register", words + " pack sheet files vault lake columnar locale store audit"},
	{"fact", words + " expr pack lake columnar"},
	{"policy", words + " expr pack"},
	{"finding", words + " expr pack fact policy lake columnar"},
	{"tell", words + " pack policy finding locale"},
	{"web", words + " locale files pack register fact policy finding tell"}, // never lake, columnar, store
	{"city", words + " pack sheet"},                                         // it writes delivery files, nothing else
	{"/packs", ""},                                                          // the packs that the binary carries
	{"bench", "*"},
	{"cli", "*"},
	{"/cmd/bole", "cli"},
}

// Pseudonymity is a property of the table: nothing that computes over everyone can reach the people behind the holders.
var (
	pseudonymous = []string{"lake", "fact", "policy", "finding", "figure", "match"}
	identifying  = []string{"vault", "register"}
)

// mayReadClock are the packages at the edge. Everywhere else a day, or a clock, is an argument.
var mayReadClock = []string{"cli", "bench", "web"}

// mayStepAside is the one file that skips a test: of a database that is not there. .ci/need sees that it is, and a skip is a failure there.
const mayStepAside = "internal/store/storetest/storetest.go"

// refusedNames say nothing about what is inside.
var refusedNames = []string{"util", "utils", "common", "helper", "helpers", "model", "models", "services", "pkg"}

// docLines is how long a package comment is at least.
const docLines = 5

func TestTheHouseFollowsItsPlan(t *testing.T) {
	broken, err := inspect(os.DirFS("."), floorPlan)
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range append(checkPlan(floorPlan), broken...) {
		t.Error(b)
	}
}

// checkPlan walks the table and not the code: each line names only lines above it, so the arrows are one-way, and no path
// leads from a pseudonymous package to an identifying one.
func checkPlan(plan []line) (broken []string) {
	above := []string{}
	paths := map[string]map[string]string{} // package → each package that it reaches → a shortest path there, "a > b > c"
	for _, l := range plan {
		if slices.Contains(above, l.name) {
			broken = append(broken, l.name+": stands twice on the floor plan")
		}
		row := strings.Fields(l.may)
		if l.may == "*" {
			row = above
		}
		paths[l.name] = map[string]string{}
		for _, to := range row {
			if !slices.Contains(above, to) {
				broken = append(broken, fmt.Sprintf("%s: may import %s, which is on no line above it", l.name, to))
			}
			keepShorter(paths[l.name], to, l.name+" > "+to)
			for end, p := range paths[to] {
				keepShorter(paths[l.name], end, l.name+" > "+p)
			}
		}
		for _, named := range identifying {
			if p, ok := paths[l.name][named]; ok && slices.Contains(pseudonymous, l.name) {
				broken = append(broken, "the plan leads from pseudonymous to named: "+p)
			}
		}
		above = append(above, l.name)
	}
	return broken
}

func keepShorter(paths map[string]string, end, p string) {
	if old, ok := paths[end]; !ok || strings.Count(p, ">") < strings.Count(old, ">") {
		paths[end] = p
	}
}

// inspect reads every Go file of the tree, as the go command would see it, and returns what breaks the rules, by file. It
// parses in this process: a child process would hide what it read from the test cache.
func inspect(tree fs.FS, plan []line) (broken []string, err error) {
	packages := map[string]*ast.File{} // folder of production code → its doc.go, or nil
	err = fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			return enter(name)
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := fs.ReadFile(tree, name)
		if err != nil {
			return err
		}
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			broken = append(broken, err.Error())
			return nil
		}
		if folder := path.Dir(name); !strings.HasSuffix(name, "_test.go") {
			if path.Base(name) == "doc.go" || packages[folder] == nil {
				packages[folder] = docOf(name, file)
			}
			broken = append(broken, checkImports(name, file, plan)...)
		}
		broken = append(broken, checkCode(files, name, file)...)
		return nil
	})
	for folder, doc := range packages {
		broken = append(broken, checkPackage(folder, doc, plan)...)
	}
	slices.Sort(broken)
	return broken, err
}

// enter leaves out the folders that the go command leaves out, and what npm fetched.
func enter(folder string) error {
	base := path.Base(folder)
	if folder != "." && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules") {
		return fs.SkipDir
	}
	return nil
}

func docOf(name string, file *ast.File) *ast.File {
	if path.Base(name) == "doc.go" {
		return file
	}
	return nil
}

// roomOf is the name on the plan of the package in a folder: a folder below a package belongs to it.
func roomOf(folder string) string {
	if inside, ok := strings.CutPrefix(folder, "internal/"); ok {
		room, _, _ := strings.Cut(inside, "/")
		return room
	}
	return "/" + strings.TrimPrefix(folder, ".")
}

func checkPackage(folder string, doc *ast.File, plan []line) (broken []string) {
	if !slices.ContainsFunc(plan, func(l line) bool { return l.name == roomOf(folder) }) {
		broken = append(broken, folder+": is not on the floor plan")
	}
	for _, part := range strings.Split(folder, "/") {
		if slices.Contains(refusedNames, part) {
			broken = append(broken, folder+": a package is named for what it does, not "+part)
		}
	}
	switch {
	case doc == nil:
		broken = append(broken, folder+": has no doc.go")
	case strings.Count(doc.Doc.Text(), "\n") < docLines:
		broken = append(broken, fmt.Sprintf("%s: the package comment in doc.go has fewer than %d lines", folder, docLines))
	}
	return broken
}

func checkImports(name string, file *ast.File, plan []line) (broken []string) {
	from := roomOf(path.Dir(name))
	at := slices.IndexFunc(plan, func(l line) bool { return l.name == from })
	if at < 0 {
		return nil // checkPackage says it, once a folder
	}
	may := strings.Fields(plan[at].may)
	for _, imp := range file.Imports {
		folder, ours := strings.CutPrefix(importPath(imp), "bole/")
		to := roomOf(folder)
		if ours && to != from && !slices.Contains(may, "*") && !slices.Contains(may, to) {
			broken = append(broken, fmt.Sprintf("%s: %s may not import %s", name, from, to))
		}
	}
	return broken
}

// checkCode looks into one file: its package name, init functions, clocks, and tests that step aside.
func checkCode(files *token.FileSet, name string, file *ast.File) (broken []string) {
	say := func(at token.Pos, what string) {
		broken = append(broken, fmt.Sprintf("%s:%d: %s", name, files.Position(at).Line, what))
	}
	if slices.Contains(refusedNames, file.Name.Name) {
		say(file.Name.Pos(), "a package is named for what it does, not "+file.Name.Name)
	}
	clock, tests := importedAs(file, "time"), importedAs(file, "testing") != ""
	if strings.HasSuffix(name, "_test.go") || slices.Contains(mayReadClock, roomOf(path.Dir(name))) {
		clock = ""
	}
	if clock == "." {
		say(file.Pos(), "imports time with a dot, which hides whether it reads the clock")
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == "init" && !ast.IsGenerated(file) {
				say(n.Pos(), "func init: wire it where it is used")
			}
		case *ast.SelectorExpr:
			of, _ := n.X.(*ast.Ident)
			if what := n.Sel.Name; clock != "" && of != nil && of.Name == clock && slices.Contains([]string{"Now", "Since", "Until"}, what) {
				say(n.Pos(), "reads the clock (time."+what+"); take a day or a clock as an argument")
			} else if tests && name != mayStepAside && slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, what) {
				say(n.Pos(), "a test is not skipped ("+what+")")
			}
		}
		return true
	})
	return broken
}

// importedAs is the name under which a file knows a package of the standard library, or "" when it does not import it.
func importedAs(file *ast.File, pkg string) string {
	for _, imp := range file.Imports {
		if importPath(imp) == pkg {
			if imp.Name != nil {
				return imp.Name.Name
			}
			return pkg
		}
	}
	return ""
}

func importPath(imp *ast.ImportSpec) string {
	p, _ := strconv.Unquote(imp.Path.Value)
	return p
}

// soundDoc is a package comment of the length that is asked for.
const soundDoc = "// Package x is\n// a\n// page\n// about\n// it.\npackage x\n"

func TestAViolationIsFound(t *testing.T) {
	cases := []struct {
		name string
		file string // one file that is added to a sound tree
		text string
		want string
	}{
		{"a package that is not on the plan", "internal/shed/doc.go", soundDoc, "internal/shed: is not on the floor plan"},
		{"a package outside internal that is not on the plan", "tools/doc.go", soundDoc, "tools: is not on the floor plan"},
		{"production code at the root", "doc.go", soundDoc, ".: is not on the floor plan"},
		{"a name that says nothing", "internal/fact/util/doc.go", soundDoc,
			"internal/fact/util: a package is named for what it does, not util"},
		{"a package clause that says nothing", "internal/fact/x.go", "package models\n",
			"internal/fact/x.go:1: a package is named for what it does, not models"},
		{"an import that the line lacks", "internal/fact/x.go", "package fact\nimport \"bole/internal/vault\"\n",
			"internal/fact/x.go: fact may not import vault"},
		{"the same import under another name", "internal/fact/x.go", "package fact\nimport v \"bole/internal/vault\"\n",
			"internal/fact/x.go: fact may not import vault"},
		{"an import from a folder below a package", "internal/fact/deep/x.go", "package deep\nimport \"bole/internal/vault/map\"\n",
			"internal/fact/deep/x.go: fact may not import vault"},
		{"a folder below a package without a doc.go", "internal/fact/deep/x.go", "package deep\n", "internal/fact/deep: has no doc.go"},
		{"a command that imports a stage", "cmd/bole/x.go", "package main\nimport \"bole/internal/fact\"\n",
			"cmd/bole/x.go: /cmd/bole may not import fact"},
		{"a package comment of one line", "internal/fact/doc.go", "// Package fact is short.\npackage fact\n",
			"internal/fact: the package comment in doc.go has fewer than 5 lines"},
		{"a stage that reads the clock", "internal/fact/x.go", "package fact\nimport \"time\"\nvar at = time.Now()\n",
			"internal/fact/x.go:3: reads the clock (time.Now); take a day or a clock as an argument"},
		{"a stage that hands the clock on", "internal/fact/x.go", "package fact\nimport now \"time\"\nvar at = now.Now\n",
			"internal/fact/x.go:3: reads the clock (time.Now); take a day or a clock as an argument"},
		{"a stage that measures", "internal/fact/x.go", "package fact\nimport \"time\"\nvar at = time.Since(time.Time{})\n",
			"internal/fact/x.go:3: reads the clock (time.Since); take a day or a clock as an argument"},
		{"a clock behind a dot", "internal/fact/x.go", "package fact\nimport . \"time\"\nvar at = Now()\n",
			"internal/fact/x.go:1: imports time with a dot, which hides whether it reads the clock"},
		{"a skipped test", "internal/fact/x_test.go", "package fact\nimport \"testing\"\nfunc TestX(t *testing.T) { t.Skipf(\"later\") }\n",
			"internal/fact/x_test.go:3: a test is not skipped (Skipf)"},
		{"a test of the root that is skipped", "x_test.go", "package x\nimport \"testing\"\nfunc TestX(t *testing.T) { t.SkipNow() }\n",
			"x_test.go:3: a test is not skipped (SkipNow)"},
		{"an init function", "internal/fact/x.go", "package fact\nfunc init() {}\n", "internal/fact/x.go:2: func init: wire it where it is used"},
		{"a file that is not Go", "internal/fact/x.go", "func", "internal/fact/x.go:1:1: expected 'package', found 'func'"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			tree := soundTree()
			tree[c.file] = &fstest.MapFile{Data: []byte(c.text)}
			broken, err := inspect(tree, floorPlan)
			if err != nil || !slices.Contains(broken, c.want) {
				t.Errorf("want %q among %q, error %v", c.want, broken, err)
			}
		})
	}
}

// soundTree breaks no rule and comes near several.
func soundTree() fstest.MapFS {
	tree := fstest.MapFS{}
	for name, text := range map[string]string{
		"x_test.go":                    "package bole_test\nimport \"testing\"\nfunc TestX(t *testing.T) {}\n",
		"cmd/bole/doc.go":              soundDoc + "import _ \"bole/internal/cli\"\n",
		"internal/fact/doc.go":         soundDoc + "import (\n\"time\"\n_ \"bole/internal/lake\"\n_ \"os\"\n)\nvar day time.Time\nvar Now = 1\n",
		"internal/fact/x_test.go":      "package x\nimport (\n\"time\"\n_ \"bole/internal/vault\"\n)\nvar at = time.Now()\n",
		"internal/fact/x.pb.go":        "// Code generated by x. DO NOT EDIT.\n\npackage x\nfunc init() {}\n",
		"internal/fact/read.go":        "package x\ntype reader interface{ Skip() error }\nfunc skip(r reader) error { return r.Skip() }\nfunc (reader2) init() {}\ntype reader2 struct{}\n",
		"internal/fact/testdata/x.go":  "package util\n",
		"web/node_modules/common/x.go": "package common\n",
		"internal/cli/doc.go":          soundDoc + "import (\n\"time\"\n_ \"bole/internal/vault\"\n)\nvar at = time.Now\n",
		"internal/web/doc.go":          soundDoc,
		"internal/web/assets/doc.go":   soundDoc,
		"internal/web/page.go":         "package x\nimport _ \"bole/internal/web/assets\"\n",
		"packs/doc.go":                 soundDoc,
	} {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

func TestASoundTreePasses(t *testing.T) {
	broken, err := inspect(soundTree(), floorPlan)
	if err != nil || len(broken) > 0 {
		t.Errorf("want nothing, got %q, error %v", broken, err)
	}
}

func TestABentPlanIsFound(t *testing.T) {
	cases := []struct {
		name string
		plan []line
		want string
	}{
		{"a direct path to the vault", []line{{"vault", ""}, {"lake", "vault"}},
			"the plan leads from pseudonymous to named: lake > vault"},
		{"a path over two others", []line{{"vault", ""}, {"audit", "vault"}, {"books", "audit"}, {"figure", "books"}},
			"the plan leads from pseudonymous to named: figure > books > audit > vault"},
		{"a path to the registers", []line{{"register", ""}, {"fact", ""}, {"match", "fact register"}},
			"the plan leads from pseudonymous to named: match > register"},
		{"a star that reaches the vault", []line{{"vault", ""}, {"policy", "*"}},
			"the plan leads from pseudonymous to named: policy > vault"},
		{"an arrow against the flow", []line{{"fact", "finding"}, {"finding", ""}},
			"fact: may import finding, which is on no line above it"},
		{"a name that is no package", []line{{"fact", "lakee"}}, "fact: may import lakee, which is on no line above it"},
		{"a package with two lines", []line{{"fact", ""}, {"fact", "*"}}, "fact: stands twice on the floor plan"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if broken := checkPlan(c.plan); !slices.Contains(broken, c.want) {
				t.Errorf("want %q among %q", c.want, broken)
			}
		})
	}
}
