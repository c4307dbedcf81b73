package audit

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"

	"bole/internal/fault"
	"bole/internal/seal"
)

// sealed are the records of the chain in its order; one whose record is gone has an id of its own and nothing else.
const sealed = `SELECT s.hash, r.id IS NOT NULL, s.seq, coalesce(r.id, 0), coalesce(r.at, 0), coalesce(r.account, ''), coalesce(r.role, ''), coalesce(r.action, ''), coalesce(r.kind, ''),
  coalesce(r.object, ''), coalesce(r.before_fields, ''), coalesce(r.after_fields, ''), coalesce(r.reason, ''), coalesce(r.n, 0), coalesce(r.request, '')
FROM audit_seal s LEFT JOIN audit_record r ON r.id = s.record ORDER BY s.seq`

// Verify walks the chain of the database from the first record and holds it against the roots that are at hand. It stops at the first record that
// does not fit. It reads while others write and seal. It costs some ten microseconds a record.
func (l *Log) Verify(ctx context.Context) (Report, error) {
	rep, err := l.verify(ctx)
	rep.Key = l.signer.Public()
	return rep, fault.Wrap("audit.Verify", err)
}

func (l *Log) verify(ctx context.Context) (rep Report, err error) {
	roots, err := l.readRoots() // before the chain, which only grows
	if err != nil {
		return rep, err
	}
	signed := map[int64][]root{}
	for _, r := range roots {
		if !r.ours(l.signer.Public()) {
			var w walker
			rep = w.report(&Broken{r.seq, RootBroken})
			return rep, nil
		}
		signed[r.seq] = append(signed[r.seq], r)
	}
	w, broken, err := l.walk(ctx, signed)
	if err != nil {
		return rep, err
	}
	for _, r := range roots {
		if broken == nil && r.seq > w.seq {
			broken = &Broken{w.seq + 1, Cut}
		}
	}
	var strays int64
	if err := l.db.QueryRowContext(ctx, `SELECT count(*), count(*) - count(t.record) FROM audit_record r LEFT JOIN audit_tail t ON t.record = r.id
WHERE NOT EXISTS (SELECT 1 FROM audit_seal s WHERE s.record = r.id)`).Scan(&rep.Unsealed, &strays); err != nil {
		return rep, err
	}
	if broken == nil && strays > 0 {
		broken = &Broken{w.seq, Unlisted}
	}
	unsealed := rep.Unsealed
	rep = w.report(broken)
	rep.Unsealed, rep.Roots = unsealed, len(roots)
	return rep, nil
}

func (l *Log) walk(ctx context.Context, signed map[int64][]root) (w walker, broken *Broken, err error) {
	var text []byte
	err = l.each(ctx, func(e Entry, hash []byte, there bool, unread error) error {
		switch {
		case unread != nil: // SQLite takes a text where a number was
			broken = &Broken{w.seq + 1, Changed}
		case !there:
			broken = &Broken{w.seq + 1, Missing}
		default:
			text = e.appendText(text[:0])
			broken = w.step(e.Seq, text, hash)
		}
		for _, r := range signed[w.seq] {
			if broken == nil && r.hash != hex.EncodeToString(w.last[:]) {
				broken = &Broken{w.seq, OffRoot}
			}
		}
		if broken != nil {
			return io.EOF
		}
		return nil
	})
	return w, broken, err
}

