package pack_test

import (
	"io/fs"
	"path"
	"testing"

	"bole/internal/pack"
	"bole/packs"
)

// How long bole pack check takes, for the city's pack and for all that are shipped.
func BenchmarkCheck(b *testing.B) {
	var all []string
	for _, glob := range []string{"*/pack.yaml", "reference/*/pack.yaml"} {
		names, err := fs.Glob(packs.Files, glob)
		if err != nil {
			b.Fatal(err)
		}
		all = append(all, names...)
	}
	for name, heads := range map[string][]string{"liaocheng": all[:1], "all": all} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				for _, head := range heads {
					sub, err := fs.Sub(packs.Files, path.Dir(head))
					if err != nil {
						b.Fatal(err)
					}
					if _, err := pack.Load(sub, packs.Files); err != nil {
						b.Fatal(err)
					}
				}
			}
		})
	}
}
