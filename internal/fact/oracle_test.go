package fact_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bole/internal/calendar"
	"bole/internal/city"
	"bole/internal/fact"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/vault"
	"bole/packs"
)

// moreFacts are ways to take a fact that the shipped pack has no use for yet.
const moreFacts = `subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: longest, title: {zh: 最长, en: Longest}, type: int, unit: month, min: 0, max: 1200, take: months_longest, register: contributions, kinds: [pension, unemployment], absent: 0}
  - {name: current, title: {zh: 至今, en: Current}, type: int, unit: month, min: 0, max: 1200, take: months_current, register: contributions, kinds: [pension, unemployment], grace_months: 3, absent: 0}
  - {name: on_time, title: {zh: 按时, en: On time}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], qualities: [paid], absent: 0}
  - {name: late, title: {zh: 迟缴, en: Late}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], qualities: [late], absent: 0}
  - {name: back, title: {zh: 补缴, en: Back}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], qualities: [back], absent: 0}
  - {name: last, title: {zh: 最后, en: Last}, type: day, take: months_last, register: contributions, kinds: [pension]}
  - {name: certificates, title: {zh: 本数, en: Certificates}, type: int, unit: certificate, min: 0, max: 99, take: count, register: skill_certificates, where: issued_day <= on, absent: 0}
  - {name: first_level, title: {zh: 首证, en: First level}, type: code, codes: skill_level, take: first, register: skill_certificates, by: issued_day, value: level, where: issued_day <= on}
  - {name: again, title: {zh: 补扣, en: Again}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], qualities: [recollected], absent: 0}
  - {name: city, title: {zh: 本市, en: City}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], place: city, absent: 0}
  - {name: city_longest, title: {zh: 本市最长, en: City longest}, type: int, unit: month, min: 0, max: 1200, take: months_longest, register: contributions, kinds: [pension, unemployment], qualities: [paid, late], place: city, absent: 0}
  - {name: received_total, title: {zh: 到账, en: Received}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], counted: received, absent: 0}
  - {name: received_longest, title: {zh: 到账最长, en: Received longest}, type: int, unit: month, min: 0, max: 1200, take: months_longest, register: contributions, kinds: [pension, unemployment], counted: received, absent: 0}
  - {name: prompt, title: {zh: 及时, en: Prompt}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension], within_months: 1, absent: 0}
  - {name: since, title: {zh: 自, en: Since}, type: int, unit: month, min: 0, max: 1200, take: months_longest, register: contributions, kinds: [pension], from: 'day("2023-06-16")', absent: 0}
  - {name: of_year, title: {zh: 一年, en: Of a year}, type: int, unit: month, min: 0, max: 1200, take: months_total, register: contributions, kinds: [pension, unemployment], from: 'add_months(on, -11)', absent: 0}
  - {name: at_half, title: {zh: 半年时, en: At half}, type: int, unit: month, min: 0, max: 1200, take: months_current, register: contributions, kinds: [pension], at: 'add_months(pension_first_day, 5)', absent: 0}
  - {name: after_half, title: {zh: 半年后, en: After half}, type: day, take: months_first, register: contributions, kinds: [pension], from: 'add_months(pension_first_day, 6)', at: 'add_months(pension_first_day, 11)'}
  - {name: last_before, title: {zh: 此前, en: Before}, type: int, unit: month, min: 0, max: 1200, take: person, value: unemployment_months_total, at: 'add_months(last, -3)'}
  - {name: late_or_back, title: {zh: 迟补, en: Late or back}, type: int, unit: month, min: 0, max: 2400, take: value, value: late + back}
`

