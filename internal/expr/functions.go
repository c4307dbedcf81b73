package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"bole/internal/calendar"
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
)

// Function is one word that an expression may call. The table below is the whole list; docs/policies.md shows it.
type Function struct {
	Name, Example, Result string
	Meaning               string
	overloads             []cel.FunctionOpt
	takes                 []string // units of its arguments, "" for any
	unit                  string   // of its result
	lo, hi                int64    // range of an int result over the days 1800-01-01 to 2299-12-31: the calendar's and one add either way
}

func strict1(id string, arg, res *cel.Type, f func(ref.Val) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{arg}, res, cel.UnaryBinding(f))
}

func strict2(id string, a, b, res *cel.Type, f func(a, b ref.Val) ref.Val) cel.FunctionOpt {
	return cel.Overload(id, []*cel.Type{a, b}, res, cel.BinaryBinding(f))
}

// eachType makes an overload for every scalar type, with arguments that may be unknown.
func eachType(name string, arity int, result *cel.Type, f func(args ...ref.Val) ref.Val) []cel.FunctionOpt {
	var out []cel.FunctionOpt
	for _, t := range []Type{Bool, Int, Text, Day} {
		args := make([]*cel.Type, arity)
		for i := range args {
			args[i] = celType(t)
		}
		res := result
		if res == nil {
			res = celType(t)
		}
		out = append(out, cel.Overload(name+"_"+string(t), args, res, cel.OverloadIsNonStrict(), cel.FunctionBinding(f)))
	}
	return out
}

func pick(less func(a, b ref.Val) bool) func(a, b ref.Val) ref.Val {
	return func(a, b ref.Val) ref.Val {
		if less(b, a) {
			return b
		}
		return a
	}
}

func before(a, b ref.Val) bool {
	if x, ok := a.(types.Int); ok {
		return x < b.(types.Int)
	}
	return day(a) < day(b)
}

func day(v ref.Val) calendar.Day { return calendar.DayOf(v.(types.Timestamp).Time) }

func dayVal(d calendar.Day) ref.Val { return types.Timestamp{Time: d.Time()} }

func isUnknown(v ref.Val) bool { return types.IsUnknown(v) || types.IsError(v) }

