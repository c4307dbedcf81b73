package seal

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"bole/internal/fault"
)

// Rotate adds a fresh key to the ring in dir and makes it the current one; the older keys stay and open what they sealed. Processes
// that have the ring open learn of it when they meet an envelope of the new key, or by Reload. Only the sealing key changes: the index
// key is one for the life of the ring.
//
// keys.json is replaced as a whole: whoever reads it, at whatever moment the machine stops, reads the ring before or the ring after.
//
// Errors: those of Open; Conflict "seal.keys_busy" while another process changes the ring.
func Rotate(dir string) (id KeyID, err error) {
	err = change(dir, func(r *ring) error {
		s := suites[r.Suite]
		fresh := ringKey{ID: randomHex(idSize), Key: randomHex(s.keySize)}
		for r.has(fresh.ID) {
			fresh.ID = randomHex(idSize)
		}
		r.Keys = append([]ringKey{fresh}, r.Keys...)
		b, _ := fromHex(fresh.ID, idSize)
		id = KeyID(b)
		return nil
	})
	return id, fault.Wrap("seal.Rotate", err)
}

// Retire drops every key of the ring in dir but the current one, and answers which. used is how many envelopes each key still seals, as
// the homes of sealed data counted them. What is lost by dropping a key too early is lost for good, so the caller sees that no process
// runs which opened the ring before the last rotation: it might be sealing with an older key. A backup made before stays readable only
// with a copy of the ring as it was.
//
// Errors: those of Open; Conflict "seal.keys_used" when an older key still seals something, and then all stay; Conflict "seal.keys_busy".
func Retire(dir string, used map[KeyID]int64) (retired []KeyID, err error) {
	err = change(dir, func(r *ring) error {
		for _, rk := range r.Keys[1:] {
			b, _ := fromHex(rk.ID, idSize)
			if n := used[KeyID(b)]; n > 0 {
				return fault.New("seal.Retire", fault.Conflict, "seal.keys_used", "key", rk.ID, "n", n)
			}
			retired = append(retired, KeyID(b))
		}
		r.Keys = r.Keys[:1]
		return nil
	})
	if err != nil {
		return nil, fault.Wrap("seal.Retire", err)
	}
	return retired, nil
}

func (r *ring) has(id string) bool {
	for _, k := range r.Keys {
		if k.ID == id {
			return true
		}
	}
	return false
}

// change rewrites the ring in dir, one process at a time.
func change(dir string, f func(*ring) error) (err error) {
	if _, _, err := load(dir); err != nil { // before there is a lock to take
		return err
	}
	unlock, err := lock(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	r, _, err := load(dir)
	if err != nil {
		return err
	}
	if err := f(&r); err != nil {
		return err
	}
	return replace(filepath.Join(dir, keyFile), r)
}

// replace puts a ring in the place of the one at name. What an earlier call that was killed left beside it is written over.
func replace(name string, r ring) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	next := name + ".next"
	if err := os.Remove(next); err != nil && !os.IsNotExist(err) {
		return err
	}
	if err := writeNew(next, append(text, '\n')); err != nil {
		return err
	}
	if err := os.Rename(next, name); err != nil {
		return errors.Join(err, os.Remove(next))
	}
	return syncDir(filepath.Dir(name))
}
