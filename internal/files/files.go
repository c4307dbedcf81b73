package files

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"bole/internal/fault"
	"bole/internal/seal"
)

// How the names begin of files that are being written.
const (
	fresh = "put-"    // by Put
	again = "reseal-" // by Reseal
)

const (
	magic     = "bole-f1\n"
	idSize    = 16
	chunkSize = 1 << 20         // bytes of content in a chunk
	aboutSize = sha256.Size + 8 // sum and size
	headSize  = len(magic) + idSize + aboutSize + seal.Overhead
)

// Store is a folder of sealed files. Several goroutines and processes may use one folder at a time.
type Store struct {
	dir  string
	keys *seal.Keys
}

// Open returns the store in dir; Put makes the folder when it is not there yet.
func Open(dir string, keys *seal.Keys) *Store { return &Store{dir, keys} }

// Put stores what r holds and returns its sum in hex and its size in bytes. It holds two chunks of it in memory at a time. When it
// returns the file is on the disk.
//
// Errors: those of r, of the kind they are; Internal if the disk fails. Nothing is stored then.
func (s *Store) Put(r io.Reader) (sum string, size int64, err error) {
	const op = "files.Put"
	if err := errors.Join(os.MkdirAll(s.dir, 0o700), s.keys.Reload()); err != nil {
		return "", 0, fault.Wrap(op, err)
	}
	_ = s.sweep(fresh) // what cannot be removed is the next call's
	tmp, err := s.temporary(fresh)
	if err != nil {
		return "", 0, fault.Wrap(op, err)
	}
	defer tmp.Close() // what was written is synced; until it has its name the lock tells that it is wanted
	sum, size, err = s.write(tmp, r)
	if err == nil && s.holds(sum) {
		return sum, size, fault.Wrap(op, os.Remove(tmp.Name()))
	}
	if err == nil {
		err = s.place(tmp.Name(), s.path(sum))
	}
	if err != nil {
		os.Remove(tmp.Name()) // the first error is the one to tell
		return "", 0, fault.Wrap(op, err)
	}
	return sum, size, nil
}

// temporary makes a file that is this call's for as long as it is open. The lock on it ends with the process, however that ends, and so tells
// sweep which files nobody writes any more.
func (s *Store) temporary(kind string) (*os.File, error) {
	for {
		f, err := os.CreateTemp(s.dir, kind)
		if err != nil {
			return nil, err
		}
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err == nil {
			_, err = os.Stat(f.Name())
		}
		if err == nil {
			return f, nil
		}
		f.Close()
		if !errors.Is(err, fs.ErrNotExist) { // else another's sweep came between the file and its lock
			return nil, errors.Join(err, os.Remove(f.Name()))
		}
	}
}

// sweep removes the files of a kind that killed processes left half written.
func (s *Store) sweep(kind string) error {
	all, err := os.ReadDir(s.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), kind) {
			err = errors.Join(err, removeUnlocked(filepath.Join(s.dir, e.Name())))
		}
	}
	return err
}

func removeUnlocked(name string) error {
	f, err := os.Open(name)
	if err == nil {
		if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			err = os.Remove(name)
		}
		f.Close()
	}
	if errors.Is(err, fs.ErrNotExist) { // it was finished, or given up, meanwhile
		return nil
	}
	return err
}

// write seals r into tmp and sees it onto the disk. The head comes last, since the sum is known last.
func (s *Store) write(tmp *os.File, r io.Reader) (sum string, size int64, err error) {
	id := make([]byte, idSize)
	rand.Read(id)
	if _, err := tmp.Seek(int64(headSize), io.SeekStart); err != nil {
		return "", 0, err
	}
	hash := sha256.New()
	this, next := make([]byte, chunkSize), make([]byte, chunkSize)
	n, err := fill(r, this)
	for number := uint64(0); err == nil; number++ {
		ahead := 0
		if n == chunkSize { // only a look ahead tells whether a full chunk is the last
			if ahead, err = fill(r, next); err != nil {
				break
			}
		}
		hash.Write(this[:n])
		size += int64(n)
		if _, err = tmp.Write(s.keys.Seal(this[:n], chunkContext(id, number, ahead == 0))); err != nil || ahead == 0 {
			break
		}
		this, next, n = next, this, ahead
	}
	if err != nil {
		return "", 0, err
	}
	about := binary.BigEndian.AppendUint64(hash.Sum(nil), uint64(size))
	head := append(append([]byte(magic), id...), s.keys.Seal(about, headContext(id))...)
	if _, err := tmp.WriteAt(head, 0); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(about[:sha256.Size]), size, tmp.Sync()
}

// fill reads until b is full or r has no more; that there is no more is no error. It is not io.ReadFull, whose ErrUnexpectedEOF
// hides the same error of r: an upload broken off would be stored as if it were whole.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	if err == io.EOF {
		err = nil
	}
	return n, err
}

// place moves a finished file to its name and sees the name onto the disk.
func (s *Store) place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return errors.Join(syncDir(filepath.Dir(to)), syncDir(s.dir))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// holds is whether the store has a file of that sum whose head and length are sound. A damaged one is written again by Put.
func (s *Store) holds(sum string) bool {
	r, err := s.Open(sum)
	if err != nil {
		return false
	}
	return r.Close() == nil
}

