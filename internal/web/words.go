package web

import (
	"fmt"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/law"
	"bole/internal/locale"
	"bole/internal/money"
	"bole/internal/pack"
)

// words writes numbers, days, money and values as a person reads them in a language.
type words struct{ lang locale.Lang }

func (w words) t(key string, args ...any) string { return locale.Text(w.lang, key, args...) }

// in picks a text of the pack.
func (w words) in(x pack.Words) string { return x.In(string(w.lang)) }

// number groups thousands: 20,000.
func (w words) number(n int64) string {
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

// counted is a number with its unit: 312本证书, 312 certificates. The pack writes English units in the plural; one of them loses its s.
func (w words) counted(n int64, unit pack.Words) string {
	if w.lang == locale.En {
		return w.number(n) + " " + w.unit(n, unit)
	}
	return w.number(n) + unit.Zh
}

func (w words) unit(n int64, unit pack.Words) string {
	if n == 1 && w.lang == locale.En {
		return strings.TrimSuffix(unit.En, "s")
	}
	return w.in(unit)
}

// sum is an amount of money: in the unit that can be read at a glance, and to the fen.
type sum struct {
	Number, Unit string // 3,982.6 and 万元; 39.826 and million CNY
	Text         string // 3,982.6 万元; CNY 39.826 million
	Exact        string // 39,826,000元; CNY 39,826,000
}

const (
	wanFen     = 10_000 * 100    // 万元
	millionFen = 1_000_000 * 100 //
)

// money shows an amount: to the fen below 10,000 yuan, else in 万元 with one decimal; in English in millions with three decimals from a million yuan.
// Halves are rounded up.
func (w words) money(fen money.Fen) sum {
	s := sum{Number: fen.Grouped(), Unit: w.t("web.yuan_unit")}
	s.Exact = w.t("web.yuan", "n", s.Number)
	s.Text = s.Exact
	switch {
	case w.lang != locale.En && fen >= wanFen:
		tenths := (int64(fen) + wanFen/20) / (wanFen / 10)
		s.Number, s.Unit = w.number(tenths/10)+"."+strconv.FormatInt(tenths%10, 10), "万元"
		s.Text = s.Number + " " + s.Unit
	case w.lang == locale.En && fen >= millionFen:
		thousandths := (int64(fen) + millionFen/2000) / (millionFen / 1000)
		s.Number, s.Unit = fmt.Sprintf("%s.%03d", w.number(thousandths/1000), thousandths%1000), "million CNY"
		s.Text = "CNY " + s.Number + " million"
	}
	return s
}

// day is a day in a sentence: 2024-12-20, or 20 Dec 2024. Tables write 2024-12-20 in both languages.
func (w words) day(d calendar.Day) string {
	if w.lang == locale.En && d != 0 {
		return d.Time().Format("2 Jan 2006")
	}
	return d.String()
}

// months is a length: 6个月, 6 months.
func (w words) months(n int64) string { return w.quantity(n, "month") }

// quantity is a number with a unit of the pack's: month, year, fen, fen/month; "" for a plain number.
func (w words) quantity(n int64, unit string) string {
	switch unit {
	case "fen":
		return w.money(money.Fen(n)).Exact
	case "fen/month":
		return w.t("web.a_month", "yuan", w.money(money.Fen(n)).Exact)
	case "month", "year":
		key := "web." + unit + "s"
		if n == 1 {
			key = "web." + unit
		}
		return w.t(key, "n", w.number(n))
	}
	return w.number(n)
}

// value is what a fact came to, in words; an unknown one says so.
func (w words) value(f *pack.Fact, v any) string {
	if f.List() != nil && v != nil {
		if word := f.List().Word(v, string(w.lang)); word != "" {
			return word
		}
	}
	if d, ok := v.(calendar.Day); ok && (f.Take.Text == "months_first" || f.Take.Text == "months_last") {
		return d.Month().String()
	}
	return w.scalar(v, f.Unit)
}

// scalar is a value that has no code list.
func (w words) scalar(v any, unit string) string {
	switch x := v.(type) {
	case nil:
		return w.t("web.not_told")
	case bool:
		if x {
			return w.t("web.yes")
		}
		return w.t("web.no")
	case int64:
		return w.quantity(x, unit)
	case calendar.Day:
		return x.String()
	}
	return fmt.Sprint(v)
}

// cite is an article of a law file by its heading; in English the Chinese heading stands in for one that the file does not give.
func (w words) cite(a law.Article, href string) link {
	l := link{Text: a.HeadingIn(string(w.lang)), Href: href + "#" + a.Anchor}
	if w.lang == locale.En && a.English == a.Heading {
		l.Lang = "zh-CN"
	}
	return l
}

// list joins texts.
func (w words) list(texts []string) string { return strings.Join(texts, w.t("web.and")) }

// outcome is a mark with its word: never a colour alone.
type outcome struct {
	Mark string // the class of the shape
	Word string
}

var marks = map[string]string{"eligible": "ok", "limited": "lim", "settled": "wait", "ineligible": "no", "undetermined": "ask", "not_in_force": "lim", "near": "near",
	"met": "ok", "not_met": "no", "unknown": "ask"}

func (w words) outcome(name string) outcome { return outcome{marks[name], w.t("outcome." + name)} }

func (w words) state(name string) outcome { return outcome{marks[name], w.t("state." + name)} }
