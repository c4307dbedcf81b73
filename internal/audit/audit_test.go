package audit

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/store/storetest"
)

var noon = time.Date(2024, 12, 20, 12, 0, 0, 123456000, time.UTC)

// clock is an injected one.
type clock struct{ time.Time }

func (c *clock) now() time.Time { return c.Time }

// desk is a log with its clock and the folder of its roots.
type desk struct {
	*Log
	t  *testing.T
	at *clock
}

func newDesk(t *testing.T, db *store.DB) *desk {
	dir := t.TempDir()
	s, err := seal.OpenSigner(dir)
	if err != nil {
		t.Fatal(err)
	}
	at := &clock{noon}
	return &desk{Open(db, dir, s, at.now), t, at}
}

// record is one with something in every field.
func record(i int) Record {
	return Record{At: noon.Add(time.Duration(i) * time.Millisecond), Account: "wang", Role: "clerk", Action: "review", Kind: "case", Object: fmt.Sprint(i),
		Before: []Field{{"state", Text("opened")}, {"phone", Masked("13812345678")}}, After: []Field{{"state", Text("reviewed \"报\"\\告")}, {"amount_fen", Int(-60000)}},
		Reason: "材料齐全", Count: int64(i % 7), Request: "r-8f"}
}

func (d *desk) write(from, to int) {
	d.t.Helper()
	if err := d.db.Tx(d.t.Context(), func(tx *sql.Tx) error {
		for i := from; i < to; i++ {
			if err := Write(d.t.Context(), tx, record(i)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		d.t.Fatal(err)
	}
}

func (d *desk) seal() int64 {
	d.t.Helper()
	n, err := d.Seal(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return n
}

func (d *desk) verify() Report {
	d.t.Helper()
	rep, err := d.Verify(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	return rep
}

func (d *desk) export() []byte {
	d.t.Helper()
	var b bytes.Buffer
	if _, err := d.Export(d.t.Context(), &b); err != nil {
		d.t.Fatal(err)
	}
	return b.Bytes()
}

// wants compares a report with records, unsealed and what is broken, "" for nothing.
func wants(t *testing.T, rep Report, records, unsealed int64, broken string) {
	t.Helper()
	got := ""
	if rep.Broken != nil {
		got = fmt.Sprint(rep.Broken.Record, " ", rep.Broken.What)
	}
	if rep.OK != (broken == "") || rep.Records != records || rep.Unsealed != unsealed || got != broken {
		t.Errorf("%d records, %d unsealed, broken %q, ok %v; want %d, %d, %q", rep.Records, rep.Unsealed, got, rep.OK, records, unsealed, broken)
	}
}

func TestRecordsAreWrittenSealedAndFit(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		wants(t, d.verify(), 0, 0, "")
		d.write(0, 3)
		wants(t, d.verify(), 0, 3, "")
		n, tail, err := d.Tail(t.Context(), 2)
		if err != nil || n != 3 || len(tail) != 2 || tail[0].Object != "0" || !tail[0].At.Equal(noon) || tail[0].Seq != 0 {
			t.Fatalf("tail of %d: %+v, %v", n, tail, err)
		}
		if n := d.seal(); n != 3 {
			t.Errorf("%d sealed", n)
		}
		d.write(3, 2*atOnce+5)
		if n := d.seal(); n != 2*atOnce+2 {
			t.Errorf("%d sealed", n)
		}
		if n := d.seal(); n != 0 {
			t.Errorf("%d sealed of none", n)
		}
		rep := d.verify()
		wants(t, rep, 2*atOnce+5, 0, "")
		file, err := VerifyFile(bytes.NewReader(d.export()), rep.Key)
		if err != nil || file.Last != rep.Last || file.Key != rep.Key {
			t.Errorf("of the file %+v, of the database %+v, %v", file, rep, err)
		}
		wants(t, file, 2*atOnce+5, 0, "")
	})
}

func TestARecordIsKeptWithItsTransactionAndNotOtherwise(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		no := errors.New("no")
		if err := d.db.Tx(t.Context(), func(tx *sql.Tx) error {
			if err := Write(t.Context(), tx, record(1)); err != nil {
				return err
			}
			return no
		}); err != no {
			t.Fatal(err)
		}
		d.seal()
		wants(t, d.verify(), 0, 0, "")
		if err := Write(t.Context(), nil, record(1)); fault.KindOf(err) != fault.Internal {
			t.Errorf("without a transaction: %v", err)
		}
	})
}

// A process that dies between its commit and the sealing leaves the record to the next, whichever that is.
func TestTheNextProcessSealsWhatOneLeft(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		first := newDesk(t, open())
		first.write(0, 2)
		first.db.Close()
		next := newDesk(t, open())
		next.write(2, 3)
		if n := next.seal(); n != 3 {
			t.Errorf("%d sealed", n)
		}
		wants(t, next.verify(), 3, 0, "")
	})
}

