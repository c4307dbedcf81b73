package register

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"io"
	"runtime"
	"slices"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/pack"
	"bole/internal/vault"
	"github.com/zeebo/xxh3"
)

// taken is a row as far as it can be worked out without knowing the others.
type taken struct {
	line
	reasons []reason
	lake    []driver.Value // the lake's columns of the register, with room for the holders
	people  []named        // whom it names; the first is the one it is about, where the register is about persons
	whole   uint64         // hash of the row; the keys flavour it, so that nobody without them can test a guess
	key     uint64         // hash of its key; 0 where the key cannot be read
	month   calendar.Month
	empty   uint64 // bit i: column i says nothing
	flags   flags
}

// named is somebody whom a row names.
type named struct {
	record vault.Record
	place  int // of the holder among the lake's columns; -1 for another number of the person whom the row is about
}

// batch is some rows that one worker takes at once.
type batch struct {
	lines []line
	taken []taken
	done  chan struct{}
}

const batchRows = 512

// rows reads the file, works the rows out on all processors, and puts them into staging or quarantine in the order of the file.
func (l *loading) rows(ctx context.Context, a columnar.Appender) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := runtime.GOMAXPROCS(0)
	jobs, order := make(chan *batch), make(chan *batch, 4*workers)
	for range workers {
		go func() {
			for b := range jobs {
				b.taken = make([]taken, len(b.lines))
				for i, line := range b.lines {
					b.taken[i] = l.take(line)
				}
				close(b.done)
			}
		}()
	}
	var read error // of the reading goroutine; to be looked at after order is closed
	go func() {
		defer close(order)
		defer close(jobs)
		read = l.feed(ctx, jobs, order)
	}()
	var failed error
	for b := range order {
		if failed != nil {
			continue // let the reader end
		}
		<-b.done
		if failed = l.collect(a, b.taken); failed != nil {
			cancel()
		}
	}
	return errors.Join(failed, read)
}

