package vault

import (
	"strconv"
	"strings"
	"unicode"

	"bole/internal/calendar"
)

// Kinds of identity document. The codes are stable; a pack's code list of document kinds uses the same.
const (
	KindResident         = "resident"           // 居民身份证: 18 places, or the 15 digits that were given out before October 1999
	KindHKMacaoResidence = "hk_macao_residence" // 港澳居民居住证: 18 places from 810000 (Hong Kong) or 820000 (Macao)
	KindTaiwanResidence  = "taiwan_residence"   // 台湾居民居住证: 18 places from 830000
	KindForeignPermanent = "foreign_permanent"  // 外国人永久居留身份证: 18 places from 9; before December 2023 three letters and 12 digits
	KindHKMacaoPermit    = "hk_macao_permit"    // 港澳居民来往内地通行证 (回乡证)
	KindTaiwanPermit     = "taiwan_permit"      // 台湾居民来往大陆通行证 (台胞证)
	KindPassport         = "passport"           // of any country
	KindHKID             = "hkid"               // 香港身份证
	KindTaiwanID         = "taiwan_id"          // 台湾身份证, and a residence certificate of Taiwan, which has the same form
)

// Number is an identity number that passed the rules of its kind.
type Number struct {
	Kind string
	// Normal is one spelling for one number, unique within its kind: the key to find somebody by. A 15-digit number and the 18 places that
	// it became are the same Normal, and so are a permit and its renewals. The kinds of 18 places share one space and never collide. Passports
	// are the exception: two countries may give out the same number, and it does not say which country it is from.
	Normal string
	// Birth is the day of birth that the number tells; 0 where it tells none. It exists in the calendar, but may lie ahead, or before
	// calendar.MinDay (15-digit numbers know persons born in 18xx): whether a person of that age is plausible asks for the day on which the
	// number came, so the caller judges it.
	Birth calendar.Day
	Sex   string // male or female, as the number tells; empty where it tells none
}

// ParseNumber reads an identity number. kind is what the sender says it is; empty when he does not, and then the number is told by its form:
//
//   - 18 places, or 15 digits: a resident's number, a residence permit or a new foreign permanent residence card, by the first digits;
//   - three letters and 12 digits: an old foreign permanent residence card;
//   - a Hong Kong card with its check digit in brackets, a Taiwan card, a Hong Kong or Macao permit with its two digits of renewal.
//
// Nothing else is told by its form. Digits of another length are a resident's number with a slip, and a letter with eight digits may be a
// passport as well as a permit: those need a kind. The kinds of 18 places tell themselves apart, so that a residence permit delivered as a
// resident's number is the same person either way: Kind is what the number says. A region code is never looked up: codes are retired,
// reused and older than their holders.
//
// The caller has passed s through sheet.Clean. Blanks inside it ("371502 19900101 1234") and the apostrophe before it, which makes a
// spreadsheet keep it as text, are not part of it. Small letters are capitals, except in a Taiwan card, whose rule has capitals only.
//
// fault is "" or the key of what is wrong, and n is then empty: reject.excel_number, reject.id_length, reject.id_characters,
// reject.id_check (the check digit), reject.id_birth (no such day), number.form (not of the stated kind's form), number.kind (no kind
// that is known).
//
// Source: GB 11643-1999 and, for 15 digits, GB 11643-1989; the National Immigration Administration's notice on adapting to the foreign
// permanent residence card of 2023-12-01 (table 1); the others at their readers.
func ParseNumber(s, kind string) (n Number, fault string) {
	s = bare(s)
	read, known := numberReaders[kind]
	switch {
	case scientific(s):
		return Number{}, "reject.excel_number"
	case !known:
		return Number{}, "reject.id_kind"
	}
	if n, fault = read(s); fault != "" {
		return Number{}, fault
	}
	return n, ""
}

// numberReader reads a bare text as a number of one kind. With a fault, what it returns beside it is not a number.
type numberReader func(s string) (n Number, fault string)

