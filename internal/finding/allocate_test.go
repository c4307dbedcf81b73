package finding

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/pack"
	"bole/internal/policy"
)

// A pack of two policies about things, invented to try every kind of limit at once.
var limitFiles = map[string]string{
	"pack.yaml": `
pack: limits
title: {zh: 试验, en: Trial}
division: "371500"
funds:
  - {fund: first, title: {zh: 一, en: First}}
  - {fund: second, title: {zh: 二, en: Second}}
`,
	"registers/things.yaml": `
register: things
title: {zh: 物, en: Things}
owner: {zh: 甲, en: A}
basis: {zh: 甲, en: A}
about: person
mode: upsert
key: [thing_no]
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: person_name, title: {zh: 姓名, en: Name}, type: person_name, class: personal, required: true}
  - {name: thing_no, title: {zh: 编号, en: Number}, type: number, class: code, required: true}
  - {name: team, title: {zh: 队, en: Team}, type: number, class: code}
  - {name: level, title: {zh: 级, en: Level}, type: int, class: number, min: 1, max: 9}
  - {name: price, title: {zh: 价, en: Price}, type: yuan, class: number, min: 0, max: 1000}
  - {name: cap, title: {zh: 限, en: Cap}, type: yuan, class: number, min: 0, max: 1000}
  - {name: paid_day, title: {zh: 付, en: Paid}, type: day, class: day}
`,
	"facts/person.yaml": `
subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: things, title: {zh: 物数, en: Things}, type: int, unit: thing, min: 0, max: 99, take: count, register: things}
`,
	"facts/thing.yaml": `
subject: thing
title: {zh: 物, en: Thing}
unit: {zh: 件, en: things}
register: things
id: thing_no
facts:
  - {name: team, title: {zh: 队, en: Team}, type: text, take: column, value: team}
  - {name: level, title: {zh: 级, en: Level}, type: int, unit: level, min: 1, max: 9, take: column, value: level}
  - {name: price_fen, title: {zh: 价, en: Price}, type: int, unit: fen, min: 0, max: 100_000, take: column, value: price}
  - {name: cap_fen, title: {zh: 限, en: Cap}, type: int, unit: fen, min: 0, max: 100_000, take: column, value: cap}
  - {name: paid_day, title: {zh: 付, en: Paid}, type: day, take: column, value: paid_day}
`,
	"policies/alpha.law.md": law, "policies/beta.law.md": law,
	"policies/alpha.yaml": trial("alpha", "second", `
  - {id: two-a-person, by: a, title: {zh: 二, en: two}, with: [beta], over: person, most: 2}
  - {id: higher, by: a, title: {zh: 高, en: higher}, over: [person, team], higher: level}
  - {id: shares, by: a, title: {zh: 份, en: shares}, over: team, where: level < 9, shares: ["100", "50"], rounding: half_up}
  - {id: cap, by: a, title: {zh: 限, en: cap}, with: [beta], over: [team], cap_fen: cap_fen}
`),
	"policies/beta.yaml": trial("beta", "first", `
  - {id: one-fund, by: a, title: {zh: 一, en: one}, with: [alpha], over: subject, most: 1}
`),
}

const law = "# 试验\n\nread: 2026-11-27\n\n## 甲 | A {#a}\n\n甲。\n\n> en: A.\n"

func trial(name, fund, limits string) string {
	return fmt.Sprintf(`
policy: %s
title: {zh: 试验, en: Trial}
mechanism: [M14]
about: thing
payee: person
fund: %s
version_by: "on"
versions:
  - {from: 2020-01-01, by: a}
rules:
  - {id: any, by: a, title: {zh: 有, en: any}, holds: price_fen >= 0}
award:
  every: once
  amount_fen: {by: a, value: price_fen}
settled: {holds: known(paid_day), day: paid_day}
limits:%s`, name, fund, limits)
}

