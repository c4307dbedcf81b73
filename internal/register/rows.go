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

// who finds the holders of the people whom a row names. What it says of another number of the person is looked at when all rows are known.
func (l *loading) who(t *taken) {
	var about int64
	for i, n := range t.people {
		settled := vault.Parts(0)
		if i == 0 {
			settled = l.settles
		}
		h := l.resolver.Holder(n.record, settled)
		if n.place < 0 {
			l.aliases = append(l.aliases, [2]int64{about, h})
			continue
		}
		t.lake[n.place] = h
		if i == 0 {
			about = h
		}
	}
}

// take works a row out.
func (l *loading) take(in line) (t taken) {
	t.line = in
	r := &row{reg: l.reg, values: make([]any, len(l.reg.Columns)), received: l.in.Received, kinds: map[*pack.Column]string{}}
	if t.reasons = l.read(in, r); t.reasons != nil {
		t.key, t.month = l.keyOf(r)
		return t
	}
	lakeColumns := len(l.reg.Columns) + 5
	t.lake = make([]driver.Value, 0, lakeColumns)
	if l.reg.About == "person" {
		t.lake = append(t.lake, nil) // the holder
		t.people = append(t.people, named{place: 0})
	}
	whole := xxh3.New()
	var record vault.Record
	for i, c := range l.reg.Columns {
		v := r.values[i]
		s, _ := v.(string)
		if v == nil {
			t.empty |= 1 << i
		}
		out := driver.Value(nil)
		switch {
		case v == nil:
		case c.Type.Text == "id_number" && c.Class.Text != "personal":
			n := named{record: vault.Record{Number: s, Kind: r.kinds[c]}, place: -1}
			if c.InLake() {
				n.place = len(t.lake)
			}
			t.people = append(t.people, n)
			v, s = nil, l.hidden(s)
		case c.Class.Text == "personal":
			fill(&record, c, s, r)
			v, s = nil, l.hidden(s)
		case c.Class.Text == "keyed":
			s = l.Vault.Keyed(c.Name.Text, s)
			v, out = s, s
		default:
			t.flags.see(c, s)
			out = toSQL(c, v)
		}
		mix(whole, i, v, s)
		if c.InLake() {
			t.lake = append(t.lake, out)
		}
	}
	if l.reg.About == "person" {
		t.people[0].record = record
	}
	t.whole, t.flags.phone = whole.Sum64(), r.flags.phone
	t.key, t.month = l.keyOf(r)
	return t
}

// hidden is what stands for a personal value in hashes.
func (l *loading) hidden(s string) string {
	f := l.Vault.Fingerprint(s)
	return string(f[:])
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

// keyOf hashes a row's key, where all of what it must have could be read, and finds its month.
func (l *loading) keyOf(r *row) (key uint64, month calendar.Month) {
	h := xxh3.New()
	sound := true
	for i, c := range l.reg.Columns {
		v := r.values[i]
		if l.reg.Month != nil && c.Name.Text == l.reg.Month.Text && v != nil {
			month = v.(calendar.Day).Month()
		}
		if !slices.ContainsFunc(l.reg.Key, func(k pack.Src) bool { return k.Text == c.Name.Text }) {
			continue
		}
		s, _ := v.(string)
		switch {
		case v == nil:
			sound = sound && !c.Required && !r.wrong[i]
		case c.Class.Text == "personal" || c.Class.Text == "alias" || c.Class.Text == "holder":
			v, s = nil, l.hidden(s)
		case c.Class.Text == "keyed":
			s = l.Vault.Keyed(c.Name.Text, s)
			v = s
		}
		mix(h, i, v, s)
	}
	if !sound {
		return 0, month
	}
	return h.Sum64(), month
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

func mix(h *xxh3.Hasher, column int, v any, s string) {
	var b [10]byte
	b[0], b[1] = byte(column), 1
	switch x := v.(type) {
	case int64:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case calendar.Day:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case bool:
		if x {
			b[2] = 1
		}
	default:
		if v == nil && s == "" {
			b[1] = 0
		}
		binary.LittleEndian.PutUint64(b[2:], uint64(len(s)))
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