func TestRecordsOfOneInstantKeepTheirOrder(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		if err := d.db.Tx(t.Context(), func(tx *sql.Tx) error {
			for i := range 20 {
				r := record(i)
				r.At = noon
				if err := Write(t.Context(), tx, r); err != nil {
					return err
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		_, tail, err := d.Tail(t.Context(), 20)
		if err != nil {
			t.Fatal(err)
		}
		for i, e := range tail {
			if e.Object != fmt.Sprint(i) {
				t.Errorf("record %s stands at %d", e.Object, i)
			}
		}
	})
}

func TestRowsAreOnlyAdded(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		d.write(0, 2)
		d.seal()
		for _, q := range []string{`UPDATE audit_record SET reason = ''`, `DELETE FROM audit_record`, `UPDATE audit_seal SET seq = seq + 9`, `DELETE FROM audit_seal`} {
			if _, err := d.db.Exec(q); err == nil {
				t.Errorf("%s: not refused", q)
			}
		}
		wants(t, d.verify(), 2, 0, "")
	})
}

// unguard takes away what keeps rows from being changed, as whoever owns the tables can.
func (d *desk) unguard() {
	d.t.Helper()
	for _, q := range [][]string{
		{`DROP TRIGGER audit_record_no_update`, `DROP TRIGGER audit_record_no_delete`, `DROP TRIGGER audit_seal_no_update`, `DROP TRIGGER audit_seal_no_delete`},
		{`DROP TRIGGER audit_record_guard ON audit_record`, `DROP TRIGGER audit_seal_guard ON audit_seal`},
	} {
		var err error
		for _, s := range q {
			_, e := d.db.Exec(s)
			err = errors.Join(err, e)
		}
		if err == nil {
			return
		}
	}
	d.t.Fatal("the guards are still there")
}

func (d *desk) exec(queries ...string) {
	d.t.Helper()
	for _, q := range queries {
		if _, err := d.db.Exec(q); err != nil {
			d.t.Fatal(q, err)
		}
	}
}

