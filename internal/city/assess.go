package city

import (
	"strconv"

	"bole/internal/calendar"
)

// assessor is a body that may issue skill certificates: Y, an employer for its own people, or S, a social body for anybody.
type assessor struct {
	code     string // its filing code: Y or S, four digits of the office (0000 the province's), 37, six digits of its own
	employer int    // its rank
	first    calendar.Day
}

// Filings: so many in a city of a million, and how long each holds, in months.
const (
	filedEmployers, filedSocial = 624, 40
	filingMonths                = 36
)

// perMillion scales what is told of the whole city to this one; at least so many.
func (c *city) perMillion(n, least int) int { return max(least, n*c.People/1_000_000) }

// chosen reports whether a person is one of n, who stand evenly among all.
func (c *city) chosen(p *person, n int) bool {
	n = min(n, c.People)
	return (p.place+1)*n/c.People > p.place*n/c.People
}

// file settles who is filed: the largest enterprises, and social bodies where there are any.
func (c *city) file() (of [2][]assessor) {
	c.more.seed(c.Seed^besides, 1<<42)
	from := calendar.Day((c.papers/10000-6)*10000 + 101)
	wanted := [2]int{c.perMillion(filedEmployers, 3), c.perMillion(filedSocial, 2)}
	kinds := [2]kind{enterprise, socialBody}
	for by, letter := range [...]string{"Y", "S"} {
		for rank := range c.employers {
			if len(of[by]) < wanted[by] && c.employers[rank].kind == kinds[by] {
				of[by] = append(of[by], assessor{letter + "000037" + digits(len(of[by])+1, 6), rank, from.AddDays(c.more.IntN(300))})
			}
		}
	}
	if len(of[1]) == 0 {
		of[1] = []assessor{{"S000037000001", 0, from}}
	}
	return of
}

// filings writes the filings of each body, one after another without a gap. One in fifty was cancelled lately, and what it issued after that
// day is met by no filing.
func (c *city) filings(o *out) error {
	c.more.seed(c.Seed^besides, 1<<43)
	words := [...]string{"用人单位", "社会培训评价组织"}
	for by, list := range c.assessors {
		for n, a := range list {
			e := &c.employers[a.employer]
			for filed := a.first; filed <= c.papers; filed = filed.AddMonths(filingMonths) {
				cancelled := ""
				if last := filed.AddMonths(filingMonths) > c.papers; last && n%50 == 49 {
					cancelled = filed.AddDays(c.more.IntN(1 + calendar.DaysBetween(filed, c.papers))).String()
				}
				err := o.row([]string{a.code, e.uscc, e.name, words[by], e.body.name, filed.String(), filed.AddMonths(filingMonths).AddDays(-1).String(), cancelled})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// platform is where postdoctoral researchers stay: 19 workstations to 33 bases.
type platform struct {
	code, kind string
	employer   int
}

// host settles the platforms: with the largest employers.
func (c *city) host() []platform {
	list := make([]platform, min(c.perMillion(49, 3), len(c.employers)))
	for i := range list {
		list[i] = platform{"LC-JD-" + digits(i+1, 3), "省博士后创新实践基地", i}
		if i%52 < 19 {
			list[i] = platform{"LC-GZZ-" + digits(i+1, 3), "博士后科研工作站", i}
		}
	}
	return list
}

// research writes the stays of doctors: so many of them that some 200 in a million people are in station, and all in a small city.
func (c *city) research(p *person, o *out) error {
	d := c.more
	top := len(p.degrees) - 1
	if top < 0 || p.degrees[top].level != doctor || !d.in(min(1000, 110*max(1, 40_000/c.People))) {
		return nil
	}
	entered := p.degrees[top].day.AddDays(d.between(10, 500))
	if d.in(600) { // most have come in the last years
		entered = max(entered, c.papers.AddDays(-d.IntN(900)))
	}
	if entered > c.papers {
		return nil
	}
	months := d.between(24, 48)
	at := &c.platforms[d.IntN(len(c.platforms))]
	left, how := c.known(entered.AddMonths(months)), ""
	switch {
	case left != 0:
		how = leavingWords[d.of([]int{880, 60, 60})]
	case d.in(30):
		if left = c.known(entered.AddDays(d.between(60, 500))); left != 0 {
			how = leavingWords[1]
		}
	}
	number, word := c.shown(p)
	return o.row([]string{number, word, p.name, at.kind, at.code, c.employers[at.employer].uscc, entered.String(),
		entered.AddMonths(months).String(), written0(left), how})
}

var leavingWords = [...]string{"出站", "退站", "转下一站"}

// Competitions: what is competed in, and by whom they are held with how many results in a hundred.
var (
	projects     = [...]string{"数控车", "焊接", "汽车技术", "电工", "数控铣", "健康和社会照护"}
	medalWords   = [...]string{"金牌", "银牌", "铜牌", "优胜奖"}
	competitions = [...]contest{
		{"聊城市职业技能竞赛", "市级职业技能竞赛", "一类", 62}, {"聊城市行业职业技能竞赛", "市级职业技能竞赛", "二类", 15}, {"山东省职业技能大赛", "省级职业技能大赛", "", 16},
		{"全国行业职业技能竞赛", "全国行业职业技能竞赛", "一类", 4}, {"全国技能大赛", "全国技能大赛", "", 2}, {"世界技能大赛", "世界技能大赛", "", 1},
	}
)

// contest is one kind of competition.
type contest struct {
	name, level, class string
	share              int
}

func contestLevels() (words []string) {
	for _, x := range competitions {
		words = append(words, x.level)
	}
	return words
}

// compete writes the results of few people: a competitor's, and the coach's where there was one, who share one reward.
func (c *city) compete(p *person, o *out) error {
	d := c.more
	if !c.chosen(p, c.perMillion(500, 3)) {
		return nil
	}
	var weights []int
	for _, x := range competitions {
		weights = append(weights, x.share)
	}
	x := &competitions[d.of(weights)]
	job := &p.jobs[len(p.jobs)-1]
	day := c.papers.AddDays(-d.IntN(1000))
	if !job.goesOn && day > job.lastDay() {
		day = job.lastDay()
	}
	place := d.between(1, 6)
	medal := medalWords[min(place, len(medalWords))-1]
	row := []string{p.id, p.name, strconv.Itoa(int(day/10000)) + "年" + x.name, x.level, x.class, projects[d.IntN(len(projects))], strconv.Itoa(place), medal,
		"选手", "", "", c.employers[job.employer].uscc, written(day)}
	coach := c.neighbour(p)
	if coach == nil || !d.in(600) {
		return o.row(row)
	}
	row[9], row[10] = "T"+digits(p.place, 6), "600"
	if err := o.row(row); err != nil {
		return err
	}
	row[0], row[1], row[8], row[10] = coach.id, coach.name, "教练", "400"
	return o.row(row)
}
