package fact_test

import (
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
}

// Random payments of many people, counted by SQL and by a loop that knows only the sentences of the doc comment.
func TestNettingAgainstALoop(t *testing.T) {
	h := newHome(t, extended(t))
	dice := rand.New(rand.NewPCG(5, 6))
	const people = 250
	var all []payment
	keys := map[string]bool{}
	for i := range people {
		for range dice.IntN(60) {
			p := payment{person: i, uscc: []string{"91371500MA3C0DEF0X", "12371500MB2821234A", "91371500MA3C9999XX"}[dice.IntN(3)],
				kind: []string{"pension", "pension", "unemployment"}[dice.IntN(3)], month: calendar.Month(202301).Add(dice.IntN(24)), base: 4000 + dice.IntN(3)*500,
				how: []string{"normal", "normal", "normal", "normal", "back", "adjust", "refund", "lump", "transfer"}[dice.IntN(9)], received: dice.IntN(12) > 0}
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
		rows = append(rows, []string{citizen(p.person), "张三", p.uscc, p.kind, p.month.String(), fmt.Sprint(p.base), p.how, map[bool]string{true: "是", false: "否"}[p.received], p.day.String()})
	}
	dice.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	h.load("contributions", "2025-01-01", rows)
	resolver, err := h.desk.Vault.Resolver(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	names := []string{"pension_months_total", "pension_months_current", "pension_first_day", "longest", "current", "on_time", "late", "back", "last", "late_or_back"}
	for _, stored := range []bool{false, true} {
		if stored {
			if err := fact.Net(t.Context(), h.lake, h.pack); err != nil {
				t.Fatal(err)
			}
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

// count is the facts of one person by a loop.
func count(all []payment, person int, on calendar.Day) map[string]any {
	quality := map[string]map[calendar.Month]string{"pension": {}, "unemployment": {}}
	for kind, months := range quality {
		for m := calendar.Month(202301); m <= on.Month() && m <= 202412; m = m.Add(1) {
			net, own := 0, map[string]int{}
			for _, p := range all {
				if p.person == person && p.kind == kind && p.month == m && p.received && p.how != "adjust" {
					sign := 1
					if p.how == "refund" {
						sign = -1
					}
					net, own[p.uscc] = net+sign, own[p.uscc]+sign
				}
			}
			if net <= 0 {
				continue
			}
			order, best := []string{"paid", "late", "back", "transfer"}, 9
			for _, p := range all {
				if p.person != person || p.kind != kind || p.month != m || !p.received || p.how == "adjust" || p.how == "refund" || own[p.uscc] <= 0 {
					continue
				}
				q := "paid"
				switch {
				case p.how == "transfer":
					q = "transfer"
				case p.how == "back" || p.how == "lump":
					q = "back"
				case p.day > m.Add(1).Last():
					q = "late"
				}
				best = min(best, slices.Index(order, q))
			}
			months[m] = order[best]
		}
	}
	run := func(kinds []string, qualities string) (longest, last int, end calendar.Month, n int) {
		length := 0
		for m := calendar.Month(202301); m <= 202412; m = m.Add(1) {
			there := false
			for _, k := range kinds {
				q := quality[k][m]
				there = there || q != "" && strings.Contains(qualities, q)
			}
			if !there {
				length = 0
				continue
			}
			length++
			n++
			longest, last, end = max(longest, length), length, m
		}
		return longest, last, end, n
	}
	still := func(length int, end calendar.Month, grace int) int64 {
		if end == 0 || end.Index() < on.Month().Index()-grace {
			return 0
		}
		return int64(length)
	}
	const every = "paid late back transfer"
	out := map[string]any{}
	both := []string{"pension", "unemployment"}
	longest, length, end, _ := run(both, every)
	out["longest"], out["current"] = int64(longest), still(length, end, 3)
	_, length, end, _ = run(both[:1], "paid late")
	out["pension_months_current"] = still(length, end, 2)
	_, _, end, n := run(both[:1], every)
	out["pension_months_total"], out["last"] = int64(n), nil
	if end != 0 {
		out["last"] = end.First()
	}
	out["pension_first_day"] = nil
	for _, m := range slices.Sorted(maps.Keys(quality["pension"])) {
		if quality["pension"][m] != "transfer" {
			out["pension_first_day"] = m.First()
			break
		}
	}
	for name, q := range map[string]string{"on_time": "paid", "late": "late", "back": "back"} {
		_, _, _, n := run(both[:1], q)
		out[name] = int64(n)
	}
	out["late_or_back"] = out["late"].(int64) + out["back"].(int64)
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
		if n++; n > 10 {
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