// feed hands batches of rows to the workers, and in the order of the file to whoever collects.
func (l *loading) feed(ctx context.Context, jobs, order chan<- *batch) error {
	for {
		b := &batch{lines: make([]line, 0, batchRows), done: make(chan struct{})}
		var err error
		for len(b.lines) < batchRows && err == nil {
			var one line
			if one, err = l.lines.next(); err == nil {
				b.lines = append(b.lines, one)
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if len(b.lines) > 0 {
			select {
			case order <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
			select {
			case jobs <- b:
			case <-ctx.Done():
				close(b.done)
				return ctx.Err()
			}
		}
		if err != nil {
			return nil
		}
	}
}

func (l *loading) collect(a columnar.Appender, rows []taken) error {
	for i := range rows {
		if l.rep.Rows++; l.rep.Rows%20000 == 0 && l.in.Progress != nil {
			l.in.Progress(l.rep.Rows)
		}
		if err := l.accept(&rows[i], a); err != nil {
			return err
		}
	}
	return nil
}

// accept puts a row into staging, or into quarantine.
func (l *loading) accept(t *taken, a columnar.Appender) error {
	p, known, err := l.belongs(t)
	if err != nil {
		return err
	}
	if !known {
		return l.refuse(t, p, []reason{{column: -1, key: "reject.number_unknown"}})
	}
	if t.reasons != nil {
		return l.refuse(t, p, t.reasons)
	}
	l.who(t)
	l.counts.add(t)
	if t.month != 0 {
		p.months[t.month] = true
	}
	l.waiting.right(l, t, p)
	return a.AppendRow(append(t.lake, p.id, t.whole, t.ord, t.key)...)
}

// take works a row out.
func (l *loading) take(in line) (t taken) {
	t.line = in
	r := &row{reg: l.reg, values: make([]any, len(l.reg.Columns)), received: l.in.Received, kinds: map[*pack.Column]string{}}
	if t.reasons = l.read(in, r); t.reasons != nil {
		t.key, t.month = l.keyOf(r)
		return t
	}
	t.lake = make([]driver.Value, 0, len(l.reg.Columns)+5)
	if l.reg.About == "person" {
		t.lake = append(t.lake, nil) // the holder
		t.people = append(t.people, named{place: 0})
	}
	whole, key := xxh3.New(), xxh3.New()
	var record vault.Record
	for i, c := range l.reg.Columns {
		v := r.values[i]
		h := l.hashed(c, v)
		mix(whole, i, h)
		if l.key[i] {
			mix(key, i, h)
		}
		switch s, _ := v.(string); {
		case v == nil:
			t.empty |= 1 << i
		case c.Type.Text == "id_number" && c.Class.Text != "personal":
			n := named{record: vault.Record{Number: s, Kind: r.kinds[c]}, place: -1}
			if c.InLake() {
				n.place = len(t.lake)
			}
			t.people = append(t.people, n)
			v = nil
		case c.Class.Text == "personal":
			fill(&record, c, s, r)
		case c.Class.Text == "keyed":
			v = h
		default:
			t.flags.see(c, s)
		}
		if c.InLake() {
			t.lake = append(t.lake, toSQL(c, v))
		}
	}
	if l.reg.About == "person" {
		t.people[0].record = record
	}
	t.whole, t.key, t.month, t.flags.phone = whole.Sum64(), key.Sum64(), l.monthOf(r), r.flags.phone
	return t
}

// hashed is what stands for a value in the hashes of its row: of what the lake must not hold a keyed fingerprint.
func (l *loading) hashed(c *pack.Column, v any) any {
	s, ok := v.(string)
	switch {
	case !ok:
	case !c.InLake() || c.Class.Text == "holder":
		f := l.Vault.Fingerprint(s)
		return string(f[:])
	case c.Class.Text == "keyed":
		return l.Vault.Keyed(c.Name.Text, s)
	}
	return v
}

// fill puts a personal value into the record of the person whom a row is about. Texts of other types are hashed and sealed with the original only.
func fill(rec *vault.Record, c *pack.Column, s string, r *row) {
	switch c.Type.Text {
	case "id_number":
		rec.Number, rec.Kind = s, r.kinds[c]
	case "person_name":
		rec.Name = s
	case "phone":
		rec.Phone = s
	case "account":
		rec.Account = s
	}
}

// keyOf hashes a rejected row's key, where all of it could be read, and finds its month.
func (l *loading) keyOf(r *row) (key uint64, month calendar.Month) {
	h := xxh3.New()
	for i, c := range l.reg.Columns {
		if !l.key[i] {
			continue
		}
		if r.wrong == nil || r.wrong[i] || c.Required && r.values[i] == nil {
			return 0, l.monthOf(r)
		}
		mix(h, i, l.hashed(c, r.values[i]))
	}
	return h.Sum64(), l.monthOf(r)
}

// monthOf is the month of a row of a monthly register; 0 where there is none.
func (l *loading) monthOf(r *row) calendar.Month {
	if l.month < 0 {
		return 0
	}
	day, _ := r.values[l.month].(calendar.Day)
	return day.Month()
}

// read fills r from a line and returns every reason against it.
func (l *loading) read(in line, r *row) (reasons []reason) {
	if in.Fault != "" {
		return []reason{{column: -1, key: "reject." + in.Fault}}
	}
	r.wrong = make([]bool, len(l.reg.Columns))
	for _, i := range l.sequence {
		text := ""
		if in.place[i] >= 0 {
			text = field(in.Fields, in.place[i])
		}
		v, wrong, args := l.reads[i](text, r)
		if wrong != "" {
			reasons = append(reasons, reason{column: i, key: wrong, args: args})
			r.wrong[i] = true
		}
		r.values[i] = v
	}
	if reasons != nil {
		slices.SortStableFunc(reasons, func(a, b reason) int { return a.column - b.column })
		return reasons
	}
	for _, c := range l.reg.Checks {
		v, err := c.Expr().Eval(r.value)
		if ok, is := v.(bool); err != nil || is && !ok {
			reasons = append(reasons, reason{column: -1, check: c.ID, says: c.Says})
		}
	}
	return reasons
}

// mix takes a column's value into a hash. No value is another than an empty text.
func mix(h *xxh3.Hasher, column int, v any) {
	var b [10]byte
	b[0], b[1] = byte(column), 1
	s := ""
	switch x := v.(type) {
	case nil:
		b[1] = 0
	case int64:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case calendar.Day:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case bool:
		if x {
			b[2] = 1
		}
	case string:
		binary.LittleEndian.PutUint64(b[2:], uint64(len(x)))
		s = x
	}
	_, _ = h.Write(b[:])
	_, _ = h.WriteString(s)
}

func toSQL(c *pack.Column, v any) driver.Value {
	switch x := v.(type) {
	case calendar.Day:
		return x.Time()
	case int64:
		if c.SQLType() == "SMALLINT" {
			return int16(x)
		}
	}
	return v
}
