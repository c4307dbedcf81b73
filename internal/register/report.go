package register

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math/bits"
	"slices"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/vault"
)

// Report is what became of a delivery, and what was seen in it. Rows = Accepted + Quarantined + Unchanged. It holds no personal data, and is kept.
type Report struct {
	Register string       `json:"register"`
	File     string       `json:"file"`
	Delivery int64        `json:"delivery"` // its number; the earlier one's for the same bytes
	Received calendar.Day `json:"received"`
	Cutoff   calendar.Day `json:"cutoff"`
	Format   string       `json:"format"`
	Encoding string       `json:"encoding,omitempty"`

	Rows        int64    `json:"rows"`
	Accepted    int64    `json:"accepted"`    // written to the lake
	Quarantined int64    `json:"quarantined"` // put before a person by this call
	Unchanged   int64    `json:"unchanged"`   // the lake had them already, or the file has them twice, or they wait already
	Again       bool     `json:"again"`       // the same bytes were delivered before: nothing was done
	Ignored     []string `json:"ignored"`     // headings that no column has
	Absent      []string `json:"absent"`      // columns that the file has no heading for
	Unread      []string `json:"unread"`      // sheets that were not read: hidden ones, and those with headings of something else

	Repeated     int64 `json:"repeated"`      // of the unchanged: the very same as another row of the file
	Duplicates   int64 `json:"duplicates"`    // of the quarantined: rows that contradict another one under the same key
	StillWaiting int64 `json:"still_waiting"` // of the unchanged: rejected as they were before, and waiting already
	Overtaken    int64 `json:"overtaken"`     // of the unchanged: corrections of a delivery whose place another has taken since
	Passed       int64 `json:"passed"`        // lines that are no rows: headings repeated, sums
	OpenEnd      bool  `json:"open_end"`      // a text file whose last line has no line end
	Cut          int   `json:"cut"`           // the line at which the file ends in the middle of a row; 0 for a whole file

	New     int64 `json:"new"`     // of the accepted: under a key that the register did not have
	Changed int64 `json:"changed"` // of the accepted: under a key whose row said something else
	Ended   int64 `json:"ended"`   // keys that the delivery takes out of the register
	Closed  int64 `json:"closed"`  // rows that waited and do so no longer
	Waiting int64 `json:"waiting"` // rows of the register that wait now

	Unjoined  int64       `json:"unjoined"` // rows that call two citizens one person: taken, and the pair waits for a person
	Unsound   int64       `json:"unsound"`  // credit codes whose check digit is wrong: flagged, not refused
	Phones    int64       `json:"phones"`   // telephone numbers that are none: kept as they came
	Nulls     []Share     `json:"nulls"`    // columns that say nothing in some row, of the rows that could be read
	Unmatched []Unmatched `json:"unmatched"`
	Doubts    []Doubt     `json:"doubts"` // what looks wrong as a whole
}

// Share is in how many of how many rows a column says nothing.
type Share struct {
	Column string `json:"column"`
	Rows   int64  `json:"rows"`
	Of     int64  `json:"of"`
}

// Unmatched is how many of how many rows are met by no row of the register that they refer to. Of is 0 when that register was never delivered: then
// nobody can say.
type Unmatched struct {
	Refer string     `json:"refer"`
	Title pack.Words `json:"title"`
	Rows  int64      `json:"rows"`
	Of    int64      `json:"of"`
}

// Doubt is something that looks wrong with a delivery as a whole: a sentence of package locale. The delivery was taken all the same.
type Doubt struct {
	Key  string         `json:"key"`
	Args map[string]any `json:"args"`
}

// flags are what is worth a remark in a row and no reason to refuse it.
type flags struct {
	code  bool // a credit code whose check digit is wrong
	phone bool // a telephone number that is none
}

// see looks at a value that the lake may hold.
func (f *flags) see(c *pack.Column, s string) {
	if c.Type.Text == "uscc" {
		if _, _, sound := vault.CreditCode(s); !sound {
			f.code = true
		}
	}
}

// tally counts over the rows that could be read.
type tally struct {
	rows          int64
	empty         [pack.MaxColumns]int64
	codes, phones int64
}

