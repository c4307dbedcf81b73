package pack_test

import (
	"io/fs"
	"testing"

	"bole/internal/pack"
	"bole/packs"
)

// Every shipped pack loads without a mistake, every policy has tests, and what it assumes is said in both languages.
func TestShippedPacks(t *testing.T) {
	for _, dir := range []string{"liaocheng", "reference/qingdao"} {
		sub, err := fs.Sub(packs.Files, dir)
		if err != nil {
			t.Fatal(err)
		}
		p, err := pack.Load(sub, packs.Files)
		if err != nil {
			t.Errorf("%s:\n%v", dir, err)
			continue
		}
		for _, pol := range p.Policies {
			if len(pol.Tests) == 0 {
				t.Errorf("%s: %s has no tests", dir, pol.Name)
			}
		}
	}
}
