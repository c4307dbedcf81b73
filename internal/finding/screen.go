package finding

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Request says what to screen.
type Request struct {
	On       calendar.Day
	AsOf     calendar.Day     // 0 for everything received so far
	Policies []string         // none for all
	Out      string           // file for the findings, .csv or .parquet; "" for none
	All      bool             // also those that are ineligible or not in force
	Clock    func() time.Time // measures how long it takes; nothing else
}

// Count is what became of one policy.
type Count struct {
	Policy       string `json:"policy"`
	Draft        bool   `json:"draft,omitempty"`
	Eligible     int64  `json:"eligible"` // subject rows, as are the next six
	Limited      int64  `json:"limited"`
	Settled      int64  `json:"settled"`
	Ineligible   int64  `json:"ineligible"`
	Undetermined int64  `json:"undetermined"`
	NotInForce   int64  `json:"not_in_force"`
	NearMiss     int64  `json:"near_miss"` // of the ineligible
	Persons      int64  `json:"persons"`   // distinct, eligible
	AmountFen    int64  `json:"amount_fen"`
}

// Run is a screening: what was asked and what was found. Changed stays zero until claims are allocated.
type Run struct {
	On       calendar.Day `json:"on"`
	AsOf     calendar.Day `json:"as_of"`
	PackHash string       `json:"pack"`
	People   int64        `json:"people"`
	Policies []Count      `json:"policies"`
	Changed  Changed      `json:"changed"`
	Hash     string       `json:"hash"` // sha256 of the canonical findings; see canonical
	Seconds  Seconds      `json:"seconds"`
}

// Changed is how a run differs from the last.
type Changed struct {
	New    int64 `json:"new"`
	Ended  int64 `json:"ended"`
	Amount int64 `json:"amount"`
}

// Seconds is how long the parts took.
type Seconds struct {
	Facts  float64 `json:"facts"`
	Screen float64 `json:"screen"`
	Store  float64 `json:"store"`
}

// Group is the policies about one kind of subject, screened in one pass.
type Group struct {
	Subject  *pack.Subject
	Policies []*policy.Policy
}

// Groups parts policies by their kind of subject, in order.
func Groups(ps []*policy.Policy) []Group {
	var out []Group
next:
	for _, p := range ps {
		for i := range out {
			if out[i].Subject == p.Subject {
				out[i].Policies = append(out[i].Policies, p)
				continue next
			}
		}
		out = append(out, Group{p.Subject, []*policy.Policy{p}})
	}
	return out
}

