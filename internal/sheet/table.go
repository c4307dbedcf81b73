package sheet

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"

	"bole/internal/fault"
)

// table is a Parquet file. It is read page by page, by a library in Go: DuckDB must not see personal data.
type table struct {
	name    string
	columns []column
	groups  []parquet.RowGroup // still to be read
	total   int64              // rows that the file says it has
	read    int64
	rows    parquet.Rows // of the present group; nil between two
	buf     [64]parquet.Row
	at, n   int  // of buf
	begun   bool // the names of the columns were given
	done    bool
	text    []byte
	ends    []int
}

// column writes the values of one column as text.
type column struct {
	name string
	text func(dst []byte, v parquet.Value) []byte
}

// What a Parquet file may hold. Its writers keep pages at about a MiB; the library makes room for a page as large as the page says, before
// it reads it. A page says too how many values it has, and a thousand million of the same take a few bytes.
const (
	footerMax = 64 << 20
	pageMax   = 128 << 20
	valuesMax = 1 << 24
)

// openTable opens a Parquet file.
func openTable(name string, r io.ReaderAt, size int64) (_ source, err error) {
	t := &table{name: name}
	defer func() { err = t.said(err) }()
	defer caught(&err)
	var tail [8]byte
	if n, err := r.ReadAt(tail[:], size-int64(len(tail))); n < len(tail) {
		return nil, err
	}
	if string(tail[4:]) == "PARE" {
		return refuseSealedTable(name, r, size)
	}
	switch footer := int64(binary.LittleEndian.Uint32(tail[:4])); {
	case footer > size-int64(len(tail)):
		return nil, io.ErrUnexpectedEOF
	case footer > footerMax:
		return nil, errLarge
	}
	f, err := parquet.OpenFile(r, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, err
	}
	for _, c := range f.Root().Columns() {
		if !c.Leaf() || c.Repeated() {
			return nil, fault.New("sheet.Open", fault.Invalid, "sheet.parquet_nested", "file", name, "column", c.Name())
		}
		t.columns = append(t.columns, column{c.Name(), columnText(c.Type())})
	}
	t.groups, t.total = f.RowGroups(), f.NumRows()
	for _, g := range f.Metadata().RowGroups {
		for _, c := range g.Columns {
			if err := checkPages(r, size, &c.MetaData); err != nil {
				return nil, err
			}
		}
	}
	return t, nil
}

func refuseSealedTable(name string, _ io.ReaderAt, _ int64) (source, error) {
	return nil, fault.New("sheet.Open", fault.Invalid, "sheet.encrypted", "file", name)
}

// said makes the message of an error that has none.
func (t *table) said(err error) error {
	var e *fault.E
	if err == nil || errors.As(err, &e) {
		return err
	}
	key := "sheet.parquet_broken"
	if errors.Is(err, errLarge) {
		key = "sheet.parquet_large"
	}
	e = fault.New("sheet.Open", fault.Invalid, key, "file", t.name)
	e.Err = err
	return e
}

// caught makes an error of a panic: the library trusts what a file says of itself more than it should.
func caught(err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("panic: %v", p)
	}
}

// checkPages looks at the heads of a column's pages and passes over what they hold. A page that does not fit into the file ends the walk:
// reading will come to it and say so.
func checkPages(r io.ReaderAt, size int64, c *format.ColumnMetaData) error {
	at, end := c.DataPageOffset, int64(0)
	if c.DictionaryPageOffset > 0 {
		at = min(at, c.DictionaryPageOffset)
	}
	end = min(at+c.TotalCompressedSize, size)
	in := bufio.NewReaderSize(nil, 1<<12)
	for at >= 0 && at < end {
		var head format.PageHeader
		section := io.NewSectionReader(r, at, end-at)
		in.Reset(section)
		if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&head); err != nil {
			return nil
		}
		values := max(head.DataPageHeader.V.NumValues, head.DataPageHeaderV2.V.NumValues, head.DictionaryPageHeader.V.NumValues)
		if head.CompressedPageSize > pageMax || head.UncompressedPageSize > pageMax || values > valuesMax {
			return errLarge
		}
		read, _ := section.Seek(0, io.SeekCurrent)
		at += read - int64(in.Buffered()) + max(0, int64(head.CompressedPageSize))
	}
	return nil
}

// head gives the names of the columns, once.
func (t *table) head() (Row, error) {
	if t.begun {
		return Row{}, io.EOF
	}
	t.begun = true
	row := Row{Line: 1}
	for _, c := range t.columns {
		row.Fields = append(row.Fields, c.name)
	}
	return row, nil
}

// next gives the next row. A file that breaks off gives one last row that says so.
func (t *table) next() (Row, error) {
	if t.done {
		return Row{}, io.EOF
	}
	if t.at == t.n {
		if err := t.fill(); err != nil {
			t.done = true
			if err == io.EOF && t.read == t.total {
				return Row{}, io.EOF
			}
			return Row{Line: int(t.read) + 2, Fault: RowCut}, nil
		}
	}
	fields, err := t.fields(t.buf[t.at])
	t.at++
	t.read++
	row := Row{Line: int(t.read) + 1, Fields: fields}
	if err != nil {
		t.done, row.Fault = true, RowCut
		return row, nil
	}
	return judge(row, len(t.columns)), nil
}

// fill reads some rows, going on to the next group as needed.
func (t *table) fill() (err error) {
	defer caught(&err)
	for {
		if t.rows == nil {
			if len(t.groups) == 0 {
				return io.EOF
			}
			group := t.groups[0]
			if t.groups = t.groups[1:]; group.NumRows() == 0 {
				continue // it has no pages; some writers make one of a table without rows
			}
			t.rows = group.Rows()
		}
		t.at, t.n = 0, 0
		t.n, err = t.rows.ReadRows(t.buf[:])
		if t.n > 0 {
			return nil // an error comes again with the next call
		}
		if err != io.EOF {
			return cmp.Or(err, io.ErrNoProgress)
		}
		rows := t.rows
		t.rows = nil
		if err := rows.Close(); err != nil {
			return err
		}
	}
}

// fields makes texts of a row's values, which share one string.
func (t *table) fields(values parquet.Row) (_ []string, err error) {
	defer caught(&err)
	t.text, t.ends = t.text[:0], t.ends[:0]
	for i, c := range t.columns {
		if i < len(values) && !values[i].IsNull() {
			t.text = c.text(t.text, values[i])
		}
		t.ends = append(t.ends, len(t.text))
	}
	s, from := string(t.text), 0
	fields := make([]string, len(t.columns))
	for i, to := range t.ends {
		fields[i] = s[from:to]
		from = to
	}
	return valid(fields), nil
}

func (t *table) close() (err error) {
	t.done = true
	if t.rows == nil {
		return nil
	}
	defer caught(&err)
	return t.rows.Close()
}
