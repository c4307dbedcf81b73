package pack

import (
	"slices"
	"strings"

	"bole/internal/expr"
)

// Fund is a purse that policies draw on.
type Fund struct {
	Name  Src   `yaml:"fund,required"`
	Title Words `yaml:"title,required"`
}

// Settled says what shows that a claim was decided or paid already. Only a plain yes does: a register that is silent leaves the claim open.
type Settled struct {
	Holds     Src  `yaml:"holds,required"`
	Day       *Src `yaml:"day"`        // the day on which; limits know it as claim_day
	AmountFen *Src `yaml:"amount_fen"` // what was paid

	holds, day, amount *expr.Expr
}

// Limit is a clause by which claims limit each other, of one policy or of several. It says which claims stand in one group (over), which of them count
// (where), and one thing that the group must keep to.
//
// Facts are those that every policy of the limit may name, with person and subject (whose claim it is, and of which row), and claim_day: the day on
// which a settled claim was settled, for others the day asked about. Parameters are the declaring policy's, of the day asked about.
type Limit struct {
	ID    Src   `yaml:"id,required"`
	By    Src   `yaml:"by,required"`
	Title Words `yaml:"title,required"`
	With  []Src `yaml:"with"` // other policies whose claims count as well
	Over  Keys  `yaml:"over"` // claims that have all of these alike are one group
	Where *Src  `yaml:"where"`
	Each  Keys  `yaml:"each"` // most and shares: claims of a group that have all of these alike count as one, such as a person's parts

	// One of these.
	Most    *Src  `yaml:"most"`     // so many claims may stand
	Higher  *Src  `yaml:"higher"`   // a claim with less of this does not stand beside one with more, unless it was settled before
	Shares  []Src `yaml:"shares"`   // percentages of the first claim, the second and so on, the greatest amount first; whoever comes after has nothing
	CapFen  *Src  `yaml:"cap_fen"`  // the amounts of a group together; the last are cut
	Quota   *Src  `yaml:"quota"`    // so many claims of all that there are, in the stated order
	Paid    *Src  `yaml:"paid"`     // somebody else has paid for the same; only a plain yes counts, and there is no group
	LessFen *Src  `yaml:"less_fen"` // what somebody else has paid for the same is taken off; there is no group

	Order    Keys `yaml:"order"`    // quota, shares: who comes first, the smaller value before the greater
	Rounding *Src `yaml:"rounding"` // shares

	Policy  *Policy   `yaml:"-"` // the policy that declares it
	Members []*Member `yaml:"-"` // the policies whose claims it counts, the declaring one first
	shares  []*expr.Expr
	number  *expr.Expr // most and quota
}

// Member is a policy in a limit: the limit's expressions over claims of this policy.
type Member struct {
	Limit  *Limit
	Policy *Policy
	Over   []*expr.Expr
	Where  *expr.Expr // nil: all
	Each   []*expr.Expr
	Rank   *expr.Expr // of higher, cap_fen, paid or less_fen; nil for others
	Order  []*expr.Expr
}

// LimitKinds are what a group may have to keep to, in the words of the file.
var LimitKinds = []string{"most", "higher", "shares", "cap_fen", "quota", "paid", "less_fen"}

// Kind is which of LimitKinds the limit is.
func (l *Limit) Kind() string {
	for _, k := range LimitKinds {
		if l.is(k) {
			return k
		}
	}
	return ""
}

func (l *Limit) is(kind string) bool {
	return map[string]bool{"most": l.Most != nil, "higher": l.Higher != nil, "shares": l.Shares != nil, "cap_fen": l.CapFen != nil, "quota": l.Quota != nil,
		"paid": l.Paid != nil, "less_fen": l.LessFen != nil}[kind]
}

// Name is the limit's own name in the pack: POLICY/ID.
func (l *Limit) Name() string { return l.Policy.Name + "/" + l.ID.Text }

// Number is how many claims may stand: of most and quota.
func (l *Limit) Number() *expr.Expr { return l.number }

// Percents are the shares of the first claim, the second and so on.
func (l *Limit) Percents() []*expr.Expr { return l.shares }

// Members are what the policy's claims put into limits, its own and those of other policies, in the order of the pack.
func (p *Policy) Members() []*Member { return p.limits }

// HoldsExpr says whether the claim is settled.
func (s *Settled) HoldsExpr() *expr.Expr { return s.holds }

// DayExpr is the day on which it was settled, or nil.
func (s *Settled) DayExpr() *expr.Expr { return s.day }

// AmountExpr is what was paid in fen, or nil.
func (s *Settled) AmountExpr() *expr.Expr { return s.amount }

// claimWords mean something in a policy's expressions without being facts.
var claimWords = []string{"on", "part_no", "person", "subject", "claim_day"}

// Ties are what decides between claims that may not stand together, in this order unless the pack has another: the greater amount in all, the fund that
// stands first in the pack, the window that ends first, and the smaller number of the subject.
var Ties = []string{"amount", "fund", "window", "subject"}

