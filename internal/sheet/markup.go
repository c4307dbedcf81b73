package sheet

import (
	"archive/zip"
	"bufio"
	"encoding/xml"
	"errors"
	"io"
)

// What a part of a workbook may unpack to. A sheet is read as it unpacks, so that a big one takes time and not memory, and a sheet of
// 1 GiB is honest: a million rows of thirty columns. Rows that say almost the same pack to a fiftieth, and hardly to a hundredth; a part
// that is still packed better than 1 in 300 after 64 MiB was made to do harm.
const (
	sheetMax   = 4 << 30  // bytes of a sheet
	smallMax   = 64 << 20 // bytes of a part that lists sheets, relations or styles
	ratioFrom  = 64 << 20
	ratioMax   = 300
	elementMax = recordMax // bytes between two marks of XML; the longest text of a cell has 32,767 characters
)

// errLarge and errMarkup never reach a reader; book.broken makes messages of them.
var (
	errLarge  = errors.New("larger than is read")
	errMarkup = errors.New("a document type")
)

// meter counts what a part unpacks to, and ends it with errLarge.
type meter struct {
	io.Reader
	packed, max int64
	total       int64
	element     int64 // since the last mark of XML, and what the buffers above hold
}

func (m *meter) Read(p []byte) (int, error) {
	if m.total > m.max || m.element > elementMax || m.total > ratioFrom && m.total/ratioMax > m.packed {
		return 0, errLarge
	}
	n, err := m.Reader.Read(p)
	m.total += int64(n)
	m.element += int64(n)
	return n, err
}

// markup reads the XML of one part, element by element, in bounded memory. Elements and attributes are known by their names without
// prefix: the two editions of the format differ in the addresses that prefixes stand for.
type markup struct {
	*xml.Decoder
	text  *bufio.Reader
	meter *meter
	part  io.Closer
}

func newMarkup(f *zip.File, max int64) (*markup, error) {
	part, err := f.Open()
	if err != nil {
		return nil, err
	}
	m := &markup{part: part, meter: &meter{Reader: part, packed: int64(f.CompressedSize64), max: max}}
	m.text = bufio.NewReaderSize(m.meter, 1<<16)
	m.Decoder = xml.NewDecoder(m.text)
	return m, nil
}

// next gives the next mark or text. A document type, which may define entities and name other files, is refused; no spreadsheet program
// writes one.
func (m *markup) next() (xml.Token, error) {
	m.meter.element = 0
	t, err := m.RawToken()
	if _, is := t.(xml.Directive); is {
		return nil, errMarkup
	}
	return t, err
}

// start gives the next element that begins, or io.EOF.
func (m *markup) start() (xml.StartElement, error) {
	for {
		t, err := m.next()
		if err != nil {
			return xml.StartElement{}, err
		}
		if e, is := t.(xml.StartElement); is {
			return e, nil
		}
	}
}

func (m *markup) close() error { return m.part.Close() }

// attr is an attribute of an element; "" if it has none of that name.
func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name && a.Name.Space != "xmlns" {
			return a.Value
		}
	}
	return ""
}
