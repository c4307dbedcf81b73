package policy_test

import (
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"testing"
	"testing/fstest"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/internal/store/storetest"

	_ "github.com/duckdb/duckdb-go/v2"
)

// rent is a policy whose parameters are sets and a table by two keys, two of them changing on a day.
const rent = `
policy: rent
title: {zh: 租房补贴, en: Rent allowance}
mechanism: [M19]
about: person
payee: person
fund: talent_fund
version_by: start_day
versions:
  - {from: 2024-01-01, by: art-1}
parameters:
  amount_fen:
    title: {zh: 标准, en: Amount}
    unit: fen/month
    key: [skill_level, employer_kind]
    values:
      2024-01-01: {table: {junior: {enterprise: 100_00}, senior: {enterprise: 300_00, institution: 200_00}}, by: art-1}
      2025-01-01: {table: {senior: {enterprise: 400_00}}, by: art-1}
  kinds:
    title: {zh: 单位类型, en: Kinds of employer}
    unit: 类
    codes: employer_kind
    values:
      2024-01-01: {set: [enterprise], by: art-1}
      2025-01-01: {set: [institution, enterprise], by: art-1}
  levels:
    title: {zh: 等级, en: Levels}
    unit: 级
    codes: skill_level
    values:
      2024-01-01: {set: [junior, senior], by: art-1}
  years:
    title: {zh: 毕业年份, en: Years of graduation}
    unit: 年
    values:
      2024-01-01: {set: [2023, 2024], by: art-1}
  places:
    title: {zh: 区划, en: Places}
    unit: 个
    values:
      2024-01-01: {set: ["371500", "it's", "a'); --"], by: art-1}
  share:
    title: {zh: 比例, en: Share}
    unit: permille
    values:
      2024-01-01: {value: 333, by: art-1}
rules:
  - {id: kind, by: art-1, title: {zh: 一, en: one}, holds: employer_kind in p.kinds}
  - {id: level, by: art-1, title: {zh: 二, en: two}, holds: level in p.levels}
  - {id: year, by: art-1, title: {zh: 三, en: three}, holds: year in p.years}
  - {id: place, by: art-1, title: {zh: 四, en: four}, holds: '!(place in p.places)'}
award:
  every: month
  amount_fen: {by: art-1, value: 'part_of(p.amount_fen[level][employer_kind], p.share, 1000, "up")'}
`

const person = `
subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: employer_kind, title: {zh: 单位类型, en: Kind of employer}, type: code, codes: employer_kind, take: latest, register: jobs, by: start_day, value: kind}
  - {name: start_day, title: {zh: 入职日期, en: First day at work}, type: day, take: latest, register: jobs, by: start_day, value: start_day}
  - {name: level, title: {zh: 技能等级, en: Level}, type: code, codes: skill_level, take: latest, register: jobs, by: start_day, value: level}
  - {name: year, title: {zh: 年份, en: Year}, type: int, unit: 年, min: 1900, max: 2199, take: latest, register: jobs, by: start_day, value: year_of(start_day)}
  - {name: place, title: {zh: 地点, en: Place}, type: text, take: latest, register: jobs, by: start_day, value: kind}
`

// A set and a table by two keys answer alike by Evaluate and in SQL, on each day of the law, and for what is silent.
func TestSetsAndTablesOfTwoKeys(t *testing.T) {
	units := os.DirFS("../pack/testdata/errors/units")
	files := fstest.MapFS{"facts/person.yaml": {Data: []byte(person)}, "policies/rent.yaml": {Data: []byte(rent)}}
	for name, as := range map[string]string{"pack.yaml": "", "codes/employer_kind.yaml": "", "codes/skill_level.yaml": "", "codes/school_tier.yaml": "", "registers/jobs.yaml": "", "policies/allowance.law.md": "policies/rent.law.md"} {
		b, err := fs.ReadFile(units, name)
		if err != nil {
			t.Fatal(err)
		}
		if as == "" {
			as = name
		}
		files[as] = &fstest.MapFile{Data: b}
	}
	p, err := pack.Load(files, nil)
	if err != nil {
		t.Fatal(err)
	}
	pol := policy.All(p)[0]
	databases := map[string]*sql.DB{}
	for driver, dsn := range map[string]string{"duckdb": "", "pgx": storetest.Postgres(t)} {
		db, err := sql.Open(driver, dsn)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		databases[driver] = db
	}
	day := calendar.MustParse
	someone := map[string]any{"start_day": day("2024-06-01"), "employer_kind": "enterprise", "level": int64(2), "year": int64(2024), "place": "370100"}
	for _, c := range []struct {
		name    string
		but     map[string]any
		outcome string
		amount  int64 // where it can be told
	}{
		{"an amount by level and kind", nil, "eligible", 99_90},
		{"the same a year later", map[string]any{"start_day": day("2025-01-01")}, "eligible", 133_20},
		{"the other level", map[string]any{"level": int64(1)}, "eligible", 33_30},
		{"a level without a row", map[string]any{"level": int64(1), "start_day": day("2025-01-01")}, "undetermined", -1},
		{"a kind that was not in the set, on its last day", map[string]any{"employer_kind": "institution", "start_day": day("2024-12-31")}, "ineligible", 66_60},
		{"a kind that has come into the set, and has no number", map[string]any{"employer_kind": "institution", "start_day": day("2025-01-01")}, "undetermined", -1},
		{"no kind", map[string]any{"employer_kind": nil}, "undetermined", -1},
		{"no level", map[string]any{"level": nil}, "undetermined", -1},
		{"another year", map[string]any{"year": int64(2022)}, "ineligible", 99_90},
		{"no year", map[string]any{"year": nil}, "undetermined", 99_90},
		{"a place in the set that looks like a number", map[string]any{"place": "371500"}, "ineligible", 99_90},
		{"a place in the set that looks like SQL", map[string]any{"place": "a'); --"}, "ineligible", 99_90},
		{"no place is in no set, nor out of one", map[string]any{"place": nil}, "undetermined", 99_90},
	} {
		t.Run(c.name, func(t *testing.T) {
			facts := maps.Clone(someone)
			maps.Copy(facts, c.but)
			on := day("2025-06-01")
			a, err := pol.Evaluate(func(name string) any { return facts[name] }, on, 0)
			if err != nil || a.Outcome != c.outcome || a.Outcome == "eligible" && a.AmountFen != c.amount {
				t.Errorf("Evaluate answers %s, %d, %v; want %s, %d", a.Outcome, a.AmountFen, err, c.outcome, c.amount)
			}
			for driver, db := range databases {
				dialect := map[string]expr.Dialect{"duckdb": expr.DuckDB, "pgx": expr.Postgres}[driver]
				q := pol.SQL(dialect, on, 0)
				types := map[string]string{"start_day": "DATE", "employer_kind": "VARCHAR", "level": "BIGINT", "year": "BIGINT", "place": "VARCHAR"}
				from := ""
				for name, as := range types {
					from += fmt.Sprintf(", CAST(%s AS %s) AS %s", expr.Literal(dialect, facts[name]), as, policy.Quote(name))
				}
				var holds bool
				var amount int64
				if err := db.QueryRow("SELECT coalesce("+q.Where+", FALSE), coalesce("+q.Amount+", -1) FROM (SELECT "+from[2:]+") AS s").Scan(&holds, &amount); err != nil {
					t.Fatal(driver, err)
				}
				if holds != (c.outcome == "eligible") || amount != c.amount {
					t.Errorf("%s answers %v, %d; want %s, %d", driver, holds, amount, c.outcome, c.amount)
				}
			}
		})
	}
}
