package expr

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
)

// asker answers an expression by Eval and by each database.
type asker func(src string, typ Type) (eval any, sql map[string]any)

// one is a corpus of one subject, so that an expression can be asked in every engine.
func one(t *testing.T, subject row) asker {
	t.Helper()
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	c := &corpus{rows: []row{subject}}
	engines := c.load(t)
	return func(src string, typ Type) (any, map[string]any) {
		t.Helper()
		x, problems := v.Compile(src, typ)
		if problems != nil {
			t.Fatalf("%s: %v", src, problems)
		}
		eval, err := x.Eval(subject.values)
		if err != nil {
			t.Fatal(err)
		}
		answers := map[string]any{}
		for _, e := range engines {
			var got any
			if err := e.db.QueryRow("SELECT " + e.sql(x) + " FROM subjects").Scan(&got); err != nil {
				t.Fatalf("%s in %s: %v", src, e.Name, err)
			}
			answers[e.Name] = fromSQL(got)
		}
		return eval, answers
	}
}

func TestKleene(t *testing.T) {
	// p.gap_holds is unknown; the tables are Kleene's, written as operand, operand, answer.
	ask := one(t, row{})
	word := map[string]string{"T": "true", "F": "false", "?": "p.gap_holds"}
	value := map[string]any{"T": true, "F": false, "?": nil}
	for pattern, table := range map[string]string{
		"(%s && %s)": "TTT TFF T?? FTF FFF F?F ?T? ?FF ???",
		"(%s || %s)": "TTT TFT T?T FTT FFF F?? ?TT ?F? ???",
		"(%s == %s)": "TTT TFF T?? FTF FFT F?? ?T? ?F? ???",
		"(%s != %s)": "TTF TFT T?? FTT FFF F?? ?T? ?F? ???",
	} {
		for _, line := range strings.Fields(table) {
			check(t, ask, fmt.Sprintf(pattern, word[line[:1]], word[line[1:2]]), Bool, value[line[2:]])
		}
	}
	for _, line := range []string{"TF", "FT", "??"} {
		check(t, ask, "!"+word[line[:1]], Bool, value[line[1:]])
	}
	// condition, first, second, answer: an unknown condition decides nothing, not even between two equals.
	for _, line := range []string{"TTF T", "TF? F", "T?T ?", "FTF F", "F?T T", "FT? ?", "?TF ?", "?TT ?", "?FF ?", "??? ?"} {
		check(t, ask, fmt.Sprintf("(%s ? %s : %s)", word[line[:1]], word[line[1:2]], word[line[2:3]]), Bool, value[line[4:]])
	}
	for _, line := range []string{"TTT", "TFT", "T?T", "FTF", "FFF", "F?F", "?TT", "?FF", "???"} {
		check(t, ask, fmt.Sprintf("value_or(%s, %s)", word[line[:1]], word[line[1:2]]), Bool, value[line[2:]])
	}
	for _, line := range []string{"TT", "FT", "?F"} {
		check(t, ask, fmt.Sprintf("known(%s)", word[line[:1]]), Bool, value[line[1:]])
	}
}

func check(t *testing.T, ask asker, src string, typ Type, want any) {
	t.Helper()
	eval, sql := ask(src, typ)
	if eval != want {
		t.Errorf("%s: Eval answers %v, want %v", src, eval, want)
	}
	for engine, got := range sql {
		if got != want {
			t.Errorf("%s: %s answers %v, want %v", src, engine, got, want)
		}
	}
}

func TestFunctionExamples(t *testing.T) {
	ask := one(t, row{})
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Functions {
		if f.Meaning == "" {
			t.Errorf("%s has no meaning", f.Name)
		}
		accepted := 0
		for _, typ := range scalars {
			if _, problems := v.Compile(f.Example, typ); problems != nil {
				continue
			}
			accepted++
			eval, sql := ask(f.Example, typ)
			sql["Eval"] = eval
			for engine, y := range sql {
				if got := fmt.Sprint(y); got != f.Result {
					t.Errorf("%s: %s answers %s, want %s", f.Example, engine, got, f.Result)
				}
			}
		}
		if accepted != 1 {
			t.Errorf("the example %s is of %d types", f.Example, accepted)
		}
	}
}

