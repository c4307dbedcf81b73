package sheet

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"
)

// numberFormat is what the numbers of a style of cells mean.
type numberFormat int8

const (
	plainNumber numberFormat = iota
	dayNumber                // a day, perhaps with a time
	timeNumber               // a time of day
)

// builtinFormat is what a number of a format means that is not written into the file: ECMA-376 part 1, 18.8.30. Numbers 27 to 36 and 50 to
// 58 are those of the Chinese edition, and days or times in the Japanese and Korean ones too.
func builtinFormat(id int) numberFormat {
	switch {
	case id >= 18 && id <= 21, id >= 32 && id <= 35, id == 45, id == 47, id == 55, id == 56:
		return timeNumber
	case id >= 14 && id <= 22, id >= 27 && id <= 36, id >= 50 && id <= 58:
		return dayNumber
	}
	return plainNumber
}

// customFormat is what a format that is written out means: yyyy"年"m"月"d"日", [$-804]yyyy/m/d;@, h:mm. Only its letters outside marks,
// brackets and escapes count. A duration, [h]:mm, stays a number: it is no time of any day.
func customFormat(code string) numberFormat {
	if strings.Contains(strings.ToLower(code), "general") || strings.Contains(code, "通用格式") {
		return plainNumber
	}
	var day, month, clock bool
	for i := 0; i < len(code); i++ {
		switch c := code[i] | 0x20; {
		case code[i] == '"':
			i = skipTo(code, i+1, '"')
		case code[i] == '[':
			end := skipTo(code, i+1, ']')
			if in := code[i+1 : min(end, len(code))]; in != "" && strings.Trim(in, "hmsHMS") == "" {
				return plainNumber
			}
			i = end
		case code[i] == '\\' || code[i] == '_' || code[i] == '*':
			i++
		case code[i] == ';': // what follows is for negative numbers, zero and text
			i = len(code)
		case c == 'y' || c == 'd':
			day = true
		case c == 'm':
			month = true
		case c == 'h' || c == 's':
			clock = true
		}
	}
	switch {
	case day || month && !clock:
		return dayNumber
	case clock:
		return timeNumber
	}
	return plainNumber
}

// skipTo is the place of the next c, or the end.
func skipTo(s string, from int, c byte) int {
	if i := strings.IndexByte(s[from:], c); i >= 0 {
		return from + i
	}
	return len(s)
}

// appendNumber writes a number cell as people see it.
func (g *grid) appendNumber(dst, raw []byte) []byte {
	format := plainNumber
	if g.style >= 0 && g.style < len(g.book.styles) {
		format = g.book.styles[g.style]
	}
	if format == plainNumber && wholeNumber(raw) {
		return append(dst, raw...)
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return append(dst, bytes.ToValidUTF8(raw, replacement)...)
	}
	if format != plainNumber {
		if out, ok := appendSerial(dst, f, format, g.book.from1904); ok {
			return out
		}
	}
	return appendFloat(dst, f, 64)
}

// digitsMax is how many digits of a number a spreadsheet program keeps. It makes zeros of the others.
const digitsMax = 15

// wholeNumber is whether a number is written as it is to be read: digits only, and not too many.
func wholeNumber(raw []byte) bool {
	for _, c := range raw {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(raw) <= digitsMax && (len(raw) == 1 || len(raw) > 1 && raw[0] != '0')
}

// appendFloat writes a number without exponent and with no more digits than its kind of bits (32 or 64) can tell: 12.5, 20240101. One of
// more than 15 digits before the point is written 3.71502E+17: its last digits are lost, and LooksScientific must see it.
func appendFloat(dst []byte, f float64, bits int) []byte {
	const least = 1e-9
	size := math.Abs(f)
	switch {
	case f == 0:
		return append(dst, '0')
	case size >= 1e15 || size < least || math.IsNaN(f):
		return strconv.AppendFloat(dst, f, 'E', 5, bits)
	case bits == 64 && f != math.Trunc(f):
		// 0.1+0.2 is 0.30000000000000004 in the file and 0.3 on the screen.
		var room [32]byte
		f, _ = strconv.ParseFloat(string(strconv.AppendFloat(room[:0], f, 'e', digitsMax-1, 64)), 64)
	}
	return strconv.AppendFloat(dst, f, 'f', -1, bits)
}

const secondsADay = 24 * 60 * 60

// appendSerial writes the day, the time or both that a serial number stands for; not ok if there is no such day. Days are counted from
// 1 January 1900 as number 1, with a 29 February 1900 that never was as number 60, or from 1 January 1904 as number 0.
func appendSerial(dst []byte, f float64, format numberFormat, from1904 bool) ([]byte, bool) {
	const last = 2958465 // 31 December 9999
	if f < 0 || f >= last+1 {
		return dst, false
	}
	seconds := int(math.Round(f * secondsADay))
	day, seconds := seconds/secondsADay, seconds%secondsADay
	if day == 0 && (!from1904 || format == timeNumber) {
		return appendClock(dst, seconds), true
	}
	switch {
	case from1904:
		day += 1462
	case day < 60:
		day++
	case day == 60:
		return append(dst, "1900-02-29"...), true
	}
	return appendMoment(dst, time.Date(1899, 12, 30+day, 0, 0, seconds, 0, time.UTC))
}

// appendMoment writes 2024-01-05, with its time behind it unless that is midnight; not ok outside the years of four digits.
func appendMoment(dst []byte, t time.Time) ([]byte, bool) {
	if t.Year() < 1 || t.Year() > 9999 {
		return dst, false
	}
	dst = t.AppendFormat(dst, "2006-01-02")
	if seconds := t.Hour()*3600 + t.Minute()*60 + t.Second(); seconds != 0 {
		dst = appendClock(append(dst, ' '), seconds)
	}
	return dst, true
}

func appendClock(dst []byte, seconds int) []byte {
	return time.Unix(int64(seconds), 0).UTC().AppendFormat(dst, "15:04:05")
}

// appendISO writes a day that a strict workbook holds as text, 2024-01-05T00:00:00, as the other days are written.
func appendISO(dst []byte, s string) []byte {
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04:05Z", "2006-01-02"} {
		if t, err := time.Parse(layout, s); err == nil {
			if out, ok := appendMoment(dst, t); ok {
				return out
			}
		}
	}
	return append(dst, strings.ToValidUTF8(s, "\uFFFD")...)
}
