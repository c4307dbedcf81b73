package lake

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"github.com/klauspost/compress/zstd"
	"github.com/zeebo/xxh3"
)

// EvidenceTable is the table of the manifest that knows the file of evidence: at most one a generation.
//
// The file holds typed rows in order of person, of several kinds with columns of their own, so that one person is found by one read of a
// block. It is
//
//	block …  index  tail
//
// A block is one zstd frame of whole persons: for each row uvarint person (less the row before), uvarint kind, uvarint length, line. A line is the
// subject and then the columns of the kind, each ended by |: a text as 3:abc, an int in decimal, a day as 20241220, a bool as 1 or 0, and nothing for
// unknown. The index names the kinds with their columns, and for each block its first person, its length and the xxh3 of its bytes. The tail, of
// fixed length, has the lengths of all blocks and of the index, the xxh3 of the index with these, and the format's name. So a byte that was cut,
// added or turned anywhere is found when it is read.
const EvidenceTable = "evidence"

const (
	evidenceFormat = "boleev01"
	evidenceTail   = 3*8 + len(evidenceFormat)
	blockSize      = 32 << 10 // of lines, before they are compressed: the person looked for is about a hundredth of it
	rowsOfSort     = 50_000   // rows that DuckDB sorts and hands over at once
)

// Part is the rows of one kind: a query with the columns person and subject, and one a value.
type Part struct{ Kind, Query string }

// EvidenceRow is what was kept of one subject row: bool, int64, string, calendar.Day, or nil for unknown, by name.
type EvidenceRow struct {
	Kind, Subject string
	Values        map[string]any
}

// evidenceKind is a kind of rows with its columns; a column's type is one of bool, int, day and text.
type evidenceKind struct {
	name    string
	columns []Column
}

// evidenceCells says how a value of a DuckDB type is written: its type here, and SQL for its text. Types of whole numbers are ints.
var evidenceCells = map[string]struct{ typ, text string }{
	"BOOLEAN": {"bool", "CASE WHEN %[1]s THEN '1' WHEN NOT %[1]s THEN '0' ELSE '' END"},
	"DATE":    {"day", "coalesce(CAST(year(%[1]s) * 10000 + month(%[1]s) * 100 + day(%[1]s) AS VARCHAR), '')"},
	"VARCHAR": {"text", "coalesce(CAST(strlen(%[1]s) AS VARCHAR) || ':' || %[1]s, '')"},
}

var evidenceInt = struct{ typ, text string }{"int", "coalesce(CAST(%[1]s AS VARCHAR), '')"}

// Evidence writes rows of several kinds as the generation's file of evidence, in the place of the one before; f's rows and path are filled in. Without
// rows it writes nothing. What is in memory at once does not grow with the number of people.
func (w *Writer) Evidence(ctx context.Context, conn *sql.Conn, f File, parts []Part) (_ File, err error) {
	f.Table = EvidenceTable
	w.Replace(EvidenceTable)
	f.Path = w.path(f.Table, EvidenceTable)
	full := filepath.Join(w.lake.dir, f.Path)
	if err := os.MkdirAll(filepath.Dir(full), 0o700); err != nil {
		return f, fault.Wrap("lake.Evidence", err)
	}
	file, err := os.OpenFile(full, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return f, fault.Wrap("lake.Evidence", err)
	}
	defer func() {
		if err != nil || f.Rows == 0 {
			err = errors.Join(err, os.Remove(full))
		}
	}()
	out := &evidenceWriter{file: file}
	err = out.all(ctx, conn, parts)
	if err = errors.Join(fault.Wrap("lake.Evidence", err), file.Close()); err != nil || out.rows == 0 {
		return f, err
	}
	f.Rows = out.rows
	return f, w.add(f)
}

type evidenceWriter struct {
	file   *os.File
	zstd   *zstd.Encoder
	kinds  []evidenceKind
	rows   int64
	length uint64 // of the blocks written so far
	index  []byte // of the blocks written so far

	block       []byte
	packed      []byte
	first, last int64 // persons of the block
	before      int64 // the first person of the block before
}

func (w *evidenceWriter) all(ctx context.Context, conn *sql.Conn, parts []Part) (err error) {
	if w.zstd, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false)); err != nil {
		return err
	}
	var lines []string
	for i, p := range parts {
		line, err := w.kind(ctx, conn, p)
		if err != nil {
			return err
		}
		lines = append(lines, fmt.Sprintf("SELECT person, %d AS kind, CAST(subject AS VARCHAR) AS subject, %s AS line FROM (%s)", i, line, p.Query))
	}
	if lines == nil {
		return nil
	}
	from := "(" + strings.Join(lines, "\nUNION ALL\n") + ")"
	cuts, err := cuts(ctx, conn, from)
	if err != nil {
		return err
	}
	for i := range len(cuts) - 1 {
		if err := w.some(ctx, conn, fmt.Sprintf("SELECT person, kind, line FROM %s WHERE person > %d AND person <= %d ORDER BY person, kind, subject", from, cuts[i], cuts[i+1])); err != nil {
			return err
		}
	}
	return w.end()
}

