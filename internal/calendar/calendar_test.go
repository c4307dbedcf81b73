package calendar

import "testing"

func TestParse(t *testing.T) {
	for _, bad := range []string{"", "2024-02-30", "2023-02-29", "2024-13-01", "2024-1-1", "20240101", "1899-12-31", "2200-01-01", "2024-00-10", "2024-01-00"} {
		if d, err := Parse(bad); err == nil {
			t.Errorf("Parse(%q) = %v, want an error", bad, d)
		}
	}
	if d := MustParse("2024-02-29"); d != 20240229 || d.String() != "2024-02-29" {
		t.Errorf("got %d %s", d, d)
	}
}

func TestArithmetic(t *testing.T) {
	day := MustParse
	for _, c := range []struct {
		from string
		n    int
		want string
	}{{"2024-01-31", 1, "2024-02-29"}, {"2023-01-31", 1, "2023-02-28"}, {"2024-12-20", 12, "2025-12-20"}, {"2024-03-31", -1, "2024-02-29"}, {"2025-03-10", 12, "2026-03-10"}} {
		if got := day(c.from).AddMonths(c.n); got != day(c.want) {
			t.Errorf("%s + %d months = %s, want %s", c.from, c.n, got, c.want)
		}
	}
	for _, c := range []struct {
		a, b          string
		years, months int
	}{
		{"2004-02-29", "2025-02-28", 20, 251}, {"2004-02-29", "2025-03-01", 21, 252}, {"1990-05-05", "2025-05-04", 34, 419},
		{"1990-05-05", "2025-05-05", 35, 420}, {"2024-12-20", "2024-12-20", 0, 0}, {"2024-03-01", "2023-04-01", 0, -11}, {"2024-01-31", "2024-02-29", 0, 0},
	} {
		if y, m := YearsBetween(day(c.a), day(c.b)), MonthsBetween(day(c.a), day(c.b)); y != c.years || m != c.months {
			t.Errorf("%s to %s: %d years %d months, want %d and %d", c.a, c.b, y, m, c.years, c.months)
		}
	}
	if got := day("2024-02-28").AddDays(2); got != day("2024-03-01") {
		t.Errorf("AddDays = %s", got)
	}
	if got := DaysBetween(MinDay, MaxDay); got != 109572 {
		t.Errorf("DaysBetween over 300 years = %d", got)
	}
	if got := MonthAt(Month(202412).Index() + 1); got != 202501 {
		t.Errorf("month after 2024-12 = %s", got)
	}
}