func TestWhatIsChangedInTheDatabaseIsFound(t *testing.T) {
	const fifth = ` WHERE id = (SELECT record FROM audit_seal WHERE seq = 5)`
	cases := []struct {
		name, broken string
		records      int64
		do           []string
	}{
		{"nothing", "", 9, nil},
		{"the instant", "5 changed", 4, []string{`UPDATE audit_record SET at = at + 1` + fifth}},
		{"the account", "5 changed", 4, []string{`UPDATE audit_record SET account = 'Wang'` + fifth}},
		{"the role", "5 changed", 4, []string{`UPDATE audit_record SET role = ''` + fifth}},
		{"the action", "5 changed", 4, []string{`UPDATE audit_record SET action = 'preview'` + fifth}},
		{"the kind", "5 changed", 4, []string{`UPDATE audit_record SET kind = 'cas'` + fifth}},
		{"the object", "5 changed", 4, []string{`UPDATE audit_record SET object = '04'` + fifth}},
		{"a field before", "5 changed", 4, []string{`UPDATE audit_record SET before_fields = '{}'` + fifth}},
		{"a field after", "5 changed", 4, []string{`UPDATE audit_record SET after_fields = replace(after_fields, '60000', '6000')` + fifth}},
		{"the reason", "5 changed", 4, []string{`UPDATE audit_record SET reason = reason || '.'` + fifth}},
		{"the count", "5 changed", 4, []string{`UPDATE audit_record SET n = n + 1` + fifth}},
		{"the request", "5 changed", 4, []string{`UPDATE audit_record SET request = 'r-8e'` + fifth}},
		{"a text moved to the next field", "5 changed", 4, []string{`UPDATE audit_record SET kind = kind || object, object = ''` + fifth}},
		{"the hash", "5 changed", 4, []string{`UPDATE audit_seal SET hash = (SELECT hash FROM audit_seal WHERE seq = 4) WHERE seq = 5`}},
		{"its place taken", "5 missing", 4, []string{`DELETE FROM audit_seal WHERE seq = 5`}},
		{"two in each other's place", "5 changed", 4, []string{`UPDATE audit_seal SET seq = 99 WHERE seq = 5`, `UPDATE audit_seal SET seq = 5 WHERE seq = 6`, `UPDATE audit_seal SET seq = 6 WHERE seq = 99`}},
		{"the first taken", "1 missing", 0, []string{`DELETE FROM audit_seal WHERE seq = 1`}},
		{"the last taken, signed for", "9 cut", 8, []string{`DELETE FROM audit_seal WHERE seq = 9`}},
		{"one put behind", "10 changed", 9, []string{`INSERT INTO audit_record SELECT 7, at, account, role, action, kind, object, before_fields, after_fields, reason, n, request FROM audit_record` + fifth,
			`INSERT INTO audit_seal SELECT 10, 7, hash FROM audit_seal WHERE seq = 9`}},
		{"one that no sealer finds", "9 unlisted", 9, []string{`INSERT INTO audit_record SELECT 7, at, account, role, action, kind, object, before_fields, after_fields, reason, n, request FROM audit_record` + fifth}},
	}
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		db := open()
		for i, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				if i > 0 { // an empty log again
					db.Exec(`DELETE FROM audit_tail`)
					db.Exec(`DELETE FROM audit_seal`)
					db.Exec(`DELETE FROM audit_record`)
				}
				d := newDesk(t, db)
				if i == 0 {
					d.unguard()
				}
				d.write(0, 9)
				d.seal()
				if err := d.Root(t.Context()); err != nil {
					t.Fatal(err)
				}
				d.exec(c.do...)
				rep := d.verify()
				want := c.records
				if rep.Records != want || (rep.Broken == nil) != (c.broken == "") || rep.Broken != nil && fmt.Sprint(rep.Broken.Record, " ", rep.Broken.What) != c.broken {
					t.Errorf("%d records, %+v; want %d, %q", rep.Records, rep.Broken, want, c.broken)
				}
			})
		}
	})
}

// A foreign key keeps a sealed record where it is even without the guards; SQLite lets a type slip that PostgreSQL does not.
func TestARecordThatIsGoneOrUnreadableIsNamed(t *testing.T) {
	dsn := storetest.SQLite(t)
	d := newDesk(t, storetest.Open(t, dsn))
	d.write(0, 5)
	d.seal()
	d.unguard()
	if _, err := d.db.Exec(`DELETE FROM audit_record WHERE id = (SELECT record FROM audit_seal WHERE seq = 3)`); err == nil {
		t.Error("a sealed record went")
	}
	d.exec(`UPDATE audit_record SET n = 'many' WHERE id = (SELECT record FROM audit_seal WHERE seq = 4)`)
	wants(t, d.verify(), 3, 0, "4 changed")
	d.db.SetMaxOpenConns(1)
	d.exec(`PRAGMA foreign_keys = OFF`, `DELETE FROM audit_record WHERE id = (SELECT record FROM audit_seal WHERE seq = 3)`)
	wants(t, d.verify(), 2, 0, "3 missing")
	d.exec(`DELETE FROM audit_record WHERE n = 'many'`)
	file, err := VerifyFile(bytes.NewReader(d.export()), "")
	if err != nil {
		t.Fatal(err)
	}
	wants(t, file, 2, 0, "3 missing")
}

