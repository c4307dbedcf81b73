package finding_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/packs"
)

// hiring is the pack of an invented subsidy of which the subject is what an employer did, and the payee the employer.
func hiring(t *testing.T) (*pack.Pack, *policy.Policy) {
	t.Helper()
	p, err := pack.Load(os.DirFS("testdata/hiring"), packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	pol := policy.All(p)[0]
	if pol.Subject.Name != "hire" || pol.Payee.Text != "employer" || !strings.Contains(pol.Title.Zh, "虚构") || !strings.Contains(pol.Law.Intro, "虚构") {
		t.Errorf("%s is about a %s, for the %s: %s", pol.Name, pol.Subject.Name, pol.Payee.Text, pol.Title.Zh)
	}
	return p, pol
}

func TestHiringSubsidy(t *testing.T) {
	p, pol := hiring(t)
	rep, err := finding.Test(t.Context(), p)
	if err != nil || len(rep.Failures) > 0 || rep.Passed != len(pol.Tests) || rep.Passed < 50 {
		t.Errorf("%d of %d passed, %v\n%s", rep.Passed, len(pol.Tests), err, strings.Join(rep.Failures, "\n"))
	}
}

// Every contract of a city is a hire, and the screening says of each what the evaluator of one says.
func TestHiringSubsidyScreensTheTown(t *testing.T) {
	p, pol := hiring(t)
	it := &town{p, theTown(t).lake}
	rows := map[string]map[string]string{}
	for _, r := range all(t, it) {
		rows[r["subject"]] = r
	}
	s, conn := it.connect(t)
	if err := fact.Derive(t.Context(), conn, s, p, fact.Request{Wants: []fact.Want{{Subject: pol.Subject, Names: pol.FactNames()}}, Days: []calendar.Day{day}}); err != nil {
		t.Fatal(err)
	}
	facts, err := fact.Rows(t.Context(), conn, pol.Subject, "")
	if err != nil || len(facts) != len(rows) {
		t.Fatalf("%d hires, %d findings, %v", len(facts), len(rows), err)
	}
	seen := map[string]int{}
	for _, f := range facts {
		a, err := pol.Evaluate(f.Fact, day, 0)
		if err != nil {
			t.Fatal(err)
		}
		amount := ""
		if a.Outcome == "eligible" {
			amount = strconv.FormatInt(a.AmountFen, 10)
		}
		if r := rows[f.Subject]; r["outcome"] != a.Outcome || r["failed"] != strings.Join(a.Failed, " ") || r["amount_fen"] != amount {
			t.Errorf("%s: screened %s %s %s, evaluated %+v", f.Subject, r["outcome"], r["failed"], r["amount_fen"], a)
		}
		seen[a.Outcome]++
	}
	for _, o := range []string{"eligible", "ineligible", "undetermined", "not_in_force"} {
		if seen[o] == 0 {
			t.Errorf("no hire of the town is %s: the test is blind there", o)
		}
	}
	run := screen(t, it, finding.Request{})
	if c := run.Policies[0]; c.Eligible != int64(seen["eligible"]) || c.Persons < 1 || c.AmountFen < 100_000*c.Eligible {
		t.Errorf("%+v of %v", c, seen)
	}
}

// Three employers and an agency, and hires whose outcome was worked out by hand from the articles.
const (
	machines = "91371500MA3C0DEF0X" // 聊城机床, an enterprise
	bearings = "91371500MA3C9999XX" // another
	agency   = "91330100MA27X4A30A" // which dispatches
	nobody   = "91371500MA3C0ABC1T" // in no register of employers
)

func TestHiringSubsidyByHand(t *testing.T) {
	p, _ := hiring(t)
	it, desk := homeOf(t, p)
	deliver(t, desk, "employers", fmt.Sprintf("统一社会信用代码,单位名称,单位类型,严重违法失信,劳务派遣\n%s,聊城机床,企业,否,否\n%s,聊城轴承,企业,否,否\n%s,某派遣,企业,否,是\n", machines, bearings, agency))
	degrees, contracts, months, want := "证件号码,姓名,层次,学习形式,毕业日期,学历证书编号,学位证书编号\n", "证件号码,姓名,统一社会信用代码,合同编号,合同类型,用工形式,起始日期,终止日期\n",
		"社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费类型,到账标志\n", []string{}
	who := -1
	hire := func(uscc, from, to, outcome string) {
		contracts += fmt.Sprintf("%s,王甲,%s,HT%d,固定期限,全日制,%s,%s\n", citizen(who), uscc, strings.Count(contracts, "\n"), from, to)
		want = append(want, "graduate-hiring-subsidy "+outcome)
	}
	graduate := func(level, graduated, degree string) {
		who++
		degrees += fmt.Sprintf("%s,王甲,%s,全日制,%s,D%d,%s\n", citizen(who), level, graduated, who, degree)
	}
	insured := func(uscc, kind string, from, to calendar.Month) {
		for m := from; m <= to; m = m.Add(1) {
			months += fmt.Sprintf("%s,王甲,%s,%s,%s,正常,是\n", citizen(who), uscc, kind, m)
		}
	}

	// A bachelor hired a day after graduation, with July to December from the employer: six months, both ends included. Article "amounts" of 2024.
	graduate("本科", "2024-06-30", "X1")
	insured(machines, "职工养老", 202407, 202412)
	hire(machines, "2024-07-01", "2027-06-30", "2024-07-01 eligible 200000")
	// Thirty-six months to the day after graduation; one of the six months is the other employer's.
	graduate("硕士", "2021-07-01", "X2")
	insured(machines, "失业", 202407, 202411)
	insured(bearings, "失业", 202412, 202412)
	hire(machines, "2024-07-01", "2025-06-30", "2024-07-01 ineligible  insured")
	// The same with all six, of either kind: what two kinds tell of one month is one month.
	graduate("硕士", "2021-07-01", "X3")
	insured(machines, "失业", 202407, 202411)
	insured(machines, "职工养老", 202408, 202412)
	hire(machines, "2024-07-01", "2025-06-30", "2024-07-01 eligible 300000")
	// A term of two months before graduation: no degree yet, and too short. The second contract with the same employer is no new hire.
	graduate("专科", "2024-06-30", "X4")
	insured(machines, "职工养老", 202407, 202412)
	hire(machines, "2023-07-01", "2023-08-31", "2022-07-01 ineligible  term")
	hire(machines, "2024-07-01", "2027-06-30", "2024-07-01 ineligible  new")
	// Hired in the half-year whose text is not known.
	graduate("博士", "2023-06-30", "X5")
	insured(machines, "职工养老", 202403, 202412)
	hire(machines, "2024-03-01", "2027-02-28", "undetermined   law")
	// A diploma without a degree certificate: the register does not tell of a full degree.
	graduate("本科", "2024-06-30", "")
	insured(machines, "职工养老", 202407, 202412)
	hire(machines, "2024-07-01", "2027-06-30", "2024-07-01 undetermined   degree_level_at_hire")
	// An agency, whose dispatched worker has everything else.
	graduate("本科", "2024-06-30", "X7")
	insured(agency, "职工养老", 202407, 202412)
	hire(agency, "2024-07-01", "2027-06-30", "2024-07-01 ineligible  no-agency")
	// An employer of whom no register tells.
	graduate("本科", "2024-06-30", "X8")
	insured(nobody, "职工养老", 202407, 202412)
	hire(nobody, "2024-07-01", "2027-06-30", "2024-07-01 undetermined   hire_employer_dispatches hire_employer_is_dishonest hire_employer_kind")
	// Hired under the first text, 24 months to the day after graduation, with nine days left to claim on 20 December.
	graduate("本科", "2021-06-29", "X9")
	insured(machines, "职工养老", 202307, 202312)
	hire(machines, "2023-06-29", "2025-06-28", "2022-07-01 eligible 150000")
	// Eighteen months were over the day before.
	graduate("本科", "2022-06-30", "X10")
	insured(machines, "职工养老", 202307, 202312)
	hire(machines, "2023-06-19", "2025-06-18", "2022-07-01 ineligible  window")
	// Before the first text; and one that begins after the day asked about, which is no hire yet.
	graduate("本科", "2022-06-20", "X11")
	hire(machines, "2022-06-30", "2025-06-29", "not_in_force")
	hire(machines, "2024-12-21", "2027-12-20", "")
	want = want[:len(want)-1]

	deliver(t, desk, "degrees", degrees)
	deliver(t, desk, "employment_contracts", contracts)
	deliver(t, desk, "contributions", months)
	got, run := found(t, it, 20241220)
	for i, w := range want { // no version, no number before the outcome
		want[i] = strings.Replace(strings.Replace(w, "subsidy undetermined   law", "subsidy  undetermined   law", 1), "subsidy not_in_force", "subsidy  not_in_force", 1)
	}
	expect(t, got, want...)
	if c := run.Policies[0]; c.Eligible != 3 || c.AmountFen != 200_000+300_000+150_000 || c.Persons != 3 {
		t.Errorf("%+v", c)
	}
	// The last day to claim, and the day after.
	for on, eligible := range map[calendar.Day]bool{20241229: true, 20241230: false} {
		got, _ := found(t, it, on)
		if slices.Contains(got, "graduate-hiring-subsidy 2022-07-01 eligible 150000") != eligible {
			t.Errorf("on %s: %v", on, got)
		}
	}
}
