package register

import (
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"bole/internal/files"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// Rejects is the workbook in which rejected rows are handed back, for one or several deliveries of a register. It is made with the first
// rejected row: no rejects, no workbook.
type Rejects struct {
	Path   string
	Rows   int64 // reasons written, one a row of the workbook
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

// add writes one reason. A file with other headings than the last, and a full sheet, begin a new sheet.
func (r *Rejects) add(header []string, record []string) error {
	if r.book == nil {
		book, err := sheet.NewWorkbook(r.Path)
		if err != nil {
			return err
		}
		r.book = book
	}
	if r.sheet == nil || r.left == 0 || !slices.Equal(r.header, header) {
		head := []string{}
		for _, k := range []string{"file", "line", "field", "found", "reason_zh", "reason_en"} {
			head = append(head, locale.Text(locale.Zh, "rejects."+k))
		}
		name := locale.Text(locale.Zh, "rejects.sheet")
		if r.sheets++; r.sheets > 1 {
			name += " " + strconv.Itoa(r.sheets)
		}
		next, err := r.book.Sheet(name, append(head, header...), []float64{28, 8, 16, 24, 40, 48})
		if err != nil {
			return err
		}
		r.sheet, r.header, r.left = next, header, sheetRows
	}
	r.Rows++
	r.left--
	for i, field := range record {
		record[i] = shown(field)
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
	reg    *pack.Register
	header []string
	file   string
	book   *Rejects
	pipe   *io.PipeWriter
	done   chan error
	sum    string
	store  *files.Store
}

func newQuarantine(store *files.Store, reg *pack.Register, header []string, file string, book *Rejects) *quarantine {
	return &quarantine{reg: reg, header: header, file: file, book: book, store: store}
}

// kept is one rejected row as it is kept.
type kept struct {
	Line    int      `json:"line"`
	Fields  []string `json:"fields"`
	Reasons []string `json:"reasons"` // column: key
}

func (q *quarantine) add(line sheet.Row, reasons []reason, place []int) error {
	if q.pipe == nil {
		r, w := io.Pipe()
		q.pipe, q.done = w, make(chan error, 1)
		go func() {
			sum, _, err := q.store.Put(r)
			q.sum = sum
			r.CloseWithError(err)
			q.done <- err
		}()
	}
	k := kept{Line: line.Line, Fields: line.Fields}
	for _, r := range reasons {
		field, found := locale.Text(locale.Zh, "rejects.whole_row"), ""
		if r.column >= 0 {
			c := q.reg.Columns[r.column]
			field = c.Title.Zh
			if p := place[r.column]; p >= 0 && p < len(line.Fields) {
				found = line.Fields[p]
			}
		}
		zh, en := r.says.Zh, r.says.En
		if r.key != "" {
			zh, en = locale.Text(locale.Zh, r.key, r.args...), locale.Text(locale.En, r.key, r.args...)
		}
		k.Reasons = append(k.Reasons, field+": "+en)
		if q.book != nil {
			if err := q.book.add(q.header, append([]string{q.file, strconv.Itoa(line.Line), field, found, zh, en}, line.Fields...)); err != nil {
				return err
			}
		}
	}
	b, err := json.Marshal(k)
	if err == nil {
		_, err = q.pipe.Write(append(b, '\n'))
	}
	return err
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
