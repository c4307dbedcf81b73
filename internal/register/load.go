package register

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/sheet"
	"bole/internal/store"
	"bole/internal/vault"
	"github.com/zeebo/xxh3"
)

// Desk is where deliveries are taken.
type Desk struct {
	Pack  *pack.Pack
	Store *store.DB
	Lake  *lake.Lake
	Vault *vault.Vault
	Files *files.Store

	resolver *vault.Resolver
}

// Delivery says what to load, and when it came.
type Delivery struct {
	Register string
	Path     string
	Received calendar.Day
	Cutoff   calendar.Day      // the day that the file describes; 0 when the sender does not say
	Headings map[string]string // a sender's heading → column, beside those that the pack knows
	At       time.Time
	Rejects  *Rejects         // where rejected rows are written for the sender; nil for nowhere
	Progress func(rows int64) // called every so often; may be nil
}

// Report is what became of a delivery. Rows = Accepted + Quarantined + Unchanged.
type Report struct {
	Register    string
	File        string
	Delivery    int64 // its number; the earlier one's for the same bytes
	Rows        int64
	Accepted    int64    // written to the lake
	Quarantined int64    // put before a person by this call
	Unchanged   int64    // the lake had them already
	Again       bool     // the same bytes were delivered before: nothing was done
	Ignored     []string // headings that no column has
	Unsound     int64    // credit codes whose check digit is wrong: flagged, not refused
}

// Load takes one delivery.
//
// Errors: NotFound for an unknown register or file; Invalid when the file as a whole cannot be taken (no headings, a required column
// missing, a column twice), and then nothing of it is kept.
func (d *Desk) Load(ctx context.Context, in Delivery) (Report, error) {
	rep, err := d.load(ctx, in)
	return rep, fault.Wrap("register.Load", err)
}

func (d *Desk) load(ctx context.Context, in Delivery) (Report, error) {
	reg := d.Pack.Register(in.Register)
	rep := Report{Register: in.Register, File: filepath.Base(in.Path)}
	if reg == nil {
		var names []string
		for _, r := range d.Pack.Registers {
			names = append(names, r.Name)
		}
		return rep, fault.New("register.Load", fault.NotFound, "register.unknown", "register", in.Register, "registers", strings.Join(names, ", "))
	}
	f, err := sheet.Open(in.Path)
	if err != nil {
		return rep, err
	}
	defer f.Close()
	sum, err := d.sum(in.Path)
	if err != nil {
		return rep, err
	}
	l := &loading{Desk: d, in: in, reg: reg, file: f, rep: &rep, sum: sum}
	if again, err := l.again(ctx); again || err != nil {
		return rep, err
	}
	if err := l.headings(); err != nil {
		return rep, err
	}
	return rep, l.run(ctx)
}

// sum is a keyed name for a file's bytes: the same bytes have the same, and nobody without the keys can test a guess.
func (d *Desk) sum(path string) (string, error) {
	plain, _, err := files.Sum(path)
	if err != nil {
		return "", err
	}
	k := d.Vault.Fingerprint("delivery " + plain)
	return hex.EncodeToString(k[:]), nil
}

// loading is one delivery under way.
type loading struct {
	*Desk
	in      Delivery
	reg     *pack.Register
	file    *sheet.File
	rep     *Report
	sum     string
	place   []int // of a register's column among the file's fields; -1 when absent
	reads   []reader
	rejects *quarantine
	months  map[calendar.Month]bool
	keys    map[uint64]uint64 // key → row, within the file
}

// again reports whether the same bytes were delivered before, and answers with that delivery.
func (l *loading) again(ctx context.Context) (bool, error) {
	err := l.Store.QueryRowContext(ctx, `SELECT id, accepted + quarantined + unchanged FROM register_delivery WHERE register = $1 AND sum = $2`, l.reg.Name, l.sum).
		Scan(&l.rep.Delivery, &l.rep.Rows)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	l.rep.Again, l.rep.Unchanged = err == nil, l.rep.Rows
	return l.rep.Again, err
}

// resolve makes the desk's resolver know every holder; the caller has the lease, so that nobody makes more meanwhile.
func (d *Desk) resolve(ctx context.Context) (err error) {
	if d.resolver == nil {
		d.resolver, err = d.Vault.Resolver(ctx)
		return err
	}
	return d.resolver.Refresh(ctx)
}

