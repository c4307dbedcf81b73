package tell

import (
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/policy"
)

// Teller tells in one language what was found by a pack's policies, and from which deliveries.
type Teller struct {
	w     Words
	pack  *pack.Pack
	dates map[string]calendar.Day // by register: the day that its last delivery describes
}

// New is a teller. A register whose sender names no cutoff tells of the day on which it was received.
func New(lang locale.Lang, p *pack.Pack, sources []finding.Source) *Teller {
	t := &Teller{Words{lang}, p, map[string]calendar.Day{}}
	for _, s := range sources {
		t.dates[s.Register.Name] = s.Cutoff
		if s.Cutoff == 0 {
			t.dates[s.Register.Name] = s.Received
		}
	}
	return t
}

// Told is the day that a register's last delivery describes; 0 when nothing was received.
func (t *Teller) Told(r *pack.Register) calendar.Day { return t.dates[r.Name] }

// Registers of a fact: its own, or for one worked out from others those of the others. unknown narrows these to the ones without a value.
func (t *Teller) Registers(p *policy.Policy, name string, unknown func(name string) bool) []*pack.Register {
	f := p.Fact(name)
	if f == nil {
		return nil
	}
	if r := f.Source(); r != nil {
		return []*pack.Register{r}
	}
	if f.Take.Text == "column" && p.Subject.Rows() != nil {
		return []*pack.Register{p.Subject.Rows()}
	}
	if f.ValueExpr() == nil {
		return nil
	}
	var all, missing []*pack.Register
	for _, in := range f.ValueExpr().Inputs() {
		for _, r := range t.Registers(p, in, unknown) {
			all = appendNew(all, r)
			if unknown(in) {
				missing = appendNew(missing, r)
			}
		}
	}
	if missing != nil {
		return missing
	}
	return all
}

// silent are the registers that would tell a fact which is unknown.
func (t *Teller) silent(x finding.Explanation, name string) []*pack.Register {
	return t.Registers(x.Policy, name, func(in string) bool { return x.Facts[in] == nil })
}

// titles joins the titles of registers.
func (t *Teller) titles(registers []*pack.Register) string {
	out := make([]string, len(registers))
	for i, r := range registers {
		out[i] = t.w.In(r.Title)
	}
	return t.w.List(out)
}

// named is a fact's title.
func (t *Teller) named(p *policy.Policy, name string) string {
	if f := p.Fact(name); f != nil {
		return t.w.In(f.Title)
	}
	return name
}

// article is the heading of an article of the policy's law text.
func (t *Teller) article(p *policy.Policy, anchor string) string {
	if a, ok := p.Law.Find(anchor); ok {
		return a.HeadingIn(string(t.w.Lang))
	}
	return anchor
}

// Subject names a subject row: a certificate by the start of its id and its own facts; nothing for a person.
func (t *Teller) Subject(x finding.Explanation) string {
	if x.Policy.Subject.Name == "person" {
		return ""
	}
	parts := []string{t.w.In(x.Policy.Subject.Title) + " " + Short(x.Subject)}
	for _, f := range x.Policy.Subject.Facts {
		if x.Facts[f.Name.Text] != nil && f.Take.Text == "column" && f.Source() == nil {
			parts = append(parts, t.w.Value(f, x.Facts[f.Name.Text]))
		}
	}
	return strings.Join(parts, t.w.T("tell.comma"))
}

// Short is enough of a subject row's id to tell a person's rows apart.
func Short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

func appendNew[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}
