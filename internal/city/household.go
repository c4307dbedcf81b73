package city

import (
	"cmp"
	"slices"
	"strconv"

	"bole/internal/calendar"
)

// blockSize is how many people know each other: spouses, relatives and teams are found among so many neighbours, so that nobody else need be
// remembered.
const blockSize = 64

// couple is one marriage of two people of a block, as each of them sees it.
type couple struct {
	spouse     int          // place in the block; -1 for who is not married to anybody of the city
	day, ended calendar.Day // ended: 0 while it goes on
}

// meet makes the block that begins with person i known to each other and marries some of them: a man and a woman of near age, half of all.
func (c *city) meet(i int) {
	c.near, c.couples = c.near[:0], c.couples[:0]
	for j := i; j < min(i+blockSize, c.People); j++ {
		c.near = append(c.near, c.appear(j))
		c.couples = append(c.couples, couple{spouse: -1})
	}
	c.more.seed(c.Seed^besides, 1<<41+uint64(i/blockSize))
	byAge := make([]int, len(c.near))
	for k := range byAge {
		byAge[k] = k
	}
	slices.SortFunc(byAge, func(a, b int) int {
		return cmp.Or(cmp.Compare(c.near[a].birth, c.near[b].birth), cmp.Compare(a, b))
	})
	for _, m := range byAge {
		if man := &c.near[m]; !man.female {
			c.marry(m, slices.IndexFunc(byAge, func(w int) bool {
				woman := &c.near[w]
				return woman.female && c.couples[w].spouse < 0 && woman.birth > man.birth-3_0000 && woman.birth < man.birth+7_0000
			}), byAge)
		}
	}
}

// marry draws the marriage of a man and the woman at a place of byAge, if any: from the ages of 22 and 20 on.
func (c *city) marry(man, at int, byAge []int) {
	d := c.more
	if at < 0 || !d.in(640) {
		return
	}
	woman := byAge[at]
	day := max(c.near[man].birth.AddMonths(12*22), c.near[woman].birth.AddMonths(12*20)).AddDays(d.IntN(2900))
	if day > c.papers {
		return
	}
	ended := calendar.Day(0)
	if d.in(90) {
		if ended = day.AddDays(d.between(300, 4500)); ended > c.papers {
			ended = 0
		}
	}
	c.couples[man], c.couples[woman] = couple{woman, day, ended}, couple{man, day, ended}
}

// marriage is a person's, and the spouse.
func (c *city) marriage(p *person) (couple, *person) {
	w := c.couples[p.place%blockSize]
	if w.spouse < 0 {
		return w, nil
	}
	return w, &c.near[w.spouse]
}

// neighbour is somebody else of the block, if there is one: as near in place as may be, and not the spouse.
func (c *city) neighbour(p *person) *person {
	at := p.place % blockSize
	for step := 1; step < len(c.near); step++ {
		if other := (at + step) % len(c.near); other != at && other != c.couples[at].spouse {
			return &c.near[other]
		}
	}
	return nil
}

// marital is the status in the people register. Of those who are not married to anybody of the city some are married elsewhere: the
// register of marriages is the city's own.
func (c *city) marital(p *person) string {
	d := c.more
	w, spouse := c.marriage(p)
	age := calendar.YearsBetween(p.birth, c.papers)
	shares := []int{150, 740, 90, 20}
	switch {
	case spouse != nil && w.ended == 0:
		return maritalWords[1]
	case spouse != nil:
		return maritalWords[2]
	case age < 24:
		return maritalWords[0]
	case age < 30:
		shares = []int{700, 290, 10, 0}
	}
	return maritalWords[d.of(shares)]
}

var maritalWords = [...]string{"未婚", "已婚", "离婚", "丧偶"}

// wed writes a marriage: a row for each of the two, once the one of the smaller place comes.
func (c *city) wed(p *person, o *out) error {
	w, spouse := c.marriage(p)
	if spouse == nil || spouse.place < p.place {
		return nil
	}
	row := func(a, b *person) error {
		return o.row([]string{a.id, a.name, documentWords[a.document], b.id, documentWords[b.document], w.day.String(), written0(w.ended)})
	}
	return cmp.Or(row(p, spouse), row(spouse, p))
}

// written0 is a day as 2024-12-18; "" for none.
func written0(day calendar.Day) string {
	if day == 0 {
		return ""
	}
	return day.String()
}

// slashed is a day as 2024/9/1; "" for none.
func slashed(day calendar.Day) string {
	if day == 0 {
		return ""
	}
	return strconv.Itoa(int(day/10000)) + "/" + strconv.Itoa(int(day/100%100)) + "/" + strconv.Itoa(int(day%100))
}

// known is a day if it is not after the papers' last; 0 otherwise.
func (c *city) known(day calendar.Day) calendar.Day {
	if day > c.papers {
		return 0
	}
	return day
}

// house writes the contract of a house that one in seven bought: alone, with the spouse, or with a relative too. Of a couple it is the one of the
// smaller place who buys for both.
func (c *city) house(p *person, o *out) error {
	d := c.more
	w, spouse := c.marriage(p)
	married := spouse != nil && w.ended == 0
	if !d.in(140) || married && spouse.place < p.place {
		return nil
	}
	filed := c.papers.AddDays(-d.IntN(4000))
	if filed < p.birth.AddMonths(12*22) {
		return nil
	}
	buyers := []*person{p}
	if married && filed >= w.day && d.in(700) {
		buyers = append(buyers, spouse)
	}
	if relative := c.neighbour(p); relative != nil && d.in(50) {
		buyers = append(buyers, relative)
	}
	row := c.sale(p, filed)
	for i, b := range buyers {
		row[0], row[1] = c.shown(b)
		row[2], row[4] = b.name, strconv.Itoa(shares[len(buyers)][i])
		if err := o.row(row); err != nil {
			return err
		}
	}
	return nil
}

// shares of the buyers of a house, by how many they are.
var shares = [...][]int{1: {1000}, 2: {500, 500}, 3: {400, 300, 300}}

// sale draws the house and its contract: a row without the buyer.
func (c *city) sale(p *person, filed calendar.Day) []string {
	d := c.more
	number := "LC" + digits(int(filed/10000), 4) + digits(scattered(p.place, 4), 6)
	area, use := d.between(5800, 16500), "住宅"
	if d.in(40) {
		area, use = d.between(1200, 1600), "车位"
	}
	price := area * d.between(45, 95) // yuan, of hundredths of a square metre at hundreds of yuan
	kind, notice, title := "新建商品房", filed.AddDays(d.between(10, 60)), filed.AddDays(d.between(300, 900))
	if d.in(300) {
		kind, notice, title = "存量房", 0, filed.AddDays(d.between(5, 40))
	}
	tax := c.known(title.AddDays(-d.IntN(5)))
	revoked := calendar.Day(0)
	if d.in(25) {
		if revoked = c.known(filed.AddDays(d.between(20, 200))); revoked != 0 {
			notice, title, tax = 0, 0, 0
		}
	}
	paid := ""
	if tax != 0 {
		paid = strconv.Itoa(price / 100)
	}
	place := bodies[p.county].division
	if !p.local {
		place = bodies[dongchangfu].division
	}
	return []string{"", "", "", number, "", kind, use, place, strconv.Itoa(area/100) + "." + digits(area, 2), strconv.Itoa(price), slashed(filed),
		slashed(c.known(notice)), slashed(c.known(title)), slashed(tax), paid, slashed(revoked)}
}
