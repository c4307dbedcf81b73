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
	Changes  string           // file for what differs from the last published run, .csv; "" for none
	Clock    func() time.Time // measures how long it takes; nothing else

	// Published is called in the transaction that publishes the run, which is not kept when it fails; nil for nothing. It may be called more than once, as
	// that transaction may.
	Published func(tx *sql.Tx, run Run) error
}

// Count is what became of one policy.
type Count struct {
	Policy       string `json:"policy"`
	Draft        bool   `json:"draft,omitempty"`
	Eligible     int64  `json:"eligible"` // findings (subject rows, each for every part of an award), as are the next six
	Limited      int64  `json:"limited"`
	Settled      int64  `json:"settled"`
	Ineligible   int64  `json:"ineligible"`
	Undetermined int64  `json:"undetermined"`
	NotInForce   int64  `json:"not_in_force"`
	NearMiss     int64  `json:"near_miss"`  // of the ineligible
	Persons      int64  `json:"persons"`    // distinct, eligible
	AmountFen    int64  `json:"amount_fen"` // of the eligible, after limits
}

// Run is a screening: what was asked and what was found.
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

// Changed is how a run differs from the last published one, over the policies that it asks: findings that are eligible now and were not, that were and are
// not, and that are for another amount. Where nothing was published before, everything is new.
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
// the column b_NAME (of an award in parts, for each part b_NAME_NUMBER) and, where it differs between subjects, its version in v_NAME.
func (g Group) BitsQuery(from string, on calendar.Day) string {
	cols := []string{"person", "subject"}
	for _, p := range g.Policies {
		for i, part := range p.Parts() {
			s := p.SQL(expr.DuckDB, on, part)
			cols = append(cols, s.Bits+" AS "+bitsColumn(p, part))
			if !s.Fixed && i == 0 {
				cols = append(cols, "CAST("+s.Version+" AS TINYINT) AS "+versionColumn(p))
			}
		}
	}
	return "SELECT " + strings.Join(cols, ", ") + " FROM " + from
}

// HitsQuery is the entitled subject rows of a fact table with their amounts: policy, part, person, subject, version (its place from 1), amount_fen,
// and window_ends where a policy of the group has a claim window. One SELECT a policy joined by UNION ALL, measured fastest of five shapes.
func (g Group) HitsQuery(from string, on calendar.Day) string {
	windows := slices.ContainsFunc(g.Policies, func(p *policy.Policy) bool { return p.Window != nil })
	var out []string
	for _, p := range g.Policies {
		for _, part := range p.Parts() {
			s := p.SQL(expr.DuckDB, on, part)
			cols := fmt.Sprintf("'%s' AS policy, CAST(%d AS TINYINT) AS part, person, subject, CAST(%s AS TINYINT) AS version, %s AS amount_fen", p.Name, part, s.Version, s.Amount)
			if windows {
				cols += fmt.Sprintf(", CAST(%s AS DATE) AS window_ends", s.Window)
			}
			out = append(out, "SELECT "+cols+" FROM "+from+" WHERE "+s.Where)
		}
	}
	return strings.Join(out, "\nUNION ALL\n")
}

