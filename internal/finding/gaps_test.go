package finding_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/packs"
)

// invented is a pack of policies that no law knows, each with another kind of gap.
var invented = fstest.MapFS{
	"pack.yaml": {Data: []byte("pack: invented\ntitle: {zh: 虚构, en: Invented}\ndivision: \"371500\"\nuses: liaocheng\n")},
	"facts/person.yaml": {Data: []byte(`subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: insured_a_year, title: {zh: 满一年, en: A year}, type: bool, take: value, value: unemployment_months_total >= 12}
`)},
	// The version goes by a day of the subject; between two versions lies a year whose law was not found, and the table of the last lacks levels.
	"policies/gap-by-day.yaml": {Data: []byte(`policy: gap-by-day
title: {zh: 缺口, en: Gap}
mechanism: [M14]
about: certificate
payee: person
fund: none
version_by: issued_day
versions:
  - {from: 2020-01-01, to: 2020-12-31, by: a}
  - {from: 2022-01-01, by: a}
ended: {on: 2023-12-31, by: a}
parameters:
  amount_fen:
    title: {zh: 标准, en: Amount}
    unit: fen
    key: skill_level
    values:
      2020-01-01: {table: {senior: 100, technician: 200}, by: a}
      2022-01-01: {table: {senior: 300}, by: a}
rules:
  - {id: valid, by: a, title: {zh: 有效, en: Valid}, holds: certificate_status == "valid"}
  - {id: adult, by: a, title: {zh: 成年, en: Of age}, holds: age_years >= 18}
award: {every: once, amount_fen: {by: a, value: "p.amount_fen[certificate_level]"}}
`)},
	// The version goes by the day asked.
	"policies/gap-on.yaml": {Data: []byte(`policy: gap-on
title: {zh: 缺口, en: Gap}
mechanism: [M14]
about: person
payee: person
fund: none
version_by: "on"
versions:
  - {from: 2020-01-01, to: 2020-12-31, by: a}
  - {from: 2022-01-01, to: 2022-12-31, by: a}
ended: {on: 2024-06-30, by: a}
parameters:
  amount_fen: {title: {zh: 标准, en: Amount}, unit: fen, values: {2020-01-01: {value: 100, by: a}, 2022-01-01: {value: 150, by: a}}}
rules:
  - {id: adult, by: a, title: {zh: 成年, en: Of age}, holds: age_years >= 18}
award: {every: month, amount_fen: {by: a, value: p.amount_fen}}
`)},
	// A fact worked out from months.
	"policies/a-year.yaml": {Data: []byte(`policy: a-year
title: {zh: 满一年, en: A year}
mechanism: [M14]
about: person
payee: person
fund: none
version_by: "on"
versions:
  - {from: 2020-01-01, by: a}
rules:
  - {id: year, by: a, title: {zh: 满一年, en: A year}, holds: insured_a_year}
award: {every: once, amount_fen: {by: a, value: "1"}}
`)},
	"policies/gap-by-day.law.md": {Data: []byte(inventedLaw)},
	"policies/gap-on.law.md":     {Data: []byte(inventedLaw)},
	"policies/a-year.law.md":     {Data: []byte(inventedLaw)},
}

const inventedLaw = "# 虚构，仅供测试\n\nread: 2026-11-23\n\n## 第一条 | Article 1 {#a}\n\n虚构。\n"

