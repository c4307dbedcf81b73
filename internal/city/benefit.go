package city

import (
	"strconv"

	"bole/internal/calendar"
)

// dies draws the day of death of few whose work ended: in their last month of it. 0 for the living.
func (c *city) dies(p *person) calendar.Day {
	j := &p.jobs[len(p.jobs)-1]
	if j.goesOn || !c.more.in(25) {
		return 0
	}
	return j.lastDay().AddDays(-c.more.IntN(20))
}

// bury writes a death, as far as the registration has been cancelled by the cutoff; that takes some weeks.
func (c *city) bury(p *person, o *out) error {
	if p.death == 0 {
		return nil
	}
	cancelled := c.known(p.death.AddDays(c.more.between(3, 40)))
	if cancelled == 0 {
		return nil
	}
	return o.row([]string{p.id, p.name, "死亡", p.death.String(), cancelled.String()})
}

// participate writes the registrations of a career: for each employer pension and unemployment, and of some who lost their work, pension as a
// flexible worker. Who returns to an employer has one row with it.
func (c *city) participate(p *person, o *out) error {
	first := firstMonth.Add(p.jobs[0].from)
	if start := p.jobs[0].start.Month(); p.jobs[0].from == 0 && start < first {
		first = start
	}
	last := len(p.jobs) - 1
	for n := range p.jobs {
		j := &p.jobs[n]
		if c.returns(p, n) {
			continue
		}
		e := &c.employers[j.employer]
		kinds := [2]string{pensionCode, unemploymentCode}
		if e.kind.public() {
			kinds[0] = publicCode
		}
		state, since := "终止缴费", c.known(j.lastDay())
		switch {
		case j.goesOn:
			state, since = "参保缴费", c.known(j.start)
		case n == last && p.death == 0:
			state = "暂停缴费"
		}
		for _, kind := range kinds {
			err := o.row([]string{p.id, p.name, kind, state, compact(since), c.text(first), e.body.division, e.body.name, e.uscc, "单位职工"})
			if err != nil {
				return err
			}
		}
	}
	if j := &p.jobs[last]; !j.goesOn && p.death == 0 && c.more.in(150) {
		b := c.employers[j.employer].body
		return o.row([]string{p.id, p.name, pensionCode, "参保缴费", compact(c.known(j.lastDay().AddDays(1))), c.text(first), b.division, b.name, "", "灵活就业人员"})
	}
	return nil
}

// returns reports whether a later job is with the employer of job n.
func (c *city) returns(p *person, n int) bool {
	for _, later := range p.jobs[n+1:] {
		if later.employer == p.jobs[n].employer {
			return true
		}
	}
	return false
}

// compact is a day as 20241218; "" for none.
func compact(day calendar.Day) string {
	if day == 0 {
		return ""
	}
	return digits(int(day), 8)
}

// text is a month as 202412.
func (c *city) text(m calendar.Month) string { return digits(int(m), 6) }

// Series of professional titles by the chain that an employer belongs to, and levels from the lowest.
var (
	seriesOf   = map[string]string{health: "卫生", education: "中小学教师", services: "经济"}
	titleWords = [...]string{"初级", "中级", "副高级", "正高级"}
	honours    = [...]string{"齐鲁首席技师", "齐鲁首席技师", "山东省技术能手", "全国技术能手"}
)

// entitle writes professional titles of some who have a degree, and the honours of few.
func (c *city) entitle(p *person, o *out) error {
	if err := c.honour(p, o); err != nil {
		return err
	}
	d := c.more
	top := len(p.degrees) - 1
	trade := c.employers[p.jobs[len(p.jobs)-1].employer].trade
	series, share := seriesOf[trade.chain], 600
	if trade.chain != health && trade.chain != education {
		share = 120
	}
	if series == "" {
		series = "工程"
	}
	if top < 0 || p.degrees[top].level < bachelor || !d.in(share) {
		return nil
	}
	granted := max(p.degrees[top].day.AddMonths(12), p.birth.AddMonths(12*23)).AddDays(d.IntN(3000))
	if granted > c.papers {
		return nil
	}
	level := d.of([...][]int{{600, 400, 0, 0}, {200, 600, 200, 0}, {50, 450, 400, 100}}[min(2, max(0, calendar.YearsBetween(p.birth, granted)-23)/8)])
	status := "有效"
	if d.in(8) {
		status = "注销"
	}
	return o.row([]string{p.id, p.name, "专业技术职务", series, titleWords[level], "", slashed(granted), "聊城市人力资源和社会保障局",
		"37" + digits(int(granted/10000), 4) + digits(scattered(p.place, 5), 6), "", status})
}

