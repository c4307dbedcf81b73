package finding_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/finding"
	"bole/internal/pack"
	"bole/packs"
	"github.com/google/go-cmp/cmp"
)

// bread is a policy with something of everything that a test should touch, from line 1 on.
const bread = `policy: bread
title: {zh: 面包补贴（虚构）, en: Bread (invented)}
mechanism: [M14]
about: certificate
payee: person
fund: none
version_by: issued_day
versions:
  - {from: 2020-01-01, to: 2020-12-31, by: art}
  - {from: 2022-01-01, by: art}
ended: {on: 2024-12-31, by: art}
parameters:
  months_min:
    title: {zh: 月数, en: Months}
    unit: month
    values:
      2020-01-01: {value: 12, by: art}
      2022-01-01: {value: 12, by: art}
      2023-07-01: {value: 6, by: art}
  arrived_from: {title: {zh: 日, en: Day}, unit: day, values: {2020-01-01: {value: 2019-03-01, by: art}}}
  months_window: {title: {zh: 期限, en: Window}, unit: month, values: {2020-01-01: {value: 12, by: art}}}
  young_fen: {title: {zh: 标准, en: Amount}, unit: fen, values: {2020-01-01: {value: 900, by: art}}}
  amount_fen:
    title: {zh: 标准, en: Amounts}
    unit: fen
    key: skill_level
    values:
      2020-01-01:
        table:
          junior: 100
          senior: 300
        by: art
rules:
  - {id: months, by: art, title: {zh: 一, en: one}, holds: unemployment_months_total >= p.months_min}
  - id: arrived
    by: art
    title: {zh: 二, en: two}
    holds: pension_first_day >= p.arrived_from
    unless:
      - {id: level, by: art, title: {zh: 三, en: three}, holds: certificate_level >= skill_level.technician}
  - {id: doubled, by: art, title: {zh: 四, en: four}, holds: pension_months_total * 2 > 5}
window: {by: art, ends: "add_months(issued_day, p.months_window)"}
award: {every: once, amount_fen: {by: art, value: "age_years_at_issue < 30 ? p.young_fen : p.amount_fen[certificate_level]"}}
`