// TestGolden holds answers that were worked out by hand.
func TestGolden(t *testing.T) {
	day := calendar.MustParse
	ask := one(t, row{
		"age_years": int64(200 - 50), "level": int64(3), "short_days": int64(-32768), "balance_fen": int64(2147483647), "serial": int64(math.MinInt64),
		"children": int64(2), "debt_fen": int64(0), "degree": "master", "kind": "a", "resident": true, "born_on": day("1965-03-31"), "claimed_on": day("2024-02-29"),
		"p.months_min": int64(6), "p.from": day("2023-07-01"), "p.amount_fen": lexiconFixed("p.amount_fen"), "p.rate": lexiconFixed("p.rate"),
		"p.grid_fen": lexiconFixed("p.grid_fen"), "p.tiers": lexiconFixed("p.tiers"), "p.levels": lexiconFixed("p.levels"), "p.places": lexiconFixed("p.places"),
	})
	for _, c := range []struct {
		src  string
		typ  Type
		want any
	}{
		// days in the wrong order count backwards
		{`years_between(day("2025-05-04"), day("1990-05-05"))`, Int, int64(-34)},
		{`years_between(day("2025-05-05"), day("1990-05-05"))`, Int, int64(-35)},
		{`years_between(day("2024-03-01"), day("2024-02-29"))`, Int, int64(0)},
		{`years_between(day("2004-02-29"), day("2025-02-28"))`, Int, int64(20)},
		{`years_between(day("2004-02-29"), day("2025-03-01"))`, Int, int64(21)},
		{`months_between(day("2024-02-29"), day("2024-01-31"))`, Int, int64(0)},
		{`months_between(day("2024-03-31"), day("2024-01-31"))`, Int, int64(-2)},
		{`months_between(day("2024-12-31"), day("2025-01-30"))`, Int, int64(0)},
		{`months_between(day("2023-12-20"), day("2025-01-20"))`, Int, int64(13)},
		{`days_between(day("2024-03-01"), day("2024-02-28"))`, Int, int64(-2)},
		{`days_between(day("1900-01-01"), day("2199-12-31"))`, Int, int64(109572)}, // 300 years, 73 of them leap, less one day: farther than a time.Duration
		// months over the turn of a year, and backwards
		{`add_months(day("2024-11-30"), 3)`, Day, day("2025-02-28")},
		{`add_months(day("2024-12-31"), 1)`, Day, day("2025-01-31")},
		{`add_months(day("2024-12-31"), 12)`, Day, day("2025-12-31")},
		{`add_months(day("2024-01-31"), -1)`, Day, day("2023-12-31")},
		{`add_months(day("2024-03-31"), -1)`, Day, day("2024-02-29")},
		{`add_months(day("2024-01-15"), -25)`, Day, day("2021-12-15")},
		{`add_months(day("2024-02-29"), -1200)`, Day, day("1924-02-29")},
		{`add_months(day("2024-02-29"), -12)`, Day, day("2023-02-28")},
		// before 1970
		{`add_days(day("1970-01-01"), -1)`, Day, day("1969-12-31")},
		{`add_days(day("1900-03-01"), -1)`, Day, day("1900-02-28")},
		{`add_months(born_on, -1)`, Day, day("1965-02-28")},
		{`year_of(born_on)`, Int, int64(1965)},
		{`days_between(born_on, day("1970-01-01"))`, Int, int64(1737)},
		{`born_on == day("1965-03-31")`, Bool, true},
		{`least(born_on, day("1965-03-30"))`, Day, day("1965-03-30")},
		{`greatest(born_on, claimed_on)`, Day, day("2024-02-29")},
		{`least(born_on, since)`, Day, nil},
		{`greatest(since, born_on)`, Day, nil},
		// the ends of 64 bits
		{`serial == -9223372036854775808`, Bool, true},
		{`serial < -9223372036854775807`, Bool, true},
		{`serial == least_int`, Bool, true},
		{`-9223372036854775808 + 1`, Int, int64(math.MinInt64 + 1)},
		{`9223372036854775807 - 9223372036854775807`, Int, int64(0)},
		{`-9223372036854775808 / 2`, Int, int64(math.MinInt64 / 2)},
		{`least(serial, 3)`, Int, int64(math.MinInt64)},
		{`value_or(paid_fen, -9223372036854775808)`, Int, int64(math.MinInt64)},
		{`-9223372036854775808 in [-9223372036854775808]`, Bool, true},
		// literals that together leave 32 bits
		{`2147483647 + 1`, Int, int64(2147483648)},
		{`2000000000 * 2000000000`, Int, int64(4000000000000000000)},
		{`-2147483648 - 1`, Int, int64(-2147483649)},
		{`-(-2147483648)`, Int, int64(2147483648)},
		// columns that together leave their width
		{`age_years + age_years`, Int, int64(300)},
		{`level - age_years`, Int, int64(-147)},
		{`-short_days`, Int, int64(32768)},
		{`-level`, Int, int64(-3)},
		{`balance_fen * 2`, Int, int64(4294967294)},
		// literals outside the width of a column
		{`age_years == 300`, Bool, false},
		{`age_years < 300`, Bool, true},
		{`age_years > -1`, Bool, true},
		{`age_years in [300, -1, 150]`, Bool, true},
		{`age_years < 9223372036854775807`, Bool, true},
		{`value_or(age_years, 3000000000)`, Int, int64(150)},
		{`known(paid_fen) ? age_years : -70000`, Int, int64(-70000)},
		{`least(age_years, -3000000000)`, Int, int64(-3000000000)},
		// truncation towards zero
		{`7 / -2`, Int, int64(-3)}, {`-7 / 2`, Int, int64(-3)}, {`-7 % 2`, Int, int64(-1)}, {`7 % -2`, Int, int64(1)}, {`-7 / -2`, Int, int64(3)},
		// texts
		{`value_or(place, "it's")`, Text, "it's"},
		{`value_or(degree, "doctor")`, Text, "master"},
		{`"Z" < "a" && "a" < "ä" && "ä" < "博" && "a" < "ab"`, Bool, true},
		{`"a_b".startsWith("a%")`, Bool, false},
		{`"".startsWith("")`, Bool, true},
		{`place.startsWith("")`, Bool, nil},
		// unknown operands
		{`owns_home == insured`, Bool, nil},
		{`owns_home == true`, Bool, nil},
		{`owns_home != owns_home`, Bool, nil},
		{`paid_fen == paid_fen`, Bool, nil},
		{`paid_fen * 0`, Int, nil},
		{`paid_fen in [1, 2]`, Bool, nil},
		{`known(paid_fen + 1)`, Bool, false},
		{`value_or(paid_fen + children, 5)`, Int, int64(5)},
		{`add_months(since, 1)`, Day, nil},
		{`add_months(claimed_on, offset_months)`, Day, nil},
		{`add_days(p.gap_on, 1)`, Day, nil},
		{`year_of(p.gap_on)`, Int, nil},
		{`years_between(p.gap_on, p.gap_on)`, Int, nil},
		{`p.gap_text`, Text, nil},
		// tables: a key that the law has no number for is unknown, not 0
		{`p.amount_fen[children]`, Int, int64(80000)},
		{`p.amount_fen[-1]`, Int, int64(-600)},
		{`p.amount_fen[level]`, Int, nil},
		{`p.amount_fen[paid_fen]`, Int, nil},
		{`p.amount_fen[serial]`, Int, nil},
		{`p.rate["it's"]`, Int, int64(7)},
		{`p.rate[degree]`, Int, nil},
		{`p.rate[degree] > 0 && false`, Bool, false},
		{`p.rate[degree] > 0 || true`, Bool, true},
		{`p.rate[degree] > 0 || false`, Bool, nil},
		{`p.rate[degree] > 0 ? 1 : 1`, Int, nil},
		{`known(p.rate[degree])`, Bool, false},
		{`value_or(p.rate[degree], 9)`, Int, int64(9)},
		{`p.amount_fen[p.amount_fen[level]]`, Int, nil},
		{`p.amount_fen[p.rate[kind]]`, Int, int64(60000)},
		{`p.grid_fen[level]["doctor"]`, Int, int64(90000)},
		{`p.grid_fen[level][degree]`, Int, nil},
		{`p.grid_fen[-2][degree]`, Int, nil},
		{`p.grid_fen[1]["it's"]`, Int, int64(-600)},
		{`p.grid_fen[paid_fen][degree]`, Int, nil},
		{`p.tiers[place][children]`, Int, nil},
		{`p.tiers[kind][children]`, Int, int64(9)},
		{`value_or(p.tiers["zz"][children], 5)`, Int, int64(5)},
		// sets: what is silent is in no set, and out of none
		{`children in p.levels`, Bool, true},
		{`level in p.levels`, Bool, false},
		{`!(level in p.levels)`, Bool, true},
		{`paid_fen in p.levels`, Bool, nil},
		{`!(place in p.places)`, Bool, nil},
		{`"it's" in p.places && degree in p.places && !(kind in p.places)`, Bool, true},
		// parts of an amount, of a debt too
		{`part_of(10, 1, 4, "down")`, Int, int64(2)}, {`part_of(10, 1, 4, "up")`, Int, int64(3)}, {`part_of(10, 1, 4, "half_up")`, Int, int64(3)}, {`part_of(10, 1, 4, "half_even")`, Int, int64(2)},
		{`part_of(14, 1, 4, "half_up")`, Int, int64(4)}, {`part_of(14, 1, 4, "half_even")`, Int, int64(4)}, {`part_of(11, 1, 4, "down")`, Int, int64(2)}, {`part_of(11, 1, 4, "half_even")`, Int, int64(3)},
		{`part_of(-10, 1, 4, "down")`, Int, int64(-2)}, {`part_of(-10, 1, 4, "up")`, Int, int64(-3)}, {`part_of(-10, 1, 4, "half_up")`, Int, int64(-3)}, {`part_of(-10, 1, 4, "half_even")`, Int, int64(-2)},
		{`part_of(10, -1, 4, "half_up")`, Int, int64(-3)}, {`part_of(9, 1, 4, "half_up")`, Int, int64(2)}, {`part_of(8, 1, 4, "up")`, Int, int64(2)}, {`part_of(0, 7, 4, "up")`, Int, int64(0)},
		{`part_of(3, 1, 1, "half_up")`, Int, int64(3)}, {`part_of(balance_fen, 850, 1000, "down")`, Int, int64(1825361099)}, {`part_of(paid_fen, 1, 3, "up")`, Int, nil},
		// stretches of months
		{`first_of_half_year(day("2024-06-30"))`, Day, day("2024-01-01")}, {`last_of_half_year(day("2024-06-30"))`, Day, day("2024-06-30")},
		{`first_of_half_year(day("2024-07-01"))`, Day, day("2024-07-01")}, {`last_of_half_year(day("2024-07-01"))`, Day, day("2024-12-31")},
		{`half_year_of(day("2024-06-30"))`, Int, int64(1)}, {`half_year_of(day("2024-07-01"))`, Int, int64(2)},
		{`last_of_month(day("2024-02-01"))`, Day, day("2024-02-29")}, {`last_of_month(day("1900-02-01"))`, Day, day("1900-02-28")}, {`last_of_month(day("2024-12-31"))`, Day, day("2024-12-31")},
		{`year_of(last_of_month(add_months(day("2199-12-31"), 1200)))`, Int, int64(2299)},
		{`last_of_half_year(since)`, Day, nil}, {`first_of_half_year(since)`, Day, nil}, {`month_of(since)`, Int, nil},
		{`months_in_years(children)`, Int, int64(24)},
	} {
		check(t, ask, c.src, c.typ, c.want)
	}
}

