package sheet

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"bole/internal/fault"
)

const (
	recordMax  = 1 << 20 // bytes of UTF-8 in a record; the most that is held in memory
	firstRoom  = 1 << 16
	emptyReads = 100 // reads without bytes and without error before a reader is given up
)

// records cuts a text in UTF-8 into records.
//
// buf[start:end] is what was read and not yet given out, and always begins at the beginning of a physical line, number line. It
// never grows beyond recordMax.
type records struct {
	encoding   string
	in         io.Reader
	buf        []byte
	start, end int
	err        error // why in has no more: io.EOF, or its error

	line      int  // number of the physical line at start
	newline   byte // '\n', or '\r' in a file without any
	delimiter byte
	stated    bool // the delimiter was stated and is not guessed
	width     int  // fields of the header; 0 while it is being read

	// The record before was broken and its lines are read again. Lines up to mend have no quotation marks inside a field, and a
	// record that begins before mend ends on its own line.
	mend int

	parse parser // its room is used again for every record
}

// newRecords begins with a reader: it finds the encoding and the line end of what it holds.
func newRecords(r io.Reader, how Options) (*records, error) {
	const op = "sheet.Read"
	head, err := io.ReadAll(io.LimitReader(r, headSize))
	if err != nil {
		return nil, err
	}
	name, mark := detect(head, len(head) < headSize)
	if how.Encoding != "" {
		stated, known := encodings[strings.ToUpper(how.Encoding)]
		if !known {
			return nil, fault.New(op, fault.Invalid, "sheet.encoding_unknown", "encoding", how.Encoding)
		}
		if stated != name {
			name, mark = stated, 0
		}
	}
	if d := how.Delimiter; d < 0 || d >= utf8.RuneSelf || d == '"' || d == '\n' || d == '\r' {
		return nil, fault.New(op, fault.Invalid, "sheet.delimiter_unknown", "delimiter", string(d))
	}
	f := &records{encoding: name, delimiter: byte(how.Delimiter), stated: how.Delimiter != 0}
	f.from(decode(name, io.MultiReader(bytes.NewReader(head[mark:]), r)))
	return f, nil
}

// from begins with a text in UTF-8, and finds its line end.
func (f *records) from(in io.Reader) {
	f.in, f.buf, f.line, f.newline = in, make([]byte, firstRoom), 1, '\n'
	if _, how := f.lineEnd(0); how != lineWhole && bytes.IndexByte(f.buf[f.start:f.end], '\r') >= 0 {
		f.newline = '\r'
	}
}

// head gives the next record that could be a header. Every one that it looks at may have another delimiter.
func (f *records) head() (Row, error) {
	f.width = 0
	for {
		to, how := f.lineEnd(0)
		if how == lineWhole && len(f.content(f.buf[f.start:f.start+to])) == 0 {
			f.pass(to, 1)
			continue
		}
		if !f.stated {
			f.delimiter = f.guessDelimiter()
		}
		row, err := f.next()
		if err != nil || row.Fault != "" || !blank(row.Fields) {
			f.width = len(row.Fields)
			return row, err
		}
	}
}

func (f *records) close() error { return nil }

// guessDelimiter returns what stands most often in the header outside quotation marks; of equals the first.
func (f *records) guessDelimiter() byte {
	const delimiters = ",\t;|"
	var count [len(delimiters)]int
	inside := false
	for _, c := range f.buf[f.start:f.end] {
		if c == f.newline && !inside {
			break
		}
		if c == '"' {
			inside = !inside
		} else if i := strings.IndexByte(delimiters, c); i >= 0 && !inside {
			count[i]++
		}
	}
	best := 0
	for i := range count {
		if count[i] > count[best] {
			best = i
		}
	}
	return delimiters[best]
}

// ending is how a physical line ends.
type ending int

const (
	lineWhole ending = iota // with a newline
	lineLast                // with the file
	lineLong                // not within recordMax of the record's start
)

// lineEnd finds the end of the physical line that begins from bytes after start, reading on as needed. To is counted from start too
// and lies after the newline.
func (f *records) lineEnd(from int) (to int, how ending) {
	for {
		if i := bytes.IndexByte(f.buf[f.start+from:f.end], f.newline); i >= 0 {
			return from + i + 1, lineWhole
		}
		from = f.end - f.start
		if from == recordMax {
			return from, lineLong
		}
		if f.err != nil {
			return from, lineLast
		}
		f.fill()
	}
}

// fill reads more, after making room for it.
func (f *records) fill() {
	if f.start > 0 {
		f.end = copy(f.buf, f.buf[f.start:f.end])
		f.start = 0
	}
	if f.end == len(f.buf) {
		bigger := make([]byte, min(2*len(f.buf), recordMax))
		copy(bigger, f.buf)
		f.buf = bigger
	}
	for range emptyReads {
		n, err := f.in.Read(f.buf[f.end:])
		f.end += n
		f.err = err
		if n > 0 || err != nil {
			return
		}
	}
	f.err = io.ErrNoProgress
}

// pass leaves n bytes behind, which are so many lines.
func (f *records) pass(n, lines int) {
	f.start += n
	f.line += lines
}

// content is a physical line without its line end.
func (f *records) content(line []byte) []byte {
	if n := len(line); n > 0 && line[n-1] == f.newline {
		line = line[:n-1]
	}
	for f.newline == '\n' && len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	return line
}