func extended(t *testing.T) *pack.Pack {
	t.Helper()
	p, err := pack.Load(fstest.MapFS{
		"pack.yaml":         {Data: []byte("pack: more\ntitle: {zh: 更多, en: More}\ndivision: \"371500\"\nuses: liaocheng\n")},
		"facts/person.yaml": {Data: []byte(moreFacts)},
	}, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// payment is a row of contributions.
type payment struct {
	person   int
	uscc     string
	kind     string
	month    calendar.Month
	base     int
	how      string
	received bool
	day      calendar.Day
	place    string
}

// Random payments of many people, netted in parts, counted by SQL and by a loop that knows only the sentences of the doc comment.
func TestNettingAgainstALoop(t *testing.T) {
	fact.NetAtOnce(t, 2000)
	h := newHome(t, extended(t))
	dice := rand.New(rand.NewPCG(5, 6))
	const people = 250
	var all []payment
	keys := map[string]bool{}
	for i := range people {
		for range dice.IntN(60) {
			p := payment{person: i, uscc: []string{"91371500MA3C0DEF0X", "12371500MB2821234A", "91371500MA3C9999XX"}[dice.IntN(3)],
				kind: []string{"pension", "pension", "unemployment"}[dice.IntN(3)], month: calendar.Month(202301).Add(dice.IntN(24)), base: 4000 + dice.IntN(3)*500,
				how: []string{"normal", "normal", "normal", "normal", "back", "adjust", "refund", "lump", "transfer", "recollected"}[dice.IntN(10)], received: dice.IntN(12) > 0,
				place: []string{"", "371502", "371581", "370102"}[dice.IntN(4)]}
			p.day = p.month.First().AddDays(dice.IntN(110))
			if p.day > 20241231 {
				p.day = 20241231
			}
			key := fmt.Sprint(p.person, p.uscc, p.kind, p.month, p.how)
			if keys[key] {
				continue
			}
			keys[key] = true
			all = append(all, p)
		}
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{citizen(p.person), "张三", p.uscc, p.kind, p.month.String(), fmt.Sprint(p.base), p.how, map[bool]string{true: "是", false: "否"}[p.received], p.day.String(), "", p.place})
	}
	dice.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	h.load("contributions", "2025-01-01", rows)
	resolver, err := h.desk.Vault.Resolver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"pension_months_total", "pension_months_current", "pension_first_day", "longest", "current", "on_time", "late", "back", "last", "late_or_back",
		"again", "city", "city_longest", "received_total", "received_longest", "prompt", "since", "of_year", "at_half", "after_half", "last_before"}
	for _, stored := range []bool{false, true} {
		if stored {
			if err := fact.Net(t.Context(), h.lake, h.pack); err != nil {
				t.Fatal(err)
			}
			h.read(0, func(_ context.Context, _ *sql.Conn, s *lake.Snapshot) error {
				if parts := len(s.Files("spell")); parts < 3 {
					t.Errorf("%d parts", parts)
				}
				return nil
			})
		}
		for _, on := range []calendar.Day{20230630, 20240229, 20241215, 20250331} {
			got := h.derive(names, on, 0, 0)
			for i := range people {
				person := fact.Person(resolver.Holder(vault.Record{Number: citizen(i)}, 0))
				if got[person] == nil {
					continue // without a row nobody knows of them
				}
				if want := count(all, i, on); !reflect.DeepEqual(got[person], want) {
					t.Fatalf("case %d on %s, stored %v:\ngot  %v\nwant %v", i, on, stored, got[person], want)
				}
			}
		}
	}
}

// month is what one month of one kind came to: how it came about, how many months later it was received, and whether it was insured in the city.
type month struct {
	quality string
	lag     int
	city    bool
}

var order = []string{"paid", "late", "recollected", "back", "transfer"}

// netted is the months of a kind that stand, by a loop.
func netted(all []payment, person int, kind string) map[calendar.Month]month {
	out := map[calendar.Month]month{}
	for m := calendar.Month(202301); m <= 202412; m = m.Add(1) {
		net, own := 0, map[string]int{}
		var rows []payment
		for _, p := range all {
			if p.person == person && p.kind == kind && p.month == m && p.received && p.how != "adjust" {
				sign := 1
				if p.how == "refund" {
					sign = -1
				}
				net, own[p.uscc] = net+sign, own[p.uscc]+sign
				rows = append(rows, p)
			}
		}
		if net <= 0 {
			continue
		}
		best, lag, city := 9, 0, false
		for _, p := range rows {
			if p.how == "refund" || own[p.uscc] <= 0 {
				continue
			}
			q := "paid"
			switch {
			case p.how == "transfer", p.how == "recollected", p.how == "back":
				q = p.how
			case p.how == "lump":
				q = "back"
			case p.day > m.Add(1).Last():
				q = "late"
			}
			n, after := slices.Index(order, q), max(0, p.day.Month().Index()-m.Index())
			if n < best || n == best && after < lag {
				best, lag = n, after
			}
			city = city || strings.HasPrefix(p.place, "3715") || p.place == "" && p.how != "transfer"
		}
		out[m] = month{order[best], lag, city}
	}
	return out
}

// choice is which months a fact counts.
type choice struct {
	kinds     string
	qualities string // "" for all
	city      bool
	received  bool
	within    int // -1 for any
	from      calendar.Day
	on        calendar.Day
}

