package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

// wage is a small vocabulary in which a reader can follow the refusals.
func wage(t testing.TB) *Vocabulary {
	t.Helper()
	v, err := NewVocabulary(
		Name{Name: "insured_months", Type: Int, Min: 0, Max: 1000},
		Name{Name: "serial", Type: Int},
		Name{Name: "degree", Type: Text, Codes: degrees},
		Name{Name: "place", Type: Text},
		Name{Name: "owns_home", Type: Bool},
		Name{Name: "since", Type: Day},
		Name{Name: "p.months_min", Type: Int, Min: 1, Max: 60, Fixed: true},
		Name{Name: "p.amount_fen", Type: IntTable, Min: 0, Max: 90000, Fixed: true},
		Name{Name: "p.rate", Type: TextTable, Fixed: true},
		Name{Name: "p.grid", Type: IntTextGrid, Max: 9, Fixed: true, KeyUnits: [2]string{"skill_level", ""}},
		Name{Name: "p.urgent", Type: TextSet, Codes: []string{"welder"}, Fixed: true},
		Name{Name: "p.levels", Type: IntSet, Unit: "skill_level", Fixed: true},
		Name{Name: "occupation", Type: Text, Codes: []string{"welder", "cook"}},
		Name{Name: "age_years", Type: Int, Max: 400, Unit: "year"},
		Name{Name: "p.years_max", Type: Int, Max: 60, Unit: "year", Fixed: true},
		Name{Name: "pension_months", Type: Int, Max: 1200, Unit: "month"},
		Name{Name: "price_fen", Type: Int, Max: 1_000_000_000_000, Unit: "fen"},
		Name{Name: "p.cap_fen", Type: Int, Max: 90000, Unit: "fen", Fixed: true},
		Name{Name: "p.monthly_fen", Type: Int, Max: 90000, Unit: "fen/month", Fixed: true},
		Name{Name: "p.child_fen", Type: Int, Max: 90000, Unit: "fen/person/month", Fixed: true},
		Name{Name: "children", Type: Int, Max: 20, Unit: "person"},
		Name{Name: "p.share", Type: Int, Max: 1000, Unit: "permille", Fixed: true},
		Name{Name: "level", Type: Int, Max: 9, Unit: "skill_level"},
		Name{Name: "school_level", Type: Int, Max: 9, Unit: "education_level"},
		Name{Name: "skill_level.senior", Type: Int, Const: int64(3), Unit: "skill_level"},
		Name{Name: "months_max", Type: Int, Const: int64(36)},
		Name{Name: "zero", Type: Int, Const: int64(0)},
	)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestRefusals(t *testing.T) {
	v := wage(t)
	deep := strings.Repeat("!(", 41) + "owns_home" + strings.Repeat(")", 41)
	wide := strings.Repeat("least(", 12) + "insured_months" + strings.Repeat(", 7)", 12) + " > 3"
	overflow := "could leave the range of an int (from %s to %s): state a minimum and maximum of its facts"
	const (
		divisor  = "the divisor must be a literal int other than 0"
		literals = "in asks for a list of int or text literals of the type on its left"
		value    = ` is not a value of the rule language: use bool, int, text or day("2024-12-20")`
		aDay     = `day asks for a literal day, day("2024-12-20")`
		key      = "a table can only be asked by a key, p.name[key]"
		lists    = "lists and maps may only stand on the right of in"
	)
	type at = Problem
	for _, c := range []struct {
		name, src string
		want      []Problem
	}{
		// words
		{"an unknown fact", "insured_month >= 3", []at{{1, 1, "no fact called insured_month; did you mean insured_months?"}}},
		{"an unknown fact on the second line, after Chinese text", "place == \"北京\" &&\n  (owns_hom || owns_home)", []at{{2, 4, "no fact called owns_hom; did you mean owns_home?"}}},
		{"an unknown fact after Chinese text on its line", `place == "北京" && owns_hom`, []at{{1, 18, "no fact called owns_hom; did you mean owns_home?"}}},
		{"an unknown parameter that is near one", "insured_months >= p.months_mn", []at{{1, 19, "no parameter called months_mn; did you mean months_min?"}}},
		{"an unknown parameter that is near none", "insured_months >= p.ceiling", []at{{1, 19, "no parameter called ceiling"}}},
		{"an unknown function", "ad_days(since, 1) > since", []at{{1, 1, "no function called ad_days; did you mean add_days?"}}},
		{"the name of a type", "insured_months == int", []at{{1, 16, "== cannot be applied to (int, type(int))"}}},

		// types
		{"ints and texts are not compared", `insured_months == "a"`, []at{{1, 16, "== cannot be applied to (int, text)"}}},
		{"the whole must be what is wanted", "insured_months + 1", []at{{1, 1, "must be bool, and is int"}}},
		{"a ternary of two types", `owns_home ? 1 : "a"`, []at{{1, 11, "?: cannot be applied to (bool, int, text)"}}},
		{"a day is no text", `since > "2024-01-01"`, []at{{1, 7, "> cannot be applied to (day, text)"}}},
		{"a table by the wrong key", "p.rate[1] > 1", []at{{1, 1, "[] cannot be applied to (table[text]int, int)"}}},
		{"a condition of a number", "owns_home && 1", []at{{1, 14, "expected type 'bool' but found 'int'"}}},
		{"a part from a place that is no literal", `part(place, insured_months, 1) == "a"`, []at{{1, 1, "part asks for a literal place and a literal number of characters, both from 1 to 1000"}}},
		{"a part from the place before the first", `part(place, 0, 1) == "a"`, []at{{1, 1, "part asks for a literal place and a literal number of characters, both from 1 to 1000"}}},
		{"a number of a text, else of a fact", "number_of(place, insured_months) == 1", []at{{1, 1, "number_of asks for a literal int where the text says no number"}}},
		{"bools have no order", "owns_home < true", []at{{1, 11, "bool and bool have no order"}}},
		{"a function with too many arguments", "known(since, since)", []at{{1, 1, "known cannot be applied to (day, day)"}}},

		// what is not in the language
		{"a macro over a list", "[1].all(x, x > 0)", []at{{1, 5, "the macro all is not in the rule language: a rule that loops wants a fact"}, {1, 9, "no fact called x"}, {1, 12, "no fact called x"}}},
		{"the macro has", "has(p.months_min)", []at{{1, 1, "the macro has is not in the rule language: a rule that loops wants a fact"}}},
		{"timestamp", `since == timestamp("2024-01-01T00:00:00Z")`, []at{{1, 10, "timestamp is not in the rule language"}}},
		{"size", "size(place) > 1", []at{{1, 1, "size is not in the rule language"}}},
		{"matches", `place.matches("a.*")`, []at{{1, 7, "matches is not in the rule language"}}},
		{"dyn", "dyn(serial) == 1", []at{{1, 1, "dyn is not in the rule language"}}},
		{"a duration", `since + duration("1h") > since`, []at{{1, 9, "duration is not in the rule language"}}},
		{"texts joined", `place + "a" == "b"`, []at{{1, 7, "+ is for ints: write add_days, add_months or days_between for days"}}},
		{"days subtracted", `since - since == since - since`, []at{{1, 7, "- is for ints: write add_days, add_months or days_between for days"}, {1, 24, "- is for ints: write add_days, add_months or days_between for days"}}},
		{"a list", "[1, 2][0] > 0", []at{{1, 1, lists}}},
		{"a map", "{1: 2}[1] > 0", []at{{1, 1, lists}}},
		{"null", "null == null", []at{{1, 1, "null_type" + value}, {1, 9, "null_type" + value}}},
		{"a float", "1.5 > 0.5", []at{{1, 1, "double" + value}, {1, 7, "double" + value}}},
		{"a float beside an int", "insured_months > 1.5", []at{{1, 16, "> cannot be applied to (int, double)"}}},
		{"an unsigned int", "1u > 0u", []at{{1, 1, "uint" + value}, {1, 6, "uint" + value}}},
		{"bytes", `b"a" == b"a"`, []at{{1, 1, "bytes" + value}, {1, 9, "bytes" + value}}},
		{"a field", "place.length > 1", []at{{1, 6, "type 'text' does not support field selection"}}},
		{"a field of a table", "p.rate.doctor > 1", []at{{1, 7, "no field doctor here"}}},
		{"a table as a value", "p.rate == p.rate", []at{{1, 8, key}}},
		{"a choice of tables", "(owns_home ? p.amount_fen : p.amount_fen)[1] > 0", []at{{1, 12, key}}},

		// numbers
		{"a fact as a divisor", "insured_months / serial > 1", []at{{1, 16, divisor}}},
		{"a parameter as a divisor", "insured_months % p.months_min > 1", []at{{1, 16, divisor}}},
		{"zero as a divisor", "insured_months / 0 > 1", []at{{1, 16, divisor}}},
		{"a constant zero as a divisor", "insured_months % zero > 1", []at{{1, 16, divisor}}},
		{"the divisor that the least int lacks an answer for", "serial % -1 == 0", []at{{1, 8, "the divisor is out of range"}}},
		{"the quotient that the least int lacks", "serial / -1 == 0", []at{{1, 8, fmt.Sprintf(overflow, "-9223372036854775807", "9223372036854775808")}}},
		{"a sum that may be too large", "serial + 1 > 0", []at{{1, 8, fmt.Sprintf(overflow, "-9223372036854775807", "9223372036854775808")}}},
		{"a product that may be too large", "insured_months * 9223372036854775807 > 0", []at{{1, 16, fmt.Sprintf(overflow, "0", "9223372036854775807000")}}},
		{"the opposite of the least int", "-(-9223372036854775808) > 1", []at{{1, 1, fmt.Sprintf(overflow, "9223372036854775808", "9223372036854775808")}}},
		{"a table without a stated range", `p.rate["doctor"] + 1 > 0`, []at{{1, 18, fmt.Sprintf(overflow, "-9223372036854775807", "9223372036854775808")}}},
		{"a literal beyond 64 bits", "serial > 9223372036854775808", []at{{1, 10, "invalid int literal"}}},

		// days
		{"a day that is not in the calendar", `since > day("2024-02-30")`, []at{{1, 9, aDay}}},
		{"a day of a fact", "day(place) > since", []at{{1, 1, aDay}}},
		{"more months than may be added", "add_months(since, 1201) > since", []at{{1, 1, "add_months of more than 1200: the number here can be from 1201 to 1201"}}},
		{"days of which nobody knows how many", "add_days(since, serial) > since", []at{{1, 1, "add_days of more than 36600: the number here can be from -9223372036854775808 to 9223372036854775807"}}},
		{"a day added to twice", "add_days(add_months(since, 1), 1) > since", []at{{1, 1, "add_days of add_months: add once"}}},
		{"a day added to twice, hidden", "add_days(owns_home ? since : least(since, add_days(since, 1)), 1) > since", []at{{1, 1, "add_days of add_days: add once"}}},

		// code lists and lists
		{"a typing error in a code", `degree == "mastr"`, []at{{1, 8, `degree is never "mastr"; did you mean "master"?`}}},
		{"a typing error in a code on the left", `"mastr" != degree`, []at{{1, 9, `degree is never "mastr"; did you mean "master"?`}}},
		{"a code that is near none", `value_or(degree, "none") == "none"`, []at{{1, 1, `degree is never "none"`}}},
		{"two typing errors in a list of codes", `degree in ["mastr", "master", "bachlor"]`, []at{{1, 12, `degree is never "mastr"; did you mean "master"?`}, {1, 31, `degree is never "bachlor"; did you mean "bachelor"?`}}},
		{"an empty list", "insured_months in []", []at{{1, 16, "in of an empty list holds for nobody"}}},
		{"a name in a list", "insured_months in [1, serial]", []at{{1, 23, literals}}},
		{"an expression in a list", "insured_months in [1 + 1]", []at{{1, 22, literals}}},
		{"a list of two types", `1 in [1, "a"]`, []at{{1, 10, literals}}},
		{"a list of bools", "owns_home in [true]", []at{{1, 15, literals}}},
		{"a list of days", `since in [day("2024-01-01")]`, []at{{1, 11, literals}}},
		{"in a table", "place in p.rate", []at{{1, 7, "in asks for a list of literals or a parameter that is a set"}}},
		{"the beginning of a text by a fact", "place.startsWith(degree)", []at{{1, 7, "startsWith asks for a literal text"}}},

		{"a set as a value", "p.urgent == p.urgent", []at{{1, 10, "a set can only stand on the right of in"}}},
		{"a member of a set", `p.urgent[0] == "welder"`, []at{{1, 9, "a set can only stand on the right of in"}}},
		{"a set of the other type", "insured_months in p.urgent", []at{{1, 16, "in cannot be applied to (int, set[text])"}}},
		{"a set that is known", "known(p.urgent)", []at{{1, 1, "known cannot be applied to (set[text])"}}},
		{"a set of another code list", "degree in p.urgent", []at{{1, 8, "degree and p.urgent have no code in common"}}},
		{"a table of two keys by one", "p.grid[level] > 1", []at{{1, 15, "> cannot be applied to (table[text]int, int)"}}},
		{"a row of a table as a value", "p.grid[1] == p.grid[1]", []at{{1, 11, key}}},
		{"a table of two keys by the wrong second", "p.grid[level][1] > 1", []at{{1, 14, "[] cannot be applied to (table[text]int, int)"}}},
		{"not in", `!owns_home && occupation not in p.urgent`, []at{{1, 26, "cannot be read: mismatched input 'not'; not in is written !(x in y)"}}},

		// parts of amounts
		{"a part by a fact", `part_of(price_fen, 1, insured_months, "down") > 1`, []at{{1, 1, "part_of asks for a literal denominator from 1 to 1000000"}}},
		{"a part by zero", `part_of(price_fen, 1, 0, "down") > 1`, []at{{1, 1, "part_of asks for a literal denominator from 1 to 1000000"}}},
		{"a part without a rounding", `part_of(price_fen, 1, 3, place) > 1`, []at{{1, 1, "part_of asks for a literal rounding: down, up, half_up, half_even"}}},
		{"a part rounded otherwise", `part_of(price_fen, 1, 3, "near") > 1`, []at{{1, 1, "part_of asks for a literal rounding: down, up, half_up, half_even"}}},
		{"a part that could overflow", `part_of(serial, 2, 3, "down") > 1`, []at{{1, 1, fmt.Sprintf(overflow, "-18446744073709551616", "18446744073709551614")}}},
		{"a part whose half could overflow", `part_of(serial / 2, 1, 3, "half_up") > 1`, []at{{1, 1, "could leave the range of an int: state a minimum and maximum of its facts"}}},
		{"so many years that they are no months", "months_in_years(serial) > 1", []at{{1, 1, fmt.Sprintf(overflow, "-110680464442257309696", "110680464442257309684")}}},

		// units
		{"an age compared with money", "age_years >= p.cap_fen", []at{{1, 11, "age_years is year and p.cap_fen is fen: >= wants one unit"}}},
		{"months compared with years", "pension_months >= p.years_max", []at{{1, 16, "pension_months is month and p.years_max is year: >= wants one unit; years are made months by months_in_years"}}},
		{"years between days compared with months", "years_between(since, since) < pension_months", []at{{1, 29, "years_between(...) is year and pension_months is month: < wants one unit; years are made months by months_in_years"}}},
		{"money added to an age", "price_fen + age_years > 1", []at{{1, 11, "price_fen is fen and age_years is year: + wants one unit"}}},
		{"the least of two units", "least(price_fen, age_years) > 1", []at{{1, 1, "price_fen is fen and age_years is year: least wants one unit"}}},
		{"a choice of two units", "(owns_home ? price_fen : age_years) > 1", []at{{1, 12, "price_fen is fen and age_years is year: ?: wants one unit"}}},
		{"another unit for the silent", "value_or(price_fen, age_years) > 1", []at{{1, 1, "price_fen is fen and age_years is year: value_or wants one unit"}}},
		{"a unit behind a literal", "value_or(least(7, age_years), 0) == price_fen", []at{{1, 34, "age_years is year and price_fen is fen: == wants one unit"}}},
		{"levels of two lists", "school_level >= skill_level.senior", []at{{1, 14, "school_level is education_level and skill_level.senior is skill_level: >= wants one unit"}}},
		{"a level in a list of another's", "school_level in [skill_level.senior]", []at{{1, 29, "school_level is education_level and skill_level.senior is skill_level: in wants one unit"}}},
		{"a level in a set of another's", "school_level in p.levels", []at{{1, 14, "school_level is education_level and p.levels is skill_level: in wants one unit"}}},
		{"a table asked by a level of another list", `p.grid[school_level]["a"] > 1`, []at{{1, 7, "p.grid is asked by skill_level, and school_level is education_level"}}},
		{"years added as months", "add_months(since, p.years_max) > since", []at{{1, 1, "add_months takes months, and p.years_max is year"}}},
		{"months added as days", "add_days(since, pension_months) > since", []at{{1, 1, "add_days takes days, and pension_months is month"}}},
		{"months taken for years", "months_in_years(pension_months) > 1", []at{{1, 1, "months_in_years takes years, and pension_months is month"}}},
		{"a monthly amount for a year", "p.monthly_fen * p.years_max > 1", []at{{1, 15, "p.monthly_fen is fen/month and p.years_max is year: their product has no unit"}}},
		{"money times money", "p.cap_fen * p.cap_fen > 1", []at{{1, 11, "p.cap_fen is fen and p.cap_fen is fen: their product has no unit"}}},
		{"a monthly amount for all months compared with a monthly one", "p.monthly_fen * pension_months > p.monthly_fen", []at{{1, 32, "the product is fen and p.monthly_fen is fen/month: > wants one unit"}}},
		{"a share without its rounding", "p.cap_fen * p.share / 1000 > 1", []at{{1, 11, `p.share is permille: write part_of(amount, p.share, 1000, "down"), which says how the amount is rounded`}}},
		{"a permille of a hundred", `part_of(price_fen, p.share, 100, "down") > 1`, []at{{1, 1, "p.share is permille: part_of wants it of 1000"}}},
		{"a part is of the unit of the whole", `part_of(price_fen, p.share, 1000, "down") > age_years`, []at{{1, 43, "part_of(...) is fen and age_years is year: > wants one unit"}}},

		// reading
		{"nothing", "", []at{{1, 1, "cannot be read: mismatched input '<EOF>'"}}},
		{"an end too early", "owns_home &&", []at{{1, 13, "cannot be read: mismatched input '<EOF>'"}}},
		{"two texts side by side", `place == 'it''s'`, []at{{1, 14, "cannot be read: extraneous input ''s''"}}},
		{"a NUL byte", "owns_home && \x00owns_home", []at{{1, 14, "a NUL byte"}}},
		{"a NUL byte on the second line, after Chinese text", "owns_home &&\nplace == \"北京\x00\"", []at{{2, 13, "a NUL byte"}}},
		{"a NUL byte written in a text", `place == "a\u0000"`, []at{{1, 10, "a NUL byte in a text"}}},
		{"too long", "owns_home || " + strings.Repeat(" ", 2000), []at{{1, 1, "longer than 2000 bytes: declare a fact for a part of it"}}},
		{"nested too deep", deep, []at{{1, 83, "nested deeper than 40: declare a fact for a part of it"}}},
		{"too deep on both sides is said once", deep + " == " + deep, []at{{1, 81, "nested deeper than 40: declare a fact for a part of it"}}},
		{"too long in SQL", wide, []at{{1, 1, "would be too long in SQL, which repeats what stands in ?:, least, greatest and the functions of days: declare a fact for a part of it"}}},

		// several at once
		{"three unknown words", `insured_month > 1 && p.month_min > 2 && degre == "a"`, []at{
			{1, 1, "no fact called insured_month; did you mean insured_months?"},
			{1, 22, "no parameter called month_min; did you mean months_min?"},
			{1, 41, "no fact called degre; did you mean degree?"}}},
		{"three refusals", `serial / 0 > 1 || size(place) > 1 || degree == "x"`, []at{{1, 8, divisor}, {1, 19, "size is not in the rule language"}, {1, 45, `degree is never "x"`}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, got := v.Compile(c.src, Bool)
			if x != nil || !slices.Equal(got, c.want) {
				t.Errorf("%s\n got %+v\nwant %+v", c.src, got, c.want)
			}
		})
	}
}

func TestAtTheLimits(t *testing.T) {
	v := wage(t)
	for _, c := range []struct{ name, src string }{
		{"the last depth", strings.Repeat("!(", 40) + "owns_home" + strings.Repeat(")", 40)},
		{"the last byte", "owns_home" + strings.Repeat(" ", 2000-len("owns_home"))},
		{"a comment", "owns_home // as the register says"},
		{"the most months", "add_months(since, 1200) > add_months(since, -1200)"},
		{"the most days", "add_days(since, 36600) > add_days(since, -36600)"},
		{"the greatest int", "9223372036854775806 + 1 > serial"},
		{"the least int", "-9223372036854775808 <= serial"},
		{"a divisor by name", "serial / months_max > 0"},
		{"a remainder of a bounded fact by -1", "insured_months % -1 == 0"},
		{"a monthly amount for some months", "p.monthly_fen * pension_months <= p.cap_fen"},
		{"an amount a child and month", "p.child_fen * children * pension_months <= p.cap_fen"},
		{"months against years, said so", "pension_months >= months_in_years(p.years_max)"},
		{"months added to a day", "add_months(since, pension_months % 12) > add_days(since, 30)"},
		{"a rate or a conversion that is a literal", "pension_months + 1 != p.years_max * 12 && 500 * pension_months < price_fen"},
		{"literals of any unit", "age_years + 1 <= 35 && price_fen / 100 > 3 && 3 * p.monthly_fen == p.monthly_fen && level >= 3"},
		{"a number without a unit", "insured_months > age_years && insured_months > price_fen"},
		{"a level and its list", "level >= skill_level.senior && level in [skill_level.senior, 5] && !(level in p.levels)"},
		{"a table of two keys", `p.grid[level]["a"] > 3 && p.grid[skill_level.senior][place] < 7`},
		{"a pro rata part", `part_of(p.cap_fen, pension_months, 12, "half_even") < price_fen`},
		{"a set of texts", `occupation in p.urgent || "cook" in p.urgent`},
		{"a difference of ages", "years_between(since, since) - age_years < p.years_max"},
		{"an add in the condition of an added day", "add_days(add_days(since, 1) > since ? since : since, 1) > since"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, problems := v.Compile(c.src, Bool); problems != nil {
				t.Errorf("%s: %v", c.src, problems)
			}
		})
	}
}

