package bench

import (
	"os"
	"strings"
	"testing"
	"time"

	"bole/internal/fault"
)

func TestPackOfTheYardstick(t *testing.T) {
	p, err := Pack()
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Policies) != len(answers) {
		t.Errorf("%d policies, want %d", len(p.Policies), len(answers))
	}
}

// The answers are checked wherever the yardstick is at hand, as it is for every change; the speed only in the long tests.
func TestScreenAnswers(t *testing.T) {
	folder := os.Getenv("BOLE_BENCH")
	if folder == "" {
		_, err := Screen(t.Context(), Options{Folder: t.TempDir(), Clock: time.Now})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("without a yardstick: %v", err)
		}
		return
	}
	es, err := Screen(t.Context(), Options{Folder: folder, Temp: t.TempDir(), Rounds: 1, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, e := range es {
		if strings.HasSuffix(e.Name, "_seconds") || e.OK == nil {
			continue
		}
		judged++
		if !*e.OK {
			t.Errorf("%s: %.0f, want %.0f", e.Name, e.Value, *e.Yardstick)
		}
	}
	if judged < 30 {
		t.Errorf("only %d answers were judged", judged)
	}
}

func TestByTurnsTakesMedians(t *testing.T) {
	var now time.Time
	o := Options{Rounds: 3, Clock: func() time.Time { return now }}
	steps := []time.Duration{9, 1, 5, 100} // the first is the warm-up
	i := -1
	a, b, err := o.byTurns(t.Context(),
		func() error { i++; now = now.Add(steps[i] * time.Second); return nil },
		func() error { now = now.Add(2 * time.Second); return nil })
	if err != nil || a != 5 || b != 2 {
		t.Errorf("medians %v and %v, %v; want 5 and 2", a, b, err)
	}
}