// BitsQuery is every check of the group's policies for every subject row of a fact table: person, subject, "on", and for each policy its bits in
// the column b_NAME and, where it differs between subjects, its version in v_NAME.
func (g Group) BitsQuery(from string, on calendar.Day) string {
	cols := []string{"person", "subject"}
	for _, p := range g.Policies {
		s := p.SQL(expr.DuckDB, on)
		cols = append(cols, s.Bits+" AS "+bitsColumn(p))
		if !s.Fixed {
			cols = append(cols, "CAST("+s.Version+" AS TINYINT) AS "+versionColumn(p))
		}
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + from
}

// HitsQuery is the eligible subject rows of a fact table with their amounts: policy, person, subject, version (its place from 1), amount_fen,
// and window_ends where a policy of the group has a claim window. One SELECT a policy joined by UNION ALL, measured fastest of five shapes.
func (g Group) HitsQuery(from string, on calendar.Day) string {
	windows := slices.ContainsFunc(g.Policies, func(p *policy.Policy) bool { return p.Window != nil })
	var parts []string
	for _, p := range g.Policies {
		s := p.SQL(expr.DuckDB, on)
		cols := fmt.Sprintf("'%s' AS policy, person, subject, CAST(%s AS TINYINT) AS version, %s AS amount_fen", p.Name, s.Version, s.Amount)
		if windows {
			cols += fmt.Sprintf(", CAST(%s AS DATE) AS window_ends", s.Window)
		}
		parts = append(parts, "SELECT "+cols+" FROM "+from+" WHERE "+s.Where)
	}
	return strings.Join(parts, "\nUNION ALL\n")
}

func bitsColumn(p *policy.Policy) string    { return policy.Quote("b_" + p.Name) }
func versionColumn(p *policy.Policy) string { return policy.Quote("v_" + p.Name) }

// version is SQL for a subject row's version over the bits table.
func version(p *policy.Policy, on calendar.Day) string {
	s := p.SQL(expr.DuckDB, on)
	if s.Fixed {
		return s.Version
	}
	return versionColumn(p)
}

// outcome is SQL for the outcome over the bits table.
func outcome(p *policy.Policy, on calendar.Day) string {
	n := len(p.Checks)
	all, _ := policy.Masks(n)
	b, v := bitsColumn(p), version(p, on)
	return fmt.Sprintf("(CASE WHEN %[1]s = 0 THEN 'not_in_force' WHEN %[1]s IS NULL OR %[1]s = -1 THEN 'undetermined' WHEN %[2]s = %[3]d THEN 'eligible' WHEN %[4]s <> %[3]d THEN 'ineligible' ELSE 'undetermined' END)",
		v, b, all, decided(b, n))
}

// decided is SQL for the checks that do not fail: they hold or are unknown.
func decided(b string, n int) string {
	all, _ := policy.Masks(n)
	return fmt.Sprintf("((%[1]s | (%[1]s >> %[2]d)) & %[3]d)", b, n, all)
}

// near is SQL for a near miss over the bits table.
func near(p *policy.Policy, on calendar.Day) string {
	n := len(p.Checks)
	return fmt.Sprintf("(%s > 0 AND bit_count(%s) = %d)", version(p, on), decided(bitsColumn(p), n), n-1)
}

const (
	hitsTable = "finding_hits"
	runTable  = "finding_run"
)

func bitsTable(s *pack.Subject) string { return "finding_bits_" + s.Name }

// Screen asks policies of everybody. A run of all policies over everything received is published to the lake, where pages find it; a run
// of some policies or as of an earlier day only answers.
//
// Errors: NotFound "policy.unknown"; Conflict when another job is writing.
func Screen(ctx context.Context, l *lake.Lake, p *pack.Pack, req Request) (Run, error) {
	run, err := screen(ctx, l, p, req)
	return run, fault.Wrap("finding.Screen", err)
}

func screen(ctx context.Context, l *lake.Lake, p *pack.Pack, req Request) (run Run, err error) {
	if err := writable(req.Out); err != nil {
		return run, err
	}
	for _, name := range req.Policies {
		if p.Policy(name) == nil {
			return run, fault.New("finding.Screen", fault.NotFound, "policy.unknown", "policy", name)
		}
	}
	s := &screening{pack: p, req: req, groups: Groups(policy.All(p, req.Policies...))}
	if len(req.Policies) == 0 && req.AsOf == 0 {
		if s.writer, err = l.Write(ctx, "screen "+req.On.String()); err != nil {
			return run, err
		}
		s.snap = s.writer.Snapshot
		defer func() { err = errors.Join(err, s.writer.Abort(ctx)) }()
	} else {
		if s.snap, err = l.Read(ctx, req.AsOf); err != nil {
			return run, err
		}
		defer func() { err = errors.Join(err, s.snap.Close()) }()
	}
	if s.conn, err = s.snap.Conn(ctx); err != nil {
		return run, err
	}
	closeConn := func() error {
		if s.conn == nil {
			return nil
		}
		e := s.conn.Close()
		s.conn = nil
		return e
	}
	defer func() { err = errors.Join(err, closeConn()) }()
	if err := s.run(ctx); err != nil {
		return s.result, err
	}
	if err := closeConn(); err != nil {
		return s.result, err
	}
	if s.writer != nil {
		err = s.timed(&s.result.Seconds.Store, func() error { return s.writer.Commit(ctx, nil) })
	}
	return s.result, err
}

type screening struct {
	pack   *pack.Pack
	req    Request
	groups []Group
	snap   *lake.Snapshot
	writer *lake.Writer
	conn   *sql.Conn
	result Run
}

func (s *screening) timed(into *float64, f func() error) error {
	if s.req.Clock == nil {
		return f()
	}
	start := s.req.Clock()
	err := f()
	*into += s.req.Clock().Sub(start).Seconds()
	return err
}

func (s *screening) run(ctx context.Context) error {
	s.result = Run{On: s.req.On, AsOf: s.req.AsOf, PackHash: s.pack.Hash, Policies: []Count{}}
	err := s.timed(&s.result.Seconds.Facts, func() error {
		want := fact.Request{Days: []calendar.Day{s.req.On}}
		for _, g := range s.groups {
			w := fact.Want{Subject: g.Subject}
			for _, p := range g.Policies {
				w.Names = append(w.Names, p.FactNames()...)
			}
			want.Wants = append(want.Wants, w)
		}
		return fact.Derive(ctx, s.conn, s.snap, s.pack, want)
	})
	if err != nil {
		return err
	}
	if err := s.timed(&s.result.Seconds.Screen, func() error { return s.bits(ctx) }); err != nil {
		return err
	}
	if err := columnar.Row(ctx, s.conn, "SELECT count(DISTINCT person) FROM "+fact.Table(s.pack.Subject("person")), &s.result.People); err != nil {
		return err
	}
	for _, g := range s.groups {
		for _, p := range g.Policies {
			c, err := s.count(ctx, g, p)
			if err != nil {
				return err
			}
			s.result.Policies = append(s.result.Policies, c)
		}
	}
	return s.timed(&s.result.Seconds.Store, func() error { return s.store(ctx) })
}

// bits makes the temporary views bits_KIND and hits: over files of the lake when the run is published.
func (s *screening) bits(ctx context.Context) error {
	var hits []string
	for _, g := range s.groups {
		from := fact.Table(g.Subject)
		if err := s.keep(ctx, "bits_"+g.Subject.Name, bitsTable(g.Subject), g.BitsQuery(from, s.req.On)); err != nil {
			return err
		}
		hits = append(hits, "SELECT * FROM ("+g.HitsQuery(from, s.req.On)+")")
	}
	if hits == nil {
		hits = []string{"SELECT '' AS policy, 0 AS person, '' AS subject, 0 AS amount_fen WHERE FALSE"}
	}
	return s.keep(ctx, "hits", hitsTable, strings.Join(hits, "\nUNION ALL BY NAME\n"))
}

// keep answers a query once, into the lake or into a temporary table, under a name for what follows.
func (s *screening) keep(ctx context.Context, name, table, query string) error {
	if s.writer != nil {
		s.writer.Replace(table)
		f, err := s.writer.Parquet(ctx, s.conn, lake.File{Table: table, Meta: s.req.On.String()}, query)
		if err != nil {
			return err
		}
		if f.Rows > 0 {
			query = "SELECT * FROM " + s.writer.Written(f)
		}
		_, err = s.conn.ExecContext(ctx, "CREATE OR REPLACE TEMP VIEW "+name+" AS "+query)
		return fault.Wrap("finding.keep", err)
	}
	_, err := s.conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+name+" AS "+query)
	return fault.Wrap("finding.keep", err)
}