func (r *reader) funds(p *Pack, h head) {
	const file = "pack.yaml"
	for _, f := range h.Funds {
		r.word(file, f.Name, "fund")
		if p.Fund(f.Name.Text) != nil {
			r.at(file, f.Name, "%s stands here twice", f.Name.Text)
		}
		p.Funds = append(p.Funds, f)
	}
	if h.Ties != nil {
		p.Ties = nil
	}
	for _, t := range h.Ties {
		r.oneOf(file, t, "tie", Ties)
		p.Ties = append(p.Ties, t.Text)
	}
	if p.Ties == nil {
		p.Ties = Ties
	}
}

// Fund finds a fund by name, or nil.
func (p *Pack) Fund(name string) *Fund {
	for i := range p.Funds {
		if p.Funds[i].Name.Text == name {
			return &p.Funds[i]
		}
	}
	return nil
}

// parts declares the number of the part, of an award in parts.
func (r *reader) parts(file string, pol *Policy) []expr.Name {
	n := pol.Award.Parts
	if n == 0 {
		return nil
	}
	if n < 2 || n > MaxParts || pol.Monthly() {
		r.at(file, pol.Award.Every, "parts is from 2 to %d, of an award of once", MaxParts)
	}
	return []expr.Name{{Name: "part_no", Type: expr.Int, Min: 1, Max: max(n, 2), Sure: true}}
}

// settled compiles what shows that a claim is settled, and the words that limits may name.
func (r *reader) settled(file string, pol *Policy) {
	var words []expr.Name
	for _, w := range []struct {
		name string
		typ  expr.Type
	}{{"person", expr.Text}, {"subject", expr.Text}, {"claim_day", expr.Day}} {
		words = append(words, expr.Name{Name: w.name, Type: w.typ, Sure: true})
	}
	pol.claims, _ = pol.vocab.With(words...)
	s := pol.Settled
	if s == nil {
		return
	}
	s.holds = r.compileIn(file, pol, s.Holds, expr.Bool)
	if s.Day != nil {
		s.day = r.compileIn(file, pol, *s.Day, expr.Day)
	}
	if s.AmountFen != nil {
		s.amount = r.compileIn(file, pol, *s.AmountFen, expr.Int)
	}
}

// Text is what a group must keep to, as written.
func (l *Limit) Text() string {
	var says []string
	add := func(key string, list ...Src) {
		var words []string
		for _, s := range list {
			if s.Text != "" {
				words = append(words, s.Text)
			}
		}
		if words != nil {
			says = append(says, key+": "+strings.Join(words, ", "))
		}
	}
	one := func(s *Src) Src {
		if s == nil {
			return Src{}
		}
		return *s
	}
	add("over", l.Over...)
	add("where", one(l.Where))
	add("most", one(l.Most))
	add("higher", one(l.Higher))
	add("shares", l.Shares...)
	add("cap_fen", one(l.CapFen))
	add("quota", one(l.Quota))
	add("order", l.Order...)
	add("paid", one(l.Paid))
	add("less_fen", one(l.LessFen))
	return strings.Join(says, "\n")
}

// texts are the limit's expressions as written.
func (l *Limit) texts() []string {
	var out []string
	for _, s := range []*Src{l.Where, l.Most, l.Higher, l.CapFen, l.Quota, l.Paid, l.LessFen} {
		if s != nil {
			out = append(out, s.Text)
		}
	}
	for _, s := range slices.Concat(l.Over, l.Each, l.Shares, l.Order) {
		out = append(out, s.Text)
	}
	return out
}

// limits compiles a policy's limits over the claims of every policy that they count. All policies are there.
func (r *reader) limits(p *Pack, pol *Policy) {
	if pol.claims == nil {
		return // it has mistakes of its own
	}
	file := pol.File
	if len(p.Funds) > 0 && p.Fund(pol.Fund.Text) == nil {
		r.unknown(file, pol.Fund, "fund in pack.yaml", names(p.Funds, func(f Fund) string { return f.Name.Text }))
	}
	ids := map[string]bool{}
	for _, l := range pol.Limits {
		l.Policy = pol
		r.ruleID(file, ids, l.ID)
		r.cited(file, pol, l.By)
		if !r.oneKind(file, l) {
			continue
		}
		if n := l.Most; n != nil || l.Quota != nil {
			if n == nil {
				n = l.Quota
			}
			l.number = r.sameForAll(file, pol, *n)
		}
		for _, s := range l.Shares {
			l.shares = append(l.shares, r.sameForAll(file, pol, s))
		}
		members := []*Policy{pol}
		for _, w := range l.With {
			other := p.Policy(w.Text)
			switch {
			case other == nil:
				r.unknown(file, w, "policy", policyNames(p))
			case slices.Contains(members, other):
				r.at(file, w, "%s stands here twice", w.Text)
			case other.claims != nil:
				members = append(members, other)
			}
		}
		for _, m := range members {
			r.member(file, l, m)
		}
	}
}

