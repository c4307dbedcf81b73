package web

import (
	"strings"

	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/policy"
	"bole/internal/tell"
)

// findPerson is the form that finds a person by number. A number that somebody has leads to their page.
func (s *server) findPerson(v *visit) (leaf, error) {
	l := leaf{Template: "people.html", Title: v.T("web.people"), Section: "people"}
	q := strings.TrimSpace(v.arg("q"))
	body := peoplePage{Asked: q}
	body.Policies = v.lines()
	if q == "" {
		l.Body = body
		return l, nil
	}
	person, err := fact.ParsePerson(q)
	if err != nil {
		body.Wrong = locale.Error(v.Lang, err)
		l.Body = body
		return l, err
	}
	return leaf{Redirect: personHref(person.String(), "", "")}, nil
}

type peoplePage struct {
	Asked    string
	Wrong    string
	Policies []policyLine
}

// showPerson is one person: what the registers tell, and every policy asked, one of them at length.
//
// Errors: Invalid "person.number"; NotFound "person.unknown", or "web.no_subject" for a policy or subject row that is not the person's.
func (s *server) showPerson(v *visit) (leaf, error) {
	person, err := fact.ParsePerson(v.PathValue("person"))
	if err != nil {
		return leaf{}, err
	}
	view, err := s.book.View(v.Context(), person, v.run.On)
	if err != nil {
		return leaf{}, err
	}
	where, err := v.origins(s.book)
	if err != nil {
		return leaf{}, err
	}
	chosen, err := choose(view.Policies, v.arg("policy"), v.arg("subject"))
	if err != nil {
		return leaf{}, err
	}
	body := personPage{Number: person.String(), Groups: where.told(view)}
	if chosen >= 0 {
		body.Chosen = where.asked(view, view.Policies[chosen])
	}
	body.Others = where.others(view, chosen)
	return leaf{Template: "person.html", Title: person.String(), Section: "people", Up: &link{Text: v.T("web.people"), Href: "/people"}, Body: body}, nil
}

type personPage struct {
	Number string
	Groups []told
	Chosen *asked
	Others []otherPolicy
}

// told is what one register tells of the person.
type told struct {
	source
	Facts []toldFact
}

type toldFact struct {
	named
	Unknown bool
}

// asked is the policy that is shown at length.
type asked struct {
	Policy     link
	Subject    string
	Version    string
	On         string
	Verdict    verdict
	Strip      *strip
	StripOf    string // what the months are of
	Conditions []condition
	Aloud      []string // all of it in sentences
}

type otherPolicy struct {
	Title, Href string
	Subject     string
	Outcome     outcome
	Money       string
	Sentence    string
	Cite        link
	None        bool // the person has nothing that the policy is about
}

// choose picks the explanation to show at length: the one asked for, or the most telling. -1 when there is none.
//
// Errors: NotFound "web.no_subject".
func choose(xs []finding.Explanation, policy, subject string) (int, error) {
	best, rank := -1, -1
	for i, x := range xs {
		if policy != "" && x.Policy.Name != policy || subject != "" && x.Subject != subject {
			continue
		}
		if r := telling(x); r > rank {
			best, rank = i, r
		}
	}
	if best < 0 && (policy != "" || subject != "") {
		return -1, fault.New("web.person", fault.NotFound, "web.no_subject")
	}
	return best, nil
}

// telling ranks what a person would want to read first: what they may claim; what they nearly may, with a day to wait for before without, and with
// nothing unknown besides before the rest; what is not known.
func telling(x finding.Explanation) int {
	near := len(x.Answer.Failed) == 1
	switch {
	case x.Answer.Outcome == "eligible":
		return 5
	case near && x.Earliest != 0:
		return 4
	case near && tell.Unknowns(x) == 0:
		return 3
	case near:
		return 2
	case x.Answer.Outcome == "undetermined":
		return 1
	}
	return 0
}