func lexiconFixed(name string) any {
	for _, w := range lexicon {
		if w.Name.Name == name {
			return w.fixed
		}
	}
	return nil
}

// TestLists holds what an expression says about its facts: what a form would ask, what is known once it holds.
func TestLists(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		src, requires, ensures string
		looks                  bool
	}{
		{"age_years <= 35", "age_years", "age_years", false},
		{"age_years <= p.months_min && children > 0", "age_years", "age_years children", false},
		{"owns_home || insured", "insured owns_home", "", false},
		{"!(owns_home || insured)", "insured owns_home", "insured owns_home", false},
		{"!(owns_home && insured)", "insured owns_home", "", false},
		{"owns_home && age_years > 1 || owns_home && level > 1", "age_years level owns_home", "owns_home", false},
		{"known(age_years)", "", "age_years", false},
		{"!known(age_years)", "", "", false},
		{"known(age_years) && known(level) ? owns_home : insured", "insured owns_home", "", false},
		{"owns_home ? age_years > 1 : level > 1", "age_years level owns_home", "owns_home", false},
		{"owns_home ? age_years > 1 : age_years < 9", "age_years owns_home", "age_years owns_home", false},
		{"value_or(age_years, level) > 3", "level", "", false},
		{"value_or(age_years, 0) > 3", "", "", false},
		{"value_or(owns_home, false)", "", "", false},
		{"least(age_years, level) in [1, 2]", "age_years level", "age_years level", false},
		{"(owns_home && insured) == true", "insured owns_home", "", false},
		{"p.rate[degree] > 40", "degree", "degree", true},
		{"value_or(p.rate[degree], 0) > 40", "", "", true},
		{"always", "", "", false},
		{"resident", "", "resident", false},
	} {
		x, problems := v.Compile(c.src, Bool)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
			continue
		}
		if got := strings.Join(x.Requires(), " "); got != c.requires {
			t.Errorf("%s requires %q, want %q", c.src, got, c.requires)
		}
		if got := strings.Join(x.Ensures(), " "); got != c.ensures {
			t.Errorf("%s ensures %q, want %q", c.src, got, c.ensures)
		}
		if x.Looks() != c.looks {
			t.Errorf("%s looks: %v", c.src, x.Looks())
		}
	}
}