func TestRangesAreProven(t *testing.T) {
	v := wage(t)
	for _, c := range []struct {
		src    string
		lo, hi int64
	}{
		{"insured_months", 0, 1000},
		{"serial", math.MinInt64, math.MaxInt64},
		{"insured_months - p.months_min", -60, 999},
		{"insured_months * -3", -3000, 0},
		{"insured_months * insured_months", 0, 1_000_000},
		{"serial / 2", math.MinInt64 / 2, math.MaxInt64 / 2},
		{"serial % -12", -11, 11},
		{"-insured_months", -1000, 0},
		{"least(serial, insured_months)", math.MinInt64, 1000},
		{"greatest(serial, insured_months)", 0, math.MaxInt64},
		{"owns_home ? insured_months : -5", -5, 1000},
		{"value_or(insured_months, -1)", -1, 1000},
		{"p.amount_fen[insured_months]", 0, 90000},
		{`p.rate["doctor"]`, math.MinInt64, math.MaxInt64},
		{"months_max", 36, 36},
		{"year_of(since)", 1800, 2299},
	} {
		x, problems := v.Compile(c.src, Int)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
		} else if lo, hi := x.Range(); lo != c.lo || hi != c.hi {
			t.Errorf("%s is from %d to %d, want %d to %d", c.src, lo, hi, c.lo, c.hi)
		}
	}
}