// each hands on the records of the chain in its order, with the hash that stands beside them, whether the record is there, and whether it could not be
// read. io.EOF ends the walk.
func (l *Log) each(ctx context.Context, f func(e Entry, hash []byte, there bool, unread error) error) error {
	rows, err := l.db.QueryContext(ctx, sealed)
	if err != nil {
		return err
	}
	defer rows.Close()
	var hash sql.RawBytes
	for rows.Next() {
		var there bool
		e, unread := scan(rows, &hash, &there)
		if err := f(e, hash, there, unread); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
	return rows.Err()
}

// How the lines of an exported file begin, and what the signature of its end is of.
const (
	lineHash = `{"hash":"`
	lineEnd  = `{"records":`
	endText  = "bole audit export\n"
	hashHex  = 64 // letters of a hash
)

// Export writes the chain as JSON lines, each a record with its hash, and a last line with the number of records and the last hash, signed. What is not sealed yet
// is not in it. It answers how many records there are.
func (l *Log) Export(ctx context.Context, w io.Writer) (n int64, err error) {
	const op = "audit.Export"
	out := bufio.NewWriterSize(w, 1<<16)
	var at walker
	var line []byte
	err = l.each(ctx, func(e Entry, hash []byte, there bool, unread error) error {
		if !there { // whoever reads the file sees that it is missing
			return nil
		}
		if unread != nil {
			return unread
		}
		line = append(line[:0], lineHash...)
		line = append(hex.AppendEncode(line, hash), '"', ',')
		from := len(line)
		line = e.appendText(line)
		line = append(line[:from], line[from+1:]...) // the brace that begins the text stands before the hash
		n, at.seq = n+1, e.Seq
		copy(at.last[:], hash)
		_, err := out.Write(append(line, '\n'))
		return err
	})
	if err != nil {
		return n, fault.Wrap(op, err)
	}
	end := endOf(n, at.last, l.signer.Public())
	signature, err := l.signer.Sign(append([]byte(endText), end...))
	if err != nil {
		return n, fault.Wrap(op, err)
	}
	_, _ = out.Write(fmt.Appendf(end, `,"signature":"%s"}`+"\n", signature)) // Flush tells
	return n, fault.Wrap(op, out.Flush())
}

// endOf is the last line of a file up to its signature.
func endOf(records int64, last [32]byte, public string) []byte {
	return fmt.Appendf(nil, lineEnd+`%d,"last":"%x","key":"%s"`, records, last, public)
}

// longestLine is the longest that is looked at: a file of something else need not end its lines.
const longestLine = 16 << 20

// VerifyFile walks the chain of an exported file, with nothing else at hand. It takes the signature of the end for whoever's key the file names; key, where it is not "",
// is the public key that it must be, as its owner gave it away from the file.
//
// Errors: only those of reading. What does not fit is in the report.
func VerifyFile(r io.Reader, key string) (Report, error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 1<<16), longestLine)
	in.Split(wholeLines)
	var f fileWalker
	for f.broken == nil && in.Scan() {
		f.broken = f.line(in.Bytes())
	}
	err := in.Err()
	if err == bufio.ErrTooLong {
		f.broken, err = &Broken{f.seq + 1, Changed}, nil
	}
	if err != nil {
		return Report{}, fault.Wrap("audit.VerifyFile", err)
	}
	if f.broken == nil && !f.ended {
		f.broken = &Broken{f.seq + 1, Cut}
	}
	if f.broken == nil && key != "" && key != f.key {
		f.broken = &Broken{f.seq, OtherKey}
	}
	if f.broken != nil && f.broken.What == Missing { // unless it only stands further down
		for in.Scan() {
			if _, seq, _, ok := parts(in.Bytes()); ok && seq == f.broken.Record {
				f.broken.What = OutOfOrder
			}
		}
		if in.Err() != nil && in.Err() != bufio.ErrTooLong {
			return Report{}, fault.Wrap("audit.VerifyFile", in.Err())
		}
	}
	rep := f.report(f.broken)
	rep.Key = f.key
	return rep, nil
}

// wholeLines splits into lines with their ends: a byte too many shows.
func wholeLines(data []byte, atEOF bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// fileWalker stands on a line of an exported file.
type fileWalker struct {
	walker
	ended  bool
	key    string
	broken *Broken
}

// line takes the next line, with its end.
func (f *fileWalker) line(line []byte) *Broken {
	if f.ended {
		return &Broken{f.seq + 1, Appended}
	}
	if bytes.HasPrefix(line, []byte(lineEnd)) {
		return f.end(line)
	}
	text, seq, hash, ok := parts(line)
	if !ok {
		return &Broken{f.seq + 1, Changed}
	}
	return f.step(seq, text, hash)
}

// parts takes a line of a record apart: the text that was hashed, its number, 0 where it has none, and the hash. What it does not look at is part of the text.
func parts(line []byte) (text []byte, seq int64, hash []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte(lineHash))
	if !ok || len(rest) < hashHex+len(`",{`) || !bytes.HasPrefix(rest[hashHex:], []byte(`",`)) || !bytes.HasSuffix(rest, []byte("}\n")) {
		return nil, 0, nil, false
	}
	hash, err := hex.DecodeString(string(rest[:hashHex]))
	if err != nil || hex.EncodeToString(hash) != string(rest[:hashHex]) { // one hash is written in one way
		return nil, 0, nil, false
	}
	text = append([]byte{'{'}, rest[hashHex+len(`",`):len(rest)-1]...)
	number, _, _ := bytes.Cut(bytes.TrimPrefix(text, []byte(`{"seq":`)), []byte{','})
	seq, _ = strconv.ParseInt(string(number), 10, 64)
	return text, seq, hash, true
}

// end takes the last line: it must be what would be written after these records, and signed.
func (f *fileWalker) end(line []byte) *Broken {
	f.ended = true
	said, signature, ok := bytes.Cut(line, []byte(`,"signature":"`))
	signature, okSig := bytes.CutSuffix(signature, []byte("\"}\n"))
	at := bytes.LastIndex(said, []byte(`,"key":"`))
	if !ok || !okSig || at < 0 {
		return &Broken{f.seq, BadEnd}
	}
	f.key = string(bytes.TrimSuffix(said[at+len(`,"key":"`):], []byte{'"'}))
	if !seal.Signed(f.key, append([]byte(endText), said...), string(signature)) {
		return &Broken{f.seq, BadEnd}
	}
	if bytes.Equal(said, endOf(f.seq, f.last, f.key)) {
		return nil
	}
	var records int64
	_, _ = fmt.Sscanf(string(said), lineEnd+"%d", &records)
	switch {
	case records > f.seq:
		return &Broken{f.seq + 1, Cut}
	case records < f.seq:
		return &Broken{records + 1, Appended}
	}
	return &Broken{f.seq, BadEnd}
}