// gaps is a home with the invented pack and nothing delivered.
func gaps(t *testing.T) (*town, *register.Desk) {
	t.Helper()
	p, err := pack.Load(invented, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return homeOf(t, p)
}

// homeOf is a home of a pack with nothing delivered.
func homeOf(t *testing.T, p *pack.Pack) (*town, *register.Desk) {
	t.Helper()
	theTown(t) // it makes the keys
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	it, desk, err := empty(t.Context(), filepath.Join(t.TempDir(), "home"), keys)
	if err != nil {
		t.Fatal(err)
	}
	it.pack, desk.Pack = p, p
	t.Cleanup(func() { desk.Store.Close() })
	return it, desk
}

func deliver(t *testing.T, desk *register.Desk, reg, text string) {
	t.Helper()
	deliverOn(t, desk, reg, text, 20241201)
}

func deliverOn(t *testing.T, desk *register.Desk, reg, text string, received calendar.Day) {
	t.Helper()
	path := filepath.Join(t.TempDir(), reg+".csv")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rep, err := desk.Load(t.Context(), register.Delivery{Register: reg, Path: path, Received: received, At: time.Unix(1, 0)})
	if err != nil || rep.Quarantined > 0 {
		t.Fatal(rep, err)
	}
}

// citizen is a valid number.
func citizen(i int) string {
	s := fmt.Sprintf("37150219900101%03d", i+1)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

// found screens on a day and gives each finding as "policy subject-day: outcome amount failed missing", by policy and outcome.
func found(t *testing.T, it *town, on calendar.Day) (out []string, run finding.Run) {
	t.Helper()
	name := filepath.Join(t.TempDir(), "all.csv")
	run, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: on, Out: name, All: true})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[1:] {
		out = append(out, strings.TrimSpace(strings.Join([]string{r[3], r[4], r[6], r[7], r[8], r[9]}, " ")))
	}
	slices.Sort(out)
	return out, run
}

