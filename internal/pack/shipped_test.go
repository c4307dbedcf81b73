package pack_test

import (
	"io/fs"
	"path"
	"slices"
	"testing"

	"bole/internal/pack"
	"bole/packs"
)

// Every shipped pack loads without a mistake, and every policy has tests. What is assumed is said in both languages, or the pack would not load.
func TestShippedPacks(t *testing.T) {
	own, err := fs.Glob(packs.Files, "*/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	others, err := fs.Glob(packs.Files, "reference/*/pack.yaml")
	if err != nil || len(own) == 0 || len(others) == 0 {
		t.Fatalf("%d packs and %d reference packs, %v", len(own), len(others), err)
	}
	for _, file := range slices.Concat(own, others) {
		dir := path.Dir(file)
		sub, err := fs.Sub(packs.Files, dir)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pack.Load(sub, packs.Files)
		if err != nil {
			t.Errorf("%s:\n%v", dir, err)
			continue
		}
		if len(p.Policies) == 0 {
			t.Errorf("%s has no policy", dir)
		}
		for _, pol := range p.Policies {
			if len(pol.Tests) == 0 {
				t.Errorf("%s: %s has no tests", dir, pol.Name)
			}
		}
	}
}