// Every byte of a thousand exported records, and of the line that ends them: what is changed is found, where it is.
func TestEveryByteOfAThousandRecords(t *testing.T) {
	d := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	const records = 1000
	d.write(0, records)
	d.seal()
	file := d.export()
	lines := bytes.SplitAfter(file, []byte{'\n'})
	lines = lines[:len(lines)-1]
	if len(lines) != records+1 {
		t.Fatalf("%d lines", len(lines))
	}
	// The walk up to the line is done once for all its bytes: what a walk finds in a line does not depend on what comes later.
	starts := make([]fileWalker, len(lines))
	for i := range lines[:records] {
		starts[i+1] = starts[i]
		if b := starts[i+1].line(lines[i]); b != nil {
			t.Fatal(b)
		}
	}
	var wg sync.WaitGroup
	var flipped [2]int
	for half := range flipped {
		wg.Go(func() {
			for i := half; i < len(lines); i += len(flipped) {
				line, rest := bytes.Clone(lines[i]), lines[i+1:]
				masks := []byte{0x01, 0x20, 0x80}
				if i == records {
					masks = masks[:1] // a signature costs a tenth of a millisecond
				}
				for at := range line {
					mask := masks[at%len(masks)]
					line[at] ^= mask
					if starts[i].found(line, rest) < 0 {
						t.Errorf("byte %d of line %d: %q is not found", at, i+1, line[at])
					}
					line[at] ^= mask
					flipped[half]++
				}
			}
		})
	}
	wg.Wait()
	if n := flipped[0] + flipped[1]; n != len(file) {
		t.Errorf("%d bytes of %d", n, len(file))
	}
}

// found walks over a changed line, which may have become two or one with the next, and answers the number of the record that does not fit, -1 for none.
func (f fileWalker) found(line []byte, rest [][]byte) int64 {
	if len(rest) > 0 && line[len(line)-1] != '\n' {
		line = append(bytes.Clone(line), rest[0]...)
	}
	for part := range bytes.SplitAfterSeq(line, []byte{'\n'}) {
		if b := f.line(part); b != nil {
			return b.Record
		}
	}
	if len(rest) > 0 {
		if b := f.line(rest[0]); b != nil {
			return b.Record
		}
	}
	return -1
}

