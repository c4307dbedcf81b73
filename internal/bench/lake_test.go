package bench

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The lake's answers are checked for few people, wherever the yardstick is at hand; for everybody, and the speed, only by the benchmark itself.
func TestLakeAnswers(t *testing.T) {
	folder := os.Getenv("BOLE_BENCH")
	if folder == "" {
		return // TestScreenAnswers says what comes of that
	}
	temp := t.TempDir()
	es, err := Lake(t.Context(), Options{Folder: folder, Temp: temp, Rounds: 1, People: 3000, Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	judged := 0
	for _, e := range es {
		if e.OK == nil || strings.HasSuffix(e.Name, "_seconds") {
			continue
		}
		judged++
		if !*e.OK {
			t.Errorf("%s: %.0f, want %.0f", e.Name, e.Value, *e.Yardstick)
		}
		if e.Value <= 0 {
			t.Errorf("%s is %v", e.Name, e.Value)
		}
	}
	if judged < 10 {
		t.Errorf("only %d answers were judged", judged)
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
