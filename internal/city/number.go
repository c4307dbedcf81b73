package city

import "strings"

// twoDigits writes 0 to 99 with two digits.
var twoDigits = func() (t [100]string) {
	for n := range t {
		t[n] = string([]byte{byte('0' + n/10), byte('0' + n%10)})
	}
	return t
}()

// digits writes the last width digits of n, with zeros before.
func digits(n, width int) string {
	b := make([]byte, width)
	for i := width - 1; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
	return string(b)
}

// idNumber completes a citizen's number: 17 digits and their check digit (GB 11643-1999).
func idNumber(first17 string) string {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += int(first17[i]-'0') * w
	}
	return first17 + "10X98765432"[sum%11:sum%11+1]
}

// strangerOf is the number of nobody: born where and when somebody was, with a sequence that no person of the city has.
func strangerOf(id string) string { return idNumber(id[:14] + "999") }

// nobody is a number that no person of the city has.
var nobody = idNumber("37150219900101999")

// oldForm is the number of 15 digits that somebody had before October 1999: two digits of the year, and no check digit.
func oldForm(id string) string { return id[:6] + id[8:17] }

// luhn completes a card's number with its check digit (ISO/IEC 7812-1).
func luhn(number string) string {
	sum := 0
	for i := range number {
		n := int(number[len(number)-1-i] - '0')
		if i%2 == 0 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return number + string(byte('0'+(10-sum%10)%10))
}

const (
	// usccAlphabet has no I, O, S, V, Z.
	usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
	letters36    = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
)

// uscc is an employer's code (GB 32100-2015): kind of registration and body, division, organisation code, check digit. The organisation
// code (GB 11714) begins with XX, which is given to nobody.
func uscc(kind, division string, serial int) string {
	organisation := "XX" + digits(serial, 6)
	sum := 0
	for i, w := range [8]int{3, 7, 9, 10, 5, 8, 4, 2} {
		sum += strings.IndexByte(letters36, organisation[i]) * w
	}
	s := kind + division + organisation + "0123456789X0"[11-sum%11:12-sum%11]
	sum, weight := 0, 1
	for i := range s {
		sum += strings.IndexByte(usccAlphabet, s[i]) * weight
		weight = weight * 3 % 31
	}
	check := (31 - sum%31) % 31
	return s + usccAlphabet[check:check+1]
}

// ghostUSCC is the code of no employer, registered where one was: serials of employers end below ghostSerial.
func ghostUSCC(of string) string {
	serial := 0
	for _, r := range of[10:16] {
		serial = serial*10 + int(r-'0')
	}
	return uscc(of[:2], of[2:8], ghostSerial+serial%(1_000_000-ghostSerial))
}

const ghostSerial = 900_000

// scattered gives i from 0 to 999,999 another number of six digits, no two the same; each kind of paper has its own order.
func scattered(i, kind int) int {
	const orders = 1_000_000
	factors := [...]int{570_397, 318_641, 742_913, 201_077, 894_211, 437_879} // prime to a million
	return (i*factors[kind] + 123_457*(kind+1)) % orders
}