// allocatedHits is the hits after limits.
//
// hits: one row a finding that is entitled, or settled: policy, part, person, subject; entitled: every check holds; outcome: eligible, limited, settled, or
// undetermined where a limit cannot be told; amount_fen: of the eligible, after limits; version, window_ends: NULL where none applies; limit_name: the limit that
// holds it or cuts its amount, POLICY/ID; wins: the claim that it gives way to; missing: the facts without which a limit cannot be told, separated by blanks.
func (s *screening) allocatedHits(entitled []string) string {
	none := "SELECT '' AS policy, CAST(0 AS TINYINT) AS part, CAST(0 AS BIGINT) AS person, '' AS subject, CAST(0 AS TINYINT) AS version, CAST(0 AS BIGINT) AS amount_fen, CAST(NULL AS DATE) AS window_ends WHERE FALSE"
	return fmt.Sprintf(`SELECT h.policy, h.part, h.person, h.subject, h.version, h.window_ends, TRUE AS entitled, coalesce(a.outcome, 'eligible') AS outcome,
  CASE WHEN a.outcome IS NULL THEN h.amount_fen ELSE a.amount_fen END AS amount_fen, coalesce(a.limit_name, '') AS limit_name, coalesce(a.wins, '') AS wins, coalesce(a.missing, '') AS missing
FROM (%[1]s) h LEFT JOIN %[2]s a ON a.policy = h.policy AND a.part = h.part AND a.person = h.person AND a.subject = h.subject AND a.entitled
UNION ALL
SELECT policy, part, person, subject, CAST(NULL AS TINYINT), CAST(NULL AS DATE), FALSE, outcome, amount_fen, limit_name, wins, missing FROM %[2]s WHERE NOT entitled`,
		strings.Join(append(entitled, none), "\nUNION ALL BY NAME\n"), allocatedTable)
}

func bitsColumn(p *policy.Policy, part int64) string {
	if part > 0 {
		return policy.Quote(fmt.Sprintf("b_%s_%d", p.Name, part))
	}
	return policy.Quote("b_" + p.Name)
}

func versionColumn(p *policy.Policy) string { return policy.Quote("v_" + p.Name) }

// findings is SQL for the findings of a policy, over the tables of bits and of hits, to stand after FROM: one row a subject row and part, with person, subject,
// part, bits, version, outcome, near (a near miss) and, of a hit, what allocatedHits has of it.
func findings(p *policy.Policy, on calendar.Day, bits, hits string) string {
	parts := make([]string, 0, 1)
	for _, part := range p.Parts() {
		version := versionColumn(p)
		if s := p.SQL(expr.DuckDB, on, part); s.Fixed {
			version = s.Version
		}
		parts = append(parts, fmt.Sprintf(`SELECT person, CAST(subject AS VARCHAR) AS subject, CAST(%d AS TINYINT) AS part, %s AS bits, CAST(%s AS TINYINT) AS version FROM %s`, part, bitsColumn(p, part), version, bits))
	}
	n := len(p.Checks)
	return fmt.Sprintf(`(SELECT b.*, coalesce(h.outcome, b.by_checks) AS outcome, h.outcome IS NULL AND b.misses_one AS near, h.entitled, h.window_ends, h.amount_fen, h.limit_name, h.wins, h.missing AS limit_missing
FROM (SELECT *, %[1]s AS by_checks, %[2]s AS misses_one FROM (%[3]s)) b LEFT JOIN (SELECT * FROM %[4]s WHERE policy = %[5]s) h ON h.person = b.person AND h.subject = b.subject AND h.part = b.part)`,
		outcome(n), near(n), strings.Join(parts, "\nUNION ALL\n"), hits, expr.Quote(p.Name))
}

// outcome is SQL for the outcome of n checks, over bits and version, before claims limit each other.
func outcome(n int) string {
	all, _ := policy.Masks(n)
	return fmt.Sprintf("(CASE WHEN version = 0 THEN 'not_in_force' WHEN version IS NULL OR version = -1 THEN 'undetermined' WHEN bits = %[1]d THEN 'eligible' WHEN %[2]s <> %[1]d THEN 'ineligible' ELSE 'undetermined' END)",
		all, decided(n))
}

// decided is SQL for the checks that do not fail: they hold or are unknown.
func decided(n int) string {
	all, _ := policy.Masks(n)
	return fmt.Sprintf("((bits | (bits >> %d)) & %d)", n, all)
}

// near is SQL for a near miss.
func near(n int) string { return fmt.Sprintf("(version > 0 AND bit_count(%s) = %d)", decided(n), n-1) }

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
	for _, err := range []error{writable(req.Out), writableChanges(req.Changes)} {
		if err != nil {
			return run, err
		}
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
		err = s.timed(&s.result.Seconds.Store, func() error { return s.writer.Commit(ctx, s.published) })
	}
	return s.result, err
}

