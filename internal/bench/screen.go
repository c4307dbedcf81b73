package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/policy"
	"bole/internal/store"
)

// The yardstick's right answers, from its README: hits and fen by policy, in order.
var answers = [12]struct{ hits, fen int64 }{
	{5477, 116460000_00}, {138, 16969500_00}, {4569, 16399000_00}, {3732, 69287200_00}, {1480, 49560000_00}, {18148, 138154000_00},
	{36083, 139935700_00}, {24955, 3090373_00}, {15207, 36111800_00}, {5811, 34866000_00}, {1543, 8096000_00}, {2654, 23379800_00},
}

// screenDay is the day at which the yardstick takes ages.
const screenDay calendar.Day = 20260101

// Screen measures a screening of the yardstick's million people: hits with amounts beside screen.sql (bar 1.5), true and unknown bits for everybody
// written to a lake beside rule_bits.sql as CREATE TABLE AS (bar 2); the same of sixty policies beside these twelve (bar 6). cel-go and hand-written loops are told.
//
// Errors: NotFound "bench.no_yardstick".
func Screen(ctx context.Context, o Options) (out []Entry, err error) {
	if o.Temp, err = os.MkdirTemp(o.Temp, "bole-bench-"); err != nil {
		return nil, fault.Wrap("bench.Screen", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.Temp)) }()
	hitsSQL, err := o.text("screen.sql")
	if err != nil {
		return nil, err
	}
	bitsSQL, err := o.text("rule_bits.sql")
	if err != nil {
		return nil, err
	}
	p, err := Pack()
	if err != nil {
		return nil, err
	}
	y, err := o.raise(ctx, 0, "make_city.sql", "facts.sql")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, y.db.Close()) }()
	group := finding.Groups(policy.All(p))[0]

	o.say("hits")
	hits, plainHits, err := o.byTurns(ctx,
		y.exec(ctx, "CREATE OR REPLACE TEMP TABLE bole_hits AS "+group.HitsQuery(everybodysFacts, screenDay)),
		y.exec(ctx, "CREATE OR REPLACE TEMP TABLE hits AS "+hitsSQL))
	if err != nil {
		return nil, err
	}
	if out, err = y.compare(ctx); err != nil {
		return nil, err
	}

	o.say("bits")
	toLake, done, err := y.lakeWriter(ctx, "bits", group.BitsQuery(everybodysFacts, screenDay))
	if err != nil {
		return nil, err
	}
	bits, plainBits, err := o.byTurns(ctx, toLake, y.exec(ctx, "CREATE OR REPLACE TABLE bits AS "+bitsSQL))
	if err != nil {
		return nil, errors.Join(err, done())
	}
	same, err := y.sameBits(ctx, group)
	if err = errors.Join(err, done()); err != nil {
		return nil, err
	}
	out = append(out, exact("bits_equal", same, 1_000_000*12, "masks"),
		within("hits_seconds", hits, plainHits, 1.5), within("bits_seconds", bits, plainBits, 2))

	more, err := y.sixty(ctx, group)
	if err != nil {
		return nil, err
	}
	out = append(out, more...)

	o.say("one person at a time")
	more, err = y.onePerson(ctx, group.Policies)
	return append(out, more...), err
}

// everybodysFacts is SQL for the yardstick's fact table, to stand after FROM.
const everybodysFacts = "(SELECT pid AS person, pid AS subject, * EXCLUDE (pid) FROM fact)"

// exec returns a function that runs a statement.
func (y *yardstick) exec(ctx context.Context, query string) func() error {
	return func() error {
		_, err := y.db.ExecContext(ctx, query)
		return fault.Wrap("bench.exec", err)
	}
}

// compare checks hits and sums against the right answers, policy by policy, and against the yardstick's own table.
func (y *yardstick) compare(ctx context.Context) ([]Entry, error) {
	var out []Entry
	var hits, fen, wantHits, wantFen int64
	for i, want := range answers {
		var h, f int64
		name := fmt.Sprintf("p%02d", i+1)
		if err := columnar.Row(ctx, y.db, "SELECT count(*), CAST(coalesce(sum(amount_fen), 0) AS BIGINT) FROM bole_hits WHERE policy = '"+name+"'", &h, &f); err != nil {
			return nil, err
		}
		out = append(out, exact("hits_"+name, h, want.hits, "people"), exact("sum_fen_"+name, f, want.fen, "fen"))
		hits, fen, wantHits, wantFen = hits+h, fen+f, wantHits+want.hits, wantFen+want.fen
	}
	var others int64
	err := columnar.Row(ctx, y.db, `SELECT count(*) FROM (SELECT pid, policy FROM hits EXCEPT SELECT person, CAST(substr(policy, 2) AS INTEGER) FROM bole_hits)`, &others)
	return append([]Entry{exact("hits", hits, wantHits, "people"), exact("sum_fen", fen, wantFen, "fen"), exact("hits_same_people", wantHits-others, wantHits, "people")}, out...), err
}

