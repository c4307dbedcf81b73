package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// What a part of a workbook may unpack to. A sheet is read as it unpacks, so that a big one takes time and not memory, and a sheet of
// 1 GiB is honest: a million rows of thirty columns. Rows that say almost the same pack to a fiftieth, and hardly to a hundredth; a part
// that is still packed better than 1 in 300 after 64 MiB was made to do harm.
const (
	sheetMax  = 4 << 30  // bytes of a sheet
	smallMax  = 64 << 20 // bytes of a part that lists sheets, relations or styles
	ratioFrom = 64 << 20
	ratioMax  = 300
	markMax   = recordMax // bytes of a mark, or of a text between two; the longest text of a cell has 32,767 characters
)

// errLarge and errMarkup never reach a reader; book.broken makes messages of them.
var (
	errLarge  = errors.New("larger than is read")
	errMarkup = errors.New("not the XML of a workbook")
)

// meter counts what a part unpacks to, and ends it with errLarge.
type meter struct {
	io.ReadCloser
	packed, max int64
	total       int64
}

func (m *meter) Read(p []byte) (int, error) {
	if m.total > m.max || m.total > ratioFrom && m.total/ratioMax > m.packed {
		return 0, errLarge
	}
	n, err := m.ReadCloser.Read(p)
	m.total += int64(n)
	return n, err
}

// markup reads the XML of one part mark by mark, in the memory of the longest. It knows what workbooks are written with and no more: no
// document types, which may define entities and name other files, and no encoding but UTF-8. That elements are nested well is not its
// business. Names are known without their prefixes: the two editions of the format differ in what those stand for.
//
// What a mark holds is valid until the next one.
type markup struct {
	in       *meter
	buf      []byte // buf[from:to] is what was read and not yet given
	from, to int
	err      error // why there is no more
	begun    bool
	pending  bool // the end of an empty element, <c/>, is still to be given

	kind  markKind
	name  []byte // of the element that begins or ends
	attrs []attribute
	raw   []byte // of a text, with its entities unless it is CDATA
	cdata bool
}

type markKind int

const (
	textMark markKind = iota
	beginMark
	endMark
)

// attribute is one of an element, with its prefix and its entities.
type attribute struct{ name, value []byte }

func newMarkup(f *zip.File, max int64) (*markup, error) {
	part, err := f.Open()
	if err != nil {
		return nil, err
	}
	return &markup{in: &meter{ReadCloser: part, packed: int64(f.CompressedSize64), max: max}, buf: make([]byte, firstRoom)}, nil
}

func (m *markup) close() error { return m.in.Close() }

