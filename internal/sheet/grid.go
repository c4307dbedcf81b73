package sheet

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"
)

// The size of a sheet.
const (
	rowsMax    = 1 << 20
	columnsMax = 1 << 14
	mergesMax  = 1 << 20
)

// grid reads the rows of a sheet. Memory is used by what cells hold and never by what the sheet says of its size. Hidden rows and columns
// are read like others: a filter that somebody left on hides them.
type grid struct {
	book  *book
	name  string
	in    *markup // nil of the grid that a book begins with
	width int     // fields of the header; 0 while it is being read
	ahead []Row   // a row that was read to see whether there is one
	done  bool

	merges []region // still below the present row, by their first row
	active []region // that reach into the present row

	// The row being read; the room is used again for every row.
	line     int // its number
	open     bool
	long     bool // it holds more than fits
	unworked bool // it has a formula without a value
	cells    []cell
	text     []byte // of the cells, one after the other; shared strings aside

	// The cell being read.
	column     int
	kind       cellKind
	style      int
	hasValue   bool
	hasFormula bool
	cellText
}

// cell is one that holds something.
type cell struct {
	column   int
	shared   string
	from, to int // of its text, where it has no shared string
}

// region is cells merged into one.
type region struct {
	top, bottom int32 // rows, from 1
	left, right int16 // columns, from 0
	value       string
}

func openGrid(b *book, name string, f *zip.File) (*grid, error) {
	merges, err := readMerges(f)
	if err != nil {
		return nil, err
	}
	in, err := newMarkup(f, sheetMax)
	if err != nil {
		return nil, err
	}
	return &grid{book: b, name: name, in: in, merges: merges, column: -1}, nil
}

func (g *grid) close() error {
	if g.in == nil {
		return nil
	}
	g.done = true
	return g.in.close()
}

// readMerges finds the merged cells. They stand after the rows, so the sheet is unpacked twice; the first time only the end of the rows
// is looked for. It also shows whether the bytes are as they were packed: if not, no value of them can be trusted, and the sheet is not
// read. A sheet whose XML breaks off is: its rows tell.
func readMerges(f *zip.File) ([]region, error) {
	m, err := newMarkup(f, sheetMax)
	if err != nil {
		return nil, err
	}
	defer m.close()
	var all []region
	for err = m.pass("sheetData"); err == nil; err = m.begin() {
		if m.kind != beginMark || string(m.name) != "mergeCell" {
			continue
		}
		if len(all) == mergesMax {
			return nil, errLarge
		}
		if r, ok := parseRegion(m.attr("ref")); ok {
			all = append(all, r)
		}
	}
	slices.SortStableFunc(all, func(a, b region) int { return cmp.Compare(a.top, b.top) })
	return all, m.drain()
}

// parseRegion reads A1:C3. Of a single cell there is nothing to do.
func parseRegion(ref string) (region, bool) {
	from, to, _ := strings.Cut(ref, ":")
	left, top, ok := parseCell([]byte(from))
	right, bottom, okTo := parseCell([]byte(to))
	ok = ok && okTo && top >= 1 && top <= bottom && bottom <= rowsMax && left <= right && right < columnsMax && from != to
	return region{top: int32(top), bottom: int32(bottom), left: int16(left), right: int16(right)}, ok
}

// parseCell reads the name of a cell, C3: its column, from 0, and its row.
func parseCell(ref []byte) (column, row int, ok bool) {
	i := 0
	for i < len(ref) && ref[i] >= 'A' && ref[i] <= 'Z' && i < 4 {
		column = column*26 + int(ref[i]-'A') + 1
		i++
	}
	row = digits(ref[i:])
	return column - 1, row, i > 0 && row > 0
}

// peek is whether there is a row with cells.
func (g *grid) peek() (bool, error) {
	row, err := g.read()
	if err == io.EOF {
		return false, nil
	}
	g.ahead = append(g.ahead, row)
	return err == nil, err
}

func (g *grid) next() (Row, error) {
	if len(g.ahead) > 0 {
		row := g.ahead[0]
		g.ahead = g.ahead[:0]
		return row, nil
	}
	return g.read()
}

// read gives the next row that has cells of its own. A sheet that breaks off gives one last row that says so.
func (g *grid) read() (Row, error) {
	for !g.done {
		more, err := g.record()
		var row Row
		some := false
		if err == nil && more {
			row, some, err = g.take()
		}
		g.done = err != nil || !more
		switch {
		case errors.Is(err, errLarge):
			return Row{}, g.book.broken(err)
		case err != nil:
			return g.cut(), nil
		case some:
			return row, nil
		}
	}
	return Row{}, io.EOF
}

// cut is the row in which the sheet breaks off, with what could be read of it.
func (g *grid) cut() Row {
	if !g.open {
		g.line++
	}
	return Row{Line: g.line, Sheet: g.name, Fields: valid(g.fields(g.last() + 1)), Fault: RowCut}
}

// record reads one row element, if there is one more.
func (g *grid) record() (bool, error) {
	g.cells, g.text, g.long, g.unworked, g.open = g.cells[:0], g.text[:0], false, false, false
	for {
		if err := g.in.next(); err != nil {
			return false, unexpected(err)
		}
		if err := g.cellText.take(g.in); err != nil {
			return false, err
		}
		if len(g.raw)+len(g.text) > recordMax {
			g.long, g.raw = true, g.raw[:0]
		}
		switch g.in.kind {
		case beginMark:
			if err := g.begin(g.in); err != nil {
				return false, err
			}
		case endMark:
			switch string(g.in.name) {
			case "c":
				g.end()
			case "row":
				return true, nil
			case "sheetData":
				return false, nil
			}
		}
	}
}

