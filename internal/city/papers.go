package city

import (
	"strconv"

	"bole/internal/calendar"
)

// degree is one diploma on record.
type degree struct {
	level    int // a place in levelCodes
	fullTime bool
	day      calendar.Day
}

// onRecordFrom is the first year whose graduations are in the register.
const onRecordFrom = 2001

// study draws the degrees on record, in order of level.
func (c *city) study(p *person) []degree {
	d := c.dice
	born, age := int(p.birth/10000), calendar.YearsBetween(p.birth, c.papers)
	if !d.in(hasDegree(age)) {
		return nil
	}
	top := degree{level: d.of([]int{480, 430, 75, 15})}
	top.fullTime = d.in([...]int{815, 810, 840, 960}[top.level])
	usual := [...]int{21, 22, 25, 29}[top.level]
	year := born + usual + d.IntN(2)
	if top.fullTime && year < onRecordFrom {
		top.fullTime, top.level = false, min(top.level, bachelor)
	}
	if !top.fullTime {
		first, last := max(onRecordFrom, born+usual+2), min(int(c.papers/10000), born+44)
		if first > last {
			return nil
		}
		year = d.between(first, last)
	}
	top.day = c.graduation(year, top.fullTime)
	if top.day > c.papers { // still a student: nothing yet
		return nil
	}
	return append(c.before(top), top)
}

// hasDegree is how many of a thousand people of an age have a degree on record.
func hasDegree(age int) int {
	switch {
	case age < 23:
		return 412
	case age < 45:
		return 362
	}
	return 120
}

// before draws the lower degrees that a degree was built on, where they are on record too.
func (c *city) before(top degree) (lower []degree) {
	d := c.dice
	add := func(level, years, share int) {
		year := int(top.day/10000) - years
		if year >= onRecordFrom && d.in(share) {
			lower = append(lower, degree{level, true, c.graduation(year, true)})
		}
	}
	switch {
	case top.level == doctor:
		add(bachelor, 7, 600)
		add(master, 4, 800)
	case top.level == master:
		add(bachelor, 3, 700)
	case top.level == bachelor && !top.fullTime:
		add(college, 3, 350)
	}
	return lower
}

// graduation draws a day of a year: in July as a rule, in late June often, in winter for part-time courses.
func (c *city) graduation(year int, fullTime bool) calendar.Day {
	d := c.dice
	on := func(month, day int) calendar.Day { return calendar.Day(year*10000 + month*100 + day) }
	winter := 60
	if !fullTime {
		winter = 360
	}
	switch {
	case d.in(winter):
		return on(1, d.between(5, 15))
	case d.in(250):
		return on(6, d.between(18, 30))
	case d.in(700):
		return on(7, 1)
	}
	return on(7, d.between(2, 10))
}

// Schools, by their five-digit codes, the nearer the oftener.
var (
	collegesOf     = [...]string{"12441", "12441", "12441", "10832", "12324", "12328", "12329", "12335", "12391", "12396", "12440", "10442"}
	universitiesOf = [...]string{"10447", "10447", "10447", "10427", "10429", "10431", "10433", "10434", "10445", "10446", "10452", "10456", "10422", "10424", "11065", "11066"}
)

// majors are what was studied; nothing depends on them.
var majors = [...]string{"机械设计制造及其自动化", "化学工程与工艺", "车辆工程", "护理学", "会计学", "计算机科学与技术", "汉语言文学", "机电一体化技术", "药学"}

