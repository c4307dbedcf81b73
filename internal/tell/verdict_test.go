package tell

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"bole/internal/calendar"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/packs"
)

const (
	subsidy                = "unemployment-skill-subsidy"
	allowance              = "skilled-living-allowance"
	today     calendar.Day = 20241220
)

// stricter is the shipped pack with an allowance that asks for six months in a row.
func stricter(t testing.TB) *pack.Pack {
	t.Helper()
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		t.Fatal(err)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(sub, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, "_test.yaml") {
			return err
		}
		text, err := fs.ReadFile(sub, name)
		text = []byte(strings.ReplaceAll(string(text), "pension_months_current > 0", "pension_months_current >= 6"))
		files[name] = &fstest.MapFile{Data: text}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(files, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type facts = map[string]any

// with adds to facts, or changes them.
func with(base facts, more facts) facts {
	out := facts{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range more {
		out[k] = v
	}
	return out
}

func TestVerdicts(t *testing.T) {
	p := stricter(t)
	certified := facts{"issued_day": calendar.Day(20240310), "certificate_level": int64(3), "certificate_status": "valid",
		"unemployment_months_total": int64(20), "unemployment_months_current": int64(20), "employer_kind": "enterprise", "draws_unemployment_benefit": false}
	technician := facts{"skill_level_highest": int64(4), "pension_first_day": calendar.Day(20240901), "contract_start_day": calendar.Day(20240901), "employer_kind": "enterprise",
		"works_full_time": true, "contract_term_months": int64(36), "pension_months_current": int64(9)}
	cases := []struct {
		name     string
		policy   string
		facts    facts
		earliest calendar.Day
		rules    map[string]calendar.Day
		needs    []string
		zh, en   string
		notes    string // Chinese, joined
		outcome  string
	}{
		{"eligible until a day", subsidy, certified, 0, nil, nil,
			"符合，可得2,000元，请在2025-03-10前申领", "eligible for CNY 2,000; claim by 10 Mar 2025", "截止日当天仍可申领", "eligible"},
		{"eligible for a month", allowance, technician, 0, nil, nil,
			"符合，每月可得1,000元", "eligible for CNY 1,000 a month", "此次判定的是 2024-12 这一期", "eligible"},
		{"months in all", subsidy, with(certified, facts{"unemployment_months_total": int64(9)}), 20250301, map[string]calendar.Day{"months": 20250301}, nil,
			"累计需12个月，现有9个月，最早2025-03", "needs 12 months in all; has 9; earliest 2025-03", "若按月继续缴费且其他条件不变，2025-03-01 起符合", "near"},
		{"months in a row", allowance, with(technician, facts{"pension_months_current": int64(4)}), 20250201, map[string]calendar.Day{"insured": 20250201}, nil,
			"需连续6个月，现有4个月，最早2025-02", "needs 6 months in a row; has 4; earliest 2025-02", "若按月继续缴费且其他条件不变，2025-02-01 起符合", "near"},
		{"months that can be waited for, and something else that must change", subsidy,
			with(certified, facts{"unemployment_months_total": int64(9), "employer_kind": "government"}), 0, map[string]calendar.Day{"months": 20250301}, []string{"employer_kind"},
			"累计需12个月，现有9个月，最早2025-03", "needs 12 months in all; has 9; earliest 2025-03", "按月继续缴费只能满足这一项|要符合，还需变化或补充：单位类型|另有 1 项条件不满足", "ineligible"},
		{"too late", subsidy, with(certified, facts{"issued_day": calendar.Day(20231101), "unemployment_months_total": int64(9)}), 0, map[string]calendar.Day{"months": 20250301}, nil,
			"已过申领期限，2024-11-01截止", "too late to claim: the last day was 1 Nov 2024", "已成事实，五年内不会因时间或补充数据而符合|另有 1 项条件不满足", "ineligible"},
		{"a condition that could change", allowance, with(technician, facts{"skill_level_highest": int64(3)}), 0, nil, []string{"skill_level_highest"},
			"不满足“技师及以上”；最高技能等级 高级工（三级）", "not met: Technician or above; Highest level of skill senior worker (level 3)", "要符合，还需变化或补充：最高技能等级", "near"},
		{"a fact that nobody told", allowance, with(technician, facts{"contract_term_months": nil}), 0, nil, []string{"contract_term_months"},
			"待核：缺 现劳动合同期限（来自 劳动用工备案）", "to be verified: Term of the present contract (not told by Filed employment contracts)", "缺数据或缺依据，不作否定", "undetermined"},
		{"facts that the same register would tell", allowance, with(technician, facts{"contract_term_months": nil, "works_full_time": nil}), 0, nil, []string{"contract_term_months"},
			"待核：缺 现劳动合同期限、全日制用工（来自 劳动用工备案）", "to be verified: Term of the present contract, Works full-time (not told by Filed employment contracts)", "缺数据或缺依据，不作否定", "undetermined"},
		{"more values than a sentence carries", subsidy, with(certified, facts{"employer_kind": "government"}), 0, nil, []string{"employer_kind"},
			"不满足“企业在职职工，正在参加失业保险”", "not met: Employed by an enterprise and insured against unemployment",
			"本人：正在领取失业保险金 否、单位类型 机关、至今连续缴纳失业保险 20个月|要符合，还需变化或补充：单位类型", "near"},
		{"a gap in the law", subsidy, with(certified, facts{"issued_day": calendar.Day(20210620)}), 0, nil, []string{"law"},
			"待核：2021-06-20 的依据未找到，不作否定", "to be verified: the law of 20 Jun 2021 was not found, which is not a no", "", "undetermined"},
		{"before the law", subsidy, with(certified, facts{"issued_day": calendar.Day(20161231)}), 0, nil, nil,
			"政策当时未施行", "the policy was not in force then", "", "not_in_force"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			pol := policy.New(p, p.Policy(c.policy))
			a, err := pol.Evaluate(func(name string) any { return c.facts[name] }, today, 0)
			if err != nil {
				t.Fatal(err)
			}
			x := finding.Explanation{Policy: pol, Person: 1, Subject: "0123456789", On: today, Answer: a, Facts: c.facts, Earliest: c.earliest, Rules: c.rules, Needs: c.needs}
			zh := New(locale.Zh, p, nil).Verdict(x)
			en := New(locale.En, p, nil).Verdict(x)
			if zh.Sentence != c.zh || en.Sentence != c.en {
				t.Errorf("says\n%s\n%s\nwant\n%s\n%s", zh.Sentence, en.Sentence, c.zh, c.en)
			}
			if got := strings.Join(zh.Notes, "|"); got != c.notes {
				t.Errorf("notes %q, want %q", got, c.notes)
			}
			if zh.Outcome != c.outcome {
				t.Errorf("outcome %s, want %s", zh.Outcome, c.outcome)
			}
		})
	}
}

// A fact that is worked out from others lacks what they lack.
func TestMissingNamesTheRegistersThatAreSilent(t *testing.T) {
	p := stricter(t)
	teller := New(locale.Zh, p, []finding.Source{{Register: p.Register("people"), Received: 20241205, Cutoff: 20241130}, {Register: p.Register("employers"), Received: 20241206}, {Register: p.Register("degrees")}})
	x := finding.Explanation{Policy: policy.New(p, p.Policy(allowance)), Facts: facts{}}
	for name, want := range map[string]string{"age_years": "人口基本信息", "employer_kind": "社会保险月缴费明细"} {
		if got := teller.titles(teller.silent(x, name)); got != want {
			t.Errorf("%s is from %q", name, got)
		}
	}
	for name, want := range map[string]calendar.Day{"people": 20241130, "employers": 20241206, "degrees": 0, "deaths": 0} {
		if got := teller.Told(p.Register(name)); got != want {
			t.Errorf("%s tells of %s", name, got)
		}
	}
}
