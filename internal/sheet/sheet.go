package sheet

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bole/internal/fault"
)

// Row is one record of a file.
type Row struct {
	Line   int      // CSV: the physical line it begins on, from 1; XLSX: its number on its sheet; Parquet: the header counts as line 1
	Sheet  string   // of a workbook; "" elsewhere
	Fields []string // as they stand in the file, without their quotation marks; valid UTF-8
	Fault  string   // why the row as a row cannot be used, one of the codes below; "" for a sound row
}

// The codes of Row.Fault. Where several fit, the first of them is given.
const (
	RowLong     = "row_long"     // more than 1 MiB; Fields hold its beginning
	RowCut      = "row_cut"      // the file ends or breaks within the row; it is the last row of the file, or of its sheet
	RowQuote    = "row_quote"    // a quoted field is not closed, or goes on after its closing mark
	RowFormula  = "row_formula"  // a cell is a formula, and the program that saved the file did not work it out
	RowEncoding = "row_encoding" // bytes that are no text, U+FFFD or NUL
	RowFields   = "row_fields"   // more or fewer fields than the header has
)

// The formats.
const (
	csvFormat     = "CSV"
	xlsxFormat    = "XLSX"
	parquetFormat = "Parquet"
)

// Options is what is known of a CSV file beforehand. The other formats say these things themselves, and there it means nothing.
type Options struct {
	Encoding  string // as File.Encoding has it, or GBK, GB2312, UTF-8-BOM; "" has it detected. What is stated is never doubted
	Delimiter rune   // an ASCII character; 0 has it detected
}

// File is a file of rows being read. It is for one goroutine.
type File struct {
	name   string
	format string
	from   source
	header []string
	closer io.Closer // nil when the reader is the caller's own
}

// source is a format: it gives the records of a file one by one, from the place where it stands.
type source interface {
	// head gives the next record that holds anything. Those after it must have as many fields.
	head() (Row, error)
	// next gives the next record, or io.EOF.
	next() (Row, error)
	close() error
}

// Open opens the file at path and reads its header. The caller closes it. What the file is, its first bytes say and not its name.
//
// Errors: NotFound if there is no such file; Invalid for all that the sender has to mend: "sheet.format_unknown", "sheet.save_as_xlsx"
// (the older Excel's formats), "sheet.encrypted", "sheet.no_workbook" (some other archive), "sheet.workbook_broken",
// "sheet.workbook_large" (it unpacks to more than is read), "sheet.parquet_broken", "sheet.parquet_large", "sheet.parquet_nested"
// (a column of lists or records), "sheet.no_header"; also "sheet.encoding_unknown" and "sheet.delimiter_unknown" for how.
func Open(path string, how Options) (*File, error) {
	const op = "sheet.Open"
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(op, fault.NotFound, "sheet.file_missing", "file", filepath.Base(path))
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	info, err := in.Stat()
	if err != nil {
		return nil, fault.Wrap(op, errors.Join(err, in.Close()))
	}
	f, err := Read(filepath.Base(path), in, info.Size(), how)
	if err != nil {
		return nil, fault.Wrap(op, errors.Join(err, in.Close()))
	}
	f.closer = in
	return f, nil
}

// Read is Open for a file of a known size that is already open or has no path. The name stands in errors, and its extension helps to
// tell a CSV file. Closing the File does not close r.
func Read(name string, r io.ReaderAt, size int64, how Options) (*File, error) {
	const op = "sheet.Read"
	head := make([]byte, min(size, 8))
	if n, err := r.ReadAt(head, 0); n < len(head) {
		return nil, fault.Wrap(op, err)
	}
	for _, b := range beginnings {
		if !bytes.HasPrefix(head, []byte(b.mark)) {
			continue
		}
		if b.open == nil {
			return nil, fault.New(op, fault.Invalid, "sheet.format_unknown", "file", name)
		}
		from, err := b.open(name, r, size)
		if err != nil {
			return nil, fault.Wrap(op, err)
		}
		return begin(&File{name: name, format: b.format, from: from})
	}
	return readCSV(name, io.NewSectionReader(r, 0, size), how)
}

// readCSV is Read for a CSV file.
func readCSV(name string, r io.Reader, how Options) (*File, error) {
	if !slices.Contains(csvExtensions, strings.ToLower(filepath.Ext(name))) {
		return nil, fault.New("sheet.Read", fault.Invalid, "sheet.format_unknown", "file", name)
	}
	from, err := newRecords(r, how)
	if err != nil {
		return nil, fault.Wrap("sheet.Read", err)
	}
	return begin(&File{name: name, format: csvFormat, from: from})
}

// csvExtensions are what offices call their text files.
var csvExtensions = []string{"", ".csv", ".txt", ".tsv", ".tab", ".dat", ".del"}