func TestAChangedFileIsFound(t *testing.T) {
	d := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	d.write(0, 10)
	d.seal()
	whole := bytes.SplitAfter(d.export(), []byte{'\n'})
	whole = whole[:len(whole)-1]
	d.write(10, 12)
	d.seal()
	more := bytes.SplitAfter(d.export(), []byte{'\n'})
	other := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	other.write(0, 10)
	other.seal()
	foreign := bytes.SplitAfter(other.export(), []byte{'\n'})
	edit := func(f func(l [][]byte) [][]byte) []byte { return bytes.Join(f(append([][]byte{}, whole...)), nil) }
	cases := []struct {
		name, broken string
		records      int64
		file         []byte
	}{
		{"as it was", "", 10, edit(func(l [][]byte) [][]byte { return l })},
		{"one removed", "5 missing", 4, edit(func(l [][]byte) [][]byte { return append(l[:4], l[5:]...) })},
		{"the first removed", "1 missing", 0, edit(func(l [][]byte) [][]byte { return l[1:] })},
		{"the last removed", "10 cut", 9, edit(func(l [][]byte) [][]byte { return append(l[:9], l[10]) })},
		{"two swapped", "5 out_of_order", 4, edit(func(l [][]byte) [][]byte { l[4], l[5] = l[5], l[4]; return l })},
		{"one twice", "6 repeated", 5, edit(func(l [][]byte) [][]byte { return append(l[:5:5], l[4:]...) })},
		{"one more behind the last", "11 changed", 10, edit(func(l [][]byte) [][]byte {
			return append(l[:10:10], bytes.Replace(l[9], []byte(`"seq":10`), []byte(`"seq":11`), 1), l[10])
		})},
		{"one more with its own hash", "11 appended", 11, edit(func(l [][]byte) [][]byte { return append(l[:10:10], more[10], l[10]) })},
		{"something behind the end", "11 appended", 10, edit(func(l [][]byte) [][]byte { return append(l, []byte("\n")) })},
		{"a blank line", "5 changed", 4, edit(func(l [][]byte) [][]byte { l[3] = append(bytes.Clone(l[3]), '\n'); return l })},
		{"Windows' ends of lines", "1 changed", 0, bytes.ReplaceAll(bytes.Join(whole, nil), []byte("\n"), []byte("\r\n"))},
		{"cut after a line", "8 cut", 7, edit(func(l [][]byte) [][]byte { return l[:7] })},
		{"cut within a line", "8 changed", 7, edit(func(l [][]byte) [][]byte { return append(l[:7], l[7][:100]) })},
		{"cut within its last line", "10 end", 10, edit(func(l [][]byte) [][]byte { return append(l[:10], l[10][:100]) })},
		{"nothing", "1 cut", 0, nil},
		{"the end of a longer one", "11 cut", 10, edit(func(l [][]byte) [][]byte { return append(l[:10], more[12]) })},
		{"the end of another log", "10 end", 10, edit(func(l [][]byte) [][]byte { return append(l[:10], foreign[10]) })},
		{"a number", "5 changed", 4, edit(func(l [][]byte) [][]byte {
			l[4] = bytes.Replace(l[4], []byte(`"seq":5`), []byte(`"seq":7`), 1)
			return l
		})},
		{"another log, signed by another", "10 other_key", 10, bytes.Join(foreign, nil)},
		{"no log at all", "1 changed", 0, []byte("{}\n")},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			rep, err := VerifyFile(bytes.NewReader(c.file), d.signer.Public())
			if err != nil {
				t.Fatal(err)
			}
			wants(t, rep, c.records, 0, c.broken)
		})
	}
}

func TestRootsFindWhatWasChainedAnew(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		d.write(0, 4)
		d.seal()
		if roots, err := d.readRoots(); err != nil || len(roots) != 0 {
			t.Fatalf("%v on the day itself, %v", roots, err)
		}
		d.at.Time = noon.AddDate(0, 0, 3)
		d.write(4, 6)
		d.seal()
		d.seal()
		roots, err := d.readRoots()
		if err != nil || len(roots) != 1 || roots[0].seq != 4 || roots[0].day != calendar.MustParse("2024-12-20") || !roots[0].ours(d.signer.Public()) {
			t.Fatalf("%+v, %v", roots, err)
		}
		if rep := d.verify(); !rep.OK || rep.Roots != 1 {
			t.Errorf("%+v", rep)
		}
		// Somebody changes the third record and works the whole chain out anew.
		d.unguard()
		d.exec(`UPDATE audit_record SET reason = 'none' WHERE id = (SELECT record FROM audit_seal WHERE seq = 3)`, `INSERT INTO audit_tail SELECT record FROM audit_seal`, `DELETE FROM audit_seal`)
		d.seal()
		wants(t, d.verify(), 4, 0, "4 root")
	})
}