var numberReaders = map[string]numberReader{
	"":                   tell,
	KindResident:         eighteen,
	KindHKMacaoResidence: eighteen,
	KindTaiwanResidence:  eighteen,
	KindForeignPermanent: foreignPermanent,
	KindHKMacaoPermit:    hkMacaoPermit,
	KindTaiwanPermit:     taiwanPermit,
	KindPassport:         passport,
	KindHKID:             hkID,
	KindTaiwanID:         taiwanID,
}

// tell reads a number whose kind nobody stated.
func tell(s string) (Number, string) {
	if s != "" && !allDigits(s[:1]) {
		for _, f := range toldByForm {
			if f.form.MatchString(s) {
				return f.read(s)
			}
		}
	}
	return eighteen(s)
}

// eighteen reads the kinds that share 18 places: six of region (or a mark of the kind), eight of birth, three of sequence, odd for a man, and
// the check digit. 15 digits are a resident's only: two of the year, and no check digit.
func eighteen(s string) (n Number, fault string) {
	s = strings.ToUpper(s)
	old := len(s) == 15
	if !old && len(s) != 18 {
		return n, "reject.id_length"
	}
	if last := len(s) - 1; !allDigits(s[:last]) || !allDigits(s[last:]) && (old || s[last] != 'X') {
		return n, "reject.id_characters"
	}
	if old {
		s = extended(s)
	}
	n = Number{Kind: kindOf(s), Normal: s, Birth: born(s[6:14]), Sex: "female"}
	if s[16]%2 == 1 {
		n.Sex = "male"
	}
	switch {
	case old && n.Kind != KindResident: // these kinds are younger than 15 digits: three places are missing
		return n, "reject.id_length"
	case checkDigit(s) != s[17]:
		return n, "reject.id_check"
	case n.Birth == 0:
		return n, "reject.id_birth"
	}
	return n, ""
}

// kindOf tells the kinds of 18 places apart.
func kindOf(s string) string {
	switch {
	case s[0] == '9':
		return KindForeignPermanent
	case s[:6] == "810000", s[:6] == "820000":
		return KindHKMacaoResidence
	case s[:6] == "830000":
		return KindTaiwanResidence
	}
	return KindResident
}

// extended makes 18 places of 15 digits. The sequences 996 to 999 were kept for those who were born in 18xx.
func extended(s string) string {
	century := "19"
	if s[12:] >= "996" {
		century = "18"
	}
	s = s[:6] + century + s[6:]
	return s + string(checkDigit(s))
}

// born reads yyyymmdd; 0 when there is no such day. The calendar begins in 1900, and 18xx has the leap years of 19xx.
func born(s string) calendar.Day {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	before := 0
	if n/100_0000 == 18 {
		before = 100_0000
	}
	n += before
	day, err := calendar.Date(n/10000, n/100%100, n%100)
	if err != nil {
		return 0
	}
	return day - calendar.Day(before)
}

// checkDigit is ISO 7064 MOD 11-2 over the first 17 digits.
func checkDigit(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// LikeNumber reports whether a text is somebody's identity number, or would be but for a wrong check digit: 18 places or 15 digits with a day of
// birth in them, or the form of an old foreign permanent residence card. It keeps such numbers out of columns that hold none, so it
// leaves out the short forms, which a code may have by chance.
func LikeNumber(s string) bool {
	s = bare(s)
	n, _ := eighteen(s)
	return n.Birth != 0 || len(s) == 15 && oldForeign.MatchString(s)
}

// bare takes away what a spreadsheet or a person puts around and between the digits.
func bare(s string) string {
	if strings.ContainsFunc(s, unicode.IsSpace) {
		s = strings.Join(strings.Fields(s), "")
	}
	return strings.TrimLeft(s, "'")
}

// scientific reports whether a spreadsheet has rounded a number: 6.2E+18. A passport may be E12345678.
func scientific(s string) bool {
	return strings.ContainsAny(s, "Ee") && strings.ContainsAny(s, "+.") && strings.Trim(s, "0123456789Ee+.") == ""
}

// allDigits reports whether there is nothing but digits.
func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }
