package vault

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store/storetest"
)

// people is how many there are to reseal: several batches.
const people = 3*resealRows + 10

// rotated is a vault of people whose key is no longer the current one.
func rotated(h *house) {
	h.t.Helper()
	r := h.resolver()
	for i := range people {
		r.Holder(Record{Number: resident(i), Name: fmt.Sprintf("甲%d", i)}, 0)
	}
	h.save(r)
	if _, err := seal.Rotate(h.keys); err != nil {
		h.t.Fatal(err)
	}
}

// readable sees that everybody can be read, by a process that opened the ring now, and how many the current key seals.
func (h *house) readable(current int64) {
	h.t.Helper()
	v := openVault(h.t, h.dsn, h.dir)
	all, err := v.open(h.t.Context(), `SELECT id, sealed FROM vault_holder ORDER BY id`)
	if err != nil || len(all) != people {
		h.t.Fatalf("%d people can be read, %v; want %d", len(all), err, people)
	}
	for i, p := range all {
		if p.rec.Number != resident(i) {
			h.t.Fatalf("holder %d has another's number", p.id)
		}
	}
	by, err := v.Sealed(h.t.Context())
	if err != nil || by[v.keys.Current()] != current {
		h.t.Errorf("sealed by key: %v, %v; want %d by %v", by, err, current, v.keys.Current())
	}
}

func TestResealGoesOnWhereItWasStopped(t *testing.T) {
	houses(t, func(h *house) {
		rotated(h)
		h.readable(0)
		ctx, cancel := context.WithCancel(t.Context())
		n, err := h.Reseal(ctx, func(int64) { cancel() })
		if err == nil || n != resealRows {
			t.Fatalf("%d before it was stopped, %v", n, err)
		}
		h.readable(resealRows)
		var told []int64
		n, err = h.Reseal(t.Context(), func(n int64) {
			told = append(told, n)
			h.readable(resealRows + n)
		})
		if err != nil || n != people-resealRows || len(told) != 3 || told[2] != n {
			t.Fatalf("%d afterwards, told %v, %v", n, told, err)
		}
		h.readable(people)
		if n, err := h.Reseal(t.Context(), nil); err != nil || n != 0 {
			t.Errorf("%d with nothing left to do, %v", n, err)
		}
		used, err := h.Sealed(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := seal.Retire(h.keys, used); err != nil {
			t.Fatal(err)
		}
		h.readable(people)
	})
}

// The test runs itself as another process, which is killed in the middle of its work.
func TestResealGoesOnWhereItWasKilled(t *testing.T) {
	if dir := os.Getenv("BOLE_TEST_RESEAL"); dir != "" {
		v := openVault(t, os.Getenv("BOLE_TEST_DSN"), dir)
		_, err := v.Reseal(t.Context(), func(int64) {
			_ = os.WriteFile(filepath.Join(dir, "under way"), nil, 0o600)
			time.Sleep(time.Minute) // here it is killed
		})
		t.Fatal("not killed", err)
	}
	houses(t, func(h *house) {
		rotated(h)
		cmd := exec.Command(os.Args[0], "-test.run=^"+strings.Split(t.Name(), "/")[0]+"$")
		cmd.Env = append(os.Environ(), "BOLE_TEST_RESEAL="+h.dir, "BOLE_TEST_DSN="+h.dsn)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		for range 1000 {
			if _, err := os.Stat(filepath.Join(h.dir, "under way")); err == nil {
				break
			}
			time.Sleep(5 * time.Millisecond)
		}
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		h.readable(resealRows)
		if n, err := h.Reseal(t.Context(), nil); err != nil || n != people-resealRows {
			t.Fatalf("%d afterwards, %v", n, err)
		}
		h.readable(people)
	})
}

func TestACopiedRingWithoutTheNewKeyReadsOnlyWhatIsOld(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "sm")
	r := h.resolver()
	r.Holder(Record{Number: resident(1)}, 0)
	h.save(r)
	copied := t.TempDir()
	if err := os.CopyFS(filepath.Join(copied, "keys"), os.DirFS(h.keys)); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(copied, "keys", "keys.json"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Rotate(h.keys); err != nil {
		t.Fatal(err)
	}
	v := openVault(t, h.dsn, copied)
	if _, err := v.Unseal(t.Context(), 1); err != nil {
		t.Error(err)
	}
	if _, err := h.Reseal(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	_, err := v.Unseal(t.Context(), 1)
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "seal.key_unknown") {
		t.Errorf("%v, want seal.key_unknown", err)
	}
	h.want(1, Record{Number: resident(1)})
}

// A load that began before the rotation and saves after it leaves records of the old key: they are found and done by the next Reseal.
func TestALoadAcrossARotationIsResealedLater(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "aes")
	r := h.resolver()
	r.Holder(Record{Number: resident(1)}, 0)
	if err := r.spool.finish(); err != nil {
		t.Fatal(err)
	}
	old := h.keys
	if _, err := seal.Rotate(old); err != nil {
		t.Fatal(err)
	}
	h.save(r)
	used, err := h.Sealed(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := seal.Retire(h.keys, used); fault.KindOf(err) != fault.Conflict {
		t.Errorf("retired a key that is in use: %v", err)
	}
	if n, err := h.Reseal(t.Context(), nil); err != nil || n != 1 {
		t.Errorf("%d, %v", n, err)
	}
	h.want(1, Record{Number: resident(1)})
}
