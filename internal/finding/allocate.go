package finding

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/pack"
	"bole/internal/policy"
)

// claim is a finding as limits see it: one that is entitled, or was settled before.
type claim struct {
	policy   *policy.Policy
	part     int64
	person   fact.Person
	subject  string
	entitled bool
	fen      int64        // what it is entitled to, less what others have paid
	ends     calendar.Day // of its claim window; 0 without one
	settled  bool
	paid     int64 // what a settled one was paid
	stakes   []policy.Stake
	place    int // among all claims, by the pack's ties
	held     []*group

	// What allocation says.
	outcome string
	award   int64
	limit   *pack.Limit // the limit that holds it, or that cuts its award
	wins    *claim      // the claim that it gives way to; nil where somebody else has paid
	missing []string
	banned  bool // a quota has no place for it
}

// group is the claims that one limit ties together.
type group struct {
	limit  *pack.Limit
	kind   string
	most   int64
	shares []int64
	claims []*claim
	chosen []*claim
}

// newClaim is a finding as a claim; nil when it is neither entitled nor settled.
func newClaim(p *policy.Policy, facts policy.Facts, on calendar.Day, person fact.Person, subject string, part int64, entitled bool, fen int64, ends calendar.Day) (*claim, error) {
	pc, err := p.Claim(facts, on, fmt.Sprint(int64(person)), subject, part)
	if err != nil || !entitled && !pc.Settled {
		return nil, err
	}
	c := &claim{policy: p, part: part, person: person, subject: subject, entitled: entitled, fen: fen, ends: ends, settled: pc.Settled, paid: pc.PaidFen, outcome: "eligible"}
	c.stakes, err = p.Stakes(facts, on, pc)
	return c, err
}

// name is the claim as answers name it: POLICY PERSON SUBJECT PERIOD, the subject left out where it is the person.
func (c *claim) name(on calendar.Day) string {
	out := c.policy.Name + " " + c.person.String()
	if c.policy.Subject.Name != "person" {
		out += " " + c.subject
	}
	return out + " " + c.policy.Period(on, c.part)
}

// allocate lets claims limit each other: it sets what becomes of each.
//
// First come what was settled and what others have paid. Then each set of claims that limits tie together is taken whole, and of all choices that keep to
// the limits the one with the greatest amount stands; between equal ones the pack's ties decide. A quota goes by its stated order: a claim for which it has no
// place is taken out and its set chosen anew, since something else may stand instead.
func allocate(p *pack.Pack, on calendar.Day, claims []*claim) {
	var open []*claim
	mates(claims)
	for _, c := range claims {
		if c.single(); c.outcome == "eligible" || c.outcome == "settled" {
			open = append(open, c)
		}
	}
	order(p, open)
	groups, quotas := tie(on, open)
	sets := connected(open, groups)
	for _, set := range sets {
		choose(set)
	}
	for again := len(quotas) > 0; again; {
		again = false
		for _, q := range quotas {
			again = q.draw() || again
		}
		if again {
			for _, set := range sets {
				if slices.ContainsFunc(set, func(c *claim) bool { return c.banned }) {
					choose(set)
				}
			}
		}
	}
}

// mates settles what a claim lacks for a limit where it does not matter: a claim that no other one can stand in a group with is alone, whatever its key. A cap
// that is unknown matters to a claim that is alone as well.
func mates(claims []*claim) {
	in := map[*pack.Limit][]*claim{}
	for _, c := range claims {
		for _, s := range c.stakes {
			if s.Counts {
				in[s.Limit] = append(in[s.Limit], c)
			}
		}
	}
	for _, c := range claims {
		for i := range c.stakes {
			s := &c.stakes[i]
			if s.Missing == nil || s.Limit.Kind() == "quota" {
				continue
			}
			if !slices.ContainsFunc(in[s.Limit], func(o *claim) bool { return o != c && c.meets(o, s, o.stake(s.Limit)) }) {
				s.Missing, s.Keys = s.Cap, []any{&s.Keys} // a key that no other claim has
			}
		}
	}
}

// meets reports whether two claims may limit each other: all that is known of both keys is the same, and they do not count as one. Who is known to be of
// a couple is of no other one, so that an unknown couple may only be that of somebody else whose couple is unknown.
func (c *claim) meets(o *claim, a, b *policy.Stake) bool {
	if a.Each != nil && !slices.Contains(a.Each, nil) && named(a.Each) == named(b.Each) {
		return false
	}
	for i := range min(len(a.Keys), len(b.Keys)) {
		x, y := a.Keys[i], b.Keys[i]
		if x != nil && y != nil && x != y || (x == nil) != (y == nil) && c.person != o.person && c.couple(a.Over[i]) {
			return false
		}
	}
	return true
}

