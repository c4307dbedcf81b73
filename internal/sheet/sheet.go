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
	Line   int      // the physical line it begins on, from 1; the header of a simple file is line 1
	Fields []string // as they stand in the file, without their quotation marks; valid UTF-8
	Fault  string   // why the row as a row cannot be used, one of the codes below; "" for a sound row
}

// The codes of Row.Fault. Where several fit, the first of them is given.
const (
	RowLong     = "row_long"     // a line of more than 1 MiB; Fields hold its beginning
	RowCut      = "row_cut"      // the file ends within the row
	RowQuote    = "row_quote"    // a quoted field is not closed, or goes on after its closing mark
	RowEncoding = "row_encoding" // bytes that are no text, U+FFFD or NUL
	RowFields   = "row_fields"   // more or fewer fields than the header has
)

// File is a file of rows being read. It is for one goroutine.
type File struct {
	records
	encoding string
	header   []string
	closer   io.Closer // nil when the reader is the caller's own
}

// Open opens the file at path and reads its header. The caller closes it.
//
// Errors: NotFound if there is no such file; Invalid with "sheet.format_unknown" if it is no CSV file, with "sheet.no_header" if it
// has no line that could be a header.
func Open(path string) (*File, error) {
	const op = "sheet.Open"
	in, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(op, fault.NotFound, "sheet.file_missing", "file", filepath.Base(path))
	}
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	f, err := Read(filepath.Base(path), in)
	if err != nil {
		return nil, fault.Wrap(op, errors.Join(err, in.Close()))
	}
	f.closer = in
	return f, nil
}

// Read is Open for a file that is already open or has no path. The name stands in errors, and its extension helps to tell the
// format. Closing the File does not close r.
func Read(name string, r io.Reader) (*File, error) {
	const op = "sheet.Read"
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	if !isCSV(name, head) {
		return nil, fault.New(op, fault.Invalid, "sheet.format_unknown", "file", name)
	}
	encoding, mark := detect(head, len(head) < headSize)
	f := &File{encoding: encoding}
	f.records.from(decode(encoding, io.MultiReader(bytes.NewReader(head[mark:]), r)))
	row, err := f.next()
	if err != nil && err != io.EOF {
		return nil, fault.Wrap(op, err)
	}
	for _, h := range row.Fields {
		f.header = append(f.header, trim(h))
	}
	f.width = len(f.header)
	unreadable := row.Fault == RowQuote || row.Fault == RowCut || row.Fault == RowLong
	if err == io.EOF || unreadable || !slices.ContainsFunc(f.header, func(h string) bool { return h != "" }) {
		return nil, fault.New(op, fault.Invalid, "sheet.no_header", "file", name)
	}
	return f, nil
}

// csvExtensions are what offices call their text files.
var csvExtensions = []string{"", ".csv", ".txt", ".tsv", ".tab", ".dat", ".del"}

// otherBeginnings are the first bytes of files that are no text, whatever their name says: zip (and XLSX), the older Excel, Parquet,
// PDF, gzip, RAR, 7z.
var otherBeginnings = []string{"PK\x03\x04", "PK\x05\x06", "\xD0\xCF\x11\xE0", "PAR1", "%PDF-", "\x1F\x8B", "Rar!\x1A", "7z\xBC\xAF\x27\x1C"}

func isCSV(name string, head []byte) bool {
	for _, b := range otherBeginnings {
		if bytes.HasPrefix(head, []byte(b)) {
			return false
		}
	}
	return slices.Contains(csvExtensions, strings.ToLower(filepath.Ext(name)))
}

// Header is the first record, its headings without blanks around them. Headings may be empty or stand there twice.
func (f *File) Header() []string { return f.header }

// Encoding is "UTF-8" (with or without a mark), "UTF-16LE", "UTF-16BE" or "GB18030".
func (f *File) Encoding() string { return f.encoding }

// Delimiter is the character between two fields.
func (f *File) Delimiter() rune { return rune(f.delimiter) }

// Next gives the next row, bad ones included, or io.EOF after the last. The row is the caller's to keep. Lines grow from row to row.
//
// Errors: only those of the file being read; they end the reading.
func (f *File) Next() (Row, error) {
	row, err := f.next()
	if err != nil && err != io.EOF {
		err = fault.Wrap("sheet.Next", err)
	}
	return row, err
}

// Close closes what Open opened.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return fault.Wrap("sheet.Close", f.closer.Close())
}
