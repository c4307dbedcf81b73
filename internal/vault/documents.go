package vault

import (
	"regexp"
	"strings"
)

// The forms of the documents that have not 18 places. Brackets may be Chinese ones.
var (
	oldForeign    = regexp.MustCompile(`^[A-Za-z]{3}[0-9]{12}$`)
	permitOfHM    = regexp.MustCompile(`^([HMhm][0-9]{8})([0-9]{2})?$`)
	renewedOfHM   = regexp.MustCompile(`^[HMhm][0-9]{10}$`)
	permitOfT     = regexp.MustCompile(`^([0-9]{8})([0-9]{2}([A-Za-z]|[(（][0-9A-Za-z][)）])?)?$`)
	passportForm  = regexp.MustCompile(`^[0-9A-Za-z]{5,12}$`)
	cardOfHK      = regexp.MustCompile(`^([A-Z]{1,2})([0-9]{6})(?:([0-9A])|[(（]([0-9A])[)）])$`)
	bracketedOfHK = regexp.MustCompile(`^[A-Za-z]{1,2}[0-9]{6}[(（][0-9Aa][)）]$`)
	cardOfTaiwan  = regexp.MustCompile(`^[A-Z][1289][0-9]{8}$`)
)

// toldByForm are the forms from a letter on that no other document has, so that they need no kind beside them.
var toldByForm = []struct {
	form *regexp.Regexp
	read numberReader
}{
	{oldForeign, foreignPermanent},
	{renewedOfHM, hkMacaoPermit},
	{bracketedOfHK, hkID},
	{cardOfTaiwan, taiwanID},
}

// foreignPermanent reads a foreign permanent residence card, new or old. The new one has 18 places: 9, two of the province that took the
// application, three of the nationality (ISO 3166-1 numeric), eight of birth, three of sequence, and the check digit of a resident's number.
// The old one stays valid; it has the year of birth without its century, so no day is read from it. The new card prints the old
// number, but neither can be worked out from the other.
func foreignPermanent(s string) (n Number, fault string) {
	if oldForeign.MatchString(s) {
		return Number{Kind: KindForeignPermanent, Normal: strings.ToUpper(s)}, ""
	}
	n, fault = eighteen(s)
	if fault == "" && n.Kind != KindForeignPermanent {
		return n, "reject.id_form"
	}
	return n, fault
}

// hkMacaoPermit reads H or M and the eight digits that a holder keeps for life; the two digits after them count the renewals and are on no
// card since 2013.
//
// Source: 港澳居民来往内地通行证号码规则, Ministry of Public Security, 2010.
func hkMacaoPermit(s string) (n Number, fault string) {
	m := permitOfHM.FindStringSubmatch(s)
	if m == nil {
		return n, "reject.id_form"
	}
	return Number{Kind: KindHKMacaoPermit, Normal: strings.ToUpper(m[1])}, ""
}

// taiwanPermit reads the eight digits that a holder keeps for life. Permits from before 2008-09-25 go on with two digits that count the
// issues and, mostly in brackets, a mark of the office.
//
// Source: announcement of the exit and entry administration on the permit's number, 2008-09.
func taiwanPermit(s string) (n Number, fault string) {
	m := permitOfT.FindStringSubmatch(s)
	if m == nil {
		return n, "reject.id_form"
	}
	return Number{Kind: KindTaiwanPermit, Normal: m[1]}, ""
}

// passport reads a passport's number: 5 to 12 letters and digits, not letters alone. Countries differ too much for more.
func passport(s string) (n Number, fault string) {
	if !passportForm.MatchString(s) || !strings.ContainsAny(s, "0123456789") {
		return n, "reject.id_form"
	}
	return Number{Kind: KindPassport, Normal: strings.ToUpper(s)}, ""
}

// hkID reads a Hong Kong identity card: one or two letters, six digits, and a check digit, in brackets or not; Normal has the brackets. The
// values (A is 10, a letter that is not there is 36) times 9 down to 1 make a multiple of 11; a check value of 10 is written A.
func hkID(s string) (n Number, fault string) {
	m := cardOfHK.FindStringSubmatch(strings.ToUpper(s))
	if m == nil {
		return n, "reject.id_form"
	}
	check := m[3] + m[4]
	sum, weight := 0, 9
	if len(m[1]) == 1 {
		sum, weight = 36*9, 8
	}
	for _, r := range m[1] + m[2] + check {
		sum += worth(r) * weight
		weight--
	}
	if sum%11 != 0 {
		return n, "reject.id_check"
	}
	return Number{Kind: KindHKID, Normal: m[1] + m[2] + "(" + check + ")"}, ""
}

// taiwanID reads a capital letter and nine digits: the first is the sex (1 man, 2 woman; 8 and 9 on the residence certificates since 2021), the
// last the check digit. The letter stands for two digits; the eleven digits times 1 9 8 7 6 5 4 3 2 1 1 make a multiple of 10.
func taiwanID(s string) (n Number, fault string) {
	if !cardOfTaiwan.MatchString(s) {
		return n, "reject.id_form"
	}
	const letters = "ABCDEFGHJKLMNPQRSTUVXYWZIO" // from 10 on, in the order in which the counties got them
	first := strings.IndexByte(letters, s[0]) + 10
	sum := first/10 + first%10*9
	for i, w := range [9]int{8, 7, 6, 5, 4, 3, 2, 1, 1} {
		sum += int(s[i+1]-'0') * w
	}
	if sum%10 != 0 {
		return n, "reject.id_check"
	}
	n = Number{Kind: KindTaiwanID, Normal: s, Sex: "female"}
	if s[1] == '1' || s[1] == '8' {
		n.Sex = "male"
	}
	return n, ""
}

// worth is what a digit or a capital letter counts: A is 10.
func worth(r rune) int {
	if r >= 'A' {
		return int(r-'A') + 10
	}
	return int(r - '0')
}