func TestABrokenRootIsNamed(t *testing.T) {
	d := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	d.write(0, 4)
	d.seal()
	good := root{day: calendar.MustParse("2024-12-20"), seq: 4, hash: strings.Repeat("0", 64)}
	other, err := seal.OpenSigner(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if good.signature, err = other.Sign(good.signed()); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{good.line(), "x\n", "2024-12-20 4\n", strings.TrimSuffix(good.line(), "\n"), "\n"} {
		if r := parseRoot(line); r.ours(d.signer.Public()) {
			t.Errorf("%q is ours", line)
		}
	}
	if err := os.WriteFile(filepath.Join(d.roots, rootFile), []byte(good.line()), 0o600); err != nil {
		t.Fatal(err)
	}
	wants(t, d.verify(), 0, 0, "4 root_broken")
}

// Two processes seal while four write. Every record is in the chain once, and the chain fits.
func TestTwoSealersAndFourWriters(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		dbs := []*store.DB{open(), open()}
		const writers, each = 4, 25
		ctx, stop := context.WithCancel(t.Context())
		var sealers, writing sync.WaitGroup
		var desks []*desk
		for _, db := range dbs {
			d := newDesk(t, db)
			desks = append(desks, d)
			sealers.Go(func() { d.Run(ctx, time.Millisecond, func(err error) { t.Error(err) }) })
		}
		for i := range writers {
			writing.Go(func() {
				for j := range each {
					if err := dbs[i%2].Tx(t.Context(), func(tx *sql.Tx) error { return Write(t.Context(), tx, record(i*each+j)) }); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writing.Wait()
		stop()
		sealers.Wait()
		wants(t, desks[0].verify(), writers*each, 0, "")
		var different int
		if err := dbs[0].QueryRow(`SELECT count(DISTINCT r.object) FROM audit_seal s JOIN audit_record r ON r.id = s.record`).Scan(&different); err != nil || different != writers*each {
			t.Errorf("%d different records, %v", different, err)
		}
	})
}

// Sealers that all see the same tail want the same numbers: one gets them.
func TestOfManySealersOneWins(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		d.write(0, 3*atOnce)
		var wg sync.WaitGroup
		var sum [4]int64
		for i := range sum {
			wg.Go(func() {
				n, err := d.Seal(t.Context())
				if err != nil {
					t.Error(err)
				}
				sum[i] = n
			})
		}
		wg.Wait()
		if n := sum[0] + sum[1] + sum[2] + sum[3]; n != 3*atOnce {
			t.Errorf("%v sealed", sum)
		}
		wants(t, d.verify(), 3*atOnce, 0, "")
	})
}

func TestARecordThatIsListedTwiceStopsNobody(t *testing.T) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) {
		d := newDesk(t, open())
		d.write(0, 2)
		d.seal()
		d.exec(`INSERT INTO audit_tail SELECT record FROM audit_seal`)
		d.write(2, 3)
		if n := d.seal(); n != 1 {
			t.Errorf("%d sealed", n)
		}
		wants(t, d.verify(), 3, 0, "")
		if n, _, err := d.Tail(t.Context(), 9); err != nil || n != 0 {
			t.Errorf("%d left, %v", n, err)
		}
	})
}

// A transaction that began first may commit last: it is sealed behind what was sealed meanwhile.
func TestALateCommitIsSealedLater(t *testing.T) {
	d := newDesk(t, storetest.Open(t, storetest.Postgres(t)))
	late, err := d.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback()
	if err := Write(t.Context(), late, record(0)); err != nil {
		t.Fatal(err)
	}
	d.write(1, 3)
	if n := d.seal(); n != 2 {
		t.Errorf("%d sealed", n)
	}
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	if n := d.seal(); n != 1 {
		t.Errorf("%d sealed", n)
	}
	wants(t, d.verify(), 3, 0, "")
}

