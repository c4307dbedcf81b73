package sheet

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"io"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"bole/internal/fault"
)

// book is an XLSX file: a zip archive of XML parts. It stays in the archive: nothing of it is ever unpacked to a disk, and of its parts
// only those that the workbook itself names are read.
type book struct {
	name     string
	parts    map[string]*zip.File // by name as partName makes it
	sheets   []place              // the visible ones that are still to be read
	hidden   []string
	shared   []string
	styles   []numberFormat // of a cell, by its style
	from1904 bool           // days are counted from 1904, as on old Macs
	grid     *grid          // the sheet being read; never nil
}

// place is where a sheet lies.
type place struct{ name, part string }

// stylesMax is how many styles a workbook may have; Excel allows 65,490.
const stylesMax = 1 << 16

// openBook opens a zip archive, which should be a workbook, at the first of its visible sheets that has cells.
func openBook(name string, r io.ReaderAt, size int64) (source, error) {
	const op = "sheet.Open"
	b := &book{name: name, parts: map[string]*zip.File{}, grid: &grid{done: true}}
	archive, err := zip.NewReader(r, size)
	if err != nil {
		return nil, b.broken(err)
	}
	if err := apart(archive.File); err != nil {
		return nil, b.broken(err)
	}
	for _, f := range archive.File {
		if n := partName(f.Name); b.parts[n] == nil {
			b.parts[n] = f
		}
	}
	root, err := b.root()
	if err != nil {
		return nil, b.broken(err)
	}
	f := b.parts[root]
	switch {
	case f == nil:
		return nil, fault.New(op, fault.Invalid, "sheet.no_workbook", "file", name)
	case f.Flags&1 != 0:
		return nil, fault.New(op, fault.Invalid, "sheet.encrypted", "file", name)
	case path.Ext(root) == ".bin": // .xlsb
		return nil, fault.New(op, fault.Invalid, "sheet.save_as_xlsx", "file", name)
	}
	if err := b.contents(root); err != nil {
		return nil, b.broken(err)
	}
	if _, err := b.nextSheet(); err != nil {
		return nil, err
	}
	return b, nil
}

// broken makes the message of an error.
func (b *book) broken(err error) error {
	if err == nil {
		return nil
	}
	key := "sheet.workbook_broken"
	if errors.Is(err, errLarge) {
		key = "sheet.workbook_large"
	}
	e := fault.New("sheet.Open", fault.Invalid, key, "file", b.name)
	e.Err = err
	return e
}