func expect(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("found\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// A gap in the law is never a no and never an amount, and never makes the two questions of a screening disagree.
func TestGapsInTheLaw(t *testing.T) {
	it, desk := gaps(t)
	// Nothing delivered: no subject row, and nobody.
	if got, run := found(t, it, 20241220); len(got) != 0 || run.People != 0 || len(run.Policies) != 3 {
		t.Errorf("an empty home: %v %+v", got, run)
	}
	// The people are known, the certificates were never delivered.
	deliver(t, desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1990-01-01\n%s,李乙,2015-01-01\n", citizen(0), citizen(1)))
	got, _ := found(t, it, 20220601)
	expect(t, got, "a-year 2020-01-01 undetermined   insured_a_year", "a-year 2020-01-01 undetermined   insured_a_year",
		"gap-on 2022-01-01 eligible 150", "gap-on 2022-01-01 ineligible  adult")
	for on, want := range map[calendar.Day]string{20191231: "gap-on  not_in_force", 20210601: "gap-on  undetermined   law", 20230101: "gap-on  undetermined   law", 20240630: "gap-on  undetermined   law", 20240701: "gap-on  not_in_force"} {
		got, run := found(t, it, on)
		if n := len(slices.DeleteFunc(got, func(s string) bool { return s != want })); n != 2 {
			t.Errorf("on %s: %d findings %q of 2 in %v", on, n, want, got)
		}
		for _, c := range run.Policies {
			if c.Policy == "gap-on" && (c.AmountFen != 0 || c.NearMiss != 0 || c.Eligible != 0) {
				t.Errorf("on %s: %+v", on, c)
			}
		}
	}
	// Certificates of every year and level; one of somebody whose age nobody knows.
	var rows []string
	for i, year := range []int{2019, 2020, 2021, 2022, 2023, 2024} {
		for j, level := range []string{"三级", "二级", "一级"} {
			rows = append(rows, fmt.Sprintf("%s,王甲,S%d%d,6-18-01-01,%s,%d-06-01,有效", citizen(0), i, j, level, year))
		}
	}
	rows = append(rows, fmt.Sprintf("%s,孙丙,T1,6-18-01-01,三级,2022-06-01,有效", citizen(2)), fmt.Sprintf("%s,李乙,T2,6-18-01-01,一级,2022-06-01,有效", citizen(1)),
		fmt.Sprintf("%s,李乙,T3,6-18-01-01,一级,2022-06-01,注销", citizen(1)))
	deliver(t, desk, "skill_certificates", "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n"+strings.Join(rows, "\n")+"\n")
	got, run := found(t, it, 20241220)
	got = slices.DeleteFunc(got, func(s string) bool { return !strings.HasPrefix(s, "gap-by-day") })
	want := []string{"gap-by-day 2020-01-01 eligible 100", "gap-by-day 2020-01-01 eligible 200", "gap-by-day 2020-01-01 undetermined   law",
		"gap-by-day 2022-01-01 undetermined   age_years", "gap-by-day 2022-01-01 ineligible  adult", "gap-by-day 2022-01-01 ineligible  valid adult"}
	for range 3 {
		want = append(want, "gap-by-day  not_in_force", "gap-by-day  not_in_force", "gap-by-day  undetermined   law")
	}
	for range 2 { // 2022 and 2023
		want = append(want, "gap-by-day 2022-01-01 eligible 300", "gap-by-day 2022-01-01 undetermined   law", "gap-by-day 2022-01-01 undetermined   law")
	}
	expect(t, got, want...)
	for _, c := range run.Policies {
		if c.Policy == "gap-by-day" && (c.AmountFen != 900 || c.Eligible != 4 || c.Persons != 1 || c.NearMiss != 1 || c.NotInForce != 6) {
			t.Errorf("%+v", c)
		}
	}
}

// Contributions that stand behind a fact worked out from others go on as well when an explanation looks ahead.
func TestEarliestBehindAWorkedOutFact(t *testing.T) {
	it, desk := gaps(t)
	rows := "社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费类型,到账标志\n"
	for m := range 9 {
		rows += fmt.Sprintf("%s,王甲,91371500MA3C0DEF0X,失业保险,%s,正常,是\n", citizen(0), calendar.Month(202403).Add(m))
	}
	deliver(t, desk, "contributions", rows)
	s, conn := it.connect(t)
	xs, err := finding.Explain(t.Context(), conn, s, it.pack, 1, "a-year", "", 20241220)
	if err != nil || len(xs) != 1 {
		t.Fatal(xs, err)
	}
	// March to November are nine; December, January and February make twelve.
	if x := xs[0]; x.Earliest != 20250201 || x.Rules["year"] != 20250201 {
		t.Errorf("%s, rules %v, needs %v", x.Earliest, x.Rules, x.Needs)
	}
	for _, person := range []fact.Person{2, 99} {
		if _, err := finding.Explain(t.Context(), conn, s, it.pack, person, "a-year", "", 20241220); fault.KindOf(err) != fault.NotFound {
			t.Errorf("nobody's number: %v", err)
		}
	}
}

// The day of each rule is the first on which it holds.
func TestRulesDaysAreTheFirst(t *testing.T) {
	it := theTown(t)
	s, conn := it.connect(t)
	tried := 0
	for _, r := range all(t, it) {
		if tried >= 20 || r["policy"] != "unemployment-skill-subsidy" || r["failed"] == "" || strings.Contains(r["failed"], "window") {
			continue
		}
		person, err := fact.ParsePerson(r["person"])
		if err != nil {
			t.Fatal(err)
		}
		xs, err := finding.Explain(t.Context(), conn, s, it.pack, person, r["policy"], r["subject"], day)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range xs {
			var days []calendar.Day
			for id, d := range x.Rules {
				days = append(days, d.AddDays(-1), d)
				if d <= day || id == "" {
					t.Errorf("%s: a day that has passed: %s", id, d)
				}
			}
			if len(days) == 0 {
				continue
			}
			slices.Sort(days)
			days = slices.Compact(days)
			answers, err := finding.Supposed(t.Context(), conn, s, it.pack, x, days)
			if err != nil {
				t.Fatal(err)
			}
			met := func(id string, d calendar.Day) bool {
				for _, c := range answers[slices.Index(days, d)].Checks {
					if c.ID == id {
						return c.State == "met"
					}
				}
				return false
			}
			for id, d := range x.Rules {
				tried++
				if !met(id, d) || d > day.AddDays(1) && met(id, d.AddDays(-1)) { // on the day itself the supposed months are not there
					t.Errorf("%s: the rule %s does not begin to hold on %s", x.Subject, id, d)
				}
			}
		}
	}
	if tried < 15 {
		t.Errorf("only %d days were tried", tried)
	}
}

// The two formats of a file hold the same; a file that cannot be written leaves nothing behind, neither a part nor a generation.
func TestFileOfFindings(t *testing.T) {
	it := theTown(t)
	dir := t.TempDir()
	screen(t, it, finding.Request{Out: filepath.Join(dir, "it's.csv")})
	screen(t, it, finding.Request{Out: filepath.Join(dir, "it's.parquet")})
	b, err := os.ReadFile(filepath.Join(dir, "it's.csv"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := columnar.Open(columnar.Config{MemoryMB: 200, Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var lines []string
	rows, err := db.QueryContext(t.Context(), "SELECT concat_ws(',', "+coalesced()+") FROM '"+strings.ReplaceAll(filepath.Join(dir, "it's.parquet"), "'", "''")+"' ORDER BY policy, person, subject, period")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var l string
		if err := rows.Scan(&l); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l+"\r\n")
	}
	if want := strings.Join(finding.Columns, ",") + "\r\n" + strings.Join(lines, ""); string(b) != want || len(lines) < 20 {
		t.Errorf("the formats differ, or are empty: %d lines", len(lines))
	}
	g, err := it.lake.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{filepath.Join(dir, "none", "a.csv"), filepath.Join(dir, "none", "a.parquet"), filepath.Join(dir, "a.xlsx")} {
		if _, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: day, Out: out}); err == nil {
			t.Errorf("%s was written", filepath.Base(out))
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := finding.Screen(ctx, it.lake, it.pack, finding.Request{On: day}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if after, err := it.lake.Generation(t.Context()); err != nil || after != g {
		t.Errorf("from generation %d to %d, %v", g, after, err)
	}
	names, err := os.ReadDir(dir)
	if err != nil || len(names) != 2 {
		t.Errorf("left %v, %v", names, err)
	}
	screen(t, it, finding.Request{}) // the lease is free
}

func coalesced() string {
	out := make([]string, len(finding.Columns))
	for i, c := range finding.Columns {
		out[i] = "coalesce(CAST(" + c + " AS VARCHAR), '')"
	}
	return strings.Join(out, ", ")
}

// Many readers while screenings publish one generation after another; nobody sees half of one, and nothing is left in the temporary folder.
func TestBookWhileScreening(t *testing.T) {
	it, desk := gaps(t)
	deliver(t, desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1990-01-01\n%s,李乙,2015-01-01\n", citizen(0), citizen(1)))
	book := finding.OpenBook(it.lake, it.pack)
	if _, err := book.Run(t.Context()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("before a screening: %v", err)
	}
	on := calendar.Day(20220601)
	screenOn := func() {
		if _, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: on}); err != nil {
			t.Error(err)
		}
	}
	screenOn()
	done := make(chan struct{})
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				items, total, err := book.List(t.Context(), "gap-on", finding.Filter{Outcome: "eligible", Limit: 10})
				if err != nil || total != 1 || len(items) != 1 || items[0].AmountFen != 150 {
					t.Errorf("list: %v %d %v", items, total, err)
					return
				}
				if v, err := book.View(t.Context(), fact.Person(i%2+1), on); err != nil || len(v.Policies) != 2 {
					t.Errorf("view: %d %v", len(v.Policies), err)
					return
				}
			}
		})
	}
	for range 5 {
		screenOn()
	}
	close(done)
	all.Wait()
	// A book of another pack takes the bits for what they are: answers to other questions.
	other, err := liaocheng()
	if err != nil {
		t.Fatal(err)
	}
	foreign := finding.OpenBook(it.lake, other)
	if _, err := foreign.Run(t.Context()); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a book of another pack: %v", err)
	}
	if _, _, err := foreign.List(t.Context(), "skilled-living-allowance", finding.Filter{Outcome: "eligible", Limit: 10}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a list of another pack: %v", err)
	}
	if err := errors.Join(foreign.Close(), book.Close(), book.Close()); err != nil {
		t.Error(err)
	}
}
