package web

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/money"
	"bole/internal/pack"
	"bole/internal/tell"
)

// showOverview is the first page: what the run found under every policy, and from what.
func (s *server) showOverview(v *visit) (leaf, error) {
	sources, err := s.book.Sources(v.Context())
	if err != nil {
		return leaf{}, err
	}
	body := overview{Sentence: v.summary(s.book.Pack()), Hash: v.run.Hash[:min(12, len(v.run.Hash))]}
	body.Policies = v.lines()
	for _, x := range sources {
		row := sourceRow{Title: v.In(x.Register.Title), Owner: v.In(x.Register.Owner), Basis: v.In(x.Register.Basis), Received: x.Received.String(), Cutoff: x.Cutoff.String()}
		body.Sources = append(body.Sources, row)
	}
	return leaf{Template: "overview.html", Title: v.T("web.overview"), Section: "overview", Body: body}, nil
}

type overview struct {
	Sentence string
	Hash     string
	Policies []policyLine
	Sources  []sourceRow
}

type sourceRow struct{ Title, Owner, Basis, Received, Cutoff string }

// policyLine is a policy with its figures.
type policyLine struct {
	Title     string
	Href      string
	Mechanism string
	State     outcome
	Version   string
	Figures   []figure // found, undetermined, one short, ineligible; limited, settled and not in force when there are any
	Persons   string
	Money     tell.Sum
	Monthly   bool
	Bar       []slice
}

// figure is a number that opens its list.
type figure struct {
	Name         string // an outcome, or near
	Kind         string // of its part of the bar
	Number, Unit string
	Note         string
	Href         string
	Outcome      outcome
}

// lines are the policies of the run: first those that found somebody, the most money first, then those that may yet; others as the run has them.
func (v *visit) lines() (out []policyLine) {
	counts := slices.Clone(v.run.Policies)
	slices.SortStableFunc(counts, func(a, b finding.Count) int {
		found := func(c finding.Count) int64 { return min(c.Eligible, 1) }
		return cmp.Or(cmp.Compare(found(b), found(a)), cmp.Compare(b.AmountFen, a.AmountFen), cmp.Compare(b.Eligible, a.Eligible))
	})
	for _, c := range counts {
		if p := v.pack.Policy(c.Policy); p != nil {
			out = append(out, v.line(p, c))
		}
	}
	return out
}

// line shows one policy's counts.
func (v *visit) line(p *pack.Policy, c finding.Count) policyLine {
	l := policyLine{Title: v.In(p.Title), Href: policyHref(p.Name), Mechanism: strings.Join(p.Mechanism, " "), Money: v.Money(money.Fen(c.AmountFen)), Monthly: p.Monthly()}
	l.State, l.Version = v.inForce(p, v.run.On)
	l.Figures = v.figures(p, c)
	l.Persons = v.Counted(c.Persons, v.persons())
	l.Bar = bar(300, slice{Kind: "ok", n: c.Eligible}, slice{Kind: "out", n: c.Limited + c.Settled}, slice{Kind: "ask", n: c.Undetermined}, slice{Kind: "near", n: c.NearMiss}, slice{Kind: "no", n: c.Ineligible - c.NearMiss}, slice{Kind: "out", n: c.NotInForce})
	return l
}

// kinds are the parts of a bar that outcomes are drawn as; the figures beside it bear the same.
var kinds = map[string]string{"eligible": "ok", "limited": "out", "settled": "out", "undetermined": "ask", "near": "near", "ineligible": "no", "not_in_force": "out"}

// figures of a policy, in the unit of what it is about.
func (v *visit) figures(p *pack.Policy, c finding.Count) []figure {
	out := []figure{}
	add := func(name string, n int64, note string) {
		out = append(out, figure{Name: name, Kind: kinds[name], Number: v.Number(n), Unit: v.Unit(n, p.Subject.Unit), Note: note, Href: listHref(p.Name, name, "", ""), Outcome: v.outcome(name)})
	}
	add("eligible", c.Eligible, "")
	if c.Limited > 0 {
		add("limited", c.Limited, v.T("web.limited_note"))
	}
	if c.Settled > 0 {
		add("settled", c.Settled, v.T("web.settled_note"))
	}
	add("undetermined", c.Undetermined, v.T("tell.undetermined_note"))
	add("near", c.NearMiss, "")
	add("ineligible", c.Ineligible, v.T("web.with_near"))
	if c.NotInForce > 0 {
		add("not_in_force", c.NotInForce, v.T("web.not_in_force_note"))
	}
	return out
}

