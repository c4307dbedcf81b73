package web

import (
	"fmt"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/pack"
	"bole/internal/tell"
)

// The marks of a month. Hatching and shape tell them apart, not hue alone.
const (
	monthPaid     = "paid"        // full: paid when due
	monthLate     = "late"        // hatched: paid late
	monthAgain    = "recollected" // cross-hatched: a failed debit collected again
	monthBack     = "back"        // dotted: paid back for a past month
	monthTransfer = "transfer"    // barred: transferred in from elsewhere
	monthGap      = "gap"         // red cross: none, inside a career
	monthNone     = "none"        // dash: none
	monthUntold   = "untold"      // dot: no delivery tells of the month
	monthNeeded   = "needed"      // dashed box: still needed
	monthBlank    = ""            // to come, and not needed
)

var monthMarks = []string{monthPaid, monthLate, monthAgain, monthBack, monthTransfer, monthGap, monthNone, monthUntold, monthNeeded}

const (
	stripYears = 5  // shown up to the day asked about
	aheadMost  = 24 // months still needed that are drawn; the label says how many they are
	careerGap  = 12 // a longer absence is no gap in a career but a time elsewhere
)

// counts reports whether a month is one that is wanted.
func counts(w *tell.Wanted, m fact.Month) bool {
	return w.Fact.Qualities == nil || slices.ContainsFunc(w.Fact.Qualities, func(q pack.Src) bool { return q.Text == m.Quality })
}

// strip is a person's months, a figure a year.
type strip struct {
	Years   []stripYear
	Legend  []legendItem
	Earlier string // what lies before the first year shown
	Total   string // for a total: how the years add up
}

type stripYear struct {
	Year    string
	Counted string // for a total: how many months of the year count
	Ahead   bool   // only months still needed
	Cells   []cell
	Span    int // cells, 1 to 12: the class that sets the width
	Width   int // in units of the drawing
	Braces  []brace
	Spoken  string
}

type cell struct{ X, Kind, Month string }

// brace ties months to the sentence.
type brace struct {
	Path   string
	Text   string
	X      int
	Anchor string
}

type legendItem struct{ Kind, Text string }

const cellWidth = 16

// stripOf is all that a strip is drawn from. Months are numbered as calendar.Month.Index does.
type stripOf struct {
	on       calendar.Month
	from, to calendar.Month // which the register tells of; 0 when never delivered
	months   []fact.Month   // in order
	want     *tell.Wanted   // nil when the policy asks for no number of months
}

// counted are the months up to the day asked about that the wanted fact counts; all where nothing is wanted.
func (s stripOf) counted() (out []int) {
	for _, m := range s.months {
		if m.Index <= s.on.Index() && (s.want == nil || counts(s.want, m)) {
			out = append(out, m.Index)
		}
	}
	return out
}

// needed is the first and the last month that are still needed, if contributions go on: from the month after the last one recorded where that is
// the month asked about or one of the two before it, since a month is posted in the next; otherwise from the month after the one asked about.
// An explanation looks ahead in the same way. The second is before the first when none is needed.
func (s stripOf) needed() (first, last int) {
	now := s.on.Index()
	first = now + 1
	if n := len(s.months); n > 0 {
		if m := s.months[n-1].Index; m >= now-2 {
			first = m + 1
		}
	}
	if s.want == nil {
		return first, first - 1
	}
	return first, first + s.want.Lacks() - 1
}

// run is the stretch of counted months that a current run has so far, ending with the last counted; empty for a total or when the run is over.
func (s stripOf) run() (first, last int) {
	c := s.counted()
	if s.want == nil || s.want.Total || s.want.Has == 0 || len(c) == 0 {
		return 1, 0
	}
	last = c[len(c)-1]
	return last - int(s.want.Has) + 1, last
}

// kinds gives each month its mark.
func (s stripOf) kinds() map[int]string {
	out := map[int]string{}
	now := s.on.Index()
	previous := -1
	for _, m := range s.months {
		if m.Index > now {
			break
		}
		out[m.Index] = m.Quality
		if previous >= 0 && m.Index-previous-1 <= careerGap {
			for i := previous + 1; i < m.Index; i++ {
				out[i] = monthGap
			}
		}
		previous = m.Index
	}
	first, last := s.needed()
	for i := first; i <= min(last, first+aheadMost-1); i++ {
		out[i] = monthNeeded
	}
	return out
}

