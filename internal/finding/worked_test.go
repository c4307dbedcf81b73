package finding_test

import (
	"fmt"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/register"
)

// The worked examples of the dossier (6b), from delivered rows to findings: its numbers and days, through the desk, the spells and the facts. What a
// policy says of such facts stands, by the same numbers, beside the policies in packs/reference. Others stand with the limits between claims.

// example is a home of a reference pack with one person in it: a graduate of whom contributions are told month by month.
type example struct {
	*town
	t      *testing.T
	desk   *register.Desk
	months strings.Builder
}

func newExample(t *testing.T, city string) *example {
	t.Helper()
	it, desk := homeOf(t, cities(t)["reference/"+city])
	return &example{town: it, t: t, desk: desk}
}

// graduate delivers the person and the degree.
func (x *example) graduate(level, day string) {
	x.t.Helper()
	deliverOn(x.t, x.desk, "people", fmt.Sprintf("证件号码,姓名,出生日期\n%s,王甲,1998-05-05\n", citizen(0)), 20220101)
	deliverOn(x.t, x.desk, "degrees", fmt.Sprintf("证件号码,姓名,层次,学习形式,毕业日期,学历证书编号,学位证书编号\n%s,王甲,%s,全日制,%s,D1,X1\n", citizen(0), level, day), 20251231)
	deliverOn(x.t, x.desk, "employers", fmt.Sprintf("统一社会信用代码,单位名称,单位类型\n%s,甲厂,企业\n%s,乙厂,企业\n", machines, bearings), 20220101)
}

// insured notes months of pension insurance in the city, as "正常" or another kind of payment with the day on which it came.
func (x *example) insured(uscc string, from, to calendar.Month, kind, posted string) {
	for m := from; m <= to; m = m.Add(1) {
		fmt.Fprintf(&x.months, "%s,王甲,%s,职工养老,%s,%s,是,%s,%s\n", citizen(0), uscc, m, kind, posted, x.pack.Division)
	}
}

// delivered delivers the months that were noted.
func (x *example) delivered(received calendar.Day) {
	x.t.Helper()
	deliverOn(x.t, x.desk, "contributions", "社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费类型,到账标志,到账日期,参保地行政区划\n"+x.months.String(), received)
	x.months.Reset()
	if err := fact.Net(x.t.Context(), x.lake, x.pack); err != nil {
		x.t.Fatal(err)
	}
}

