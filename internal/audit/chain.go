package audit

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"bole/internal/seal"
	"bole/internal/store"
)

// Entry is a record as the log keeps it.
type Entry struct {
	Seq     int64           `json:"seq"` // place in the chain from 1; 0 while it is not sealed
	ID      int64           `json:"id"`
	At      time.Time       `json:"at"`
	Account string          `json:"account"`
	Role    string          `json:"role"`
	Action  string          `json:"action"`
	Kind    string          `json:"kind"`
	Object  string          `json:"object"`
	Before  json.RawMessage `json:"before"`
	After   json.RawMessage `json:"after"`
	Reason  string          `json:"reason"`
	Count   int64           `json:"count"`
	Request string          `json:"request"`
}

// appendText writes the text of the record that is hashed. Every column of its row stands in it.
func (e *Entry) appendText(b []byte) []byte {
	number := func(name string, n int64) { b = strconv.AppendInt(append(b, name...), n, 10) }
	text := func(name, s string) { b = appendText(append(b, name...), s) }
	number(`{"seq":`, e.Seq)
	number(`,"id":`, e.ID)
	text(`,"at":`, instant(store.Micros(e.At)))
	text(`,"account":`, e.Account)
	text(`,"role":`, e.Role)
	text(`,"action":`, e.Action)
	text(`,"kind":`, e.Kind)
	text(`,"object":`, e.Object)
	b = append(append(b, `,"before":`...), e.Before...)
	b = append(append(b, `,"after":`...), e.After...)
	text(`,"reason":`, e.Reason)
	number(`,"count":`, e.Count)
	text(`,"request":`, e.Request)
	return append(b, '}')
}

// What may be wrong with a record.
const (
	Changed    = "changed"      // it is not what was sealed after the record before it
	Missing    = "missing"      // it is not there
	OutOfOrder = "out_of_order" // it stands further down
	Repeated   = "repeated"     // in its place stands one that was there before
	Cut        = "cut"          // the log ends before it, and an end or a root says that it was there
	Appended   = "appended"     // it stands after the end
	BadEnd     = "end"          // the last line of the file, after this record, is not what was signed
	OtherKey   = "other_key"    // the file was signed with another key than the one asked for
	OffRoot    = "root"         // its hash is not the one that was signed on a day before
	RootBroken = "root_broken"  // the root that is to have it cannot be read, or its signature is not ours
	Unlisted   = "unlisted"     // after this record: one that no sealer would find
)

// Broken is the first record that does not fit.
type Broken struct {
	Record int64  `json:"record"` // number in the chain
	What   string `json:"what"`
}

// Report is what a walk along the chain found.
type Report struct {
	OK       bool    `json:"ok"`
	Records  int64   `json:"records"`  // sealed ones that fit, from the first
	Unsealed int64   `json:"unsealed"` // written and not sealed yet; 0 of a file
	Roots    int     `json:"roots"`    // signed hashes of days before that the chain was held against
	Last     string  `json:"last"`     // hash of the last record that fits, in hex
	Key      string  `json:"key"`      // public key of the signatures
	Broken   *Broken `json:"broken"`   // nil where all fits
}

func (w *walker) report(broken *Broken) Report {
	return Report{OK: broken == nil, Records: w.seq, Last: hex.EncodeToString(w.last[:]), Broken: broken}
}

// walker stands on a record of the chain.
type walker struct {
	seq  int64    // of the last record that fits; 0 before the first
	last [32]byte // its hash
}

// chained is the hash of the next record with a text.
func (w *walker) chained(text []byte) [32]byte { return seal.SM3(w.last[:], text) }

// step takes the next record, and stays where it is when that does not fit.
func (w *walker) step(seq int64, text, hash []byte) *Broken {
	next := w.seq + 1
	sum := w.chained(text)
	switch {
	case seq == next && bytes.Equal(sum[:], hash):
		w.seq, w.last = next, sum
		return nil
	case seq == next || w.renumbered(text, hash):
		return &Broken{next, Changed}
	case seq > next:
		return &Broken{next, Missing}
	}
	return &Broken{next, Repeated}
}

// renumbered reports whether a record would be the next one but for its number.
func (w *walker) renumbered(text, hash []byte) bool {
	_, rest, ok := bytes.Cut(text, []byte(`,"id":`))
	sum := w.chained(append(strconv.AppendInt([]byte(`{"seq":`), w.seq+1, 10), append([]byte(`,"id":`), rest...)...))
	return ok && bytes.Equal(sum[:], hash)
}