// headings matches the file's headings to the register's columns: by name, by title in either language, by the synonyms of the pack, or
// as the sender's own map says.
func (l *loading) headings() error {
	header := l.file.Header()
	known := map[string]int{}
	for i, c := range l.reg.Columns {
		for _, h := range append([]string{c.Name.Text, c.Title.Zh, c.Title.En}, c.Heads...) {
			known[strings.ToLower(h)] = i
		}
	}
	for h, col := range l.in.Headings {
		i := slices.IndexFunc(l.reg.Columns, func(c *pack.Column) bool { return c.Name.Text == col })
		if i < 0 {
			return fault.New("register.headings", fault.Invalid, "register.map_unknown", "column", col, "register", l.reg.Name)
		}
		known[strings.ToLower(sheet.Clean(h))] = i
	}
	l.place = make([]int, len(l.reg.Columns))
	for i := range l.place {
		l.place[i] = -1
	}
	if !named(header, known) {
		return fault.New("register.headings", fault.Invalid, "sheet.no_header", "file", l.rep.File)
	}
	for j, h := range header {
		i, ok := known[strings.ToLower(sheet.Clean(h))]
		switch {
		case !ok:
			l.rep.Ignored = append(l.rep.Ignored, h)
		case l.place[i] >= 0:
			return fault.New("register.headings", fault.Invalid, "register.column_twice", "file", l.rep.File, "column", l.reg.Columns[i].Title.Zh, "first", header[l.place[i]], "second", h)
		default:
			l.place[i] = j
		}
	}
	for i, c := range l.reg.Columns {
		if c.Required && l.place[i] < 0 {
			return fault.New("register.headings", fault.Invalid, "register.column_missing", "file", l.rep.File, "column", c.Title.Zh,
				"header", strings.Join(header, "、"), "heads", strings.Join(append([]string{c.Title.Zh, c.Name.Text}, c.Heads...), "、"))
		}
	}
	return nil
}

// named reports whether a file's first line holds headings. A file without them begins with somebody's row, which no message may repeat.
func named(header []string, known map[string]int) bool {
	if slices.ContainsFunc(header, func(h string) bool { return likeNumber(sheet.Clean(h)) }) {
		return false
	}
	return slices.ContainsFunc(header, func(h string) bool {
		_, ok := known[strings.ToLower(sheet.Clean(h))]
		return ok
	})
}

