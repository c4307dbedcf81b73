package finding

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Book is what pages read: the findings of the last run, lists of them, and one person explained. It follows the lake's newest
// generation and may be used by many at once.
type Book struct {
	lake *lake.Lake
	pack *pack.Pack

	mu   sync.RWMutex
	snap *lake.Snapshot
}

// OpenBook opens a book over a lake. Close it.
func OpenBook(l *lake.Lake, p *pack.Pack) *Book { return &Book{lake: l, pack: p} }

// Close ends the book's instance of DuckDB.
func (b *Book) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.snap == nil {
		return nil
	}
	err := b.snap.Close()
	b.snap = nil
	return err
}

// Pack is the pack that the findings were made with.
func (b *Book) Pack() *pack.Pack { return b.pack }

// with runs f on a connection of the newest generation.
func (b *Book) with(ctx context.Context, f func(*lake.Snapshot, *sql.Conn) error) (err error) {
	g, err := b.lake.Generation(ctx)
	if err != nil {
		return err
	}
	b.mu.RLock()
	if b.snap == nil || b.snap.Generation != g {
		b.mu.RUnlock()
		if err := b.renew(ctx, g); err != nil {
			return err
		}
		b.mu.RLock()
	}
	defer b.mu.RUnlock()
	if b.snap == nil {
		return fault.New("finding.Book", fault.Conflict, "lake.busy")
	}
	conn, err := b.snap.Conn(ctx)
	if err != nil {
		return fault.Wrap("finding.Book", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	return f(b.snap, conn)
}

func (b *Book) renew(ctx context.Context, g int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.snap != nil && b.snap.Generation >= g {
		return nil
	}
	fresh, err := b.lake.Read(ctx, 0)
	if err != nil {
		return err
	}
	if b.snap != nil {
		err = b.snap.Close()
	}
	b.snap = fresh
	return err
}

// Run is the last run. Errors: NotFound "finding.no_run".
func (b *Book) Run(ctx context.Context) (run Run, err error) {
	err = b.with(ctx, func(s *lake.Snapshot, _ *sql.Conn) error {
		run, err = b.last(s)
		return err
	})
	return run, err
}

// last is the last run, if the book's own pack was asked: bits of another pack's checks would be read as answers to other questions.
func (b *Book) last(s *lake.Snapshot) (Run, error) {
	run, err := Last(s)
	if err == nil && run.PackHash != b.pack.Hash {
		err = fault.New("finding.Last", fault.NotFound, "finding.no_run")
	}
	return run, err
}

// RuleCount is what one check came to over the findings for which a version of the policy is in force, but those that are settled.
type RuleCount struct {
	ID      string
	Met     int64
	NotMet  int64
	Unknown int64
	Only    int64 // near misses that fail this check and no other
}

// Rules counts every check of a policy in the last run, in the order of the checks.
func (b *Book) Rules(ctx context.Context, name string) (out []RuleCount, err error) {
	err = b.about(ctx, name, func(conn *sql.Conn, p *policy.Policy, from string) error {
		n := len(p.Checks)
		for i, c := range p.Checks {
			r := RuleCount{ID: c.ID}
			met, unknown := uint64(1)<<i, uint64(1)<<(n+i)
			err := columnar.Row(ctx, conn, fmt.Sprintf(`SELECT count(*) FILTER ((bits & %[1]d) <> 0), count(*) FILTER ((bits & %[3]d) = 0), count(*) FILTER ((bits & %[2]d) <> 0), count(*) FILTER (near AND (bits & %[3]d) = 0) FROM %[4]s WHERE version > 0 AND outcome <> 'settled'`,
				met, unknown, met|unknown, from), &r.Met, &r.NotMet, &r.Unknown, &r.Only)
			if err != nil {
				return err
			}
			out = append(out, r)
		}
		return nil
	})
	return out, err
}

// Limits counts, by the limit's name (POLICY/ID), the findings of a policy in the last run that a limit holds.
func (b *Book) Limits(ctx context.Context, name string) (out map[string]int64, err error) {
	out = map[string]int64{}
	err = b.about(ctx, name, func(conn *sql.Conn, _ *policy.Policy, from string) error {
		rows, err := conn.QueryContext(ctx, "SELECT limit_name, count(*) FROM "+from+" WHERE outcome = 'limited' GROUP BY limit_name")
		if err != nil {
			return fault.Wrap("finding.Limits", err)
		}
		defer rows.Close()
		for rows.Next() {
			var limit string
			var n int64
			if err := rows.Scan(&limit, &n); err != nil {
				return fault.Wrap("finding.Limits", err)
			}
			out[limit] = n
		}
		return fault.Wrap("finding.Limits", rows.Err())
	})
	return out, err
}

// about asks of the findings of a policy in the last run; from is as findings has them.
func (b *Book) about(ctx context.Context, name string, f func(conn *sql.Conn, p *policy.Policy, from string) error) error {
	decl := b.pack.Policy(name)
	if decl == nil || decl.Draft {
		return fault.New("finding.Book", fault.NotFound, "policy.unknown", "policy", name)
	}
	return b.with(ctx, func(s *lake.Snapshot, conn *sql.Conn) error {
		run, err := b.last(s)
		if err != nil {
			return err
		}
		p := policy.New(b.pack, decl)
		bits, ok := s.Scan(bitsTable(p.Subject))
		if !ok { // screened, and there was no subject row
			bits = "(SELECT 0 AS person, '' AS subject, 0 AS " + versionColumn(p)
			for _, part := range p.Parts() {
				bits += ", 0 AS " + bitsColumn(p, part)
			}
			bits += " WHERE FALSE)"
		}
		hits, ok := s.Scan(hitsTable)
		if !ok {
			hits = "(SELECT '' AS policy, 0 AS part, 0 AS person, '' AS subject, 0 AS version, CAST(NULL AS DATE) AS window_ends, FALSE AS entitled, '' AS outcome, 0 AS amount_fen, '' AS limit_name, '' AS wins, '' AS missing WHERE FALSE)"
		}
		return f(conn, p, findings(p, run.On, bits, hits))
	})
}

// Filter narrows a list of findings.
type Filter struct {
	Outcome string // an outcome, "near" for near misses, or "" for all for which a version is in force
	Rule    string // only those that fail this check
	Unknown string // only those for whom this check is unknown
	Limit   int
	Offset  int
}

// Item is one line of a list of findings.
type Item struct {
	Person     fact.Person
	Subject    string // id of the subject row
	Part       int64  // of an award in parts; else 0
	Outcome    string
	Limit      string // the limit that holds it or cuts its amount, POLICY/ID; "" for none
	Wins       string // the claim that it gives way to; "" for none
	AmountFen  int64  // when eligible
	WindowEnds calendar.Day
	Failed     []string // ids of checks
	Unknown    []string
}

// List lists the findings of the last run under a policy, in order of the amount and then of the person, and says how many there are.
func (b *Book) List(ctx context.Context, name string, fl Filter) (items []Item, total int64, err error) {
	err = b.about(ctx, name, func(conn *sql.Conn, p *policy.Policy, from string) error {
		n := len(p.Checks)
		where := "outcome = " + expr.Quote(fl.Outcome)
		switch fl.Outcome {
		case "near":
			where = "near"
		case "":
			where = "version > 0"
		}
		if i := slices.IndexFunc(p.Checks, func(c policy.Check) bool { return c.ID == fl.Rule }); i >= 0 {
			where += fmt.Sprintf(" AND (bits & %d) = 0", uint64(1)<<i|uint64(1)<<(n+i))
		}
		if i := slices.IndexFunc(p.Checks, func(c policy.Check) bool { return c.ID == fl.Unknown }); i >= 0 {
			where += fmt.Sprintf(" AND (bits & %d) <> 0", uint64(1)<<(n+i))
		}
		if err := columnar.Row(ctx, conn, "SELECT count(*) FROM "+from+" WHERE "+where, &total); err != nil {
			return err
		}
		rows, err := conn.QueryContext(ctx, fmt.Sprintf(`
SELECT person, subject, part, outcome, coalesce(amount_fen, 0), coalesce(strftime(window_ends, '%%Y%%m%%d')::INTEGER, 0), CAST(bits AS UBIGINT), coalesce(limit_name, ''), coalesce(wins, '')
FROM %s WHERE %s ORDER BY amount_fen DESC NULLS LAST, person, subject, part LIMIT %d OFFSET %d`, from, where, fl.Limit, fl.Offset))
		if err != nil {
			return fault.Wrap("finding.List", err)
		}
		defer rows.Close()
		for rows.Next() {
			var it Item
			var mask uint64
			if err := rows.Scan(&it.Person, &it.Subject, &it.Part, &it.Outcome, &it.AmountFen, &it.WindowEnds, &mask, &it.Limit, &it.Wins); err != nil {
				return fault.Wrap("finding.List", err)
			}
			for i, c := range p.Checks {
				switch {
				case mask>>(n+i)&1 == 1:
					it.Unknown = append(it.Unknown, c.ID)
				case mask>>i&1 == 0:
					it.Failed = append(it.Failed, c.ID)
				}
			}
			if it.Outcome == "undetermined" && it.Unknown == nil {
				it.Failed = nil // no version of the law applies, so no check was asked
			}
			items = append(items, it)
		}
		return fault.Wrap("finding.List", rows.Err())
	})
	return items, total, err
}

// Source says when a register last told something.
type Source struct {
	Register         *pack.Register
	Received, Cutoff calendar.Day // 0 when never delivered
}

// Sources lists the registers of a pack with their last deliveries in a snapshot.
func Sources(s *lake.Snapshot, p *pack.Pack) (out []Source) {
	for _, r := range p.Registers {
		received, cutoff := s.LastReceived(r.Name)
		out = append(out, Source{r, received, cutoff})
	}
	return out
}

// Sources lists the registers of the pack with their last deliveries.
func (b *Book) Sources(ctx context.Context) (out []Source, err error) {
	err = b.with(ctx, func(s *lake.Snapshot, _ *sql.Conn) error {
		out = Sources(s, b.pack)
		return nil
	})
	return out, err
}

// View is one person on one day: their facts, every policy asked, and the months of contributions.
type View struct {
	Person   fact.Person
	On       calendar.Day
	Facts    map[string]any          // of the person, by name: those that policies ask for, what they are worked out from, and who the person is
	Policies []Explanation           // every policy of the pack that is no draft, one a subject row
	Months   map[string][]fact.Month // by policy: the months of the kinds that it counts
	From     calendar.Month          // the first month that the register of contributions tells of; 0 when never delivered
	To       calendar.Month          // the last
}

// View explains one person under every policy.
//
// Errors: NotFound "person.unknown".
func (b *Book) View(ctx context.Context, person fact.Person, on calendar.Day) (v View, err error) {
	v = View{Person: person, On: on, Months: map[string][]fact.Month{}}
	err = b.with(ctx, func(s *lake.Snapshot, conn *sql.Conn) error {
		pols := policy.All(b.pack)
		known, err := look(ctx, conn, s, b.pack, pols, person, on)
		if err != nil {
			return err
		}
		if len(known.rows["person"]) == 0 {
			return fault.New("finding.View", fault.NotFound, "person.unknown")
		}
		v.Facts = known.rows["person"][0].Values
		for _, pol := range pols {
			xs, err := known.judge(ctx, conn, s, b.pack, pol, person, "", on)
			if err != nil {
				return fault.Wrap("finding.View", err)
			}
			v.Policies = append(v.Policies, xs...)
			if kinds := Kinds(pol); kinds != nil {
				if v.Months[pol.Name], err = fact.Months(ctx, conn, s, b.pack, person, kinds); err != nil {
					return fault.Wrap("finding.View", err)
				}
			}
		}
		v.From, v.To = fact.Told(s)
		if err := ahead(ctx, conn, s, b.pack, on, v.Policies); err != nil {
			return fault.Wrap("finding.View", err)
		}
		return nil
	})
	return v, err
}

// Explain is the package's Explain over the newest generation.
func (b *Book) Explain(ctx context.Context, person fact.Person, name, subject string, on calendar.Day) (out []Explanation, err error) {
	err = b.with(ctx, func(s *lake.Snapshot, conn *sql.Conn) error {
		out, err = Explain(ctx, conn, s, b.pack, person, name, subject, on)
		return err
	})
	return out, err
}
