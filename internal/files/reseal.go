package files

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"bole/internal/fault"
	"bole/internal/seal"
)

// Sealed counts the files of the store by the key that seals them.
func (s *Store) Sealed(ctx context.Context) (map[seal.KeyID]int64, error) {
	out := map[seal.KeyID]int64{}
	err := s.each(ctx, func(name string) error {
		id, err := s.sealedWith(name)
		out[id]++
		return err
	})
	return out, fault.Wrap("files.Sealed", err)
}

// Reseal seals anew every file that is not sealed with the current key, and answers how many it did. Each file is written beside its
// place, synced and renamed over the old one; its name is that of its content and stays. So a reader has the old or the new, and a call
// that is killed is done again from where it was. One process at a time reseals a store. progress is told after each file; may be nil.
//
// Errors: Invalid "files.broken" when a file is damaged: it stays as it is, and the others are done first.
func (s *Store) Reseal(ctx context.Context, progress func(resealed int64)) (resealed int64, err error) {
	const op = "files.Reseal"
	if err := s.keys.Reload(); err != nil {
		return 0, fault.Wrap(op, err)
	}
	if err := s.sweep(again); err != nil {
		return 0, fault.Wrap(op, err)
	}
	var damaged error
	err = s.each(ctx, func(name string) error {
		id, err := s.sealedWith(name)
		if err == nil && id == s.keys.Current() {
			return nil
		}
		if err == nil {
			err = s.reseal(name)
		}
		if fault.KindOf(err) == fault.Invalid && err != nil {
			damaged = err
			return nil
		}
		if err != nil {
			return err
		}
		resealed++
		if progress != nil {
			progress(resealed)
		}
		return nil
	})
	if err == nil {
		err = damaged
	}
	return resealed, fault.Wrap(op, err)
}

// each calls f with the path of every stored file. There may be no folder yet.
func (s *Store) each(ctx context.Context, f func(name string) error) error {
	return filepath.WalkDir(s.dir, func(name string, d fs.DirEntry, err error) error {
		if name == s.dir && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || d.IsDir() || filepath.Dir(name) == s.dir { // right in the folder lie only files that are being written
			return err
		}
		return f(name)
	})
}

// sealedWith names the key of a stored file. A file is written by one call, so head and chunks have the same.
func (s *Store) sealedWith(name string) (seal.KeyID, error) {
	head, err := readHead(name)
	if err != nil {
		return seal.KeyID{}, err
	}
	id, ok := seal.SealedWith(head[len(magic)+idSize:])
	if !ok {
		return id, broken(nil)
	}
	return id, nil
}

func readHead(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headSize)
	n, err := fill(f, head)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if n < headSize || !strings.HasPrefix(string(head), magic) {
		return nil, broken(nil)
	}
	return head, nil
}

// reseal writes one file anew, from what its head says it is; Open checks that against its name and its content.
func (s *Store) reseal(name string) error {
	head, err := readHead(name)
	if err != nil {
		return err
	}
	about, err := s.keys.Unseal(head[len(magic)+idSize:], headContext(head[len(magic):][:idSize]))
	if err != nil {
		return broken(err)
	}
	sum := hex.EncodeToString(about[:sha256.Size])
	if s.path(sum) != name {
		return broken(nil)
	}
	r, err := s.Open(sum)
	if err != nil {
		return err
	}
	return errors.Join(s.rewrite(r, sum), r.Close())
}

func (s *Store) rewrite(r io.Reader, sum string) error {
	tmp, err := s.temporary(again)
	if err != nil {
		return err
	}
	defer tmp.Close() // as in Put
	written, _, err := s.write(tmp, r)
	if err == nil && written != sum {
		err = broken(nil)
	}
	if err == nil {
		err = s.place(tmp.Name(), s.path(sum))
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}
