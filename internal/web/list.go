package web

import (
	"slices"
	"strconv"
	"strings"

	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/money"
	"bole/internal/policy"
	"bole/internal/tell"
)

// pageRows is how many findings a page of a list shows.
const pageRows = 50

// listed are the outcomes that a list may be of, in the order of the chips; "" is every subject row that some rule was asked of.
var listed = []string{"eligible", "limited", "settled", "undetermined", "near", "ineligible", "not_in_force"}

// listFindings is the findings of a policy with one outcome, narrowed to a rule that fails or is unknown.
//
// Errors: Invalid "web.filter" for an outcome or a rule that does not exist.
func (s *server) listFindings(v *visit) (leaf, error) {
	p, c, err := s.policy(v)
	if err != nil {
		return leaf{}, err
	}
	fl, err := v.filter(p)
	if err != nil {
		return leaf{}, err
	}
	number := max(1, atoi(v.arg("page")))
	fl.Limit, fl.Offset = pageRows, (number-1)*pageRows
	items, total, err := s.book.List(v.Context(), p.Name, fl)
	if err != nil {
		return leaf{}, err
	}
	if last := max(1, int((total+pageRows-1)/pageRows)); number > last { // an old address, and the list is shorter now
		number, fl.Offset = last, (last-1)*pageRows
		if items, _, err = s.book.List(v.Context(), p.Name, fl); err != nil {
			return leaf{}, err
		}
	}
	body := listPage{Policy: link{Text: v.In(p.Title), Href: policyHref(p.Name)}, Total: v.Counted(total, p.Subject.Unit), Chips: v.chips(p, c, fl), Rules: v.ruleChips(p, fl)}
	body.About, body.Narrowed = v.about(p, fl)
	if p.Subject.Name != "person" {
		body.Subject = v.In(p.Subject.Title)
	}
	body.Monthly = p.Monthly()
	body.Outcome = fl.Outcome
	for _, it := range items {
		body.Rows = append(body.Rows, v.item(p, it))
	}
	body.Pager = v.pager(p, fl, number, total)
	return leaf{Template: "list.html", Title: v.T("web.list"), Section: "policies", Up: &body.Policy, Body: body}, nil
}

type listPage struct {
	Policy   link
	About    string // what the list is of, in a sentence
	Narrowed bool
	Total    string
	Outcome  string
	Subject  string // title of the kind of subject row; "" for persons
	Monthly  bool
	Chips    []chip
	Rules    []chip
	Rows     []listRow
	Pager    pager
}

type chip struct {
	Text, Number, Href string
	On                 bool
}

type listRow struct {
	Person, Href string
	Subject      string
	Outcome      outcome
	Money        string
	Ends         string
	Limited      string // the limit that holds it, and the policy of the claim that it gives way to
	Failed       []string
	Unknown      []string
}

type pager struct {
	Text       string
	Prev, Next string // addresses; "" at an end
}

// filter reads which findings are asked for.
func (v *visit) filter(p *policy.Policy) (finding.Filter, error) {
	fl := finding.Filter{Outcome: v.arg("outcome"), Rule: v.arg("rule"), Unknown: v.arg("unknown")}
	if fl.Outcome == "" && fl.Rule == "" && fl.Unknown == "" {
		fl.Outcome = "eligible"
	}
	known := func(id string) bool {
		return id == "" || slices.ContainsFunc(p.Checks, func(c policy.Check) bool { return c.ID == id })
	}
	if fl.Outcome != "" && !slices.Contains(listed, fl.Outcome) || !known(fl.Rule) || !known(fl.Unknown) {
		return fl, fault.New("web.list", fault.Invalid, "web.filter")
	}
	return fl, nil
}

// about says what a list is of, and whether a rule narrows it.
func (v *visit) about(p *policy.Policy, fl finding.Filter) (string, bool) {
	text := v.T("web.list_any")
	if fl.Outcome != "" {
		text = v.T("outcome." + fl.Outcome)
	}
	for _, c := range p.Checks {
		switch {
		case c.ID == fl.Rule:
			return v.T("web.list_failing", "outcome", text, "rule", v.In(c.Title)), true
		case c.ID == fl.Unknown:
			return v.T("web.list_unknown", "outcome", text, "rule", v.In(c.Title)), true
		}
	}
	return text, false
}