// told groups the person's facts by the register that they come from.
func (o *origins) told(view finding.View) (out []told) {
	person := o.pack.Subject("person")
	at := map[string]int{}
	for _, f := range person.Facts {
		if _, asked := view.Facts[f.Name.Text]; !asked {
			continue
		}
		reg := f.Source()
		if reg == nil && f.ValueExpr() != nil { // worked out: it stands with the first fact that it is worked out from
			for _, in := range f.ValueExpr().Inputs() {
				if g := o.pack.Fact(person, in); g != nil && g.Source() != nil {
					reg = g.Source()
					break
				}
			}
		}
		if reg == nil {
			continue
		}
		i, ok := at[reg.Name]
		if !ok {
			i = len(out)
			at[reg.Name] = i
			out = append(out, told{source: o.of(reg)})
		}
		v := view.Facts[f.Name.Text]
		out[i].Facts = append(out[i].Facts, toldFact{named{Title: o.In(f.Title), Value: o.Value(f, v)}, v == nil})
	}
	return out
}

// asked shows one explanation at length.
func (o *origins) asked(view finding.View, x finding.Explanation) *asked {
	out := &asked{Policy: link{Text: o.In(x.Policy.Title), Href: policyHref(x.Policy.Name)}, Subject: o.tell.Subject(x), On: o.T("web.on_day", "day", x.On),
		Verdict: o.verdict(x), Conditions: o.conditions(x), Aloud: o.tell.Lines(x)}
	if f := x.Policy.Fact(x.Policy.VersionBy.Text); f != nil && x.Answer.Version != nil {
		_, n := x.Policy.VersionOn(x.Answer.Version.From)
		out.Version = o.T("web.version_name", "n", n) + o.T("tell.comma") + o.T("web.version_by", "fact", o.In(f.Title))
	}
	if kinds := finding.Kinds(x.Policy); kinds != nil {
		s := stripOf{on: x.On.Month(), from: view.From, to: view.To, months: view.Months[x.Policy.Name], want: leading(x)}
		drawn := o.strip(s)
		out.Strip = &drawn
		if list := o.pack.CodeList("insurance_kind"); list != nil {
			var titles []string
			for _, k := range kinds {
				titles = append(titles, list.Word(k, string(o.Lang)))
			}
			out.StripOf = o.List(titles)
		}
	}
	return out
}

// leading is the need of months that the strip is tied to: the one that the sentence is about; otherwise one that is not met before one that is, and
// a larger one before a smaller.
func leading(x finding.Explanation) *tell.Wanted {
	if x.Answer.Outcome == "ineligible" {
		if w, ok := tell.Wants(x.Policy, tell.Decisive(x)); ok && w.Lacks() > 0 && w.Required > 1 {
			return &w
		}
	}
	var best *tell.Wanted
	for _, c := range x.Answer.Checks {
		w, ok := tell.Wants(x.Policy, c)
		if ok && (best == nil || w.Lacks() > best.Lacks() || w.Lacks() == best.Lacks() && w.Required > best.Required) {
			best = &w
		}
	}
	return best
}

// others are the policies that are not shown at length, each in one line.
func (o *origins) others(view finding.View, chosen int) (out []otherPolicy) {
	number := view.Person.String()
	for _, p := range policy.All(o.pack) {
		found := false
		for i, x := range view.Policies {
			if x.Policy.Name != p.Name {
				continue
			}
			found = true
			if i == chosen {
				continue
			}
			v := o.verdict(x)
			row := otherPolicy{Title: o.In(p.Title), Href: personHref(number, p.Name, ""), Outcome: v.outcome, Sentence: v.Sentence, Cite: v.Cite, Subject: o.tell.Subject(x)}
			if p.Subject.Name != "person" {
				row.Href = personHref(number, p.Name, x.Subject)
			}
			if x.Answer.Outcome == "eligible" {
				row.Money = v.Money.Exact
			}
			out = append(out, row)
		}
		if !found {
			out = append(out, otherPolicy{Title: o.In(p.Title), Href: policyHref(p.Name), None: true, Sentence: o.T("web.nothing_about", "subject", o.In(p.Subject.Title))})
		}
	}
	return out
}
