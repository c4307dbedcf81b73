package seal

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/emmansun/gmsm/sm2"
	"github.com/emmansun/gmsm/sm3"

	"bole/internal/fault"
)

const (
	signFile = "signing.key"
	signSize = 32 // bytes of a private key
)

// Signer signs with SM2 (GB/T 32918) under the key in signing.key, which lies beside the ring and is no part of it: it neither rotates nor opens anything,
// and what it signed is checked with the public key alone, anywhere. Both suites sign with it.
type Signer struct {
	key    *sm2.PrivateKey
	public string
}

// OpenSigner reads the signing key in dir, and makes one where there is none. Whichever of two processes makes it first, both have the same.
//
// Errors: Forbidden "seal.keys_exposed" if others than its owner may read it; Invalid "seal.sign_broken" if it is no key.
func OpenSigner(dir string) (*Signer, error) {
	const op = "seal.OpenSigner"
	name := filepath.Join(dir, signFile)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		if err := makeSigner(dir, name); err != nil {
			return nil, fault.Wrap(op, err)
		}
		info, err = os.Stat(name)
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fault.New(op, fault.Forbidden, "seal.keys_exposed")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	raw, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil { // the cause would quote the file
		return nil, fault.New(op, fault.Invalid, "seal.sign_broken")
	}
	key, err := sm2.NewPrivateKey(raw)
	if err != nil {
		return nil, fault.New(op, fault.Invalid, "seal.sign_broken")
	}
	point, err := sm2.PublicKeyToECDH(&key.PublicKey)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return &Signer{key, hex.EncodeToString(point.Bytes())}, nil
}

// makeSigner writes a fresh key whole under another name and then gives it its own, which fails where another process was first.
func makeSigner(dir, name string) error {
	fresh := randomHex(signSize)
	for !isKey(fresh) { // as good as never
		fresh = randomHex(signSize)
	}
	f, err := os.CreateTemp(dir, signFile+".*") // only its owner reads it
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(fresh + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), name); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

// isKey reports whether a number, in hex, is one of the curve's private keys.
func isKey(s string) bool {
	raw, ok := fromHex(s, signSize)
	if ok {
		_, err := sm2.NewPrivateKey(raw)
		ok = err == nil
	}
	return ok
}

// Public is the public key in hex: the uncompressed point.
func (s *Signer) Public() string { return s.public }

// Sign signs a text, in hex. Two signatures of one text differ.
func (s *Signer) Sign(text []byte) (string, error) {
	sig, err := s.key.Sign(rand.Reader, text, sm2.DefaultSM2SignerOpts)
	return hex.EncodeToString(sig), fault.Wrap("seal.Sign", err)
}

// Signed reports whether a signature is that of a text by the holder of a public key, both as Public and Sign write them.
func Signed(public string, text []byte, signature string) bool {
	point, ok := lowerHex(public)
	sig, okSig := lowerHex(signature)
	if !ok || !okSig {
		return false
	}
	key, err := sm2.NewPublicKey(point)
	return err == nil && sm2.VerifyASN1WithSM2(key, defaultUID, text, sig)
}

// defaultUID is the signer's id that GB/T 35276 has for whoever has none.
var defaultUID = []byte("1234567812345678")

// lowerHex reads hex in small letters: one value is written in one way.
func lowerHex(s string) ([]byte, bool) {
	b, err := hex.DecodeString(s)
	return b, err == nil && hex.EncodeToString(b) == s
}

// SM3 is the plain hash of GB/T 32905 over parts in a row.
func SM3(parts ...[]byte) [32]byte {
	h := sm3.New()
	for _, p := range parts {
		h.Write(p)
	}
	var sum [32]byte
	h.Sum(sum[:0])
	return sum
}