// oneKind demands one thing to keep to, and what goes with it.
func (r *reader) oneKind(file string, l *Limit) bool {
	var kinds []string
	for _, k := range LimitKinds {
		if l.is(k) {
			kinds = append(kinds, k)
		}
	}
	if len(kinds) != 1 {
		r.at(file, l.ID, "the limit %s wants one of %s", l.ID.Text, strings.Join(LimitKinds, ", "))
		return false
	}
	grouped := l.Paid == nil && l.LessFen == nil && l.Quota == nil
	for _, m := range []struct {
		wrong bool
		says  string
	}{
		{grouped && len(l.Over) == 0, "without over it would limit nobody, or everybody at once: say which claims are one group"},
		{(l.Paid != nil || l.LessFen != nil) && (l.Over != nil || l.With != nil), "what others have paid is asked of each claim, without over and with"},
		{l.Quota != nil && l.Order == nil || l.Order != nil && l.Quota == nil && l.Shares == nil, "quota and order go together, and shares may have an order: the law says who comes first"},
		{l.Each != nil && l.Most == nil && l.Shares == nil, "each stands beside most and shares: which claims of a group count as one"},
		{(l.Shares != nil) != (l.Rounding != nil), "shares and rounding go together: down, up, half_up or half_even"},
	} {
		if m.wrong {
			r.at(file, l.ID, "the limit %s: %s", l.ID.Text, m.says)
			return false
		}
	}
	if l.Rounding != nil {
		r.oneOf(file, *l.Rounding, "rounding", expr.Roundings)
	}
	return true
}

// sameForAll compiles a number that is the same for all claims of a group: of parameters and the day asked about.
func (r *reader) sameForAll(file string, pol *Policy, s Src) *expr.Expr {
	x := r.compileIn(file, pol, s, expr.Int)
	if x == nil {
		return nil
	}
	for _, in := range x.Inputs() {
		if in != "on" && !strings.HasPrefix(in, "p.") {
			r.at(file, s, "a limit's number is the same for all claims, and %s is not: name parameters and on", in)
			return nil
		}
	}
	return x
}

// member compiles a limit over one policy's claims.
func (r *reader) member(file string, l *Limit, pol *Policy) {
	m := &Member{Limit: l, Policy: pol}
	compile := func(s Src, want expr.Type) *expr.Expr {
		if slices.ContainsFunc(pol.broken, func(b string) bool { return slices.Contains(dotted.FindAllString(s.Text, -1), b) }) {
			return nil
		}
		before := len(r.mistakes)
		x := r.compile(file, pol.claims, s, want)
		if pol != l.Policy {
			for i := range r.mistakes[before:] {
				r.mistakes[before+i].Message += " (of claims under " + pol.Name + ")"
			}
		}
		own := l.CapFen != nil && s == *l.CapFen // each policy's own parameter of that name
		if x != nil && len(l.With) > 0 && !own && slices.ContainsFunc(x.Inputs(), func(in string) bool { return strings.HasPrefix(in, "p.") }) {
			r.at(file, s, "claims of several policies are told apart by facts, not by a parameter of one of them")
		}
		return x
	}
	for _, k := range l.Over {
		m.Over = append(m.Over, compile(k, ""))
	}
	for _, k := range l.Each {
		m.Each = append(m.Each, compile(k, ""))
	}
	for _, k := range l.Order {
		m.Order = append(m.Order, compile(k, ""))
	}
	if l.Where != nil {
		m.Where = compile(*l.Where, expr.Bool)
	}
	for _, k := range []struct {
		s    *Src
		want expr.Type
	}{{l.Higher, expr.Int}, {l.CapFen, expr.Int}, {l.LessFen, expr.Int}, {l.Paid, expr.Bool}} {
		if k.s != nil {
			m.Rank = compile(*k.s, k.want)
		}
	}
	l.Members = append(l.Members, m)
	pol.limits = append(pol.limits, m)
}

// claimExpressions are what a policy's claims are asked beside the policy itself.
func (pol *Policy) claimExpressions() []*expr.Expr {
	var out []*expr.Expr
	if s := pol.Settled; s != nil {
		out = append(out, s.holds, s.day, s.amount)
	}
	for _, m := range pol.limits {
		out = append(out, m.Where, m.Rank)
		out = append(out, m.Over...)
		out = append(out, m.Each...)
		out = append(out, m.Order...)
	}
	return slices.DeleteFunc(out, func(x *expr.Expr) bool { return x == nil })
}

// Limit finds a limit by its name, POLICY/ID, or nil.
func (p *Pack) Limit(name string) *Limit {
	policy, id, _ := strings.Cut(name, "/")
	if pol := p.Policy(policy); pol != nil {
		return find(pol.Limits, func(l *Limit) bool { return l.ID.Text == id })
	}
	return nil
}

func policyNames(p *Pack) []string {
	return names(p.Policies, func(pol *Policy) string { return pol.Name })
}