// next gives the next record, or io.EOF, or the reader's error. Until the header has set the width any number of fields is right.
func (f *records) next() (Row, error) {
	for {
		to, how := f.lineEnd(0)
		if f.failed(how) || to == 0 {
			return Row{}, f.err
		}
		if how == lineLong {
			return f.long(), nil
		}
		line := f.buf[f.start : f.start+to]
		text := f.content(line)
		if len(text) == 0 {
			f.pass(to, 1)
			continue
		}
		if bytes.IndexByte(line, '"') >= 0 {
			return f.quoted(to, how)
		}
		row := f.row(line, f.split(text), how)
		f.pass(to, 1)
		return row, nil
	}
}

// failed is whether the reader's error, and not the end of the file, cut the line.
func (f *records) failed(how ending) bool { return how == lineLast && f.err != io.EOF }

// quoted reads a record with a quotation mark, whose first line is to bytes long.
func (f *records) quoted(to int, how ending) (Row, error) {
	first, from, lines := to, 0, 1
	f.parse.begin(f.delimiter)
	for {
		line := f.buf[f.start+from : f.start+to]
		switch f.parse.feed(line, f.content(line)) {
		case fieldsWhole:
			if f.parse.marks && f.line <= f.mend {
				return f.giveUp(first, f.line), nil
			}
			row := f.row(f.buf[f.start:f.start+to], f.parse.fields(), how)
			f.pass(to, lines)
			return row, nil
		case fieldsBroken:
			return f.giveUp(first, f.line+lines-1), nil
		}
		// The line ended inside a quoted field.
		if f.line < f.mend {
			return f.giveUp(first, f.mend), nil
		}
		from = to
		to, how = f.lineEnd(from)
		switch {
		case f.failed(how):
			return Row{}, f.err
		case how == lineLong:
			return f.giveUp(first, f.line+lines), nil
		case to == from: // the end of the file
			if f.strayMark(first, to) {
				return f.giveUp(first, f.line+lines), nil
			}
			row := Row{Line: f.line, Fields: valid(f.parse.fields()), Fault: RowCut}
			f.pass(to, lines)
			return row, nil
		}
		lines++
	}
}

// giveUp makes the record's first line a bad row, and has the lines after it up to line mend read again.
func (f *records) giveUp(first, mend int) Row {
	row := Row{Line: f.line, Fields: valid(f.split(f.content(f.buf[f.start : f.start+first]))), Fault: RowQuote}
	f.mend = max(f.mend, mend)
	f.pass(first, 1)
	return row
}

// strayMark is whether a record that was still open at the end of the file holds, after its first line, a line that is a sound row by
// itself: then the mark that opened it was a slip, and not the file cut.
func (f *records) strayMark(first, to int) bool {
	var p parser
	for rest := f.buf[f.start+first : f.start+to]; len(rest) > 0; {
		end := bytes.IndexByte(rest, f.newline) + 1
		if end == 0 {
			end = len(rest)
		}
		line := rest[:end]
		rest = rest[end:]
		p.begin(f.delimiter)
		if p.feed(line, f.content(line)) == fieldsWhole && !p.marks && len(p.ends) == f.width {
			return true
		}
	}
	return false
}

// long makes a bad row of a line that does not fit and passes over the rest of it.
func (f *records) long() Row {
	row := Row{Line: f.line, Fields: valid(f.split(f.buf[f.start:f.end])), Fault: RowLong}
	for {
		f.start = f.end // nothing of the line is kept
		to, how := f.lineEnd(0)
		if how != lineLong {
			f.pass(to, 1)
			return row
		}
	}
}

// row judges a record: raw is all its lines, how the last of them ends.
func (f *records) row(raw []byte, fields []string, how ending) Row {
	row := Row{Line: f.line, Fields: fields}
	sound := utf8.Valid(raw)
	garbled := !sound || bytes.IndexByte(raw, 0) >= 0 || bytes.Contains(raw, replacement)
	fewer := len(fields) < f.width
	if !sound {
		valid(fields)
	}
	switch {
	case how == lineLast && f.width > 0 && (fewer || endsGarbled(raw)):
		row.Fault = RowCut
	case garbled:
		row.Fault = RowEncoding
	case f.width > 0 && len(fields) != f.width:
		row.Fault = RowFields
	}
	return row
}

var replacement = []byte("\uFFFD")

// endsGarbled is whether a text ends in the middle of a character; a decoder has made U+FFFD of it.
func endsGarbled(raw []byte) bool {
	r, _ := utf8.DecodeLastRune(raw)
	return r == utf8.RuneError && len(raw) > 0
}

// valid puts U+FFFD for what is no UTF-8, in place.
func valid(fields []string) []string {
	for i, s := range fields {
		fields[i] = strings.ToValidUTF8(s, "\uFFFD")
	}
	return fields
}

// split cuts a line without quotation marks, or one whose marks mean nothing. All fields share one string.
func (f *records) split(line []byte) []string {
	s := string(line)
	fields := make([]string, 0, max(f.width, 4))
	for {
		i := strings.IndexByte(s, f.delimiter)
		if i < 0 {
			return append(fields, s)
		}
		fields = append(fields, s[:i])
		s = s[i+1:]
	}
}
