package cli_test

import (
	"bytes"
	"cmp"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bole/internal/cli"
	"bole/internal/finding"
	"bole/internal/locale"
	gocmp "github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the outputs of docs/policies.md anew")

// The first part of docs/policies.md is a path that a newcomer walks: its files are written, its slip is mended, and each of its commands says exactly what
// the page says that it says.
func TestTheTenMinutes(t *testing.T) {
	file, err := filepath.Abs("../../docs/policies.md")
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	_, part, ok := strings.Cut(page, "\n## Ten minutes")
	part, _, ends := strings.Cut(part, "\n## 1. ")
	if !ok || !ends {
		t.Fatal("the page has no ten minutes")
	}
	t.Chdir(t.TempDir())
	t.Setenv("BOLE_LANG", "en")
	named := regexp.MustCompile("^`([a-z_./-]+)`$")
	slip := regexp.MustCompile("in line (\\d+) of `([a-z_./-]+)`:$")
	commands, before := 0, ""
	for lines := strings.Split(part, "\n"); len(lines) > 0; lines = lines[1:] {
		kind, fence := strings.CutPrefix(lines[0], "```")
		if !fence {
			before = cmp.Or(lines[0], before)
			continue
		}
		n := 1 + slices.Index(lines[1:], "```")
		text := strings.Join(lines[1:n], "\n") + "\n"
		lines = lines[n:]
		if kind == "console" {
			commands++
			if got := run(t, text); *update {
				page = strings.Replace(page, "```console\n"+text+"```\n", "```console\n"+got+"```\n", 1)
			} else if diff := gocmp.Diff(text, got); diff != "" {
				t.Errorf("(-page +program):\n%s", diff)
			}
		} else if m := slip.FindStringSubmatch(before); m != nil {
			mend(t, m[2], m[1], text)
		} else if m := named.FindStringSubmatch(before); m != nil {
			if err := errors.Join(os.MkdirAll(filepath.Dir(m[1]), 0o755), os.WriteFile(m[1], []byte(text), 0o644)); err != nil {
				t.Fatal(err)
			}
		} else {
			t.Errorf("a block without a file:\n%s", text)
		}
	}
	if commands != strings.Count(part, "\n$ ") || commands < 5 {
		t.Errorf("%d commands were run", commands)
	}
	if *update {
		if err := os.WriteFile(file, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Whatever a policy's tests can leave untouched has its sentence.
func TestEveryMissingHasItsSentence(t *testing.T) {
	for _, m := range finding.Missings {
		if !locale.Keys()["untouched."+m] {
			t.Errorf("no sentence says that a case is missing: %s", m)
		}
	}
}

// run runs the command in the first line of a block, and returns the block as it should be.
func run(t *testing.T, block string) string {
	t.Helper()
	first, _, _ := strings.Cut(block, "\n")
	args := strings.Fields(first)
	if len(args) < 3 || args[0] != "$" || args[1] != "bole" {
		t.Fatalf("not a command: %s", first)
	}
	var out, told bytes.Buffer
	cli.Run(args[2:], &out, &told)
	return first + "\n" + told.String() + out.String()
}

// mend replaces one line of a file.
func mend(t *testing.T, name, line, text string) {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var n int
	lines := strings.SplitAfter(string(b), "\n")
	if _, err := fmt.Sscan(line, &n); err != nil || n < 1 || n > len(lines) {
		t.Fatalf("%s has no line %s", name, line)
	}
	lines[n-1] = text
	if err := os.WriteFile(name, []byte(strings.Join(lines, "")), 0o644); err != nil {
		t.Fatal(err)
	}
}
