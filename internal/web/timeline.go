package web

import (
	"fmt"

	"bole/internal/calendar"
	"bole/internal/locale"
	"bole/internal/pack"
)

// timeline is the versions of a policy drawn on a line of days, in units of an SVG that is timelineWidth wide.
type timeline struct {
	Height  int
	Boxes   []timeBox
	Years   []tick
	Now     int // where the day of the run is
	NowEnd  bool
	Spoken  string
	NowText string
}

type timeBox struct {
	X, Width int
	Name     string
	Kind     string // past, now, gap
	Labels   []label
	Title    string // shown on hover: everything
}

type label struct {
	X, Y int
	Text string
	Kind string // n for the value, m for the note
}

type tick struct {
	X    int
	Text string
}

const (
	timelineWidth = 1300
	timelineEdge  = 8
	boxTop        = 30
	boxBottom     = 64
	labelHeight   = 17
)

// timeline lays the versions out from the first to a quarter of a year after the last, or after the day of the run.
func (v *visit) timeline(p *pack.Policy, on calendar.Day) timeline {
	ss := stretches(p)
	first, last := ss[0].from, on
	for _, s := range ss {
		last = max(last, s.from, s.to)
	}
	last = last.AddMonths(3)
	span := calendar.DaysBetween(first, last)
	at := func(d calendar.Day) int {
		return timelineEdge + calendar.DaysBetween(first, d)*(timelineWidth-2*timelineEdge)/span
	}
	t := timeline{Now: at(max(on, first)), NowText: v.T("web.on_day", "day", on), Spoken: v.T("web.versions")}
	t.NowEnd = t.Now > timelineWidth/2
	var rows [4]int // up to where each row of labels is taken
	used := 0
	for i, r := range v.versions(p, on) {
		s := ss[i]
		end := last
		if s.to != 0 {
			end = s.to.AddDays(1)
		}
		b := timeBox{X: at(s.from), Name: r.Name, Kind: "past", Title: r.From + " – " + r.To}
		b.Width = max(3, at(end)-b.X-3)
		switch {
		case r.Gap:
			b.Kind = "gap"
		case r.Now:
			b.Kind = "now"
		}
		row := 0
		place := func(text, kind string) {
			if text == "" {
				return
			}
			for row < len(rows)-1 && rows[row] > b.X {
				row++
			}
			if rows[row] > b.X {
				return // no room: the title still says it
			}
			rows[row] = b.X + v.width(text) + 4
			used = max(used, row+1)
			b.Labels = append(b.Labels, label{min(b.X, timelineWidth-v.width(text)), boxBottom + 20 + labelHeight*row, text, kind})
			row++
		}
		for _, value := range r.Values {
			place(value, "n")
			b.Title += " " + value
		}
		if row < len(rows) && !r.Gap {
			place(r.Note, "m")
		} else if r.Gap {
			place(gapLabel(v, s), "m")
		}
		if r.Note != "" {
			b.Title += " " + r.Note
		}
		t.Spoken += fmt.Sprintf("; %s %s", r.Name, b.Title)
		t.Boxes = append(t.Boxes, b)
	}
	t.Height = boxBottom + 8 + labelHeight*used
	for y := int(first / 10000); y <= int(last/10000); y++ {
		if d, err := calendar.Date(y, 1, 1); err == nil && d >= first && d <= last {
			t.Years = append(t.Years, tick{at(d), fmt.Sprint(y)})
		}
	}
	return t
}

func gapLabel(v *visit, s stretch) string {
	if s.last {
		return v.T("web.gap_after")
	}
	return v.T("web.gap")
}

// width estimates how wide a text of 12 px is: a Chinese character is as wide as it is high.
func (w words) width(text string) int {
	n := 0
	for _, r := range text {
		if r >= 0x2E80 && w.Lang != locale.En {
			n += 12
		} else {
			n += 7
		}
	}
	return n
}
