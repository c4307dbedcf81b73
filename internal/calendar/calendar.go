package calendar

import (
	"fmt"
	"time"
)

// Day is a date as yyyymmdd; 0 is no day.
type Day int32

// Month is a calendar month as yyyymm; 0 is no month.
type Month int32

// The first and the last day that Bole writes; a date outside is a typing error in somebody's file.
const (
	MinDay Day = 19000101
	MaxDay Day = 21991231
)

// Date returns the day of year y, month m (1 to 12) and day d of that month, or an error if there is no such day.
func Date(y, m, d int) (Day, error) {
	day := Day(y*10000 + m*100 + d)
	if day < MinDay || day > MaxDay || m < 1 || m > 12 || d < 1 || d > monthDays(y, m) {
		return 0, fmt.Errorf("calendar: no such day")
	}
	return day, nil
}

// Parse reads 2024-12-20.
func Parse(s string) (Day, error) {
	if len(s) != 10 || s[4] != '-' || s[7] != '-' {
		return 0, fmt.Errorf("calendar: a day is written 2024-12-20")
	}
	var n [3]int
	for i, part := range []string{s[:4], s[5:7], s[8:]} {
		for _, r := range part {
			if r < '0' || r > '9' {
				return 0, fmt.Errorf("calendar: a day is written 2024-12-20")
			}
			n[i] = n[i]*10 + int(r-'0')
		}
	}
	return Date(n[0], n[1], n[2])
}

// MustParse is Parse for days written in the program itself.
func MustParse(s string) Day {
	d, err := Parse(s)
	if err != nil {
		panic(err)
	}
	return d
}

// DayOf returns the day of t in t's own zone.
func DayOf(t time.Time) Day { return Day(t.Year()*10000 + int(t.Month())*100 + t.Day()) }

// String writes 2024-12-20, or "" for no day.
func (d Day) String() string {
	if d == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d/10000, d/100%100, d%100)
}

// Time is midnight UTC of the day, for arithmetic and for libraries that want a time.
func (d Day) Time() time.Time {
	return time.Date(int(d/10000), time.Month(d/100%100), int(d%100), 0, 0, 0, 0, time.UTC)
}

// MarshalText and UnmarshalText write and read 2024-12-20; an empty text is no day.
func (d Day) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 2024-12-20.
func (d *Day) UnmarshalText(b []byte) (err error) {
	if len(b) == 0 {
		*d = 0
		return nil
	}
	*d, err = Parse(string(b))
	return err
}

// AddDays returns the day n days later.
func (d Day) AddDays(n int) Day { return DayOf(d.Time().AddDate(0, 0, n)) }

// AddMonths returns the same day of the month n months later, or that month's last day where it has no such day:
// one month after 2024-01-31 is 2024-02-29.
func (d Day) AddMonths(n int) Day {
	m := d.Month().Add(n)
	return Day(int32(m)*100 + int32(min(int(d%100), monthDays(int(m/100), int(m%100)))))
}

// Month returns the month that the day is in.
func (d Day) Month() Month { return Month(d / 100) }

// DaysBetween counts days from a to b; negative when b is earlier.
func DaysBetween(a, b Day) int { return int((b.Time().Unix() - a.Time().Unix()) / 86400) }

// YearsBetween counts whole years from a to b: a person's age (周岁) on day b. Somebody born on 29 February turns a year older on
// 1 March of a common year. Negative when b is earlier, by the same rule.
func YearsBetween(a, b Day) int { return int(b-a) / 10000 }

// MonthsBetween counts whole months from a to b. From 31 January to 29 February there is none.
func MonthsBetween(a, b Day) int {
	if b < a {
		return -MonthsBetween(b, a)
	}
	n := b.Month().Index() - a.Month().Index()
	if b%100 < a%100 {
		n--
	}
	return n
}

// ParseMonth reads 2024-12.
func ParseMonth(s string) (Month, error) {
	d, err := Parse(s + "-01")
	return d.Month(), err
}

// String writes 2024-12, or "" for no month.
func (m Month) String() string {
	if m == 0 {
		return ""
	}
	return fmt.Sprintf("%04d-%02d", m/100, m%100)
}

// MarshalText writes 2024-12.
func (m Month) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// Index numbers months without gaps: neighbours differ by one.
func (m Month) Index() int { return int(m/100)*12 + int(m%100) - 1 }

// MonthAt is the month with an index.
func MonthAt(index int) Month { return Month(index/12*100 + index%12 + 1) }

// Add returns the month n months later.
func (m Month) Add(n int) Month { return MonthAt(m.Index() + n) }

// First is the month's first day.
func (m Month) First() Day { return Day(m*100 + 1) }

// Last is the month's last day.
func (m Month) Last() Day { return Day(int(m)*100 + monthDays(int(m/100), int(m%100))) }

func monthDays(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && y%100 != 0 || y%400 == 0 {
			return 29
		}
		return 28
	}
	return 31
}
