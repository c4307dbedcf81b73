package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"bole/internal/fault"
)

const (
	keyFile     = "keys.json"
	ringVersion = 1
	idSize      = 4
	indexSize   = 32 // bytes of the index key, in both suites
)

// ring is keys.json. Ids and keys are written in hex.
type ring struct {
	Version int       `json:"version"`
	Suite   string    `json:"suite"`
	Keys    []ringKey `json:"keys"` // the current one first
	Index   string    `json:"index"`
}

type ringKey struct {
	ID  string `json:"id"`
	Key string `json:"key"`
}

// Create makes a fresh key ring of a suite, "sm" or "aes", in dir. It makes dir when there is none and closes it to everybody but
// its owner.
//
// Errors: Invalid if there is no such suite; Conflict if dir has a ring already, which is never overwritten: without it everything
// sealed is lost.
func Create(dir, suiteName string) error {
	const op = "seal.Create"
	s, ok := suites[suiteName]
	if !ok {
		return fault.New(op, fault.Invalid, "seal.suite_unknown", "suite", suiteName)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.Wrap(op, err)
	}
	if err := os.Chmod(dir, 0o700); err != nil {
		return fault.Wrap(op, err)
	}
	text, err := json.MarshalIndent(ring{
		Version: ringVersion,
		Suite:   suiteName,
		Keys:    []ringKey{{ID: randomHex(idSize), Key: randomHex(s.keySize)}},
		Index:   randomHex(indexSize),
	}, "", "  ")
	if err != nil {
		return fault.Wrap(op, err)
	}
	return fault.Wrap(op, writeNew(filepath.Join(dir, keyFile), append(text, '\n')))
}

// writeNew writes a file that must not exist yet and sees it onto the disk.
func writeNew(name string, text []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fault.New("seal.writeNew", fault.Conflict, "seal.keys_exist")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return syncDir(filepath.Dir(name))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func randomHex(n int) string {
	b := make([]byte, n)
	rand.Read(b) // it never fails: since Go 1.24 a machine without randomness ends the program
	return hex.EncodeToString(b)
}

// Open reads the key ring in dir.
//
// Errors: NotFound if dir has none; Forbidden if others than its owner may read it; Invalid if it is not a ring. The errors of a
// broken ring have no cause: it would quote the file.
func Open(dir string) (*Keys, error) {
	_, k, err := load(dir)
	return k, fault.Wrap("seal.Open", err)
}

// Reload reads the ring again, so that a key which another process made current is the one that seals from now on. Whoever is about to
// seal much, or has not sealed for long, calls it first. When it fails the ring stays as it was.
//
// Errors: those of Open; Invalid "seal.keys_other" when another ring lies in the folder now.
func (k *Keys) Reload() error {
	_, now, err := load(k.dir)
	if err != nil {
		return fault.Wrap("seal.Reload", err)
	}
	if now.suite != k.suite || now.Index("ring", "") != k.Index("ring", "") {
		return fault.New("seal.Reload", fault.Invalid, "seal.keys_other")
	}
	k.sealing.Store(now.sealing.Load())
	return nil
}

// load reads the ring in dir, as it is written and ready for use.
func load(dir string) (r ring, k *Keys, err error) {
	const op = "seal.load"
	name := filepath.Join(dir, keyFile)
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return r, nil, fault.New(op, fault.NotFound, "seal.keys_missing")
	}
	if err != nil {
		return r, nil, fault.Wrap(op, err)
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // Windows has no such bits
		return r, nil, fault.New(op, fault.Forbidden, "seal.keys_exposed")
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return r, nil, fault.Wrap(op, err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if dec.Decode(&r) != nil || r.Version != ringVersion {
		return r, nil, fault.New(op, fault.Invalid, "seal.keys_broken")
	}
	k, ok := r.keys()
	if !ok {
		return r, nil, fault.New(op, fault.Invalid, "seal.keys_broken")
	}
	k.dir = dir
	return r, k, nil
}

// keys makes a ring ready for use; false if any part of it is missing, of the wrong length or twice there.
func (r ring) keys() (*Keys, bool) {
	s, ok := suites[r.Suite]
	if !ok || len(r.Keys) == 0 {
		return nil, false
	}
	var sealing []*sealingKey
	for _, rk := range r.Keys {
		id, ok := fromHex(rk.ID, idSize)
		key, okKey := fromHex(rk.Key, s.keySize)
		if !ok || !okKey || find(sealing, KeyID(id)) != nil {
			return nil, false
		}
		aead, err := s.aead(key)
		if err != nil {
			return nil, false
		}
		sealing = append(sealing, &sealingKey{id: KeyID(id), aead: aead})
	}
	index, ok := fromHex(r.Index, indexSize)
	if !ok {
		return nil, false
	}
	k := &Keys{suite: r.Suite}
	k.sealing.Store(&sealing)
	k.macs.New = func() any { return newMAC(s.hash, index) }
	return k, true
}

func fromHex(s string, size int) ([]byte, bool) {
	b, err := hex.DecodeString(s)
	return b, err == nil && len(b) == size
}