// Functions is the vocabulary's table of functions.
var Functions = []Function{
	{Name: "day", Example: `day("2024-12-20")`, Result: "2024-12-20", Meaning: "a day written in an expression; only of a literal",
		overloads: []cel.FunctionOpt{strict1("day_text", cel.StringType, cel.TimestampType, func(v ref.Val) ref.Val {
			d, err := calendar.Parse(string(v.(types.String)))
			if err != nil {
				return types.NewErr("no such day")
			}
			return dayVal(d)
		})}},
	{Name: "add_months", Example: `add_months(day("2024-01-31"), 1)`, Result: "2024-02-29", Meaning: "the same day that many months later, or the month's last day; at most 1200 months", takes: []string{"", "month"},
		overloads: []cel.FunctionOpt{strict2("add_months_day", cel.TimestampType, cel.IntType, cel.TimestampType, func(a, b ref.Val) ref.Val {
			return dayVal(day(a).AddMonths(int(b.(types.Int))))
		})}},
	{Name: "add_days", Example: `add_days(day("2024-02-28"), 2)`, Result: "2024-03-01", Meaning: "that many days later; at most 36600 days", takes: []string{"", "day"},
		overloads: []cel.FunctionOpt{strict2("add_days_day", cel.TimestampType, cel.IntType, cel.TimestampType, func(a, b ref.Val) ref.Val {
			return dayVal(day(a).AddDays(int(b.(types.Int))))
		})}},
	{Name: "years_between", Example: `years_between(day("1990-05-05"), day("2025-05-04"))`, Result: "34", Meaning: "whole years from the first day to the second: an age (周岁)", lo: -500, hi: 500, unit: "year",
		overloads: []cel.FunctionOpt{strict2("years_between_day", cel.TimestampType, cel.TimestampType, cel.IntType, func(a, b ref.Val) ref.Val {
			return types.Int(calendar.YearsBetween(day(a), day(b)))
		})}},
	{Name: "months_between", Example: `months_between(day("2024-01-31"), day("2024-02-29"))`, Result: "0", Meaning: "whole months from the first day to the second", lo: -6000, hi: 6000, unit: "month",
		overloads: []cel.FunctionOpt{strict2("months_between_day", cel.TimestampType, cel.TimestampType, cel.IntType, func(a, b ref.Val) ref.Val {
			return types.Int(calendar.MonthsBetween(day(a), day(b)))
		})}},
	{Name: "days_between", Example: `days_between(day("2024-02-28"), day("2024-03-01"))`, Result: "2", Meaning: "days from the first day to the second", lo: -183000, hi: 183000, unit: "day",
		overloads: []cel.FunctionOpt{strict2("days_between_day", cel.TimestampType, cel.TimestampType, cel.IntType, func(a, b ref.Val) ref.Val {
			return types.Int((b.(types.Timestamp).Unix() - a.(types.Timestamp).Unix()) / (24 * 60 * 60))
		})}},
	{Name: "year_of", Example: `year_of(day("2024-12-20"))`, Result: "2024", Meaning: "the year that a day is in", lo: 1800, hi: 2299,
		overloads: []cel.FunctionOpt{strict1("year_of_day", cel.TimestampType, cel.IntType, func(v ref.Val) ref.Val { return types.Int(day(v) / 10000) })}},
	ofDay("month_of", "12", "the month that a day is in, from 1 to 12", 1, 12, func(d calendar.Day) int { return int(d/100) % 100 }),
	ofDay("day_of", "20", "the day of the month, from 1 to 31", 1, 31, func(d calendar.Day) int { return int(d % 100) }),
	ofDay("half_year_of", "2", "the half of the year that a day is in: 1 to the end of June, then 2", 1, 2, func(d calendar.Day) int { return (int(d/100)%100 + 5) / 6 }),
	stretch("first_of_month", "2024-12-01", "the first day of the month that a day is in"),
	stretch("last_of_month", "2024-12-31", "the last day of that month"),
	stretch("first_of_half_year", "2024-07-01", "the first day of the half-year that a day is in: 1 January or 1 July"),
	stretch("last_of_half_year", "2024-12-31", "the last day of that half-year"),
	stretch("first_of_year", "2024-01-01", "1 January of the year that a day is in"),
	stretch("last_of_year", "2024-12-31", "31 December of that year"),
	{Name: "months_in_years", Example: `months_in_years(3)`, Result: "36", Meaning: "so many years as months: a number of months is compared with it", takes: []string{"year"}, unit: "month",
		overloads: []cel.FunctionOpt{strict1("months_in_years_int", cel.IntType, cel.IntType, func(v ref.Val) ref.Val { return v.(types.Int).Multiply(types.Int(12)) })}},
	{Name: "part_of", Example: `part_of(1001, 30, 100, "half_up")`, Result: "300", Meaning: "the first times the second, divided by the third, a literal, and rounded as the last says: `down` towards 0, `up` away from it, `half_up` to the nearest and a half away from 0, `half_even` a half to the even one. A percentage of money",
		overloads: []cel.FunctionOpt{cel.Overload("part_of_int", []*cel.Type{cel.IntType, cel.IntType, cel.IntType, cel.StringType}, cel.IntType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			product, ok := args[0].(types.Int).Multiply(args[1]).(types.Int)
			if !ok {
				return types.NewErr("integer overflow")
			}
			return types.Int(round(int64(product), int64(args[2].(types.Int)), string(args[3].(types.String))))
		}))}},
	{Name: "part", Example: `part("Y000037000001243000001", 16, 1)`, Result: "3", Meaning: "of a text so many characters from a place on, the first being 1; fewer where it ends before. Place and number are literals",
		overloads: []cel.FunctionOpt{cel.Overload("part_text", []*cel.Type{cel.StringType, cel.IntType, cel.IntType}, cel.StringType, cel.FunctionBinding(func(args ...ref.Val) ref.Val {
			text := []rune(string(args[0].(types.String)))
			from := min(int(args[1].(types.Int))-1, len(text))
			return types.String(text[from:min(from+int(args[2].(types.Int)), len(text))])
		}))}},
	{Name: "number_of", Example: `number_of("24", 0)`, Result: "24", Meaning: "the number that a text of one to nine digits says, or the second, a literal, where it says none",
		overloads: []cel.FunctionOpt{strict2("number_of_text", cel.StringType, cel.IntType, cel.IntType, func(a, b ref.Val) ref.Val {
			s := string(a.(types.String))
			if n, err := strconv.Atoi(s); err == nil && len(s) <= 9 && strings.Trim(s, "0123456789") == "" {
				return types.Int(n)
			}
			return b
		})}},
	{Name: "length_of", Example: `length_of("轴承")`, Result: "2", Meaning: "how many characters a text has", lo: 0, hi: 1 << 30,
		overloads: []cel.FunctionOpt{strict1("length_of_text", cel.StringType, cel.IntType, func(v ref.Val) ref.Val {
			return types.Int(utf8.RuneCountInString(string(v.(types.String))))
		})}},
	{Name: "least", Example: "least(40, 36)", Result: "36", Meaning: "the smaller of two ints or the earlier of two days; unknown if either is",
		overloads: []cel.FunctionOpt{
			strict2("least_int", cel.IntType, cel.IntType, cel.IntType, pick(before)),
			strict2("least_day", cel.TimestampType, cel.TimestampType, cel.TimestampType, pick(before))}},
	{Name: "greatest", Example: "greatest(40, 36)", Result: "40", Meaning: "the larger of two ints or the later of two days; unknown if either is",
		overloads: []cel.FunctionOpt{
			strict2("greatest_int", cel.IntType, cel.IntType, cel.IntType, pick(func(a, b ref.Val) bool { return before(b, a) })),
			strict2("greatest_day", cel.TimestampType, cel.TimestampType, cel.TimestampType, pick(func(a, b ref.Val) bool { return before(b, a) }))}},
	{Name: "known", Example: `known(3)`, Result: "true", Meaning: "whether a register has told the value at all; itself never unknown",
		overloads: eachType("known", 1, cel.BoolType, func(args ...ref.Val) ref.Val { return types.Bool(!isUnknown(args[0])) })},
	{Name: "value_or", Example: "value_or(3, 0)", Result: "3", Meaning: "the first value, or the second where the first is unknown. Silence then counts: say by which article it may",
		overloads: eachType("value_or", 2, nil, func(args ...ref.Val) ref.Val {
			if isUnknown(args[0]) {
				return args[1]
			}
			return args[0]
		})},
}

