package register

import (
	"testing"

	"bole/internal/pack"
)

// A number is found alone, with a slip, and among other words; the codes of the lake are none.
func TestNumbersAreFoundInsideAField(t *testing.T) {
	for s, want := range map[string]bool{
		li:                         true,
		li[:17] + "1":              true,
		li[:6] + " " + li[6:]:      true,
		"李乙" + li + "门市部":          true,
		"A-" + li:                  true,
		"CAN110081080302":          true,
		"外籍专家 CAN110081080302 工作室": true,
		"外籍专家 XCAN110081080302 工作室": false,
		firm:                                 false,
		"Liaocheng No. 2 Machine-Tool Works": false,
		"6-18-01-01":                         false,
		"371502":                             false,
	} {
		if got := likeNumber(s); got != want {
			t.Errorf("likeNumber(%q) = %v", s, got)
		}
	}
}

// What is kept of a person has one spelling; a telephone number that is none is kept as it came.
func TestPersonalFieldsHaveOneSpelling(t *testing.T) {
	for _, c := range []struct{ columnType, in, want string }{
		{"person_name", "李　四", "李四"},
		{"person_name", "阿依古丽•买买提", "阿依古丽·买买提"},
		{"phone", "+86 100-1234-5678", "10012345678"},
		{"phone", "（0635）8211235", "0635-8211235"},
		{"phone", "不详", "不详"},
		{"id_number", "'" + li[:6] + " " + li[6:14] + " " + li[14:], li},
	} {
		read := readers(&pack.Register{Columns: []*pack.Column{{Type: pack.Src{Text: c.columnType}}}})[0]
		if got, wrong, _ := read(c.in, &row{received: 20241201, kinds: map[*pack.Column]string{}}); got != c.want || wrong != "" {
			t.Errorf("%s %q is kept as %q (%s), want %q", c.columnType, c.in, got, wrong, c.want)
		}
	}
}