func (l *loading) run(ctx context.Context) (err error) {
	l.reads, l.months, l.keys = readers(l.reg), map[calendar.Month]bool{}, map[uint64]uint64{}
	w, err := l.Lake.Write(ctx, "load "+l.reg.Name)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Abort(ctx); err == nil {
			err = e
		}
	}()
	if again, err := l.again(ctx); again || err != nil { // somebody may have been loading it while this waited for the lease
		return err
	}
	if err := l.resolve(ctx); err != nil {
		return err
	}
	if err := l.Store.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM register_delivery`).Scan(&l.rep.Delivery); err != nil {
		return err
	}
	conn, err := w.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "CREATE TEMP TABLE staging ("+strings.Join(l.columns(), ", ")+")"); err != nil {
		return err
	}
	l.rejects = newQuarantine(l.Files, l.reg, l.file.Header(), l.rep.File, l.in.Rejects)
	kept, err := l.rejects.close(l.stage(ctx, w, conn))
	if err != nil {
		return err
	}
	in, err := os.Open(l.in.Path)
	if err != nil {
		return err
	}
	_, _, err = l.Files.Put(in)
	if e := in.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	err = w.Commit(ctx, func(tx *sql.Tx) error {
		if err := l.resolver.Save(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, `INSERT INTO register_delivery (id, register, file, sum, received, cutoff, accepted, quarantined, unchanged, rejects, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`, l.rep.Delivery, l.reg.Name, l.rep.File, l.sum, l.in.Received, l.in.Cutoff,
			l.rep.Accepted, l.rep.Quarantined, l.rep.Unchanged, kept, store.Micros(l.in.At))
		return err
	})
	if err == nil {
		l.resolver.Saved()
	}
	return err
}

// stage reads the file and writes what is new into the generation to come.
func (l *loading) stage(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	if err := columnar.Append(ctx, conn, "staging", func(a columnar.Appender) error { return l.rows(ctx, a) }); err != nil {
		return err
	}
	changed, err := l.publish(ctx, w, conn)
	if err != nil {
		return err
	}
	if err := l.describe(ctx, w, conn); err != nil {
		return err
	}
	if changed && l.resolver.Added() > 0 {
		return l.identity(ctx, w, conn)
	}
	return nil
}

// columns of a staged row: holder first where the register is about persons, then what the lake may hold, then the bookkeeping.
func (l *loading) columns() []string {
	var out []string
	if l.reg.About == "person" {
		out = append(out, "holder BIGINT")
	}
	for _, c := range l.reg.Columns {
		if c.InLake() {
			out = append(out, columnar.Quote(c.Name.Text)+" "+sqlType(c))
		}
	}
	return append(out, "seq BIGINT", "row_hash UBIGINT")
}

func (l *loading) rows(ctx context.Context, a columnar.Appender) error {
	r := &row{reg: l.reg, values: make([]any, len(l.reg.Columns)), received: l.in.Received}
	out := make([]driver.Value, 0, len(l.reg.Columns)+3)
	for {
		line, err := l.file.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		l.rep.Rows++
		if l.rep.Rows%20000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if l.in.Progress != nil {
				l.in.Progress(l.rep.Rows)
			}
		}
		reasons := l.read(line, r)
		if len(reasons) == 0 {
			var dup bool
			if out, dup, reasons = l.accept(r, out[:0]); dup {
				l.rep.Unchanged++
				continue
			}
		}
		if len(reasons) > 0 {
			l.rep.Quarantined++
			if err := l.rejects.add(line, reasons, l.place); err != nil {
				return err
			}
			continue
		}
		if err := a.AppendRow(out...); err != nil {
			return err
		}
	}
}

// read fills r from a line and returns every reason against it.
func (l *loading) read(line sheet.Row, r *row) (reasons []reason) {
	if line.Fault != "" {
		return []reason{{column: -1, key: "reject." + line.Fault}}
	}
	for i := range l.reg.Columns {
		field := ""
		if l.place[i] >= 0 {
			field = line.Fields[l.place[i]]
		}
		v, wrong, args := l.reads[i](field)
		if wrong != "" {
			reasons = append(reasons, reason{column: i, key: wrong, args: args})
		}
		r.values[i] = v
	}
	if reasons != nil {
		return reasons
	}
	for _, c := range l.reg.Checks {
		v, err := c.Expr().Eval(r.value)
		if ok, is := v.(bool); err != nil || is && !ok {
			reasons = append(reasons, reason{column: -1, says: c.Says})
		}
	}
	return reasons
}

// accept makes the staged row of r. dup says that the file holds the very same row already.
func (l *loading) accept(r *row, out []driver.Value) (_ []driver.Value, dup bool, reasons []reason) {
	var rec vault.Record
	var month calendar.Month
	whole, key := xxh3.New(), xxh3.New()
	for i, c := range l.reg.Columns {
		v := r.values[i]
		s, _ := v.(string)
		switch c.Type.Text {
		case "id_number":
			rec.Number = s
		case "person_name":
			rec.Name = s
		case "phone":
			rec.Phone = s
		}
		switch {
		case v == nil:
		case c.Class.Text == "personal":
			f := l.Vault.Fingerprint(s)
			v, s = nil, string(f[:])
		case c.Class.Text == "keyed":
			s = l.Vault.Keyed(c.Name.Text, s)
			v = s
		case c.Type.Text == "uscc":
			if _, _, sound := vault.CreditCode(s); !sound {
				l.rep.Unsound++
			}
		}
		write(whole, i, v, s)
		if slices.ContainsFunc(l.reg.Key, func(k pack.Src) bool { return k.Text == c.Name.Text }) {
			write(key, i, v, s)
		}
		if l.reg.Month != nil && c.Name.Text == l.reg.Month.Text {
			month = v.(calendar.Day).Month()
		}
		if c.InLake() {
			out = append(out, toSQL(c, v))
		}
	}
	h, k := whole.Sum64(), key.Sum64()
	if before, seen := l.keys[k]; seen {
		if before == h {
			return out, true, nil
		}
		return out, false, []reason{{column: -1, key: "reject.duplicate"}}
	}
	l.keys[k] = h
	if month != 0 {
		l.months[month] = true
	}
	if l.reg.About == "person" {
		out = slices.Insert(out, 0, driver.Value(l.resolver.Holder(rec, l.settles())))
	}
	return append(out, l.rep.Delivery, h), false, nil
}

func write(h *xxh3.Hasher, column int, v any, s string) {
	var b [10]byte
	b[0], b[1] = byte(column), 1
	switch x := v.(type) {
	case int64:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case calendar.Day:
		binary.LittleEndian.PutUint64(b[2:], uint64(x))
	case bool:
		if x {
			b[2] = 1
		}
	default:
		if v == nil && s == "" {
			b[1] = 0
		}
		binary.LittleEndian.PutUint64(b[2:], uint64(len(s)))
	}
	_, _ = h.Write(b[:])
	_, _ = h.WriteString(s)
}

func toSQL(c *pack.Column, v any) driver.Value {
	switch x := v.(type) {
	case calendar.Day:
		return x.Time()
	case int64:
		if c.Type.Text == "code" {
			return int16(x)
		}
	}
	return v
}

// before is what a delivery is compared with: all that was received by its day, so that one which comes late tells what was known then.
// Rows that are only ever added are compared with everything, or a late one would count twice.
func (l *loading) before(w *lake.Writer) *lake.Snapshot {
	if l.reg.Mode.Text == "append" {
		return w.Snapshot
	}
	return w.Until(l.in.Received)
}

// publish writes the staged rows that the lake does not have. It reports whether there was anything to write.
func (l *loading) publish(ctx context.Context, w *lake.Writer, conn *sql.Conn) (bool, error) {
	staged := l.rep.Rows - l.rep.Quarantined - l.rep.Unchanged
	if staged == 0 {
		return false, nil
	}
	var months []string
	for m := range l.months {
		months = append(months, fmt.Sprintf("%06d", m))
	}
	slices.Sort(months)
	fresh := staged
	current, have := l.before(w).Source(l.reg.Name, Ways(l.reg))
	if have {
		if err := columnar.Row(ctx, conn, "SELECT count(*) FROM staging s WHERE NOT EXISTS (SELECT 1 FROM "+current+" c WHERE c.row_hash = s.row_hash)", &fresh); err != nil {
			return false, err
		}
	}
	query, replaces := "SELECT * FROM staging", l.reg.Mode.Text == "replace_month" || l.reg.Mode.Text == "replace_all"
	switch {
	case have && replaces && fresh == 0:
		scope := "TRUE"
		if l.reg.Month != nil {
			scope = fmt.Sprintf("strftime(%s, '%%Y%%m') IN ('%s')", columnar.Quote(l.reg.Month.Text), strings.Join(months, "', '"))
		}
		var present int64
		if err := columnar.Row(ctx, conn, "SELECT count(*) FROM "+current+" WHERE "+scope, &present); err != nil {
			return false, err
		}
		if present == staged {
			l.rep.Unchanged += staged
			return false, nil
		}
		l.rep.Unchanged += staged // nothing new, but rows have gone: the delivery stands in place of the earlier one
	case have && !replaces:
		query = "SELECT s.* FROM staging s WHERE NOT EXISTS (SELECT 1 FROM " + current + " c WHERE c.row_hash = s.row_hash)"
		l.rep.Unchanged += staged - fresh
		l.rep.Accepted = fresh
		if fresh == 0 {
			return false, nil
		}
	default:
		l.rep.Unchanged += staged - fresh
		l.rep.Accepted = fresh
	}
	order := "holder"
	if l.reg.About != "person" {
		order = "row_hash"
	}
	_, err := w.Parquet(ctx, conn, lake.File{Table: l.reg.Name, Received: l.in.Received, Cutoff: l.in.Cutoff, Seq: l.rep.Delivery, Meta: strings.Join(months, " ")},
		query+" ORDER BY "+order)
	return true, err
}

// describe leaves the sealed records of people alone whose rows the lake had already.
func (l *loading) describe(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	if !l.describes() {
		return nil
	}
	query := "SELECT holder FROM staging s"
	if current, have := w.Source(l.reg.Name, Ways(l.reg)); have {
		query += " WHERE NOT EXISTS (SELECT 1 FROM " + current + " c WHERE c.row_hash = s.row_hash)"
	}
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	fresh := map[int64]bool{}
	for rows.Next() {
		var holder int64
		if err := rows.Scan(&holder); err != nil {
			return err
		}
		fresh[holder] = true
	}
	l.resolver.Only(fresh)
	return rows.Err()
}

// describes reports whether the register has one row a person, whose word on name and phone holds.
func (l *loading) describes() bool {
	return len(l.reg.Key) == 1 && l.reg.Column(l.reg.Key[0].Text).Type.Text == "id_number"
}

// settles are the parts of a record that the register's word replaces.
func (l *loading) settles() vault.Parts {
	if l.describes() {
		return vault.SettlesName | vault.SettlesPhone
	}
	return 0
}

// identity publishes the table holder → person with the generation that needs it.
func (l *loading) identity(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE identity (holder BIGINT, person BIGINT)"); err != nil {
		return err
	}
	err := columnar.Append(ctx, conn, "identity", func(a columnar.Appender) error {
		for holder := range l.resolver.Last() {
			if err := a.AppendRow(holder+1, l.resolver.Person(holder+1)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	w.Replace("identity")
	_, err = w.Parquet(ctx, conn, lake.File{Table: "identity"}, "SELECT * FROM identity ORDER BY holder")
	return err
}

// Ways says to the lake how a register's deliveries add up. In the lake a person's number is its holder.
func Ways(reg *pack.Register) lake.Ways {
	return lake.Ways{Mode: reg.Mode.Text, Key: reg.KeyColumns(), Month: reg.MonthColumn()}
}
