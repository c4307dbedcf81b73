package bench

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/store"
	"bole/packs"
	"github.com/duckdb/duckdb-go/v2"
)

// The shipped city's registers, with the facts that the yardstick asks for.
//
//go:embed all:months
var monthsFiles embed.FS

// The yardstick's right answers about everybody, from its README.
var (
	spellAnswers = map[string]struct{ spells, months int64 }{"pension": {7_196_078, 40_058_061}, "medical": {2_014_926, 2_104_394}}
	factAnswers  = []int64{996_565, 39_857_489, 21_857_135, 11_771_831}
)

// monthsDay is the day of the facts: the last month of the yardstick's.
const monthsDay calendar.Day = 20251231

// code is SQL for an employer's code of eighteen places.
const code = `'9137150' || lpad(CAST(emp_id AS VARCHAR), 9, '0') || 'XY'`

// deliveries is the query of a month of the yardstick's contributions as the register has them. A row that takes a payment back is a refund; what the
// yardstick calls late was received two months after its own, everything else in it.
func deliveries(month string) string {
	return `SELECT CAST(pid AS BIGINT) AS holder, ` + code + ` AS uscc, kind, day AS month, CAST(400000 + pid % 70 * 10000 AS BIGINT) AS base_fen,
  CASE WHEN sign < 0 THEN 'refund' WHEN quality = 'back' THEN 'back' ELSE 'normal' END AS pay_kind, TRUE AS posted,
  CAST(day + INTERVAL (CASE WHEN quality = 'late' THEN 2 ELSE 0 END) MONTH + INTERVAL (pid % 28) DAY AS DATE) AS posted_day, CAST(sign * 96000 AS BIGINT) AS paid_fen,
  CAST(NULL AS VARCHAR) AS insured_place, CAST(NULL AS VARCHAR) AS body, CAST(NULL AS VARCHAR) AS serial_no, CAST(NULL AS VARCHAR) AS number_kind,
  CAST(yyyymm AS BIGINT) AS seq, hash(pid, yyyymm, kind, sign, row_number() OVER ()) AS row_hash
FROM (SELECT *, make_date(yyyymm // 100, yyyymm % 100, 1) AS day FROM contrib_raw WHERE yyyymm = ` + month + `) ORDER BY holder`
}

// The yardstick's files set two threads; it has four gigabytes, and Bole what a home has.
const (
	yardstickThreads = 2
	yardstickMemory  = "SET memory_limit='4GB'"
	homeMB           = 1024
)

// Lake measures a lake of 43 million month rows in 60 deliveries: netting them into spells beside spells.sql (bar 2), in the memory that a home has (bar
// one and a half times the limit that DuckDB is given), and the facts of everybody from these spells beside facts_spells.sql (bar 1.3).
//
// Errors: NotFound "bench.no_yardstick".
func Lake(ctx context.Context, o Options) (out []Entry, err error) {
	if o.Temp, err = os.MkdirTemp(o.Temp, "bole-bench-"); err != nil {
		return nil, fault.Wrap("bench.Lake", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Temp)) }()
	sub, err := fs.Sub(monthsFiles, "months")
	if err != nil {
		return nil, fault.Wrap("bench.Lake", err)
	}
	p, err := pack.Load(sub, packs.Files)
	if err != nil {
		return nil, err
	}
	y, err := o.raise(ctx, o.People, "make_city.sql", "make_dirty.sql")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, y.db.Close()) }()
	db, err := store.Open(ctx, filepath.Join(y.Temp, "office.db"))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	l, err := lake.Open(filepath.Join(y.Temp, "lake"), db, columnar.Config{TempDir: y.Temp, Threads: yardstickThreads, MemoryMB: homeMB}, o.Clock)
	if err != nil {
		return nil, err
	}
	m := &months{y, l, p}
	for _, measure := range []func(context.Context) ([]Entry, error){m.deliver, m.memory, m.spells, m.facts} {
		es, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, es...)
	}
	return out, nil
}

// months is one benchmark of the lake.
type months struct {
	*yardstick
	lake *lake.Lake
	pack *pack.Pack
}

