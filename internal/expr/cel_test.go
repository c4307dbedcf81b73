package expr

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

// fails is what CEL says of an expression that has no value. The rule language must refuse it: no value of ours is right.
const fails = "fails"

// TestAcceptedExpressionsHaveTheValueOfCEL restates what CEL's language definition says of bools, ints and texts. For every case the rule
// language refuses, or Eval and both databases answer exactly that; those that it must accept are marked, or the test would be empty.
func TestAcceptedExpressionsHaveTheValueOfCEL(t *testing.T) {
	v, err := NewVocabulary(Name{Name: "x", Type: Int}, Name{Name: "y", Type: Int, Min: -1000, Max: 1000}, Name{Name: "s", Type: Text}, Name{Name: "b", Type: Bool}, Name{Name: "u", Type: Bool},
		Name{Name: "n", Type: Int})
	if err != nil {
		t.Fatal(err)
	}
	subject := row{"x": int64(math.MaxInt64), "y": int64(-7), "s": "héllo", "b": true} // u and n are unknown
	engines := open(t)
	accepted := func(want any, sources ...string) (out [][3]any) {
		for _, s := range sources {
			out = append(out, [3]any{s, want, true})
		}
		return out
	}
	either := func(want any, sources ...string) (out [][3]any) {
		for _, s := range sources {
			out = append(out, [3]any{s, want, false})
		}
		return out
	}
	var cases [][3]any
	for _, list := range [][][3]any{
		// literals
		accepted(int64(42), `42`, `0x2A`, `0x2a`), accepted(int64(-42), `-42`, `-0x2A`), accepted(int64(math.MaxInt64), `9223372036854775807`, `0x7FFFFFFFFFFFFFFF`),
		accepted(int64(math.MinInt64), `-9223372036854775808`, `-0x8000000000000000`), accepted(int64(0), `0`, `-0`),
		either(fails, `9223372036854775808`, `-9223372036854775809`, `0x8000000000000000`, `-(-9223372036854775808)`),
		accepted("", `""`, `''`, `""""""`, `r''`), accepted("'", `"'"`, `'\''`, `"\x27"`, `"\047"`, `"\u0027"`, `"\U00000027"`), accepted(`\n`, `r"\n"`, `'\\n'`, `R'\n'`),
		accepted("\a\b\f\n\r\t\v", `"\a\b\f\n\r\t\v"`), accepted("ÿ", `"\xff"`, `"\377"`, `"\u00ff"`, `"ÿ"`), accepted("🐱", `"\U0001F431"`, `"🐱"`), accepted("?`\"", "\"\\?\\`\\\"\""),
		accepted("a\nb", "'''a\nb'''"), accepted(true, `true`), accepted(false, `false`),
		either(fails, `"\ud800"`, `"\q"`, `"\U00110000"`),
		// comparing
		accepted(true, `1 == 1`, `"a" == "a"`, `true == true`, `1 != 2`, `"a" != "A"`, `false != true`, `-1 < 0`, `0 <= 0`, `2 > 1`, `2 >= 2`, `-9223372036854775808 < 9223372036854775807`, `"" < "a"`, `"a" < "ab"`, `"B" < "a"`,
			`"a" <= "a"`, `"b" > "a"`, `"é" > "z"`, `"\uffee" < "\U00020000"`, `"\U0001F431" > "\uffff"`, `"\u00e9" != "e\u0301"`, `"10" < "9"`, `"a " > "a"`, `s >= "h"`, `s == "h\u00e9llo"`, `x > 0`, `x == 9223372036854775807`),
		accepted(false, `1 == 2`, `"a" == "b"`, `"a" == "a "`, `true == false`, `1 != 1`, `1 < 1`, `"a" < "B"`, `"\U00020000" <= "\uffee"`, `9223372036854775807 < -9223372036854775808`),
		either(true, `false < true`, `false <= false`, `true >= false`, `1.0 == 1.0`, `1u == 1u`, `b"a" == b"a"`, `null == null`, `[1] == [1]`, `{"a": 1} == {"a": 1}`, `type(1) == int`, `1 == 1u`, `1 < 2.0`, `dyn(1) == 1`, `b"a" < b"b"`),
		either(false, `true < false`, `dyn("1") == 1`, `[1] == [2]`, `0.0 != -0.0`),
		either(fails, `1 == "1"`, `1 < "2"`, `true == 1`, `null == 1`),
		// arithmetic
		accepted(int64(3), `1 + 2`, `7 / 2`, `-7 / -2`, `43 % 4`, `5 - 2`, `(1 + 2)`, `10 - 7`, `y / -2`), accepted(int64(-3), `7 / -2`, `-7 / 2`, `1 - 4`, `-3`, `y / 2`), accepted(int64(-1), `-7 % 2`, `-7 % -2`, `y % 2`, `-43 % 42`), accepted(int64(1), `7 % -2`, `43 % -42`),
		accepted(int64(0), `0 / 5`, `0 % 5`, `-0 * 3`, `2 - 2`, `1 / 2`, `-1 / 2`), accepted(int64(7), `1 + 2 * 3`, `-y`, `-(-7)`, `10 - 2 - 1`, `2 * 7 / 2`), accepted(int64(14), `-y * 2`, `2 + 3 * 4`), accepted(int64(4611686018427387904), `9223372036854775807 / 2 + 1`),
		accepted(int64(math.MinInt64), `-9223372036854775807 - 1`), accepted(int64(math.MaxInt64), `9223372036854775806 + 1`),
		either(fails, `1 / 0`, `1 % 0`, `x / 0`, `0 / 0`, `x + 1`, `9223372036854775807 + 1`, `-9223372036854775808 - 1`, `x * 2`, `9223372036854775807 * 9223372036854775807`, `-9223372036854775808 / -1`, `-9223372036854775808 * -1`, `1 + "a"`, `-"a"`, `-true`, `!1`, `1 + true`),
		either(int64(0), `-9223372036854775808 % -1`), either(5.0, `2.0 + 3.0`), either(int64(2), `6 / int("3")`), either(2.5, `5.0 / 2.0`),
		// logic: what decides is found on either side, whatever the other comes to
		accepted(true, `true && true`, `true || false`, `false || true`, `!false`, `!!true`, `!(true && false)`, `true || u`, `u || true`, `b || u`, `!b || b`, `false || false || true`, `1 < 2 && 2 < 3`),
		accepted(false, `true && false`, `false && true`, `false || false`, `!true`, `false && u`, `u && false`, `!b && u`, `u && n > 0 && false`),
		accepted(nil, `u`, `!u`, `u && true`, `true && u`, `u || false`, `u && u`, `u == true`, `u != u`, `n > 0`, `n == n`, `n + 0 == n`, `(u ? 1 : 1) == 1`, `n in [1, 2]`),
		either(true, `true || 1 / 0 > 0`, `1 / 0 > 0 || true`, `true || x + 1 > 0`), either(false, `false && 1 / 0 > 0`, `1 / 0 > 0 && false`, `false && x + 1 > 0`),
		either(fails, `1 / 0 > 0 || false`, `1 / 0 > 0 && true`, `true && 1`, `"" || true`, `!"a"`, `true && x * 2 > 0`),
		// ?:
		accepted(int64(1), `true ? 1 : 2`, `b ? 1 : n`, `false ? 2 : true ? 1 : 3`, `(b && true) ? 1 : 2`), accepted(int64(2), `false ? 1 : 2`, `!b ? n : 2`), accepted("x", `b ? "x" : "y"`),
		either(int64(1), `true ? 1 : 1 / 0`, `false ? 1 / 0 : 1`), either(fails, `true ? 1 / 0 : 1`, `1 ? 2 : 3`, `true ? 1 : "a"`, `"a" ? 1 : 2`),
		// in
		accepted(true, `1 in [1, 2]`, `"a" in ["b", "a"]`, `!("c" in ["a"])`, `y in [-7]`, `"" in [""]`), accepted(false, `3 in [1, 2]`, `"A" in ["a"]`, `"a" in ["a "]`),
		either(false, `1 in []`), either(true, `1 in [2 - 1]`, `"a" in {"a": 1}`, `true in [true]`, `1 in [1, 1 / 1]`), either(fails, `1 in ["a"]`, `1 in 1`, `"a" in "abc"`),
		// texts
		accepted(true, `"abc".startsWith("a")`, `"abc".startsWith("")`, `"".startsWith("")`, `s.startsWith("h\u00e9")`, `"a%b".startsWith("a%")`), accepted(false, `"abc".startsWith("b")`, `"".startsWith("a")`, `"abc".startsWith("A")`, `"axb".startsWith("a_")`, `"é".startsWith("e")`),
		either(true, `"abc".endsWith("c")`, `"abc".contains("b")`, `"abc".matches("a.c")`, `size("é") == 1`, `"a".size() == 1`, `"a" + "b" == "ab"`, `string(1) == "1"`, `int("1") == 1`, `"abc"[0] == "a"`), either(int64(4), `size("four")`, `"four".size()`), either("ab", `"a" + "b"`), either(int64(5), `int(5)`, `size(s)`), either("5", `string(5)`),
		// loops, fields, and what has no scalar
		either(true, `[1, 2].all(i, i > 0)`, `[1].exists(i, i == 1)`, `[1].exists_one(i, i == 1)`, `has({"a": 1}.a)`, `[1].map(i, i)[0] == 1`, `[1].filter(i, true)[0] == 1`, `{"a": 1}.a == 1`, `timestamp("2024-01-01T00:00:00Z") == timestamp("2024-01-01T00:00:00Z")`, `duration("60s") == duration("1m")`),
		either(fails, `nobody`, `f(1)`, `1.a`, `"a".b()`, `1 2`, `(`, `&& true`, `1 === 1`, `a.b.c`),
	} {
		cases = append(cases, list...)
	}
	for _, c := range cases {
		src, want, must := c[0].(string), c[1], c[2].(bool)
		taken := 0
		for _, typ := range scalars {
			x, _ := v.Compile(src, typ)
			if x == nil {
				continue
			}
			taken++
			if want == fails {
				t.Errorf("%s is accepted as %s, and has no value in CEL", src, typ)
				continue
			}
			answers := map[string]any{}
			if answers["Eval"], err = x.Eval(subject.values); err != nil {
				t.Errorf("%s: %v", src, err)
			}
			for _, e := range engines {
				bound := Names{Column: func(name string) string {
					return "CAST(" + Literal(e.Dialect, subject[name]) + " AS " + sqlTypes[x.names[name].Type] + ")"
				}}
				var got any
				if err := e.db.QueryRow("SELECT " + x.SQL(e.Dialect, bound)).Scan(&got); err != nil {
					t.Errorf("%s in %s: %v", src, e.Name, err)
				}
				answers[e.Name] = fromSQL(got)
			}
			for engine, got := range answers {
				if got != want {
					t.Errorf("%s is %s by %s, and %s in CEL", src, shown(got), engine, shown(want))
				}
			}
		}
		if must && taken != 1 {
			t.Errorf("%s is accepted as %d types: %v", src, taken, firstProblem(v, src))
		}
	}
	if len(cases) < 250 {
		t.Errorf("%d cases", len(cases))
	}
}

func shown(v any) string { return fmt.Sprintf("%T %v", v, v) }

func firstProblem(v *Vocabulary, src string) string {
	_, problems := v.Compile(src, Bool)
	var out []string
	for _, p := range problems {
		out = append(out, p.Message)
	}
	return strings.Join(out, "; ")
}
