package web

import (
	"fmt"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/locale"
	"bole/internal/pack"
)

func TestStretchesShowTheGapsInTheLaw(t *testing.T) {
	day := func(d calendar.Day) *calendar.Day { return &d }
	cases := []struct {
		name string
		p    *pack.Policy
		want string
	}{
		{"an open version", &pack.Policy{Versions: []*pack.Version{{From: 20220916}}}, "1 2022-09-16.."},
		{"a gap between, and one after the last", &pack.Policy{Versions: []*pack.Version{{From: 20170101, To: day(20201231)}, {From: 20220101, To: day(20221231)}}},
			"1 2017-01-01..2020-12-31; ? 2021-01-01..2021-12-31; 2 2022-01-01..2022-12-31; ? 2023-01-01.."},
		{"versions that meet", &pack.Policy{Versions: []*pack.Version{{From: 20170101, To: day(20171231)}, {From: 20180101}}}, "1 2017-01-01..2017-12-31; 2 2018-01-01.."},
		{"a policy that ended with its version", &pack.Policy{Versions: []*pack.Version{{From: 20170101, To: day(20171231)}}, Ended: &pack.Ended{On: 20171231}}, "1 2017-01-01..2017-12-31"},
		{"a policy that ended after its version", &pack.Policy{Versions: []*pack.Version{{From: 20170101, To: day(20171231)}}, Ended: &pack.Ended{On: 20180630}},
			"1 2017-01-01..2017-12-31; ? 2018-01-01..2018-06-30"},
		{"an open version of a policy that ended", &pack.Policy{Versions: []*pack.Version{{From: 20170101}}, Ended: &pack.Ended{On: 20180630}}, "1 2017-01-01..2018-06-30"},
	}
	for _, c := range cases {
		var got []string
		for _, s := range stretches(c.p) {
			name := "?"
			if s.version != nil {
				name = fmt.Sprint(s.number)
			}
			got = append(got, name+" "+s.from.String()+".."+s.to.String())
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// On the line of every shipped policy nothing overlaps and nothing leaves the drawing.
func TestTimelineHasRoom(t *testing.T) {
	p, err := shipped()
	if err != nil {
		t.Fatal(err)
	}
	for _, lang := range []locale.Lang{locale.Zh, locale.En} {
		v := &visit{words: inWords(lang), pack: p}
		for _, pol := range p.Policies {
			line := v.timeline(pol, today)
			at := 0
			taken := map[int]int{}
			for _, b := range line.Boxes {
				if b.X < at || b.X+b.Width > timelineWidth {
					t.Errorf("%s %s: %s lies at %d+%d, after %d", lang, pol.Name, b.Name, b.X, b.Width, at)
				}
				at = b.X + b.Width
				for _, l := range b.Labels {
					if l.X < taken[l.Y] || l.Y > line.Height || l.X+v.width(l.Text) > timelineWidth {
						t.Errorf("%s %s: the label %q at %d,%d has no room", lang, pol.Name, l.Text, l.X, l.Y)
					}
					taken[l.Y] = l.X + v.width(l.Text)
				}
			}
			if line.Now < 0 || line.Now > timelineWidth {
				t.Errorf("%s %s: today lies at %d", lang, pol.Name, line.Now)
			}
		}
	}
}