func trialPack(t *testing.T, change map[string]string) *pack.Pack {
	t.Helper()
	files := fstest.MapFS{}
	for name, text := range limitFiles {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for name, text := range change {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := pack.Load(files, nil)
	if err != nil {
		t.Fatalf("%+v", err)
	}
	return p
}

// thing is one subject row of a trial.
type thing struct {
	person fact.Person
	facts  map[string]any
}

func claimsOfThings(t *testing.T, p *pack.Pack, on calendar.Day, things []thing) ([]*claim, map[*claim]thing) {
	t.Helper()
	var out []*claim
	of := map[*claim]thing{}
	for i, th := range things {
		for _, pol := range policy.All(p) {
			facts := func(name string) any { return th.facts[name] }
			a, err := pol.Evaluate(facts, on, 0)
			if err != nil {
				t.Fatal(err)
			}
			c, err := newClaim(pol, facts, on, th.person, fmt.Sprint(i), 0, a.Outcome == "eligible", a.AmountFen, a.WindowEnds)
			if err != nil {
				t.Fatal(err)
			}
			if c != nil {
				out, of[c] = append(out, c), th
			}
		}
	}
	return out, of
}

const trialDay = calendar.Day(20250601)

// The choice keeps to every limit, and no other choice that does pays more: an independent look at every subset of the claims says so.
func TestAllocationIsBest(t *testing.T) {
	p := trialPack(t, nil)
	rng := rand.New(rand.NewPCG(20250601, 7))
	outcomes := map[string]int{}
	for range 1500 {
		var things []thing
		for range 2 + rng.IntN(4) {
			f := map[string]any{"team": string('x' + rune(rng.IntN(2))), "level": int64(1 + rng.IntN(3)), "price_fen": int64(100 * rng.IntN(5)), "cap_fen": int64(250 + 100*rng.IntN(6))}
			if rng.IntN(5) == 0 {
				f["level"] = int64(9)
			}
			if rng.IntN(8) == 0 {
				f["paid_day"] = calendar.Day(20250102)
			}
			things = append(things, thing{fact.Person(1 + rng.IntN(3)), f})
		}
		claims, of := claimsOfThings(t, p, trialDay, things)
		rng.Shuffle(len(claims), func(i, j int) { claims[i], claims[j] = claims[j], claims[i] })
		allocate(p, trialDay, claims)
		got := map[*claim]bool{}
		var sum int64
		for _, c := range claims {
			outcomes[c.outcome]++
			got[c] = c.outcome == "eligible" || c.outcome == "settled" || c.limit != nil && slices.Contains([]string{"shares", "cap_fen"}, c.limit.Kind())
			if c.outcome == "eligible" {
				sum += c.award
			}
			if c.outcome == "limited" && (c.limit == nil || c.wins == c) {
				t.Fatalf("%s is limited by %v, and gives way to %v", c.name(trialDay), c.limit, c.wins)
			}
		}
		if why := unsound(claims, of, got); why != "" {
			t.Fatalf("the choice breaks %s: %s", why, told(claims, of))
		}
		best := int64(0)
		for mask := range 1 << len(claims) {
			in := map[*claim]bool{}
			for i, c := range claims {
				if in[c] = mask>>i&1 == 1; c.settled && !in[c] {
					in = nil
					break
				}
			}
			if in != nil && unsound(claims, of, in) == "" {
				best = max(best, worth(claims, of, in))
			}
		}
		if sum != best {
			t.Fatalf("%d fen, and %d can be had: %s", sum, best, told(claims, of))
		}
	}
	for _, o := range []string{"eligible", "limited", "settled"} {
		if outcomes[o] < 100 {
			t.Errorf("only %d claims were %s", outcomes[o], o)
		}
	}
}

func told(claims []*claim, of map[*claim]thing) string {
	var b strings.Builder
	for _, c := range claims {
		fmt.Fprintf(&b, "\n%s %v: %s %d", c.name(trialDay), of[c].facts, c.outcome, c.award)
	}
	return b.String()
}

// unsound names the limit that a set of claims breaks, by what the trial pack says in words; "" for none.
func unsound(claims []*claim, of map[*claim]thing, in map[*claim]bool) string {
	for _, a := range claims {
		open := 0 // of the person
		for _, b := range claims {
			if !in[a] || !in[b] {
				continue
			}
			if a.person == b.person {
				open++
			}
			if a != b && a.subject == b.subject && !(a.settled && b.settled) {
				return "one-fund"
			}
			x, y := of[a].facts, of[b].facts
			if a.policy.Name == "alpha" && b.policy.Name == "alpha" && a.person == b.person && x["team"] == y["team"] && x["level"].(int64) < y["level"].(int64) && !a.settled {
				return "higher"
			}
		}
		if open > 2 && !a.settled {
			return "two-a-person"
		}
	}
	return ""
}

// worth is what a set of claims is paid: alpha's shares, then the team's cap.
func worth(claims []*claim, of map[*claim]thing, in map[*claim]bool) (sum int64) {
	for _, team := range []string{"x", "y"} {
		var mine []*claim
		awards := map[*claim]int64{}
		left := int64(0)
		for _, c := range claims {
			if in[c] && of[c].facts["team"] == team {
				mine, awards[c] = append(mine, c), of[c].facts["price_fen"].(int64)
				left = max(left, of[c].facts["cap_fen"].(int64))
				if c.settled {
					awards[c] = 0 // nobody says what was paid
				}
			}
		}
		var shared []*claim
		for _, c := range mine {
			if c.policy.Name == "alpha" && of[c].facts["level"].(int64) < 9 {
				shared = append(shared, c)
			}
		}
		slices.SortStableFunc(shared, func(a, b *claim) int {
			if a.settled != b.settled {
				return map[bool]int{true: -1, false: 1}[a.settled]
			}
			return int(awards[b] - awards[a])
		})
		for i, c := range shared {
			switch i {
			case 0:
			case 1:
				awards[c] = (awards[c] + 1) / 2
			default:
				awards[c] = 0
			}
		}
		var all int64
		for _, c := range mine {
			if !c.settled {
				all += awards[c]
			}
		}
		sum += min(all, left)
	}
	return sum
}

// A quota goes by its stated order, and what it takes out leaves its place in other groups to others.
func TestQuotaGoesByItsOrder(t *testing.T) {
	p := trialPack(t, map[string]string{"policies/alpha.yaml": trial("alpha", "second", `
  - {id: places, by: a, title: {zh: 名额, en: places}, quota: "2", order: [level, price_fen]}
  - {id: one, by: a, title: {zh: 一, en: one}, with: [beta], over: person, most: 1}
`)})
	row := func(person fact.Person, level, price int64, paid calendar.Day) thing {
		f := map[string]any{"team": "x", "level": level, "price_fen": price, "cap_fen": int64(0)}
		if paid != 0 {
			f["paid_day"] = paid
		}
		return thing{person, f}
	}
	for _, c := range []struct {
		name   string
		things []thing
		want   string // of the claims under alpha and beta, by thing
	}{
		{"two of three, by level", []thing{row(1, 3, 100, 0), row(2, 1, 100, 0), row(3, 2, 100, 0)}, "limited eligible | eligible limited | eligible limited"},
		{"a level, by price", []thing{row(1, 3, 300, 0), row(2, 3, 100, 0), row(3, 3, 200, 0)}, "limited eligible | eligible limited | eligible limited"},
		{"what was settled has its place", []thing{row(1, 9, 100, 20250101), row(2, 1, 100, 0), row(3, 2, 100, 0)}, "settled settled | eligible limited | limited eligible"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := *p
			p.Ties = []string{"fund"} // alpha's fund stands second: turn it, so that alpha is preferred
			p.Funds = []pack.Fund{p.Funds[1], p.Funds[0]}
			claims, _ := claimsOfThings(t, &p, trialDay, c.things)
			allocate(&p, trialDay, claims)
			var got []string
			for i := range c.things {
				got = append(got, claims[2*i].outcome+" "+claims[2*i+1].outcome)
			}
			if s := strings.Join(got, " | "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

// What a limit needs and nobody told is missing only where another claim may stand in the group.
func TestUnknownKeyOfALimit(t *testing.T) {
	p := trialPack(t, map[string]string{"policies/alpha.yaml": trial("alpha", "second", `
  - {id: one-a-team, by: a, title: {zh: 一, en: one}, over: team, where: level == 1, most: 1}
  - {id: cap, by: a, title: {zh: 限, en: cap}, over: team, where: level == 2, cap_fen: cap_fen}
`), "policies/beta.yaml": trial("beta", "first", " []\n")})
	row := func(person fact.Person, team any) thing {
		return thing{person, map[string]any{"team": team, "level": int64(1), "price_fen": int64(100)}}
	}
	for _, c := range []struct {
		name   string
		things []thing
		want   string
	}{
		{"alone", []thing{row(1, nil)}, "eligible"},
		{"beside another", []thing{row(1, nil), row(2, "x")}, "undetermined team | eligible"},
		{"alone, under a cap", []thing{{1, map[string]any{"team": nil, "level": int64(2), "price_fen": int64(100), "cap_fen": int64(50)}}}, "eligible 50"},
		{"alone, under a cap that nobody told", []thing{{1, map[string]any{"team": nil, "level": int64(2), "price_fen": int64(100)}}}, "undetermined cap_fen"},
		{"two of whom nobody told", []thing{row(1, nil), row(2, nil)}, "undetermined team | undetermined team"},
	} {
		t.Run(c.name, func(t *testing.T) {
			claims, _ := claimsOfThings(t, p, trialDay, c.things)
			claims = slices.DeleteFunc(claims, func(c *claim) bool { return c.policy.Name == "beta" })
			allocate(p, trialDay, claims)
			var got []string
			for _, c := range claims {
				if c.limit != nil {
					c.missing = append(c.missing, fmt.Sprint(c.award))
				}
				got = append(got, strings.TrimSpace(c.outcome+" "+strings.Join(c.missing, " ")))
			}
			if s := strings.Join(got, " | "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

// What counts as one has one place and one share, whatever its parts come to; a stated order decides even where another one would pay more.
func TestWhatCountsAsOne(t *testing.T) {
	row := func(person fact.Person, level, price int64, paid calendar.Day) thing {
		f := map[string]any{"team": "x", "level": level, "price_fen": price, "couple": "1+2"}
		if paid != 0 {
			f["paid_day"] = paid
		}
		return thing{person, f}
	}
	shares := `{id: couple, by: a, title: {zh: 双, en: couple}, over: couple, each: person, shares: ["100", "50"], rounding: down, order: "0 - level"}`
	one := `{id: couple, by: a, title: {zh: 双, en: couple}, over: couple, each: person, most: 1}`
	unknown := func(th thing) thing { delete(th.facts, "couple"); return th }
	other := func(th thing) thing { th.facts["couple"] = "3+4"; return th }
	for _, c := range []struct {
		name, limit string
		things      []thing
		want        string
	}{
		{"the parts of one share alike", shares, []thing{row(1, 4, 100, 0), row(1, 4, 60, 0), row(2, 3, 150, 0)}, "eligible 100 | eligible 60 | eligible 75"},
		{"the order is kept where the other one would pay more", shares, []thing{row(1, 4, 10, 0), row(2, 3, 150, 0)}, "eligible 10 | eligible 75"},
		{"who was paid first has the whole", shares, []thing{row(1, 4, 100, 0), row(1, 4, 60, 0), row(2, 3, 150, 20250102)}, "eligible 50 | eligible 30 | settled 0"},
		{"of a couple the one with more in all", one, []thing{row(1, 4, 100, 0), row(1, 4, 60, 0), row(2, 3, 150, 0)}, "eligible 100 | eligible 60 | limited 0"},
		{"the later parts of whoever was paid before", one, []thing{row(1, 4, 100, 0), row(1, 4, 60, 20250102), row(2, 3, 150, 0)}, "eligible 100 | settled 0 | limited 0"},
		{"two couples", one, []thing{row(1, 4, 100, 0), other(row(3, 3, 150, 0))}, "eligible 100 | eligible 150"},
		{"a couple that nobody told is not one that is known", one, []thing{unknown(row(1, 4, 100, 0)), other(row(3, 3, 150, 0))}, "eligible 100 | eligible 150"},
		{"two of whom nobody told may be a couple", one, []thing{unknown(row(1, 4, 100, 0)), unknown(row(3, 3, 150, 0))}, "undetermined 100 | undetermined 150"},
		{"the parts of one whose couple nobody told", one, []thing{unknown(row(1, 4, 100, 0)), unknown(row(1, 4, 60, 0))}, "eligible 100 | eligible 60"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := trialPack(t, map[string]string{
				"policies/alpha.yaml": trial("alpha", "second", "\n  - "+c.limit+"\n"), "policies/beta.yaml": trial("beta", "first", " []\n"),
				"facts/person.yaml": limitFiles["facts/person.yaml"] + "  - {name: couple, title: {zh: 双, en: Couple}, type: text, take: couple}\n",
			})
			claims, _ := claimsOfThings(t, p, trialDay, c.things)
			claims = slices.DeleteFunc(claims, func(c *claim) bool { return c.policy.Name == "beta" })
			allocate(p, trialDay, claims)
			var got []string
			for _, c := range claims {
				got = append(got, fmt.Sprint(c.outcome, " ", c.award))
			}
			if s := strings.Join(got, " | "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}

// A limit that would tie nobody, or everybody at once, is refused when the pack is read: it cannot silently limit nobody.
func TestNoLimitWithoutAKeyLimitsNobody(t *testing.T) {
	for name, c := range map[string]struct{ limit, says string }{
		"no over":        {"{id: x, by: a, title: {zh: 一, en: one}, most: 1}", "without over"},
		"an empty over":  {"{id: x, by: a, title: {zh: 一, en: one}, over: [], most: 1}", "without over"},
		"unknown key":    {"{id: x, by: a, title: {zh: 一, en: one}, over: [teem], most: 1}", "did you mean team"},
		"two kinds":      {"{id: x, by: a, title: {zh: 一, en: one}, over: [team], most: 1, cap_fen: cap_fen}", "wants one of"},
		"no kind":        {"{id: x, by: a, title: {zh: 一, en: one}, over: [team]}", "wants one of"},
		"unequal number": {"{id: x, by: a, title: {zh: 一, en: one}, over: [team], most: level}", "same for all claims"},
		"unknown policy": {"{id: x, by: a, title: {zh: 一, en: one}, over: [team], with: [gamma], most: 1}", "no policy called gamma"},
		"no article":     {"{id: x, by: b, title: {zh: 一, en: one}, over: [team], most: 1}", "no article"},
		"order of most":  {"{id: x, by: a, title: {zh: 一, en: one}, over: [team], most: 1, order: [level]}", "go together"},
		"each of a cap":  {"{id: x, by: a, title: {zh: 一, en: one}, over: [team], each: [person], cap_fen: cap_fen}", "each stands beside most and shares"},
		"no order":       {"{id: x, by: a, title: {zh: 一, en: one}, quota: \"2\"}", "go together"},
	} {
		files := fstest.MapFS{}
		for name, text := range limitFiles {
			files[name] = &fstest.MapFile{Data: []byte(text)}
		}
		files["policies/beta.yaml"] = &fstest.MapFile{Data: []byte(trial("beta", "first", "\n  - "+c.limit+"\n"))}
		_, err := pack.Load(files, nil)
		var says strings.Builder
		mistakes, _ := err.(fault.Mistakes)
		for _, m := range mistakes {
			says.WriteString(m.Message + "\n")
		}
		if !strings.Contains(says.String(), c.says) {
			t.Errorf("%s: want %q among %q", name, c.says, says.String())
		}
	}
}

// The claims of a hundred thousand people, each a certificate that two funds could pay, beside only sorting them.
func BenchmarkAllocate(b *testing.B) {
	files := fstest.MapFS{}
	for name, text := range limitFiles {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	p, err := pack.Load(files, nil)
	if err != nil {
		b.Fatal(err)
	}
	ps := policy.All(p)
	raise := func() (out []*claim) {
		for i := range 100_000 {
			f := map[string]any{"team": fmt.Sprint(i), "level": int64(1), "price_fen": int64(100 * (i % 7)), "cap_fen": int64(1000)}
			for _, pol := range ps {
				c, err := newClaim(pol, func(name string) any { return f[name] }, trialDay, fact.Person(i), fmt.Sprint(i), 0, true, int64(100*(i%7)), 0)
				if err != nil {
					b.Fatal(err)
				}
				out = append(out, c)
			}
		}
		return out
	}
	b.Run("read", func(b *testing.B) {
		for b.Loop() {
			raise()
		}
	})
	claims := raise()
	b.Run("order", func(b *testing.B) {
		for b.Loop() {
			order(p, slices.Clone(claims))
		}
	})
	b.Run("allocate", func(b *testing.B) {
		for b.Loop() {
			b.StopTimer()
			claims := raise()
			b.StartTimer()
			allocate(p, trialDay, claims)
		}
	})
}
