package fault

import (
	"errors"
	"fmt"
	"strings"
)

// Kind decides what the reader may do about an error.
type Kind string

// The kinds, and what each one asks of the reader.
const (
	Invalid   Kind = "invalid"   // mend the input
	NotFound  Kind = "not_found" // it does not exist, or not for you
	Forbidden Kind = "forbidden" // ask somebody who may
	Conflict  Kind = "conflict"  // somebody else was first: look again
	Stale     Kind = "stale"     // what you saw has changed: reload
	Withheld  Kind = "withheld"  // it exists and may not be shown
	Upstream  Kind = "upstream"  // another system failed: try later
	Internal  Kind = "internal"  // our mistake
)

// E records that Op could not be done.
type E struct {
	Op   string         // "register.Load"
	Kind Kind           //
	Key  string         // message key in package locale; never a sentence
	Args map[string]any // fills the message; never personal data
	Err  error          // the cause, for the operator's log only
}

func (e *E) Error() string {
	var b strings.Builder
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(string(e.Kind))
	if e.Key != "" {
		b.WriteString(": " + e.Key)
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

func (e *E) Unwrap() error { return e.Err }

// New returns an error of a kind with its message key; args are name, value pairs.
func New(op string, kind Kind, key string, args ...any) *E {
	e := &E{Op: op, Kind: kind, Key: key, Args: map[string]any{}}
	for i := 0; i+1 < len(args); i += 2 {
		e.Args[args[i].(string)] = args[i+1]
	}
	return e
}

// Wrap says which operation an error passed through. It keeps the kind and the message of what it wraps. A foreign error becomes Upstream
// "disk.full" where it comes of a full disk, whoever says so, and Internal otherwise. Wrap of nil is nil.
func Wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var e *E
	known := errors.As(err, &e)
	switch {
	case (!known || e.Key == "") && full(err):
		return &E{Op: op, Kind: Upstream, Key: "disk.full", Err: err}
	case known:
		return &E{Op: op, Kind: e.Kind, Key: e.Key, Args: e.Args, Err: err}
	}
	return &E{Op: op, Kind: Internal, Err: err}
}

// KindOf returns the kind of the outermost E, or Internal for any other error.
func KindOf(err error) Kind {
	var e *E
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}

// Mistake is one thing wrong in a file that a person writes: a pack's declaration, an expression in it.
type Mistake struct {
	File    string `json:"file"`   // slash-separated, relative to the pack
	Line    int    `json:"line"`   // from 1; 0 when the file as a whole is meant
	Column  int    `json:"column"` // from 1, in characters; 0 with Line 0
	Message string `json:"message"`
	Source  string `json:"-"` // the line itself
}

// String shows the mistake where it is, as a compiler does:
//
//	policies/x.yaml:36:12: no fact called insured_month; did you mean insured_months?
//	 |     holds: insured_month >= p.months_min
//	 | ...........^
func (m Mistake) String() string {
	if m.Line == 0 {
		return fmt.Sprintf("%s: %s", m.File, m.Message)
	}
	s := fmt.Sprintf("%s:%d:%d: %s", m.File, m.Line, m.Column, m.Message)
	if m.Source != "" && m.Column > 0 {
		s += "\n | " + m.Source + "\n | " + strings.Repeat(".", dots(m.Source, m.Column-1)) + "^"
	}
	return s
}

// dots counts the cells before the caret: a Chinese character is two cells wide on a terminal.
func dots(line string, chars int) int {
	n := 0
	for i, r := range []rune(line) {
		if i == chars {
			break
		}
		n++
		if r >= 0x2E80 {
			n++
		}
	}
	return n
}

// Mistakes is a list of them as an error.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Closest returns the word that was probably meant, or "" when none is near: at most a third of its letters differ.
func Closest(word string, among []string) string {
	best, least := "", len([]rune(word))/3
	for _, w := range among {
		if d := distance([]rune(word), []rune(w)); d <= least && (best == "" || d < least || w < best) {
			best, least = w, d
		}
	}
	return best
}

// distance counts the letters to change, add, drop or swap with their neighbour.
func distance(a, b []rune) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j+1]+1, row[j]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
