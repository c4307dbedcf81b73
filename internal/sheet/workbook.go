package sheet

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf16"

	"github.com/xuri/excelize/v2"

	"bole/internal/fault"
)

// Workbook writes an XLSX file, row by row. The rows of a large sheet lie in a temporary folder beside the workbook, and nowhere else, until
// Close or Discard; where the process is killed before, until the next workbook in the same folder is begun. It is for one goroutine.
type Workbook struct {
	path   string
	bench  *os.File // the temporary folder, open and locked
	file   *excelize.File
	sheets []*SheetWriter
	text   int // style of a row: text, at the top of its cell
	bold   int // style of the header
	done   bool
}

// SheetWriter writes one sheet of a Workbook.
type SheetWriter struct {
	stream *excelize.StreamWriter
	style  int
	rows   int // written, the header included
	values []any
}

// NewWorkbook begins the workbook that Close will write to path. Nothing stands there before. Errors: Internal.
func NewWorkbook(path string) (*Workbook, error) {
	bench, err := newBench(filepath.Dir(path))
	if err != nil {
		return nil, fault.Wrap("sheet.NewWorkbook", err)
	}
	wb := &Workbook{path: path, bench: bench, file: excelize.NewFile(excelize.Options{TmpDir: bench.Name()})}
	const asText = 49 // the number of the format "@" in every XLSX file
	var errBold error
	wb.text, err = wb.file.NewStyle(&excelize.Style{NumFmt: asText, Alignment: &excelize.Alignment{Vertical: "top"}})
	wb.bold, errBold = wb.file.NewStyle(&excelize.Style{
		NumFmt:    asText,
		Font:      &excelize.Font{Bold: true},
		Alignment: &excelize.Alignment{Vertical: "center", WrapText: true},
	})
	if err := errors.Join(err, errBold); err != nil {
		return nil, fault.Wrap("sheet.NewWorkbook", errors.Join(err, wb.Discard()))
	}
	return wb, nil
}

// benchName is how the names of the temporary folders begin.
const benchName = ".sheet-"

// newBench makes a temporary folder in dir, and removes those of processes that were killed: the lock on a folder ends with its process.
func newBench(dir string) (*os.File, error) {
	all, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range all {
		if strings.HasPrefix(e.Name(), benchName) {
			_ = removeUnlocked(filepath.Join(dir, e.Name())) // what cannot be removed is the next workbook's
		}
	}
	name, err := os.MkdirTemp(dir, benchName)
	if err != nil {
		return nil, err
	}
	bench, err := os.Open(name)
	if err != nil {
		return nil, errors.Join(err, os.Remove(name))
	}
	if err := syscall.Flock(int(bench.Fd()), syscall.LOCK_EX); err != nil {
		return nil, errors.Join(err, bench.Close(), os.Remove(name))
	}
	if _, err := os.Stat(name); err != nil { // another's sweep came between the folder and its lock
		return nil, errors.Join(err, bench.Close())
	}
	return bench, nil
}

func removeUnlocked(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		err = os.RemoveAll(name)
	}
	return errors.Join(err, f.Close())
}

// Sheet adds a sheet with its header, which stays in view. Widths are of the columns, in half-width characters; where one is missing or
// 0 the heading decides. Several sheets may be written by turns.
//
// Errors: Invalid with "sheet.sheet_name" if a sheet cannot have the name or another has it (31 characters at most, none of
// : \ / ? * [ ]), with "sheet.no_header" if the header is empty, with "sheet.cell_long" as Write.
func (wb *Workbook) Sheet(name string, header []string, widths []float64) (*SheetWriter, error) {
	const op = "sheet.Sheet"
	if len(header) == 0 {
		return nil, fault.New(op, fault.Invalid, "sheet.no_header", "file", filepath.Base(wb.path))
	}
	if err := wb.add(name); err != nil {
		return nil, fault.Wrap(op, err)
	}
	stream, err := wb.file.NewStreamWriter(name)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	sw := &SheetWriter{stream: stream, style: wb.text}
	wb.sheets = append(wb.sheets, sw)
	lines := 1
	for i, heading := range header {
		width := 0.0
		if i < len(widths) {
			width = widths[i]
		}
		if width <= 0 {
			width = min(max(float64(cells(heading)+4), 12), 40)
		}
		width = min(width, excelize.MaxColumnWidth)
		lines = max(lines, wrapped(heading, width))
		if err := stream.SetColWidth(i+1, i+1, width); err != nil {
			return nil, fault.Wrap(op, err)
		}
	}
	err = errors.Join(
		stream.SetColStyle(1, len(header), wb.text),
		stream.SetPanes(&excelize.Panes{Freeze: true, YSplit: 1, TopLeftCell: "A2", ActivePane: "bottomLeft"}),
	)
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	height := min(float64(16*lines+6), excelize.MaxRowHeight)
	return sw, sw.write(header, excelize.RowOpts{StyleID: wb.bold, Height: height})
}

