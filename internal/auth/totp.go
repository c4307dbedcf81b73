package auth

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"time"
)

// One-time codes by the clock, RFC 6238, as every authenticator app makes them: HMAC-SHA-1, six digits, thirty seconds.
const (
	codeDigits = 6
	codeStep   = 30 // seconds
	codeSkew   = 1  // steps that a phone's clock may be off, either way
	secretSize = 20 // bytes, as RFC 4226 recommends
)

var secretText = base32.StdEncoding.WithPadding(base32.NoPadding)

// Second is the second factor as its owner is told it, once.
type Second struct {
	Secret string // base32, to be typed in
	URI    string // otpauth://, to be drawn as a picture
}

func newSecret() []byte {
	b := make([]byte, secretSize)
	rand.Read(b)
	return b
}

func second(account string, secret []byte) Second {
	s := secretText.EncodeToString(secret)
	q := url.Values{"secret": {s}, "issuer": {"Bole"}, "algorithm": {"SHA1"}, "digits": {fmt.Sprint(codeDigits)}, "period": {fmt.Sprint(codeStep)}}
	return Second{s, (&url.URL{Scheme: "otpauth", Host: "totp", Path: "/Bole:" + account, RawQuery: q.Encode()}).String()}
}

// codeAt is the code of a step, RFC 4226 section 5.3.
func codeAt(secret []byte, step uint64, digits int) string {
	mac := hmac.New(sha1.New, secret)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	n := binary.BigEndian.Uint32(sum[at:]) & 0x7fffffff
	mod := uint32(1)
	for range digits {
		mod *= 10
	}
	return fmt.Sprintf("%0*d", digits, n%mod)
}

// stepOf is the step of an instant.
func stepOf(t time.Time) int64 { return t.Unix() / codeStep }

// matches finds the step whose code was given, among those around now that come after the last one used: a code that somebody saw over a
// shoulder is worth nothing once it was used.
func matches(secret []byte, code string, now time.Time, last int64) (step int64, ok bool) {
	for s := stepOf(now) - codeSkew; s <= stepOf(now)+codeSkew; s++ {
		if s > last && subtle.ConstantTimeCompare([]byte(codeAt(secret, uint64(s), codeDigits)), []byte(code)) == 1 {
			step, ok = s, true
		}
	}
	return step, ok
}

// Code is the code of a secret at an instant, as the owner's phone shows it.
func Code(secret string, at time.Time) (string, error) {
	b, err := secretText.DecodeString(secret)
	if err != nil {
		return "", err
	}
	return codeAt(b, uint64(stepOf(at)), codeDigits), nil
}