func (c *tally) add(t *taken) {
	c.rows++
	for left := t.empty; left != 0; left &= left - 1 {
		c.empty[bits.TrailingZeros64(left)]++
	}
	if t.flags.code {
		c.codes++
	}
	if t.flags.phone {
		c.phones++
	}
}

// look finishes the report.
func (l *loading) look(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	rep := l.rep
	rep.Passed, rep.Ignored, rep.Unsound, rep.Phones = l.lines.passed, l.lines.ignored, l.counts.codes, l.counts.phones
	if len(l.lines.unread) > 0 {
		rep.Doubts = append(rep.Doubts, Doubt{Key: "register.doubt_unread", Args: map[string]any{"sheets": locale.Some(l.lines.unread)}})
	}
	rep.Unread = append(slices.Clone(l.lines.file.Hidden()), l.lines.unread...)
	for i, c := range l.reg.Columns {
		if l.lines.now.place[i] < 0 {
			rep.Absent = append(rep.Absent, c.Name.Text)
		} else if l.counts.empty[i] > 0 {
			rep.Nulls = append(rep.Nulls, Share{c.Name.Text, l.counts.empty[i], l.counts.rows})
		}
	}
	if p := l.parts[0]; p != nil && l.replaces() && p.accepted+p.unchanged > 0 {
		l.waiting.overtaken(l.reg, p, l.in.Received)
	}
	rep.Unjoined, rep.Closed = int64(len(l.pairs)), int64(len(l.waiting.closes))
	rep.Waiting = l.waiting.open() - rep.Closed + rep.Quarantined
	for _, r := range l.reg.Refers {
		u, err := l.unmatched(ctx, w, conn, r)
		if err != nil {
			return err
		}
		rep.Unmatched = append(rep.Unmatched, u)
	}
	return l.doubts(ctx)
}

// unmatched counts the staged rows that a reference finds no row for.
func (l *loading) unmatched(ctx context.Context, w *lake.Writer, conn *sql.Conn, r *pack.Refer) (Unmatched, error) {
	u := Unmatched{Refer: r.ID, Title: r.Title}
	other := l.Pack.Register(r.Register.Text)
	there, ok := w.Source(other.Name, lake.Ways(other.Ways()))
	if other == l.reg || !ok {
		return u, nil
	}
	mine, theirs := r.Columns()
	err := columnar.Row(ctx, conn, fmt.Sprintf(`SELECT count(*), count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM %s o WHERE o.%s = s.%s AND %s)) FROM staging s WHERE s.%s IS NOT NULL`,
		there, columnar.Quote(theirs), columnar.Quote(mine), r.WhereSQL("s", "o"), columnar.Quote(mine)), &u.Of, &u.Rows)
	return u, err
}

// The doubts, as shares.
const (
	fewerBy   = 3  // a third fewer rows than last time
	rejectsBy = 10 // a tenth of the rows rejected
	lonelyBy  = 5  // a fifth of the rows unmatched
	endedBy   = 3  // a third of the register's keys ended
	fewRows   = 20 // below this shares say little
)

