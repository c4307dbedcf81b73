package register

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bole/internal/audit"
	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/store"
	"bole/internal/vault"
)

// Desk is where deliveries are taken.
type Desk struct {
	Pack  *pack.Pack
	Store *store.DB
	Lake  *lake.Lake
	Vault *vault.Vault
	Files *files.Store
	Step  func(name string) // told each of Steps as a load reaches it, for tests that pull the plug there; may be nil

	resolver *vault.Resolver
}

// Steps are the moments of a load at which something has just been written, in order. Whatever ends the process at one of them, the home has all
// of the delivery or none.
var Steps = []string{"leased", "staged", "written", "identified", "kept", "recorded", "committed"}

func (d *Desk) step(name string) {
	if d.Step != nil {
		d.Step(name)
	}
}

// Delivery says what to load, and when it came.
type Delivery struct {
	Register  string
	Path      string
	Received  calendar.Day
	Cutoff    calendar.Day      // the day that the file describes; 0 when the sender does not say
	Headings  map[string]string // a sender's heading → column, beside those that the pack knows
	Encoding  string            // as the sender states it; "" when it is to be found out
	Delimiter rune              // likewise; 0 when it is to be found out
	At        time.Time
	Account   string           // who brings it, for the audit log; "" for no person
	Rejects   *Rejects         // where rejected rows are written for the sender; nil for nowhere
	Progress  func(rows int64) // called every so often; may be nil
}

// Load takes one delivery. A workbook of rejects that comes back, known by its column of reject numbers, corrects the deliveries whose rows it has.
//
// Errors: NotFound for an unknown register or file; Invalid when the file as a whole cannot be taken (no headings, a required column
// missing, a column twice, a file cut off that would take the place of a whole one), and then nothing of it is kept.
func (d *Desk) Load(ctx context.Context, in Delivery) (Report, error) {
	rep, err := d.load(ctx, in)
	return rep, fault.Wrap("register.Load", err)
}

func (d *Desk) load(ctx context.Context, in Delivery) (rep Report, err error) {
	reg, err := d.register(in.Register)
	if err != nil {
		return rep, err
	}
	rep = Report{Register: reg.Name, File: filepath.Base(in.Path), Received: in.Received, Cutoff: in.Cutoff}
	l := &loading{Desk: d, in: in, reg: reg, rep: &rep}
	if l.plain, _, err = files.Sum(in.Path); errors.Is(err, os.ErrNotExist) {
		return rep, fault.New("register.load", fault.NotFound, "sheet.file_missing", "file", rep.File)
	} else if err != nil {
		return rep, err
	}
	l.sum, l.setup = d.fingerprint("delivery "+l.plain), d.fingerprint(l.given())
	if again, err := l.again(ctx); again || err != nil {
		return rep, err
	}
	if l.lines, err = l.open(ctx); err != nil {
		return rep, err
	}
	defer func() { err = errors.Join(err, l.lines.close()) }()
	if rep.OpenEnd, err = openEnd(in.Path, l.lines.file.Format()); err != nil {
		return rep, err
	}
	rep.Format, rep.Encoding, rep.Ignored = l.lines.file.Format(), l.lines.file.Encoding(), l.lines.ignored
	return rep, l.run(ctx)
}

