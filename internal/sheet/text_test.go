package sheet

import (
	"errors"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fault"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"":                        "",
		" \t张三\u3000\r\n":         "张三",
		"１２３ａｂｃＸＹＺ":               "123abcXYZ",
		"张\u3000三":                "张 三",
		"\uFEFF1\u200B2\u200D3":   "123",
		"\u202D13800000000\u202C": "13800000000",
		"\u00A0x\u00A0y":          "x y",
		"阿依古丽·买买提":                "阿依古丽·买买提",
		"某某（杭州）有限公司，一部": "某某（杭州）有限公司，一部",
		"a\nb":          "a\nb",
		"\u200B \u200B": "",
		"ＡＺａｚ０９＠［｀｛／：":  "AZaz09＠［｀｛／：",
		"\uE816某\uE863": "𠂇某䶮", // the private characters of GBK
		"\uE814\uE865":  "\uE814\uE865",
		`="0071"`:       "0071",
		`=" ０071 "`:     "0071",
		`=""`:           "",
		`="a`:           `="a`,
		`="a"&"b"`:      `="a"&"b"`,
		`="`:            `="`,
	} {
		if got := Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
		if got := Clean(want); got != want {
			t.Errorf("Clean of the clean %q = %q", want, got)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Clean(" 张三 ") }); n != 0 {
		t.Errorf("a field that needs no change costs %g allocations", n)
	}
}

func TestParseDay(t *testing.T) {
	for _, s := range []string{"2024-01-05", "2024/1/5", "20240105", "2024.1.5", "2024年1月5日", "2024-1-5", "2024/01/05", "2024.01.05", "2024年01月05日"} {
		if d, err := ParseDay(s); err != nil || d != 20240105 {
			t.Errorf("ParseDay(%q) = %d, %v", s, d, err)
		}
	}
	for _, s := range []string{"2024-01-05 00:00:00", "2024-01-05T00:00:00", "2024/1/5 0:00", "2024-01-05 10:30:00", "2024年1月5日 23:59", "20240105 1:2:3", "2024-01-05T00:00:00.000"} {
		if d, err := ParseDay(s); err != nil || d != 20240105 {
			t.Errorf("ParseDay(%q) = %d, %v", s, d, err)
		}
	}
	for _, s := range []string{
		"2024-01-05T00:00:00Z", "2024-01-05T00:00:00+08:00", "2024-01-05 24:00", "2024-01-05 10:60", "2024-01-05 10", "2024-01-05 ", "2024-01-05 10:30:", "2024-01-05 10:30:00.",
		"2024-01-05 10:30.5", "2024-01-05 100:30", "2024-01-05 10:30:00:00", "2024-01-05 10:30 PM", "2024-01 10:30", " 10:30", "2024-01-05  10:30", "45296 10:30",
	} {
		if d, err := ParseDay(s); err == nil {
			t.Errorf("ParseDay(%q) = %d", s, d)
		}
	}
	if d, err := ParseDay("2024-02-29"); err != nil || d != calendar.MustParse("2024-02-29") {
		t.Errorf("29 February: %d, %v", d, err)
	}
	for _, s := range []string{
		"", "2024", "2024-01", "202401", "24-01-05", "2024-13-01", "2023-02-29", "20230229", "2024/1-5", "2024-1/5", "2024年1月5", "2024年1-5日", "2024-1-5日", "2024-01-005",
		"2024-001-05", "2024--05", "2024-01-", "20240105 ", "1/5/2024", "45296", "2024010", "202401055", "0000-00-00", "1899-12-31", "2200-01-01",
		"２０２４-01-05", "-2024-01-05", "2024年1月5日x", "12345678901234567890",
	} {
		d, err := ParseDay(s)
		var e *fault.E
		if !errors.As(err, &e) || e.Key != "sheet.day_unknown" || e.Kind != fault.Invalid || d != 0 {
			t.Errorf("ParseDay(%q) = %d, %v, want sheet.day_unknown", s, d, err)
		} else if len(s) > 5 && strings.Contains(err.Error(), s) {
			t.Errorf("the error repeats the field %q", s)
		}
	}
}

func TestParseMonth(t *testing.T) {
	for _, s := range []string{"202401", "2024-01", "2024-1", "2024/1", "2024/01", "2024/01/01", "2024年1月", "2024年01月", "2024-01-31", "20240101", "2024.1.1", "2024年1月1日", "2024-01-01 00:00:00", "2024/1/1 0:00"} {
		if m, err := ParseMonth(s); err != nil || m != 202401 {
			t.Errorf("ParseMonth(%q) = %d, %v", s, m, err)
		}
	}
	for _, s := range []string{"", "2024", "2024.1", "2024.10", "202413", "202400", "2024-13", "2024-0", "2024-001", "24-01", "2024/1/32", "20241", "2024年1", "2024-1月", "1月", "189912"} {
		m, err := ParseMonth(s)
		var e *fault.E
		if !errors.As(err, &e) || e.Key != "sheet.month_unknown" || m != 0 {
			t.Errorf("ParseMonth(%q) = %d, %v, want sheet.month_unknown", s, m, err)
		}
	}
}

func TestLooksSerial(t *testing.T) {
	for _, s := range []string{"45296", "10000", "99999", "45296.5", "45296.4375"} {
		if !LooksSerial(s) {
			t.Errorf("%q is one", s)
		}
		if _, err := ParseDay(s); err == nil {
			t.Errorf("%q was read as a day", s)
		}
		if _, err := ParseMonth(s); err == nil {
			t.Errorf("%q was read as a month", s)
		}
	}
	for _, s := range []string{"", "4529", "452960", "01234", "45296.", ".45296", "45296x", "45296.5x", "-45296", "4529６", "45 296", "20240105"} {
		if LooksSerial(s) {
			t.Errorf("%q is none", s)
		}
	}
}

func TestLooksScientific(t *testing.T) {
	for _, s := range []string{"6.2E+18", "6E+18", "6.20123456789012E+18", "1.1e+17", "-6.2E+18", "1.5E-05", "6.2E+118"} {
		if !LooksScientific(s) {
			t.Errorf("%q is one", s)
		}
	}
	for _, s := range []string{"", "6.2", "6.2E18", "62E+18", "6.E+18", ".2E+18", "1E10", "E+18", "6.2E+1", "6.2E+", "6.2E+18x", "6.2E+1.8", "6201234567890123456", "A6.2E+18"} {
		if LooksScientific(s) {
			t.Errorf("%q is none", s)
		}
	}
}
