package sheet

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"bole/internal/calendar"
	"bole/internal/fault"
)

// Clean makes one spelling of a field: no blanks around it, digits, letters and blanks of full width made half width, characters of no
// width dropped, and the private characters by which older systems write rare names made real ones. Chinese punctuation stays: the dot in 阿依古丽·买买提 belongs to the name. What
// a CSV file dresses as ="371502199001010012", lest a spreadsheet program round it, is what stands inside. A field that is clean already costs no memory.
func Clean(s string) string {
	if strings.ContainsFunc(s, unclean) {
		s = strings.Map(clean, s)
	}
	s = strings.TrimSpace(s)
	if inner, found := strings.CutPrefix(s, `="`); found && strings.IndexByte(inner, '"') == len(inner)-1 && len(inner) > 0 {
		s = strings.TrimSpace(inner[:len(inner)-1])
	}
	return s
}

func unclean(r rune) bool { return r >= utf8.RuneSelf && clean(r) != r }

// clean is what a character becomes; -1 for one that is dropped.
func clean(r rune) rune {
	const fullWidth = 'Ａ' - 'A'
	switch {
	case r >= '０' && r <= '９', r >= 'Ａ' && r <= 'Ｚ', r >= 'ａ' && r <= 'ｚ':
		return r - fullWidth
	case r == '\u3000', r == '\u00A0': // the ideographic blank and the one that does not break
		return ' '
	case noWidth(r):
		return -1
	case r >= gbkPrivate && r < gbkPrivate+rune(len(gbkReal)):
		return gbkReal[r-gbkPrivate]
	}
	return r
}

// noWidth is whether a character cannot be seen: zero-width blanks and joiners, marks of writing direction, the byte order mark.
func noWidth(r rune) bool {
	return r >= '\u200B' && r <= '\u200F' || r >= '\u202A' && r <= '\u202E' || r >= '\u2060' && r <= '\u206F' || r == '\uFEFF' || r == '\u00AD'
}

// trim takes away what cannot be seen around a heading.
func trim(s string) string {
	return strings.TrimFunc(s, func(r rune) bool { return unicode.IsSpace(r) || noWidth(r) })
}

// LooksScientific is whether a field is a long number that a spreadsheet program has rounded: 6.2E+18. What stood there before is
// lost. One digit before the point and a signed exponent of two digits or more, as those programs write it; the code 1E10 is not one.
func LooksScientific(s string) bool {
	s = strings.TrimPrefix(s, "-")
	_, n, s := number(s)
	if n != 1 {
		return false
	}
	if rest, ok := strings.CutPrefix(s, "."); ok {
		if _, n, s = number(rest); n == 0 {
			return false
		}
	}
	if len(s) < 4 || s[0] != 'E' && s[0] != 'e' || s[1] != '+' && s[1] != '-' {
		return false
	}
	_, n, s = number(s[2:])
	return n >= 2 && s == ""
}

// LooksSerial is whether a field is the number by which a spreadsheet program stands for a day, 45296 or with a time 45296.5: five digits,
// for the days from 1927 to 2173. Which day it is nobody can tell, since days are counted from 1900 in some files and from 1904 in others.
// The column has to be formatted as a date and sent again.
func LooksSerial(s string) bool {
	_, n, rest := number(s)
	if n != 5 || s[0] == '0' {
		return false
	}
	places, found := strings.CutPrefix(rest, ".")
	_, n, after := number(places)
	return rest == "" || found && n > 0 && after == ""
}

