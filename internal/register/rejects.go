package register

import (
	"encoding/json"
	"io"
	"strconv"

	"bole/internal/files"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// Rejects is the workbook in which rejected rows are handed back, for one or several deliveries of a register. It is made with the first
// rejected row: no rejects, no workbook.
type Rejects struct {
	Path  string
	book  *sheet.Workbook
	sheet *sheet.SheetWriter
	Rows  int64
}

func (r *Rejects) add(header []string, record []string) error {
	if r.book == nil {
		book, err := sheet.NewWorkbook(r.Path)
		if err != nil {
			return err
		}
		head := []string{}
		for _, k := range []string{"file", "line", "field", "found", "reason_zh", "reason_en"} {
			head = append(head, locale.Text(locale.Zh, "rejects."+k))
		}
		r.book = book
		r.sheet, err = book.Sheet(locale.Text(locale.Zh, "rejects.sheet"), append(head, header...), []float64{28, 8, 16, 24, 40, 48})
		if err != nil {
			return err
		}
	}
	r.Rows++
	return r.sheet.Write(record)
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

// close finishes the sealed file and returns its name; "" when nothing was rejected.
func (q *quarantine) close() (string, error) {
	if q.pipe == nil {
		return "", nil
	}
	if err := q.pipe.Close(); err != nil {
		return "", err
	}
	err := <-q.done
	return q.sum, err
}
