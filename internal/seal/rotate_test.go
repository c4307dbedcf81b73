package seal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bole/internal/fault"
)

func TestRotationSealsWithTheNewKeyAndOpensTheOld(t *testing.T) {
	for name := range suites {
		t.Run(name, func(t *testing.T) {
			k, dir := open(t, name)
			first, was := k.Current(), k.Index("phone", "1")
			old := k.Seal([]byte("old"), nil)
			second, err := Rotate(dir)
			if err != nil {
				t.Fatal(err)
			}
			now, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if ids := now.IDs(); len(ids) != 2 || ids[0] != second || ids[1] != first || now.Current() != second {
				t.Errorf("keys %v, want %v before %v", ids, second, first)
			}
			fresh := now.Seal([]byte("new"), nil)
			if id, ok := SealedWith(fresh); !ok || id != second {
				t.Errorf("sealed with %v, want %v", id, second)
			}
			for text, sealed := range map[string][]byte{"old": old, "new": fresh} {
				if plain, err := now.Unseal(sealed, nil); err != nil || string(plain) != text {
					t.Errorf("%s: %q, %v", text, plain, err)
				}
			}
			if now.Index("phone", "1") != was {
				t.Error("the index changed with the sealing key")
			}
			// The process that had the ring open meets an envelope of a key that it does not know, and from then on seals with it.
			if plain, err := k.Unseal(fresh, nil); err != nil || string(plain) != "new" {
				t.Errorf("opened before the rotation: %q, %v", plain, err)
			}
			if k.Current() != second {
				t.Error("a process that knows of the new key seals with the old one")
			}
			info, err := os.Stat(filepath.Join(dir, keyFile))
			if err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode().Perm(), err)
			}
			if left, _ := os.ReadDir(dir); len(left) != 1 {
				t.Errorf("%d files beside the keys, want none", len(left)-1)
			}
		})
	}
}

func TestARingWithoutTheNewKeySaysSo(t *testing.T) {
	k, dir := open(t, "sm")
	before, err := os.ReadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	copied := t.TempDir()
	if err := os.WriteFile(filepath.Join(copied, keyFile), before, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rotate(dir); err != nil {
		t.Fatal(err)
	}
	if err := k.Reload(); err != nil {
		t.Fatal(err)
	}
	old, err := Open(copied)
	if err != nil {
		t.Fatal(err)
	}
	_, err = old.Unseal(k.Seal([]byte("x"), nil), nil)
	wantFault(t, err, fault.NotFound)
	if err == nil || !strings.Contains(err.Error(), "seal.key_unknown") {
		t.Errorf("%v, want seal.key_unknown", err)
	}
}

func TestRetireRefusesAKeyThatStillSeals(t *testing.T) {
	k, dir := open(t, "sm")
	first := k.Current()
	sealed := k.Seal([]byte("x"), nil)
	second, err := Rotate(dir)
	if err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(dir, keyFile))
	_, err = Retire(dir, map[KeyID]int64{first: 1, second: 7})
	wantFault(t, err, fault.Conflict)
	if after, _ := os.ReadFile(filepath.Join(dir, keyFile)); !bytes.Equal(before, after) {
		t.Error("a refused Retire touched the ring")
	}
	gone, err := Retire(dir, map[KeyID]int64{second: 8})
	if err != nil || len(gone) != 1 || gone[0] != first {
		t.Fatalf("retired %v, %v", gone, err)
	}
	now, err := Open(dir)
	if err != nil || len(now.IDs()) != 1 || now.Current() != second {
		t.Fatalf("keys %v, %v", now.IDs(), err)
	}
	_, err = now.Unseal(sealed, nil)
	wantFault(t, err, fault.NotFound)
}

// However many rotate at once, each new key is in the ring afterwards, or its rotation was refused.
func TestRotationsDoNotLoseEachOthersKeys(t *testing.T) {
	_, dir := open(t, "aes")
	var wg sync.WaitGroup
	var mu sync.Mutex
	made := map[KeyID]bool{}
	for range 8 {
		wg.Go(func() {
			id, err := Rotate(dir)
			if err != nil {
				wantFault(t, err, fault.Conflict)
				return
			}
			mu.Lock()
			made[id] = true
			mu.Unlock()
		})
	}
	wg.Wait()
	k, err := Open(dir)
	if err != nil || len(made) == 0 {
		t.Fatal(len(made), err)
	}
	if ids := k.IDs(); len(ids) != len(made)+1 {
		t.Errorf("%d keys after %d rotations", len(ids), len(made))
	}
}

// What a rotation left that was killed before its end is no hindrance.
func TestAHalfWrittenRingIsWrittenOver(t *testing.T) {
	_, dir := open(t, "sm")
	if err := os.WriteFile(filepath.Join(dir, keyFile+".next"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Rotate(dir); err != nil {
		t.Fatal(err)
	}
	if k, err := Open(dir); err != nil || len(k.IDs()) != 2 {
		t.Fatal(err)
	}
}

func TestReloadRefusesAnotherRing(t *testing.T) {
	k, dir := open(t, "sm")
	_, other := open(t, "sm")
	if err := os.Rename(filepath.Join(other, keyFile), filepath.Join(dir, keyFile)); err != nil {
		t.Fatal(err)
	}
	id := k.Current()
	wantFault(t, k.Reload(), fault.Invalid)
	if k.Current() != id {
		t.Error("the ring changed")
	}
}
