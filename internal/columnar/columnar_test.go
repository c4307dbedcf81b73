package columnar

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
)

// A killed process's folder goes at the next start; a living one's stays.
func TestSweepOfTheDead(t *testing.T) {
	dir := t.TempDir()
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Fatal(err)
	}
	dead := filepath.Join(dir, "duckdb-"+strconv.Itoa(gone.Process.Pid)+"-1")
	if err := os.MkdirAll(dead, 0o700); err != nil {
		t.Fatal(err)
	}
	first, err := Open(Config{TempDir: dir, Threads: 1, MemoryMB: 100})
	if err != nil {
		t.Fatal(err)
	}
	second, err := Open(Config{TempDir: dir, Threads: 1, MemoryMB: 100})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the dead process's folder is still there: %v", err)
	}
	if _, err := os.Stat(first.temp); err != nil {
		t.Errorf("the first instance lost its folder: %v", err)
	}
	for _, db := range []*DB{first, second} {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
