package register

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// Rejects is the workbook in which rejected rows are handed back, for one or several deliveries of a register. It is made with the first
// rejected row: no rejects, no workbook. The sender corrects his own columns, and the same workbook is a delivery again.
type Rejects struct {
	Path   string
	Rows   int64 // rows written
	book   *sheet.Workbook
	sheet  *sheet.SheetWriter
	sheets int
	header []string // of the present sheet, as the sender wrote them
	left   int      // rows that the present sheet still has room for
}

const (
	sheetRows = 1_000_000 // a sheet holds 1,048,576
	cellRunes = 16_000    // a cell holds 32,767 units of UTF-16
)

// rejectHeads are our columns of the workbook, before the sender's; the reject number stands after them.
var rejectHeads = []string{"file", "line", "field", "found", "reason_zh", "reason_en"}

// handed is a rejected row as it is kept, and as its sender reads it.
type handed struct {
	Delivery int64    `json:"delivery"`
	Ord      int64    `json:"ord"`
	Number   string   `json:"number"`
	File     string   `json:"file"`
	Line     int      `json:"line"`
	Sheet    string   `json:"sheet,omitempty"`
	Fields   []string `json:"fields"` // the sender's own
	Columns  []string `json:"columns"`
	Found    []string `json:"found"`
	Zh       []string `json:"zh"`
	En       []string `json:"en"`
	Reasons  []string `json:"reasons"` // as they are counted
}

// add writes one rejected row. A file with other headings than the last, and a full sheet, begin a new sheet.
func (r *Rejects) add(header []string, h *handed) error {
	if r.book == nil {
		book, err := sheet.NewWorkbook(r.Path)
		if err != nil {
			return err
		}
		r.book = book
	}
	if r.sheet == nil || r.left == 0 || !slices.Equal(r.header, header) {
		head := []string{}
		for _, k := range rejectHeads {
			head = append(head, locale.Text(locale.Zh, "rejects."+k))
		}
		name := locale.Text(locale.Zh, "rejects.sheet")
		if r.sheets++; r.sheets > 1 {
			name += " " + strconv.Itoa(r.sheets)
		}
		head = append(append(head, header...), rejectNumber())
		next, err := r.book.Sheet(name, head, []float64{28, 8, 16, 24, 40, 48})
		if err != nil {
			return err
		}
		r.sheet, r.header, r.left = next, header, sheetRows
	}
	r.Rows++
	r.left--
	place := strconv.Itoa(h.Line)
	if h.Sheet != "" {
		place = h.Sheet + " " + place
	}
	record := []string{h.File, place, strings.Join(h.Columns, "\n"), strings.Join(h.Found, "\n"), strings.Join(h.Zh, "\n"), strings.Join(h.En, "\n")}
	record = append(record, h.Fields...)
	for len(record) < len(rejectHeads)+len(header) {
		record = append(record, "")
	}
	record = append(record[:len(rejectHeads)+len(header)], h.Number) // a field too many stands in no column; it is kept, sealed
	for i, f := range record {
		record[i] = shown(f)
	}
	return r.sheet.Write(record)
}

// shown cuts a field to what a cell can hold, and says so. The whole row is kept, sealed.
func shown(field string) string {
	if len(field) <= cellRunes {
		return field
	}
	runes := []rune(field)
	if len(runes) <= cellRunes {
		return field
	}
	return string(runes[:cellRunes]) + "……"
}

// Close finishes the workbook, if there is one.
func (r *Rejects) Close() error {
	if r.book == nil {
		return nil
	}
	return r.book.Close()
}

// quarantine keeps a delivery's rejected rows, sealed, and writes them into the sender's workbook.
type quarantine struct {
	desk   *Desk
	reg    *pack.Register
	file   string
	book   *Rejects
	pipe   *io.PipeWriter
	done   chan error
	sum    string
	header []string // of the last row kept
	rows   []waits
	codes  map[string]string // reasons as they are counted, each text once
}

func newQuarantine(desk *Desk, reg *pack.Register, file string, book *Rejects) *quarantine {
	return &quarantine{desk: desk, reg: reg, file: file, book: book, codes: map[string]string{}}
}