func TestComparisons(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	law := row{"p.months_min": int64(6)}
	for _, c := range []struct{ src, want string }{
		{"age_years <= 35", "age_years <= 35"},
		{"35 >= age_years", "age_years <= 35"},
		{"35 < age_years && (level == 3 && -1 > offset_months)", "age_years > 35; level == 3; offset_months < -1"},
		{"level >= p.months_min", "level >= 6"},
		{"level >= months_max", "level >= 36"},
		{"level > p.months_min * 2 - 1", "level > 11"},
		{"level >= months_in_years(p.months_min)", "level >= 72"},
		{"level > p.months_min / 4 + p.months_min % 4", "level > 3"},
		{"level > least(p.months_min, 5) + greatest(p.months_min, 5)", "level > 11"},
		{"level < -p.months_min", "level < -6"},
		{"level < p.gap_fen", "level < unknown"},
		{"level < p.gap_fen + 1", "level < unknown"},
		{"children > 0", "children > 0"},
		{"age_years > 1 || level > 1", ""},
		{"!(age_years > 1)", ""},
		{"age_years != 1", ""},
		{"age_years > level", ""},
		{"age_years + 1 > 3", ""},
		{"3 > 2", ""},
		{"p.months_min > 3", ""},
		{`since > day("2024-01-01")`, ""},
		{`degree == "master"`, ""},
		{"level > p.amount_fen[1]", ""},
		{"level > year_of(p.from)", ""},
		{"owns_home", ""},
	} {
		x, problems := v.Compile(c.src, Bool)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
			continue
		}
		var got []string
		for _, k := range x.Comparisons() {
			bound := "unknown"
			n, ok := k.Number(law.values)
			if ok {
				bound = fmt.Sprint(n)
			}
			got = append(got, k.Fact+" "+k.Op+" "+bound)
			y, err := k.Bound.Eval(law.values)
			if err != nil || ok != (y != nil) || ok && y != n {
				t.Errorf("%s: the bound answers %v, %v and Number %d, %v", c.src, y, err, n, ok)
			}
		}
		if s := strings.Join(got, "; "); s != c.want {
			t.Errorf("%s compares %q, want %q", c.src, s, c.want)
		}
	}

	x, problems := v.Compile("level > p.months_min * 2", Bool)
	if problems != nil {
		t.Fatal(problems)
	}
	bound := x.Comparisons()[0].Bound
	if got := bound.SQL(DuckDB, names(DuckDB)); got != "(CAST(6 AS BIGINT) * CAST(2 AS BIGINT))" {
		t.Errorf("the bound in SQL is %s", got)
	}
	if got := bound.Inputs(); !slices.Equal(got, []string{"p.months_min"}) {
		t.Errorf("the bound reads %v", got)
	}
}

