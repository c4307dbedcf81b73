package bench

import (
	"bufio"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/store/throwaway"
	"bole/internal/vault"
	"bole/packs"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Load measures how new people are taken in: from plain values to committed sealed rows, beside a plain insert of the same finished rows
// (bar 1.5 on both databases, durable, each turn in a fresh one). Then a whole delivery of contributions in GB18030, read, checked, netted
// against nothing and published, is told beside DuckDB's bare reading of the same rows in UTF-8.
//
// Errors: NotFound "store.no_postgres" when no PostgreSQL can be started.
func Load(ctx context.Context, o Options) (out []Entry, err error) {
	o.People = cmp.Or(o.People, 200_000)
	if o.Temp, err = os.MkdirTemp(o.Temp, "bole-bench-"); err != nil {
		return nil, fault.Wrap("bench.Load", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Temp)) }()
	server, err := throwaway.Start(ctx, throwaway.Options{Durable: true})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	keysDir := filepath.Join(o.Temp, "keys")
	if err := seal.Create(keysDir, cmp.Or(o.Suite, "sm")); err != nil {
		return nil, err
	}
	keys, err := seal.Open(keysDir)
	if err != nil {
		return nil, err
	}
	l := &intake{Options: o, keys: keys, people: newcomers(o.People)}
	o.say("rows")
	if err := l.makeRows(ctx); err != nil {
		return nil, err
	}
	for _, d := range []struct {
		name  string
		empty func(context.Context) (dsn string, drop func() error, err error)
	}{{"sqlite", l.file}, {"postgres", server.Database}} {
		o.say("%s", d.name)
		es, err := l.compare(ctx, d.name, d.empty)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	o.say("GB18030")
	es, err := l.delivery(ctx)
	return append(out, es...), err
}

// newcomers are people that do not exist.
func newcomers(n int) []vault.Record {
	out := make([]vault.Record, n)
	for i := range out {
		out[i] = vault.Record{Number: citizen(i), Name: name(i), Phone: fmt.Sprintf("100%08d", i)}
	}
	return out
}

// citizen is the i-th invented identity number that passes the rules; a hundred a day.
func citizen(i int) string {
	day := i / 100
	s := fmt.Sprintf("371502%04d%02d%02d%03d", 1950+day/336%60, 1+day/28%12, 1+day%28, i%100+1+day/20160*100)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

var family, given = []rune("王李张刘陈杨赵黄周吴"), []rune("伟芳娜秀英敏静丽强磊")

func name(i int) string {
	return string([]rune{family[i%10], given[i/10%10], given[i/100%10]})
}

// intake is one benchmark of taking people in.
type intake struct {
	Options
	keys    *seal.Keys
	people  []vault.Record
	holders []any // id, sealed of each finished row
	index   []any // kind, idx, holder
	made    int   // databases
	db      *store.DB
	drop    func() error
	rows    [2]int64 // that the last database of either turn held
}

// file makes the path of a fresh SQLite file.
func (l *intake) file(context.Context) (string, func() error, error) {
	l.made++
	dir := filepath.Join(l.Temp, "office"+strconv.Itoa(l.made))
	return filepath.Join(dir, "office.db"), func() error { return os.RemoveAll(dir) }, os.Mkdir(dir, 0o700)
}

// fresh puts an empty database in the place of the last one.
func (l *intake) fresh(ctx context.Context, empty func(context.Context) (string, func() error, error)) (err error) {
	if err := l.remove(); err != nil {
		return err
	}
	dsn, drop, err := empty(ctx)
	if err != nil {
		return err
	}
	l.drop = drop
	if l.db, err = store.Open(ctx, dsn); err != nil {
		return err
	}
	runtime.GC() // nobody pays for the garbage of the turn before
	return nil
}

func (l *intake) remove() (err error) {
	if l.db != nil {
		err = l.db.Close()
	}
	if l.drop != nil {
		err = errors.Join(err, l.drop())
	}
	l.db, l.drop = nil, nil
	return err
}

// compare measures one database.
func (l *intake) compare(ctx context.Context, name string, empty func(context.Context) (string, func() error, error)) (_ []Entry, err error) {
	defer func() { err = errors.Join(err, l.remove()) }()
	next := 0 // whose turn it was: Bole's, then the yardstick's
	prepare := func() error {
		if err := l.count(ctx, &l.rows[next%2]); err != nil {
			return err
		}
		next++
		return l.fresh(ctx, empty)
	}
	bole, plain, err := l.byTurnsAfter(ctx, prepare, func() error { return l.take(ctx) }, func() error { return l.insert(ctx) })
	if err != nil {
		return nil, err
	}
	if err := l.count(ctx, &l.rows[0]); err != nil { // the last turn was the yardstick's
		return nil, err
	}
	return []Entry{
		within("people_"+name+"_seconds", bole, plain, 1.5),
		exact("people_"+name+"_rows", l.rows[1], l.rows[0], "rows"),
		exact("people_"+name+"_rows_expected", l.rows[1], int64(len(l.holders)/2+len(l.index)/3), "rows"),
	}, nil
}

func (l *intake) count(ctx context.Context, into *int64) error {
	if l.db == nil {
		return nil
	}
	return columnar.Row(ctx, l.db, `SELECT (SELECT count(*) FROM vault_holder) + (SELECT count(*) FROM vault_index)`, into)
}

// take is what is measured: plain values to committed sealed rows.
func (l *intake) take(ctx context.Context) error {
	r, err := vault.Open(l.db, l.keys).In(l.Temp).Resolver(ctx)
	if err != nil {
		return err
	}
	for _, p := range l.people {
		r.Holder(p, 0)
	}
	if err := l.db.Tx(ctx, func(tx *sql.Tx) error { return r.Save(ctx, tx) }); err != nil {
		return err
	}
	r.Saved()
	return nil
}

// makeRows takes everybody in once and remembers the rows.
func (l *intake) makeRows(ctx context.Context) (err error) {
	defer func() { err = errors.Join(err, l.remove()) }()
	if err := l.fresh(ctx, l.file); err != nil {
		return err
	}
	if err := l.take(ctx); err != nil {
		return err
	}
	if l.holders, err = l.all(ctx, `SELECT id, sealed FROM vault_holder ORDER BY id`, 2); err != nil {
		return err
	}
	l.index, err = l.all(ctx, `SELECT kind, idx, holder FROM vault_index ORDER BY holder, kind`, 3)
	return err
}

func (l *intake) all(ctx context.Context, query string, columns int) (out []any, err error) {
	rows, err := l.db.QueryContext(ctx, query)
	if err != nil {
		return nil, fault.Wrap("bench.all", err)
	}
	defer rows.Close()
	for rows.Next() {
		row, into := make([]any, columns), make([]any, columns)
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return nil, fault.Wrap("bench.all", err)
		}
		out = append(out, row...)
	}
	return out, fault.Wrap("bench.all", rows.Err())
}

// insert is the yardstick: the finished rows with the same statements, as many rows a statement and in the same order.
func (l *intake) insert(ctx context.Context) error {
	return l.db.Tx(ctx, func(tx *sql.Tx) error {
		const rows = 300
		holders := plain{head: `INSERT INTO vault_holder (id, sealed) VALUES `, columns: 2, rows: l.holders}
		index := plain{head: `INSERT INTO vault_index (kind, idx, holder) VALUES `, columns: 3, rows: l.index}
		perHolder := (len(l.index)/3 + len(l.holders)/2 - 1) / max(1, len(l.holders)/2)
		for len(holders.rows) > 0 {
			if err := holders.some(ctx, tx, rows); err != nil {
				return err
			}
			for range perHolder {
				if err := index.some(ctx, tx, rows); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// plain inserts rows of a table.
type plain struct {
	head    string
	columns int
	rows    []any
	stmt    *sql.Stmt
}

func (p *plain) some(ctx context.Context, tx *sql.Tx, n int) (err error) {
	n = min(n*p.columns, len(p.rows))
	args := p.rows[:n]
	p.rows = p.rows[n:]
	if n == 0 {
		return nil
	}
	if len(p.rows) == 0 { // the last, perhaps shorter
		_, err = tx.ExecContext(ctx, p.text(n), args...)
		return fault.Wrap("bench.insert", err)
	}
	if p.stmt == nil {
		if p.stmt, err = tx.PrepareContext(ctx, p.text(n)); err != nil {
			return fault.Wrap("bench.insert", err)
		}
	}
	_, err = p.stmt.ExecContext(ctx, args...)
	return fault.Wrap("bench.insert", err)
}

func (p *plain) text(values int) string {
	var s strings.Builder
	s.WriteString(p.head)
	for i := range values {
		switch {
		case i == 0:
			s.WriteString("($1")
		case i%p.columns == 0:
			fmt.Fprintf(&s, "), ($%d", i+1)
		default:
			fmt.Fprintf(&s, ", $%d", i+1)
		}
	}
	return s.String() + ")"
}

// contributions is what the delivery says in each column, for the i-th row.
var contributions = map[string]func(i int) string{
	"id_number":   func(i int) string { return citizen(i / 2) },
	"person_name": func(i int) string { return name(i / 2) },
	"uscc":        func(int) string { return "91350100M000100Y43" },
	"kind":        func(i int) string { return []string{"企业职工基本养老保险", "失业保险"}[i%2] },
	"month":       func(int) string { return "202411" },
	"base_fen":    func(i int) string { return fmt.Sprintf("%d.00", 4000+i%7000) },
	"pay_kind":    func(int) string { return "正常应缴" },
	"posted":      func(int) string { return "是" },
	"posted_day":  func(i int) string { return fmt.Sprintf("2024-11-%02d", 1+i%28) },
}

// delivery measures a file of two rows a person.
func (l *intake) delivery(ctx context.Context) ([]Entry, error) {
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		return nil, fault.Wrap("bench.delivery", err)
	}
	p, err := pack.Load(sub, packs.Files)
	if err != nil {
		return nil, err
	}
	utf8, gb := filepath.Join(l.Temp, "contributions.csv"), filepath.Join(l.Temp, "contributions-gb18030.csv")
	rows := 2 * len(l.people)
	for _, f := range []struct {
		path string
		in   func(io.Writer) io.Writer
	}{{utf8, func(w io.Writer) io.Writer { return w }}, {gb, func(w io.Writer) io.Writer { return simplifiedchinese.GB18030.NewEncoder().Writer(w) }}} {
		if err := writeContributions(f.path, f.in, p.Register("contributions"), rows); err != nil {
			return nil, fault.Wrap("bench.delivery", err)
		}
	}
	duck, err := columnar.Open(columnar.Config{TempDir: l.Temp})
	if err != nil {
		return nil, err
	}
	defer duck.Close()
	var report register.Report
	var read int64
	var home string
	prepare := func() error {
		if home != "" {
			if err := errors.Join(l.remove(), os.RemoveAll(home)); err != nil {
				return err
			}
		}
		l.made++
		home = filepath.Join(l.Temp, "home"+strconv.Itoa(l.made))
		return l.fresh(ctx, l.file)
	}
	bole, bare, err := l.byTurnsAfter(ctx, prepare, func() error {
		lk, err := lake.Open(filepath.Join(home, "lake"), l.db, columnar.Config{TempDir: l.Temp}, l.Clock)
		if err != nil {
			return err
		}
		desk := &register.Desk{Pack: p, Store: l.db, Lake: lk, Vault: vault.Open(l.db, l.keys).In(l.Temp), Files: files.Open(filepath.Join(home, "files"), l.keys)}
		report, err = desk.Load(ctx, register.Delivery{Register: "contributions", Path: gb, Received: 20241218, Cutoff: 20241130, At: l.Clock()})
		return err
	}, func() error {
		return columnar.Row(ctx, duck, "SELECT count(COLUMNS(*)) FROM read_csv('"+strings.ReplaceAll(utf8, "'", "''")+"', all_varchar = true)", discard(&read, len(p.Register("contributions").Columns))...)
	})
	if err := errors.Join(err, l.remove()); err != nil {
		return nil, err
	}
	return []Entry{
		beside("load_gb18030_seconds", bole, bare), told("load_gb18030_rows_per_second", float64(rows)/bole, "rows/s"),
		exact("load_gb18030_rows", report.Accepted, read, "rows"),
	}, nil
}

// discard is room for so many columns, of which the first is kept.
func discard(first *int64, columns int) []any {
	out := []any{first}
	for len(out) < columns {
		out = append(out, new(int64))
	}
	return out
}

func writeContributions(path string, in func(io.Writer) io.Writer, reg *pack.Register, rows int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	buffered := bufio.NewWriterSize(f, 1<<20)
	w := in(buffered)
	line := make([]string, len(reg.Columns))
	for i, c := range reg.Columns {
		line[i] = c.Title.Zh
	}
	for i := 0; err == nil && i <= rows; i++ {
		_, err = io.WriteString(w, strings.Join(line, ",")+"\n")
		for j, c := range reg.Columns {
			line[j] = ""
			if say := contributions[c.Name.Text]; say != nil {
				line[j] = say(i)
			}
		}
	}
	if c, ok := w.(io.Closer); ok {
		err = errors.Join(err, c.Close())
	}
	return errors.Join(err, buffered.Flush(), f.Close())
}
