package vault

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/binary"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
	"unicode"

	"bole/internal/fault"
)

// Names are the names, numbers and phones of everybody, unsealed into memory so that a person at the counter is found by part of a name
// or by its pinyin. They are never written anywhere. Several goroutines may search at once.
//
// Somebody with a name of three characters, a resident's number and a phone takes 42 bytes (BenchmarkNames): ten million people take
// 420 MB. A search reads all of it on one core: a number, a phone or a part of a name in some 30 ms a million people, pinyin in some
// 100 ms.
type Names struct {
	v     *Vault
	clock func() time.Time

	mu     sync.RWMutex
	chunks []chunk // by holder
	size   Size
	last   int64 // the highest holder read
	change int64 // the last change of a record that was read
	sounds *sounds
}

// Size is what Names cost.
type Size struct {
	People int
	Bytes  int64         // of memory
	Took   time.Duration // to unseal and read them, at first
}

// chunk is some people, one after the other in order of holder: the holder as its distance from the one before, then name, number and
// phone, each after its length.
type chunk struct {
	first int64 // the holder that the first distance is from
	text  []byte
}

// chunkSize is how many bytes a chunk has at most; a changed record rewrites its chunk.
const chunkSize = 32 << 10

// Match is somebody found, and by what.
type Match struct {
	Holder int64
	Name   string
	By     string // number, phone, name, pinyin or initials
}

// OpenNames unseals every record once.
func OpenNames(ctx context.Context, v *Vault, clock func() time.Time) (*Names, error) {
	n := &Names{v: v, clock: clock, sounds: newSounds()}
	start := clock()
	if err := v.db.QueryRowContext(ctx, `SELECT coalesce(max(n), 0) FROM vault_change`).Scan(&n.change); err != nil {
		return nil, fault.Wrap("vault.OpenNames", err)
	}
	if err := n.readNew(ctx); err != nil {
		return nil, fault.Wrap("vault.OpenNames", err)
	}
	n.size.Took = clock().Sub(start)
	return n, nil
}

// Size tells how many people are known, in how much memory, and how long it took to read them at first.
func (n *Names) Size() Size {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.size
}

// Refresh learns of holders that are new, and of records that changed, since the last time.
func (n *Names) Refresh(ctx context.Context) error {
	if err := n.readNew(ctx); err != nil {
		return fault.Wrap("vault.Refresh", err)
	}
	return fault.Wrap("vault.Refresh", n.readChanged(ctx))
}

func (n *Names) readNew(ctx context.Context) error {
	for {
		n.mu.RLock()
		last := n.last
		n.mu.RUnlock()
		people, err := n.v.open(ctx, `SELECT id, sealed FROM vault_holder WHERE id > $1 ORDER BY id LIMIT 8192`, last)
		if err != nil || len(people) == 0 {
			return err
		}
		n.mu.Lock()
		for _, p := range people {
			if p.id > n.last { // another Refresh may have been here
				n.put(p)
			}
		}
		n.mu.Unlock()
	}
}

func (n *Names) readChanged(ctx context.Context) error {
	for {
		n.mu.RLock()
		change := n.change
		n.mu.RUnlock()
		var upTo sql.NullInt64
		err := n.v.db.QueryRowContext(ctx, `SELECT max(n) FROM (SELECT n FROM vault_change WHERE n > $1 ORDER BY n LIMIT 8192) x`, change).Scan(&upTo)
		if err != nil || !upTo.Valid {
			return err
		}
		people, err := n.v.open(ctx, `SELECT id, sealed FROM vault_holder WHERE id IN (SELECT holder FROM vault_change WHERE n > $1 AND n <= $2) ORDER BY id`, change, upTo.Int64)
		if err != nil {
			return err
		}
		n.mu.Lock()
		for _, p := range people {
			n.replace(p)
		}
		n.change = max(n.change, upTo.Int64)
		n.mu.Unlock()
	}
}

