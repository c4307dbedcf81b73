package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"bole/internal/auth"
	"bole/internal/cli"
	"bole/packs"
	"github.com/rogpeppe/go-internal/testscript"
	"github.com/xuri/excelize/v2"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"bole": func() { os.Exit(cli.Run(os.Args[1:], os.Stdout, os.Stderr)) },
	})
}

// The program as people run it, one script a matter: testdata/script.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"code":   code,
			"json":   value,
			"keys":   keys,
			"pick":   pick,
			"book":   book,
			"copy":   shipped,
			"append": appended,
			"mode":   mode,
			"number": number,
			"totp":   totp,
		},
		RequireUniqueNames: true,
	})
}

// code N COMMAND ARG...: the program ends with N.
func code(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		if _, scanned := fmt.Sscanf(err.Error(), "exit status %d", &got); scanned != nil {
			ts.Fatalf("%v", err)
		}
	}
	if got != want {
		ts.Fatalf("ended with %d, want %d", got, want)
	}
}

// at follows a path of keys and places through a document: policies.0.eligible.
func at(ts *testscript.TestScript, path string) any {
	var v any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	for _, k := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			var ok bool
			if v, ok = x[k]; !ok {
				ts.Fatalf("no %s of %s", k, path)
			}
		case []any:
			i, err := strconv.Atoi(k)
			if err != nil || i >= len(x) {
				ts.Fatalf("no %s of %s among %d", k, path, len(x))
			}
			v = x[i]
		default:
			if k != "" {
				ts.Fatalf("nothing under %s of %s", k, path)
			}
		}
	}
	return v
}

// json PATH [VALUE], json PATH > NAME: what stdout holds there is VALUE, or goes into a variable.
func value(ts *testscript.TestScript, neg bool, args []string) {
	got := fmt.Sprint(at(ts, args[0]))
	if f, ok := at(ts, args[0]).(float64); ok {
		got = strconv.FormatFloat(f, 'f', -1, 64)
	}
	if len(args) == 3 && args[1] == ">" {
		ts.Setenv(args[2], got)
		return
	}
	if len(args) == 2 && (got == args[1]) == neg {
		ts.Fatalf("%s is %s", args[0], got)
	}
}

// keys PATH KEY...: the object there has these keys, and may come to have more. PATH . is the document.
func keys(ts *testscript.TestScript, _ bool, args []string) {
	var v any
	if args[0] == "." {
		ts.Check(json.Unmarshal([]byte(ts.ReadFile("stdout")), &v))
	} else {
		v = at(ts, args[0])
	}
	m, ok := v.(map[string]any)
	if !ok {
		ts.Fatalf("%s is no object", args[0])
	}
	for _, k := range args[1:] {
		if _, ok := m[k]; !ok {
			ts.Fatalf("%s has no %s", args[0], k)
		}
	}
}

// pick VAR FILE COLUMN [COLUMN=VALUE]...: a cell of the first row of a CSV file that has the values.
func pick(ts *testscript.TestScript, neg bool, args []string) {
	rows, err := csv.NewReader(strings.NewReader(ts.ReadFile(args[1]))).ReadAll()
	ts.Check(err)
	column := map[string]int{}
	for i, h := range rows[0] {
		column[h] = i
	}
next:
	for _, r := range rows[1:] {
		for _, cond := range args[3:] {
			k, v, _ := strings.Cut(cond, "=")
			if i, ok := column[k]; !ok || r[i] != v {
				continue next
			}
		}
		if neg {
			ts.Fatalf("there is such a row: %v", r)
		}
		ts.Setenv(args[0], r[column[args[2]]])
		return
	}
	if !neg {
		ts.Fatalf("no row with %v in %d", args[3:], len(rows)-1)
	}
}

// book FILE TEXT...: a workbook holds cells with the texts.
func book(ts *testscript.TestScript, _ bool, args []string) {
	f, err := excelize.OpenFile(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	cells := map[string]bool{}
	for _, name := range f.GetSheetList() {
		rows, err := f.GetRows(name)
		ts.Check(err)
		for _, r := range rows {
			for _, c := range r {
				cells[c] = true
			}
		}
	}
	for _, want := range args[1:] {
		if !cells[want] {
			ts.Fatalf("no cell %q", want)
		}
	}
}

// copy PACK DIR: the files of a shipped pack.
func shipped(ts *testscript.TestScript, _ bool, args []string) {
	sub, err := fs.Sub(packs.Files, args[0])
	ts.Check(err)
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), sub))
}

// append FILE OTHER: the text of another file behind a file's own.
func appended(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0]) + ts.ReadFile(args[1])
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o644))
}

// mode FILE MODE
func mode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[1] {
		ts.Fatalf("%s has mode %s", args[0], got)
	}
}

// number FILE: puts valid identity numbers in the place of ID1, ID2, ID3 in a file.
func number(ts *testscript.TestScript, _ bool, args []string) {
	for _, file := range args {
		text := ts.ReadFile(file)
		for i := range 4 {
			text = strings.ReplaceAll(text, fmt.Sprintf("ID%d", i), citizen(i))
		}
		ts.Check(os.WriteFile(filepath.Clean(ts.MkAbs(file)), []byte(text), 0o600))
	}
}

// totp NAME SECRET: the code that an authenticator shows now goes into a variable.
func totp(ts *testscript.TestScript, _ bool, args []string) {
	code, err := auth.Code(args[1], time.Now())
	ts.Check(err)
	ts.Setenv(args[0], code)
}

func citizen(i int) string {
	s := fmt.Sprintf("37150219900101%03d", i+1)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}