// counted is the months that a choice counts, each once and in order, as numbers.
func counted(nets map[string]map[calendar.Month]month, c choice) []int {
	seen := map[int]bool{}
	for kind, months := range nets {
		for m, x := range months {
			i := m.Index()
			if c.received {
				i += x.lag
			}
			switch {
			case !strings.Contains(c.kinds, kind), c.qualities != "" && !strings.Contains(c.qualities, x.quality), c.city && !x.city, c.within >= 0 && x.lag > c.within:
			case i > c.on.Month().Index(), c.from != 0 && i < c.from.Month().Index():
			default:
				seen[i] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// runs are the longest and the last stretch of months without a gap.
func runs(months []int) (longest, last int) {
	for i, m := range months {
		if i == 0 || months[i-1] != m-1 {
			last = 0
		}
		last++
		longest = max(longest, last)
	}
	return longest, last
}

// count is the facts of one person by a loop.
func count(all []payment, person int, on calendar.Day) map[string]any {
	nets := map[string]map[calendar.Month]month{"pension": netted(all, person, "pension"), "unemployment": netted(all, person, "unemployment")}
	out := map[string]any{}
	months := func(c choice) []int {
		c.on = cmp.Or(c.on, on)
		return counted(nets, c)
	}
	total := func(c choice) int64 { return int64(len(months(c))) }
	longest := func(c choice) int64 { n, _ := runs(months(c)); return int64(n) }
	current := func(c choice, grace int) int64 {
		ms := months(c)
		if len(ms) == 0 || ms[len(ms)-1] < cmp.Or(c.on, on).Month().Index()-grace {
			return 0
		}
		_, n := runs(ms)
		return int64(n)
	}
	first := func(ms []int) any {
		if len(ms) == 0 {
			return nil
		}
		return calendar.MonthAt(ms[0]).First()
	}
	const both = "pension unemployment"
	any := choice{kinds: "pension", within: -1}
	with := func(f func(*choice)) choice { c := any; f(&c); return c }
	out["longest"] = longest(with(func(c *choice) { c.kinds = both }))
	out["current"] = current(with(func(c *choice) { c.kinds = both }), 3)
	out["pension_months_current"] = current(with(func(c *choice) { c.qualities = "paid late recollected" }), 2)
	out["pension_months_total"], out["last"] = total(any), nil
	if ms := months(any); len(ms) > 0 {
		out["last"] = first(ms[len(ms)-1:])
	}
	out["pension_first_day"] = first(months(with(func(c *choice) { c.qualities, c.city = "paid late recollected back", true })))
	for name, q := range map[string]string{"on_time": "paid", "late": "late", "back": "back", "again": "recollected"} {
		out[name] = total(with(func(c *choice) { c.qualities = q }))
	}
	out["late_or_back"] = out["late"].(int64) + out["back"].(int64)
	out["city"] = total(with(func(c *choice) { c.city = true }))
	out["city_longest"] = longest(with(func(c *choice) { c.kinds, c.city, c.qualities = both, true, "paid late" }))
	out["received_total"] = total(with(func(c *choice) { c.received = true }))
	out["received_longest"] = longest(with(func(c *choice) { c.kinds, c.received = both, true }))
	out["prompt"] = total(with(func(c *choice) { c.within = 1 }))
	out["since"] = longest(with(func(c *choice) { c.from = 20230616 }))
	out["of_year"] = total(with(func(c *choice) { c.kinds, c.from = both, on.AddMonths(-11) }))
	out["at_half"], out["after_half"], out["last_before"] = nil, nil, nil
	if d, ok := out["pension_first_day"].(calendar.Day); ok {
		out["at_half"] = current(with(func(c *choice) { c.on = min(on, d.AddMonths(5)) }), 0)
		out["after_half"] = first(months(with(func(c *choice) { c.from, c.on = d.AddMonths(6), min(on, d.AddMonths(11)) })))
	}
	if d, ok := out["last"].(calendar.Day); ok {
		out["last_before"] = total(with(func(c *choice) { c.kinds, c.on = "unemployment", d.AddMonths(-3) }))
	}
	return out
}

// The facts of a whole city from the lake's spells are those from netting afresh, also as of an earlier day.
func TestStoredSpellsEqualFresh(t *testing.T) {
	h := newHome(t, extended(t))
	delivered, err := city.Write(t.Context(), h.pack, filepath.Join(t.TempDir(), "deliveries"), city.Options{People: 250, Seed: 9, Until: 202306})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range h.pack.Subject("person").Facts {
		names = append(names, f.Name.Text)
	}
	// Half of the deliveries, then all: what is known as of the middle must not change by what comes after.
	slices.SortStableFunc(delivered, func(a, b city.File) int { return int(a.Received) - int(b.Received) })
	middle := calendar.Day(20220601)
	take := func(which func(city.File) bool) {
		for _, f := range delivered {
			if which(f) {
				if _, err := h.desk.Load(t.Context(), register.Delivery{Register: f.Register, Path: f.Path, Received: f.Received, Cutoff: f.Cutoff, At: time.Unix(1, 0)}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	take(func(f city.File) bool { return f.Received <= middle })
	early := h.derive(names, 20220520, 0, 0)
	if err := fact.Net(t.Context(), h.lake, h.pack); err != nil {
		t.Fatal(err)
	}
	if len(early) < 50 {
		t.Fatalf("only %d people known in the middle", len(early))
	}
	if got := h.derive(names, 20220520, 0, 0); !reflect.DeepEqual(got, early) {
		t.Error("in the middle: stored spells differ from fresh ones")
	}
	take(func(f city.File) bool { return f.Received > middle })
	if got := h.derive(names, 20220520, middle, 0); !reflect.DeepEqual(got, early) {
		t.Error("as of the middle: not what was known then")
	}
	fresh := h.derive(names, 20230620, 0, 0)
	for range 2 { // the second time does nothing
		if err := fact.Net(t.Context(), h.lake, h.pack); err != nil {
			t.Fatal(err)
		}
	}
	if got := h.derive(names, 20230620, 0, 0); !reflect.DeepEqual(got, fresh) {
		t.Error("at the end: stored spells differ from fresh ones")
	}
	if got := h.derive(names, 20220520, middle, 0); !reflect.DeepEqual(got, early) {
		t.Error("as of the middle, afterwards: not what was known then")
	}
	// One person, alone, is the same as among all; and many days at once are the same as one by one.
	n := 0
	for person, want := range fresh {
		if n++; n > 3 {
			break
		}
		if got := h.derive(names, 20230620, 0, person)[person]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s alone: %v, among all %v", person, got, want)
		}
		h.read(0, func(ctx context.Context, conn *sql.Conn, s *lake.Snapshot) error {
			subject := h.pack.Subject("person")
			err := fact.Derive(ctx, conn, s, h.pack, fact.Request{Wants: []fact.Want{{Subject: subject, Names: names}}, Days: []calendar.Day{20220520, 20230620, 20220815}, Person: person})
			if err != nil {
				return err
			}
			rows, err := fact.Rows(ctx, conn, subject, "")
			if len(rows) != 3 || rows[2].On != 20230620 || !reflect.DeepEqual(rows[2].Values, want) {
				t.Errorf("%s on three days: %v", person, rows)
			}
			return err
		})
	}
}

// Months are told with their quality: a day after the due day is late.
func TestMonths(t *testing.T) {
	h := newHome(t, shipped(t, "liaocheng"))
	row := func(month, how, day string) []string {
		return []string{citizen(0), "张三", "91371500MA3C0DEF0X", "pension", month, "5000", how, "是", day}
	}
	h.load("contributions", "2024-12-31", [][]string{row("2024-01", "normal", "2024-02-29"), row("2024-02", "normal", "2024-04-01"), row("2024-03", "normal", ""),
		row("2024-05", "back", "2024-05-20"), row("2024-06", "transfer", ""), row("2024-06", "back", ""), row("2024-07", "adjust", "")})
	h.read(0, func(ctx context.Context, conn *sql.Conn, s *lake.Snapshot) error {
		if err := fact.Derive(ctx, conn, s, h.pack, fact.Request{Days: []calendar.Day{20241231}}); err != nil {
			return err
		}
		months, err := fact.Months(ctx, conn, s, h.pack, 1, []string{"pension"})
		var got []string
		for _, m := range months {
			got = append(got, calendar.MonthAt(m.Index).String()+" "+m.Quality)
		}
		if want := "2024-01 paid, 2024-02 late, 2024-03 paid, 2024-05 back, 2024-06 back"; strings.Join(got, ", ") != want {
			t.Errorf("%s", strings.Join(got, ", "))
		}
		if from, to := fact.Told(s); from != 202401 || to != 202407 {
			t.Errorf("told from %s to %s", from, to)
		}
		return err
	})
}