// fill reads more, after making room for it. Errors: io.EOF, that of the part, or errLarge.
func (m *markup) fill() error {
	if m.err != nil {
		return m.err
	}
	if m.from > 0 {
		m.to = copy(m.buf, m.buf[m.from:m.to])
		m.from = 0
	}
	if m.to == len(m.buf) {
		if m.to >= markMax {
			return errLarge
		}
		m.buf = append(m.buf, make([]byte, len(m.buf))...)
	}
	for range emptyReads {
		n, err := m.in.Read(m.buf[m.to:])
		m.to += n
		m.err = err
		if n > 0 {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return io.ErrNoProgress
}

// find is where s ends, counted from the present place, reading on as needed.
func (m *markup) find(s string, after int) (int, error) {
	for at := after; ; {
		if i := bytes.Index(m.buf[m.from+at:m.to], []byte(s)); i >= 0 {
			return at + i + len(s), nil
		}
		at = max(after, m.to-m.from-len(s)+1)
		if err := m.fill(); err != nil {
			return 0, unexpected(err)
		}
	}
}

func unexpected(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// next reads the next mark or text; io.EOF after the last.
func (m *markup) next() error {
	if m.pending {
		m.pending, m.kind = false, endMark
		return nil
	}
	for {
		if m.to-m.from < 2 {
			if err := m.fill(); err != nil && (err != io.EOF || m.from == m.to) {
				return err
			}
		}
		if !m.begun {
			m.begun = true
			if b := m.buf[m.from:m.to]; len(b) > 1 && (b[0] == 0 || b[1] == 0 || b[0] >= 0xFE) { // UTF-16
				return errMarkup
			}
		}
		if m.buf[m.from] != '<' {
			return m.textTo("<")
		}
		if ok, err := m.mark(); ok || err != nil {
			return err
		}
	}
}

// textTo reads a text; at the end of a part it is what is left.
func (m *markup) textTo(end string) error {
	n, err := m.find(end, 0)
	switch {
	case err == io.ErrUnexpectedEOF:
		n = m.to - m.from
	case err != nil:
		return err
	default:
		n -= len(end)
	}
	m.kind, m.raw, m.cdata = textMark, m.buf[m.from:m.from+n], false
	m.from += n
	return nil
}

// mark reads what begins with <. Not ok: it says nothing.
func (m *markup) mark() (ok bool, err error) {
	for m.to-m.from < len("<![CDATA[") && m.err == nil {
		if err := m.fill(); err != nil && err != io.EOF {
			return false, err
		}
	}
	b := m.buf[m.from:m.to]
	switch {
	case bytes.HasPrefix(b, []byte("<!--")):
		_, err := m.take("-->", len("<!--"))
		return false, err
	case bytes.HasPrefix(b, []byte("<![CDATA[")):
		text, err := m.take("]]>", len("<![CDATA["))
		m.kind, m.raw, m.cdata = textMark, text, true
		return true, err
	case bytes.HasPrefix(b, []byte("<?")):
		text, err := m.take("?>", len("<?"))
		if err == nil && !bytes.Contains(bytes.ToLower(text), []byte("utf-8")) && bytes.Contains(text, []byte("encoding")) {
			err = errMarkup
		}
		return false, err
	case bytes.HasPrefix(b, []byte("<!")):
		return false, errMarkup
	}
	n, err := m.tagEnd()
	if err != nil {
		return false, err
	}
	b = m.buf[m.from+1 : m.from+n-1]
	m.from += n
	return true, m.tag(b)
}

// take is what stands between a beginning and an end, which are passed over.
func (m *markup) take(end string, after int) ([]byte, error) {
	n, err := m.find(end, after)
	if err != nil {
		return nil, err
	}
	b := m.buf[m.from+after : m.from+n-len(end)]
	m.from += n
	return b, nil
}

// tagEnd is where the tag at the present place ends. A > inside an attribute does not end it.
func (m *markup) tagEnd() (int, error) {
	quote := byte(0)
	for at := 1; ; {
		for ; m.from+at < m.to; at++ {
			switch c := m.buf[m.from+at]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return at + 1, nil
			case c == '<':
				return 0, errMarkup
			}
		}
		if err := m.fill(); err != nil {
			return 0, unexpected(err)
		}
	}
}

// tag takes in a tag without its brackets.
func (m *markup) tag(b []byte) error {
	m.kind, m.attrs = beginMark, m.attrs[:0]
	if len(b) > 0 && b[0] == '/' {
		m.kind, b = endMark, b[1:]
	}
	if len(b) > 0 && b[len(b)-1] == '/' {
		m.pending, b = m.kind == beginMark, b[:len(b)-1]
	}
	i := 0
	for i < len(b) && !isBlank(b[i]) {
		i++
	}
	m.name = b[:i]
	if at := bytes.LastIndexByte(m.name, ':'); at >= 0 {
		m.name = m.name[at+1:]
	}
	if len(m.name) == 0 {
		return errMarkup
	}
	return m.attributes(b[i:])
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// attributes takes in name="value" and so on.
func (m *markup) attributes(b []byte) error {
	for {
		for len(b) > 0 && isBlank(b[0]) {
			b = b[1:]
		}
		if len(b) == 0 {
			return nil
		}
		i := bytes.IndexByte(b, '=')
		if i < 0 {
			return errMarkup
		}
		name, rest := bytes.TrimSpace(b[:i]), bytes.TrimLeft(b[i+1:], " \t\r\n")
		if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
			return errMarkup
		}
		end := bytes.IndexByte(rest[1:], rest[0])
		if end < 0 {
			return errMarkup
		}
		m.attrs = append(m.attrs, attribute{name, rest[1 : 1+end]})
		b = rest[end+2:]
	}
}

// bytesOf is an attribute without a prefix as it stands; nil if the element has none of that name.
func (m *markup) bytesOf(name string) []byte {
	for _, a := range m.attrs {
		if string(a.name) == name {
			return a.value
		}
	}
	return nil
}

// attr is an attribute as text; "" if the element has none of that name.
func (m *markup) attr(name string) string { return text(m.bytesOf(name)) }

// prefixed is an attribute with whatever prefix, as r:id.
func (m *markup) prefixed(name string) string {
	for _, a := range m.attrs {
		if prefix, local, found := strings.Cut(string(a.name), ":"); found && local == name && prefix != "xmlns" {
			return text(a.value)
		}
	}
	return ""
}

func text(raw []byte) string {
	b, err := appendText(nil, raw)
	if err != nil {
		return string(raw)
	}
	return string(b)
}

// begin goes on to the next element that begins; io.EOF if there is none.
func (m *markup) begin() error {
	for {
		if err := m.next(); err != nil || m.kind == beginMark {
			return err
		}
	}
}

// pass goes on to behind the end of an element, looking at nothing before it.
func (m *markup) pass(name string) error {
	const prefix = 64 // bytes that the rest of the tag may have, and more
	end := []byte(name + ">")
	for {
		b := m.buf[m.from:m.to]
		if i := bytes.Index(b, end); i >= 0 {
			tag := b[bytes.LastIndexByte(b[:i], '<')+1 : i]
			m.from += i + len(end)
			if len(tag) > 0 && tag[0] == '/' {
				return nil
			}
			continue
		}
		m.from = max(m.from, m.to-len(end)-prefix)
		if err := m.fill(); err != nil {
			return err
		}
	}
}

// drain reads a part to its end, where the archive compares its checksum.
func (m *markup) drain() error {
	for m.err == nil {
		m.from = m.to
		if err := m.fill(); err != nil {
			return ended(err)
		}
	}
	return ended(m.err)
}

// entities are the five that XML has by itself.
var entities = map[string]rune{"lt": '<', "gt": '>', "amp": '&', "quot": '"', "apos": '\''}

// appendText appends a text with its entities resolved and its line ends made LF, as XML has them. Errors: errMarkup for an entity that
// XML does not have.
func appendText(dst, raw []byte) ([]byte, error) {
	for {
		i := bytes.IndexAny(raw, "&\r")
		if i < 0 {
			return append(dst, raw...), nil
		}
		dst = append(dst, raw[:i]...)
		if raw[i] == '\r' {
			dst, raw = append(dst, '\n'), bytes.TrimPrefix(raw[i+1:], []byte("\n"))
			continue
		}
		end := bytes.IndexByte(raw[i:], ';')
		if end < 0 {
			return dst, errMarkup
		}
		r, ok := entity(string(raw[i+1 : i+end]))
		if !ok {
			return dst, errMarkup
		}
		dst, raw = utf8.AppendRune(dst, r), raw[i+end+1:]
	}
}

// entity is the character of lt, #60 or #x3C.
func entity(s string) (rune, bool) {
	if r, ok := entities[s]; ok {
		return r, true
	}
	digits, ok := strings.CutPrefix(s, "#")
	base := 10
	if hex, is := strings.CutPrefix(digits, "x"); is {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 31)
	return rune(n), ok && err == nil
}
