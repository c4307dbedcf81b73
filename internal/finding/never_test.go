package finding_test

import (
	"database/sql"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/expr"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/internal/seal"
	"bole/internal/web"
	"bole/packs"
	"go.yaml.in/yaml/v3"
)

// What programs of this kind have got wrong before, and what this one never does: a test each, named after the fault. Each fault was
// planted by hand when its test was written, in several ways, and found. Of a limit without a key the pack's checks take care.

// over is a pack over the shipped one with files of its own; a policy without a law text is given one.
func over(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{"pack.yaml": {Data: []byte("pack: invented\ntitle: {zh: 虚构, en: Invented}\ndivision: \"371500\"\nuses: liaocheng\n")}}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
		if law := strings.TrimSuffix(name, ".yaml") + ".law.md"; strings.HasPrefix(name, "policies/") && files[law] == "" {
			out[law] = &fstest.MapFile{Data: []byte(inventedLaw)}
		}
	}
	return out
}

func loaded(t *testing.T, files map[string]string) *pack.Pack {
	t.Helper()
	p, err := pack.Load(over(files), packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// ruled is an invented policy of 1 yuan with the given rules, r1, r2 and so on; "x unless y" is a rule with an exception.
func ruled(name, about string, rules ...string) string {
	var list strings.Builder
	for i, r := range rules {
		holds, unless, lifted := strings.Cut(strings.ReplaceAll(r, "'", "''"), " unless ")
		fmt.Fprintf(&list, "  - {id: r%d, by: a, title: {zh: 条件, en: Rule}, holds: '%s'", i+1, holds)
		if lifted {
			fmt.Fprintf(&list, ", unless: [{id: e%d, by: a, title: {zh: 但, en: But}, holds: '%s'}]", i+1, unless)
		}
		list.WriteString("}\n")
	}
	return fmt.Sprintf(`policy: %s
title: {zh: 虚构, en: Invented}
mechanism: [M14]
about: %s
payee: person
fund: none
version_by: "on"
versions:
  - {from: 2020-01-01, by: a}
rules:
%saward: {every: once, amount_fen: {by: a, value: "100"}}
`, name, about, list.String())
}

// many gives distinct valid numbers of people born in the sixties.
func many(i int) string {
	s := "371502" + strings.ReplaceAll(calendar.Day(19600101).AddDays(i/999).String(), "-", "") + fmt.Sprintf("%03d", i%999+1)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

// More people than any limit that somebody might have thought enough, and more than a row group: each is screened, counted, listed and written.
func TestNoResultIsCapped(t *testing.T) {
	const n, papers = 123_000, 3_000
	it, desk := homeOf(t, loaded(t, map[string]string{
		"policies/grown.yaml":  ruled("grown", "person", "age_years >= 18"),
		"policies/papers.yaml": ruled("papers", "certificate", `certificate_status == "valid"`),
	}))
	var people, certificates strings.Builder
	people.WriteString("证件号码,姓名,出生日期\n")
	for i := range n {
		fmt.Fprintf(&people, "%s,王甲,1960-01-01\n", many(i))
	}
	certificates.WriteString("证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n")
	for i := range papers {
		fmt.Fprintf(&certificates, "%s,王甲,N%d,6-18-01-01,三级,2024-01-01,有效\n", many(7), i)
	}
	deliver(t, desk, "people", people.String())
	deliver(t, desk, "skill_certificates", certificates.String())
	out := filepath.Join(t.TempDir(), "all")
	run := screen(t, it, finding.Request{Out: out + ".csv"})
	if want := []finding.Count{{Policy: "grown", Eligible: n, Persons: n, AmountFen: 100 * n}, {Policy: "papers", Eligible: papers, Persons: 1, AmountFen: 100 * papers}}; run.People != n || !slices.Equal(run.Policies, want) {
		t.Errorf("%d people, %+v; want %+v", run.People, run.Policies, want)
	}
	b, err := os.ReadFile(out + ".csv")
	if lines := strings.Count(string(b), "\n"); err != nil || lines != 1+n+papers {
		t.Errorf("the file has %d lines, %v", lines, err)
	}
	screen(t, it, finding.Request{Out: out + ".parquet"})
	db, err := columnar.Open(columnar.Config{MemoryMB: 200, Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var rows, distinct int
	if err := db.QueryRowContext(t.Context(), "SELECT count(*), count(DISTINCT (policy, person, subject)) FROM '"+out+".parquet'").Scan(&rows, &distinct); err != nil || rows != n+papers || distinct != rows {
		t.Errorf("the other file has %d rows, %d distinct, %v", rows, distinct, err)
	}
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	items, total, err := book.List(t.Context(), "grown", finding.Filter{Outcome: "eligible", Limit: 2 * n})
	if err != nil || total != n || len(items) != n {
		t.Errorf("the list has %d of %d, %v", len(items), total, err)
	}
	if items, _, err = book.List(t.Context(), "grown", finding.Filter{Outcome: "eligible", Limit: 50, Offset: n - 1}); err != nil || len(items) != 1 {
		t.Errorf("the last page has %d, %v", len(items), err)
	}
	if items, _, err = book.List(t.Context(), "papers", finding.Filter{Outcome: "eligible", Limit: 1}); err != nil || len(items) != 1 {
		t.Fatal(items, err)
	}
	xs, err := book.Explain(t.Context(), items[0].Person, "papers", "", day)
	if err != nil || len(xs) != papers {
		t.Errorf("%d of %d certificates of one person are explained, %v", len(xs), papers, err)
	}
}

// A rule that cannot be asked is a mistake with its place before anybody is screened, and never a rule that nobody meets. So is a policy that
// does not exist.
func TestNoInvalidRuleFindsNobody(t *testing.T) {
	files := map[string]string{"policies/sound.yaml": ruled("sound", "certificate", "age_years >= 18")}
	says := map[string]string{}
	add := func(what string, policy func(name string) string) {
		name := fmt.Sprintf("p%02d", len(says))
		says["policies/"+name+".yaml"], files["policies/"+name+".yaml"] = what, policy(name)
	}
	for _, rule := range []string{
		"", " ", "age_years >= 18 &&", "age_years >= 18 and true", "age_years", "18", "age_year >= 18", `age_years >= "18"`, "age_years = 18", "AGE_YEARS >= 18",
		"age_years >= p.age_years_min", "age_years >= unemployment_months_total", "age_years in []", "age_years / 0 > 1", "age_years > 99999999999999999999",
		"birth_day > 2000-01-01", `birth_day > day("2000-02-30")`, `birth_day > "2000-01-01"`, "birth_day > 20000101",
		`certificate_status == "vaild"`, `certificate_status in ["valid", "vaild"]`, `certificate_status == "有效"`, "certificate_level >= skill_level.seniour", `certificate_level == "senior"`,
		`hukou_division.startsWith(3715)`, `hukou_division.matches("3715.*")`, `hukou_division == "3715\u0000"`, "size(hukou_division) > 4", "null", "age_years == null",
		"[age_years].exists(x, x > 18)", "no_such_function(age_years)", "on > on > on", "p.age_years_min in p.age_years_min", `"a" < 1`,
	} {
		add(fmt.Sprintf("the rule %q", rule), func(name string) string { return ruled(name, "certificate", rule) })
	}
	for was, is := range map[string]string{
		"holds:": "hold:", "  - {id: r1": "  - {unless: [{id: e1, by: a, title: {zh: 但, en: But}, holds: never}], id: r1", "by: a, title: {zh: 条件": "by: b, title: {zh: 条件", "rules:\n": "rule:\n",
		"about: certificate": "about: certificates", `version_by: "on"`: "version_by: issued", "from: 2020-01-01": "from: 2020-01-01, to: 2019-12-31", `value: "100"`: "value: amount",
	} {
		add(fmt.Sprintf("%q in the place of %q", is, was), func(name string) string {
			text := ruled(name, "certificate", "age_years >= 18")
			if !strings.Contains(text, was) {
				t.Fatalf("no %q to spoil", was)
			}
			return strings.Replace(text, was, is, 1)
		})
	}
	_, err := pack.Load(over(files), packs.Files)
	var ms fault.Mistakes
	if !errors.As(err, &ms) {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, m := range ms {
		told[m.File] = told[m.File] || m.Line > 0 && m.Message != ""
	}
	for file, what := range says {
		if !told[file] {
			t.Errorf("%s is taken", what)
		}
	}
	if told["policies/sound.yaml"] {
		t.Error("a sound policy beside them is refused")
	}
	it := theTown(t)
	for _, names := range [][]string{{"nothing"}, {"unemployment-skill-subsidy", "nothing"}, {""}} {
		if run, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: day, Policies: names}); fault.KindOf(err) != fault.NotFound {
			t.Errorf("screened %q: %+v, %v", names, run.Policies, err)
		}
	}
}

// hires are contracts of one person each, with every pattern of three columns: the form of work, the last day, and whether anybody knows the age.
// The subject rows' numbers are keyed, so a hire is told by its first day: the i-th day of 2023.
func hires(t *testing.T, files map[string]string) *town {
	t.Helper()
	it, desk := homeOf(t, loaded(t, files))
	people, contracts := "证件号码,姓名,出生日期\n", "证件号码,姓名,统一社会信用代码,合同编号,合同类型,用工形式,起始日期,终止日期\n"
	for i := range 27 {
		if born := []string{"1990-01-01", "2015-01-01", ""}[i/9]; born != "" {
			people += fmt.Sprintf("%s,王甲,%s\n", citizen(i), born)
		}
		contracts += fmt.Sprintf("%s,王甲,91371500MA3C0DEF0X,HT%d,%s,%s,%s,%s\n", citizen(i), i, []string{"固定期限", "固定期限", "无固定期限"}[i/3%3],
			[]string{"全日制", "非全日制", ""}[i%3], calendar.Day(20230101).AddDays(i), []string{"2029-12-31", "2024-06-30", ""}[i/3%3])
	}
	deliver(t, desk, "people", people)
	deliver(t, desk, "employment_contracts", contracts)
	return it
}

// started is the first day of each hire by its subject row.
func started(t *testing.T, it *town) map[string]int {
	t.Helper()
	s, conn := it.connect(t)
	hire := it.pack.Subject("hire")
	if err := fact.Derive(t.Context(), conn, s, it.pack, fact.Request{Wants: []fact.Want{{Subject: hire, Names: []string{"hire_start_day"}}}, Days: []calendar.Day{day}}); err != nil {
		t.Fatal(err)
	}
	rows, err := fact.Rows(t.Context(), conn, hire, "")
	if err != nil || len(rows) != 27 {
		t.Fatal(len(rows), err)
	}
	out := map[string]int{}
	for _, r := range rows {
		for i := range 27 {
			if r.Values["hire_start_day"] == calendar.Day(20230101).AddDays(i) {
				out[r.Subject] = i
			}
		}
	}
	return out
}

// Conditions that hold, fail and are silent in every pattern: only whoever meets all of them is found, by the list, by the amounts and by the
// explanation; an exception that fails lifts nothing.
func TestNoFailedConditionFindsEverybody(t *testing.T) {
	rules := []string{`hire_work_form == "full_time"`, "hire_end_day > on", "age_years_at_hire >= 18"}
	it := hires(t, map[string]string{
		"policies/all-three.yaml": ruled("all-three", "hire", rules...),
		"policies/lifted.yaml":    ruled("lifted", "hire", rules[0]+` unless hire_kind == "by_task"`, rules[1], rules[2]),
		"policies/windowed.yaml":  strings.Replace(ruled("windowed", "hire", rules[0], rules[2]), "award:", "window: {by: a, ends: hire_end_day}\naward:", 1),
	})
	byDay := started(t, it)
	want := func(i int) (outcome string) {
		states := []int{i % 3, i / 3 % 3, i / 9}
		switch {
		case slices.Contains(states, 1):
			return "ineligible"
		case slices.Contains(states, 2):
			return "undetermined"
		}
		return "eligible"
	}
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	seen := map[string]int{}
	for _, r := range all(t, it) {
		i, ok := byDay[r["subject"]]
		if !ok || r["outcome"] != want(i) || (r["amount_fen"] != "") != (want(i) == "eligible") {
			t.Errorf("%s: hire %d is %s for %q fen, want %s", r["policy"], i, r["outcome"], r["amount_fen"], want(i))
		}
		seen[r["policy"]+" "+r["outcome"]]++
		if r["policy"] != "lifted" { // an explanation looks five years ahead, which takes its time
			continue
		}
		person, err := fact.ParsePerson(r["person"])
		if err != nil {
			t.Fatal(err)
		}
		xs, err := book.Explain(t.Context(), person, r["policy"], r["subject"], day)
		if err != nil || len(xs) != 1 || xs[0].Answer.Outcome != want(i) {
			t.Errorf("%s: hire %d is explained as %v, %v; want %s", r["policy"], i, xs, err, want(i))
		}
	}
	for _, p := range []string{"all-three", "lifted", "windowed"} {
		if seen[p+" eligible"] != 1 || seen[p+" undetermined"] != 7 || seen[p+" ineligible"] != 19 {
			t.Errorf("%s: %v", p, seen)
		}
	}
}

// A screening, a list or an explanation that cannot read what it needs says so: it never finds fewer. What was published before stays.
func TestNoErrorIsSwallowed(t *testing.T) {
	theTown(t) // it makes the keys
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "home")
	it, desk, err := empty(t.Context(), dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { desk.Store.Close() })
	it.pack = loaded(t, map[string]string{
		"policies/grown.yaml":  ruled("grown", "person", "age_years >= 18"),
		"policies/valid.yaml":  ruled("valid", "certificate", `certificate_status == "valid"`),
		"policies/months.yaml": ruled("months", "person", "unemployment_months_total >= 1"),
	})
	desk.Pack = it.pack
	for i := range 2 { // two files of one register: one that is lost leaves another
		deliver(t, desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1990-01-01\n", citizen(i)))
	}
	deliver(t, desk, "skill_certificates", fmt.Sprintf("证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n%s,王甲,S1,6-18-01-01,三级,2022-06-01,有效\n", citizen(0)))
	deliver(t, desk, "contributions", fmt.Sprintf("社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费类型,到账标志\n%s,王甲,91371500MA3C0DEF0X,失业保险,2024-06,正常,是\n", citizen(0)))
	run := screen(t, it, finding.Request{})
	for _, c := range run.Policies {
		if c.Eligible == 0 {
			t.Errorf("nobody is found under %s: the test is blind there", c.Policy)
		}
	}
	s, err := it.lake.Read(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ask := func() error { // whatever needs everything that was delivered; each must fail
		asOf := finding.Request{On: day, AsOf: 20241219}
		_, some := finding.Screen(t.Context(), it.lake, it.pack, asOf)
		_, whole := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: day, Out: filepath.Join(dir, "out.csv"), All: true})
		book := finding.OpenBook(it.lake, it.pack)
		defer book.Close()
		_, view := book.View(t.Context(), 1, day.AddDays(1)) // which no run has seen, so that the registers are read
		for what, err := range map[string]error{"some": some, "whole": whole, "view": view} {
			if err == nil {
				return fmt.Errorf("%s: no error", what)
			}
		}
		return nil
	}
	spoilt := 0
	for _, table := range []string{"people", "skill_certificates", "contributions", lake.IdentityTable} {
		for _, f := range s.Files(table) {
			path := filepath.Join(dir, "lake", f.Path)
			whole, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for what, bytes := range map[string][]byte{"nothing": {}, "half": whole[:len(whole)/2], "a text": []byte("not found"), "gone": nil} {
				if bytes == nil {
					err = os.Remove(path)
				} else {
					err = os.WriteFile(path, bytes, 0o600)
				}
				if err != nil {
					t.Fatal(err)
				}
				if err := ask(); err != nil {
					t.Errorf("%s is %s: %v", table, what, err)
				}
				spoilt++
			}
			if err := os.WriteFile(path, whole, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	if spoilt < 16 {
		t.Errorf("only %d files were spoilt", spoilt)
	}
	if _, err := os.Stat(filepath.Join(dir, "out.csv")); err == nil {
		t.Error("a screening that failed left its file")
	}
	// The findings that pages read.
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	if kept, err := book.Run(t.Context()); err != nil || kept.Hash != run.Hash {
		t.Errorf("after screenings that failed: %s, %v; want %s", kept.Hash, err, run.Hash)
	}
	list := func() error {
		_, _, err := book.List(t.Context(), "grown", finding.Filter{Outcome: "eligible", Limit: 9})
		return err
	}
	rules := func() error {
		_, err := book.Rules(t.Context(), "grown")
		return err
	}
	view := func() error {
		fresh := finding.OpenBook(it.lake, it.pack) // a book opens its evidence once
		defer fresh.Close()
		_, err := fresh.View(t.Context(), 1, day)
		return err
	}
	for table, asks := range map[string][]func() error{"finding_hits": {list}, "finding_bits_person": {list, rules}, lake.EvidenceTable: {view}} {
		path := filepath.Join(dir, "lake", s.Files(table)[0].Path)
		if err := os.Rename(path, path+".away"); err != nil {
			t.Fatal(err)
		}
		for i, ask := range asks {
			if err := ask(); err == nil {
				t.Errorf("%s is gone, and pages still tell of it: %d", table, i)
			}
		}
		if err := os.Rename(path+".away", path); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(list(), rules(), view()); err != nil {
		t.Error(err)
	}
	// And the office's database.
	if err := desk.Store.Close(); err != nil {
		t.Fatal(err)
	}
	if err := ask(); err != nil {
		t.Errorf("without the office: %v", err)
	}
}

// Every rule and exception that stands in a policy's file is asked by both evaluators: of a great many invented facts, with gaps, the SQL says of every
// check what the evaluator of one person says. Each shipped policy starts from the situations of its own tests, so that each check is met and failed.
func TestNoRuleIsDroppedInTranslation(t *testing.T) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 512, Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	dice := rand.New(rand.NewPCG(9, 9))
	for dir, p := range cities(t) {
		for _, decl := range p.Policies {
			pol := policy.New(p, decl)
			if got, want := checks(pol), stands(t, dir+"/"+decl.File); !slices.Equal(got, want) {
				t.Errorf("%s/%s asks %v, and its file has %v", dir, decl.Name, got, want)
			}
			for _, f := range compared(t, db.DB, p, pol, dice) {
				t.Errorf("%s/%s: %s", dir, decl.Name, f)
			}
		}
	}
}

// stands are the ids and conditions in a policy's file, read by nothing of ours.
func stands(t *testing.T, file string) (out []string) {
	t.Helper()
	b, err := fs.ReadFile(packs.Files, file)
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Rules []struct {
			ID, Holds string
			Unless    []struct{ ID, Holds string }
		}
		Window struct{ Ends string }
	}
	if err := yaml.Unmarshal(b, &doc); err != nil {
		t.Fatal(err)
	}
	for _, r := range doc.Rules {
		text := r.Holds
		for _, e := range r.Unless {
			text += "  ||  " + e.Holds
		}
		out = append(out, r.ID+": "+text)
	}
	if doc.Window.Ends != "" {
		out = append(out, "window: "+doc.Window.Ends)
	}
	return out
}

func checks(p *policy.Policy) (out []string) {
	for _, c := range p.Checks {
		if c.ID != "award" || c.Rule != nil {
			out = append(out, c.ID+": "+c.Text())
		}
	}
	return out
}

// drawn are the situations of a policy's tests by the day asked about, each as it is and thrice with facts changed or left out.
func drawn(t *testing.T, p *pack.Pack, pol *policy.Policy, dice *rand.Rand) map[calendar.Day][]map[string]any {
	t.Helper()
	out := map[calendar.Day][]map[string]any{}
	pools := map[string][]any{}
	for _, test := range pol.Tests {
		values, err := finding.Completed(p, pol, test.On, test.Values)
		if err != nil {
			t.Fatal(err)
		}
		out[test.On] = append(out[test.On], values)
		for k, v := range values {
			pools[k] = append(pools[k], v)
		}
	}
	for on, situations := range out {
		for _, s := range situations {
			for range 3 {
				changed := map[string]any{}
				for _, name := range pol.FactNames() {
					changed[name] = s[name]
					switch pool := pools[name]; {
					case dice.IntN(8) == 0:
						changed[name] = nil
					case dice.IntN(6) == 0 && len(pool) > 0:
						changed[name] = pool[dice.IntN(len(pool))]
					}
				}
				out[on] = append(out[on], changed)
			}
		}
	}
	return out
}

// compared asks both evaluators of the drawn situations of a policy, part by part, and tells where they differ, which check was never seen to hold or
// never to fail, and which rule was lifted by no exception.
func compared(t *testing.T, db *sql.DB, p *pack.Pack, pol *policy.Policy, dice *rand.Rand) (wrong []string) {
	t.Helper()
	states, lifted := map[string]map[policy.State]bool{}, map[string]bool{}
	for on, situations := range drawn(t, p, pol, dice) {
		var selects []string
		for i, s := range situations {
			cols := []string{fmt.Sprintf("%d AS i", i)}
			for _, name := range pol.FactNames() {
				if f := pol.Fact(name); f != nil {
					cols = append(cols, fmt.Sprintf("CAST(%s AS %s) AS %s", expr.Literal(expr.DuckDB, s[name]), finding.SQLTypes[f.ExprType()], policy.Quote(name)))
				}
			}
			selects = append(selects, "SELECT "+strings.Join(cols, ", "))
		}
		from := "(" + strings.Join(selects, " UNION ALL ") + ")"
		for _, part := range pol.Parts() {
			q := pol.SQL(expr.DuckDB, on, part)
			rows, err := db.QueryContext(t.Context(), fmt.Sprintf("SELECT i, coalesce(%s, -9), CAST(%s AS UBIGINT), coalesce(%s, FALSE), coalesce(CASE WHEN %s THEN %s END, -1) FROM %s ORDER BY i", q.Version, q.Bits, q.Where, q.Where, q.Amount, from))
			if err != nil {
				t.Fatalf("%s: %v", pol.Name, err)
			}
			for rows.Next() {
				var i, version int
				var bits uint64
				var found bool
				var amount int64
				if err := rows.Scan(&i, &version, &bits, &found, &amount); err != nil {
					t.Fatal(err)
				}
				a, err := pol.Evaluate(func(name string) any { return situations[i][name] }, on, part)
				if err != nil {
					t.Fatal(err)
				}
				if found != (a.Outcome == "eligible") || found && amount != a.AmountFen || (version > 0) != (a.Version != nil) {
					wrong = append(wrong, fmt.Sprintf("on %s of %v: SQL finds %v in version %d for %d, one person is %s for %d", on, situations[i], found, version, amount, a.Outcome, a.AmountFen))
				}
				for j, c := range a.Checks {
					if states[c.ID] == nil {
						states[c.ID] = map[policy.State]bool{}
					}
					states[c.ID][c.State] = true
					if c.Rule != nil && c.State == policy.Met {
						base, err := c.Rule.Expr().Eval(func(name string) any {
							return c.Values[slices.IndexFunc(c.Values, func(v policy.Value) bool { return v.Name == name })].Value
						})
						if err != nil {
							t.Fatal(err)
						}
						lifted[c.ID] = lifted[c.ID] || base == false
					}
					n := len(pol.Checks)
					if got := map[uint64]policy.State{0: policy.NotMet, 1: policy.Met, 2: policy.Unknown}[bits>>j&1|bits>>(n+j)&1<<1]; got != c.State {
						wrong = append(wrong, fmt.Sprintf("on %s of %v: %s is %s by SQL and %s of one person", on, situations[i], c.ID, got, c.State))
					}
				}
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range pol.Checks {
		if c.Rule != nil && (!states[c.ID][policy.Met] || !states[c.ID][policy.NotMet]) {
			wrong = append(wrong, fmt.Sprintf("%s was only %v: the test is blind there", c.ID, states[c.ID]))
		}
		if c.Rule != nil && len(c.Rule.Unless) > 0 && !lifted[c.ID] {
			wrong = append(wrong, fmt.Sprintf("%s was never lifted by an exception", c.ID))
		}
	}
	return wrong
}

// Somebody of whom a register is silent is neither refused nor dropped by an unequal: by none of its spellings, in a rule, in the rows that a fact
// counts, and on no list. What decides which rows are subjects may not be silent at all.
func TestNoUnequalLosesTheSilent(t *testing.T) {
	rules := map[string]string{"ne": `hire_work_form != "part_time"`, "not-eq": `!(hire_work_form == "part_time")`, "not-in": `!(hire_work_form in ["part_time"])`,
		"chosen": `(hire_work_form == "part_time" ? 0 : 1) != 0`, "age": "age_years_at_hire != 8", "day": `hire_end_day != day("2024-06-30")`,
		"any": "some_not_part_time", "number": "not_part_time_days == 1", "latest": "latest_not_part_time >= day(\"2023-01-01\")"}
	files := map[string]string{"facts/person.yaml": `subject: person
title: {zh: 个人, en: Person}
unit: {zh: 人, en: persons}
facts:
  - {name: some_not_part_time, title: {zh: 一, en: one}, type: bool, take: exists, register: employment_contracts, where: 'work_form != "part_time"'}
  - {name: not_part_time_days, title: {zh: 二, en: two}, type: int, unit: contract, min: 0, max: 999, take: count, register: employment_contracts, where: 'work_form != "part_time"'}
  - {name: latest_not_part_time, title: {zh: 四, en: four}, type: day, take: latest, register: employment_contracts, by: start_day, value: start_day, where: 'work_form != "part_time"'}
`}
	silent := map[string]string{} // the fact that is missing
	for name, rule := range rules {
		files["policies/"+name+".yaml"] = ruled(name, "hire", rule)
		silent[name] = map[string]string{"age": "age_years_at_hire", "day": "hire_end_day", "any": "some_not_part_time", "number": "not_part_time_days", "latest": "latest_not_part_time"}[name]
		if silent[name] == "" {
			silent[name] = "hire_work_form"
		}
	}
	it := hires(t, files)
	byDay := started(t, it)
	count := map[string]map[string]int{}
	for _, r := range all(t, it) {
		i := byDay[r["subject"]]
		part := map[string]int{"age": i / 9, "day": i / 3 % 3}
		state, ok := part[r["policy"]]
		if !ok {
			state = i % 3
		}
		want := []string{"eligible", "ineligible", "undetermined"}[state]
		switch p := r["policy"]; {
		case state == 1 && (p == "any" || p == "latest"): // no such contract, in a register that is not complete
			want = "undetermined"
		}
		if r["outcome"] != want || want == "undetermined" && r["missing"] != silent[r["policy"]] {
			t.Errorf("%s: hire %d is %s, missing %q; want %s", r["policy"], i, r["outcome"], r["missing"], want)
		}
		if count[r["policy"]] == nil {
			count[r["policy"]] = map[string]int{}
		}
		count[r["policy"]][r["outcome"]]++
	}
	run := screen(t, it, finding.Request{})
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	for _, c := range run.Policies {
		if got := c.Eligible + c.Ineligible + c.Undetermined; got != 27 || c.Undetermined < 9 || c.Undetermined != int64(count[c.Policy]["undetermined"]) {
			t.Errorf("%+v of 27 hires", c)
		}
		for _, fl := range []finding.Filter{{Outcome: "undetermined", Limit: 50}, {Unknown: "r1", Limit: 50}} {
			if items, total, err := book.List(t.Context(), c.Policy, fl); err != nil || total != c.Undetermined || len(items) != int(total) {
				t.Errorf("%s: %+v lists %d of %d, %v", c.Policy, fl, len(items), total, err)
			}
		}
	}
	// Whose contract is not known to be part-time is no rule's matter when the row is nobody's: such a pack is refused.
	_, err := pack.Load(over(map[string]string{"facts/job.yaml": `subject: job
title: {zh: 岗位, en: Job}
unit: {zh: 个, en: jobs}
register: employment_contracts
id: contract_no
where: work_form != "part_time"
facts:
  - {name: job_day, title: {zh: 起始, en: Begin}, type: day, take: column, value: start_day}
`}), packs.Files)
	var ms fault.Mistakes
	if !errors.As(err, &ms) || len(ms) != 1 || ms[0].File != "facts/job.yaml" || ms[0].Line != 6 {
		t.Errorf("a subject whose rows silence decides: %v", err)
	}
}

// A draft is tested, and asked by whoever names it; no run that is published, and so no page, knows of it.
func TestNoDraftReachesALiveRun(t *testing.T) {
	drafted := strings.Replace(ruled("drafted", "person", "age_years >= 18"), "mechanism:", "draft: true\nmechanism:", 1)
	files := map[string]string{
		"policies/drafted.yaml":      drafted,
		"policies/drafted_test.yaml": "policy: drafted\ntests:\n  - {name: Somebody of 30, on: 2024-12-20, facts: {birth_day: 1994-01-01}, want: {outcome: ineligible}}\n",
		"policies/live.yaml":         ruled("live", "person", "age_years >= 18"),
	}
	it, desk := homeOf(t, loaded(t, files))
	deliver(t, desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1990-01-01\n", citizen(0)))
	out := filepath.Join(t.TempDir(), "all.csv")
	live := screen(t, it, finding.Request{Out: out, All: true})
	if want := []finding.Count{{Policy: "live", Eligible: 1, Persons: 1, AmountFen: 100}}; !slices.Equal(live.Policies, want) {
		t.Errorf("a live run asks %+v", live.Policies)
	}
	if b, err := os.ReadFile(out); err != nil || strings.Contains(string(b), "drafted") || strings.Count(string(b), "\n") != 2 {
		t.Errorf("its file: %s %v", b, err)
	}
	past, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: day, AsOf: 20241219})
	if err != nil || len(past.Policies) != 1 {
		t.Errorf("a run as of an earlier day asks %+v, %v", past.Policies, err)
	}
	g, err := it.lake.Generation(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"drafted"}, {"live", "drafted"}} {
		run := screen(t, it, finding.Request{Policies: names})
		i := slices.IndexFunc(run.Policies, func(c finding.Count) bool { return c.Policy == "drafted" })
		if len(run.Policies) != len(names) || i < 0 || !run.Policies[i].Draft || run.Policies[i].Eligible != 1 {
			t.Errorf("asked by its name, a draft answers %+v", run.Policies)
		}
	}
	if after, err := it.lake.Generation(t.Context()); err != nil || after != g {
		t.Errorf("trying a draft published generation %d after %d, %v", after, g, err)
	}
	if rep, err := finding.Test(t.Context(), it.pack); err != nil || len(rep.Failures) != 1 {
		t.Errorf("the tests of a draft: %+v, %v", rep, err)
	}
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	if run, err := book.Run(t.Context()); err != nil || run.Hash != live.Hash || len(run.Policies) != 1 {
		t.Errorf("pages show %+v, %v", run, err)
	}
	if v, err := book.View(t.Context(), 1, day); err != nil || len(v.Policies) != 1 || v.Policies[0].Policy.Name != "live" {
		t.Errorf("a person is asked %+v, %v", v.Policies, err)
	}
	if _, _, err := book.List(t.Context(), "drafted", finding.Filter{Limit: 9}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a list of a draft: %v", err)
	}
	if _, err := book.Rules(t.Context(), "drafted"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the rules of a draft: %v", err)
	}
	site := web.New(book, web.Options{Synthetic: true})
	for address, code := range map[string]int{"/": 200, "/people": 200, "/people/" + fact.Person(1).String(): 200, "/people/" + fact.Person(1).String() + "?policy=drafted": 404,
		"/policies/live": 200, "/policies/live/list?outcome=eligible": 200, "/policies/drafted": 404, "/policies/drafted/list?outcome=eligible": 404} {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		if w.Code != code || code == 200 && strings.Contains(w.Body.String(), "drafted") {
			t.Errorf("%s: %d, %v that it names the draft", address, w.Code, strings.Contains(w.Body.String(), "drafted"))
		}
	}
}

// A limit that a draft declares ties no live claims, in the run, in an explanation or on a page; tried beside them, and in its tests, it does.
func TestNoDraftTiesALiveClaim(t *testing.T) {
	drafted := strings.Replace(ruled("drafted", "person", "age_years >= 18"), "mechanism:", "draft: true\nmechanism:", 1)
	drafted = strings.Replace(drafted, `value: "100"`, `value: "500"`, 1) + "limits:\n  - {id: one, by: a, title: {zh: 一, en: one}, with: [live, also], over: person, most: 1}\n"
	it, desk := homeOf(t, loaded(t, map[string]string{
		"policies/drafted.yaml": drafted,
		"policies/drafted_test.yaml": `policy: drafted
tests:
  - name: Nobody has a live award beside it
    on: 2024-12-20
    facts: {birth_day: 1994-01-01}
    want: {outcome: eligible, amount_fen: 500}
    others:
      - {claim: other, policy: live, facts: {birth_day: 1994-01-01}, want: {outcome: limited, limit: drafted/one, wins: this}}
`,
		"policies/live.yaml": ruled("live", "person", "age_years >= 18"),
		// which makes room for the draft already
		"policies/also.yaml": ruled("also", "person", "age_years >= 18") + "limits:\n  - {id: room, by: a, title: {zh: 一, en: one}, with: [drafted], over: person, most: 1}\n",
	}))
	deliver(t, desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1990-01-01\n", citizen(0)))
	outcomes := func(names ...string) (out []string) {
		for _, c := range screen(t, it, finding.Request{Policies: names}).Policies {
			out = append(out, fmt.Sprintf("%s: %d eligible, %d limited", c.Policy, c.Eligible, c.Limited))
		}
		return out
	}
	expect(t, outcomes(), "also: 1 eligible, 0 limited", "live: 1 eligible, 0 limited")
	expect(t, outcomes("also", "live"), "also: 1 eligible, 0 limited", "live: 1 eligible, 0 limited")
	expect(t, outcomes("drafted", "live"), "drafted: 1 eligible, 0 limited", "live: 0 eligible, 1 limited")
	if rep, err := finding.Test(t.Context(), it.pack); err != nil || rep.Passed != 1 {
		t.Errorf("the tests of a draft with a limit: %+v, %v", rep, err)
	}
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	for _, on := range []calendar.Day{day, day.AddDays(1)} { // from the run, and afresh
		v, err := book.View(t.Context(), 1, on)
		if err != nil || len(v.Policies) != 2 {
			t.Fatal(v.Policies, err)
		}
		for _, x := range v.Policies {
			if x.Answer.Outcome != "eligible" {
				t.Errorf("on %s %s is explained as %s", on, x.Policy.Name, x.Answer.Outcome)
			}
		}
	}
	site := web.New(book, web.Options{Synthetic: true})
	for _, address := range []string{"/policies/live", "/people/" + fact.Person(1).String() + "?policy=live"} {
		w := httptest.NewRecorder()
		site.ServeHTTP(w, httptest.NewRequest("GET", address, nil))
		if w.Code != 200 || strings.Contains(w.Body.String(), "drafted") {
			t.Errorf("%s: %d, %v that it names the draft", address, w.Code, strings.Contains(w.Body.String(), "drafted"))
		}
	}
}

// awkward are codes that mean something to SQL, to a file or to a shell, if anybody lets them.
var awkward = []string{"it's", "''", `"`, `a" OR "1"="1`, "' OR '1'='1", "'; DROP TABLE hits; --", "--", "/*", `\`, `\'`, "%", "_", "$1", "?", "{x}", "NULL", "TRUE", ";", "’", "甲'乙", "a b", "x\u200by"}

// Whatever stands in a code list is a text and nothing else: each code awards its own amount, in a table, a set, a comparison, a list and a place among
// rows. A NUL byte, at which a text may end for another program, is refused wherever a pack could write one.
func TestNoTextOfACodeListChangesTheSQL(t *testing.T) {
	var items, table, set, rows strings.Builder
	sheet := csv.NewWriter(&rows)
	yes := func(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" } // in YAML
	for i, code := range awkward {
		fmt.Fprintf(&items, "  - {code: %s, zh: %s, en: %s}\n", yes(code), yes("怪"+code), yes("odd"+code))
		fmt.Fprintf(&table, "%s%s: %d", map[bool]string{true: ", "}[i > 0], yes(code), i+1)
		if i%2 == 0 {
			fmt.Fprintf(&set, "%s%s", map[bool]string{true: ", "}[i > 0], yes(code))
		}
		if err := sheet.Write([]string{citizen(0), "王甲", fmt.Sprintf(`N%03d, "a'`, i), code}); err != nil {
			t.Fatal(err)
		}
	}
	sheet.Flush()
	files := map[string]string{
		"codes/odd.yaml": "codes: odd\ntitle: {zh: 怪, en: Odd}\nsource: 测试\nitems:\n" + items.String(),
		"registers/things.yaml": `register: things
title: {zh: 虚构, en: Invented}
owner: {zh: 测试, en: Test}
basis: {zh: 测试, en: a test}
about: person
mode: upsert
key: [no]
complete: true
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: person_name, title: {zh: 姓名, en: Name}, type: person_name, class: personal, required: true}
  - {name: no, title: {zh: 编号, en: No}, type: text, class: cleared, required: true}
  - {name: kind, title: {zh: 类型, en: Kind}, type: code, codes: odd, class: code, required: true}
`,
		"facts/thing.yaml": `subject: thing
title: {zh: 物, en: Thing}
unit: {zh: 件, en: things}
register: things
id: no
facts:
  - {name: thing_no, title: {zh: 编号, en: No}, type: text, take: column, value: no}
  - {name: thing_kind, title: {zh: 类型, en: Kind}, type: code, codes: odd, take: column, value: kind}
  - {name: thing_is_listed, title: {zh: 在表, en: Listed}, type: bool, take: column, value: kind, listed: odd}
  - {name: thing_first, title: {zh: 同类, en: First}, type: text, take: first, register: things, by: no, value: kind, where: "kind == row.kind", match: [person]}
`,
		"policies/table.yaml": strings.Replace(strings.Replace(ruled("table", "thing", "thing_is_listed && thing_first == thing_kind"), "rules:", "parameters:\n  amount_fen: {title: {zh: 标准, en: Amount}, unit: fen, key: odd, values: {2020-01-01: {table: {"+table.String()+"}, by: a}}}\nrules:", 1), `value: "100"`, `value: "p.amount_fen[thing_kind]"`, 1),
		"policies/set.yaml":   strings.Replace(ruled("set", "thing", "thing_kind in p.some"), "rules:", "parameters:\n  some: {title: {zh: 范围, en: Some}, unit: code, codes: odd, values: {2020-01-01: {set: ["+set.String()+"], by: a}}}\nrules:", 1),
	}
	for i, code := range awkward {
		name := fmt.Sprintf("one%02d", i)
		files["policies/"+name+".yaml"] = ruled(name, "thing", "thing_kind == "+fmt.Sprintf("%q", code))
	}
	it, desk := homeOf(t, loaded(t, files))
	deliver(t, desk, "things", "证件号码,姓名,编号,类型\n"+rows.String())
	run := screen(t, it, finding.Request{})
	n := int64(len(awkward))
	for _, c := range run.Policies {
		want := map[string]finding.Count{"table": {Eligible: n, Persons: 1, AmountFen: n * (n + 1) / 2}, "set": {Eligible: (n + 1) / 2, Ineligible: n / 2, NearMiss: n / 2, Persons: 1, AmountFen: (n + 1) / 2 * 100}}[c.Policy]
		if strings.HasPrefix(c.Policy, "one") {
			want = finding.Count{Eligible: 1, Ineligible: n - 1, NearMiss: n - 1, Persons: 1, AmountFen: 100}
		}
		if want.Policy = c.Policy; c != want {
			t.Errorf("found %+v, want %+v", c, want)
		}
	}
	for _, r := range all(t, it) {
		var i int
		if _, err := fmt.Sscanf(r["subject"], "N%03d", &i); err != nil {
			t.Fatal(r, err)
		}
		if name, one := strings.CutPrefix(r["policy"], "one"); one && (r["outcome"] == "eligible") != (name == fmt.Sprintf("%02d", i)) || r["policy"] == "table" && r["amount_fen"] != fmt.Sprint(i+1) {
			t.Errorf("%s of %q: %s for %s", r["policy"], awkward[i], r["outcome"], r["amount_fen"])
		}
	}

	for where, spoil := range map[string]struct{ file, was, is string }{
		"a code":        {"codes/odd.yaml", "- {code: '--'", `- {code: "a\0b"`},
		"a code's word": {"codes/odd.yaml", "zh: '怪--'", `zh: "怪\x00"`},
		"a raw byte":    {"codes/odd.yaml", "zh: '怪--'", "zh: '怪\x00'"},
		"a table's key": {"policies/table.yaml", "'--': 7", `"--\u0000": 7`},
		"a set":         {"policies/set.yaml", "set: [", `set: ["it's\U00000000", `},
		"a rule":        {"policies/one06.yaml", `"--"`, `"--\u0000"`},
		"a register":    {"registers/things.yaml", "owner: {zh: 测试", `owner: {zh: "测试\0"`},
		"a fact":        {"facts/thing.yaml", `"kind == row.kind"`, `"kind == row.kind\0"`},
		"a constant":    {"pack.yaml", "division:", "constants: {odd: \"a\\0\"}\ndivision:"},
		"an anchor":     {"policies/set.yaml", "{from: 2020-01-01, by: a}", `{from: 2020-01-01, by: "a\0"}`},
	} {
		fsys := over(files)
		text := string(fsys[spoil.file].Data)
		if !strings.Contains(text, spoil.was) {
			t.Errorf("%s: no %q to spoil", where, spoil.was)
			continue
		}
		fsys[spoil.file] = &fstest.MapFile{Data: []byte(strings.Replace(text, spoil.was, spoil.is, 1))}
		_, err := pack.Load(fsys, packs.Files)
		var ms fault.Mistakes
		if !errors.As(err, &ms) || !slices.ContainsFunc(ms, func(m fault.Mistake) bool { return strings.Contains(m.Message, "NUL") && m.Line > 0 }) {
			t.Errorf("%s with a NUL byte: %v", where, err)
		}
	}
}
