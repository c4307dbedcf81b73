package web

import (
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/law"
	"bole/internal/pack"
	"bole/internal/policy"
)

// showPolicy is one policy: its figures, its versions on a line, and article beside rule beside numbers.
func (s *server) showPolicy(v *visit) (leaf, error) {
	p, c, err := s.policy(v)
	if err != nil {
		return leaf{}, err
	}
	counts, err := s.book.Rules(v.Context(), p.Name)
	if err != nil {
		return leaf{}, err
	}
	limited, err := s.book.Limits(v.Context(), p.Name)
	if err != nil {
		return leaf{}, err
	}
	where, err := v.origins(s.book)
	if err != nil {
		return leaf{}, err
	}
	body := policyPage{policyLine: v.line(p.Policy, c), Unit: v.In(p.Subject.Unit), Line: v.timeline(p.Policy, v.run.On)}
	body.Asked = v.T("web.asked_of", "day", v.run.On, "n", v.Counted(c.Eligible+c.Limited+c.Settled+c.Ineligible+c.Undetermined+c.NotInForce, p.Subject.Unit))
	if f := p.Fact(p.VersionBy.Text); f != nil {
		body.VersionBy = v.T("web.version_by", "fact", v.In(f.Title))
	}
	body.Versions = v.versions(p.Policy, v.run.On)
	for i := range body.Figures {
		body.Figures[i].Note = v.note(body.Figures[i], p, c, counts)
	}
	for _, a := range p.Law.Articles {
		if row := v.article(p, a, counts, limited); len(row.Rules)+len(row.Numbers) > 0 {
			body.Articles = append(body.Articles, row)
		}
	}
	for _, a := range p.Assumed {
		body.Assumed = append(body.Assumed, v.In(a))
	}
	body.Process, body.Asks = v.process(p)
	for _, f := range p.FactNames() {
		for _, r := range where.tell.Registers(p, f, func(string) bool { return false }) {
			body.Sources = appendNew(body.Sources, where.of(r))
		}
	}
	if v.Lang != "en" {
		body.Intro = paragraphs(p.Law.Intro)
	}
	body.ReadOn = v.Day(p.Law.ReadOn)
	return leaf{Template: "policy.html", Title: body.Title, Section: "policies", Up: &link{Text: v.T("web.policies"), Href: "/"}, Body: body}, nil
}

// policy finds the policy of a visit with its counts.
//
// Errors: NotFound "policy.unknown".
func (s *server) policy(v *visit) (*policy.Policy, finding.Count, error) {
	name := v.PathValue("policy")
	for _, c := range v.run.Policies {
		if decl := s.book.Pack().Policy(name); decl != nil && c.Policy == name {
			return policy.New(s.book.Pack(), decl), c, nil
		}
	}
	return nil, finding.Count{}, fault.New("web.policy", fault.NotFound, "policy.unknown", "policy", name)
}

type policyPage struct {
	policyLine
	Unit      string
	Asked     string
	VersionBy string
	Line      timeline
	Versions  []versionRow
	Articles  []article
	Assumed   []string
	Process   []string // how the office handles it
	Asks      []ask
	Sources   []source
	Intro     []string
	ReadOn    string
}

// ask is a question of the form, with why no register tells.
type ask struct{ Title, Why, Tells string }

// process is how the office handles the policy, and what the form asks.
func (v *visit) process(p *policy.Policy) (says []string, asks []ask) {
	if x := p.Process; x != nil {
		says = append(says, v.T("web.tier_"+x.Tier.Text))
		if x.Collective {
			says = append(says, v.T("web.collective"))
		}
		if x.NoticeDays > 0 {
			says = append(says, v.T("web.notice_days", "n", x.NoticeDays))
		}
		if x.Note != nil {
			says = append(says, v.In(*x.Note))
		}
	}
	for _, a := range p.Asks {
		q := ask{Title: v.In(a.Title), Why: v.In(a.Why)}
		if a.Tells != nil {
			q.Tells = v.In(p.Fact(a.Tells.Text).Title)
		}
		asks = append(asks, q)
	}
	return says, asks
}

// note is what stands beneath a figure.
func (v *visit) note(f figure, p *policy.Policy, c finding.Count, counts []finding.RuleCount) string {
	switch f.Name {
	case "eligible":
		if p.Subject.Name != "person" {
			return v.Counted(c.Persons, v.persons())
		}
	case "near":
		most := slices.MaxFunc(counts, func(a, b finding.RuleCount) int { return int(a.Only - b.Only) })
		if i := slices.IndexFunc(p.Checks, func(x policy.Check) bool { return x.ID == most.ID }); i >= 0 && most.Only > 0 {
			return v.T("web.near_most", "n", v.Number(most.Only), "rule", v.In(p.Checks[i].Title))
		}
	}
	return f.Note
}