// lakeWriter returns a function that publishes the bits as a generation of a real lake of some name, and one that ends it.
func (y *yardstick) lakeWriter(ctx context.Context, name, query string) (write func() error, done func() error, err error) {
	db, err := store.Open(ctx, filepath.Join(y.Temp, name+".db"))
	if err != nil {
		return nil, nil, err
	}
	l, err := lake.Open(filepath.Join(y.Temp, name+"-lake"), db, columnar.Config{TempDir: y.Temp}, y.Clock)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	write = func() (err error) {
		w, err := l.Write(ctx, "bench")
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, w.Abort(ctx)) }()
		conn, err := y.db.Conn(ctx)
		if err != nil {
			return fault.Wrap("bench.lakeWriter", err)
		}
		w.Replace("bits")
		f, err := w.Parquet(ctx, conn, lake.File{Table: "bits"}, query)
		if err == nil {
			_, err = conn.ExecContext(ctx, "CREATE OR REPLACE TEMP VIEW bole_bits AS SELECT * FROM "+w.Written(f))
		}
		if err = errors.Join(err, conn.Close()); err != nil {
			return err
		}
		return w.Commit(ctx, nil)
	}
	return write, db.Close, nil
}

// sameBits counts, over all policies, the people whose true bits are the yardstick's. The yardstick has no bit for a check of the award.
func (y *yardstick) sameBits(ctx context.Context, g finding.Group) (same int64, err error) {
	for i, p := range g.Policies {
		n := 0
		for _, c := range p.Checks {
			if c.Rule != nil {
				n++
			}
		}
		var here int64
		err := columnar.Row(ctx, y.db, fmt.Sprintf(`SELECT count(*) FROM bole_bits b JOIN bits y ON y.pid = b.person WHERE (b."b_%s" & %d) = y.m%d`, p.Name, 1<<n-1, i+1), &here)
		if err != nil {
			return 0, err
		}
		same += here
	}
	return same, nil
}

// onePerson asks the policies of people one at a time: through the evaluator that explains, and with loops written by hand.
func (y *yardstick) onePerson(ctx context.Context, ps []*policy.Policy) ([]Entry, error) {
	people, err := y.people(ctx)
	if err != nil {
		return nil, err
	}
	const asked = 10_000
	found, wanted := 0, 0
	seconds, err := y.timed(func() error {
		for i := range asked {
			for _, p := range ps {
				a, err := p.Evaluate(func(name string) any { return people.value(name, i) }, screenDay, 0)
				if err != nil {
					return err
				}
				if a.Outcome == "eligible" {
					found++
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	var hits int
	var sum int64
	loops, err := y.timed(func() error {
		hits, sum = people.loops(people.n)
		return nil
	})
	if err != nil {
		return nil, err
	}
	wanted, _ = people.loops(asked)
	var all, fen int64
	for _, a := range answers {
		all, fen = all+a.hits, fen+a.fen
	}
	return []Entry{
		exact("one_person_hits", int64(found), int64(wanted), "people"), told("cel_go_us_per_person", seconds/asked*1e6, "µs"),
		exact("go_loops_hits", int64(hits), all, "people"), exact("go_loops_sum_fen", sum, fen, "fen"), told("go_loops_seconds", loops, "s"),
	}, nil
}

// Text writes entries as lines of a table: name, value, unit, yardstick, ratio, verdict.
func Text(es []Entry) [][]string {
	rows := [][]string{{"name", "value", "unit", "yardstick", "ratio", "ok"}}
	num := func(f *float64) string {
		if f == nil {
			return ""
		}
		return strings.TrimSuffix(strings.TrimRight(fmt.Sprintf("%.3f", *f), "0"), ".")
	}
	for _, e := range es {
		ok := ""
		if e.OK != nil {
			ok = map[bool]string{true: "ok", false: "MISSED"}[*e.OK]
		}
		rows = append(rows, []string{e.Name, num(&e.Value), e.Unit, num(e.Yardstick), num(e.Ratio), ok})
	}
	return rows
}