// kind is the mark of one month.
func (s stripOf) kind(marks map[int]string, i int) string {
	if k, ok := marks[i]; ok {
		return k
	}
	switch {
	case i > s.on.Index():
		return monthBlank
	case s.from == 0 || i < s.from.Index() || i > s.to.Index():
		return monthUntold
	}
	return monthNone
}

// strip draws the months of the last years and those still needed.
func (w words) strip(s stripOf) strip {
	var out strip
	now := s.on.Index()
	marks := s.kinds()
	first, last := s.needed()
	end := max(now, min(last, first+aheadMost-1))
	start := now/12 - stripYears + 1
	if s.from != 0 {
		start = max(start, s.from.Index()/12)
	}
	start = min(start, now/12)
	counted := s.counted()
	seen := map[string]bool{}
	for y := start; y <= end/12; y++ {
		fig := stripYear{Year: fmt.Sprint(y), Ahead: y > now/12, Span: 12}
		if fig.Ahead {
			fig.Span = min(12, end-y*12+1)
		}
		fig.Width = fig.Span * cellWidth
		tally := map[string]int{}
		for i := range fig.Span {
			k := s.kind(marks, y*12+i)
			fig.Cells = append(fig.Cells, cell{fmt.Sprint(i * cellWidth), k, calendar.MonthAt(y*12 + i).String()})
			tally[k]++
			seen[k] = true
		}
		n := within(counted, y*12, y*12+11)
		if s.want != nil && s.want.Total && n > 0 {
			fig.Counted = w.T("web.strip_counted", "n", n)
		}
		fig.Spoken = w.spoken(fig.Year, tally)
		a, b := s.run()
		fig.Braces = append(w.braces(y, a, b, "web.strip_run", b-a+1, true), w.braces(y, first, min(last, first+aheadMost-1), "web.strip_needed", last-first+1, false)...)
		out.Years = append(out.Years, fig)
	}
	if n := within(counted, 0, start*12-1); n > 0 {
		out.Earlier = w.T("web.strip_earlier", "year", start, "months", w.Months(int64(n)))
	}
	if s.want != nil && s.want.Total {
		out.Total = w.T("web.strip_total", "has", w.Months(s.want.Has), "required", w.Months(s.want.Required))
	}
	for _, k := range monthMarks {
		if seen[k] {
			out.Legend = append(out.Legend, legendItem{k, w.legend(k, s.want)})
		}
	}
	return out
}

// legend says what a mark means; of what is paid otherwise than when due it says whether it counts.
func (w words) legend(kind string, want *tell.Wanted) string {
	text := w.T("web.month_" + kind)
	if want == nil || !slices.Contains([]string{monthLate, monthAgain, monthBack, monthTransfer}, kind) {
		return text
	}
	if counts(want, fact.Month{Quality: kind}) {
		return text + w.T("web.counts")
	}
	return text + w.T("web.counts_not")
}

func (w words) spoken(year string, tally map[string]int) string {
	var parts []string
	for _, k := range monthMarks {
		if tally[k] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", w.T("web.month_"+k), tally[k]))
		}
	}
	return year + w.T("web.colon") + strings.Join(parts, w.T("tell.comma"))
}

func within(months []int, from, to int) (n int) {
	for _, m := range months {
		if m >= from && m <= to {
			n++
		}
	}
	return n
}

// braces is the part of a stretch of months that lies in a year; closed at the sides where the stretch ends there. The label stands at the end of a run
// and at the beginning of what is needed, so that the two never meet.
func (w words) braces(year, first, last int, key string, n int, run bool) []brace {
	a, b := max(first, year*12), min(last, year*12+11)
	if last < first || a > b {
		return nil
	}
	x1, x2 := (a-year*12)*cellWidth+1, (b-year*12+1)*cellWidth-1
	var p strings.Builder
	fmt.Fprintf(&p, "M%d 32", x1)
	if a == first {
		p.Reset()
		fmt.Fprintf(&p, "M%d 28v4", x1)
	}
	fmt.Fprintf(&p, "H%d", x2)
	if b == last {
		p.WriteString("v-4")
	}
	out := brace{Path: p.String()}
	label := w.T(key, "n", n)
	switch {
	case run && b == last && x2 >= w.width(label): // room to the left
		out.Text, out.X, out.Anchor = label, x2, "end"
	case run && b == last, !run && a == first:
		out.Text, out.X, out.Anchor = label, x1, "start"
	}
	return []brace{out}
}
