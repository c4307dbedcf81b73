package seal

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/emmansun/gmsm/sm3"

	"bole/internal/fault"
)

// open makes a fresh ring in a new folder.
func open(t testing.TB, suite string) (*Keys, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "keys")
	if err := Create(dir, suite); err != nil {
		t.Fatal(err)
	}
	k, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return k, dir
}

func wantFault(t *testing.T, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("error %v, want one of kind %s", err, kind)
	}
}

func TestSealedTextOpensWithItsContextOnly(t *testing.T) {
	for name := range suites {
		t.Run(name, func(t *testing.T) {
			k, _ := open(t, name)
			if k.Suite() != name {
				t.Errorf("Suite = %s", k.Suite())
			}
			for _, text := range []string{"", "x", "张三丰", strings.Repeat("人才", 5000)} {
				sealed := k.Seal([]byte(text), []byte("person/7/name"))
				if len(sealed) != len(text)+Overhead {
					t.Errorf("%d bytes sealed into %d, want %d more", len(text), len(sealed), Overhead)
				}
				if text != "" && len(text) > 4 && bytes.Contains(sealed, []byte(text)) {
					t.Error("the text stands in its envelope")
				}
				plain, err := k.Unseal(sealed, []byte("person/7/name"))
				if err != nil || string(plain) != text {
					t.Errorf("Unseal: %d bytes, %v", len(plain), err)
				}
				for _, other := range []string{"", "person/8/name", "person/7/nam", "person/7/name "} {
					plain, err := k.Unseal(sealed, []byte(other))
					wantFault(t, err, fault.Invalid)
					if plain != nil {
						t.Error("text came with an error")
					}
				}
				if bytes.Equal(sealed, k.Seal([]byte(text), []byte("person/7/name"))) {
					t.Error("two envelopes of one text are equal: the nonce was used twice")
				}
			}
		})
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	for name := range suites {
		t.Run(name, func(t *testing.T) {
			k, _ := open(t, name)
			sealed := k.Seal([]byte("a text of some length"), []byte("c"))
			for i := range sealed {
				for bit := range 8 {
					bad := bytes.Clone(sealed)
					bad[i] ^= 1 << bit
					if plain, err := k.Unseal(bad, []byte("c")); err == nil || plain != nil {
						t.Errorf("byte %d bit %d flipped: got %d bytes, %v", i, bit, len(plain), err)
					}
				}
				if plain, err := k.Unseal(sealed[:i], []byte("c")); err == nil || plain != nil {
					t.Errorf("cut to %d bytes: got %d bytes, %v", i, len(plain), err)
				}
			}
		})
	}
}

func TestKeyOfAnotherRingIsUnknown(t *testing.T) {
	a, _ := open(t, "sm")
	b, _ := open(t, "sm")
	_, err := b.Unseal(a.Seal([]byte("x"), nil), nil)
	wantFault(t, err, fault.NotFound)
	if a.Index("phone", "1") == b.Index("phone", "1") {
		t.Error("two rings index alike")
	}
}

// A ring with an older key behind the current one opens what either sealed and seals with the current one.
func TestOlderKeyStillOpens(t *testing.T) {
	k, dir := open(t, "sm")
	old := k.Seal([]byte("old"), nil)
	was := k.Index("phone", "1")
	name := filepath.Join(dir, keyFile)
	var r ring
	text, err := os.ReadFile(name)
	if err != nil || json.Unmarshal(text, &r) != nil {
		t.Fatal("keys.json cannot be read")
	}
	r.Keys = append([]ringKey{{ID: "00000001", Key: randomHex(16)}}, r.Keys...)
	if text, err = json.Marshal(r); err != nil || os.WriteFile(name, text, 0o600) != nil {
		t.Fatal("keys.json cannot be written")
	}
	if k, err = Open(dir); err != nil {
		t.Fatal(err)
	}
	sealed := k.Seal([]byte("new"), nil)
	if got := hex.EncodeToString(sealed[:headerSize]); got != "0100000001" {
		t.Errorf("envelope begins %s, want version 1 and key 00000001", got)
	}
	for text, sealed := range map[string][]byte{"old": old, "new": sealed} {
		if plain, err := k.Unseal(sealed, nil); err != nil || string(plain) != text {
			t.Errorf("%s: %q, %v", text, plain, err)
		}
	}
	if k.Index("phone", "1") != was {
		t.Error("a second sealing key changed the index")
	}
}

func TestIndexIsOfDomainAndValue(t *testing.T) {
	for name := range suites {
		t.Run(name, func(t *testing.T) {
			k, dir := open(t, name)
			seen := map[[16]byte]string{}
			for _, c := range [][2]string{{"phone", "1"}, {"certificate", "1"}, {"phone", "2"}, {"phone", ""}, {"phon", "e1"}, {"", "phone1"}, {"phone1", ""}} {
				x := k.Index(c[0], c[1])
				if was, ok := seen[x]; ok {
					t.Errorf("%v and %s have one index", c, was)
				}
				seen[x] = c[0] + "/" + c[1]
			}
			again, err := Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			if again.Index("phone", "1") != k.Index("phone", "1") {
				t.Error("the index changed when the ring was opened again")
			}
		})
	}
}

// The index of the sm suite is HMAC-SM3 as GB/T 15852.2 has it, worked out here by hand from the two paddings.
func TestIndexIsHMAC(t *testing.T) {
	key := make([]byte, indexSize)
	for i := range key {
		key[i] = byte(i + 1)
	}
	k, ok := ring{Version: 1, Suite: "sm", Keys: []ringKey{{"00000001", randomHex(16)}}, Index: hex.EncodeToString(key)}.keys()
	if !ok {
		t.Fatal("the ring is not accepted")
	}
	inner, outer := bytes.Repeat([]byte{0x36}, 64), bytes.Repeat([]byte{0x5c}, 64)
	for i, b := range key {
		inner[i] ^= b
		outer[i] ^= b
	}
	first := sm3.Sum(append(inner, "\x05phone123"...))
	want := sm3.Sum(append(outer, first[:]...))
	if got := k.Index("phone", "123"); !bytes.Equal(got[:], want[:16]) {
		t.Errorf("Index = %x, want %x", got, want[:16])
	}
}

func TestIndexAndSealFromManyGoroutines(t *testing.T) {
	k, _ := open(t, "sm")
	values := []string{"11", "22", "33", "44"}
	want := map[string][16]byte{}
	for _, v := range values {
		want[v] = k.Index("phone", v)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 500 {
				v := values[(g+i)%len(values)]
				if k.Index("phone", v) != want[v] {
					t.Error("the index depends on who else is asking")
				}
				if plain, err := k.Unseal(k.Seal([]byte(v), nil), nil); err != nil || string(plain) != v {
					t.Errorf("round trip: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestKeyFileIsItsOwnersAlone(t *testing.T) {
	_, dir := open(t, "aes")
	name := filepath.Join(dir, keyFile)
	for path, want := range map[string]os.FileMode{dir: 0o700, name: 0o600} {
		info, err := os.Stat(path)
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("mode %v, %v, want %v", info.Mode().Perm(), err, want)
		}
	}
	before, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, Create(dir, "sm"), fault.Conflict)
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(before, after) {
		t.Error("a refused Create touched the ring")
	}
	if err := os.Chmod(name, 0o640); err != nil {
		t.Fatal(err)
	}
	_, err = Open(dir)
	wantFault(t, err, fault.Forbidden)
}

func TestOpenRefusesWhatIsNoRing(t *testing.T) {
	dir := t.TempDir()
	_, err := Open(dir)
	wantFault(t, err, fault.NotFound)
	wantFault(t, Create(dir, "rot13"), fault.Invalid)
	k16, k32 := strings.Repeat("ab", 16), strings.Repeat("ab", 32)
	for why, text := range map[string]string{
		"empty":         "",
		"no keys":       `{"version":1,"suite":"sm","keys":[],"index":"` + k32 + `"}`,
		"short key":     `{"version":1,"suite":"sm","keys":[{"id":"00000001","key":"abab"}],"index":"` + k32 + `"}`,
		"key of aes":    `{"version":1,"suite":"sm","keys":[{"id":"00000001","key":"` + k32 + `"}],"index":"` + k32 + `"}`,
		"id twice":      `{"version":1,"suite":"sm","keys":[{"id":"00000001","key":"` + k16 + `"},{"id":"00000001","key":"` + k16 + `"}],"index":"` + k32 + `"}`,
		"no index":      `{"version":1,"suite":"sm","keys":[{"id":"00000001","key":"` + k16 + `"}]}`,
		"other suite":   `{"version":1,"suite":"xx","keys":[{"id":"00000001","key":"` + k16 + `"}],"index":"` + k32 + `"}`,
		"other version": `{"version":2,"suite":"sm","keys":[{"id":"00000001","key":"` + k16 + `"}],"index":"` + k32 + `"}`,
	} {
		if err := os.WriteFile(filepath.Join(dir, keyFile), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Open(dir)
		if err == nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v, want Invalid", why, err)
		} else if strings.Contains(err.Error(), "abab") {
			t.Errorf("%s: the error quotes a key", why)
		}
	}
}

func BenchmarkIndex(b *testing.B) {
	for name := range suites {
		b.Run(name, func(b *testing.B) {
			k, _ := open(b, name)
			b.ReportAllocs()
			for b.Loop() {
				k.Index("id_number", "110101199003070011")
			}
		})
	}
}

func BenchmarkSeal(b *testing.B) {
	for name := range suites {
		b.Run(name, func(b *testing.B) {
			k, _ := open(b, name)
			text := make([]byte, 200)
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				k.Seal(text, nil)
			}
		})
	}
}