// couple reports whether a key of a limit is a fact that both of a couple have alike.
func (c *claim) couple(key *expr.Expr) bool {
	f := c.policy.Fact(key.Source())
	return f != nil && f.Take.Text == "couple"
}

func (c *claim) stake(l *pack.Limit) *policy.Stake {
	for i := range c.stakes {
		if c.stakes[i].Limit == l {
			return &c.stakes[i]
		}
	}
	return nil
}

// single is what becomes of a claim by itself.
func (c *claim) single() {
	if c.settled {
		c.outcome, c.award = "settled", c.paid
		return
	}
	for _, s := range c.stakes {
		for _, f := range s.Missing {
			if !slices.Contains(c.missing, f) {
				c.missing = append(c.missing, f)
			}
		}
		switch s.Limit.Kind() {
		case "paid":
			if s.Paid && c.outcome == "eligible" {
				c.outcome, c.limit = "limited", s.Limit
			}
		case "less_fen":
			if less := max(0, s.Rank); less > 0 {
				c.limit = s.Limit
				if c.fen = max(0, c.fen-less); c.fen == 0 {
					c.outcome = "limited"
				}
			}
		}
	}
	slices.Sort(c.missing)
	if c.missing != nil && c.outcome == "eligible" {
		c.outcome = "undetermined"
	}
	c.award = c.fen
}

// order gives each claim its place by the pack's ties.
func order(p *pack.Pack, claims []*claim) {
	funds := map[string]int{}
	for i, f := range p.Funds {
		funds[f.Name.Text] = i
	}
	by := map[string]func(a, b *claim) int{
		"amount": func(a, b *claim) int { return cmp.Compare(b.fen, a.fen) },
		"fund":   func(a, b *claim) int { return cmp.Compare(funds[a.policy.Fund.Text], funds[b.policy.Fund.Text]) },
		"window": func(a, b *claim) int { return cmp.Compare(uint32(a.ends-1), uint32(b.ends-1)) }, // none, 0, comes last
		"subject": func(a, b *claim) int {
			return cmp.Or(cmp.Compare(a.person, b.person), cmp.Compare(a.subject, b.subject))
		},
	}
	slices.SortFunc(claims, func(a, b *claim) int {
		for _, t := range p.Ties {
			if c := by[t](a, b); c != 0 {
				return c
			}
		}
		return cmp.Or(by["subject"](a, b), cmp.Compare(a.policy.Name, b.policy.Name), cmp.Compare(a.part, b.part))
	})
	for i, c := range claims {
		c.place = i
	}
}

// tie makes the groups of limits whose number holds on the day; quotas apart.
func tie(on calendar.Day, claims []*claim) (groups, quotas []*group) {
	type key struct {
		limit *pack.Limit
		key   string
	}
	made := map[key]*group{}
	for _, c := range claims {
		for _, s := range c.stakes {
			kind := s.Limit.Kind()
			if !s.Counts || kind == "paid" || kind == "less_fen" || s.Missing != nil {
				continue
			}
			k := key{s.Limit, named(s.Keys)}
			g := made[k]
			if g == nil {
				g = &group{limit: s.Limit, kind: kind}
				holds := true
				switch kind {
				case "most", "quota":
					g.most, holds = policy.Allows(s.Limit, on)
				case "shares":
					g.shares = policy.Percents(s.Limit, on)
					holds = g.shares != nil
				}
				if !holds {
					g.kind = ""
				}
				made[k] = g
				switch g.kind {
				case "":
				case "quota":
					quotas = append(quotas, g)
				default:
					groups = append(groups, g)
				}
			}
			if g.kind != "" {
				g.claims, c.held = append(g.claims, c), append(c.held, g)
			}
		}
	}
	return groups, quotas
}

// connected parts claims into sets that no group reaches over.
func connected(claims []*claim, groups []*group) [][]*claim {
	root := make([]int, len(claims))
	for i := range root {
		root[i] = i
	}
	find := func(i int) int {
		for root[i] != i {
			root[i] = root[root[i]]
			i = root[i]
		}
		return i
	}
	for _, g := range groups {
		for _, c := range g.claims[1:] {
			root[max(find(c.place), find(g.claims[0].place))] = min(find(c.place), find(g.claims[0].place))
		}
	}
	at := map[int]int{}
	var out [][]*claim
	for _, c := range claims {
		r := find(c.place)
		i, ok := at[r]
		if !ok {
			i = len(out)
			at[r], out = i, append(out, nil)
		}
		out[i] = append(out[i], c)
	}
	return out
}