// apart makes sure that no two entries share bytes: an archive of many entries over the same bytes unpacks to far more than its size.
func apart(files []*zip.File) error {
	type span struct{ from, to int64 }
	spans := make([]span, 0, len(files))
	for _, f := range files {
		from, err := f.DataOffset()
		if err != nil {
			return err
		}
		spans = append(spans, span{from, from + int64(f.CompressedSize64)})
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	for i := 1; i < len(spans); i++ {
		if spans[i].from < spans[i-1].to || spans[i].to < spans[i].from {
			return zip.ErrFormat
		}
	}
	return nil
}

// partName makes one spelling of an entry's name: the names of parts do not differ by case, and some programs write backslashes.
func partName(s string) string {
	return strings.ToLower(strings.TrimPrefix(path.Clean("/"+strings.ReplaceAll(s, "\\", "/")), "/"))
}

// elements goes through the elements of a small part. A part that is missing has none.
func (b *book) elements(part string, do func(*markup)) error {
	f := b.parts[part]
	if f == nil {
		return nil
	}
	m, err := newMarkup(f, smallMax)
	if err != nil {
		return err
	}
	defer m.close()
	for {
		if err := m.begin(); err != nil {
			return ended(err)
		}
		do(m)
	}
}

// ended is nil for the end of a part.
func ended(err error) error {
	if err == io.EOF {
		return nil
	}
	return err
}

// relation is what one part calls another.
type relation struct{ part, kind string }

// relations reads what a part is related to, by id. Targets outside the archive are left out.
func (b *book) relations(part string) (map[string]relation, error) {
	dir, file := path.Split(part)
	all := map[string]relation{}
	err := b.elements(partName(dir+"_rels/"+file+".rels"), func(m *markup) {
		if string(m.name) != "Relationship" || m.attr("TargetMode") == "External" {
			return
		}
		target := m.attr("Target")
		if !strings.HasPrefix(target, "/") {
			target = dir + target
		}
		all[m.attr("Id")] = relation{partName(target), path.Base(m.attr("Type"))}
	})
	return all, err
}

// root finds the part that is the workbook.
func (b *book) root() (string, error) {
	related, err := b.relations("")
	if err != nil {
		return "", err
	}
	for _, r := range related {
		if r.kind == "officeDocument" && strings.HasPrefix(path.Base(r.part), "workbook") {
			return r.part, nil
		}
	}
	return "xl/workbook.xml", nil
}

// contents reads the list of sheets, the styles and the shared strings.
func (b *book) contents(root string) error {
	related, err := b.relations(root)
	if err != nil {
		return err
	}
	err = b.elements(root, func(m *markup) {
		switch string(m.name) {
		case "workbookPr":
			b.from1904 = yes(m.attr("date1904"))
		case "sheet":
			at := related[m.prefixed("id")]
			switch state := m.attr("state"); {
			case state == "hidden" || state == "veryHidden":
				b.hidden = append(b.hidden, m.attr("name"))
			case at.kind == "worksheet" || at.kind == "": // charts and dialogues have no cells
				b.sheets = append(b.sheets, place{m.attr("name"), at.part})
			}
		}
	})
	if err != nil {
		return err
	}
	for _, r := range related {
		switch r.kind {
		case "styles":
			err = b.readStyles(r.part)
		case "sharedStrings":
			err = b.readShared(r.part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func yes(s string) bool { return s == "1" || s == "true" }

// readStyles finds out for each style of a cell what its numbers mean.
func (b *book) readStyles(part string) error {
	custom := map[int]numberFormat{}
	cells, many := false, false
	err := b.elements(part, func(m *markup) {
		id, err := strconv.Atoi(m.attr("numFmtId"))
		switch string(m.name) {
		case "numFmt":
			if _, twice := custom[id]; !twice && err == nil && len(custom) < stylesMax {
				custom[id] = customFormat(m.attr("formatCode"))
			}
		case "cellXfs":
			cells = true
		case "cellStyles", "cellStyleXfs", "dxfs":
			cells = false
		case "xf":
			if !cells {
				break
			}
			if many = len(b.styles) == stylesMax; many {
				break
			}
			format, known := custom[id]
			if !known {
				format = builtinFormat(id)
			}
			b.styles = append(b.styles, format)
		}
	})
	if err == nil && many {
		err = errLarge
	}
	return err
}

// sharedMax is how many bytes of memory the shared strings may take. They are the one thing of a workbook that must be held whole.
const sharedMax = 512 << 20

// readShared reads the texts that cells share. The counts in the part's head are not looked at.
func (b *book) readShared(part string) error {
	f := b.parts[part]
	if f == nil {
		return nil
	}
	m, err := newMarkup(f, sheetMax)
	if err != nil {
		return err
	}
	defer m.close()
	var chunk []byte // texts are cut from chunks, so that a million of them are not a million pieces of memory
	var ends []int
	cut := func() {
		s, from := string(chunk), 0
		for _, to := range ends {
			b.shared = append(b.shared, s[from:to])
			from = to
		}
		chunk, ends = chunk[:0], ends[:0]
	}
	var text cellText
	held := 0
	for {
		if err := m.next(); err != nil {
			cut()
			return ended(err)
		}
		if err := text.take(m); err != nil {
			return err
		}
		if len(text.raw) > markMax {
			return errLarge
		}
		if m.kind == endMark && string(m.name) == "si" {
			before := len(chunk)
			chunk = unescape(chunk, text.raw)
			ends = append(ends, len(chunk))
			text.raw = text.raw[:0]
			const header = 16 // bytes of a string besides its text
			if held += len(chunk) - before + header; held > sharedMax {
				return errLarge
			}
			if len(chunk) > 1<<16 {
				cut()
			}
		}
	}
}

// cellText collects the text of a cell or of a shared string: all its runs, without the hints on how to read it aloud.
type cellText struct {
	raw      []byte
	inside   bool
	phonetic bool
}

func (c *cellText) take(m *markup) (err error) {
	switch {
	case m.kind != textMark:
		begins := m.kind == beginMark
		switch string(m.name) {
		case "t", "v":
			c.inside = begins && !c.phonetic
		case "rPh":
			c.phonetic = begins
		}
	case !c.inside:
	case m.cdata:
		c.raw = append(c.raw, m.raw...)
	default:
		c.raw, err = appendText(c.raw, m.raw)
	}
	return err
}

// unescape appends a text, with _x000D_ and the like as the characters that XML cannot hold.
func unescape(dst, s []byte) []byte {
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, replacement)
	}
	for {
		i := bytes.Index(s, []byte("_x"))
		if i < 0 {
			return append(dst, s...)
		}
		dst = append(dst, s[:i]...)
		s = s[i:]
		if len(s) < 7 || s[6] != '_' {
			dst, s = append(dst, s[:2]...), s[2:]
			continue
		}
		n, err := strconv.ParseUint(string(s[2:6]), 16, 16)
		if err != nil {
			dst, s = append(dst, s[:2]...), s[2:]
			continue
		}
		dst, s = utf8.AppendRune(dst, rune(n)), s[7:]
	}
}

// nextSheet goes on to the next visible sheet that has cells.
func (b *book) nextSheet() (bool, error) {
	for len(b.sheets) > 0 {
		at := b.sheets[0]
		b.sheets = b.sheets[1:]
		f := b.parts[at.part]
		if f == nil {
			return false, b.broken(zip.ErrFormat)
		}
		if err := b.grid.close(); err != nil {
			return false, b.broken(err)
		}
		g, err := openGrid(b, at.name, f)
		if err != nil {
			return false, b.broken(err)
		}
		b.grid = g
		if some, err := g.peek(); some || err != nil {
			return some, err
		}
	}
	return false, nil
}

func (b *book) head() (Row, error) {
	b.grid.width = 0
	for {
		row, err := b.grid.next()
		if row.Fault == RowCut {
			return Row{}, b.broken(io.ErrUnexpectedEOF)
		}
		if err != nil || !blank(row.Fields) {
			b.grid.width = len(row.Fields)
			return row, err
		}
	}
}

func (b *book) next() (Row, error) { return b.grid.next() }

func (b *book) close() error { return b.grid.close() }

// refuseCompound tells the two kinds of compound files apart: a workbook with a password, and the format of Excel before 2007. The
// directory of the first has an entry EncryptedPackage; entries are 128 bytes and begin with their name.
func refuseCompound(name string, r io.ReaderAt, size int64) (source, error) {
	const entry = 128
	var mark []byte
	for _, u := range utf16.Encode([]rune("EncryptedPackage")) {
		mark = append(mark, byte(u), byte(u>>8))
	}
	key := "sheet.save_as_xlsx"
	in := io.NewSectionReader(r, 0, size)
	for buf := make([]byte, 512*entry); ; {
		n, err := io.ReadFull(in, buf)
		for at := 0; at+len(mark) <= n; at += entry {
			if bytes.HasPrefix(buf[at:n], mark) {
				key = "sheet.encrypted"
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil, fault.New("sheet.Open", fault.Invalid, key, "file", name)
		}
		if err != nil {
			return nil, err
		}
	}
}