// open unseals the records of a query on all processors.
func (v *Vault) open(ctx context.Context, query string, args ...any) ([]opened, error) {
	rows, err := v.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []opened
	var sealed [][]byte
	for rows.Next() {
		var id int64
		var s []byte
		if err := rows.Scan(&id, &s); err != nil {
			return nil, err
		}
		out, sealed = append(out, opened{id: id}), append(sealed, s)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	workers := runtime.NumCPU()
	errs := make([]error, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(out) && errs[w] == nil; i += workers {
				out[i].rec, errs[w] = v.unsealed(out[i].id, sealed[i])
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// put adds somebody behind everybody else.
func (n *Names) put(p opened) {
	text := appendPerson(nil, p.id-n.last, p.rec)
	if len(n.chunks) == 0 || len(n.chunks[len(n.chunks)-1].text)+len(text) > chunkSize {
		n.trim()
		n.chunks = append(n.chunks, chunk{n.last, make([]byte, 0, chunkSize)})
		n.size.Bytes += chunkSize
	}
	c := &n.chunks[len(n.chunks)-1]
	c.text = append(c.text, text...)
	n.last = p.id
	n.size.People++
	n.sounds.learn(p.rec.Name)
}

// trim gives back the memory that the last chunk did not need.
func (n *Names) trim() {
	if len(n.chunks) > 0 {
		c := &n.chunks[len(n.chunks)-1]
		n.size.Bytes -= int64(cap(c.text) - len(c.text))
		c.text = slices.Clip(bytes.Clone(c.text))
	}
}

// replace puts a record in the place of the same holder's, in a new chunk: searches that read the old one keep it.
func (n *Names) replace(p opened) {
	at := sort.Search(len(n.chunks), func(i int) bool { return n.chunks[i].first >= p.id }) - 1
	if at < 0 {
		return
	}
	c := n.chunks[at]
	var text []byte
	before := c.first
	for r := (reader{c.text, c.first}); r.next(); {
		rec := r.record()
		if r.holder == p.id {
			rec = p.rec
		}
		text = appendPerson(text, r.holder-before, rec)
		before = r.holder
	}
	n.size.Bytes += int64(cap(text) - cap(c.text))
	n.chunks[at].text = text
	n.sounds.learn(p.rec.Name)
}

func appendPerson(out []byte, distance int64, rec Record) []byte {
	out = binary.AppendUvarint(out, uint64(distance))
	for _, s := range []string{rec.Name, rec.Number, rec.Phone} {
		out = append(binary.AppendUvarint(out, uint64(len(s))), s...)
	}
	return out
}

// reader goes through the people of a chunk.
type reader struct {
	text   []byte
	holder int64 // before the first next: the chunk's first
}

func (r *reader) next() bool {
	if len(r.text) == 0 {
		return false
	}
	distance, n := binary.Uvarint(r.text)
	r.holder, r.text = r.holder+int64(distance), r.text[n:]
	return true
}

// field gives the next of name, number and phone.
func (r *reader) field() []byte {
	size, n := binary.Uvarint(r.text)
	f := r.text[n : n+int(size)]
	r.text = r.text[n+int(size):]
	return f
}

func (r *reader) record() Record {
	return Record{Name: string(r.field()), Number: string(r.field()), Phone: string(r.field())}
}

// By what somebody is found, best first; within one, in order of holder.
const (
	numberIs = iota
	phoneIs
	nameIs
	nameBegins
	nameHas
	soundIs
	soundBegins
	soundHas
	initialsAre
	initialsHave
	nothing
)

var by = [nothing]string{"number", "phone", "name", "name", "name", "pinyin", "pinyin", "pinyin", "initials", "initials"}

// Find returns up to limit people within scope whose number or phone is the query, whose name has it, or whose name sounds like it: in
// pinyin (wang xiaoming, wangxiao, xiaoming) or its initials (wxm). Better matches come first. An empty query finds nobody. scope is
// asked of people who match only; nil is everybody.
func (n *Names) Find(query string, scope func(holder int64) bool, limit int) []Match {
	q := newQuery(query)
	if q.text == nil || limit <= 0 {
		return nil
	}
	n.mu.RLock()
	defer n.mu.RUnlock()
	var found [nothing][]Match
	for _, c := range n.chunks {
		for r := (reader{c.text, c.first}); r.next(); {
			name, number, phone := r.field(), r.field(), r.field()
			how := q.match(name, number, phone, n.sounds)
			if how < nothing && len(found[how]) < limit && (scope == nil || scope(r.holder)) {
				found[how] = append(found[how], Match{r.holder, string(name), by[how]})
			}
		}
	}
	var out []Match
	for _, ms := range found {
		out = append(out, ms[:min(len(ms), limit-len(out))]...)
	}
	return out
}

// query is what somebody looks for, in the spellings in which it is compared.
type query struct {
	text   []byte // as a name, number or phone
	sound  string // in small letters without blanks; "" when it is not all letters
	number bool   // it has a digit, so it is no name
}

func newQuery(s string) (q query) {
	s = strings.TrimSpace(s)
	if s == "" {
		return q
	}
	q.text = []byte(s)
	q.number = strings.ContainsFunc(s, unicode.IsDigit)
	if q.number {
		q.text = []byte(strings.ToUpper(s))
	}
	sound := strings.NewReplacer(" ", "", "'", "", "ü", "v").Replace(strings.ToLower(s))
	if strings.Trim(sound, "abcdefghijklmnopqrstuvwxyz") == "" {
		q.sound = sound
	}
	return q
}

func (q *query) match(name, number, phone []byte, s *sounds) int {
	switch {
	case q.number && bytes.Equal(number, q.text):
		return numberIs
	case q.number && bytes.Equal(phone, q.text):
		return phoneIs
	case q.number:
		return nothing
	}
	if at := bytes.Index(name, q.text); at >= 0 {
		switch {
		case len(name) == len(q.text):
			return nameIs
		case at == 0:
			return nameBegins
		}
		return nameHas
	}
	if q.sound == "" {
		return nothing
	}
	return s.match(name, q.sound)
}
