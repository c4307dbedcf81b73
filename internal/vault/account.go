package vault

import "strings"

// ParseAccount reads the number of a bank account, of a person or a unit: 10 to 30 digits, which may be grouped by blanks or hyphens. normal
// is the digits alone. Neither the bank nor a check digit is looked at: not every card's number has one (LuhnSound).
//
// fault is "" or the key of what is wrong, and normal is then empty: reject.excel_number, number.account.
func ParseAccount(s string) (normal, fault string) {
	s = bare(s)
	if scientific(s) {
		return "", "reject.excel_number"
	}
	s = strings.ReplaceAll(s, "-", "")
	if len(s) < 10 || len(s) > 30 || !allDigits(s) {
		return "", "reject.account"
	}
	return s, ""
}

// LuhnSound reports whether the last digit of an account's number is its check digit by Luhn (ISO/IEC 7812-1 annex B). A wrong one may be worth a
// second look; old accounts and those of units have none, so it is never a reason to refuse.
func LuhnSound(account string) bool {
	if account == "" || !allDigits(account) {
		return false
	}
	sum := 0
	for i := range account {
		d := int(account[len(account)-1-i] - '0')
		if i%2 == 1 {
			d *= 2
		}
		sum += d/10 + d%10
	}
	return sum%10 == 0
}