// TestDaysReachTheirRanges asks the functions of days at both ends of the calendar and of what may be added.
func TestDaysReachTheirRanges(t *testing.T) {
	v := wage(t)
	first, last := `add_months(day("1900-01-01"), -1200)`, `add_months(day("2199-12-31"), 1200)`
	for _, c := range []struct {
		src  string
		want int64
	}{
		{"year_of(" + first + ")", 1800},
		{"year_of(" + last + ")", 2299},
		{"years_between(" + first + ", " + last + ")", 499},
		{"months_between(" + last + ", " + first + ")", -5999},
		{"days_between(" + first + ", " + last + ")", 182620},
	} {
		x, problems := v.Compile(c.src, Int)
		if problems != nil {
			t.Fatalf("%s: %v", c.src, problems)
		}
		got, err := x.Eval(row{}.values)
		if lo, hi := x.Range(); err != nil || got != c.want || c.want < lo || c.want > hi {
			t.Errorf("%s = %v, %v; want %d, within %d to %d", c.src, got, err, c.want, lo, hi)
		}
	}
}

func TestInputsAndNames(t *testing.T) {
	v := wage(t)
	x, problems := v.Compile(`insured_months > months_max && (owns_home || p.rate[degree] > p.months_min) && insured_months in [1, 2]`, Bool)
	if problems != nil {
		t.Fatal(problems)
	}
	if got, want := x.Inputs(), strings.Fields("degree insured_months owns_home p.months_min p.rate"); !slices.Equal(got, want) {
		t.Errorf("Inputs = %v, want %v", got, want)
	}
	more, err := v.With(Name{Name: "house.area", Type: Int, Min: 1, Max: 9})
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := more.Lookup("house.area"); !ok || len(more.Names()) != len(v.Names())+1 {
		t.Errorf("With gives %v", more.Names())
	}
	if _, ok := v.Lookup("house.area"); ok {
		t.Error("With changed the vocabulary that it began with")
	}
	if _, problems := more.Compile("house.area > 3 && owns_home", Bool); problems != nil {
		t.Error(problems)
	}
}