// TestWrongValuesAreErrors hands values of a type that the vocabulary does not declare: a mistake of the program, which must not
// pass for a silent register, and whose error must not tell the value.
func TestWrongValuesAreErrors(t *testing.T) {
	v, err := lexiconVocabulary()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		src   string
		name  string
		value any
	}{
		{"age_years > 3", "age_years", "a secret"},
		{"age_years == 3", "age_years", 33},
		{"known(age_years)", "age_years", 3.5},
		{"value_or(owns_home, true)", "owns_home", "a secret"},
		{`degree == "master"`, "degree", int64(33)},
		{`since > day("2024-01-01")`, "since", "a secret"},
		{"p.amount_fen[1] > 0", "p.amount_fen", map[string]int64{"a secret": 33}},
		{"p.amount_fen[1] > 0", "p.amount_fen", map[int64]int{1: 33}},
		{`p.grid_fen[1]["a"] > 0`, "p.grid_fen", Grid{{"a secret", int64(1)}: 33}},
		{"level in p.levels", "p.levels", []string{"a secret"}},
	} {
		x, problems := v.Compile(c.src, Bool)
		if problems != nil {
			t.Errorf("%s: %v", c.src, problems)
			continue
		}
		y, err := x.Eval(row{c.name: c.value}.values)
		if err == nil || y != nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "33") {
			t.Errorf("%s with a %T answers %v, %v", c.src, c.value, y, err)
		}
	}
}