// add makes the sheet; the first takes the place of the one that a new file has.
func (wb *Workbook) add(name string) error {
	at, err := wb.file.GetSheetIndex(name)
	first := len(wb.sheets) == 0
	if err == nil && (at < 0 || first) {
		if first {
			err = wb.file.SetSheetName(wb.file.GetSheetName(0), name)
		} else {
			_, err = wb.file.NewSheet(name)
		}
		if err == nil {
			return nil
		}
	}
	e := fault.New("sheet.Sheet", fault.Invalid, "sheet.sheet_name", "name", name)
	e.Err = err
	return e
}

// wrapped is how many lines a heading takes in a column; bold characters are a tenth wider.
func wrapped(heading string, width float64) int {
	lines := 0
	for part := range strings.SplitSeq(heading, "\n") {
		lines += max(1, int(math.Ceil(float64(cells(part))*1.1/max(width-1, 2))))
	}
	return lines
}

// cells is how wide a text is in half-width characters; a Chinese character is two.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r >= 0x2E80 {
			n++
		}
	}
	return n
}

// Write adds a row. Every field is a text, whatever it looks like.
//
// Errors: Invalid with "sheet.rows_many" beyond the 1,048,576 rows of a sheet, with "sheet.cell_long" if a field has more than the
// 32,767 characters of a cell: neither is ever cut short silently.
func (sw *SheetWriter) Write(row []string) error {
	return sw.write(row, excelize.RowOpts{StyleID: sw.style})
}

func (sw *SheetWriter) write(row []string, opts excelize.RowOpts) error {
	const op = "sheet.Write"
	if sw.rows == excelize.TotalRows {
		return fault.New(op, fault.Invalid, "sheet.rows_many", "rows", excelize.TotalRows)
	}
	sw.values = sw.values[:0]
	for i, field := range row {
		if len(field) > excelize.TotalCellChars && len(utf16.Encode([]rune(field))) > excelize.TotalCellChars {
			return fault.New(op, fault.Invalid, "sheet.cell_long", "line", sw.rows+1, "column", i+1)
		}
		var value any // an empty cell is not written
		if field != "" {
			value = field
		}
		sw.values = append(sw.values, value)
	}
	at, err := excelize.CoordinatesToCellName(1, sw.rows+1)
	if err == nil {
		err = sw.stream.SetRow(at, sw.values, opts)
	}
	if err != nil {
		return fault.Wrap(op, err)
	}
	sw.rows++
	return nil
}

// Close writes the workbook and sees it onto the disk; only then does it stand at its path, readable by its owner alone. The whole
// compressed file is in memory for a moment. Errors: Internal; nothing stands at the path then, or what stood there before.
func (wb *Workbook) Close() error {
	const op = "sheet.Close"
	if wb.done {
		return nil
	}
	var err error
	for _, sw := range wb.sheets {
		err = errors.Join(err, sw.stream.Flush())
	}
	if err == nil {
		err = wb.save()
	}
	return fault.Wrap(op, errors.Join(err, wb.Discard()))
}

// save writes beside the path and renames.
func (wb *Workbook) save() error {
	tmp, err := os.CreateTemp(wb.bench.Name(), "")
	if err != nil {
		return err
	}
	_, err = wb.file.WriteTo(tmp)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err == nil {
		err = os.Rename(tmp.Name(), wb.path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(filepath.Dir(wb.path))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Discard gives the workbook up and removes its temporary files. After Close it does nothing, so it may be deferred.
func (wb *Workbook) Discard() error {
	if wb.done {
		return nil
	}
	wb.done = true
	return fault.Wrap("sheet.Discard", errors.Join(wb.file.Close(), os.RemoveAll(wb.bench.Name()), wb.bench.Close()))
}