// ParseDay reads a day as deliveries write it: 2024-01-05, 2024/1/5, 2024.1.5, 2024年1月5日, each with or without the zeros, and
// 20240105. A time behind it is dropped, 2024-01-05T10:30:00 or 2024/1/5 0:00: by the clock on the wall it is the same day. A time with a
// zone (Z, +08:00) is refused: midnight in China is the day before in UTC. A number that LooksSerial knows is refused too. The field has
// been cleaned. Errors: Invalid with "sheet.day_unknown"; an empty field is one.
func ParseDay(s string) (calendar.Day, error) {
	s = dropTime(s)
	if n, digits, rest := number(s); digits == 8 && rest == "" {
		return date(n/10000, n/100%100, n%100)
	}
	y, m, mark, rest, ok := yearMonth(s)
	if mark == "年" {
		rest, ok = cut(rest, "月", ok)
	} else {
		rest, ok = cut(rest, mark, ok)
	}
	d, digits, rest := number(rest)
	if mark == "年" {
		rest, ok = cut(rest, "日", ok)
	}
	if !ok || digits < 1 || digits > 2 || rest != "" {
		return 0, dayUnknown()
	}
	return date(y, m, d)
}

// ParseMonth reads a month as deliveries write it: 202401, 2024-01, 2024-1, 2024/1, 2024年1月, or any day of it as ParseDay reads it.
// 2024.1 is refused: a spreadsheet program has made it of 2024.1 or of 2024.10. The field has been cleaned. Errors: Invalid with
// "sheet.month_unknown"; an empty field is one.
func ParseMonth(s string) (calendar.Month, error) {
	if n, digits, rest := number(s); digits == 6 && rest == "" {
		return month(n/100, n%100)
	}
	if d, err := ParseDay(s); err == nil {
		return d.Month(), nil
	}
	y, m, mark, rest, ok := yearMonth(s)
	if mark == "年" {
		rest, ok = cut(rest, "月", ok)
	}
	if !ok || mark == "." || rest != "" {
		return 0, monthUnknown()
	}
	return month(y, m)
}

// dropTime takes away a time of the day, 10:30, 10:30:00 or 10:30:00.000, and the blank or T before it. What is no time stays.
func dropTime(s string) string {
	i := strings.IndexAny(s, " T")
	if i < 0 {
		return s
	}
	clock, second, found := strings.Cut(s[i+1:], ".")
	if _, n, rest := number(second); found && (n == 0 || rest != "") {
		return s
	}
	parts := strings.Split(clock, ":")
	if len(parts) < 2 || len(parts) > 3 || found && len(parts) < 3 {
		return s
	}
	limits := [...]int{24, 60, 60}
	for k, part := range parts {
		if n, digits, rest := number(part); digits < 1 || digits > 2 || rest != "" || n >= limits[k] {
			return s
		}
	}
	return s[:i]
}

// yearMonth reads a year of four digits, a mark, and a month of one or two.
func yearMonth(s string) (y, m int, mark, rest string, ok bool) {
	y, digits, rest := number(s)
	if digits != 4 {
		return 0, 0, "", "", false
	}
	for _, mark := range []string{"-", "/", ".", "年"} {
		if after, found := strings.CutPrefix(rest, mark); found {
			m, digits, rest := number(after)
			return y, m, mark, rest, digits == 1 || digits == 2
		}
	}
	return 0, 0, "", "", false
}

// number reads the digits that s begins with, eight at most.
func number(s string) (n, digits int, rest string) {
	for digits < len(s) && s[digits] >= '0' && s[digits] <= '9' {
		if digits < 8 {
			n = n*10 + int(s[digits]-'0')
		}
		digits++
	}
	return n, digits, s[digits:]
}

// cut takes a mark away that must be there; ok is whether all was well until now.
func cut(s, mark string, ok bool) (string, bool) {
	rest, found := strings.CutPrefix(s, mark)
	return rest, ok && found
}

func date(y, m, d int) (calendar.Day, error) {
	day, err := calendar.Date(y, m, d)
	if err != nil {
		return 0, dayUnknown()
	}
	return day, nil
}

func month(y, m int) (calendar.Month, error) {
	day, err := calendar.Date(y, m, 1)
	if err != nil {
		return 0, monthUnknown()
	}
	return day.Month(), nil
}

// The errors do not repeat the field: a date may be somebody's birthday.
func dayUnknown() error   { return fault.New("sheet.ParseDay", fault.Invalid, "sheet.day_unknown") }
func monthUnknown() error { return fault.New("sheet.ParseMonth", fault.Invalid, "sheet.month_unknown") }