// beginnings are the first bytes of files that are no text, whatever their name says, and how they are opened; nil for PDF, gzip, RAR
// and 7z, which are not.
var beginnings = []struct {
	mark, format string
	open         func(name string, r io.ReaderAt, size int64) (source, error)
}{
	{"PK\x03\x04", xlsxFormat, openBook}, // a zip archive
	{"PK\x05\x06", xlsxFormat, openBook}, // an empty one
	{"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "", refuseCompound},
	{"\xD0\xCF\x11\xE0", "", nil},
	{"PAR1", parquetFormat, openTable},
	{"PARE", parquetFormat, refuseSealedTable},
	{"%PDF-", "", nil}, {"\x1F\x8B", "", nil}, {"Rar!\x1A", "", nil}, {"7z\xBC\xAF\x27\x1C", "", nil},
}

// begin reads the header.
func begin(f *File) (*File, error) {
	if err := f.NextHeader(); err != nil {
		return nil, fault.Wrap("sheet.Read", errors.Join(err, f.from.close()))
	}
	return f, nil
}

// NextHeader takes the present header for a title line ("聊城市…明细表") and the next record for the header. A CSV file's delimiter, if it
// was not stated, is detected anew from that record, since a title says nothing of it. Records of empty fields are passed over.
//
// Errors: Invalid with "sheet.no_header" if there is no record any more that could be one; those of the file being read.
func (f *File) NextHeader() error {
	const op = "sheet.NextHeader"
	row, err := f.from.head()
	if err != nil && err != io.EOF {
		return fault.Wrap(op, err)
	}
	header := make([]string, len(row.Fields))
	for i, h := range row.Fields {
		header[i] = trim(h)
	}
	unreadable := row.Fault == RowQuote || row.Fault == RowCut || row.Fault == RowLong
	if err == io.EOF || unreadable || blank(header) {
		return fault.New(op, fault.Invalid, "sheet.no_header", "file", f.name)
	}
	f.header = header
	return nil
}

// Header is the first record, its headings without blanks around them. Headings may be empty or stand there twice.
func (f *File) Header() []string { return f.header }

// Format is "CSV", "XLSX" or "Parquet".
func (f *File) Format() string { return f.format }

// Encoding is "UTF-8" (with or without a mark), "UTF-16LE", "UTF-16BE" or "GB18030"; "" of what is no CSV file.
func (f *File) Encoding() string {
	if r, ok := f.from.(*records); ok {
		return r.encoding
	}
	return ""
}

// Delimiter is the character between two fields; 0 of what is no CSV file.
func (f *File) Delimiter() rune {
	if r, ok := f.from.(*records); ok {
		return rune(r.delimiter)
	}
	return 0
}

// Next gives the next row, bad ones included, or io.EOF after the last of the file or of its present sheet. The row is the caller's to
// keep. Lines grow from row to row.
//
// Errors: those of the file being read, and Invalid with "sheet.workbook_large" or "sheet.workbook_broken"; they end the reading.
func (f *File) Next() (Row, error) {
	row, err := f.from.next()
	if err != nil && err != io.EOF {
		err = fault.Wrap("sheet.Next", err)
	}
	return row, err
}

// NextSheet goes on to the next visible sheet of a workbook that has cells; the first row that has any is its header. False: there is
// none, and Next gives io.EOF from now on. Errors: as Open.
func (f *File) NextSheet() (bool, error) {
	b, ok := f.from.(*book)
	if !ok {
		return false, nil
	}
	more, err := b.nextSheet()
	if err != nil || !more {
		return false, fault.Wrap("sheet.NextSheet", err)
	}
	err = f.NextHeader()
	return err == nil, fault.Wrap("sheet.NextSheet", err)
}

// Sheet is the name of the sheet being read; "" of what is no workbook.
func (f *File) Sheet() string {
	if b, ok := f.from.(*book); ok {
		return b.grid.name
	}
	return ""
}

// Hidden is the names of the sheets that are hidden in a workbook. They are passed over: what a sender hides was not meant to be sent.
func (f *File) Hidden() []string {
	if b, ok := f.from.(*book); ok {
		return b.hidden
	}
	return nil
}

// Close closes what Open opened.
func (f *File) Close() error {
	err := f.from.close()
	if f.closer != nil {
		err = errors.Join(err, f.closer.Close())
	}
	return fault.Wrap("sheet.Close", err)
}

// blank is whether nothing can be seen in any of the fields.
func blank(fields []string) bool {
	return !slices.ContainsFunc(fields, func(s string) bool { return trim(s) != "" })
}

// garbled is whether a field holds what is no text.
func garbled(s string) bool { return strings.IndexByte(s, 0) >= 0 || strings.Contains(s, "\uFFFD") }

// judge says what is wrong with a record that is no line of text: XLSX and Parquet. It cuts what is longer than a row may be.
func judge(row Row, width int) Row {
	room := recordMax
	for i, s := range row.Fields {
		if room -= len(s); room < 0 {
			row.Fields = row.Fields[:i]
			row.Fault = RowLong
			return row
		}
	}
	switch {
	case row.Fault != "":
	case slices.ContainsFunc(row.Fields, garbled):
		row.Fault = RowEncoding
	case width > 0 && len(row.Fields) != width:
		row.Fault = RowFields
	}
	return row
}
