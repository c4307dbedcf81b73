package web

import (
	"testing"

	"bole/internal/calendar"
	"bole/internal/locale"
	"bole/internal/money"
	"bole/internal/pack"
)

func TestMoney(t *testing.T) {
	cases := []struct {
		fen            money.Fen
		zh, en, exact  string
		number, inZhUn string
	}{
		{0, "0元", "CNY 0", "0元", "0", "元"},
		{1500_00, "1,500元", "CNY 1,500", "1,500元", "1,500", "元"},
		{9999_99, "9,999.99元", "CNY 9,999.99", "9,999.99元", "9,999.99", "元"},
		{10000_00, "1.0 万元", "CNY 10,000", "10,000元", "1.0", "万元"},
		{612_000_00, "61.2 万元", "CNY 612,000", "612,000元", "61.2", "万元"},
		{10_499_99, "1.0 万元", "CNY 10,499.99", "10,499.99元", "1.0", "万元"},
		{10_500_00, "1.1 万元", "CNY 10,500", "10,500元", "1.1", "万元"},
		{39_826_000_00, "3,982.6 万元", "CNY 39.826 million", "39,826,000元", "3,982.6", "万元"},
		{999_999_99, "100.0 万元", "CNY 999,999.99", "999,999.99元", "100.0", "万元"},
		{1_000_499_99, "100.0 万元", "CNY 1.000 million", "1,000,499.99元", "100.0", "万元"},
		{1_000_500_00, "100.1 万元", "CNY 1.001 million", "1,000,500元", "100.1", "万元"},
	}
	for _, c := range cases {
		zh, en := words{locale.Zh}.money(c.fen), words{locale.En}.money(c.fen)
		if zh.Text != c.zh || en.Text != c.en || zh.Exact != c.exact || zh.Number != c.number || zh.Unit != c.inZhUn {
			t.Errorf("%d: %+v %+v", c.fen, zh, en)
		}
	}
}

func TestWords(t *testing.T) {
	zh, en := words{locale.Zh}, words{locale.En}
	unit := pack.Words{Zh: "本证书", En: "certificates"}
	for _, c := range [][2]string{
		{zh.number(1234567), "1,234,567"}, {zh.number(-1234), "-1,234"}, {zh.number(999), "999"},
		{zh.counted(1312, unit), "1,312本证书"}, {en.counted(1312, unit), "1,312 certificates"}, {en.counted(1, unit), "1 certificate"},
		{zh.day(20241220), "2024-12-20"}, {en.day(20241220), "20 Dec 2024"}, {en.day(0), ""},
		{zh.months(1), "1个月"}, {en.months(1), "1 month"}, {en.months(12), "12 months"},
		{zh.quantity(29, "year"), "29周岁"}, {zh.quantity(1000_00, "fen/month"), "每月1,000元"}, {en.quantity(1000_00, "fen/month"), "CNY 1,000 a month"},
		{zh.scalar(nil, ""), "未返回"}, {en.scalar(true, ""), "yes"}, {zh.scalar(calendar.Day(20240102), ""), "2024-01-02"}, {zh.scalar("371502", ""), "371502"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}

func TestBar(t *testing.T) {
	cases := []struct {
		name  string
		n     []int64
		parts string
	}{
		{"in proportion", []int64{100, 100}, "a0+150 b150+150 "},
		{"a little is seen", []int64{1, 100000}, "a0+2 b2+298 "},
		{"nothing is not", []int64{0, 5}, "b0+300 "},
		{"nobody at all", []int64{0, 0}, ""},
	}
	for _, c := range cases {
		var in []slice
		for i, n := range c.n {
			in = append(in, slice{Kind: string(rune('a' + i)), n: n})
		}
		got := ""
		for _, s := range bar(300, in...) {
			got += s.Kind + words{}.number(int64(s.X)) + "+" + words{}.number(int64(s.Width)) + " "
		}
		if got != c.parts {
			t.Errorf("%s: %q, want %q", c.name, got, c.parts)
		}
	}
}
