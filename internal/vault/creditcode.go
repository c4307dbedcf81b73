package vault

import "strings"

// CreditCode normalises a unified social credit code (GB 32100-2015). ok is whether it has the form; sound whether its check digits
// (its own and that of the organisation code inside, GB 11714) are right: some real codes of the first years break them, so a wrong one is
// flagged and never refused. The 15-digit registration numbers and nine-place organisation codes of old filings have not the form.
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
		sum += worth(rune(s[i])) * w
	}
	return "0123456789X0"[11-sum%11] == s[8]
}
