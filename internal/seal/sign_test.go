package seal

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bole/internal/fault"
)

func TestWhatWasSignedIsCheckedWithThePublicKey(t *testing.T) {
	dir := t.TempDir()
	s, err := OpenSigner(dir)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign([]byte("text"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := OpenSigner(dir)
	if err != nil || again.Public() != s.Public() {
		t.Fatalf("opened again it is another key, %v", err)
	}
	other, err := OpenSigner(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		public, text, sig string
		want              bool
	}{
		"as signed":        {s.Public(), "text", sig, true},
		"another text":     {s.Public(), "texT", sig, false},
		"another key":      {other.Public(), "text", sig, false},
		"capital letters":  {s.Public(), "text", strings.ToUpper(sig), false},
		"no signature":     {s.Public(), "text", "", false},
		"no key":           {"", "text", sig, false},
		"no hex":           {"xx", "text", "yy", false},
		"a changed letter": {s.Public(), "text", sig[:20] + string(sig[20]^1) + sig[21:], false},
	} {
		if got := Signed(c.public, []byte(c.text), c.sig); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestASigningKeyIsMadeOnceAndItsOwnersAlone(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var keys [8]string
	for i := range keys {
		wg.Go(func() {
			s, err := OpenSigner(dir)
			if err != nil {
				t.Error(err)
				return
			}
			keys[i] = s.Public()
		})
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] {
			t.Errorf("two processes made two keys")
		}
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("%d files, want the key alone", len(left))
	}
	name := filepath.Join(dir, signFile)
	if err := os.Chmod(name, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := OpenSigner(dir)
	wantFault(t, err, fault.Forbidden)
	for _, text := range []string{"", "xyz", strings.Repeat("00", 32), "abcd"} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := OpenSigner(dir)
		wantFault(t, err, fault.Invalid)
	}
}

// The example of GB/T 32905, appendix A.1.
func TestSM3OfTheStandard(t *testing.T) {
	if got := SM3([]byte("a"), []byte("bc")); hex.EncodeToString(got[:]) != "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0" {
		t.Errorf("%x", got)
	}
}
