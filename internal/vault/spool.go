package vault

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"os"
	"runtime"
	"strconv"
	"sync"
)

// spool is what a load has sealed and not yet saved, in the order in which it came. Records wait in a batch until it is full; then a
// goroutine seals the batch while the load goes on. What is sealed lies in memory up to spoolMemory and then in a file, so that
// memory stays the same however many people a file brings. The file holds envelopes and keyed fingerprints, nothing in the clear. It
// loses its name as soon as it is made, so that it is gone when the process is, also when that is killed.
type spool struct {
	v     *Vault
	batch []item
	slots chan struct{} // as many batches are sealed at a time

	mu      sync.Mutex
	turn    sync.Cond // a batch is written when all before it are
	begun   int       // batches handed out
	written int       // batches written
	changes int       // items of written batches that are changes
	tail    []byte    // what is not in the file
	file    *os.File
	size    int64 // of the file
	err     error
}

// item is a new holder with its record, or what a register says about a known one.
type item struct {
	id     int64
	idx    [16]byte // of the number of a new holder
	rec    Record
	parts  Parts // settled of a known holder
	change bool
}

const (
	batchItems  = 256
	spoolMemory = 8 << 20 // bytes
)

func newSpool(v *Vault) *spool {
	s := &spool{v: v, slots: make(chan struct{}, runtime.NumCPU()+1)}
	s.turn.L = &s.mu
	return s
}

func (s *spool) add(i item) {
	if s.batch == nil {
		s.batch = make([]item, 0, batchItems)
	}
	if s.batch = append(s.batch, i); len(s.batch) == batchItems {
		s.hand()
	}
}

// hand lets a goroutine seal the batch.
func (s *spool) hand() {
	if len(s.batch) == 0 {
		return
	}
	batch, number := s.batch, s.begun
	s.batch = nil
	s.begun++
	s.slots <- struct{}{}
	go func() {
		text, changes, err := s.v.encode(batch)
		s.write(number, text, changes, err)
		<-s.slots
	}()
}

// write appends a batch when its turn has come.
func (s *spool) write(number int, text []byte, changes int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.written != number {
		s.turn.Wait()
	}
	s.tail = append(s.tail, text...)
	s.changes += changes
	if len(s.tail) > spoolMemory && err == nil && s.err == nil {
		err = s.spill()
	}
	s.err = errors.Join(s.err, err)
	s.written++
	s.turn.Broadcast()
}

func (s *spool) spill() error {
	if s.file == nil {
		if err := os.MkdirAll(s.v.temp, 0o700); err != nil {
			return err
		}
		f, err := os.CreateTemp(s.v.temp, "vault-")
		if err != nil {
			return err
		}
		_ = os.Remove(f.Name()) // where an open file keeps its name, discard removes it
		s.file = f
	}
	n, err := s.file.Write(s.tail)
	s.size += int64(n)
	s.tail = s.tail[:0]
	return err
}

// finish waits until everything that was added is sealed. More may be added afterwards.
func (s *spool) finish() error {
	s.hand()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.written != s.begun {
		s.turn.Wait()
	}
	return s.err
}

// discard forgets everything.
func (s *spool) discard() {
	s.batch = nil
	_ = s.finish()
	if s.file != nil {
		_ = s.file.Close()
		_ = os.Remove(s.file.Name())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.begun, s.written, s.changes, s.size, s.tail, s.file, s.err = 0, 0, 0, 0, nil, nil, nil
}

// sealedItem is an item as the spool keeps it.
type sealedItem struct {
	id      int64
	change  bool
	parts   Parts
	entries []entry
	sealed  []byte
}

// entry is a row of the blind index.
type entry struct {
	kind byte // place in kinds
	idx  [16]byte
}

// kinds of the index, by their place.
var kinds = [...]string{byNumber, byOtherNumber, byPhone, byAccount}

// encode seals a batch. An item is its id, its parts with the top bit for a change, the number of index entries, these, the length of
// the envelope, and the envelope.
func (v *Vault) encode(batch []item) (out []byte, changes int, err error) {
	out = make([]byte, 0, len(batch)*256)
	for i := range batch {
		it := &batch[i]
		out = binary.AppendUvarint(out, uint64(it.id))
		head, place, entries := byte(it.parts), sealContext(it.id), []entry(nil)
		if it.change {
			head |= changeBit
			place = changeContext(it.id)
			changes++
		} else {
			entries = v.entries(it)
		}
		out = append(out, head, byte(len(entries)))
		for _, e := range entries {
			out = append(append(out, e.kind), e.idx[:]...)
		}
		plain, e := json.Marshal(it.rec)
		if e != nil {
			return nil, 0, e
		}
		sealed := v.keys.Seal(plain, place)
		out = append(binary.AppendUvarint(out, uint64(len(sealed))), sealed...)
	}
	return out, changes, nil
}

const changeBit = 0x80

func changeContext(id int64) []byte { return strconv.AppendInt([]byte("change of holder "), id, 10) }

// entries are the index rows of a new holder.
func (v *Vault) entries(it *item) []entry {
	number := byte(0)
	if it.rec.Kind != "" {
		number = 1
	}
	out := append(make([]entry, 0, 3), entry{number, it.idx})
	for i, value := range []string{it.rec.Phone, it.rec.Account} {
		if value != "" {
			kind := byte(2 + i)
			out = append(out, entry{kind, v.keys.Index(kinds[kind], value)})
		}
	}
	return out
}

// each calls f for every item, in order. What f is given is its own to keep.
func (s *spool) each(f func(sealedItem) error) error {
	parts := []io.Reader{bytes.NewReader(s.tail)}
	if s.file != nil {
		parts = []io.Reader{io.NewSectionReader(s.file, 0, s.size), parts[0]}
	}
	r := bufio.NewReaderSize(io.MultiReader(parts...), 1<<18)
	for {
		id, err := binary.ReadUvarint(r)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		it, err := readItem(r, int64(id))
		if err != nil {
			return err
		}
		if err := f(it); err != nil {
			return err
		}
	}
}

func readItem(r *bufio.Reader, id int64) (it sealedItem, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return it, err
	}
	it = sealedItem{id: id, change: head[0]&changeBit != 0, parts: Parts(head[0] &^ changeBit), entries: make([]entry, head[1])}
	for i := range it.entries {
		var b [17]byte
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return it, err
		}
		it.entries[i] = entry{b[0], [16]byte(b[1:])}
	}
	n, err := binary.ReadUvarint(r)
	if err != nil {
		return it, err
	}
	it.sealed = make([]byte, n)
	_, err = io.ReadFull(r, it.sealed)
	return it, err
}
