package city

import "bole/internal/calendar"

// person is one life, for as long as its rows are written.
type person struct {
	place    int // from 0, in the city
	id, name string
	document document     // what the id is from
	other    second       // another number of the person; none for nearly all
	death    calendar.Day // 0 for the living
	female   bool
	birth    calendar.Day
	local    bool // born in the city
	county   int  // of birth, a place in bodies; meaningless for those born elsewhere
	division string
	degrees  []degree // the highest last
	jobs     []job    // in order; never none
	arrived  bool     // began in the city in or after 2022-09
}

// Where people come from. A birth place's code on an ID number is that of its day: 3725xx until 1996, and 茌平 was 371523 until 2019.
var (
	countyWeights   = []int{20, 9, 12, 15, 6, 12, 8, 13}
	countyOnID      = [...]string{"371502", "371523", "371521", "371522", "371524", "371525", "371526", "371581"}
	countyOnOldID   = [...]string{"372501", "372524", "372522", "372523", "372525", "372526", "372527", "372502"}
	elsewhereOnID   = [...]string{"130434", "130426", "130435", "130402", "130534", "130581", "410902", "410926", "410922", "410923", "341202", "341602", "140105", "220102", "230102", "620102"}
	elsewhereInHome = [...]string{"370102", "370105", "371402", "371425", "370902", "370811", "371702"}
)

// Ages at the end of a city's story.
const (
	youngest, oldest = 18, 60
	// birthClasses is how many classes of days people are born on. A person's place fixes the class of their day and their sequence
	// among those born on such days, so two people can never have one number, in whatever order they are made.
	birthClasses = 2048
	sequences    = 499 // of a day, place and sex
)

// ageWeight is how frequent an age is among the insured; women retire from 50 on.
func ageWeight(age int, female bool) int {
	switch {
	case age < youngest || age > oldest || female && age > 55:
		return 0
	case age < 22:
		return 4
	case age < 25:
		return 16
	case age < 35:
		return 44
	case age < 45:
		return 42
	case age < 50:
		return 36
	case female:
		return 10
	case age < 55:
		return 30
	}
	return 22
}

func (c *city) person(i int) person {
	d := c.dice
	p := person{place: i, female: d.in(460), local: d.in(880)}
	class := int((uint64(i)*1_367 + mixed(c.Seed)) % birthClasses)
	p.birth = c.bornIn(class, p.female)
	p.name = nameIn(d, p.female)
	p.county = d.of(countyWeights)
	switch year := int(p.birth / 10000); {
	case !p.local:
		p.division = elsewhereOnID[d.IntN(len(elsewhereOnID))]
	case year < 1980 && d.in(900), year >= 1980 && year < 1997 && d.in(150):
		p.division = countyOnOldID[p.county]
	default:
		p.division = countyOnID[p.county]
	}
	slot := (i/birthClasses + int(mixed(c.Seed+uint64(class))%sequences)) % sequences
	sequence := 2*slot + 1
	if p.female {
		sequence++
	}
	p.id = idNumber(p.division + digits(int(p.birth), 8) + digits(sequence, 3))
	return p
}

// bornIn draws a birthday among the days of a class: every birthClasses-th day of the years of birth of working people.
func (c *city) bornIn(class int, female bool) calendar.Day {
	eldest := c.papers.AddMonths(-12 * (oldest + 1)).AddDays(1)
	var days [16]calendar.Day
	var weights [16]int
	n := 0
	for n < len(days) {
		day := eldest.AddDays(class + n*birthClasses)
		if day > c.papers {
			break
		}
		days[n], weights[n] = day, ageWeight(calendar.YearsBetween(day, c.papers), female)
		n++
	}
	return days[c.dice.of(weights[:n])]
}

// enrol writes the person into the people register.
func (c *city) enrol(p *person, o *out) error {
	d := c.dice
	sex, phone := "男", ""
	if p.female {
		sex = "女"
	}
	if d.in(700) {
		phone = "100" + digits(d.IntN(100_000_000), 8)
	}
	home, day := c.home(p)
	since := day.String()
	if p.document != resident { // a household register has citizens only
		home, since = "", ""
	}
	other := ""
	if p.other.number != "" {
		other = documentWords[p.other.document]
	}
	return o.row([]string{p.id, p.name, sex, p.birth.String(), phone, home, since, documentWords[p.document], p.other.number, other, c.marital(p)})
}

// home is where the household is registered and since when: since birth for those who never moved.
func (c *city) home(p *person) (string, calendar.Day) {
	d := c.dice
	moved := func() calendar.Day { // as a grown person, often about the time of the first job
		day := p.jobs[0].start.AddDays(d.IntN(400) - 60)
		if d.in(400) {
			day = p.birth.AddMonths(12*18 + d.IntN(12*20))
		}
		return max(p.birth.AddMonths(12*16), min(day, c.papers.AddDays(-d.IntN(90))))
	}
	switch {
	case p.local && d.in(800):
		return bodies[p.county].division, p.birth
	case p.local && d.in(430):
		return bodies[d.of(countyWeights)].division, moved()
	case p.local:
		return elsewhereInHome[d.IntN(len(elsewhereInHome))], moved()
	case d.in(230):
		return bodies[d.of(countyWeights)].division, moved()
	}
	return p.division, p.birth
}
