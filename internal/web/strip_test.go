package web

import (
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/tell"
)

var letters = map[string]string{monthPaid: "p", monthLate: "l", monthAgain: "r", monthBack: "b", monthTransfer: "t", monthGap: "x", monthNone: "-", monthUntold: "?", monthNeeded: "n", monthBlank: " "}

// months writes a career as a person draws it: one letter a month from a month on; p l r b t for its kinds, anything else for none.
func months(from calendar.Month, drawn string) (out []fact.Month) {
	quality := map[rune]string{'p': "paid", 'l': "late", 'r': "recollected", 'b': "back", 't': "transfer"}
	for i, r := range drawn {
		if q := quality[r]; q != "" {
			out = append(out, fact.Month{Index: from.Index() + i, Quality: q})
		}
	}
	return out
}

func pensionRun(has, required int64) *tell.Wanted {
	f := &pack.Fact{Qualities: []pack.Src{{Text: "paid"}, {Text: "late"}}}
	return &tell.Wanted{Fact: f, Has: has, Required: required}
}

func insuredTotal(has, required int64) *tell.Wanted {
	f := &pack.Fact{Qualities: []pack.Src{{Text: "paid"}, {Text: "late"}, {Text: "back"}, {Text: "transfer"}}}
	return &tell.Wanted{Fact: f, Has: has, Required: required, Total: true}
}

func drawn(s strip) (out []string) {
	for _, y := range s.Years {
		line := y.Year + " "
		for _, c := range y.Cells {
			line += letters[c.Kind]
		}
		out = append(out, line)
	}
	return out
}

func braces(s strip) (out []string) {
	for _, y := range s.Years {
		for _, b := range y.Braces {
			out = append(out, y.Year+" "+b.Path+" "+b.Text)
		}
	}
	return out
}

func TestStrip(t *testing.T) {
	cases := []struct {
		name   string
		s      stripOf
		years  []string
		braces []string
		legend string
	}{
		{"a run of four of six, after late, back-paid and missing months",
			stripOf{on: 202412, from: 202101, to: 202412, months: months(202307, "pppppp"+"pplppbxxpppp"), want: pensionRun(4, 6)},
			[]string{"2021 ------------", "2022 ------------", "2023 ------pppppp", "2024 pplppbxxpppp", "2025 nn"},
			[]string{"2024 M129 28v4H191v-4 连续 4", "2025 M1 28v4H31v-4 还需 2"},
			"正常缴费 晚缴，计入 补缴，不计入 中断 无缴费记录 还需缴费"},
		{"a total of nine of twelve, the last two months not yet recorded",
			stripOf{on: 202412, from: 202401, to: 202411, months: months(202401, "tpppppppp-"), want: insuredTotal(9, 12)},
			[]string{"2024 tpppppppp--?", "2025 nnn"},
			[]string{"2025 M1 28v4H47v-4 还需 3"},
			"正常缴费 转入，计入 无缴费记录 底册未及 还需缴费"},
		{"needed from the month after the last, where that is the one asked about or one of the two before",
			stripOf{on: 202412, from: 202401, to: 202412, months: months(202401, "pppppppppp"), want: insuredTotal(10, 13)},
			[]string{"2024 ppppppppppnn", "2025 n"},
			[]string{"2024 M161 28v4H191 还需 3", "2025 M1 32H15v-4 "},
			"正常缴费 还需缴费"},
		{"a run that goes over the year",
			stripOf{on: 202412, from: 202301, to: 202412, months: months(202311, "pp"+"pppppppppppp"), want: pensionRun(14, 12)},
			[]string{"2023 ----------pp", "2024 pppppppppppp"},
			[]string{"2023 M161 28v4H191 ", "2024 M1 32H191v-4 连续 14"},
			"正常缴费 无缴费记录"},
		{"nobody ever paid",
			stripOf{on: 202406, from: 202401, to: 202406, want: pensionRun(0, 1)},
			[]string{"2024 ------n     "},
			[]string{"2024 M97 28v4H111v-4 还需 1"},
			"无缴费记录 还需缴费"},
		{"no delivery yet",
			stripOf{on: 202406},
			[]string{"2020 ????????????", "2021 ????????????", "2022 ????????????", "2023 ????????????", "2024 ??????      "},
			nil, "底册未及"},
		{"a longer absence is a time elsewhere, and five years are shown",
			stripOf{on: 202412, from: 201501, to: 202412, months: months(201901, "pppppppppppp"+"p-----------"+"--pppppppppp"+"pppppppppppp"+"pppppppppppp"+"pppppppppppp"), want: insuredTotal(58, 36)},
			[]string{"2020 p-----------", "2021 --pppppppppp", "2022 pppppppppppp", "2023 pppppppppppp", "2024 pppppppppppp"},
			nil, "正常缴费 无缴费记录"},
		{"months after the day asked about are not shown as paid",
			stripOf{on: 202403, from: 202401, to: 202406, months: months(202401, "pppppp"), want: insuredTotal(3, 3)},
			[]string{"2024 ppp         "}, nil, "正常缴费"},
		{"more are needed than are drawn",
			stripOf{on: 202412, from: 202401, to: 202412, months: months(202412, "p"), want: insuredTotal(1, 36)},
			[]string{"2024 -----------p", "2025 nnnnnnnnnnnn", "2026 nnnnnnnnnnnn"},
			[]string{"2025 M1 28v4H191 还需 35", "2026 M1 32H191v-4 "}, "正常缴费 无缴费记录 还需缴费"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			got := inWords(locale.Zh).strip(c.s)
			if strings.Join(drawn(got), "\n") != strings.Join(c.years, "\n") {
				t.Errorf("drawn\n%s\nwant\n%s", strings.Join(drawn(got), "\n"), strings.Join(c.years, "\n"))
			}
			if strings.Join(braces(got), "\n") != strings.Join(c.braces, "\n") {
				t.Errorf("braces %q, want %q", braces(got), c.braces)
			}
			var legend []string
			for _, l := range got.Legend {
				legend = append(legend, l.Text)
			}
			if strings.Join(legend, " ") != c.legend {
				t.Errorf("legend %q, want %q", legend, c.legend)
			}
		})
	}
}

func TestStripCountsATotalByYear(t *testing.T) {
	s := inWords(locale.Zh).strip(stripOf{on: 202412, from: 201901, to: 202412, months: months(201911, "pp"+"pppppppppppp"), want: insuredTotal(14, 12)})
	if s.Earlier != "2020年以前另有2个月计入" || s.Total != "累计计入14个月，须12个月" || s.Years[0].Counted != "计 12" || s.Years[1].Counted != "" {
		t.Errorf("%q %q %q %q", s.Earlier, s.Total, s.Years[0].Counted, s.Years[1].Counted)
	}
	en := inWords(locale.En).strip(stripOf{on: 202412, from: 202401, to: 202412, months: months(202410, "plx"), want: insuredTotal(2, 3)})
	if got := en.Years[0].Spoken; got != "2024: paid when due 1, paid late 1, none recorded 9, still needed 1" {
		t.Errorf("spoken as %q", got)
	}
}