// published tells the caller, in the transaction that publishes.
func (s *screening) published(tx *sql.Tx) error {
	if s.req.Published == nil {
		return nil
	}
	return s.req.Published(tx, s.result)
}

type screening struct {
	pack   *pack.Pack
	req    Request
	groups []Group
	snap   *lake.Snapshot
	writer *lake.Writer
	conn   *sql.Conn
	apart  func(fact.Person) int // parts people whose claims never limit each other's, as the situations of tests do; nil: all may
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
		return fact.Derive(ctx, s.conn, s.snap, s.pack, fact.Request{Wants: s.wants(), Days: []calendar.Day{s.req.On}})
	})
	if err != nil {
		return err
	}
	if err := s.timed(&s.result.Seconds.Screen, func() error {
		if err := s.bits(ctx); err != nil {
			return err
		}
		return s.changes(ctx)
	}); err != nil {
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

// wants are the facts that the policies read, by their kinds of subject; of a run that is published also those that its evidence keeps besides.
func (s *screening) wants() []fact.Want {
	out := wants(s.groups)
	if s.writer != nil {
		out = append(out, who(s.pack))
	}
	return out
}

// bits makes the temporary views bits_KIND and hits: over files of the lake when the run is published.
func (s *screening) bits(ctx context.Context) error {
	var hits []string
	if err := s.allocate(ctx); err != nil {
		return err
	}
	for _, g := range s.groups {
		from := fact.Table(g.Subject)
		if err := s.keep(ctx, "bits_"+g.Subject.Name, bitsTable(g.Subject), g.BitsQuery(from, s.req.On)); err != nil {
			return err
		}
		hits = append(hits, "SELECT * FROM ("+g.HitsQuery(from, s.req.On)+")")
	}
	return s.keep(ctx, "hits", hitsTable, s.allocatedHits(hits))
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
	var entitled, hits int64
	n := len(p.Checks)
	all, _ := policy.Masks(n)
	err := columnar.Row(ctx, s.conn, fmt.Sprintf(`
SELECT count(*) FILTER (outcome = 'eligible'), count(*) FILTER (outcome = 'limited'), count(*) FILTER (outcome = 'settled'), count(*) FILTER (outcome = 'ineligible'), count(*) FILTER (outcome = 'undetermined'),
  count(*) FILTER (outcome = 'not_in_force'), count(*) FILTER (near), count(DISTINCT person) FILTER (outcome = 'eligible'), CAST(coalesce(sum(amount_fen) FILTER (outcome = 'eligible'), 0) AS BIGINT),
  count(*) FILTER (version > 0 AND bits = %d), count(*) FILTER (entitled)
FROM %s`, all, findings(p, s.req.On, "bits_"+g.Subject.Name, "hits")),
		&c.Eligible, &c.Limited, &c.Settled, &c.Ineligible, &c.Undetermined, &c.NotInForce, &c.NearMiss, &c.Persons, &c.AmountFen, &entitled, &hits)
	if err == nil && hits != entitled {
		// two questions of the same facts that must agree: better no answer than a wrong one
		err = fmt.Errorf("finding: %s: %d hits and %d entitled by bits", p.Name, hits, entitled)
	}
	return c, err
}

// store writes the findings in order, for the hash and for the file that was asked for, and the run's own row.
func (s *screening) store(ctx context.Context) error {
	sum := sha256.New()
	if err := s.evidence(ctx); err != nil {
		return err
	}
	if err := s.canonical(ctx, sum); err != nil {
		return err
	}
	s.result.Hash = hex.EncodeToString(sum.Sum(nil))
	if s.req.Out != "" {
		if err := s.out(ctx); err != nil {
			return err
		}
	}
	if s.req.Changes != "" {
		if err := s.outChanges(ctx); err != nil {
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