func TestLiteral(t *testing.T) {
	for want, v := range map[string]any{"NULL": nil, "TRUE": true, "FALSE": false, "(-5)": int64(-5), "7": int64(7), "'it''s'": "it's", "DATE '2024-02-29'": calendar.MustParse("2024-02-29")} {
		if got := Literal(DuckDB, v); got != want {
			t.Errorf("%v in SQL is %s, want %s", v, got, want)
		}
	}
}

const typicalRule = `age_years <= months_max && (degree in ["master", "doctor"] || insured) && !owns_home && months_between(since, claimed_on) >= p.months_min && p.rate[degree] > 20`

func typical(b *testing.B) *Expr {
	v, err := lexiconVocabulary()
	if err != nil {
		b.Fatal(err)
	}
	x, problems := v.Compile(typicalRule, Bool)
	if problems != nil {
		b.Fatal(problems)
	}
	return x
}

func BenchmarkEval(b *testing.B) {
	x := typical(b)
	subject := row{"age_years": int64(30), "degree": "doctor", "owns_home": false, "since": calendar.MustParse("2023-01-31"), "claimed_on": calendar.MustParse("2024-02-29"),
		"p.months_min": int64(6), "p.rate": lexiconFixed("p.rate")}
	b.ReportAllocs()
	for b.Loop() {
		if y, err := x.Eval(subject.values); err != nil || y != true {
			b.Fatal(y, err)
		}
	}
}

func BenchmarkSQL(b *testing.B) {
	x := typical(b)
	b.ReportAllocs()
	for b.Loop() {
		x.SQL(DuckDB, names(DuckDB))
	}
}

func BenchmarkCompile(b *testing.B) {
	v, err := lexiconVocabulary()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, problems := v.Compile(typicalRule, Bool); problems != nil {
			b.Fatal(problems)
		}
	}
}