// article is a heading of the law with the rules and numbers that cite it.
type article struct {
	Anchor  string
	Heading link
	Chinese string // the heading as published, beside an English one
	Text    []string
	Origin  []string // the lines that say where the text is from
	Numbers []number // versions that begin and parameters that are fixed here
	Rules   []rule
}

// number is something dated that an article fixes.
type number struct{ Title, Value, Days string }

// rule is a check with its condition and its counts.
type rule struct {
	ID, Title, Code string
	Except          []rule // what lifts it; only the words
	By              link   // an exception's article, where it is another
	Counts          []ruleCount
	Bar             []slice
	Amounts         []number // what is paid, for the article of the award
}

// ruleCount is one answer of a check with how many there are.
type ruleCount struct {
	Outcome      outcome
	Number, Href string
	Unit         string
}

func (v *visit) article(p *policy.Policy, a law.Article, counts []finding.RuleCount, limited map[string]int64) article {
	out := article{Anchor: a.Anchor, Heading: v.cite(a, "")}
	if out.Heading.Text != a.Heading {
		out.Chinese = a.Heading
	}
	for _, t := range paragraphs(a.Zh) {
		switch {
		case strings.HasPrefix(t, "来源："):
			out.Origin = append(out.Origin, strings.TrimPrefix(t, "来源："))
		case v.Lang != "en":
			out.Text = append(out.Text, t)
		}
	}
	if v.Lang == "en" {
		out.Text = paragraphs(a.En)
	}
	for i, ver := range p.Versions {
		if ver.By.Text == a.Anchor {
			out.Numbers = append(out.Numbers, number{v.T("web.begins"), v.T("web.version_name", "n", i+1), v.span(ver)})
		}
	}
	out.Numbers = append(out.Numbers, v.parameters(p, a.Anchor)...)
	for i, c := range p.Checks {
		if c.By == a.Anchor {
			out.Rules = append(out.Rules, v.rule(p, &p.Checks[i], counts[i]))
		}
	}
	if p.Award.Amount.By.Text == a.Anchor {
		i := slices.IndexFunc(out.Rules, func(r rule) bool { return r.ID == "award" })
		if i < 0 {
			i = len(out.Rules)
			out.Rules = append(out.Rules, rule{ID: "award", Code: p.Award.Amount.Value.Text})
		}
		out.Rules[i].Title, out.Rules[i].Amounts = v.T("web.award_"+p.Award.Every.Text), v.amounts(p)
		if n := p.Award.Parts; n > 0 {
			out.Rules[i].Title = v.T("web.award_parts", "n", n)
		}
	}
	for _, l := range p.Limits {
		if l.By.Text == a.Anchor {
			out.Rules = append(out.Rules, v.limit(p, l, limited[l.Name()]))
		}
	}
	for _, e := range p.Events {
		if e.By.Text == a.Anchor {
			out.Rules = append(out.Rules, rule{ID: e.ID.Text, Title: v.T("web.event_"+e.Then.Text, "event", v.In(e.Title)), Code: e.When.Text})
		}
	}
	return out
}

// parameters are the values that an article fixes, tables apart: they stand with the award.
func (v *visit) parameters(p *policy.Policy, anchor string) (out []number) {
	for _, e := range p.Parameters {
		for _, d := range e.Value.Dated() {
			if value, _ := e.Value.On(d.From); d.By.Text == anchor && d.Value != nil {
				out = append(out, number{v.In(e.Value.Title), v.Scalar(value, e.Value.Unit), v.T("web.from_day", "day", d.From)})
			}
		}
	}
	return out
}

// amounts are the tables of the policy on the day of the run, one line a key: what is paid for which level.
func (v *visit) amounts(p *policy.Policy) (out []number) {
	for _, e := range p.Parameters {
		table, _ := e.Value.On(v.run.On)
		for _, entry := range e.Value.Table(table) {
			var codes []string
			for _, it := range entry.Codes {
				codes = append(codes, v.In(pack.Words{Zh: it.Zh, En: it.En}))
			}
			out = append(out, number{strings.Join(codes, v.T("tell.comma")), v.Quantity(entry.Number, e.Value.Unit), ""})
		}
	}
	return out
}

// limit is a limit in the words of its file, with how many it holds.
func (v *visit) limit(p *policy.Policy, l *pack.Limit, held int64) rule {
	out := rule{ID: l.ID.Text, Title: v.In(l.Title), Code: l.Text()}
	for _, w := range l.With {
		if other := v.pack.Policy(w.Text); other != nil {
			out.Except = append(out.Except, rule{ID: w.Text, Title: v.T("web.limit_with", "policy", v.In(other.Title))})
		}
	}
	href := ""
	if held > 0 {
		href = listHref(p.Name, "limited", "", "")
	}
	out.Counts = []ruleCount{{v.outcome("limited"), v.Number(held), href, v.Unit(held, p.Subject.Unit)}}
	return out
}

