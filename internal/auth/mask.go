package auth

import (
	"strings"
	"unicode/utf8"
)

// Field is a kind of personal data.
type Field string

// The fields that are masked, as columns and records name them.
const (
	PersonName  Field = "person_name"
	IDNumber    Field = "id_number"
	Phone       Field = "phone"
	BankAccount Field = "account"
)

// cover says how many characters at either end of a field are shown, and who sees it without a reason.
type cover struct {
	Words
	first, last int
	clear       string // permission that shows the field as it is; "" for none
}

// covers are the masks by field. Of a number only the last two places: the six of the division and the eight of the birth day would name
// somebody among few.
var covers = map[Field]cover{
	PersonName:  {Words{"姓名", "name"}, 1, 1, "person.contact"},
	IDNumber:    {Words{"证件号码", "ID number"}, 0, 2, ""},
	Phone:       {Words{"联系电话", "phone"}, 3, 2, "person.contact"},
	BankAccount: {Words{"银行账号", "bank account"}, 0, 4, ""},
}

// Mask hides a value of a field. What is too short to have a middle loses its end: 李四 is 李*. A field of no known kind is hidden whole.
func Mask(f Field, value string) string {
	n := utf8.RuneCountInString(value)
	c, known := covers[f]
	if n == 0 {
		return ""
	}
	first, last := c.first, c.last
	if !known || first+last >= n { // never shown whole
		first, last = min(first, n-1), 0
	}
	r := []rune(value)
	return string(r[:first]) + strings.Repeat("*", n-first-last) + string(r[n-last:])
}

// Shown is a value of a field as an actor sees it without saying why: as it is where a permission of theirs shows it there, else masked.
func (a Actor) Shown(f Field, value string, at Place) string {
	if c := covers[f]; c.clear != "" && a.Allows(c.clear, at) {
		return value
	}
	return Mask(f, value)
}
