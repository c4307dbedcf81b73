package city

import (
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
)

// kind is what an employer is.
type kind int

const (
	enterprise kind = iota
	institution
	government
	socialBody
	soleTrader
)

var (
	kindWords = [...]string{"企业", "事业单位", "机关", "社会组织", "个体工商户"}
	kindUSCC  = [...]string{"91", "12", "11", "52", "92"} // registration authority and kind of body
	kindEnds  = [...]string{"有限公司", "", "", "", ""}
	kindShare = [...]int{860, 50, 30, 25, 35} // of a thousand employers
)

// public reports whether the employer pays the public bodies' pension.
func (k kind) public() bool { return k == institution || k == government }

// employer is one employer of the city; its place in city.employers is its rank by size, from the largest.
type employer struct {
	uscc, name string
	kind       kind
	trade      *trade
	body       *body
	lag        int // days from the fifth of a month to its payment: early 0 to 10, late 13 to 46
}

// earlyShare is how many of a thousand insured work for employers that pay within the month itself.
const earlyShare = 610

// settle makes n employers.
func (c *city) settle(n int) {
	d := c.dice
	d.seed(c.Seed, 1<<40)
	c.employers = make([]employer, n)
	c.upTo = make([]uint64, n)
	used := map[string]bool{}
	total, early := uint64(0), uint64(0)
	for rank := range c.employers {
		e := &c.employers[rank]
		e.kind = c.kindOf(rank)
		e.trade = tradeOf(d, e.kind, rank < n/large)
		e.body = &bodies[e.trade.bodies[d.IntN(len(e.trade.bodies))]]
		e.uscc = uscc(kindUSCC[e.kind], e.body.division, rank*570_397%ghostSerial)
		e.name = nameOf(d, e, used)
		size := sizeOf(rank, n)
		if early*1000 <= total*earlyShare {
			e.lag = d.IntN(11)
			early += size
		} else if e.lag = d.between(13, 30); d.in(250) {
			e.lag = d.between(31, 46)
		}
		total += size
		c.upTo[rank] = total
	}
	for i := range n/40 + 2 {
		e := employer{kind: enterprise}
		e.trade = tradeOf(d, e.kind, false)
		e.body = &bodies[e.trade.bodies[d.IntN(len(e.trade.bodies))]]
		e.uscc = uscc(kindUSCC[e.kind], e.body.division, (n+i)*570_397%ghostSerial)
		e.name = nameOf(d, &e, used)
		c.gone = append(c.gone, e)
	}
}

// sizeOf is the size of the employer of a rank among n, in no particular unit: sizes fall with the rank as in Zipf's law, flattened
// so that the largest hundredth holds about a third whatever n is.
func sizeOf(rank, n int) uint64 { return 1e12 / uint64(10_000*rank+5_000+10*n) }

// large says which employers are large: the first of so many.
const large = 50

// kindOf draws what the employer of a rank is: the large ones are enterprises and hospitals, and no sole trader is of middle size.
func (c *city) kindOf(rank int) kind {
	k, n := kind(c.dice.of(kindShare[:])), len(c.employers)
	small := k == soleTrader && rank < n*2/5 || k != institution && rank < n/large
	if small || rank < 3 {
		return enterprise
	}
	return k
}

// tradeOf draws a trade of a kind of employer; a large one's is of those that grow large.
func tradeOf(d dice, k kind, isLarge bool) *trade {
	weights := make([]int, len(trades[k]))
	for i, t := range trades[k] {
		if !isLarge || slices.Contains(largeTrades, t.word) {
			weights[i] = t.weight
		}
	}
	return &trades[k][d.of(weights)]
}

// nameOf is 聊城, two invented characters, the trade and the form; three characters where two are used up.
func nameOf(d dice, e *employer, used map[string]bool) string {
	for try := 0; ; try++ {
		middle := firstSyllables[d.IntN(len(firstSyllables))] + secondSyllables[d.IntN(len(secondSyllables))]
		if try > 6 {
			middle += secondSyllables[d.IntN(len(secondSyllables))]
		}
		if name := "聊城" + middle + e.trade.word + kindEnds[e.kind]; !used[name] {
			used[name] = true
			return name
		}
	}
}

