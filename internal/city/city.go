package city

import (
	"cmp"
	"context"
	"os"
	"path/filepath"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/pack"
)

// Options of a city. The same options give the same bytes.
type Options struct {
	People   int                         // from 1 to MostPeople: people in the insurance register, and in the people register
	Seed     uint64                      //
	Until    calendar.Month              // last month of contributions, from 2023-01 to 2030-12; it is delivered on its 18th
	Progress func(file string, rows int) // told now and then the rows of a file so far, and each file's rows at the end; may be nil
}

// MostPeople is as many people as the numbers of their papers can tell apart.
const MostPeople = 1_000_000

// File is one delivery file as its owner would send it.
type File struct {
	Register, Path   string
	Received, Cutoff calendar.Day
	Rows             int // without the headings, with the faulty ones
	Faults           []Fault
}

// Fault is a planted fault: what and where, so that a test can say that each was caught and none invented.
type Fault struct {
	Line   int    // in the file, from 1; the headings are line 1, or 2 under a title
	Column string // the register's name of the column; "" where the row as a whole is wrong
	Kind   string // one of the Fault constants
}

// The kinds of fault.
const (
	FaultCheckDigit   = "check_digit"   // an ID number whose last character is wrong
	FaultExcelNumber  = "excel_number"  // an ID number that a spreadsheet took for a number: 3.71502E+17
	FaultNoSuchDay    = "no_such_day"   // 30 February, or a thirteenth month
	FaultUnknownCode  = "unknown_code"  // a word that the code list lacks
	FaultNoValue      = "no_value"      // a required column is empty
	FaultEndsFirst    = "ends_first"    // it ends before it begins
	FaultMissingField = "missing_field" // the row has a field fewer than the headings
	FaultPaperNumber  = "paper_number"  // a certificate's or a diploma's number tells another level than the row
	FaultSign         = "sign"          // a refund that is not negative
	FaultBankNumber   = "bank_number"   // a bank's number without its twelve digits
	FaultRange        = "range"         // a number beyond what can be
)

// firstMonth is the first month of contributions in every city.
const firstMonth calendar.Month = 202101

// Write makes the city's delivery files in dir, which it creates, and a README.txt that says what they are. It returns them in the
// order in which they should be loaded: people and employers, the months of contributions, then the rest. Files appear under their
// names only when all are whole.
//
// The pack must declare the registers, headings and code words that the city's owners use. Errors: Invalid for options out of range
// or a pack that lacks one of them; the context's; Internal for a file that cannot be written.
func Write(ctx context.Context, p *pack.Pack, dir string, o Options) ([]File, error) {
	const op = "city.Write"
	if o.People < 1 || o.People > MostPeople {
		return nil, fault.New(op, fault.Invalid, "city.people_out_of_range", "most", MostPeople)
	}
	if o.Until < 202301 || o.Until > 203012 || o.Until%100 < 1 || o.Until%100 > 12 {
		return nil, fault.New(op, fault.Invalid, "city.until_out_of_range")
	}
	if err := agrees(p); err != nil {
		return nil, fault.Wrap(op, err)
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, fault.Wrap(op, err)
	}
	c := found(o)
	d, err := c.open(dir)
	if err == nil {
		err = c.fill(ctx, d)
	}
	if err == nil {
		err = d.publish()
	}
	d.discard()
	if err != nil {
		return nil, fault.Wrap(op, err)
	}
	return d.told(), nil
}

// city is what everybody shares. Months are counted from firstMonth, days of payment from its first day.
type city struct {
	Options
	months    int          // from firstMonth to Until
	paid      calendar.Day // the last day of payment that the contributions know
	papers    calendar.Day // the cutoff of all other registers
	employers []employer
	gone      []employer // on record, and employ nobody any more
	upTo      []uint64   // running sum of the employers' sizes, in the unit of sizeOf
	assessors [2][]assessor
	platforms []platform

	monthText []string // 202412
	firstDay  []int    // of a month, in days
	dayText   []string // 20241218
	lastPaid  int      // paid, in days

	near    []person // those of the present block, as they are known to each other
	couples []couple // by their places in the block

	dice dice // people, their degrees, work and contributions, and the papers of those
	more dice // everything else about a person: another register or column changes no life
}

// besides tells the seeds of city.more from those of city.dice.
const besides = 0x6265736964657321

