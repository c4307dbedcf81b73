package register

import (
	"path/filepath"
	"testing"
	"time"

	"bole/internal/city"
)

// BenchmarkLoad takes one month of contributions of 20,000 people, some 35,000 rows of GB18030, into a home that knows them.
func BenchmarkLoad(b *testing.B) {
	o := newOffice(b, liaocheng(b))
	delivered, err := city.Write(b.Context(), o.Pack, filepath.Join(b.TempDir(), "deliveries"), city.Options{People: 20000, Seed: 1, Until: 202412})
	if err != nil {
		b.Fatal(err)
	}
	load := func(i int) int64 {
		f := delivered[i]
		rep, err := o.Load(b.Context(), Delivery{Register: f.Register, Path: f.Path, Received: f.Received, Cutoff: f.Cutoff, At: time.Unix(1, 0)})
		if err != nil {
			b.Fatal(err)
		}
		return rep.Rows
	}
	load(0)
	load(1)
	next := 2
	rows := int64(0)
	b.ResetTimer()
	for b.Loop() {
		if delivered[next].Register != "contributions" {
			b.Fatal("the city has too few months")
		}
		rows += load(next)
		next++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(rows), "ns/row")
}