// openEnd reports whether a text file's last line has no line end: perhaps its last field is only a part of what was sent.
func openEnd(path, format string) (bool, error) {
	if format != "CSV" {
		return false, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	end := make([]byte, min(2, info.Size())) // UTF-16 has a zero on either side
	_, err = f.ReadAt(end, info.Size()-int64(len(end)))
	return !bytes.ContainsAny(end, "\r\n"), err
}

// register finds a register of the pack.
//
// Errors: NotFound "register.unknown".
func (d *Desk) register(name string) (*pack.Register, error) {
	if reg := d.Pack.Register(name); reg != nil {
		return reg, nil
	}
	var names []string
	for _, r := range d.Pack.Registers {
		names = append(names, r.Name)
	}
	return nil, fault.New("register.register", fault.NotFound, "register.unknown", "register", name, "registers", strings.Join(names, ", "))
}

// fingerprint is a keyed name for what must not be guessed: the same has the same, and nobody without the keys can test a guess.
func (d *Desk) fingerprint(s string) string {
	k := d.Vault.Fingerprint(s)
	return hex.EncodeToString(k[:])
}

// loading is one delivery under way.
type loading struct {
	*Desk
	in    Delivery
	reg   *pack.Register
	rep   *Report
	plain string // the sum of the file's bytes
	sum   string // its keyed form
	setup string // what beside the bytes decides about the rows: the pack, the map, what was stated
	lines *lines

	reads    []reader
	sequence []int  // the columns in the order of reading
	key      []bool // by column: it is part of the key
	month    int    // the column with the month; -1 where there is none
	settles  vault.Parts
	rejects  *quarantine
	waiting  *waiting
	parts    map[int64]*part // by the delivery whose rows they are; 0 for rows of this one
	aliases  [][2]int64      // holders whom a row calls one person
	pairs    [][2]int64      // those of them that are not joined: nobody can tell
	counts   tally
}

// part is the rows of a loading that stand together: all of them, or in a workbook of corrections those that correct one delivery.
type part struct {
	id       int64        // the number of this delivery
	corrects int64        // the delivery that it corrects; 0 for none
	stands   calendar.Day // the day on which that one was received; 0 for none
	months   map[calendar.Month]bool

	accepted, quarantined, unchanged int64

	wrote  lake.File // its rows in the generation to come; no rows for none
	unsaid string    // the sealed file of what it leaves unsaid; "" for nothing
}

// given is what beside the bytes decides about a file's rows.
func (l *loading) given() string {
	given := []string{"setup", l.Pack.Hash, l.in.Encoding, string(l.in.Delimiter)}
	for _, h := range slices.Sorted(maps.Keys(l.in.Headings)) {
		given = append(given, h, l.in.Headings[h])
	}
	return strings.Join(given, "\n")
}

// again reports whether the same bytes were delivered before, and answers with that delivery. Bytes of which rows were rejected are looked at again
// when the pack or the map has changed since: that may have been what was wrong.
func (l *loading) again(ctx context.Context) (bool, error) {
	err := l.Store.QueryRowContext(ctx, `
SELECT max(id), coalesce(sum(accepted + quarantined + unchanged), 0) FROM register_delivery
WHERE register = $1 AND sum = $2 AND (setup = $3 OR quarantined = 0) HAVING count(*) > 0`, l.reg.Name, l.sum, l.setup).
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

func (l *loading) run(ctx context.Context) (err error) {
	w, err := l.Lake.Write(ctx, "load "+l.reg.Name)
	if err != nil {
		return err
	}
	defer func() {
		if e := w.Abort(ctx); err == nil {
			err = e
		}
	}()
	l.step("leased")
	if again, err := l.again(ctx); again || err != nil { // somebody may have been loading it while this waited for the lease
		return err
	}
	if err := l.resolve(ctx); err != nil {
		return err
	}
	if err := l.begin(ctx); err != nil {
		return err
	}
	l.resolver.Receive(l.rep.Delivery, l.in.Received)
	var last calendar.Day // also of a delivery that said nothing new and has no file
	if err := l.Store.QueryRowContext(ctx, `SELECT coalesce(max(received), 0) FROM register_delivery WHERE register = $1`, l.reg.Name).Scan(&last); err != nil {
		return err
	}
	l.key, l.month = make([]bool, len(l.reg.Columns)), -1
	for i, c := range l.reg.Columns {
		l.key[i] = slices.ContainsFunc(l.reg.Key, func(k pack.Src) bool { return k.Text == c.Name.Text })
		if c.Name.Text == l.reg.MonthColumn() {
			l.month = i
		}
	}
	l.reads, l.sequence, l.settles = readers(l.reg), readingOrder(l.reg), settles(l.reg, l.in.Received >= last)
	conn, err := w.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	l.rejects = newQuarantine(l.Desk, l.reg, l.rep.File, l.in.Rejects)
	blob, err := l.rejects.close(l.stage(ctx, w, conn))
	if err != nil {
		return err
	}
	if err := l.keep(); err != nil {
		return err
	}
	l.step("kept")
	if err := w.Commit(ctx, func(tx *sql.Tx) error { return l.record(ctx, tx, blob) }); err != nil {
		return err
	}
	l.step("committed")
	l.resolver.Saved()
	return nil
}

// begin gives the delivery its number, and learns which rows wait.
func (l *loading) begin(ctx context.Context) (err error) {
	if err := l.Store.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM register_delivery`).Scan(&l.rep.Delivery); err != nil {
		return err
	}
	l.parts = map[int64]*part{}
	if !l.lines.corrects() {
		l.part(0, 0)
	}
	l.waiting, err = l.waits(ctx)
	return err
}

// part is the rows that stand with a delivery, 0 for this one.
func (l *loading) part(corrects int64, stands calendar.Day) *part {
	p := l.parts[corrects]
	if p == nil {
		p = &part{id: l.rep.Delivery + int64(len(l.parts)), corrects: corrects, stands: stands, months: map[calendar.Month]bool{}}
		l.parts[corrects] = p
	}
	return p
}

// inOrder lists the parts by their numbers.
func (l *loading) inOrder() []*part {
	return slices.SortedFunc(maps.Values(l.parts), func(a, b *part) int { return cmp.Compare(a.id, b.id) })
}

// stage reads the file and writes what is new into the generation to come.
func (l *loading) stage(ctx context.Context, w *lake.Writer, conn *sql.Conn) error {
	var columns []string
	for _, c := range append(l.reg.LakeColumns(), pack.LakeColumn{Name: "ord", Type: "BIGINT"}, pack.LakeColumn{Name: "key_hash", Type: "UBIGINT"}) {
		columns = append(columns, columnar.Quote(c.Name)+" "+c.Type)
	}
	if _, err := conn.ExecContext(ctx, "CREATE TEMP TABLE staging ("+strings.Join(columns, ", ")+")"); err != nil {
		return err
	}
	if err := columnar.Append(ctx, conn, "staging", func(a columnar.Appender) error { return l.rows(ctx, a) }); err != nil {
		return err
	}
	if err := l.twice(ctx, conn); err != nil {
		return err
	}
	if err := l.join(ctx, w, conn); err != nil {
		return err
	}
	l.step("staged")
	changed := false
	for _, p := range l.inOrder() {
		wrote, err := l.publish(ctx, w, conn, p)
		if err != nil {
			return err
		}
		changed = changed || wrote
	}
	for _, p := range l.inOrder() {
		if p.wrote.Rows == 0 {
			continue
		}
		if err := l.say(ctx, w, conn, p); err != nil {
			return err
		}
	}
	l.step("written")
	if err := l.describe(ctx, w, conn); err != nil {
		return err
	}
	if err := l.identity(ctx, w, conn, changed); err != nil {
		return err
	}
	l.step("identified")
	return l.look(ctx, w, conn)
}

// keep seals the original, and sees that its bytes are those that were read.
func (l *loading) keep() error {
	in, err := os.Open(l.in.Path)
	if err != nil {
		return err
	}
	plain, _, err := l.Files.Put(in)
	if err = errors.Join(err, in.Close()); err != nil {
		return err
	}
	if plain != l.plain {
		return fault.New("register.keep", fault.Conflict, "register.file_changed", "file", l.rep.File)
	}
	return nil
}

// Original opens the file of a delivery as it came, unsealed. The caller has the right to see it and has it on record.
//
// Errors: NotFound for a delivery that does not exist.
func (d *Desk) Original(ctx context.Context, delivery int64) (io.ReadCloser, error) {
	var name string
	err := d.Store.QueryRowContext(ctx, `SELECT original FROM register_delivery WHERE id = $1`, delivery).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fault.New("register.Original", fault.NotFound, "register.no_delivery", "delivery", delivery)
	}
	if err != nil {
		return nil, fault.Wrap("register.Original", err)
	}
	r, err := d.Files.OpenNamed(name)
	return r, fault.Wrap("register.Original", err)
}

// record writes the delivery into the office's database, in the transaction that publishes its rows.
func (l *loading) record(ctx context.Context, tx *sql.Tx, blob string) error {
	if err := l.resolver.Save(ctx, tx); err != nil {
		return err
	}
	headings, err := json.Marshal(l.in.Headings)
	if err != nil {
		return err
	}
	for _, p := range l.inOrder() {
		l.rep.Delivery = p.id
	}
	report, err := json.Marshal(l.rep)
	if err != nil {
		return err
	}
	for _, p := range l.inOrder() {
		kept := blob
		if p.quarantined == 0 {
			kept = ""
		}
		if _, err := tx.ExecContext(ctx, `
INSERT INTO register_delivery (id, register, file, sum, setup, corrects, received, cutoff, accepted, quarantined, unchanged, original, rejects, unsaid, headings, report, at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`, p.id, l.reg.Name, l.rep.File, l.sum, l.setup, p.corrects, l.in.Received, l.in.Cutoff,
			p.accepted, p.quarantined, p.unchanged, l.Files.Name(l.plain), kept, p.unsaid, string(headings), string(report), store.Micros(l.in.At)); err != nil {
			return err
		}
		if err := audit.Write(ctx, tx, l.told(p)); err != nil {
			return err
		}
	}
	if err := l.rejects.record(ctx, tx); err != nil {
		return err
	}
	if err := l.waiting.record(ctx, tx); err != nil {
		return err
	}
	for _, p := range l.pairs {
		if _, err := tx.ExecContext(ctx, `INSERT INTO register_pair (holder, other, register, delivery, known) VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING`,
			min(p[0], p[1]), max(p[0], p[1]), l.reg.Name, l.rep.Delivery, l.in.Received); err != nil {
			return err
		}
	}
	l.step("recorded")
	return nil
}

// told is the audit record of a part. The name of the file is its sender's and may be anything, so it is not in it.
func (l *loading) told(p *part) audit.Record {
	f := func(name string, v audit.Value) audit.Field { return audit.Field{Name: name, Value: v} }
	r := audit.Record{At: l.in.At, Account: cmp.Or(l.in.Account, audit.System), Action: "load", Kind: "delivery", Object: strconv.FormatInt(p.id, 10), Count: p.accepted,
		After: []audit.Field{f("register", audit.Text(l.reg.Name)), f("received", audit.Day(l.in.Received)), f("cutoff", audit.Day(l.in.Cutoff)),
			f("accepted", audit.Int(p.accepted)), f("quarantined", audit.Int(p.quarantined)), f("unchanged", audit.Int(p.unchanged))}}
	if p.corrects != 0 {
		r.After = append(r.After, f("corrects", audit.Int(p.corrects)))
	}
	return r
}

// before is what a delivery is compared with: all that was received by its day, so that one which comes late tells what was known then.
func (l *loading) before(w *lake.Writer) *lake.Snapshot { return w.Until(l.in.Received) }

// replaces reports whether a delivery of the register takes the place of an earlier one.
func (l *loading) replaces() bool {
	return l.reg.Mode.Text == "replace_month" || l.reg.Mode.Text == "replace_all"
}

// monthList is the months of a part as the lake writes them, parted by blanks.
func (p *part) monthList() string {
	var out []string
	for m := range p.months {
		out = append(out, fmt.Sprintf("%06d", m))
	}
	slices.Sort(out)
	return strings.Join(out, " ")
}