// found lays the calendar out and settles the employers.
func found(o Options) *city {
	c := &city{Options: o, months: o.Until.Index() - firstMonth.Index() + 1, dice: newDice(), more: newDice()}
	c.paid = o.Until.First().AddDays(16)
	c.papers = o.Until.Add(-1).Last()
	day := firstMonth.First()
	for m := range c.months + 16 { // a debt is paid within 16 months of its month
		month := firstMonth.Add(m)
		c.monthText = append(c.monthText, month.First().String()[:4]+month.String()[5:])
		c.firstDay = append(c.firstDay, len(c.dayText))
		for n := 1; n <= int(month.Last()%100); n++ {
			if day <= c.paid {
				c.lastPaid = len(c.dayText)
			}
			c.dayText = append(c.dayText, c.monthText[m]+twoDigits[n])
			day = day.AddDays(1)
		}
	}
	c.settle(max(3, o.People/35))
	c.assessors = c.file()
	c.platforms = c.host()
	return c
}

// desk is the open delivery files, one a register but contributions: one a month.
type desk struct {
	people, employers, degrees, certificates, contracts, benefits *out
	contributions                                                 []*out
	deaths, participations, titles, assessors, marriages          *out
	houses, results, stays, accounts, paid                        *out
	all                                                           []*out // in the order of loading
}

func (c *city) open(dir string) (*desk, error) {
	d := &desk{}
	var err error
	add := func(l *layout, cutoff, received calendar.Day, least int) *out {
		o := &out{layout: l, least: least, stream: uint64(len(d.all))}
		o.file = File{Register: l.register, Cutoff: cutoff, Received: received,
			Path: filepath.Join(dir, l.register+"-"+cutoff.Month().String()+l.ending())}
		if err == nil {
			err = o.create(dir, c.Seed)
		}
		d.all = append(d.all, o)
		return o
	}
	least := 0
	if c.People >= 2000 {
		least = 2
	}
	other := func(l *layout) *out { return add(l, c.papers, c.Until.First().AddDays(1), least) }
	d.people, d.employers = other(&peopleLayout), other(&employersLayout)
	known := c.paid.AddDays(1)
	for m := range c.months {
		month := firstMonth.Add(m)
		cutoff, received, some := month.Last(), month.Add(1).First().AddDays(27), 0
		if received > known {
			received = known
		}
		if month == c.Until {
			cutoff = c.paid
		}
		if m == c.months-2 {
			some = 1
		}
		d.contributions = append(d.contributions, add(&contributionsLayout, cutoff, received, some))
	}
	d.degrees, d.certificates = other(&degreesLayout), other(&certificatesLayout)
	d.contracts, d.benefits = other(&contractsLayout), other(&benefitsLayout)
	d.deaths, d.participations, d.titles = other(&deathsLayout), other(&participationsLayout), other(&titlesLayout)
	d.assessors, d.marriages, d.houses = other(&assessorsLayout), other(&marriagesLayout), other(&housesLayout)
	d.results, d.stays, d.accounts, d.paid = other(&resultsLayout), other(&staysLayout), other(&accountsLayout), other(&paidLayout)
	return d, err
}

// fill writes the employers and then every person's life, one after another.
func (c *city) fill(ctx context.Context, d *desk) error {
	if err := cmp.Or(c.register(d.employers), c.filings(d.assessors)); err != nil {
		return err
	}
	for i := range c.People {
		if i%64 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		if i%4096 == 4095 {
			c.tell(d.people)
		}
		if i%blockSize == 0 {
			c.meet(i)
		}
		if err := c.live(i, d); err != nil {
			return err
		}
	}
	for _, o := range d.all {
		if err := o.finish(); err != nil {
			return err
		}
		c.tell(o)
	}
	return d.readme(filepath.Dir(d.people.file.Path))
}

func (c *city) tell(o *out) {
	if c.Progress != nil {
		c.Progress(filepath.Base(o.file.Path), o.file.Rows)
	}
}

// appear makes person i as the papers show them, and sets the dice to the beginning of their life.
func (c *city) appear(i int) person {
	c.dice.seed(c.Seed, uint64(i))
	c.more.seed(c.Seed^besides, uint64(i))
	p := c.person(i)
	c.document(&p)
	return p
}

// live makes person i and everything that a register holds about them.
func (c *city) live(i int, d *desk) error {
	p := c.appear(i)
	p.degrees = c.study(&p)
	p.jobs = c.work(&p)
	p.death = c.dies(&p)
	return cmp.Or(
		c.enrol(&p, d.people),
		c.contribute(&p, d.contributions),
		c.graduate(&p, d.degrees),
		c.certify(&p, d.certificates, d.paid),
		c.contract(&p, d.contracts),
		c.benefit(&p, d.benefits),
		c.bury(&p, d.deaths),
		c.participate(&p, d.participations),
		c.entitle(&p, d.titles),
		c.wed(&p, d.marriages),
		c.house(&p, d.houses),
		c.compete(&p, d.results),
		c.research(&p, d.stays),
		c.bank(&p, d.accounts),
		c.paidBefore(&p, d.paid),
	)
}

// told is the files in the order of loading.
func (d *desk) told() []File {
	files := make([]File, len(d.all))
	for i, o := range d.all {
		files[i] = o.file
	}
	return files
}
