package files

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bole/internal/fault"
	"bole/internal/seal"
)

func store(t *testing.T) *Store {
	t.Helper()
	dir := t.TempDir()
	if err := seal.Create(filepath.Join(dir, "keys"), "aes"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return Open(filepath.Join(dir, "files"), keys)
}

// content is size bytes that do not repeat from chunk to chunk.
func content(size int) []byte {
	b := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size), 1}).Read(b)
	return b
}

func put(t *testing.T, s *Store, b []byte) string {
	t.Helper()
	sum, size, err := s.Put(bytes.NewReader(b))
	if err != nil || size != int64(len(b)) {
		t.Fatalf("Put: size %d, %v", size, err)
	}
	return sum
}

func get(s *Store, sum string) ([]byte, error) {
	r, err := s.Open(sum)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// stored lists the files of the store, folders left out.
func stored(t *testing.T, s *Store) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestWhatIsPutComesBack(t *testing.T) {
	s := store(t)
	for _, size := range []int{0, 1, chunkSize - 1, chunkSize, chunkSize + 1, 2 * chunkSize, chunkSize * 7 / 2} {
		want := content(size)
		sum := put(t, s, want)
		got, err := get(s, sum)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
		outside := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(outside, want, 0o600); err != nil {
			t.Fatal(err)
		}
		if plain, n, err := Sum(outside); plain != sum || n != int64(size) || err != nil {
			t.Errorf("Sum = %s, %d, %v; Put said %s", plain, n, err, sum)
		}
	}
	if sum := put(t, s, []byte("abc")); sum != "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" {
		t.Errorf("sum of abc = %s, not its SHA-256", sum)
	}
}

func TestSameContentLiesThereOnce(t *testing.T) {
	s := store(t)
	a, b := put(t, s, content(5000)), put(t, s, content(5000))
	if names := stored(t, s); a != b || len(names) != 1 {
		t.Errorf("sums equal: %v; stored files: %d, want 1", a == b, len(names))
	}
}

func TestDiskTellsNothing(t *testing.T) {
	s := store(t)
	secret := bytes.Repeat([]byte("张三丰 的学历证书 "), 100)
	sum := put(t, s, secret)
	for _, name := range stored(t, s) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("学历")) || bytes.Contains(b, []byte(sum)) || strings.Contains(name, sum[:8]) {
			t.Error("content or sum stands on the disk")
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode %v, %v", info.Mode(), err)
		}
	}
}