// steps is how many choices are looked at in one set before the best one so far is taken. A person's claims are settled within a few dozen.
const steps = 50_000

// search looks for the best choice among the open claims of a set.
type search struct {
	set    []*claim // settled ones first, then in order
	rest   []int64  // what all claims from here on are entitled to
	groups []*group
	strict bool // an order may pay less than the greatest amount: then a claim that nothing blocks must be taken all the same
	left   int
	best   []bool
	most   int64
	taken  []bool
}

// choose finds which claims of a set stand, and says of the others what holds them.
func choose(set []*claim) {
	s := search{left: steps, most: -1}
	for _, c := range set {
		if c.settled {
			s.set = append(s.set, c)
		}
	}
	n := len(s.set)
	for _, c := range set {
		if !c.settled && !c.banned {
			s.set = append(s.set, c)
		}
	}
	s.rest, s.taken = make([]int64, len(s.set)+1), make([]bool, len(s.set))
	for i := len(s.set) - 1; i >= n; i-- {
		s.rest[i] = s.rest[i+1] + s.set[i].fen
	}
	for _, c := range s.set {
		for _, g := range c.held {
			if !slices.Contains(s.groups, g) && g.kind != "quota" {
				s.groups, s.strict = append(s.groups, g), s.strict || g.kind == "shares" && g.limit.Order != nil
			}
		}
	}
	for _, g := range s.groups {
		g.chosen = g.chosen[:0]
	}
	for i, c := range s.set[:n] {
		s.take(i, c)
	}
	s.look(n, 0)
	for _, g := range s.groups {
		g.chosen = g.chosen[:0]
	}
	for i, c := range s.set {
		if s.best[i] {
			s.take(i, c)
		}
	}
	s.awards()
	for i, c := range s.set {
		switch {
		case c.settled:
		case !s.best[i]:
			c.outcome, c.award = "limited", 0
			c.limit, c.wins = c.blocked()
		case c.award == 0 && c.fen > 0:
			c.outcome = "limited"
		default:
			c.outcome = "eligible"
		}
	}
}

func (s *search) take(i int, c *claim) {
	s.taken[i] = true
	for _, g := range c.held {
		g.chosen = append(g.chosen, c)
	}
}

func (s *search) leave(i int, c *claim) {
	s.taken[i] = false
	for _, g := range c.held {
		g.chosen = g.chosen[:len(g.chosen)-1]
	}
}

// look tries the claims from i on, each taken first: of equal choices the one that takes earlier claims is found first, and stays.
func (s *search) look(i int, fen int64) {
	if s.left--; s.best != nil && (s.left < 0 || fen+s.rest[i] <= s.most) {
		return
	}
	if i == len(s.set) {
		if v := s.awards(); v > s.most && s.full() {
			s.most, s.best = v, slices.Clone(s.taken)
		}
		return
	}
	c := s.set[i]
	if l, _ := c.blocked(); l == nil {
		s.take(i, c)
		s.look(i+1, fen+c.fen)
		s.leave(i, c)
	}
	if len(c.held) > 0 { // what no limit holds always stands
		s.look(i+1, fen)
	}
}

// full reports whether no claim is left out for which there is a place; asked where leaving one out could pay more.
func (s *search) full() bool {
	for i, c := range s.set {
		if s.strict && !s.taken[i] {
			if l, _ := c.blocked(); l == nil {
				return false
			}
		}
	}
	return true
}

// blocked names the limit that has no place for a claim beside those chosen, and the claim that is in its way.
func (c *claim) blocked() (*pack.Limit, *claim) {
	for _, g := range c.held {
		switch g.kind {
		case "most":
			if n, first := g.beside(c); n >= g.most {
				return g.limit, first
			}
		case "higher":
			rank := c.rank(g.limit)
			for _, o := range g.chosen {
				if theirs := o.rank(g.limit); theirs > rank || theirs < rank && !o.settled {
					return g.limit, o
				}
			}
		}
	}
	return nil, nil
}

// beside is how many chosen claims a group counts beside a claim, and the first of them; nil where its limit lets none stand.
func (g *group) beside(c *claim) (n int64, first *claim) {
	ones := map[string]bool{}
	for _, o := range g.chosen {
		if g.limit.Each != nil {
			one := o.one(g.limit)
			if one == c.one(g.limit) || ones[one] {
				continue
			}
			ones[one] = true
		}
		if n++; first == nil {
			first = o
		}
	}
	return n, first
}

