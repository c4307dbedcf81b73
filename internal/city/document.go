package city

import "bole/internal/calendar"

// document is what an identity number is from.
type document int

const (
	resident document = iota
	hkMacaoResidence
	taiwanResidence
	foreignPermanent
	hkMacaoPermit
	taiwanPermit
	passport
)

var documentWords = [...]string{"居民身份证", "港澳居民居住证", "台湾居民居住证", "外国人永久居留身份证", "港澳居民来往内地通行证", "台湾居民来往大陆通行证", "护照"}

// second is another number of a person.
type second struct {
	number   string
	document document
}

// foreigner is where somebody from outside the mainland comes from: the six digits with which the number of a residence permit begins, and
// the document that was there before it. A foreigner's are 9, the province of the application (37) and the nationality (ISO 3166-1).
type foreigner struct {
	prefix string
	now    document
	before document
	letter string // with which the number before begins
}

var foreigners = [...]foreigner{
	{"810000", hkMacaoResidence, hkMacaoPermit, "H9"},
	{"820000", hkMacaoResidence, hkMacaoPermit, "M9"},
	{"830000", taiwanResidence, taiwanPermit, "9"},
	{"937410", foreignPermanent, passport, "ZZ"}, // 410 Korea
	{"937276", foreignPermanent, passport, "ZZ"}, // 276 Germany
	{"937586", foreignPermanent, passport, "ZZ"}, // 586 Pakistan
}

var (
	foreignFamily = [...]string{"KIM", "PARK", "BERG", "KHAN", "WEBER", "MALIK"}
	foreignGiven  = [...]string{"ALEX", "SAMI", "ROBIN", "NOOR", "KAI", "JONA"}
)

// document draws who has another number, or a number that is no citizen's. The digits of birth and sequence stay, and they are nobody else's.
// What stands on a travel permit or a passport begins with a 9 or ZZ, which has not been given out.
func (c *city) document(p *person) {
	d := c.more
	switch {
	case !p.local && d.in(16):
		f := &foreigners[d.IntN(len(foreigners))]
		p.document, p.division, p.id = f.now, f.prefix, idNumber(f.prefix+p.id[6:17])
		p.other = second{f.letter + digits(scattered(p.place, 3), 7), f.before}
		if f.now == foreignPermanent {
			p.name = foreignFamily[d.IntN(len(foreignFamily))] + " " + foreignGiven[d.IntN(len(foreignGiven))]
		}
	case p.local && d.in(5): // a number that was corrected: the place of registration was wrong
		former := countyOnID[(p.county+1+d.IntN(len(countyOnID)-1))%len(countyOnID)]
		if former != p.division {
			p.other = second{idNumber(former + p.id[6:17]), resident}
		}
	}
}

// oldFormsEnd is the day from which numbers have 18 digits.
const oldFormsEnd calendar.Day = 19991001

// numberThen is the number under which a paper of a day stands: the former one of some, and of 15 digits where that was the number when
// the person came to school.
func (c *city) numberThen(p *person, day calendar.Day) string {
	switch {
	case p.document == resident && p.other.number != "" && c.more.in(500):
		return p.other.number
	case p.document == resident && day < oldFormsEnd.AddMonths(12*5) && p.birth < 19840101 && p.id[14:17] < "996" && c.more.in(300):
		return oldForm(p.id)
	}
	return p.id
}

// shown is the number that a person shows where a travel permit or a passport will do, and what it is from.
func (c *city) shown(p *person) (number, word string) {
	if p.other.number != "" && c.more.in(600) {
		return p.other.number, documentWords[p.other.document]
	}
	return p.id, documentWords[p.document]
}
