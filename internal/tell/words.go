package tell

import (
	"fmt"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/locale"
	"bole/internal/money"
	"bole/internal/pack"
)

// Words writes numbers, days, money and values as a person reads them in a language.
type Words struct{ Lang locale.Lang }

// T is a sentence of the catalogue.
func (w Words) T(key string, args ...any) string { return locale.Text(w.Lang, key, args...) }

// In picks a text of the pack.
func (w Words) In(x pack.Words) string { return x.In(string(w.Lang)) }

// Number groups thousands: 20,000.
func (w Words) Number(n int64) string {
	s := strconv.FormatInt(n, 10)
	sign := ""
	if n < 0 {
		sign, s = "-", s[1:]
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// Counted is a number with its unit: 312本证书, 312 certificates. The pack writes English units in the plural; one of them loses its s.
func (w Words) Counted(n int64, unit pack.Words) string {
	if w.Lang == locale.En {
		return w.Number(n) + " " + w.Unit(n, unit)
	}
	return w.Number(n) + unit.Zh
}

// Unit is the word of a unit beside a number.
func (w Words) Unit(n int64, unit pack.Words) string {
	if n == 1 && w.Lang == locale.En {
		return strings.TrimSuffix(unit.En, "s")
	}
	return w.In(unit)
}

// Sum is an amount of money: in the unit that can be read at a glance, and to the fen.
type Sum struct {
	Number, Unit string // 3,982.6 and 万元; 39.826 and million CNY
	Text         string // 3,982.6 万元; CNY 39.826 million
	Exact        string // 39,826,000元; CNY 39,826,000
}

const (
	wanFen     = 10_000 * 100    // 万元
	millionFen = 1_000_000 * 100 //
)

// Money shows an amount: to the fen below 10,000 yuan, else in 万元 with one decimal; in English in millions with three decimals from a million yuan.
// Halves are rounded up.
func (w Words) Money(fen money.Fen) Sum {
	s := Sum{Number: fen.Grouped(), Unit: w.T("tell.yuan_unit")}
	s.Exact = w.T("tell.yuan", "n", s.Number)
	s.Text = s.Exact
	switch {
	case w.Lang != locale.En && fen >= wanFen:
		tenths := (int64(fen) + wanFen/20) / (wanFen / 10)
		s.Number, s.Unit = w.Number(tenths/10)+"."+strconv.FormatInt(tenths%10, 10), "万元"
		s.Text = s.Number + " " + s.Unit
	case w.Lang == locale.En && fen >= millionFen:
		thousandths := (int64(fen) + millionFen/2000) / (millionFen / 1000)
		s.Number, s.Unit = fmt.Sprintf("%s.%03d", w.Number(thousandths/1000), thousandths%1000), "million CNY"
		s.Text = "CNY " + s.Number + " million"
	}
	return s
}

// Day is a day in a sentence: 2024-12-20, or 20 Dec 2024. Tables write 2024-12-20 in both languages.
func (w Words) Day(d calendar.Day) string {
	if w.Lang == locale.En && d != 0 {
		return d.Time().Format("2 Jan 2006")
	}
	return d.String()
}

// Months is a length: 6个月, 6 months.
func (w Words) Months(n int64) string { return w.Quantity(n, "month") }

// Quantity is a number with a unit of the pack's: month, year, fen, fen/month; "" for a plain number.
func (w Words) Quantity(n int64, unit string) string {
	switch unit {
	case "fen":
		return w.Money(money.Fen(n)).Exact
	case "fen/month":
		return w.T("tell.a_month", "yuan", w.Money(money.Fen(n)).Exact)
	case "month", "year":
		key := "tell." + unit + "s"
		if n == 1 {
			key = "tell." + unit
		}
		return w.T(key, "n", w.Number(n))
	}
	return w.Number(n)
}

// Value is what a fact came to, in words; an unknown one says so.
func (w Words) Value(f *pack.Fact, v any) string {
	if f.List() != nil && v != nil {
		if word := f.List().Word(v, string(w.Lang)); word != "" {
			return word
		}
	}
	if d, ok := v.(calendar.Day); ok && (f.Take.Text == "months_first" || f.Take.Text == "months_last") {
		return d.Month().String()
	}
	return w.Scalar(v, f.Unit)
}

// Scalar is a value that has no code list.
func (w Words) Scalar(v any, unit string) string {
	switch x := v.(type) {
	case nil:
		return w.T("tell.not_told")
	case bool:
		if x {
			return w.T("tell.yes")
		}
		return w.T("tell.no")
	case int64:
		return w.Quantity(x, unit)
	case calendar.Day:
		return x.String()
	}
	return fmt.Sprint(v)
}

// List joins texts.
func (w Words) List(texts []string) string { return strings.Join(texts, w.T("tell.and")) }