// Roundings are the ways to round a part of an amount to a whole fen. The law of each award names one.
var Roundings = []string{"down", "up", "half_up", "half_even"}

// PartOf is part_of of the rule language: times so many of so many, rounded to a whole. by is above 0.
func PartOf(n, times, by int64, rounding string) int64 { return round(n*times, by, rounding) }

// round divides by a denominator above 0.
func round(n, by int64, rounding string) int64 {
	whole, rest := n/by, n%by
	away := int64(1)
	if n < 0 {
		away, rest = -1, -rest
	}
	switch {
	case rest == 0:
	case rounding == "up",
		rounding == "half_up" && 2*rest >= by,
		rounding == "half_even" && (2*rest > by || 2*rest == by && whole%2 != 0):
		whole += away
	}
	return whole
}

// ofDay makes a function of one day that answers a number.
func ofDay(name, result, meaning string, lo, hi int64, f func(calendar.Day) int) Function {
	return Function{Name: name, Example: name + `(day("2024-12-20"))`, Result: result, Meaning: meaning, lo: lo, hi: hi,
		overloads: []cel.FunctionOpt{strict1(name+"_day", cel.TimestampType, cel.IntType, func(v ref.Val) ref.Val { return types.Int(f(day(v))) })}}
}

// stretches are the first and the last days of the stretch of months that a day is in.
var stretches = map[string]func(calendar.Day) calendar.Day{
	"first_of_month":     func(d calendar.Day) calendar.Day { return d.Month().First() },
	"last_of_month":      func(d calendar.Day) calendar.Day { return d.Month().Last() },
	"first_of_half_year": func(d calendar.Day) calendar.Day { return begin(d, 6).First() },
	"last_of_half_year":  func(d calendar.Day) calendar.Day { return begin(d, 6).Add(5).Last() },
	"first_of_year":      func(d calendar.Day) calendar.Day { return begin(d, 12).First() },
	"last_of_year":       func(d calendar.Day) calendar.Day { return begin(d, 12).Add(11).Last() },
}

// begin is the month that begins the stretch of 6 or 12 months that a day is in.
func begin(d calendar.Day, months int) calendar.Month {
	return d.Month().Add(-(d.Month().Index() % months))
}

func stretch(name, result, meaning string) Function {
	return Function{Name: name, Example: name + `(day("2024-12-20"))`, Result: result, Meaning: meaning,
		overloads: []cel.FunctionOpt{strict1(name+"_day", cel.TimestampType, cel.TimestampType, func(v ref.Val) ref.Val { return dayVal(stretches[name](day(v))) })}}
}

func declarations() []cel.EnvOption {
	out := []cel.EnvOption{cel.DefaultUTCTimeZone(true)}
	for _, f := range Functions {
		out = append(out, cel.Function(f.Name, f.overloads...))
	}
	return out
}

func function(name string) (Function, bool) {
	for _, f := range Functions {
		if f.Name == name {
			return f, true
		}
	}
	return Function{}, false
}