// untouchedBy is what the tests leave untouched, a line each.
func untouchedBy(t *testing.T, tests string) string {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	p, err := pack.Load(fstest.MapFS{
		"pack.yaml":                file("pack: bakery\ntitle: {zh: 面包, en: Bakery}\ndivision: \"371500\"\nuses: liaocheng\n"),
		"policies/bread.yaml":      file(bread),
		"policies/bread.law.md":    file("read: 2026-11-23\n\n## 条 {#art}\n\n虚构。\n"),
		"policies/bread_test.yaml": file("policy: bread\ntests:\n" + tests),
	}, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	list, failures, err := finding.UntouchedBy(p)
	if err != nil || len(failures) > 0 {
		t.Fatal(failures, err)
	}
	var out []string
	for _, u := range list {
		if u.Policy != "bread" || u.File != "policies/bread.yaml" {
			t.Errorf("of %s in %s", u.Policy, u.File)
		}
		out = append(out, strings.TrimSpace(fmt.Sprintf("%d %s: %s %s", u.Line, u.What, u.Missing, u.Value)))
	}
	return strings.Join(out, "\n")
}

// situation writes a test; what is not named is as of somebody of 40 who is paid 300 fen.
func situation(on string, facts string, want string) string {
	base := "issued_day: 2020-06-01, certificate_level: senior, unemployment_months_total: 40, pension_first_day: 2020-01-01, pension_months_total: 9, age_years_at_issue: 40"
	for _, f := range strings.Split(facts, ", ") {
		key, _, _ := strings.Cut(f, ":")
		for _, had := range strings.Split(base, ", ") {
			if strings.HasPrefix(had, key+":") && key != "" {
				base = strings.Replace(base, had, f, 1)
			}
		}
	}
	var told []string
	for _, f := range strings.Split(base, ", ") {
		if !strings.HasSuffix(f, ": ") {
			told = append(told, f)
		}
	}
	return fmt.Sprintf("  - {name: x, on: %s, facts: {%s}, want: {%s}}\n", on, strings.Join(told, ", "), want)
}

func TestUntouchedByOneTest(t *testing.T) {
	want := `7 issued_day: silent
9 version 2020-01-01: day_before 2019-12-31
9 version 2020-01-01: first_day 2020-01-01
9 version 2020-01-01: last_day 2020-12-31
9 version 2020-01-01: day_after 2021-01-01
10 version 2022-01-01: day_before 2021-12-31
10 version 2022-01-01: first_day 2022-01-01
11 ended: last_day 2024-12-31
11 ended: day_after 2025-01-01
17 unemployment_months_total >= p.months_min: under 11
17 unemployment_months_total >= p.months_min: at 12
17 unemployment_months_total >= p.months_min: over 13
19 p.months_min: day_before 2023-06-30
19 p.months_min: first_day 2023-07-01
19 unemployment_months_total >= p.months_min: under 5
19 unemployment_months_total >= p.months_min: at 6
19 unemployment_months_total >= p.months_min: over 7
20 pension_first_day >= p.arrived_from: under 2019-02-01
20 pension_first_day >= p.arrived_from: at 2019-03-01
20 pension_first_day >= p.arrived_from: over 2019-04-01
21 add_months(issued_day, p.months_window): window_last_day
21 add_months(issued_day, p.months_window): window_day_after
22 p.young_fen: amount 900
30 p.amount_fen: amount junior 100
34 unemployment_months_total: silent
38 pension_first_day: silent
40 certificate_level >= skill_level.technician: at technician
40 certificate_level >= skill_level.technician: over senior_technician
40 certificate_level: silent
41 pension_months_total * 2 > 5: fails
41 pension_months_total: silent
43 age_years_at_issue < 30: under 29
43 age_years_at_issue < 30: at 30
43 age_years_at_issue < 30: over 31
43 age_years_at_issue: silent`
	if diff := cmp.Diff(want, untouchedBy(t, situation("2020-07-01", "", "outcome: eligible, amount_fen: 300"))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each situation takes exactly its own lines off the list.
func TestASituationTouches(t *testing.T) {
	first := situation("2020-07-01", "", "outcome: eligible")
	before := strings.Split(untouchedBy(t, first), "\n")
	for _, c := range []struct{ test, touched string }{
		{situation("2020-07-01", "unemployment_months_total: 12", "outcome: eligible"), "17 unemployment_months_total >= p.months_min: at 12"},
		{situation("2020-07-01", "unemployment_months_total: 6", "outcome: ineligible"), ""}, // 6 is a number of another text
		{situation("2023-07-02", "issued_day: 2023-07-02, unemployment_months_total: 6", "outcome: eligible"), "19 unemployment_months_total >= p.months_min: at 6"},
		{situation("2020-07-01", "pension_first_day: 2019-02-01", "outcome: ineligible"), "20 pension_first_day >= p.arrived_from: under 2019-02-01"},
		{situation("2020-07-01", "pension_first_day: 2019-02-28", "outcome: ineligible"), "20 pension_first_day >= p.arrived_from: under 2019-02-01"},
		{situation("2020-07-01", "pension_first_day: 2019-01-31", "outcome: ineligible"), ""},
		{situation("2020-07-01", "certificate_level: technician", "outcome: undetermined"), "40 certificate_level >= skill_level.technician: at technician"},
		{situation("2020-07-01", "certificate_level: junior", "outcome: eligible"), "30 p.amount_fen: amount junior 100"},
		{situation("2020-07-01", "certificate_level: junior, unemployment_months_total: 1", "outcome: ineligible"), ""}, // nobody is paid 100
		{situation("2020-07-01", "age_years_at_issue: 29", "outcome: eligible, amount_fen: 900"), "22 p.young_fen: amount 900\n43 age_years_at_issue < 30: under 29"},
		{situation("2020-07-01", "pension_months_total: 2", "outcome: ineligible"), "41 pension_months_total * 2 > 5: fails"},
		{situation("2021-06-01", "", "outcome: eligible"), "21 add_months(issued_day, p.months_window): window_last_day"},
		{situation("2021-06-02", "", "outcome: ineligible"), "21 add_months(issued_day, p.months_window): window_day_after"},
		{situation("2021-07-01", "issued_day: 2021-01-01", "outcome: undetermined"), "9 version 2020-01-01: day_after 2021-01-01"},
		{situation("2025-07-01", "issued_day: 2025-01-01", "outcome: not_in_force"), "11 ended: day_after 2025-01-01"},
		{situation("2020-07-01", "certificate_level: ", "outcome: undetermined"), "40 certificate_level: silent"},
		{situation("2020-07-01", "issued_day: ", "outcome: undetermined"), "7 issued_day: silent"},
		{situation("2021-07-01", "issued_day: 2021-07-01, certificate_level: ", "outcome: undetermined"), ""}, // without a version nothing is asked
	} {
		after := untouchedBy(t, first+c.test)
		var gone []string
		for _, line := range before {
			if !strings.Contains("\n"+after+"\n", "\n"+line+"\n") {
				gone = append(gone, line)
			}
		}
		if got := strings.Join(gone, "\n"); got != c.touched {
			t.Errorf("%stouches %q, want %q", c.test, got, c.touched)
		}
	}
}

// The tests of these two leave nothing untouched: they are what others are written after.
func TestTheExamplesAreTouchedWhole(t *testing.T) {
	list, _, err := finding.UntouchedBy(cities(t)["liaocheng"])
	if err != nil {
		t.Fatal(err)
	}
	for _, u := range list {
		if u.Policy == "unemployment-skill-subsidy" || u.Policy == "skilled-living-allowance" {
			t.Errorf("%s:%d: %s: no situation %s %s", u.File, u.Line, u.What, u.Missing, u.Value)
		}
	}
}