// write publishes a generation of the lake.
func (m *months) write(ctx context.Context, fill func(*lake.Writer) error) (err error) {
	w, err := m.lake.Write(ctx, "bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.Abort(ctx)) }()
	if err := fill(w); err != nil {
		return err
	}
	return w.Commit(ctx, nil)
}

// deliver puts the yardstick's contributions into the lake, a delivery a month, and everybody's identity.
func (m *months) deliver(ctx context.Context) ([]Entry, error) {
	m.say("deliveries")
	var rows int64
	err := m.write(ctx, func(w *lake.Writer) (err error) {
		conn, err := m.db.Conn(ctx)
		if err != nil {
			return fault.Wrap("bench.deliver", err)
		}
		defer func() { err = errors.Join(err, conn.Close()) }()
		for month := calendar.Month(202101); month <= 202512; month = month.Add(1) {
			name := strconv.Itoa(int(month))
			f, err := w.Parquet(ctx, conn, lake.File{Table: "contributions", Received: month.Last(), Cutoff: month.Last(), Seq: int64(month), Meta: name}, deliveries(name))
			if err != nil {
				return err
			}
			rows += f.Rows
		}
		_, err = w.Parquet(ctx, conn, lake.File{Table: lake.IdentityTable}, "SELECT CAST(pid AS BIGINT) AS holder, CAST(pid AS BIGINT) AS person, TRUE AS subject FROM person ORDER BY holder")
		return err
	})
	return []Entry{told("month_rows", float64(rows), "rows")}, err
}

// forget takes the spells out of the lake.
func (m *months) forget(ctx context.Context) error {
	return m.write(ctx, func(w *lake.Writer) error { w.Replace("spell"); return nil })
}

// memory measures what the process takes to net everybody while the yardstick is closed; nothing where the system does not tell.
func (m *months) memory(ctx context.Context) ([]Entry, error) {
	m.say("memory")
	if err := m.db.Close(); err != nil {
		return nil, fault.Wrap("bench.memory", err)
	}
	debug.FreeOSMemory()
	fromNow := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) // the highest so far counts from here
	if err := fact.Net(ctx, m.lake, m.pack); err != nil {
		return nil, err
	}
	status, _ := os.ReadFile("/proc/self/status")
	if err := m.open(); err != nil {
		return nil, err
	}
	if _, err := m.db.ExecContext(ctx, yardstickMemory); err != nil {
		return nil, fault.Wrap("bench.memory", err)
	}
	_, rest, ok := strings.Cut(string(status), "VmHWM:")
	var kB float64
	if _, err := fmt.Sscan(rest, &kB); err != nil || !ok || fromNow != nil {
		return nil, nil
	}
	return []Entry{atMost("spells_memory", kB/1024, 1.5*homeMB, "MB")}, nil
}

// spells measures the way from rows to spells.
func (m *months) spells(ctx context.Context) (out []Entry, err error) {
	m.say("spells")
	o := m.Options
	o.Rounds = min(cmp.Or(o.Rounds, 3), 3) // each takes a minute
	// Bole's turn is the last, so that its spells are there afterwards.
	plain, bole, err := o.byTurnsAfter(ctx, func() error { return m.forget(ctx) }, func() error { return m.run(ctx, "spells.sql") }, func() error { return fact.Net(ctx, m.lake, m.pack) })
	if err != nil {
		return nil, err
	}
	s, err := m.lake.Read(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	mine, _ := s.Scan("spell")
	for _, kind := range []string{"pension", "medical"} {
		var got, want, same struct{ spells, months int64 }
		const sums = "SELECT count(*), CAST(sum(m_to - m_from + 1) AS BIGINT) FROM %s WHERE kind = '%s'"
		// The yardstick counts months from 1; no code of an employer is another's.
		both := mine + " b JOIN spell y ON holder = pid AND y.kind = b.kind AND y.quality = b.quality AND y.m_from = b.m_from + 1 AND y.m_to = b.m_to + 1 AND uscc = " + code
		for _, x := range []struct {
			from string
			into *struct{ spells, months int64 }
		}{{mine, &got}, {"spell", &want}, {"(SELECT b.* FROM " + both + ")", &same}} {
			if err := columnar.Row(ctx, m.db, fmt.Sprintf(sums, x.from, kind), &x.into.spells, &x.into.months); err != nil {
				return nil, err
			}
		}
		if a := spellAnswers[kind]; m.few == 0 {
			want.spells, want.months = a.spells, a.months
		}
		out = append(out, exact("spells_"+kind, got.spells, want.spells, "spells"), exact("months_"+kind, got.months, want.months, "months"), exact("spells_"+kind+"_same", same.spells, want.spells, "spells"))
	}
	return append(out, within("spells_seconds", bole, plain, 2)), nil
}

// facts measures the way from spells to facts.
func (m *months) facts(ctx context.Context) (out []Entry, err error) {
	m.say("facts")
	s, err := m.lake.Read(ctx, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	conn, err := s.Conn(ctx)
	if err != nil {
		return nil, fault.Wrap("bench.facts", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	person := m.pack.Subject("person")
	req := fact.Request{Wants: []fact.Want{{Subject: person, Names: []string{"total", "longest", "current"}}}, Days: []calendar.Day{monthsDay}}
	bole, plain, err := m.byTurns(ctx, func() error { return fact.Derive(ctx, conn, s, m.pack, req) }, func() error { return m.run(ctx, "facts_spells.sql") })
	if err != nil {
		return nil, err
	}
	const sums = "SELECT [count(*), CAST(sum(%[1]stotal) AS BIGINT), CAST(sum(%[1]slongest) AS BIGINT), CAST(sum(%[1]scurrent) AS BIGINT)] FROM %[2]s WHERE %[1]stotal > 0"
	var got, want duckdb.Composite[[]int64]
	if err := columnar.Row(ctx, conn, fmt.Sprintf(sums, "", fact.Table(person)), &got); err != nil {
		return nil, err
	}
	if err := columnar.Row(ctx, m.db, fmt.Sprintf(sums, "months_", "run_fact"), &want); err != nil {
		return nil, err
	}
	for i, name := range []string{"facts_people", "facts_total", "facts_longest", "facts_current"} {
		right := want.Get()[i]
		if m.few == 0 {
			right = factAnswers[i]
		}
		out = append(out, exact(name, got.Get()[i], right, []string{"people", "months", "months", "months"}[i]))
	}
	return append(out, within("facts_seconds", bole, plain, 1.3)), nil
}