// begin takes in the beginning of an element.
func (g *grid) begin(m *markup) error {
	switch string(m.name) {
	case "row":
		n := g.line + 1
		if r := m.bytesOf("r"); r != nil {
			n = digits(r)
		}
		if n <= g.line || n > rowsMax {
			return errMarkup
		}
		g.line, g.open, g.column = n, true, -1
	case "c":
		g.column++
		if r := m.bytesOf("r"); r != nil {
			g.column, _, _ = parseCell(r)
		}
		if g.column < 0 || g.column >= columnsMax || !g.open {
			return errMarkup
		}
		g.kind, g.style = cellKindOf(m.bytesOf("t")), digits(m.bytesOf("s"))
		g.hasValue, g.hasFormula, g.raw = false, false, g.raw[:0]
	case "v", "is":
		g.hasValue = true
	case "f":
		g.hasFormula = true
	}
	return nil
}

// cellKind is what a cell holds, as its attribute t says.
type cellKind int

const (
	numberCell cellKind = iota
	sharedCell
	textCell
	resultCell // the text that a formula gave
	truthCell
	errorCell
	dayCell
)

func cellKindOf(t []byte) cellKind {
	switch string(t) {
	case "s":
		return sharedCell
	case "inlineStr":
		return textCell
	case "str":
		return resultCell
	case "b":
		return truthCell
	case "e":
		return errorCell
	case "d":
		return dayCell
	}
	return numberCell
}

// digits is a number of no more than nine digits; -1 of what is none.
func digits(b []byte) int {
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' || len(b) > 9 {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// end makes the text of a cell.
func (g *grid) end() {
	c := cell{column: g.column, from: len(g.text)}
	switch g.kind {
	case sharedCell:
		c.shared = g.sharedText()
	case textCell, resultCell:
		g.text = unescape(g.text, g.raw)
	case truthCell:
		g.text = append(g.text, truth(len(g.raw) == 1 && g.raw[0] == '1')...)
	case errorCell:
		g.text = append(g.text, bytes.ToValidUTF8(g.raw, replacement)...)
	case dayCell:
		g.text = appendISO(g.text, string(g.raw))
	default:
		g.text = g.appendNumber(g.text, bytes.TrimSpace(g.raw))
	}
	// A formula that is worked out to an empty text says so by its kind; without a value it was never worked out.
	if g.hasFormula && (!g.hasValue || len(g.raw) == 0 && g.kind != resultCell) {
		g.unworked = true
	}
	g.raw = g.raw[:0]
	c.to = len(g.text)
	switch {
	case c.to == c.from && c.shared == "":
	case len(g.cells) == columnsMax:
		g.long = true
	default:
		g.cells = append(g.cells, c)
	}
}

func truth(b bool) string {
	if b {
		return "true"
	}
	return "false"
}

// sharedText is the shared string that a cell names; U+FFFD if there is no such string.
func (g *grid) sharedText() string {
	n := digits(bytes.TrimSpace(g.raw))
	if len(g.raw) == 0 || n < 0 || n >= len(g.book.shared) {
		return "\uFFFD"
	}
	return g.book.shared[n]
}

// take makes a row of what was read. A row without cells of its own is none, even where merged cells reach into it: a record that takes
// two rows of merged cells is one.
func (g *grid) take() (row Row, some bool, err error) {
	if err := g.enter(); err != nil {
		return Row{}, false, err
	}
	if len(g.cells) == 0 && !g.unworked && !g.long {
		return Row{}, false, nil
	}
	last := g.last()
	n := max(last+1, g.width)
	for _, m := range g.active {
		if g.width == 0 && (m.value != "" || int(m.top) == g.line && int(m.left) <= last) {
			n = max(n, int(m.right)+1)
		}
	}
	fields := g.fields(n)
	g.merge(fields)
	for g.width == 0 && len(fields) > 0 && fields[len(fields)-1] == "" {
		fields = fields[:len(fields)-1]
	}
	row = Row{Line: g.line, Sheet: g.name, Fields: fields}
	switch {
	case g.long:
		row.Fault = RowLong
	case g.unworked:
		row.Fault = RowFormula
	}
	return judge(row, g.width), true, nil
}

// enter drops the merged regions that ended above the present row, and begins those that begin in it or in a row that was left out.
func (g *grid) enter() error {
	g.active = slices.DeleteFunc(g.active, func(m region) bool { return int(m.bottom) < g.line })
	for len(g.merges) > 0 && int(g.merges[0].top) <= g.line {
		if int(g.merges[0].bottom) >= g.line {
			g.active = append(g.active, g.merges[0])
		}
		g.merges = g.merges[1:]
	}
	columns := 0
	for _, m := range g.active {
		columns += int(m.right-m.left) + 1
	}
	if columns > columnsMax { // regions that overlap, which no program writes
		return errMarkup
	}
	return nil
}

// merge puts the value of a merged region, which stands in its first cell, into each of its cells.
func (g *grid) merge(fields []string) {
	for i := range g.active {
		m := &g.active[i]
		if int(m.left) >= len(fields) {
			continue
		}
		if int(m.top) == g.line {
			m.value = fields[m.left]
		}
		for c := int(m.left); c <= int(m.right) && c < len(fields); c++ {
			fields[c] = m.value
		}
	}
}

// last is the last column that holds something; -1 of none.
func (g *grid) last() int {
	last := -1
	for _, c := range g.cells {
		last = max(last, c.column)
	}
	return last
}

// fields puts the cells into n fields. Those that are no shared strings share one.
func (g *grid) fields(n int) []string {
	fields, text := make([]string, n), string(g.text)
	for _, c := range g.cells {
		if fields[c.column] = c.shared; c.shared == "" {
			fields[c.column] = text[c.from:c.to]
		}
	}
	return fields
}
