package vault

import (
	"regexp"
	"strings"
)

var (
	mobile   = regexp.MustCompile(`^(?:(?:\+|00)?86-?)?(1[0-9]{2})-?([0-9]{4})-?([0-9]{4})$`)
	landline = regexp.MustCompile(`^(?:(?:(?:\+|00)86-?0?|0)(10|2[0-9]|[3-9][0-9]{2})-?([1-9][0-9]{6,7})|([2-9][0-9]{6,7}))(?:[-#转]([0-9]{1,6}))?$`)
	inPhones = strings.NewReplacer("(", "", ")", "", "（", "", "）", "", "－", "-", "转分机", "转", "分机", "转")
)

// ParsePhone reads a telephone number of the mainland: a mobile one, or a landline with or without its area code and with an extension. normal is
// one spelling: 13800138000, 0635-8211235, 0635-8211235-102, without blanks, brackets and the code of the country. Any eleven digits from 1
// on are a mobile number: new ranges are opened every few years.
//
// ok is whether s has such a form. A wrong number is no reason to refuse a row: normal is then s as it came.
func ParsePhone(s string) (normal string, ok bool) {
	phone := inPhones.Replace(bare(s))
	if m := mobile.FindStringSubmatch(phone); m != nil {
		return m[1] + m[2] + m[3], true
	}
	m := landline.FindStringSubmatch(phone)
	if m == nil {
		return s, false
	}
	area, number, local, extension := m[1], m[2], m[3], m[4]
	if area != "" {
		local = "0" + area + "-" + number
	}
	if extension != "" {
		local += "-" + extension
	}
	return local, true
}
