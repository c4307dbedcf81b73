package city

import (
	"strconv"

	"bole/internal/calendar"
)

// job is one stretch with one employer, in months from firstMonth, both ends included.
type job struct {
	employer int // its rank
	from, to int
	start    calendar.Day // first day of work
	goesOn   bool         // at the end of the story
}

// arrivals is when people begin who count as having come lately: 2022-09.
const arrivals = 20

// entry draws the month of the first contribution, but the last two months only for those who could not come earlier.
func (c *city) entry(p *person) int {
	d := c.dice
	earliest := p.birth.AddMonths(12*youngest).Month().Index() - firstMonth.Index()
	for _, g := range p.degrees {
		if g.fullTime {
			earliest = max(earliest, g.day.Month().Index()-firstMonth.Index()+d.IntN(3))
		}
	}
	from := 0
	switch u := d.IntN(1000); {
	case u < 640:
		if earliest > 0 {
			from = earliest + d.IntN(3)
		}
	case u < 790:
		from = d.between(1, arrivals-1)
	default:
		from = d.between(arrivals, c.months-2)
		if month := firstMonth.Add(from) % 100; (month < 7 || month > 9) && d.in(350) {
			from = d.between(arrivals, c.months-2) // graduates come in summer
		}
	}
	return max(0, min(max(from, earliest), c.months-2))
}

// work draws the career: when it begins and ends, its changes of employer, a gap, two employers in one month.
func (c *city) work(p *person) []job {
	d := c.dice
	from := c.entry(p)
	p.arrived = from >= arrivals
	last := c.months - 1
	if from+4 < c.months && d.in(120) {
		last = d.between(from+2, c.months-2)
	}
	changes := 0
	if last-from >= 6 {
		changes = d.of([]int{68, 24, 8})
	}
	gap := 0
	if last-from >= 6 && d.in(135) {
		gap, changes = min(d.between(1, 14), last-from-3), max(1, changes)
	}
	jobs := make([]job, 1, 4)
	jobs[0] = job{employer: c.hire(), from: from}
	for ; changes > 0; changes-- {
		now := &jobs[len(jobs)-1]
		if last-gap-1 <= now.from+1 {
			break
		}
		next := job{employer: c.hire(), from: d.between(now.from+1, last-gap-1)}
		now.to = next.from - 1
		if gap > 0 {
			if d.in(250) {
				next.employer = now.employer // and comes back
			}
			next.from += gap
		} else if next.employer == now.employer {
			continue
		} else if d.in(38) {
			now.to++
		}
		gap = 0
		jobs = append(jobs, next)
	}
	jobs[len(jobs)-1].to = last
	for i := range jobs {
		c.begin(p, &jobs[i])
	}
	jobs[len(jobs)-1].goesOn = last == c.months-1
	return jobs
}

// begin draws the first day of work: in the month of the first contribution or the second half of the month before; years before
// for those who were there when the story begins.
func (c *city) begin(p *person, j *job) {
	d := c.dice
	month := firstMonth.Add(j.from)
	switch {
	case j.from == 0:
		month = month.Add(-d.IntN(145))
		j.start = max(month.First(), p.birth.AddMonths(12*youngest))
	case d.in(150):
		j.start = month.Add(-1).First().AddDays(15 + d.IntN(13))
	case d.in(300):
		j.start = month.First().AddDays(d.IntN(15))
	default:
		j.start = month.First()
	}
}

// lastDay is the last day of work of a job that ended.
func (j *job) lastDay() calendar.Day { return firstMonth.Add(j.to).Last() }

// What becomes of a month's contribution.
const (
	onTime = iota
	late   // collected again, some months after
	back   // paid back within a year
	failed // never
	refunded
)

// contribute writes the contributions of a career: for each month and employer pension and unemployment.
func (c *city) contribute(p *person, files []*out) error {
	wage := c.wage(p)
	var bases [16]levy // by year
	w := ledger{c: c, files: files}
	w.row[0], w.row[1] = p.id, p.name
	w.mark = "Y" + digits(p.place, 6)
	for n := range p.jobs {
		j := &p.jobs[n]
		e := &c.employers[j.employer]
		w.row[2], w.row[10] = e.uscc, e.body.division
		w.kinds = [2]string{pensionCode, unemploymentCode}
		if e.kind.public() {
			w.kinds[0] = publicCode
		}
		for year := range bases[:c.months/12+1] {
			bases[year] = levyOn(max(3700+year*200, wage))
			wage += wage * 3 / 100
		}
		if n == 0 {
			if err := c.transfer(p, &w, &bases[0]); err != nil {
				return err
			}
		}
		if err := c.spell(&w, j, e, bases[:]); err != nil {
			return err
		}
		wage = c.wage(p)
	}
	return nil
}

