package expr

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
)

func guards(when []Guard) string {
	var out string
	for _, g := range when {
		out += fmt.Sprintf(" when %s is %v", g.Is.Source(), g.Want)
	}
	return out
}

func TestThresholds(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ src, want string }{
		{"age_years <= 35", "age_years <= 35"},
		{"35 >= age_years", "age_years <= 35"},
		{"3 > 2 && p.months_min > 3", ""},
		{"age_years > 1 || !(level != 2)", "age_years > 1; level != 2"},
		{"level > p.months_min * 2 - 1", "level > p.months_min * 2 - 1"},
		{"level > age_years", "level > age_years"},
		{`since > day("2024-01-01")`, `since > day("2024-01-01")`},
		{"p.from <= since", "since >= p.from"},
		{`degree == "master" && owns_home`, ""},
		{"age_years < (level > 3 ? 40 : p.months_min)", "age_years < 40 when level > 3 is true; age_years < p.months_min when level > 3 is false; level > 3"},
		{"owns_home ? level > 1 : value_or(level > 2, false)", "level > 1 when owns_home is true; level > 2 when owns_home is false"},
		{"level > p.amount_fen[children]", "level > p.amount_fen[children]"},
	} {
		x, problems := v.Compile(c.src, Bool)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
			continue
		}
		all, err := x.Thresholds()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, k := range all {
			got = append(got, k.Left.Source()+" "+k.Op+" "+k.Right.Source()+guards(k.When))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s has %q, want %q", c.src, s, c.want)
		}
	}
}

// A part answers as it would by itself.
func TestPartsAnswer(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	x, problems := v.Compile(`owns_home && add_months(since, p.months_min) <= day("2024-06-30")`, Bool)
	if problems != nil {
		t.Fatal(problems)
	}
	all, err := x.Thresholds()
	if err != nil || len(all) != 1 {
		t.Fatal(all, err)
	}
	k := all[0]
	for _, c := range []struct {
		values row
		want   any
	}{{row{"since": calendar.Day(20231231), "p.months_min": int64(6)}, calendar.Day(20240630)}, {row{"p.months_min": int64(6)}, nil}} {
		if got, err := k.Left.Eval(c.values.values); err != nil || got != c.want {
			t.Errorf("%s of %v is %v, %v; want %v", k.Left.Source(), c.values, got, err, c.want)
		}
	}
	if k.Left.Type() != Day || k.Left.Single() || !k.Left.Steady() || !slices.Equal(k.Left.Inputs(), []string{"p.months_min", "since"}) {
		t.Errorf("%s is %s, single %v, steady %v, reads %v", k.Left.Source(), k.Left.Type(), k.Left.Single(), k.Left.Steady(), k.Left.Inputs())
	}
	if y, problems := v.Compile("children * 3 + p.months_min * 2", Int); problems != nil || y.Steady() {
		t.Errorf("a product of a fact passes for steady: %v", problems)
	}
	if y, problems := v.Compile("age_years + p.months_min * 2", Int); problems != nil || !y.Steady() {
		t.Errorf("a product of the law's numbers does not pass for steady: %v", problems)
	}
}

func TestUses(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ src, want string }{
		{"p.amount_fen[level]", "p.amount_fen level"},
		{"level > 3 ? p.months_min : p.amount_fen[least(level, 2)] + 1", "p.months_min when level > 3 is true; p.amount_fen least(level, 2) when level > 3 is false"},
		{`p.grid_fen[level][degree] * 2`, "p.grid_fen level degree"},
		{"age_years + 1", ""},
	} {
		x, problems := v.Compile(c.src, Int)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
			continue
		}
		all, err := x.Uses()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, u := range all {
			s := u.Name
			for _, k := range u.Keys {
				s += " " + k.Source()
			}
			got = append(got, s+guards(u.When))
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s uses %q, want %q", c.src, s, c.want)
		}
	}
}
