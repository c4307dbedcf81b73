package sheet

import (
	"bufio"
	"io"
	"strings"

	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/transform"

	"bole/internal/fault"
)

// CSVWriter writes rows as a CSV file that Read reads back the same. It is for one goroutine.
type CSVWriter struct {
	CRLF bool // lines end with CRLF, as older spreadsheet programs want; set before the first Write. Defaults to false

	out       *bufio.Writer
	delimiter byte
	mark      string                // to be written before the first row
	encoder   transform.Transformer // nil for UTF-8
	text      []byte                // of the row being written
	encoded   []byte
	err       error // the first error; it stays
}

// NewCSV returns a writer in an encoding, "UTF-8", "UTF-8-BOM" or "GB18030", with a delimiter, one of , ; | and tab. An encoding or a
// delimiter that it does not know is the error of the first Write.
func NewCSV(w io.Writer, encoding string, delimiter rune) *CSVWriter {
	const op = "sheet.NewCSV"
	c := &CSVWriter{out: bufio.NewWriterSize(w, 1<<16), delimiter: byte(delimiter)}
	switch encoding {
	case utf8Name:
	case utf8BOMName:
		c.mark = "\uFEFF"
	case gb18030Name:
		// The encoder itself, not NewEncoder's wrapping: that one refuses U+FFFD.
		c.encoder = simplifiedchinese.GB18030.NewEncoder().Transformer
	default:
		c.err = fault.New(op, fault.Invalid, "sheet.encoding_unknown", "encoding", encoding)
	}
	if !strings.ContainsRune(",\t;|", delimiter) {
		c.err = fault.New(op, fault.Invalid, "sheet.delimiter_unknown", "delimiter", string(delimiter))
	}
	return c
}

// Write writes a row. What is no UTF-8 becomes U+FFFD. Errors: Internal, those of the writer beneath; once there, an error stays.
func (c *CSVWriter) Write(row []string) error {
	if c.err != nil {
		return c.err
	}
	c.text = append(c.text[:0], c.mark...)
	c.mark = ""
	for i, field := range row {
		if i > 0 {
			c.text = append(c.text, c.delimiter)
		}
		// A row of one empty field would be an empty line, which is no row.
		c.field(strings.ToValidUTF8(field, "\uFFFD"), len(row) == 1 && field == "")
	}
	if c.CRLF {
		c.text = append(c.text, '\r')
	}
	c.text = append(c.text, '\n')
	out := c.text
	if c.encoder != nil {
		c.encoded, _, c.err = transform.Append(c.encoder, c.encoded[:0], c.text)
		out = c.encoded
	}
	if c.err == nil {
		_, c.err = c.out.Write(out)
	}
	c.err = fault.Wrap("sheet.Write", c.err)
	return c.err
}

func (c *CSVWriter) field(s string, quote bool) {
	if !quote && strings.IndexByte(s, c.delimiter) < 0 && !strings.ContainsAny(s, "\"\r\n") {
		c.text = append(c.text, s...)
		return
	}
	c.text = append(c.text, '"')
	for i := range len(s) {
		if s[i] == '"' {
			c.text = append(c.text, '"')
		}
		c.text = append(c.text, s[i])
	}
	c.text = append(c.text, '"')
}

// Flush writes what is still held back. Errors: as Write.
func (c *CSVWriter) Flush() error {
	if c.err == nil {
		c.err = fault.Wrap("sheet.Flush", c.out.Flush())
	}
	return c.err
}