func TestWhatMayNotStandInARecordIsRefused(t *testing.T) {
	d := newDesk(t, storetest.Open(t, storetest.SQLite(t)))
	cases := []struct {
		name string
		kind fault.Kind
		set  func(r *Record)
	}{
		{"no instant", fault.Internal, func(r *Record) { r.At = time.Time{} }},
		{"nobody", fault.Internal, func(r *Record) { r.Account = "" }},
		{"no action", fault.Internal, func(r *Record) { r.Action = "" }},
		{"a sentence for an action", fault.Internal, func(r *Record) { r.Action = "looked at it" }},
		{"no kind", fault.Internal, func(r *Record) { r.Kind = "" }},
		{"a count below none", fault.Internal, func(r *Record) { r.Count = -1 }},
		{"a field twice", fault.Internal, func(r *Record) { r.After = []Field{{"a", Int(1)}, {"a", Int(2)}} }},
		{"a field without a name", fault.Internal, func(r *Record) { r.After = []Field{{"", Int(1)}} }},
		{"a line break", fault.Invalid, func(r *Record) { r.Reason = "a\nb" }},
		{"a NUL", fault.Invalid, func(r *Record) { r.After = []Field{{"a", Text("\x00")}} }},
		{"no UTF-8", fault.Invalid, func(r *Record) { r.Reason = "\xff" }},
		{"too long", fault.Invalid, func(r *Record) { r.Reason = strings.Repeat("长", longestText+1) }},
		{"a phone in the reason", fault.Invalid, func(r *Record) { r.Reason = "电话10012345678已核" }},
		{"a phone with blanks", fault.Invalid, func(r *Record) { r.Reason = "100 1234 5678" }},
		{"a phone in wide digits", fault.Invalid, func(r *Record) { r.Reason = "１００１２３４５６７８" }},
		{"an ID number for an object", fault.Invalid, func(r *Record) { r.Object = "37150219900101001X" }},
		{"an ID number as a text", fault.Invalid, func(r *Record) { r.Before = []Field{{"id", Text("37150219900101001X")}} }},
		{"a bank card", fault.Invalid, func(r *Record) { r.Object = "6222021234567890123" }},
		{"a phone behind letters", fault.Invalid, func(r *Record) { r.Reason = "tel10012345678" }},
		{"a hash with digits in a row", "", func(r *Record) { r.Object = "00123456789012ab" }},
		{"a random id with digits in a row", "", func(r *Record) { r.Object = "550e8400-e29b-41d4-a716-446655440000" }},
		{"days and a bill's number", "", func(r *Record) { r.Reason = "2024-12-20 起，文号 2024-117" }},
		{"a mask", "", func(r *Record) {
			r.Before = []Field{{"id", Masked("371502199001010010")}, {"on", Day(20241220)}, {"at", Instant(noon)}, {"none", Value{}}, {"yes", Bool(true)}}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := record(1)
			c.set(&r)
			err := d.db.Tx(t.Context(), func(tx *sql.Tx) error { return Write(t.Context(), tx, r) })
			if (err == nil) != (c.kind == "") || err != nil && fault.KindOf(err) != c.kind {
				t.Errorf("%v, want %q", err, c.kind)
			}
		})
	}
}

func TestValuesAsTheyStand(t *testing.T) {
	dir := t.TempDir()
	if err := seal.Create(dir, "sm"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	got := fields([]Field{{"a", Text(`"\`)}, {"b", Int(-5)}, {"c", Day(20241220)}, {"d", Day(0)}, {"e", Instant(noon)}, {"f", Masked("王小明")}, {"g", Masked("371502199001010010")}, {"h", Value{}}})
	want := `{"a":"\"\\","b":-5,"c":"2024-12-20","d":null,"e":"2024-12-20T12:00:00.123456Z","f":{"masked":"***"},"g":{"masked":"**************0010"},"h":null}`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	one, two, other := Keyed(keys, "phone", "10012345678"), Keyed(keys, "phone", "10012345679"), Keyed(keys, "name", "10012345678")
	if one == two || one == other || one != Keyed(keys, "phone", "10012345678") || strings.Contains(one.json, "10012345678") {
		t.Errorf("%v %v %v", one, two, other)
	}
}

func BenchmarkVerify(b *testing.B) {
	var w walker
	e := Entry{Seq: 1, At: noon, Account: "wang", Action: "review", Kind: "case", Before: []byte(fields(record(1).Before)), After: []byte(fields(record(1).After)), Reason: "材料齐全"}
	var text []byte
	for b.Loop() {
		text = e.appendText(text[:0])
		w.chained(text)
	}
}
