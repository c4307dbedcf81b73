package finding_test

import (
	"testing"

	"bole/internal/finding"
)

// How long bole policy test takes, for the city's pack and for all that are shipped.
func BenchmarkPolicyTests(b *testing.B) {
	all := cities(b)
	for _, of := range []string{"liaocheng", "all"} {
		b.Run(of, func(b *testing.B) {
			for b.Loop() {
				for dir, p := range all {
					if of != "all" && dir != of {
						continue
					}
					if rep, err := finding.Test(b.Context(), p); err != nil || len(rep.Failures) > 0 {
						b.Fatal(rep.Failures, err)
					}
				}
			}
		})
	}
}
