package vault

import (
	"strings"

	"bole/internal/calendar"
)

// Number is an identity number that passed the rules.
type Number struct {
	Normal string // 18 characters; a 15-digit number is extended
	Birth  calendar.Day
	Male   bool
}

// ParseNumber reads a citizen's identity number (GB 11643-1999, and the 15-digit numbers of 1989), a residence permit of Hong Kong, Macao and
// Taiwan residents, and a permanent residence card of the new kind, which share the form. fault is "" or the key of what is wrong:
// reject.id_length, reject.id_characters, reject.id_check, reject.id_birth, reject.excel_number.
//
// Source: GB 11643-1999; weights and check digits in the standard.
func ParseNumber(s string) (n Number, fault string) {
	s = strings.ToUpper(s)
	if strings.ContainsAny(s, "E+.") && strings.Trim(s, "0123456789E+.") == "" && strings.Contains(s, "E") {
		return n, "reject.excel_number"
	}
	if len(s) != 15 && len(s) != 18 {
		return n, "reject.id_length"
	}
	if strings.Trim(s[:len(s)-1], "0123456789") != "" || strings.Trim(s[len(s)-1:], "0123456789X") != "" {
		return n, "reject.id_characters"
	}
	if len(s) == 15 {
		if s[14] == 'X' {
			return n, "reject.id_characters"
		}
		s = s[:6] + "19" + s[6:]
		s += string(checkDigit(s))
	}
	if checkDigit(s[:17]) != s[17] {
		return n, "reject.id_check"
	}
	d := s[6:14]
	birth, err := calendar.Parse(d[:4] + "-" + d[4:6] + "-" + d[6:])
	if err != nil {
		return n, "reject.id_birth"
	}
	return Number{Normal: s, Birth: birth, Male: s[16]%2 == 1}, ""
}

// checkDigit is ISO 7064 MOD 11-2 over 17 digits.
func checkDigit(s string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(s[i]-'0') * w
	}
	return "10X98765432"[sum%11]
}

// CreditCode normalises a unified social credit code (GB 32100-2015). ok is whether it has the form; sound whether its check digits
// (its own and that of the organisation code inside, GB 11714) are right: some real codes break them, so a wrong one is flagged and never refused.
func CreditCode(s string) (code string, ok, sound bool) {
	const alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	s = strings.ToUpper(s)
	if len(s) != 18 || strings.Trim(s, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return s, false, false
	}
	weights := [17]int{1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28}
	sum := 0
	for i, w := range weights {
		v := strings.IndexByte(alphabet, s[i])
		if v < 0 {
			return s, true, false
		}
		sum += v * w
	}
	return s, true, alphabet[(31-sum%31)%31] == s[17] && organisation(s[8:17])
}

// organisation checks the organisation code (GB 11714) inside a credit code.
func organisation(s string) bool {
	weights := [8]int{3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		v := int(s[i] - '0')
		if s[i] >= 'A' {
			v = int(s[i]-'A') + 10
		}
		sum += v * w
	}
	return "0123456789X0"[11-sum%11] == s[8]
}