// wage is a monthly pay in yuan at the beginning of the story; degrees pay.
func (c *city) wage(p *person) int {
	wage := 2800 + c.dice.IntN(2200) + c.dice.IntN(2600)
	if c.dice.in(120) {
		wage += c.dice.IntN(9000)
	}
	if n := len(p.degrees); n > 0 {
		wage += 700 * (p.degrees[n-1].level + 1)
	}
	return wage
}

// ledger is the row being written and where to.
type ledger struct {
	c     *city
	files []*out
	row   [12]string
	kinds [2]string
	levy  *levy
	mark  string // of the person, at the end of every serial number
}

// levy is a base and what is paid on it for each of the two kinds, as the agency writes yuan: 24 in a hundred for pension and one for
// unemployment, the employer's part and the person's together.
type levy struct {
	base string
	paid [2]string
}

func levyOn(base int) levy {
	yuan := func(fen int) string { return strconv.Itoa(fen/100) + "." + digits(fen, 2) }
	return levy{strconv.Itoa(base), [2]string{yuan(base * 24), yuan(base)}}
}

// spell writes the months of a job. The first is always paid in time, so that everybody is in the register.
func (c *city) spell(w *ledger, j *job, e *employer, bases []levy) error {
	d := c.dice
	run, fate, settled := 0, onTime, 0 // how many months the same fate goes on, and the day of payment that they share
	for m := j.from; m <= j.to; m++ {
		if run > 0 {
			run--
		}
		if run == 0 {
			fate = onTime
			if m > j.from {
				run, fate, settled = c.fate(m)
			}
		}
		w.levy = &bases[m/12]
		regular := c.firstDay[m] + 4 + e.lag + int(mixed(uint64(j.employer)<<16|uint64(m))%3)
		var err error
		switch fate {
		case onTime:
			err = w.pay(m, normalCode, regular)
		case late:
			how := normalCode
			if settled%2 == 0 && settled <= c.lastPaid {
				how = recollectedCode
			}
			err = w.pay(m, how, settled)
		case failed:
			err = w.pay(m, normalCode, never)
		case back:
			if settled <= c.lastPaid { // before, nobody knows that it will be
				err = w.pay(m, backCode, settled)
			}
		case refunded:
			if err = w.pay(m, normalCode, regular); err == nil && regular+9 <= c.lastPaid {
				err = w.pay(m, refundCode, min(regular+9+d.IntN(30), c.lastPaid))
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// fate draws what becomes of the months from m on: how many share it and, where they are paid together later, on which day.
func (c *city) fate(m int) (run, fate, settled int) {
	d := c.dice
	switch u := d.IntN(100_000); {
	case u < 1550:
		run = d.between(1, 3)
		return run, late, c.firstDay[m+run-1+d.between(2, 4)] + d.IntN(25)
	case u < 2200:
		run = d.between(1, 4)
		return run, back, c.firstDay[m+run-1+d.between(2, 9)] + d.IntN(25)
	case u < 2720:
		return 1, failed, 0
	case u < 2930:
		return 1, refunded, 0
	}
	return 1, onTime, 0
}

const never = 1 << 30

// pay writes the two rows of a month, paid on a day counted from the first; a day that is not known yet is none. Of the last month,
// which is delivered early, what is not paid is not listed either.
func (w *ledger) pay(m int, kind string, day int) error {
	c := w.c
	w.row[4], w.row[5], w.row[6], w.row[7], w.row[8], w.row[11] = c.monthText[m], w.levy.base, kind, "否", "", ""
	if kind != normalCode {
		w.row[11] = w.mark + c.monthText[m] + kind
	}
	switch {
	case day <= c.lastPaid:
		w.row[7], w.row[8] = "是", c.dayText[day]
	case m == c.months-1:
		return nil
	}
	for i, k := range w.kinds {
		w.row[3], w.row[9] = k, "0"
		if w.row[8] != "" {
			w.row[9] = w.levy.paid[i]
		}
		if kind == refundCode {
			w.row[9] = "-" + w.row[9]
		}
		if err := w.files[m].row(w.row[:]); err != nil {
			return err
		}
	}
	return nil
}

// transfer writes the months that one arrival in a hundred brings from elsewhere; the first employer here brought them.
func (c *city) transfer(p *person, w *ledger, base *levy) error {
	d := c.dice
	if !p.arrived || !d.in(10) {
		return nil
	}
	from, months := p.jobs[0].from, d.between(6, 36)
	day := c.firstDay[from+1] + 9 + d.IntN(15)
	if day > c.lastPaid {
		return nil
	}
	w.levy = base
	here := w.row[10]
	w.row[10] = elsewhereInHome[p.place%len(elsewhereInHome)]
	for m := max(0, from-months); m < from; m++ {
		if err := w.pay(m, transferCode, day); err != nil {
			return err
		}
	}
	w.row[10] = here
	return nil
}