// one names what a claim is counted as in a limit: itself, or what it has alike with others of its group.
func (c *claim) one(l *pack.Limit) string {
	if l.Each == nil {
		return fmt.Sprint(c.place)
	}
	return named(c.stake(l).Each)
}

func named(keys []any) (out string) {
	for _, k := range keys {
		out += fmt.Sprint(k) + "\x1f"
	}
	return out
}

func (c *claim) rank(l *pack.Limit) int64 { return c.stake(l).Rank }

// awards works out what the chosen claims are paid, by shares and then by caps, and returns it in all. What was settled is not paid again.
func (s *search) awards() (sum int64) {
	for i, c := range s.set {
		if s.taken[i] && !c.settled {
			c.award, c.wins = c.fen, nil
			if c.limit != nil && c.limit.Kind() != "less_fen" {
				c.limit = nil
			}
		}
	}
	for _, kind := range []string{"shares", "cap_fen"} {
		for _, g := range s.groups {
			if g.kind == kind {
				g.cut()
			}
		}
	}
	for i, c := range s.set {
		if s.taken[i] && !c.settled {
			sum += c.award
		}
	}
	return sum
}

// sharer is what counts as one in a group: a claim, or those that have each alike.
type sharer struct {
	settled bool
	order   []any
	award   int64
	place   int
}

// line puts the chosen claims of a group in the order in which they are paid: settled ones first, then by the stated order, then the greatest amount. It
// says as how manieth each is counted, from 0.
func (g *group) line() (in []*claim, at []int) {
	in = slices.Clone(g.chosen)
	of, ones := map[*claim]*sharer{}, map[string]*sharer{}
	for _, c := range in {
		one := c.one(g.limit)
		s := ones[one]
		if s == nil {
			s = &sharer{place: c.place, order: c.stake(g.limit).Order}
			ones[one] = s
		}
		of[c], s.settled, s.award, s.place = s, s.settled || c.settled, s.award+c.award, min(s.place, c.place)
	}
	slices.SortStableFunc(in, func(x, y *claim) int {
		a, b := of[x], of[y]
		if a.settled != b.settled {
			return map[bool]int{true: -1, false: 1}[a.settled]
		}
		for i := range a.order {
			if c := compare(a.order[i], b.order[i]); c != 0 {
				return c
			}
		}
		return cmp.Or(cmp.Compare(b.award, a.award), cmp.Compare(a.place, b.place), cmp.Compare(x.place, y.place))
	})
	at = make([]int, len(in))
	for i := 1; i < len(in); i++ {
		if at[i] = at[i-1]; of[in[i]] != of[in[i-1]] {
			at[i]++
		}
	}
	return in, at
}

// cut applies shares or a cap to the chosen claims of a group.
func (g *group) cut() {
	in, at := g.line()
	if len(in) == 0 {
		return
	}
	left := int64(0)
	if g.kind == "cap_fen" { // one group has one cap: of the rows of a contract the greatest price that is told
		for _, c := range in {
			left = max(left, c.rank(g.limit))
		}
	}
	for i, c := range in {
		award := c.award
		switch {
		case g.kind == "cap_fen":
			award = min(award, max(0, left))
			left -= c.award
		case at[i] < len(g.shares):
			award = expr.PartOf(award, g.shares[at[i]], 100, g.limit.Rounding.Text)
		default:
			award = 0
		}
		if !c.settled && award != c.award {
			c.award, c.limit, c.wins = award, g.limit, nil
			if in[0] != c {
				c.wins = in[0]
			}
		}
	}
}

