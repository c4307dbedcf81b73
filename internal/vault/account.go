package vault

import "strings"

// ParseAccount reads the number of a bank account, of a person or a unit: 10 to 30 digits, which may be grouped by blanks or hyphens. normal
// is the digits alone. Neither the bank nor a check digit is looked at: not every card's number has one.
//
// fault is "" or the key of what is wrong, and normal is then empty: reject.excel_number, reject.account.
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