func TestDamageIsSeen(t *testing.T) {
	s := store(t)
	const sealedChunk = chunkSize + seal.Overhead
	sum := put(t, s, content(chunkSize*7/2))
	other := put(t, s, content(chunkSize*7/2-1))
	name := s.path(sum)
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := os.ReadFile(s.path(other))
	if err != nil {
		t.Fatal(err)
	}
	chunk := func(b []byte, n int) []byte { return b[headSize+n*sealedChunk:][:sealedChunk] }
	flip := func(at int) func([]byte) []byte {
		return func(b []byte) []byte { b[at] ^= 1; return b }
	}
	for why, change := range map[string]func([]byte) []byte{
		"emptied":               func(b []byte) []byte { return nil },
		"cut in the head":       func(b []byte) []byte { return b[:headSize-1] },
		"cut after the head":    func(b []byte) []byte { return b[:headSize] },
		"cut after a chunk":     func(b []byte) []byte { return b[:headSize+sealedChunk] },
		"cut by one byte":       func(b []byte) []byte { return b[:len(b)-1] },
		"one byte more":         func(b []byte) []byte { return append(b, 0) },
		"first byte flipped":    flip(0),
		"id flipped":            flip(len(magic)),
		"head flipped":          flip(headSize - 1),
		"content flipped":       flip(headSize + 2*sealedChunk + 500),
		"last byte flipped":     flip(len(whole) - 1),
		"last chunk's nonce":    flip(headSize + 3*sealedChunk + 6),
		"another file's chunk":  func(b []byte) []byte { copy(chunk(b, 1), chunk(foreign, 1)); return b },
		"another file entirely": func(b []byte) []byte { return foreign },
		"first chunk repeated":  func(b []byte) []byte { copy(chunk(b, 1), chunk(b, 0)); return b },
		"two chunks swapped": func(b []byte) []byte {
			first := bytes.Clone(chunk(b, 0))
			copy(chunk(b, 0), chunk(b, 1))
			copy(chunk(b, 1), first)
			return b
		},
	} {
		if err := os.WriteFile(name, change(bytes.Clone(whole)), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := get(s, sum)
		if err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", why, err)
		}
		if !bytes.HasPrefix(content(chunkSize*7/2), got) {
			t.Errorf("%s: what was read before the error is not the content", why)
		}
	}
	// A damaged head or length is mended by putting the file again.
	if err := os.WriteFile(name, whole[:len(whole)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, s, content(chunkSize*7/2))
	if _, err := get(s, sum); err != nil {
		t.Errorf("after putting it again: %v", err)
	}
}

// A cut that the head's size does not betray must still be seen by the seal of the last chunk.
func TestChunksKnowWhichIsTheLast(t *testing.T) {
	s := store(t)
	id := bytes.Repeat([]byte{7}, idSize)
	sealed := s.keys.Seal(content(9), chunkContext(id, 0, false))
	if _, err := s.keys.Unseal(sealed, chunkContext(id, 0, true)); err == nil {
		t.Error("a chunk with more to follow opens as the last")
	}
}

func TestMissingFileIsNotFound(t *testing.T) {
	for _, sum := range []string{"", "00", strings.Repeat("0", 64), "../../keys/keys.json"} {
		if _, err := store(t).Open(sum); fault.KindOf(err) != fault.NotFound {
			t.Errorf("Open(%q): %v, want NotFound", sum, err)
		}
	}
}

// failing gives n bytes and then an error.
type failing struct {
	n   int
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	if f.n == 0 {
		return 0, f.err
	}
	n := min(f.n, len(p))
	f.n -= n
	return n, nil
}

func TestFailedPutLeavesNothing(t *testing.T) {
	for _, n := range []int{0, 10, chunkSize, chunkSize + 5} {
		// A form that breaks off in the middle says io.ErrUnexpectedEOF, which must not pass for the end.
		for _, why := range []error{fault.New("test", fault.Upstream, "test.gone"), io.ErrUnexpectedEOF} {
			s := store(t)
			_, _, err := s.Put(&failing{n, why})
			if !errors.Is(err, why) || fault.KindOf(err) != fault.KindOf(why) {
				t.Errorf("after %d bytes: %v, want %v", n, err, why)
			}
			if names := stored(t, s); len(names) != 0 {
				t.Errorf("after %d bytes: %d files left", n, len(names))
			}
		}
	}
	if _, _, err := Sum(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sum of no file: %v", err)
	}
}

// What a killed Put left half written goes with the next one; what another is writing meanwhile stays.
func TestLeftoversAreSweptAndWorkIsNot(t *testing.T) {
	s := store(t)
	put(t, s, []byte("first"))
	left := filepath.Join(s.dir, fresh+"1")
	if err := os.WriteFile(left, content(100), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	done := make(chan error, 1)
	go func() {
		_, _, err := s.Put(r)
		done <- err
	}()
	slow := content(3 * chunkSize)
	if _, err := w.Write(slow[:2*chunkSize]); err != nil { // it is writing when this returns
		t.Fatal(err)
	}
	put(t, s, []byte("second"))
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
	if _, err := w.Write(slow[2*chunkSize:]); err != nil {
		t.Fatal(err)
	}
	w.Close()
	if err := <-done; err != nil {
		t.Errorf("what was being written: %v", err)
	}
	if names := stored(t, s); len(names) != 3 {
		t.Errorf("the store has %q", names)
	}
}

func TestSumTellsWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for path, key := range map[string]string{dir: "files.no_file", "/dev/zero": "files.no_file"} {
		_, _, err := Sum(path)
		var e *fault.E
		if !errors.As(err, &e) || e.Key != key || e.Args["file"] != filepath.Base(path) {
			t.Errorf("%s: %v, want %s", path, err, key)
		}
	}
}
