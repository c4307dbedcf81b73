package auth

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"bole/internal/fault"
	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"
)

// Cost is what one run of Argon2id takes.
type Cost struct {
	Time    uint32 // passes
	Memory  uint32 // KiB
	Threads uint8
}

// StandardCost is the second choice of RFC 9106, section 4, for where 2 GiB a run are too much: about a tenth of a second.
var StandardCost = Cost{Time: 3, Memory: 64 << 10, Threads: 4}

const (
	saltSize = 16
	hashSize = 32
	// atOnce is how many runs may hold their memory at a time, so that a flood of sign-ins waits and does not fill the machine.
	atOnce = 4
)

// hasher makes and tests password hashes. Every run counts, so that a test can tell that two ways through a sign-in cost the same.
type hasher struct {
	cost Cost
	room chan struct{}
	runs atomic.Int64
}

func newHasher(c Cost) *hasher { return &hasher{cost: c, room: make(chan struct{}, atOnce)} }

func (h *hasher) run(password string, salt []byte, c Cost, size uint32) []byte {
	h.room <- struct{}{}
	defer func() { <-h.room }()
	h.runs.Add(1)
	return argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, size)
}

// hash is the text of a new hash, with its parameters: $argon2id$v=19$m=65536,t=3,p=4$salt$hash.
func (h *hasher) hash(password string) string {
	salt := make([]byte, saltSize)
	rand.Read(salt)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.cost.Memory, h.cost.Time, h.cost.Threads,
		b64.EncodeToString(salt), b64.EncodeToString(h.run(tidy(password), salt, h.cost, hashSize)))
}

// test reports whether a password is the one of a hash, in one run. Without a hash it is not, and takes a run as well: how long a
// sign-in takes does not tell whether there is such an account. old is whether the hash was made with other parameters than today's.
func (h *hasher) test(password, hash string) (ok, old bool) {
	c, salt, want, ok := readHash(hash)
	if !ok {
		h.run(tidy(password), make([]byte, saltSize), h.cost, hashSize)
		return false, false
	}
	got := h.run(tidy(password), salt, c, uint32(len(want)))
	return subtle.ConstantTimeCompare(got, want) == 1, c != h.cost
}

func readHash(s string) (c Cost, salt, want []byte, ok bool) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return c, nil, nil, false
	}
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &c.Memory, &c.Time, &c.Threads); err != nil || n != 3 {
		return c, nil, nil, false
	}
	salt, errSalt := base64.RawStdEncoding.DecodeString(part[4])
	want, errWant := base64.RawStdEncoding.DecodeString(part[5])
	return c, salt, want, errSalt == nil && errWant == nil && len(want) == hashSize
}

// tidy is a password as it is hashed: the same characters typed on another system come as other code points.
func tidy(password string) string { return norm.NFKC.String(password) }

const (
	shortest = 12  // characters
	longest  = 256 // characters; a phrase fits, a file does not
	fewest   = 5   // different characters
)

// passwordRules are asked of a new password. There are none about kinds of characters: they make passwords that are harder to remember
// and no harder to guess (NIST SP 800-63B, 3.1.1.2).
var passwordRules = []struct {
	key    string
	broken func(password, account string) bool
}{
	{"auth.password_text", func(p, _ string) bool { return !utf8.ValidString(p) || strings.ContainsAny(p, "\x00\r\n") }},
	{"auth.password_short", func(p, _ string) bool { return utf8.RuneCountInString(p) < shortest }},
	{"auth.password_long", func(p, _ string) bool { return utf8.RuneCountInString(p) > longest }},
	{"auth.password_plain", func(p, _ string) bool { return different(p) < fewest }},
	{"auth.password_name", func(p, account string) bool { return strings.Contains(strings.ToLower(p), account) }},
}

func different(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}

// fit asks the rules of a new password.
//
// Errors: Invalid, with the rule that it breaks.
func fit(password, account string) error {
	for _, r := range passwordRules {
		if r.broken(tidy(password), account) {
			return fault.New("auth.fit", fault.Invalid, r.key, "least", shortest, "most", longest)
		}
	}
	return nil
}
