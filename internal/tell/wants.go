package tell

import (
	"bole/internal/pack"
	"bole/internal/policy"
)

// Wanted is what a check asks of months of contributions: a threshold on a fact that counts them.
type Wanted struct {
	Fact     *pack.Fact
	Has      int64
	Required int64
	Total    bool // in all, rather than in a row
}

// Wants reads a check's need as months of contributions; false when it is about something else or a threshold from above.
func Wants(p *policy.Policy, c policy.CheckAnswer) (Wanted, bool) {
	if c.Need == nil {
		return Wanted{}, false
	}
	f := p.Fact(c.Need.Fact)
	w := Wanted{Fact: f, Has: c.Need.Has, Required: c.Need.Required}
	if f == nil || !c.Need.Known {
		return w, false
	}
	switch f.Take.Text {
	case "months_total":
		w.Total = true
	case "months_current", "months_longest":
	default:
		return w, false
	}
	switch c.Need.Op {
	case ">":
		w.Required++
	case ">=", "==":
	default:
		return w, false
	}
	return w, true
}

// Lacks is how many months are wanting.
func (w Wanted) Lacks() int { return int(max(0, w.Required-w.Has)) }