// graduate writes the degrees, with diploma numbers of 18 digits: school, kind of school, year, level, serial.
func (c *city) graduate(p *person, o *out) error {
	d := c.dice
	serial := digits(scattered(p.place, 0), 6)
	for _, g := range p.degrees {
		school := universitiesOf[d.IntN(len(universitiesOf))]
		if g.level == college {
			school = collegesOf[d.IntN(len(collegesOf))]
		}
		form, form1, year := "全日制", "1", strconv.Itoa(int(g.day/10000))
		if !g.fullTime {
			form, form1 = "非全日制", "5"
		}
		diploma, degreeNo, overseas := school+form1+year+levelCodes[g.level]+serial, "", "否"
		if missing := 40; g.level != college {
			if !g.fullTime {
				missing = 350
			}
			if !d.in(missing) {
				degreeNo = school + [...]string{bachelor: "4", master: "3", doctor: "2"}[g.level] + year + serial
			}
		}
		if g.level != college && g.fullTime && d.in(48) { // one certificate of recognition stands for both
			overseas, school = "是", ""
			diploma = year + strconv.Itoa(g.level) + serial
			degreeNo = diploma
		}
		day := year + "/" + strconv.Itoa(int(g.day/100%100)) + "/" + strconv.Itoa(int(g.day%100))
		degreeDay, recognition, kind := "", "", map[bool]string{true: "普通高等教育", false: "成人高等教育"}[g.fullTime]
		if degreeNo != "" {
			degreeDay = day
		}
		if overseas == "是" {
			recognition = diploma
		}
		err := o.row([]string{c.numberThen(p, g.day), p.name, school, levelCodes[g.level], form, day, diploma, degreeNo, overseas,
			kind, majors[(p.place+g.level)%len(majors)], degreeDay, recognition})
		if err != nil {
			return err
		}
	}
	return nil
}

// Shares of levels among certificates, and of the years of their issue: this year, the year before, and so on.
var (
	skillShares = []int{268, 350, 292, 68, 18, 2, 2}
	yearShares  = []int{40, 28, 12, 8, 7, 5}
)

// certify writes the skill certificates, with numbers of 22 characters.
func (c *city) certify(p *person, o, paid *out) error {
	d := c.dice
	e := &c.employers[p.jobs[len(p.jobs)-1].employer]
	share := 168
	if e.kind.public() {
		share = 40
	}
	if !d.in(share) {
		return nil
	}
	level := d.of(skillShares)
	occupation := e.trade.occupations[d.IntN(len(e.trade.occupations))]
	issued := c.issueDay(p)
	if earlier := issued.AddMonths(-d.between(10, 30)); level > junior && d.in(150) && c.couldSit(p, earlier) {
		if err := c.certificate(p, o, paid, d.IntN(min(level, senior+1)), occupation, earlier); err != nil {
			return err
		}
	}
	return c.certificate(p, o, paid, level, occupation, issued)
}

// issueDay draws a day up to the cutoff, of a year when the person was old enough.
func (c *city) issueDay(p *person) calendar.Day {
	d := c.dice
	for {
		year := int(c.papers/10000) - d.of(yearShares)
		day := calendar.Month(year*100 + d.between(1, 12)).First().AddDays(d.IntN(28))
		if day <= c.papers && (year == int(c.papers/10000) || c.couldSit(p, day)) {
			return day
		}
	}
}

func (c *city) couldSit(p *person, on calendar.Day) bool {
	return calendar.YearsBetween(p.birth, on) >= 17 && int(on/10000) > int(c.papers/10000)-len(yearShares)
}

// certificate writes one. Its number: Y for an employer's or S for a social body's assessment, body filed (four digits, 0000 at the
// province; province; serial of the body), year, digit of the level, serial. The two levels above the five have two letters instead.
func (c *city) certificate(p *person, o, paid *out, level int, occupation string, issued calendar.Day) error {
	d := c.dice
	by, assessor := 0, d.between(1, 624)
	if level < specialTechnician && d.in(400) {
		by, assessor = 1, d.between(1, 40)
	}
	issuer := c.assessors[by][(assessor-1)%len(c.assessors[by])].code
	year, serial := twoDigits[issued/10000%100], digits(scattered(p.place, 1), 6)
	number := issuer + year + strconv.Itoa(5-min(level, 4)) + serial
	switch level {
	case specialTechnician:
		number = "YT" + issuer[1:] + year + serial
	case chiefTechnician:
		number = "YS" + issuer[1:] + year + serial
	}
	status := "有效"
	if d.in(10) {
		status = "注销"
	}
	if err := o.row([]string{p.id, p.name, number, occupation, skillWords[level], issuer, issued.String(), status, "职业技能等级证书"}); err != nil {
		return err
	}
	return c.paidFor(p, paid, level, number, issued)
}