func (s *screening) count(ctx context.Context, g Group, p *policy.Policy) (Count, error) {
	c := Count{Policy: p.Name, Draft: p.Draft}
	err := columnar.Row(ctx, s.conn, fmt.Sprintf(`
SELECT count(*) FILTER (o = 'eligible'), count(*) FILTER (o = 'ineligible'), count(*) FILTER (o = 'undetermined'), count(*) FILTER (o = 'not_in_force'),
  count(*) FILTER (near), count(DISTINCT person) FILTER (o = 'eligible')
FROM (SELECT person, %s AS o, %s AS near FROM bits_%s)`, outcome(p, s.req.On), near(p, s.req.On), g.Subject.Name),
		&c.Eligible, &c.Ineligible, &c.Undetermined, &c.NotInForce, &c.NearMiss, &c.Persons)
	if err != nil {
		return c, err
	}
	var rows int64
	err = columnar.Row(ctx, s.conn, "SELECT count(*), CAST(coalesce(sum(amount_fen), 0) AS BIGINT) FROM hits WHERE policy = "+expr.Quote(p.Name), &rows, &c.AmountFen)
	if err == nil && rows != c.Eligible {
		// two questions of the same facts that must agree: better no answer than a wrong one
		err = fmt.Errorf("finding: %s: %d hits and %d eligible by bits", p.Name, rows, c.Eligible)
	}
	return c, err
}

// store writes the findings in order, for the hash and for the file that was asked for, and the run's own row.
func (s *screening) store(ctx context.Context) error {
	sum := sha256.New()
	if err := s.canonical(ctx, sum); err != nil {
		return err
	}
	s.result.Hash = hex.EncodeToString(sum.Sum(nil))
	if s.req.Out != "" {
		if err := s.out(ctx); err != nil {
			return err
		}
	}
	if s.writer == nil {
		return nil
	}
	meta, err := json.Marshal(s.result)
	if err != nil {
		return err
	}
	s.writer.Replace(runTable)
	_, err = s.writer.Parquet(ctx, s.conn, lake.File{Table: runTable, Meta: string(meta)}, "SELECT DATE '"+s.req.On.String()+"' AS \"on\"")
	return err
}

// Last returns the run whose findings a snapshot holds.
//
// Errors: NotFound "finding.no_run" when nothing was screened yet.
func Last(s *lake.Snapshot) (Run, error) {
	var run Run
	f := s.Files(runTable)
	if len(f) == 0 {
		return run, fault.New("finding.Last", fault.NotFound, "finding.no_run")
	}
	return run, fault.Wrap("finding.Last", json.Unmarshal([]byte(f[0].Meta), &run))
}