// chips are the outcomes with their counts.
func (v *visit) chips(p *policy.Policy, c finding.Count, fl finding.Filter) (out []chip) {
	for _, f := range v.figures(p.Policy, c) {
		out = append(out, chip{f.Outcome.Word, f.Number, f.Href, f.Name == fl.Outcome})
	}
	return out
}

// ruleChips narrow the list to those who fail a rule. Where nobody fails one there are none.
func (v *visit) ruleChips(p *policy.Policy, fl finding.Filter) (out []chip) {
	if fl.Outcome != "near" && fl.Outcome != "ineligible" && fl.Rule == "" {
		return nil
	}
	out = append(out, chip{v.T("web.all_rules"), "", listHref(p.Name, fl.Outcome, "", ""), fl.Rule == ""})
	for _, c := range p.Checks {
		if c.Rule != nil || c.ID != "award" {
			out = append(out, chip{v.In(c.Title), "", listHref(p.Name, fl.Outcome, c.ID, ""), c.ID == fl.Rule})
		}
	}
	return out
}

func (v *visit) item(p *policy.Policy, it finding.Item) listRow {
	r := listRow{Person: it.Person.String(), Ends: it.WindowEnds.String(), Outcome: v.outcome(it.Outcome)}
	if p.Subject.Name == "person" {
		r.Href = personHref(r.Person, p.Name, "")
	} else {
		r.Href, r.Subject = personHref(r.Person, p.Name, it.Subject), tell.Short(it.Subject)
	}
	if it.Outcome == "eligible" {
		r.Money = v.Money(money.Fen(it.AmountFen)).Exact
	}
	if it.Part > 0 {
		r.Subject = strings.TrimSpace(r.Subject + " " + v.T("web.part", "n", it.Part))
	}
	if l := v.pack.Limit(it.Limit); l != nil {
		r.Limited = v.In(l.Title)
		if name, _, _ := strings.Cut(it.Wins, " "); it.Outcome == "limited" && v.pack.Policy(name) != nil {
			r.Limited = v.T("web.gives_way", "limit", r.Limited, "policy", v.In(v.pack.Policy(name).Title))
		}
	}
	if it.Outcome == "ineligible" && len(it.Failed) == 1 {
		r.Outcome = v.outcome("near")
	}
	if it.Outcome == "ineligible" || it.Outcome == "undetermined" {
		unknown := it.Unknown
		if it.Failed != nil { // an amount that cannot be told says nothing about somebody who is refused
			unknown = slices.DeleteFunc(slices.Clone(unknown), func(id string) bool { return id == "award" })
		}
		r.Failed, r.Unknown = titles(v, p, it.Failed), titles(v, p, unknown)
		if it.Outcome == "undetermined" && it.Unknown == nil {
			r.Unknown = []string{v.T("web.law_not_found")}
		}
	}
	return r
}

func titles(v *visit, p *policy.Policy, ids []string) (out []string) {
	for _, c := range p.Checks {
		if slices.Contains(ids, c.ID) {
			out = append(out, v.In(c.Title))
		}
	}
	return out
}

func (v *visit) pager(p *policy.Policy, fl finding.Filter, number int, total int64) pager {
	if total == 0 {
		return pager{}
	}
	at := func(n int) string {
		return listHref(p.Name, fl.Outcome, fl.Rule, fl.Unknown) + "&page=" + strconv.Itoa(n)
	}
	first := int64(number-1)*pageRows + 1
	out := pager{Text: v.T("web.pager", "from", v.Number(first), "to", v.Number(min(first+pageRows-1, total)), "total", v.Number(total))}
	if number > 1 {
		out.Prev = at(number - 1)
	}
	if first+pageRows <= total {
		out.Next = at(number + 1)
	}
	return out
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n > 1_000_000 {
		return 1
	}
	return n
}
