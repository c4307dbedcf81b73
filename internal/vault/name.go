package vault

import (
	"strings"
	"unicode"
)

// otherDots are taken for U+00B7, the dot between the parts of a name.
const otherDots = "・･•‧∙⋅●"

// CleanName makes one spelling of a person's name, to keep and to compare: one dot (阿依古丽·买买提) with no blanks around it, no blanks
// between Chinese characters (李 四 is 李四), and single blanks elsewhere, where they part the words of a Latin name. Letters stay as they are.
//
// A full stop is the dot between Chinese characters only: it also ends J. in a Latin name.
func CleanName(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(otherDots+".．", r) }) {
		return s
	}
	name := []rune(strings.Join(strings.Fields(s), " "))
	for i, r := range name {
		before, after := beside(name, i)
		if strings.ContainsRune(otherDots, r) || strings.ContainsRune(".．", r) && chinese(before) && chinese(after) {
			name[i] = '·'
		}
	}
	var out []rune
	for i, r := range name {
		before, after := beside(name, i)
		if r == ' ' && (before == '·' || after == '·' || chinese(before) && chinese(after)) {
			continue
		}
		out = append(out, r)
	}
	return string(out)
}

// beside returns the characters before and after a place that are no blanks; 0 where there is none.
func beside(name []rune, i int) (before, after rune) {
	for j := i - 1; j >= 0 && before == 0; j-- {
		if name[j] != ' ' {
			before = name[j]
		}
	}
	for j := i + 1; j < len(name) && after == 0; j++ {
		if name[j] != ' ' {
			after = name[j]
		}
	}
	return before, after
}

// chinese counts in the private characters by which older systems write rare ones.
func chinese(r rune) bool { return unicode.In(r, unicode.Han, unicode.Co) }