// add keeps a rejected row of a part.
func (q *quarantine) add(t *taken, p *part, reasons []reason, content int64) error {
	h := handed{Delivery: p.id, Ord: t.ord, Number: q.desk.rejectNumber(p.id, t.ord), File: q.file, Line: t.Line, Sheet: t.Sheet, Fields: t.Fields}
	for _, r := range reasons {
		column, found := locale.Text(locale.Zh, "rejects.whole_row"), ""
		if r.column >= 0 {
			c := q.reg.Columns[r.column]
			column = c.Title.Zh
			if i := t.place[r.column]; i >= 0 {
				found = field(t.Fields, i)
			}
		}
		zh, en := r.says.Zh, r.says.En
		if r.key != "" {
			zh, en = locale.Text(locale.Zh, r.key, r.args...), locale.Text(locale.En, r.key, r.args...)
		}
		h.Columns, h.Found, h.Zh, h.En = append(h.Columns, column), append(h.Found, found), append(h.Zh, zh), append(h.En, en)
		h.Reasons = append(h.Reasons, r.code(q.reg))
	}
	if q.book != nil {
		if err := q.book.add(t.header, &h); err != nil {
			return err
		}
	}
	codes := strings.Join(h.Reasons, " ")
	if _, ok := q.codes[codes]; !ok {
		q.codes[codes] = codes
	}
	stands := p.corrects
	if stands == 0 {
		stands = p.id
	}
	q.rows = append(q.rows, waits{delivery: p.id, ord: t.ord, stands: stands, content: content, key: int64(t.key), month: int64(t.month), reasons: q.codes[codes]})
	return q.write(t.header, &h)
}

// write appends to the sealed file: one JSON value a line, a list for headings and an object for a row under them.
func (q *quarantine) write(header []string, h *handed) error {
	if q.pipe == nil {
		r, w := io.Pipe()
		q.pipe, q.done = w, make(chan error, 1)
		go func() {
			sum, _, err := q.desk.Files.Put(r)
			q.sum = sum
			r.CloseWithError(err)
			q.done <- err
		}()
	}
	values := []any{h}
	if q.header == nil || !slices.Equal(q.header, header) {
		q.header = header
		values = []any{header, h}
	}
	for _, v := range values {
		b, err := json.Marshal(v)
		if err == nil {
			_, err = q.pipe.Write(append(b, '\n'))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// close finishes the sealed file and returns its name; "" when nothing was rejected. Where the delivery failed, why is its error, and nothing
// is kept.
func (q *quarantine) close(why error) (string, error) {
	if q.pipe == nil {
		return "", why
	}
	_ = q.pipe.CloseWithError(why) // it never fails; without a reason it is the end of the file
	if err := <-q.done; err != nil {
		return "", cmp.Or(why, err)
	}
	return q.sum, why
}

// rowsAtOnce is how many rows one statement inserts. SQLite looks every parameter up by its name among all of them: few are found quickly, and many
// spare PostgreSQL its round trips.
const rowsAtOnce = 32

// record writes which rows wait.
func (q *quarantine) record(ctx context.Context, tx *sql.Tx) (err error) {
	var whole *sql.Stmt
	if len(q.rows) >= rowsAtOnce {
		if whole, err = tx.PrepareContext(ctx, insertRejects(rowsAtOnce)); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, whole.Close()) }()
	}
	args := make([]any, 0, 8*rowsAtOnce)
	for some := range slices.Chunk(q.rows, rowsAtOnce) {
		args = args[:0]
		for i := range some {
			r := &some[i]
			args = append(args, r.delivery, r.ord, q.reg.Name, r.stands, r.content, r.key, r.month, r.reasons)
		}
		if len(some) == rowsAtOnce {
			_, err = whole.ExecContext(ctx, args...)
		} else {
			_, err = tx.ExecContext(ctx, insertRejects(len(some)), args...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// insertRejects is the statement for so many rows.
func insertRejects(rows int) string {
	var s strings.Builder
	s.WriteString("INSERT INTO register_reject (delivery, ord, register, stands, content, key_hash, month, reasons) VALUES ")
	for i := range rows {
		if i > 0 {
			s.WriteString(", ")
		}
		n := 8 * i
		fmt.Fprintf(&s, "($%d, $%d, $%d, $%d, $%d, $%d, $%d, $%d)", n+1, n+2, n+3, n+4, n+5, n+6, n+7, n+8)
	}
	return s.String()
}

// kept reads the rejected rows of a sealed file, each under its headings.
func (d *Desk) kept(sum string, each func(header []string, h *handed) error) (err error) {
	r, err := d.Files.Open(sum)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	in := bufio.NewReaderSize(r, 1<<16)
	var header []string
	for {
		b, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if b[0] == '[' {
			header = nil
			if err := json.Unmarshal(b, &header); err != nil {
				return err
			}
			continue
		}
		var h handed
		if err := json.Unmarshal(b, &h); err != nil {
			return err
		}
		if err := each(header, &h); err != nil {
			return err
		}
	}
}