// kind learns the columns of a part and returns SQL for a row's line.
func (w *evidenceWriter) kind(ctx context.Context, conn *sql.Conn, p Part) (string, error) {
	rows, err := conn.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+p.Query+")")
	if err != nil {
		return "", err
	}
	defer rows.Close()
	k := evidenceKind{name: p.Kind}
	subject := "CAST(subject AS VARCHAR)"
	cells := []string{fmt.Sprintf(evidenceCells["VARCHAR"].text, subject)}
	for rows.Next() {
		var name, typ string
		if err := rows.Scan(&name, &typ); err != nil {
			return "", err
		}
		if name == "person" || name == "subject" {
			continue
		}
		cell, ok := evidenceCells[typ]
		if strings.HasSuffix(typ, "INT") || strings.HasSuffix(typ, "INTEGER") {
			cell, ok = evidenceInt, true
		}
		if !ok {
			return "", fmt.Errorf("lake: evidence of %s.%s: no type %s", p.Kind, name, typ)
		}
		k.columns = append(k.columns, Column{Name: name, Type: cell.typ})
		cells = append(cells, fmt.Sprintf(cell.text, columnar.Quote(name)))
	}
	w.kinds = append(w.kinds, k)
	return "(" + strings.Join(cells, " || '|' || ") + " || '|')", rows.Err()
}

// cuts lists persons, from below the first to the last, so that about rowsOfSort rows lie between two.
func cuts(ctx context.Context, conn *sql.Conn, from string) ([]int64, error) {
	rows, err := conn.QueryContext(ctx, fmt.Sprintf(`SELECT min(person) - 1 FROM %[1]s HAVING count(*) > 0
UNION SELECT max(person) FROM (SELECT person, (row_number() OVER (ORDER BY person) - 1) // %[2]d AS n FROM %[1]s) GROUP BY n ORDER BY 1`, from, rowsOfSort))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for rows.Next() {
		var person int64
		if err := rows.Scan(&person); err != nil {
			return nil, err
		}
		out = append(out, person)
	}
	return out, rows.Err()
}

func (w *evidenceWriter) some(ctx context.Context, conn *sql.Conn, query string) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	var person, kind int64
	var line sql.RawBytes
	for rows.Next() {
		if err := rows.Scan(&person, &kind, &line); err != nil {
			return err
		}
		if person != w.last && len(w.block) >= blockSize {
			if err := w.flush(); err != nil {
				return err
			}
		}
		if len(w.block) == 0 {
			w.first, w.last = person, person
		}
		w.block = binary.AppendUvarint(w.block, uint64(person-w.last))
		w.block = binary.AppendUvarint(w.block, uint64(kind))
		w.block = binary.AppendUvarint(w.block, uint64(len(line)))
		w.block = append(w.block, line...)
		w.last = person
		w.rows++
	}
	return rows.Err()
}

func (w *evidenceWriter) flush() error {
	if len(w.block) == 0 {
		return nil
	}
	w.packed = w.zstd.EncodeAll(w.block, w.packed[:0])
	if _, err := w.file.Write(w.packed); err != nil {
		return err
	}
	w.index = binary.AppendVarint(w.index, w.first-w.before)
	w.index = binary.AppendUvarint(w.index, uint64(len(w.packed)))
	w.index = binary.LittleEndian.AppendUint64(w.index, xxh3.Hash(w.packed))
	w.length += uint64(len(w.packed))
	w.before, w.block = w.first, w.block[:0]
	return nil
}