// holds compares facts of the person on a day.
func (x *example) holds(on calendar.Day, want map[string]any) {
	x.t.Helper()
	s, err := x.lake.Read(x.t.Context(), 0)
	if err != nil {
		x.t.Fatal(err)
	}
	defer s.Close()
	conn, err := s.Conn(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	defer conn.Close()
	person := x.pack.Subject("person")
	w := fact.Want{Subject: person}
	for name := range want {
		w.Names = append(w.Names, name)
	}
	if err := fact.Derive(x.t.Context(), conn, s, x.pack, fact.Request{Wants: []fact.Want{w}, Days: []calendar.Day{on}}); err != nil {
		x.t.Fatal(err)
	}
	rows, err := fact.Rows(x.t.Context(), conn, person, "")
	if err != nil || len(rows) != 1 {
		x.t.Fatal(len(rows), err)
	}
	for name, v := range want {
		if got := rows[0].Values[name]; got != v {
			x.t.Errorf("on %s %s is %v, want %v", on, name, got, v)
		}
	}
}

// pays compares what a policy awards on a day, however many findings it comes in.
func (x *example) pays(policy string, on calendar.Day, fen int64) {
	x.t.Helper()
	run, err := finding.Screen(x.t.Context(), x.lake, x.pack, finding.Request{On: on, Policies: []string{policy}})
	if err != nil {
		x.t.Fatal(err)
	}
	var got int64
	for _, c := range run.Policies {
		got += c.AmountFen
	}
	if got != fen {
		x.t.Errorf("on %s %s awards %d fen, want %d", on, policy, got, fen)
	}
}

// open reports whether some finding of a policy on a day is open for no other reason than that its amount was not found.
func (x *example) open(policy string, on calendar.Day) bool {
	x.t.Helper()
	got, _ := found(x.t, x.town, on)
	for _, f := range got {
		if strings.HasPrefix(f, policy+" ") && strings.HasSuffix(f, " undetermined   law") {
			return true
		}
	}
	return false
}

// 1. Hangzhou, a master, contributions for January to May 2026, June paid back later, July to December: the longest run that is not paid back is 6
// at the end of 2026, which earns the first half, 15,000; the second half is earned in June 2027 at the earliest.
func TestWorkedExample1AMonthPaidBackBreaksTheRun(t *testing.T) {
	x := newExample(t, "hangzhou")
	x.graduate("硕士", "2025-06-30")
	x.insured(machines, 202601, 202605, "正常", "")
	x.insured(machines, 202606, 202606, "补缴", "2026-08-20")
	x.insured(machines, 202607, 202612, "正常", "")
	x.delivered(20261231)
	first := calendar.MustParse("2026-01-01")
	x.holds(20261130, map[string]any{"graduate_months_longest": int64(5)})
	x.holds(20261231, map[string]any{"graduate_months_longest": int64(6), "graduate_first_day": first})
	x.pays("graduate-living-allowance", 20261130, 0)
	x.pays("graduate-living-allowance", 20261231, 15_000_00)
	x.insured(machines, 202701, 202706, "正常", "")
	x.delivered(20270630)
	x.holds(20270531, map[string]any{"graduate_months_longest": int64(11)})
	x.holds(20270630, map[string]any{"graduate_months_longest": int64(12)})
	x.pays("graduate-living-allowance", 20270531, 15_000_00)
	x.pays("graduate-living-allowance", 20270630, 30_000_00)
}

// 2. The same, but June was collected again after a failed debit, inside three months: the run is 12 and both halves are payable at the end of 2026.
func TestWorkedExample2AMonthCollectedAgainKeepsTheRun(t *testing.T) {
	for posted, months := range map[string]int64{"2026-07-01": 12, "2026-09-30": 12, "2026-10-01": 6} { // the last is in the fourth month
		x := newExample(t, "hangzhou")
		x.graduate("硕士", "2025-06-30")
		x.insured(machines, 202601, 202605, "正常", "")
		x.insured(machines, 202606, 202606, "补扣", posted)
		x.insured(machines, 202607, 202612, "正常", "")
		x.delivered(20261231)
		x.holds(20261231, map[string]any{"graduate_months_longest": months})
		x.pays("graduate-living-allowance", 20261231, map[int64]int64{12: 30_000_00, 6: 15_000_00}[months])
	}
}

// 3. Weihai, 5 and 7 months with two employers: 12 in all, so the first claim stands; the second needs 24 by its own cut-off.
func TestWorkedExample3MonthsWithTwoEmployersAddUp(t *testing.T) {
	const policy = "graduate-living-allowance"
	x := newExample(t, "weihai")
	x.graduate("本科", "2020-06-30")
	x.insured(machines, 202208, 202212, "正常", "") // five, then four months without work
	x.insured(bearings, 202305, 202310, "正常", "") // and six of seven
	x.delivered(20231101)
	x.holds(20231215, map[string]any{"city_pension_months_total": int64(11), "city_first_insured_day": calendar.MustParse("2022-08-01")})
	if x.open(policy, 20231215) {
		t.Error("eleven months meet the first claim")
	}
	x.insured(bearings, 202311, 202311, "正常", "")
	x.insured(machines, 202311, 202311, "正常", "") // both paid for November: one month
	x.delivered(20231205)
	x.holds(20231215, map[string]any{"city_pension_months_total": int64(12), "employer_kind": "enterprise"})
	if !x.open(policy, 20231215) {
		t.Error("twelve months do not meet the first claim")
	}
	// The second claim, by the cut-off of 2024: 23 months do not reach what two years ask for, 24 do.
	x.insured(bearings, 202401, 202411, "正常", "")
	x.delivered(20241205)
	x.holds(20241215, map[string]any{"city_pension_months_total": int64(23)})
	x.insured(bearings, 202312, 202312, "补缴", "2024-12-10")
	x.delivered(20241211)
	x.holds(20241215, map[string]any{"city_pension_months_total": int64(24)})
}

// 4. Yantai, first contribution in March 2022. Twelve months to February 2023 are one period, unclaimed; in May 2026 it is inside five years, which
// end with February 2027, and so are the periods that followed, three at most; in April 2027 all are waived.
func TestWorkedExample4PeriodsAreWaivedAfterFiveYears(t *testing.T) {
	const policy = "living-allowance"
	x := newExample(t, "yantai")
	x.graduate("本科", "2021-06-30")
	x.insured(machines, 202203, 202301, "正常", "")
	x.delivered(20230201)
	x.holds(20230131, map[string]any{"city_pension_months_total": int64(11)})
	if x.open(policy, 20230228) {
		t.Error("eleven months are a period")
	}
	x.insured(machines, 202302, 202302, "正常", "")
	x.delivered(20230301)
	first := calendar.MustParse("2022-03-01")
	x.holds(20230228, map[string]any{"city_pension_months_total": int64(12), "city_first_insured_day": first})
	x.insured(machines, 202303, 202502, "正常", "")
	x.delivered(20250301)
	x.holds(20240228, map[string]any{"city_pension_months_total": int64(24)})
	x.holds(20260531, map[string]any{"city_pension_months_total": int64(36), "city_first_insured_day": first}) // three periods of twelve
	for on, may := range map[calendar.Day]bool{20230228: true, 20260531: true, 20270228: true, 20270301: false, 20270401: false, 20270430: false} {
		if got := x.open(policy, on); got != may {
			t.Errorf("on %s a period may be claimed: %v, want %v", on, got, may)
		}
	}
}

// resident gives a valid number of a division and a day of birth.
func resident(division, born string, seq int) string {
	s := fmt.Sprintf("%s%s%03d", division, born, seq)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

// 13. A number that begins with 372523 is of somebody born in 1985 in what was 莘县 then, and not in 茌平; one that begins with 371523 is of somebody born
// in 2021, when that code had been retired. Both are people as any other: the number's division is looked up nowhere, and where somebody is
// registered is the register's word.
func TestWorkedExample13ANumberOutlivesItsDivision(t *testing.T) {
	it, desk := homeOf(t, loaded(t, map[string]string{
		"policies/shenxian.yaml": ruled("shenxian", "person", `hukou_division == "371522"`),
		"policies/chiping.yaml":  ruled("chiping", "person", `hukou_division in ["371523", "371503"]`),
	}))
	old, retired := resident("372523", "19850607", 12), resident("371523", "20210315", 34)
	deliver(t, desk, "people", "证件号码,姓名,出生日期,户籍地行政区划\n"+old+",王甲,1985-06-07,371522\n"+retired+",李乙,2021-03-15,371503\n")
	deliver(t, desk, "skill_certificates", "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n"+old+",王甲,S1,6-18-01-01,三级,2024-03-01,有效\n")
	got, run := found(t, it, 20241220)
	expect(t, got, "shenxian 2020-01-01 eligible 100", "shenxian 2020-01-01 ineligible  r1", "chiping 2020-01-01 eligible 100", "chiping 2020-01-01 ineligible  r1")
	if run.People != 2 {
		t.Errorf("%d people", run.People)
	}
}

// 14. GB/T 4754: 3451 is the making of bearings by the edition of 2011 and of rolling bearings by that of 2017, 3452 of gears and of plain bearings. A
// policy for makers of bearings asks which edition a code is of; where nobody says, the answer is open, unless no edition would make a difference.
func TestWorkedExample14ACodeIsOfItsEdition(t *testing.T) {
	text := strings.Replace(ruled("bearings", "person", `employer_industry_edition == "2017" && employer_industry in p.of_2017 || employer_industry_edition == "2011" && employer_industry in p.of_2011`),
		"rules:", `parameters:
  of_2017: {title: {zh: 轴承制造（2017年版）, en: Bearings by the edition of 2017}, unit: code, values: {2020-01-01: {set: ["3451", "3452"], by: a}}}
  of_2011: {title: {zh: 轴承制造（2011年版）, en: Bearings by the edition of 2011}, unit: code, values: {2020-01-01: {set: ["3451"], by: a}}}
rules:`, 1)
	it, desk := homeOf(t, loaded(t, map[string]string{"policies/bearings.yaml": text}))
	employers, months, people := "统一社会信用代码,单位名称,单位类型,行业代码,行业分类版本\n", "社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费类型,到账标志\n", "证件号码,姓名,出生日期\n"
	filed := []struct{ code, edition, outcome string }{
		{"3451", "2017年版", "2020-01-01 eligible 100"},
		{"3451", "2011年版", "2020-01-01 eligible 100"},
		{"3452", "2017年版", "2020-01-01 eligible 100"},
		{"3452", "2011年版", "2020-01-01 ineligible  r1"},
		{"3451", "", "2020-01-01 undetermined   employer_industry_edition"},
		{"3452", "", "2020-01-01 undetermined   employer_industry_edition"},
		{"3459", "", "2020-01-01 ineligible  r1"},
	}
	var want []string
	for i, f := range filed {
		uscc := fmt.Sprintf("91371500MA3C%04dXX", i)
		employers += fmt.Sprintf("%s,轴承%d厂,企业,%s,%s\n", uscc, i, f.code, f.edition)
		months += fmt.Sprintf("%s,王甲,%s,职工养老,2024-11,正常,是\n", citizen(i), uscc)
		people += fmt.Sprintf("%s,王甲,1990-01-01\n", citizen(i))
		want = append(want, "bearings "+f.outcome)
	}
	deliver(t, desk, "employers", employers)
	deliver(t, desk, "contributions", months)
	deliver(t, desk, "people", people)
	got, _ := found(t, it, 20241220)
	expect(t, got, want...)
}