// path is where the file of a sum lies: under the first two digits of its index, so that no folder grows too long.
func (s *Store) path(sum string) string {
	x := s.keys.Index("file", sum)
	name := hex.EncodeToString(x[:])
	return filepath.Join(s.dir, name[:2], name)
}

// Name is a name for the file of a sum that may be written down in the clear: only who has the keys can make it, so it answers no guess. See
// OpenNamed.
func (s *Store) Name(sum string) string { return filepath.Base(s.path(sum)) }

// OpenNamed is Open by the name of a file.
func (s *Store) OpenNamed(name string) (io.ReadCloser, error) {
	const op = "files.OpenNamed"
	if len(name) < 2 || filepath.Base(name) != name {
		return nil, fault.New(op, fault.NotFound, "files.missing")
	}
	f, err := os.Open(filepath.Join(s.dir, name[:2], name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(op, fault.NotFound, "files.missing")
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	r, err := s.reader(f, func(sum string) bool { return s.Name(sum) == name })
	if err != nil {
		return nil, fault.Wrap(op, errors.Join(err, f.Close()))
	}
	return r, nil
}

// Open opens the file of a sum for reading. Every byte that Read gives has been verified; the last one is followed by io.EOF only if
// the file is whole.
//
// Errors: NotFound if the store has no such file; Invalid, from Open or from Read, if what is there was changed or cut.
func (s *Store) Open(sum string) (io.ReadCloser, error) {
	const op = "files.Open"
	f, err := os.Open(s.path(sum))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(op, fault.NotFound, "files.missing")
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	r, err := s.reader(f, func(has string) bool { return has == sum })
	if err != nil {
		return nil, fault.Wrap(op, errors.Join(err, f.Close()))
	}
	return r, nil
}

// reader checks the head and the length of f, and that the sum in it is the right one.
func (s *Store) reader(f *os.File, right func(sum string) bool) (*reader, error) {
	head := make([]byte, headSize)
	n, err := fill(f, head)
	if err != nil {
		return nil, err
	}
	if n < headSize || string(head[:len(magic)]) != magic {
		return nil, broken(nil)
	}
	id := head[len(magic):][:idSize]
	about, err := s.keys.Unseal(head[len(magic)+idSize:], headContext(id))
	if err != nil {
		return nil, broken(err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint64(about[sha256.Size:]))
	if !right(hex.EncodeToString(about[:sha256.Size])) || info.Size() != sealedSize(size) {
		return nil, broken(nil)
	}
	return &reader{file: f, keys: s.keys, id: id, left: size, sealed: make([]byte, min(chunkSize, size)+seal.Overhead)}, nil
}

// sealedSize is how long the stored file of a content of size bytes is.
func sealedSize(size int64) int64 {
	chunks := max(1, (size+chunkSize-1)/chunkSize)
	return int64(headSize) + size + chunks*seal.Overhead
}

// reader unseals a file chunk by chunk.
type reader struct {
	file   *os.File
	keys   *seal.Keys
	id     []byte
	left   int64  // bytes of content in the chunks not yet unsealed
	number uint64 // of the next chunk
	last   bool   // the last chunk has been unsealed
	sealed []byte // room for one chunk
	plain  bytes.Reader
	err    error
}

// Read gives the content; an error, once there, stays.
func (r *reader) Read(p []byte) (int, error) {
	for r.plain.Len() == 0 && r.err == nil {
		r.err = r.chunk()
	}
	if r.plain.Len() > 0 {
		return r.plain.Read(p)
	}
	return 0, r.err
}

// chunk unseals the next chunk, or returns io.EOF after the last.
func (r *reader) chunk() error {
	if r.last {
		return io.EOF
	}
	n := min(chunkSize, r.left)
	r.left -= n
	r.last = r.left == 0
	sealed := r.sealed[:n+seal.Overhead]
	if m, err := fill(r.file, sealed); err != nil {
		return fault.Wrap("files.Read", err)
	} else if m < len(sealed) {
		return broken(nil)
	}
	plain, err := r.keys.Unseal(sealed, chunkContext(r.id, r.number, r.last))
	if err != nil {
		return broken(err)
	}
	r.number++
	r.plain.Reset(plain)
	return nil
}

func (r *reader) Close() error { return r.file.Close() }

// broken says that a stored file is not what was stored.
func broken(cause error) error {
	e := fault.New("files.Read", fault.Invalid, "files.broken")
	e.Err = cause
	return e
}

func headContext(id []byte) []byte { return append([]byte("file head "), id...) }

// chunkContext is the place of a chunk: its file, its number from 0, and whether it is the last.
func chunkContext(id []byte, number uint64, last bool) []byte {
	c := binary.BigEndian.AppendUint64(append([]byte("file chunk "), id...), number)
	if last {
		return append(c, 1)
	}
	return append(c, 0)
}

// Sum returns the sum of a file outside any store, as Put would, and its size in bytes; it stores nothing.
func Sum(path string) (string, int64, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() { // a folder, or a device that never ends
		return "", 0, fault.New("files.Sum", fault.Invalid, "files.no_file", "file", filepath.Base(path))
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return "", 0, fault.New("files.Sum", fault.Forbidden, "files.unreadable", "file", filepath.Base(path))
	}
	if err != nil {
		return "", 0, fault.Wrap("files.Sum", err)
	}
	hash := sha256.New()
	size, err := io.Copy(hash, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", 0, fault.Wrap("files.Sum", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), size, nil
}