// draw gives the places of a quota to the claims that stand, in the stated order, and takes the others out. It reports whether it took one out.
func (g *group) draw() (took bool) {
	left := g.most
	var in []*claim
	for _, c := range g.claims {
		switch c.outcome {
		case "settled":
			left--
		case "eligible":
			in = append(in, c)
		}
	}
	slices.SortFunc(in, func(a, b *claim) int {
		x, y := a.stake(g.limit).Order, b.stake(g.limit).Order
		for i := range x {
			if c := compare(x[i], y[i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(a.place, b.place)
	})
	for i, c := range in {
		if int64(i) < left {
			continue
		}
		c.banned, c.outcome, c.award, c.limit, c.wins, took = true, "limited", 0, g.limit, nil, true
		if left > 0 {
			c.wins = in[left-1]
		}
	}
	return took
}

func compare(a, b any) int {
	switch x := a.(type) {
	case int64:
		return cmp.Compare(x, b.(int64))
	case calendar.Day:
		return cmp.Compare(x, b.(calendar.Day))
	case string:
		return cmp.Compare(x, b.(string))
	case bool: // false before true
		return cmp.Compare(map[bool]int{true: 1}[x], map[bool]int{true: 1}[b.(bool)])
	}
	return 0
}

// allocated is the temporary table of what allocation has said of claims: those that it changed, and what was settled.
//
// One row a claim: policy, part, person, subject, entitled, outcome, amount_fen (of eligible ones), limit_name (POLICY/ID, "" for none), wins (the claim that it
// gives way to, "" for none), missing (facts, separated by blanks).
const allocatedTable = "allocated"

// allocate reads the claims of a run and keeps what becomes of them.
func (s *screening) allocate(ctx context.Context) error {
	if _, err := s.conn.ExecContext(ctx, "CREATE OR REPLACE TEMP TABLE "+allocatedTable+
		" (policy VARCHAR, part TINYINT, person BIGINT, subject VARCHAR, entitled BOOLEAN, outcome VARCHAR, amount_fen BIGINT, limit_name VARCHAR, wins VARCHAR, missing VARCHAR)"); err != nil {
		return fault.Wrap("finding.allocate", err)
	}
	claims, err := s.allClaims(ctx)
	if err != nil {
		return err
	}
	sets := map[int][]*claim{}
	for _, c := range claims {
		set := 0
		if s.apart != nil {
			set = s.apart(c.person)
		}
		sets[set] = append(sets[set], c)
	}
	for _, set := range sets {
		allocate(s.pack, s.req.On, set)
	}
	return columnar.Append(ctx, s.conn, allocatedTable, func(a columnar.Appender) error {
		for _, c := range claims {
			if c.outcome == "eligible" && c.limit == nil {
				continue
			}
			limit, wins, amount := "", "", any(nil)
			if c.limit != nil {
				limit = c.limit.Name()
			}
			if c.wins != nil {
				wins = c.wins.name(s.req.On)
			}
			if c.outcome == "eligible" {
				amount = c.award
			}
			if err := a.AppendRow(c.policy.Name, int8(c.part), int64(c.person), c.subject, c.entitled, c.outcome, amount, limit, wins, strings.Join(c.missing, " ")); err != nil {
				return err
			}
		}
		return nil
	})
}

// allClaims reads the claims under every policy that has any.
func (s *screening) allClaims(ctx context.Context) (out []*claim, err error) {
	for _, g := range s.groups {
		for _, p := range g.Policies {
			for _, part := range p.Parts() {
				if !p.Claims() {
					continue
				}
				more, err := s.claims(ctx, p, part)
				if err != nil {
					return nil, err
				}
				out = append(out, more...)
			}
		}
	}
	return out, nil
}

// claims reads the claims under one policy, for one part of its award.
func (s *screening) claims(ctx context.Context, p *policy.Policy, part int64) (out []*claim, err error) {
	q := p.SQL(expr.DuckDB, s.req.On, part)
	settled := p.SettledSQL(expr.DuckDB, s.req.On, part)
	where := q.Where
	if settled != "" {
		where = "(" + where + ") OR " + settled
	}
	names := p.FactNames()
	cols := []string{"person", "subject", "coalesce(" + q.Where + ", FALSE)", "CASE WHEN " + q.Where + " THEN " + q.Amount + " END", "CAST(" + q.Window + " AS DATE)"}
	for _, n := range names {
		cols = append(cols, policy.Quote(n))
	}
	rows, err := s.conn.QueryContext(ctx, "SELECT "+strings.Join(cols, ", ")+" FROM "+fact.Table(p.Subject)+" WHERE "+where)
	if err != nil {
		return nil, fault.Wrap("finding.claims", err)
	}
	defer rows.Close()
	at := make(map[string]int, len(names))
	for i, n := range names {
		at[n] = i
	}
	values, into := make([]any, len(names)), make([]any, 5, 5+len(names))
	var person, fen int64
	var subject string
	var entitled bool
	var amount, ends any
	into[0], into[1], into[2], into[3], into[4] = &person, &subject, &entitled, &amount, &ends
	for i := range values {
		into = append(into, &values[i])
	}
	facts := func(name string) any {
		if i, ok := at[name]; ok {
			return fact.Value(values[i])
		}
		return nil
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return nil, fault.Wrap("finding.claims", err)
		}
		fen, _ = amount.(int64)
		var last calendar.Day
		if t, ok := ends.(time.Time); ok {
			last = calendar.DayOf(t)
		}
		c, err := newClaim(p, facts, s.req.On, fact.Person(person), subject, part, entitled, fen, last)
		if err != nil {
			return nil, fault.Wrap("finding.claims", err)
		}
		if c != nil {
			out = append(out, c)
		}
	}
	return out, fault.Wrap("finding.claims", rows.Err())
}
