package bench

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"bole/internal/fault"
)

// The benchmark of loads runs with few people wherever there is a PostgreSQL; its speed counts in the long tests only.
func TestLoadEndsWithTheSameRows(t *testing.T) {
	temp := t.TempDir()
	es, err := Load(t.Context(), Options{Temp: temp, Rounds: 1, People: 1000, Clock: time.Now})
	if why := (*fault.E)(nil); errors.As(err, &why) && why.Key == "store.no_postgres" {
		return // it said what to install; storetest sees to it that this is no way to pass
	}
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, e := range es {
		seen[e.Name] = true
		if e.OK != nil && !*e.OK && !strings.HasSuffix(e.Name, "_seconds") {
			t.Errorf("%s: %.0f, want %.0f", e.Name, e.Value, *e.Yardstick)
		}
		if e.Value <= 0 {
			t.Errorf("%s is %v", e.Name, e.Value)
		}
	}
	for _, name := range []string{"people_sqlite_seconds", "people_postgres_seconds", "load_gb18030_seconds"} {
		if !seen[name] {
			t.Errorf("no %s", name)
		}
	}
	if left, _ := os.ReadDir(temp); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