// end writes the index and the tail, and waits until the disk has all.
func (w *evidenceWriter) end() error {
	if err := w.flush(); err != nil {
		return err
	}
	head := binary.AppendUvarint(nil, uint64(len(w.kinds)))
	for _, k := range w.kinds {
		head = appendText(head, k.name)
		head = binary.AppendUvarint(head, uint64(len(k.columns)))
		for _, c := range k.columns {
			head = appendText(appendText(head, c.Name), c.Type)
		}
	}
	index := append(head, w.index...)
	n := len(index)
	index = binary.LittleEndian.AppendUint64(index, w.length)
	index = binary.LittleEndian.AppendUint64(index, uint64(n))
	index = binary.LittleEndian.AppendUint64(index, xxh3.Hash(index))
	if _, err := w.file.Write(append(index, evidenceFormat...)); err != nil {
		return err
	}
	return w.file.Sync()
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Evidence is an open file of evidence. It may be used by many at once.
type Evidence struct {
	Of     File
	file   *os.File
	zstd   *zstd.Decoder
	kinds  []evidenceKind
	blocks []evidenceBlock
}

type evidenceBlock struct {
	first  int64
	at     int64
	length int
	sum    uint64
}

// evidenceOf opens a snapshot's file of evidence when it is first asked for.
type evidenceOf struct {
	once sync.Once
	it   *Evidence
	err  error
}

// Evidence is the generation's file of evidence; nil when it has none. The snapshot closes it.
//
// Errors: Internal "lake.evidence_broken" when the file is not as it was written.
func (s *Snapshot) Evidence() (*Evidence, error) {
	files := s.files[EvidenceTable]
	if len(files) == 0 || s.evidence == nil {
		return nil, nil
	}
	s.evidence.once.Do(func() { s.evidence.it, s.evidence.err = openEvidence(s.dir, files[len(files)-1]) })
	return s.evidence.it, s.evidence.err
}

// Close ends the snapshot's instance of DuckDB.
func (s *Snapshot) Close() error {
	var err error
	if s.evidence != nil && s.evidence.it != nil {
		err = s.evidence.it.close()
	}
	return errors.Join(err, s.DB.Close())
}

func openEvidence(dir string, f File) (_ *Evidence, err error) {
	e := &Evidence{Of: f}
	if e.file, err = os.Open(filepath.Join(dir, f.Path)); err != nil {
		return nil, fault.Wrap("lake.Evidence", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.file.Close())
		}
	}()
	if err := e.readIndex(); err != nil {
		return nil, err
	}
	e.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0)) // as many at once as there are processors
	return e, fault.Wrap("lake.Evidence", err)
}

func (e *Evidence) close() error {
	e.zstd.Close()
	return e.file.Close()
}

// broken says that the file is not as it was written, and what shows it.
func (e *Evidence) broken(what string) error {
	f := fault.New("lake.Evidence", fault.Internal, "lake.evidence_broken", "file", e.Of.Path)
	f.Err = errors.New(what)
	return f
}

func (e *Evidence) readIndex() error {
	info, err := e.file.Stat()
	if err != nil {
		return fault.Wrap("lake.Evidence", err)
	}
	tail := make([]byte, evidenceTail)
	if info.Size() < int64(len(tail)) {
		return e.broken("shorter than its tail")
	}
	if _, err := e.file.ReadAt(tail, info.Size()-int64(len(tail))); err != nil {
		return fault.Wrap("lake.Evidence", err)
	}
	blocks, n := binary.LittleEndian.Uint64(tail), binary.LittleEndian.Uint64(tail[8:])
	rest := uint64(info.Size()) - uint64(len(tail))
	if string(tail[24:]) != evidenceFormat || blocks > rest || n != rest-blocks {
		return e.broken("its tail is not one")
	}
	index := make([]byte, n, n+16)
	if _, err := e.file.ReadAt(index, int64(blocks)); err != nil {
		return fault.Wrap("lake.Evidence", err)
	}
	if xxh3.Hash(append(index, tail[:16]...)) != binary.LittleEndian.Uint64(tail[16:]) {
		return e.broken("its index was changed")
	}
	r := &cells{rest: index}
	for range r.uvarint() {
		k := evidenceKind{name: r.text()}
		for range r.uvarint() {
			k.columns = append(k.columns, Column{Name: r.text(), Type: r.text()})
		}
		e.kinds = append(e.kinds, k)
	}
	var at, first int64
	for len(r.rest) > 0 && !r.bad {
		first += r.varint()
		b := evidenceBlock{first: first, at: at, length: int(r.uvarint()), sum: r.fixed()}
		at += int64(b.length)
		e.blocks = append(e.blocks, b)
	}
	if r.bad || uint64(at) != blocks {
		return e.broken("its index does not add up")
	}
	return nil
}

// Person reads what was kept of one person, in order of kind and subject; nothing when nobody has the number. It is one read of the file.
//
// Errors: Internal "lake.evidence_broken" when the file is not as it was written.
func (e *Evidence) Person(person int64) (out []EvidenceRow, err error) {
	i := sort.Search(len(e.blocks), func(i int) bool { return e.blocks[i].first > person }) - 1
	if i < 0 {
		return nil, nil
	}
	err = e.block(e.blocks[i], func(of int64, kind int, line []byte) (bool, error) {
		if of != person {
			return of < person, nil
		}
		row, err := e.row(kind, line)
		out = append(out, row)
		return true, err
	})
	return out, err
}