// Terms of contracts in months, and their shares; 0 is open-ended.
var (
	terms      = [...]int{12, 24, 36, 60, 0}
	termShares = []int{15, 12, 45, 18, 10}
)

// contract writes the contracts filed for the jobs: one after another until the job ends, the third as a rule open-ended. Public
// bodies file none here. Contracts that ended before 2019 are not on record.
func (c *city) contract(p *person, o *out) error {
	d := c.dice
	for n := range p.jobs {
		j := &p.jobs[n]
		e := &c.employers[j.employer]
		if e.kind.public() || !d.in(800) {
			continue
		}
		form := "全日制用工"
		if d.in(30) {
			form = "非全日制用工"
		}
		for start, ordinal := j.start, 1; start <= c.papers && (j.goesOn || start <= j.lastDay()); ordinal++ {
			kind, end := c.term(start, ordinal)
			if !j.goesOn && (end == 0 || end > j.lastDay()) {
				end = j.lastDay()
			}
			if end == 0 || end >= 20190101 {
				number := "3715" + digits(int(start.Month()), 6) + digits(scattered(p.place, 2), 6) + digits(n+1, 1) + twoDigits[ordinal]
				terminated, user := calendar.Day(0), ""
				if !j.goesOn && end == j.lastDay() {
					terminated = end
				}
				if e.trade.dispatch { // to one of the large ones
					user = c.employers[p.place%max(1, len(c.employers)/large)].uscc
				}
				if err := o.row([]string{p.id, p.name, e.uscc, number, kind, form, written(start), written(end), written(terminated), e.body.division, user}); err != nil {
					return err
				}
			}
			if end == 0 {
				break
			}
			start = end.AddDays(1)
		}
	}
	return nil
}

// term draws a contract's kind and last day; none for an open-ended one.
func (c *city) term(start calendar.Day, ordinal int) (kind string, end calendar.Day) {
	d := c.dice
	months := terms[d.of(termShares)]
	switch {
	case ordinal > 2 && d.in(700), months == 0:
		return openEnded, 0
	case d.in(10):
		return byTask, start.AddMonths(d.between(6, 18)).AddDays(-1)
	}
	return fixedTerm, start.AddMonths(months).AddDays(-1)
}

// written is a day as contracts have it: 2024年9月1日; "" for none.
func written(day calendar.Day) string {
	if day == 0 {
		return ""
	}
	return strconv.Itoa(int(day/10000)) + "年" + strconv.Itoa(int(day/100%100)) + "月" + strconv.Itoa(int(day%100)) + "日"
}

// benefit writes the unemployment benefit that some draw who lost a job with an enterprise after a year or more of insurance: once
// a person, until they work again.
func (c *city) benefit(p *person, o *out) error {
	if p.death != 0 {
		return nil
	}
	d := c.dice
	insured := 0
	for n, j := range p.jobs {
		insured += j.to - j.from + 1
		again := c.months + 24
		if n+1 < len(p.jobs) {
			again = p.jobs[n+1].from
		}
		first := j.to + 1
		eligible := !j.goesOn && c.employers[j.employer].kind == enterprise && insured >= 12 && again-first >= 2
		if !eligible || firstMonth.Add(first).First() > c.papers || !d.in(45) {
			continue
		}
		last := min(first+d.between(3, 12)-1, again-1)
		return o.row([]string{p.id, p.name, firstMonth.Add(first).String(), firstMonth.Add(last).String()})
	}
	return nil
}