// honour writes an honour, that of a chief technician for a term of four years.
func (c *city) honour(p *person, o *out) error {
	d := c.more
	if !c.chosen(p, c.perMillion(150, 2)) {
		return nil
	}
	granted, name, end := c.papers.AddDays(-d.IntN(2000)), honours[d.IntN(len(honours))], calendar.Day(0)
	if name == honours[0] {
		end = granted.AddMonths(48).AddDays(-1)
	}
	return o.row([]string{p.id, p.name, "荣誉称号", "", "", name, slashed(granted), "山东省人力资源和社会保障厅", "", slashed(end), "有效"})
}

// Accounts: the banks' own numbers, and how the accounts of a thousand stand.
var (
	bankCodes     = [...]string{"102", "103", "104", "105", "403", "402"}
	accountWords  = [...]string{"正常", "销户", "挂失", "冻结", "久悬"}
	accountShares = []int{972, 10, 8, 3, 7}
	classWords    = [...]string{"Ⅰ类户", "Ⅱ类户", "Ⅲ类户"}
)

// bank writes the account of seven in ten. A card begins with 1000, as no bank's does; a branch is invented.
func (c *city) bank(p *person, o *out) error {
	d := c.more
	if !d.in(700) {
		return nil
	}
	bank := bankCodes[d.IntN(len(bankCodes))]
	account := luhn("1000" + bank + digits(p.place, 6) + digits(d.IntN(100_000), 5))
	state, activated := accountWords[d.of(accountShares)], "是"
	if p.death != 0 {
		state = accountWords[1]
	}
	if d.in(80) {
		activated = "否"
	}
	return o.row([]string{p.id, documentWords[p.document], p.name, account, bank + "4710" + "9" + digits(d.IntN(1000), 3) + "1",
		classWords[d.of([]int{940, 50, 10})], activated, state, compact(c.papers.AddDays(-d.IntN(2500)))})
}

// paidFor writes what some were paid for a skill certificate before, by the policy that this pack has too.
func (c *city) paidFor(p *person, o *out, level int, number string, issued calendar.Day) error {
	d := c.more
	if level > senior || !d.in(30) {
		return nil
	}
	day := c.known(issued.AddDays(d.between(40, 300)))
	if day == 0 {
		return nil
	}
	payer, body := "本局系统启用前", ""
	if d.in(150) {
		payer, body = "县（市、区）级", bodies[d.IntN(len(bodies))].name
	}
	return o.row([]string{p.id, documentWords[p.document], p.name, payer, body, "unemployment-skill-subsidy", "失业保险技能提升补贴", "", "",
		strconv.Itoa(1000 + 500*level), slashed(day), number, "聊人社字〔" + digits(int(day/10000), 4) + "〕" + strconv.Itoa(d.between(1, 80)) + "号"})
}

// paidBefore writes a living allowance that few were paid by a district or the province, over half a year.
func (c *city) paidBefore(p *person, o *out) error {
	d := c.more
	if top := len(p.degrees) - 1; top < 0 || p.degrees[top].level < master || !d.in(60) {
		return nil
	}
	from := c.papers.Month().Add(-d.between(8, 30))
	day := from.Add(6).First().AddDays(d.between(5, 50))
	payer := [...]string{"县（市、区）级", "省级"}[d.IntN(2)]
	return o.row([]string{p.id, documentWords[p.document], p.name, payer, "", "", "青年人才生活补贴", from.String(), from.Add(5).String(),
		strconv.Itoa(6 * 1000), slashed(day), "", ""})
}