// Each reads everybody, in order.
func (e *Evidence) Each(f func(person int64, row EvidenceRow) error) error {
	for _, b := range e.blocks {
		err := e.block(b, func(person int64, kind int, line []byte) (bool, error) {
			row, err := e.row(kind, line)
			if err != nil {
				return false, err
			}
			return true, f(person, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// block reads a block and shows its lines, until f has seen enough.
func (e *Evidence) block(b evidenceBlock, f func(person int64, kind int, line []byte) (bool, error)) error {
	packed := make([]byte, b.length)
	if _, err := e.file.ReadAt(packed, b.at); err != nil {
		return fault.Wrap("lake.Evidence", err)
	}
	if xxh3.Hash(packed) != b.sum {
		return e.broken("a block was changed")
	}
	plain, err := e.zstd.DecodeAll(packed, make([]byte, 0, blockSize+blockSize/2))
	if err != nil {
		return e.broken(err.Error())
	}
	r := &cells{rest: plain}
	person := b.first
	for len(r.rest) > 0 {
		person += int64(r.uvarint())
		kind, line := r.uvarint(), r.bytes(r.uvarint())
		if r.bad || kind >= uint64(len(e.kinds)) {
			return e.broken("a block does not add up")
		}
		if more, err := f(person, int(kind), line); err != nil || !more {
			return err
		}
	}
	return nil
}

// evidenceValues reads the text of a value of each type but text.
var evidenceValues = map[string]func(string) (any, error){
	"bool": func(s string) (any, error) { return s == "1", nil },
	"int":  func(s string) (any, error) { return strconv.ParseInt(s, 10, 64) },
	"day": func(s string) (any, error) {
		d, err := strconv.ParseInt(s, 10, 32)
		return calendar.Day(d), err
	},
}

func (e *Evidence) row(kind int, line []byte) (EvidenceRow, error) {
	k := e.kinds[kind]
	row := EvidenceRow{Kind: k.name, Values: make(map[string]any, len(k.columns))}
	r := &cells{rest: line}
	row.Subject, _ = r.cell(true)
	for _, c := range k.columns {
		s, known := r.cell(c.Type == "text")
		switch read := evidenceValues[c.Type]; {
		case !known:
			row.Values[c.Name] = nil
		case read == nil:
			row.Values[c.Name] = s
		default:
			v, err := read(s)
			if err != nil {
				return row, e.broken(err.Error())
			}
			row.Values[c.Name] = v
		}
	}
	if r.bad || len(r.rest) > 0 {
		return row, e.broken("a line does not add up")
	}
	return row, nil
}

// cells reads what a file of evidence is made of. After something that is not there it is bad, and gives nothing.
type cells struct {
	rest []byte
	bad  bool
}

func (c *cells) took(n int) {
	if n <= 0 || n > len(c.rest) {
		c.bad, c.rest = true, nil
		return
	}
	c.rest = c.rest[n:]
}

func (c *cells) uvarint() uint64 {
	v, n := binary.Uvarint(c.rest)
	c.took(n)
	return v
}

func (c *cells) varint() int64 {
	v, n := binary.Varint(c.rest)
	c.took(n)
	return v
}

func (c *cells) fixed() (v uint64) {
	if len(c.rest) >= 8 {
		v = binary.LittleEndian.Uint64(c.rest)
	}
	c.took(8)
	return v
}

func (c *cells) bytes(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.bad, c.rest = true, nil
		return nil
	}
	out := c.rest[:n]
	c.rest = c.rest[n:]
	return out
}

func (c *cells) text() string { return string(c.bytes(c.uvarint())) }

// cell reads a value's text up to its |, of a text the number of bytes that it says; false for unknown.
func (c *cells) cell(text bool) (string, bool) {
	i := slices.IndexFunc(c.rest, func(b byte) bool { return b == '|' || text && b == ':' })
	if i < 0 {
		c.bad, c.rest = true, nil
		return "", false
	}
	head := string(c.rest[:i])
	if c.rest[i] == '|' {
		c.rest = c.rest[i+1:]
		return head, i > 0
	}
	c.rest = c.rest[i+1:]
	n, err := strconv.ParseUint(head, 10, 32)
	value := string(c.bytes(n))
	if err != nil || len(c.rest) == 0 || c.rest[0] != '|' {
		c.bad, c.rest = true, nil
		return "", false
	}
	c.rest = c.rest[1:]
	return value, true
}

// Told names what a snapshot has been told: its deliveries and who is who. Two snapshots with the same name give the same facts; what is derived
// from them has no part in it.
func (s *Snapshot) Told() string {
	var paths []string
	for table, files := range s.files {
		for _, f := range files {
			if f.Received != 0 || table == IdentityTable || table == IdentityChanges {
				paths = append(paths, f.Path)
			}
		}
	}
	slices.Sort(paths)
	return fmt.Sprintf("%016x of %d", xxh3.HashString(strings.Join(paths, "\n")), len(paths))
}
