package fact

import (
	"fmt"
	"strings"

	"bole/internal/fault"
)

// Person is the pseudonymous number of a human being in the lake.
type Person int64

// alphabet leaves out letters that are mistaken for digits.
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"

// Numbers are scattered over 30 bits by an odd factor, so that neighbours do not look alike and a wrong letter is not a neighbour.
const (
	scatter   = 0x2545F491 // odd
	unscatter = 0x1444C71  // its inverse modulo 2^30, checked by a test
	mask      = 1<<30 - 1
)

// String writes the number as people read it aloud: P-7K2M-90C, six letters or digits and one that checks them.
func (p Person) String() string {
	x := uint64(p) * scatter & mask
	var b [7]byte
	sum := uint64(0)
	for i := range 6 {
		d := x >> (25 - 5*i) & 31
		b[i] = alphabet[d]
		sum = (sum*31 + d + 1) % 32
	}
	b[6] = alphabet[sum]
	return "P-" + string(b[:4]) + "-" + string(b[4:])
}

// MarshalText writes the number as String does.
func (p Person) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// ParsePerson reads what String writes; case does not matter.
//
// Errors: Invalid "person.number" for a slip of the pen.
func ParsePerson(s string) (Person, error) {
	t := strings.ReplaceAll(strings.ToUpper(strings.TrimSpace(s)), "-", "")
	bad := fault.New("fact.ParsePerson", fault.Invalid, "person.number")
	if len(t) != 8 || t[0] != 'P' {
		return 0, bad
	}
	var x uint64
	for i := range 6 {
		d := strings.IndexByte(alphabet, t[i+1])
		if d < 0 {
			return 0, bad
		}
		x = x<<5 | uint64(d)
	}
	p := Person(x * unscatter & mask)
	if p == 0 || p.String() != "P-"+t[1:5]+"-"+t[5:] { // 0 is nobody's number: it stands for everybody in a Request
		return 0, bad
	}
	return p, nil
}

// personSQL is String in DuckDB, over a column.
func personSQL(col string) string {
	x := fmt.Sprintf("((CAST(%s AS BIGINT) * %d) & %d)", col, int64(scatter), int64(mask))
	digit := func(i int) string { return fmt.Sprintf("((%s >> %d) & 31)", x, 25-5*i) }
	letter := func(d string) string { return fmt.Sprintf("substr('%s', CAST(%s AS INTEGER) + 1, 1)", alphabet, d) }
	sum := "0"
	var parts [7]string
	for i := range 6 {
		parts[i] = letter(digit(i))
		sum = fmt.Sprintf("((%s * 31 + %s + 1) %% 32)", sum, digit(i))
	}
	parts[6] = letter(sum)
	return "('P-' || " + strings.Join(parts[:4], " || ") + " || '-' || " + strings.Join(parts[4:], " || ") + ")"
}

// PersonSQL writes a person column as text for people, the same as Person.String.
func PersonSQL(col string) string { return personSQL(col) }
