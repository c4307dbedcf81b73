package finding_test

import (
	"slices"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/policy"
	gocmp "github.com/google/go-cmp/cmp"
)

// Of a thousand people, under every policy: on each earliest day that an explanation gives, a screening of that day says eligible, and a screening of the
// day before does not; and so for the day that it gives for each rule. On the day asked itself it is the supposition that makes the difference. The one goes through the evaluator of one person over five years of days, the
// other through SQL over everybody on a day; both suppose that contributions go on as the explanation does.
func TestAThousandEarliestDays(t *testing.T) {
	it := theTown(t)
	screen(t, it, finding.Request{})
	s, conn := it.connect(t)
	if err := fact.Derive(t.Context(), conn, s, it.pack, fact.Request{Days: []calendar.Day{day}}); err != nil {
		t.Fatal(err)
	}
	var people []fact.Person
	for _, r := range rowsOf(t, func() ([]fact.Row, error) { return fact.Rows(t.Context(), conn, it.pack.Subject("person"), "") }) {
		people = append(people, r.Person)
	}
	slices.Sort(people)
	everybody := people[:1000]
	waited := 0
	for _, pol := range policy.All(it.pack) {
		t.Run(pol.Name, func(t *testing.T) {
			people := everybody
			if !slices.Contains([]string{"skilled-certificate-award", "skilled-living-allowance", "unemployment-skill-subsidy"}, pol.Name) {
				people = everybody[:60] // the same search over other words
			}
			var waiting []*finding.Explanation
			for some := range slices.Chunk(people, 50) {
				xs, err := finding.ExplainAll(t.Context(), conn, s, it.pack, some, pol, day)
				if err != nil {
					t.Fatal(err)
				}
				for i := range xs {
					if x := &xs[i]; x.Earliest != 0 || len(x.Rules) > 0 {
						waiting = append(waiting, x)
					}
				}
			}
			if waited += len(waiting); waiting == nil {
				return
			}
			asked := daysOf(waiting)
			later, err := finding.ScreenLater(t.Context(), conn, s, it.pack, pol, waiting, asked)
			if err != nil {
				t.Fatal(err)
			}
			earliest, rules := 0, 0
			for _, x := range waiting {
				if d := x.Earliest; d != 0 {
					earliest++
					if !later[d][x.Key()].Eligible || d > day && later[d.AddDays(-1)][x.Key()].Eligible {
						t.Errorf("%s %s: earliest %s: then %+v, the day before %+v", x.Person, x.Subject, d, later[d][x.Key()], later[d.AddDays(-1)][x.Key()])
					}
				}
				for id, d := range x.Rules {
					rules++
					if !later[d][x.Key()].Met[id] || d > day && later[d.AddDays(-1)][x.Key()].Met[id] {
						t.Errorf("%s %s: %s from %s: then %+v, the day before %+v", x.Person, x.Subject, id, d, later[d][x.Key()], later[d.AddDays(-1)][x.Key()])
					}
				}
			}
			t.Logf("%d of %d findings wait for a day, %d earliest days and %d days of rules on %d days", len(waiting), len(people), earliest, rules, len(asked))
			// Asked alone a person hears the same.
			for i := 0; i < len(waiting); i += len(waiting)/10 + 1 {
				x := waiting[i]
				alone, err := finding.Explain(t.Context(), conn, s, it.pack, x.Person, pol.Name, x.Subject, day)
				if err != nil {
					t.Fatal(err)
				}
				for _, a := range alone {
					if a.Part == x.Part {
						if d := gocmp.Diff(plain(a), plain(*x)); d != "" {
							t.Errorf("%s: alone and among others: %s", x.Person, d)
						}
					}
				}
			}
		})
	}
	if waited < 200 {
		t.Errorf("only %d findings wait for a day: the test is blind", waited)
	}
}

// daysOf are the days that explanations give, and the days before them.
func daysOf(xs []*finding.Explanation) (out []calendar.Day) {
	for _, x := range xs {
		given := []calendar.Day{x.Earliest}
		for _, d := range x.Rules {
			given = append(given, d)
		}
		for _, d := range given {
			if d != 0 {
				out = append(out, d.AddDays(-1), d)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
