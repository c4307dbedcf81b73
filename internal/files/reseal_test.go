package files

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"bole/internal/fault"
	"bole/internal/seal"
)

// rotated is a store of some files, sealed with a key that is no longer the current one.
func rotated(t *testing.T, sizes ...int) (s *Store, sums []string, dir string) {
	t.Helper()
	s = store(t)
	dir = filepath.Dir(s.dir)
	for i, size := range sizes {
		sums = append(sums, put(t, s, content(size+i)))
	}
	if _, err := seal.Rotate(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	return s, sums, dir
}

func (s *Store) wantAll(t *testing.T, key seal.KeyID, n int64) {
	t.Helper()
	got, err := s.Sealed(t.Context())
	if err != nil || len(got) != 1 || got[key] != n {
		t.Errorf("sealed by key: %v, %v; want %d by %v", got, err, n, key)
	}
}

func TestResealKeepsNamesAndContents(t *testing.T) {
	s, sums, _ := rotated(t, 0, 10, chunkSize*5/2)
	before := stored(t, s)
	open, err := s.Open(sums[2]) // by somebody who reads while it is replaced
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	n, err := s.Reseal(t.Context(), nil)
	if err != nil || n != 3 {
		t.Fatalf("%d resealed, %v", n, err)
	}
	s.wantAll(t, s.keys.Current(), 3)
	if after := stored(t, s); len(after) != len(before) {
		t.Errorf("files %v, were %v", after, before)
	}
	for i, size := range []int{0, 11, chunkSize*5/2 + 2} {
		if got, err := get(s, sums[i]); err != nil || !bytes.Equal(got, content(size)) {
			t.Errorf("file %d: %d bytes, %v", i, len(got), err)
		}
	}
	if got, err := io.ReadAll(open); err != nil || !bytes.Equal(got, content(chunkSize*5/2+2)) {
		t.Errorf("a reader of the old file got %d bytes, %v", len(got), err)
	}
	if n, err := s.Reseal(t.Context(), nil); err != nil || n != 0 {
		t.Errorf("a second time: %d resealed, %v", n, err)
	}
}

func TestAResealThatIsStoppedGoesOn(t *testing.T) {
	s, sums, _ := rotated(t, 10, 20, 30, 40)
	ctx, cancel := context.WithCancel(t.Context())
	n, err := s.Reseal(ctx, func(n int64) {
		if n == 2 {
			cancel()
		}
	})
	if err == nil || n != 2 {
		t.Fatalf("%d resealed before the end, %v", n, err)
	}
	for i, sum := range sums {
		if got, err := get(s, sum); err != nil || !bytes.Equal(got, content(10*(i+1)+i)) {
			t.Errorf("file %d in between: %v", i, err)
		}
	}
	if n, err := s.Reseal(t.Context(), nil); err != nil || n != 2 {
		t.Fatalf("%d resealed afterwards, %v", n, err)
	}
	s.wantAll(t, s.keys.Current(), 4)
}

func TestADamagedFileDoesNotHoldUpTheOthers(t *testing.T) {
	s, sums, _ := rotated(t, 10, 20, 30)
	name := s.path(sums[1])
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)-1] ^= 1
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	n, err := s.Reseal(t.Context(), nil)
	if n != 2 || fault.KindOf(err) != fault.Invalid {
		t.Errorf("%d resealed, %v", n, err)
	}
	if now, err := os.ReadFile(name); err != nil || !bytes.Equal(now, b) {
		t.Error("the damaged file was changed")
	}
}

// The test runs itself as another process, which is killed in the middle of its work.
func TestAResealThatIsKilledGoesOn(t *testing.T) {
	if dir := os.Getenv("BOLE_TEST_RESEAL"); dir != "" {
		keys, err := seal.Open(filepath.Join(dir, "keys"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(filepath.Join(dir, "files"), keys).Reseal(t.Context(), func(n int64) {
			if n == 2 {
				os.WriteFile(filepath.Join(dir, "under way"), nil, 0o600)
			}
			if n >= 2 {
				time.Sleep(time.Minute) // here it is killed
			}
		})
		t.Fatal("not killed", err)
	}
	s, sums, dir := rotated(t, 10, chunkSize, 30, 40)
	cmd := exec.Command(os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), "BOLE_TEST_RESEAL="+dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		if _, err := os.Stat(filepath.Join(dir, "under way")); err == nil {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	if err := os.WriteFile(filepath.Join(s.dir, again+"1"), []byte("half"), 0o600); err != nil { // as a kill in a write leaves it
		t.Fatal(err)
	}
	got, err := s.Sealed(t.Context())
	if err != nil || len(got) != 2 {
		t.Fatalf("in between: %v, %v; want two keys", got, err)
	}
	if n, err := s.Reseal(t.Context(), nil); err != nil || n != 2 {
		t.Fatalf("%d resealed afterwards, %v", n, err)
	}
	s.wantAll(t, s.keys.Current(), 4)
	for i, sum := range sums {
		if _, err := get(s, sum); err != nil {
			t.Errorf("file %d: %v", i, err)
		}
	}
	if names := stored(t, s); len(names) != 4 {
		t.Errorf("left behind: %v", names)
	}
}