// doubts compares the delivery with the last one of its register.
func (l *loading) doubts(ctx context.Context) error {
	rep := l.rep
	doubt := func(key string, args ...any) {
		d := Doubt{Key: key, Args: map[string]any{}}
		for i := 0; i+1 < len(args); i += 2 {
			d.Args[args[i].(string)] = args[i+1]
		}
		rep.Doubts = append(rep.Doubts, d)
	}
	if rep.Cut > 0 {
		doubt("register.doubt_cut", "line", rep.Cut)
	}
	if rep.Rows == 0 {
		doubt("register.doubt_none")
	}
	if rep.Rows >= fewRows && rep.Quarantined*rejectsBy > rep.Rows {
		doubt("register.doubt_rejects", "rows", rep.Quarantined, "of", rep.Rows)
	}
	for _, u := range rep.Unmatched {
		if u.Of >= fewRows && u.Rows*lonelyBy > u.Of {
			doubt("register.doubt_unmatched", "title_zh", u.Title.Zh, "title_en", u.Title.En, "rows", u.Rows, "of", u.Of)
		}
	}
	if l.lines.corrects() {
		return nil
	}
	if had := rep.Changed + rep.Ended + rep.Unchanged - rep.Repeated - rep.StillWaiting; had >= fewRows && rep.Ended*endedBy > had {
		doubt("register.doubt_ended", "rows", rep.Ended, "of", had)
	}
	if rep.Quarantined > 0 && rep.Ended > 0 && l.replaces() {
		doubt("register.doubt_ended_waiting", "rows", rep.Ended, "waiting", rep.Quarantined)
	}
	last, err := l.last(ctx)
	if err != nil || last == nil {
		return err
	}
	if rep.OpenEnd && last.Format == rep.Format && !last.OpenEnd {
		doubt("register.doubt_open_end")
	}
	if last.Rows >= fewRows && (last.Rows-rep.Rows)*fewerBy >= last.Rows {
		doubt("register.doubt_fewer", "rows", rep.Rows, "last", last.Rows, "received", last.Received.String())
	}
	if rep.Cutoff != 0 && rep.Cutoff < last.Cutoff {
		doubt("register.doubt_older", "cutoff", rep.Cutoff.String(), "last", last.Cutoff.String())
	}
	for i, c := range l.reg.Columns {
		if l.counts.rows >= fewRows && l.counts.empty[i] == l.counts.rows && last.tells(c.Name.Text) {
			doubt("register.doubt_empty", "column_zh", c.Title.Zh, "column_en", c.Title.En)
		}
	}
	return nil
}

// tells reports whether a delivery had a column in at least half of its rows.
func (r *Report) tells(column string) bool {
	if slices.Contains(r.Absent, column) || r.Accepted+r.Unchanged == 0 {
		return false
	}
	i := slices.IndexFunc(r.Nulls, func(s Share) bool { return s.Column == column })
	return i < 0 || r.Nulls[i].Rows*2 < r.Nulls[i].Of
}

// last is the report of the delivery before this one, corrections left out; nil when there is none.
func (l *loading) last(ctx context.Context) (*Report, error) {
	var text string
	err := l.Store.QueryRowContext(ctx, `SELECT report FROM register_delivery WHERE register = $1 AND corrects = 0 AND received <= $2 AND report <> '' ORDER BY received DESC, id DESC LIMIT 1`,
		l.reg.Name, l.in.Received).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := &Report{}
	return out, json.Unmarshal([]byte(text), out)
}

// Reports lists the deliveries of a register ("" for all) as they were seen when they were taken, newest first, at most limit.
//
// Errors: NotFound for an unknown register.
func (d *Desk) Reports(ctx context.Context, register string, limit int64) (out []Report, err error) {
	if register != "" {
		if _, err := d.register(register); err != nil {
			return nil, err
		}
	}
	rows, err := d.Store.QueryContext(ctx, `SELECT id, register, file, received, cutoff, accepted, quarantined, unchanged, report FROM register_delivery
WHERE $1 = '' OR register = $1 ORDER BY id DESC LIMIT $2`, register, limit)
	if err != nil {
		return nil, fault.Wrap("register.Reports", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r Report
		var text string
		if err := rows.Scan(&r.Delivery, &r.Register, &r.File, &r.Received, &r.Cutoff, &r.Accepted, &r.Quarantined, &r.Unchanged, &text); err != nil {
			return nil, fault.Wrap("register.Reports", err)
		}
		id := r.Delivery
		if text != "" {
			if err := json.Unmarshal([]byte(text), &r); err != nil {
				return nil, fault.Wrap("register.Reports", err)
			}
		}
		r.Delivery, r.Rows = id, cmp.Or(r.Rows, r.Accepted+r.Quarantined+r.Unchanged)
		out = append(out, r)
	}
	return out, fault.Wrap("register.Reports", rows.Err())
}

// Last is the day on which a delivery of a register was received last, also one that said nothing new, and the latest day that one describes; 0 for none.
func (d *Desk) Last(ctx context.Context, register string) (received, cutoff calendar.Day, err error) {
	err = d.Store.QueryRowContext(ctx, `SELECT coalesce(max(received), 0), coalesce(max(cutoff), 0) FROM register_delivery WHERE register = $1`, register).Scan(&received, &cutoff)
	return received, cutoff, fault.Wrap("register.Last", err)
}