func (v *visit) rule(p *policy.Policy, c *policy.Check, n finding.RuleCount) rule {
	out := rule{ID: c.ID, Title: v.In(c.Title), Code: c.Text(), Bar: bar(300, slice{Kind: "ok", n: n.Met}, slice{Kind: "ask", n: n.Unknown}, slice{Kind: "no", n: n.NotMet})}
	if c.Rule != nil {
		out.Code = c.Rule.Holds.Text
		for _, e := range c.Rule.Unless {
			x := rule{ID: e.ID.Text, Title: v.In(e.Title), Code: e.Holds.Text}
			if a, ok := p.Law.Find(e.By.Text); ok && e.By.Text != c.By {
				x.By = v.cite(a, "")
			}
			out.Except = append(out.Except, x)
		}
	}
	if c.ID == "window" && c.Rule == nil {
		out.Code = "on <= " + out.Code
	}
	add := func(o outcome, n int64, href string) {
		if n == 0 {
			href = ""
		}
		out.Counts = append(out.Counts, ruleCount{o, v.Number(n), href, v.Unit(n, p.Subject.Unit)})
	}
	if c.ID == "award" && c.Rule == nil {
		out.Bar = nil // whom the amount cannot be told for is refused by a rule, or counted as unknown there
		return out
	}
	add(v.state("met"), n.Met, "")
	add(v.state("not_met"), n.NotMet, listHref(p.Name, "ineligible", c.ID, ""))
	add(v.state("unknown"), n.Unknown, listHref(p.Name, "", "", c.ID))
	add(outcome{"near", v.T("web.only")}, n.Only, listHref(p.Name, "near", c.ID, ""))
	return out
}

// paragraphs parts a text at empty lines and drops the line that says when it was read.
func paragraphs(text string) (out []string) {
	for p := range strings.SplitSeq(text, "\n\n") {
		p = strings.Join(strings.Fields(p), " ")
		if p != "" && !strings.HasPrefix(p, "read:") {
			out = append(out, p)
		}
	}
	return out
}

// versionRow is a version in words, for phones, where the line is too wide.
type versionRow struct {
	Name, From, To string
	Note           string
	Values         []string // of the parameters that change from version to version
	Gap, Now       bool
}

// versions lists the stretches of the law with the gaps between them.
func (v *visit) versions(p *pack.Policy, on calendar.Day) (out []versionRow) {
	for _, s := range stretches(p) {
		row := versionRow{From: s.from.String(), To: s.to.String(), Gap: s.version == nil, Now: on >= s.from && (s.to == 0 || on <= s.to)}
		if s.version == nil {
			row.Name, row.Note = "?", v.T("web.gap_between")
			if s.last {
				row.Note = v.T("web.gap_after")
			}
		} else {
			row.Name = v.T("web.version_name", "n", s.number)
			row.Values = v.changing(p, s.from)
			if s.version.Note != nil {
				row.Note = v.In(*s.version.Note)
			}
		}
		out = append(out, row)
	}
	return out
}

// changing are the values on a day of the numbers that rules and amount read and the versions differ in: what a version is known for.
func (v *visit) changing(p *pack.Policy, on calendar.Day) (out []string) {
	for _, e := range p.Parameters {
		if value, _ := e.Value.On(on); len(e.Value.Dated()) > 1 && slices.Contains(p.Read(), "p."+e.Key.Text) {
			if n, ok := value.(int64); ok {
				out = append(out, v.Quantity(n, e.Value.Unit))
			}
		}
	}
	return out
}

// stretch is a version, or a gap in what we have of the law. to is 0 when it is open.
type stretch struct {
	version  *pack.Version // nil for a gap
	number   int
	from, to calendar.Day
	last     bool // nothing follows
}

// stretches cuts the policy's time into versions and gaps. After the last version is a gap, unless it is open or the policy ended.
func stretches(p *pack.Policy) (out []stretch) {
	var next calendar.Day
	for i, ver := range p.Versions {
		if next != 0 && ver.From > next {
			out = append(out, stretch{from: next, to: ver.From.AddDays(-1)})
		}
		s := stretch{version: ver, number: i + 1, from: ver.From}
		next = 0
		if ver.To != nil {
			s.to = *ver.To
			next = ver.To.AddDays(1)
		} else if p.Ended != nil {
			s.to = p.Ended.On
		}
		out = append(out, s)
	}
	if next != 0 && (p.Ended == nil || p.Ended.On >= next) {
		gap := stretch{from: next}
		if p.Ended != nil {
			gap.to = p.Ended.On
		}
		out = append(out, gap)
	}
	out[len(out)-1].last = true
	return out
}