// hire draws an employer, the large ones as often as they are large.
func (c *city) hire() int {
	n := c.dice.Uint64N(c.upTo[len(c.upTo)-1])
	lo, hi := 0, len(c.upTo)-1
	for lo < hi {
		if mid := (lo + hi) / 2; n < c.upTo[mid] {
			hi = mid
		} else {
			lo = mid + 1
		}
	}
	return lo
}

// register writes the employers, in the order of their codes as far as a register has one: not by size.
func (c *city) register(o *out) error {
	n := len(c.employers)
	step := n*5/8 | 1
	for gcd(step, n) != 1 {
		step += 2
	}
	sizes := make([]int, n)
	for rank := range sizes {
		sizes[rank] = int(sizeOf(rank, n) * uint64(c.People) / c.upTo[n-1])
	}
	c.more.seed(c.Seed^besides, 1<<40)
	for i := range n {
		rank := (i*step + 1) % n
		e := &c.employers[rank]
		dispatch := "否"
		if e.trade.dispatch {
			dispatch = "是"
		}
		if err := o.row(append([]string{e.uscc, e.name, kindWords[e.kind], e.trade.industry, e.trade.chain, e.body.name, dispatch}, c.standing(e, sizes[rank], "存续")...)); err != nil {
			return err
		}
	}
	for i := range c.gone {
		e := &c.gone[i]
		row := []string{e.uscc, e.name, kindWords[e.kind], e.trade.industry, e.trade.chain, e.body.name, "否"}
		if err := o.row(append(row, c.standing(e, 0, goneWords[i%len(goneWords)])...)); err != nil {
			return err
		}
	}
	return nil
}

// goneWords are how an employer is gone.
var goneWords = [...]string{"注销", "注销", "迁出", "吊销"}

// standing is what the register says of an employer beside its trade and place: its state and size, and its marks with their years.
func (c *city) standing(e *employer, heads int, state string) []string {
	d := c.more
	founded := calendar.Day(20000101).AddDays(d.between(-2500, 3200))
	since := founded
	if state != "存续" {
		founded = firstMonth.First().AddDays(-d.between(400, 3000))
		since = c.papers.AddDays(-d.between(20, 900))
	}
	edition, tax, agency := "2017", e.body.division, "否"
	if e.trade.industry == "3451" && d.in(50) { // 轴承制造, as it was called then
		edition = "2011"
	}
	if d.in(15) {
		tax = bodies[d.IntN(len(bodies))].division
	}
	if e.trade.dispatch && d.in(700) {
		agency = "是"
	}
	year := int(c.papers / 10000)
	above, highTech, specialised := "", [2]string{}, [2]string{}
	span := func(years int) [2]string {
		from := year - d.IntN(years+2)
		return [2]string{strconv.Itoa(from), strconv.Itoa(from + years - 1)}
	}
	if e.kind == enterprise && heads >= 20 {
		above = strconv.Itoa(year - d.IntN(2))
		if d.in(140) {
			highTech = span(3)
		}
		if d.in(110) {
			specialised = span(3)
		}
	}
	dishonest := "否"
	if d.in(4) {
		dishonest = "是"
	}
	return []string{founded.String(), state, since.String(), edition, e.body.division, tax, sizeWord(heads), above,
		highTech[0], highTech[1], specialised[0], specialised[1], dishonest, agency}
}

// sizeWord is the size by people, as for industry.
func sizeWord(heads int) string {
	switch {
	case heads < 20:
		return "微型"
	case heads < 300:
		return "小型"
	case heads < 1000:
		return "中型"
	}
	return "大型"
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func bodyWords() (words []string) {
	for _, b := range bodies {
		words = append(words, b.name)
	}
	return words
}

func chainWords() (words []string) {
	for _, list := range trades {
		for _, t := range list {
			words = append(words, t.chain)
		}
	}
	return words
}

var (
	firstSyllables  = strings.Split("鲁 运 昌 泰 衡 沐 晟 岱 沂 汶 漯 徒 卫 湄 凤 麦 穗 杏 柳 荷 桥 舟 帆 棠 槐 榆 桐 梓 楸 樾 澜 泓 沛 渊 源 景 昭 昀 晏 晴 霁 朗 煦", " ")
	secondSyllables = strings.Split("岚 蔚 棣 楹 黍 菽 稷 粱 笙 簧 篪 璜 琚 珩 璟 瑾 琮 钧 钰 铎 镝 铄 锦 镕 弘 弈 承 稔 秋 筠 篁 笃 谨 慎 恪 崇 彦 甫 仲", " ")
)