// persons is the unit of human beings, 人.
func (v *visit) persons() pack.Words { return pack.Words{Zh: "人", En: "persons"} }

// inForce says which version of a policy holds on a day.
func (v *visit) inForce(p *pack.Policy, on calendar.Day) (outcome, string) {
	version, n := p.VersionOn(on)
	switch n {
	case 0:
		return outcome{"lim", v.T("web.state_none")}, ""
	case -1:
		return outcome{"ask", v.T("web.state_gap")}, ""
	}
	return outcome{"ok", v.T("web.state_valid")}, v.versionText(version, n)
}

func (v *visit) versionText(version *pack.Version, n int) string {
	return v.T("web.version_name", "n", n) + v.T("tell.comma") + v.span(version)
}

// span is the days on which a version holds.
func (v *visit) span(version *pack.Version) string {
	if version.To == nil {
		return v.T("web.from_day", "day", version.From)
	}
	return v.T("web.span", "from", version.From, "to", version.To)
}

// summary is the run in one sentence. Certificates and persons are named apart, as are amounts paid once and amounts a month. With more
// policies than a sentence can carry it only says how many found somebody.
func (v *visit) summary(p *pack.Pack) string {
	var found []string
	var once, monthly money.Fen
	hit := 0
	for _, c := range v.run.Policies {
		pol := p.Policy(c.Policy)
		if pol == nil {
			continue
		}
		if c.Eligible > 0 {
			hit++
		}
		found = append(found, v.Counted(c.Eligible, pol.Subject.Unit))
		if pol.Monthly() {
			monthly += money.Fen(c.AmountFen)
		} else {
			once += money.Fen(c.AmountFen)
		}
	}
	n := len(found)
	key := "web.summary"
	if n > 3 {
		key = "web.summary_many"
	}
	if n == 1 {
		key = "web.summary_one"
	}
	text := v.T(key, "people", v.Counted(v.run.People, v.persons()), "n", n, "found", v.List(found), "hit", hit)
	switch {
	case once > 0 && monthly > 0:
		text += v.T("web.summary_both", "once", v.Money(once).Text, "monthly", v.Money(monthly).Text)
	case monthly > 0:
		text += v.T("web.summary_monthly", "yuan", v.Money(monthly).Text)
	case once > 0:
		text += v.T("web.summary_once", "yuan", v.Money(once).Text)
	}
	return text
}

func policyHref(name string) string { return "/policies/" + url.PathEscape(name) }

// listHref is the list of findings with an outcome, narrowed to those that fail a rule or for whom one is unknown.
func listHref(policy, outcome, rule, unknown string) string {
	q := url.Values{}
	for k, x := range map[string]string{"outcome": outcome, "rule": rule, "unknown": unknown} {
		if x != "" {
			q.Set(k, x)
		}
	}
	return policyHref(policy) + "/list?" + q.Encode()
}

func personHref(person, policy, subject string) string {
	q := url.Values{}
	if policy != "" {
		q.Set("policy", policy)
	}
	if subject != "" {
		q.Set("subject", subject)
	}
	h := "/people/" + url.PathEscape(person)
	if len(q) > 0 {
		h += "?" + q.Encode()
	}
	return h
}

// slice is a part of a bar: how many of what. bar lays it out.
type slice struct {
	Kind     string // ok, ask, near, no, out: the class of its look
	n        int64
	X, Width int
}

// bar parts a width in proportion to counts. What is not nothing is at least two wide, taken from the widest.
func bar(width int, parts ...slice) []slice {
	var all int64
	for _, p := range parts {
		all += max(p.n, 0)
	}
	var out []slice
	widest, left := 0, width
	for _, p := range parts {
		if p.n <= 0 {
			continue
		}
		p.Width = max(2, int(p.n*int64(width)/all))
		left -= p.Width
		out = append(out, p)
		if p.Width > out[widest].Width {
			widest = len(out) - 1
		}
	}
	if out == nil {
		return nil
	}
	out[widest].Width += left
	x := 0
	for i := range out {
		out[i].X = x
		x += out[i].Width
	}
	return out
}
