package web

import (
	"slices"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/pack"
	"bole/internal/policy"
)

// source is where a value is from: a register and the day that it describes.
type source struct {
	Title string
	Day   string // the cutoff that the sender names, or else the day received; "" when never delivered
}

// origins knows the last delivery of each register, in the words of a visit.
type origins struct {
	words
	pack  *pack.Pack
	dates map[string]calendar.Day
}

func (v *visit) origins(b *finding.Book) (*origins, error) {
	list, err := b.Sources(v.Context())
	if err != nil {
		return nil, err
	}
	o := &origins{v.words, b.Pack(), map[string]calendar.Day{}}
	for _, s := range list {
		o.dates[s.Register.Name] = max(s.Cutoff, 0)
		if s.Cutoff == 0 {
			o.dates[s.Register.Name] = s.Received
		}
	}
	return o, nil
}

func (o *origins) of(r *pack.Register) source { return source{o.in(r.Title), o.dates[r.Name].String()} }

// registers of a fact: its own, or for one worked out from others those of the others. unknown narrows it to the facts without a value.
func (o *origins) registers(p *policy.Policy, name string, unknown func(name string) bool) []*pack.Register {
	f := o.pack.Fact(p.Subject, name)
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
		for _, r := range o.registers(p, in, unknown) {
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

func appendNew[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}
