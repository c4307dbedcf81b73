package pack_test

import (
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/fault"
	"bole/internal/pack"
	"bole/packs"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the reports of testdata/errors anew")

// Each folder of testdata/errors is a pack with mistakes, and report.txt is exactly what its writer must be told.
func TestBrokenPacks(t *testing.T) {
	dirs, err := filepath.Glob("testdata/errors/*")
	if err != nil || len(dirs) == 0 {
		t.Fatal("no broken packs:", err)
	}
	for _, dir := range dirs {
		t.Run(filepath.Base(dir), func(t *testing.T) {
			p, err := pack.Load(os.DirFS(dir), packs.Files)
			var mistakes fault.Mistakes
			if !errors.As(err, &mistakes) || p != nil {
				t.Fatalf("loaded, or failed otherwise than by mistakes: %v", err)
			}
			got, report := mistakes.Error()+"\n", filepath.Join(dir, "report.txt")
			if *update {
				if err := os.WriteFile(report, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(report)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("report (-want +got):\n%s", diff)
			}
		})
	}
}

// policyOf is the policy that a file in policies/ is about.
func policyOf(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".")
	return strings.TrimSuffix(name, "_test")
}

// A file that was cut anywhere gives a pack or mistakes with their place, and never a panic.
func TestCutFiles(t *testing.T) {
	whole := fstest.MapFS{}
	err := fs.WalkDir(packs.Files, "liaocheng", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(packs.Files, name)
		whole[strings.TrimPrefix(name, "liaocheng/")] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cuts := 2 // a file; each cut is the loading of a pack
	if os.Getenv("BOLE_FULL") == "1" {
		cuts = 30
	}
	for name, file := range whole {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dice := rand.New(rand.NewPCG(1, uint64(len(file.Data))))
			cut := fstest.MapFS{}
			for k, v := range whole { // one policy will do beside a file, its own or any: another cannot matter
				if path.Dir(k) != "policies" || policyOf(k) == policyOf(name) || path.Dir(name) != "policies" && policyOf(k) == "unemployment-skill-subsidy" {
					cut[k] = v
				}
			}
			for range cuts {
				at := dice.IntN(len(file.Data))
				cut[name] = &fstest.MapFile{Data: file.Data[:at]}
				mustTell(t, at, cut)
			}
		})
	}
}

func mustTell(t *testing.T, at int, fsys fs.FS) {
	t.Helper()
	defer func() {
		if x := recover(); x != nil {
			t.Errorf("cut after %d bytes: panic: %v", at, x)
		}
	}()
	p, err := pack.Load(fsys, packs.Files)
	var mistakes fault.Mistakes
	switch {
	case err == nil && p != nil:
	case !errors.As(err, &mistakes) || len(mistakes) == 0 || p != nil:
		t.Errorf("cut after %d bytes: neither a pack nor mistakes: %v", at, err)
	}
	for _, m := range mistakes {
		if _, err := fs.Stat(fsys, m.File); err != nil && m.Line > 0 || m.Message == "" || m.Line > 0 && (m.Column < 1 || m.Column > len([]rune(m.Source))+1) {
			t.Errorf("cut after %d bytes: a mistake without its place: %+v", at, m)
		}
	}
}