// TestTextIsSafeInSQL sends every awkward text through each database and back.
func TestTextIsSafeInSQL(t *testing.T) {
	v := wage(t)
	engines := open(t)
	for src, want := range map[string]string{
		`"it's"`:                        "it's",
		`"'"`:                           "'",
		`"''"`:                          "''",
		`'"'`:                           `"`,
		`"'; DROP TABLE subjects; --"`:  "'; DROP TABLE subjects; --",
		`"\\'"`:                         `\'`,
		`"\\"`:                          `\`,
		`"$1 ? :name"`:                  "$1 ? :name",
		`"a\nb"`:                        "a\nb",
		`"博士/*"`:                        "博士/*",
		`""`:                            "",
		`"\u2019"`:                      "\u2019",
		`owns_home ? "it's" : "it's"`:   "it's",
		`value_or("a'b", place)`:        "a'b",
		`value_or(place, "where's it")`: "where's it",
	} {
		x, problems := v.Compile(src, Text)
		if problems != nil {
			t.Errorf("%s: %v", src, problems)
			continue
		}
		subject := row{"owns_home": true}
		for _, e := range engines {
			text := x.SQL(e.Dialect, Names{Column: func(name string) string { return Literal(e.Dialect, subject[name]) }})
			var got string
			if err := e.db.QueryRow("SELECT " + text).Scan(&got); err != nil || got != want {
				t.Errorf("%s in %s %s = %q, %v; want %q", src, e.Name, text, got, err, want)
			}
		}
		if y, err := x.Eval(subject.values); err != nil || y != want {
			t.Errorf("%s = %q, %v; want %q", src, y, err, want)
		}
	}
}

// FuzzCompile reads arbitrary sources: no panic, a place for every problem, and whatever is accepted can be written and asked.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{"", "(", "owns_home", "insured_months >= p.months_min && !owns_home", `degree in ["master"] ? p.rate[degree] : 0`, `add_months(since, 3) < day("2024-02-29")`,
		"[1].all(x, x > 0)", "a.b.c", "1 / 0", "serial % -1", "-9223372036854775808", `place.startsWith("'")`, "least(least(1, 2), 3)", "known(value_or(since, since))", "\x00", "\xff", "b\n&&\n在", "x[?1]", `"\ud800"`, "`a`.b"} {
		f.Add(s)
	}
	v := wage(f)
	subject := row{"insured_months": int64(7), "serial": int64(math.MinInt64), "degree": "master", "place": "it's", "owns_home": true, "p.months_min": int64(6),
		"p.amount_fen": map[int64]int64{7: 1}, "p.rate": map[string]int64{"master": 2}}
	bind := Names{Column: func(name string) string { return name }, Lookup: func(name string, keys ...string) string { return name + "(" + strings.Join(keys, ", ") + ")" },
		Member: func(name, x string) string { return x + " IN " + name }}
	f.Fuzz(func(t *testing.T, src string) {
		for _, want := range scalars {
			x, problems := v.Compile(src, want)
			if (x == nil) != (len(problems) > 0) {
				t.Fatalf("%q: %v and %v", src, x, problems)
			}
			for _, p := range problems {
				if p.Line < 1 || p.Column < 1 || p.Message == "" {
					t.Errorf("%q: %+v", src, p)
				}
			}
			if x == nil {
				continue
			}
			for _, d := range []Dialect{DuckDB, Postgres} {
				if s := x.SQL(d, bind); s == "" {
					t.Errorf("%q writes no SQL", src)
				}
			}
			x.Requires()
			x.Ensures()
			for _, c := range x.Comparisons() {
				c.Number(subject.values)
			}
			for _, values := range []Values{subject.values, row{}.values} {
				y, err := x.Eval(values)
				if err != nil {
					t.Errorf("%q: %v", src, err)
				}
				if n, ok := y.(int64); ok && (n < x.root.lo || n > x.root.hi) {
					t.Errorf("%q is %d, outside %d to %d", src, n, x.root.lo, x.root.hi)
				}
			}
		}
	})
}
