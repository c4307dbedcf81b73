package tell

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
		zh, en := Words{locale.Zh}.Money(c.fen), Words{locale.En}.Money(c.fen)
		if zh.Text != c.zh || en.Text != c.en || zh.Exact != c.exact || zh.Number != c.number || zh.Unit != c.inZhUn {
			t.Errorf("%d: %+v %+v", c.fen, zh, en)
		}
	}
}

func TestWords(t *testing.T) {
	zh, en := Words{locale.Zh}, Words{locale.En}
	unit := pack.Words{Zh: "本证书", En: "certificates"}
	for _, c := range [][2]string{
		{zh.Number(1234567), "1,234,567"}, {zh.Number(-1234), "-1,234"}, {zh.Number(999), "999"},
		{zh.Counted(1312, unit), "1,312本证书"}, {en.Counted(1312, unit), "1,312 certificates"}, {en.Counted(1, unit), "1 certificate"},
		{zh.Day(20241220), "2024-12-20"}, {en.Day(20241220), "20 Dec 2024"}, {en.Day(0), ""},
		{zh.Months(1), "1个月"}, {en.Months(1), "1 month"}, {en.Months(12), "12 months"},
		{zh.Quantity(29, "year"), "29周岁"}, {zh.Quantity(1000_00, "fen/month"), "每月1,000元"}, {en.Quantity(1000_00, "fen/month"), "CNY 1,000 a month"},
		{zh.Scalar(nil, ""), "未返回"}, {en.Scalar(true, ""), "yes"}, {zh.Scalar(calendar.Day(20240102), ""), "2024-01-02"}, {zh.Scalar("371502", ""), "371502"},
	} {
		if c[0] != c[1] {
			t.Errorf("got %q, want %q", c[0], c[1])
		}
	}
}
