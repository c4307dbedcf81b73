package tell

import (
	"fmt"
	"io/fs"
	"path"
	"strings"
	"testing"
	"unicode"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/packs"
)

// told are deliveries of every register of a pack, but for those named.
func told(p *pack.Pack, never ...string) (out []finding.Source) {
	for _, r := range p.Registers {
		s := finding.Source{Register: r, Received: 20241205, Cutoff: 20241130}
		for _, n := range never {
			if r.Name == n {
				s = finding.Source{Register: r}
			}
		}
		out = append(out, s)
	}
	return out
}

func explain(t *testing.T, p *pack.Pack, name string, given facts, x finding.Explanation) finding.Explanation {
	t.Helper()
	pol := policy.New(p, p.Policy(name))
	a, err := pol.Evaluate(func(name string) any { return given[name] }, today, 0)
	if err != nil {
		t.Fatal(err)
	}
	x.Policy, x.Person, x.Subject, x.On, x.Answer, x.Facts = pol, 1, "0123456789", today, a, given
	return x
}

var (
	certified = facts{"issued_day": calendar.Day(20240310), "certificate_level": int64(3), "certificate_status": "valid",
		"unemployment_months_total": int64(20), "unemployment_months_current": int64(20), "employer_kind": "enterprise", "draws_unemployment_benefit": false}
	technician = facts{"skill_level_highest": int64(4), "pension_first_day": calendar.Day(20240901), "contract_start_day": calendar.Day(20240901), "employer_kind": "enterprise",
		"works_full_time": true, "contract_term_months": int64(36), "pension_months_current": int64(9)}
)

func TestRulesInSentences(t *testing.T) {
	p := stricter(t)
	cases := []struct {
		name   string
		policy string
		facts  facts
		x      finding.Explanation // days and needs
		rule   string
		zh, en string
	}{
		{"met, by a number of the law", subsidy, certified, finding.Explanation{}, "months",
			"依据“人社部发〔2017〕40号”，“累计缴纳失业保险费达到规定月数”一项满足。据社会保险月缴费明细（截至2024-11-30），累计缴纳失业保险为20个月。“人社部发〔2024〕40号”要求累计缴纳失业保险不少于12个月。",
			"By “MOHRSS 2017 No. 40”, the condition “Enough months of unemployment insurance in all” is met. According to Monthly social insurance contributions (as of 30 Nov 2024): Months of unemployment insurance in all: 20 months. “MOHRSS 2024 No. 40” asks for this: Months of unemployment insurance in all at least 12 months."},
		{"not met, and from which day it would be", subsidy, with(certified, facts{"unemployment_months_total": int64(9)}), finding.Explanation{Rules: map[string]calendar.Day{"months": 20250301}}, "months",
			"依据“人社部发〔2017〕40号”，“累计缴纳失业保险费达到规定月数”一项不满足。据社会保险月缴费明细（截至2024-11-30），累计缴纳失业保险为9个月。“人社部发〔2024〕40号”要求累计缴纳失业保险不少于12个月。若按月继续缴费且其他条件不变，2025-03-01起满足。",
			"By “MOHRSS 2017 No. 40”, the condition “Enough months of unemployment insurance in all” is not met. According to Monthly social insurance contributions (as of 30 Nov 2024): Months of unemployment insurance in all: 9 months. “MOHRSS 2024 No. 40” asks for this: Months of unemployment insurance in all at least 12 months. If contributions go on and nothing else changes, it is met from 1 Mar 2025."},
		{"not met, but by months that no delivery tells of yet", subsidy, with(certified, facts{"unemployment_months_total": int64(11)}), finding.Explanation{Rules: map[string]calendar.Day{"months": today}}, "months",
			"依据“人社部发〔2017〕40号”，“累计缴纳失业保险费达到规定月数”一项不满足。据社会保险月缴费明细（截至2024-11-30），累计缴纳失业保险为11个月。“人社部发〔2024〕40号”要求累计缴纳失业保险不少于12个月。近月缴费尚未入册，入册后即满足。",
			"By “MOHRSS 2017 No. 40”, the condition “Enough months of unemployment insurance in all” is not met. According to Monthly social insurance contributions (as of 30 Nov 2024): Months of unemployment insurance in all: 11 months. “MOHRSS 2024 No. 40” asks for this: Months of unemployment insurance in all at least 12 months. It is met as soon as the contributions of the last months are told."},
		{"not met, and nothing helps", subsidy, with(certified, facts{"certificate_level": int64(6)}), finding.Explanation{}, "level",
			"依据“补贴标准”，“证书等级为五级、四级或三级”一项不满足。据技能证书信息（截至2024-11-30），证书等级为特级技师。这一项已成事实，五年内不会因时间或补充数据而满足。",
			"By “Amounts”, the condition “The certificate is of level 5, 4 or 3” is not met. According to Skill certificates (as of 30 Nov 2024): Level of the certificate: special-grade technician. This is settled: neither time nor more data would change it within five years."},
		{"not met, and what would have to change", allowance, with(technician, facts{"employer_kind": "government"}), finding.Explanation{Needs: []string{"employer_kind"}}, "enterprise",
			"依据“条件”，“在企业全职工作”一项不满足。据社会保险月缴费明细（截至2024-11-30），单位类型为机关。据劳动用工备案，全日制用工：是。要满足这一项，须变化或补充：单位类型。",
			"By “Conditions”, the condition “Works full-time for an enterprise” is not met. According to Monthly social insurance contributions (as of 30 Nov 2024): Kind of employer: government body. According to Filed employment contracts: Works full-time: yes. For it to be met, this would have to change or be told: Kind of employer."},
		{"met by an exception", subsidy, with(certified, facts{"employer_kind": "government", "draws_unemployment_benefit": true}), finding.Explanation{}, "insured",
			"依据“人社部发〔2017〕40号”，“企业在职职工，正在参加失业保险”一项满足。按例外情形满足：“正在领取失业保险金”（人社部发〔2022〕23号）。据失业保险金发放（截至2024-11-30），正在领取失业保险金：是。据社会保险月缴费明细（截至2024-11-30），单位类型为机关；至今连续缴纳失业保险为20个月。“人社部发〔2017〕40号”要求至今连续缴纳失业保险不少于1个月。“人社部发〔2024〕40号”规定的领取失业保险金人员可以申领：是。",
			"By “MOHRSS 2017 No. 40”, the condition “Employed by an enterprise and insured against unemployment” is met. It is met by an exception: “Draws unemployment benefit” (MOHRSS 2022 No. 23). According to Unemployment benefits paid (as of 30 Nov 2024): Draws unemployment benefit: yes. According to Monthly social insurance contributions (as of 30 Nov 2024): Kind of employer: government body; Months of unemployment insurance in a row to date: 20 months. “MOHRSS 2017 No. 40” asks for this: Months of unemployment insurance in a row to date at least 1 month. Set by “MOHRSS 2024 No. 40”: Those drawing unemployment benefit may claim, yes."},
		{"not told, by a register that was delivered", subsidy, with(certified, facts{"certificate_status": nil}), finding.Explanation{}, "valid",
			"依据“联网查询”，“证书联网可查且有效”一项还不能判定。缺证书状态，应由技能证书信息提供。",
			"By “Network query”, the condition “The certificate is found by network query and valid” cannot be told yet. Not told: State of the certificate; to be told by Skill certificates."},
		{"not told, for the register never came", allowance, with(technician, facts{"contract_term_months": nil}), finding.Explanation{}, "contract",
			"依据“条件”，“劳动合同期限3年以上”一项还不能判定。“条件”要求现劳动合同期限不少于36个月。缺现劳动合同期限，劳动用工备案尚未收到。",
			"By “Conditions”, the condition “A contract of three years or more” cannot be told yet. “Conditions” asks for this: Term of the present contract at least 36 months. Not told: Term of the present contract; nothing was received yet of Filed employment contracts."},
		{"not told, and the form asks it", allowance, with(technician, facts{"works_full_time": nil}), finding.Explanation{}, "enterprise",
			"依据“条件”，“在企业全职工作”一项还不能判定。据社会保险月缴费明细（截至2024-11-30），单位类型为企业。缺全日制用工，劳动用工备案尚未收到。也可由本人填写“是否全职在该企业工作”（劳动合同备案未写明工作方式的，只有单位和本人知道）。",
			"By “Conditions”, the condition “Works full-time for an enterprise” cannot be told yet. According to Monthly social insurance contributions (as of 30 Nov 2024): Kind of employer: enterprise. Not told: Works full-time; nothing was received yet of Filed employment contracts. The form asks it as well: Whether the work for the enterprise is full-time (Where the filed contract does not say, only the employer and the person know)."},
		{"the time for claiming", subsidy, certified, finding.Explanation{}, "window",
			"依据“申领期限”，“在申领期限内”一项满足。据技能证书信息（截至2024-11-30），证书核发日期为2024-03-10。“申领期限”规定的申领期限：12个月。申领截止日为2025-03-10，当天仍可申领。",
			"By “Time for claiming”, the condition “Within the time for claiming” is met. According to Skill certificates (as of 30 Nov 2024): Day of issue: 2024-03-10. Set by “Time for claiming”: Time for claiming, 12 months. The last day for claiming is 10 Mar 2025, that day included."},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := explain(t, p, c.policy, c.facts, c.x)
			for _, check := range Conditions(x) {
				if check.ID != c.rule {
					continue
				}
				zh, en := New(locale.Zh, p, told(p, "employment_contracts")).Rule(x, check), New(locale.En, p, told(p, "employment_contracts")).Rule(x, check)
				if zh != c.zh || en != c.en {
					t.Errorf("says\n%s\n%s\nwant\n%s\n%s", zh, en, c.zh, c.en)
				}
				return
			}
			t.Error("no such rule")
		})
	}
}

func TestOtherClaimsInSentences(t *testing.T) {
	p := stricter(t)
	pol := p.Policy(subsidy)
	limit := pol.Limits[1] // a higher level of an occupation
	cases := []struct {
		name    string
		outcome string
		limit   *pack.Limit
		wins    string
		zh, en  string
	}{
		{"another row of the same person wins", "limited", limit, subsidy + " P-0000-000 9876543210 once",
			"条件都满足，但“同一职业（工种）高等级优先于低等级”（%s），已有失业保险技能提升补贴，P-0000-000，技能证书 98765432，本项不再发放。",
			"The conditions are met, but by “A higher level of an occupation excludes a lower one” (%s) another claim comes first: Skill-upgrading subsidy from unemployment insurance, P-0000-000, Skill certificate 98765432."},
		{"no claim is named", "limited", limit, "",
			"条件都满足，但受“同一职业（工种）高等级优先于低等级”（%s）限制，本项不发放。",
			"The conditions are met, but by “A higher level of an occupation excludes a lower one” (%s) nothing is paid."},
		{"a limit that is not named", "limited", nil, "", "另一项已占用。", "Limited."},
		{"paid before", "settled", nil, "", "失业保险技能提升补贴已经核定或发放，不再重复发放。", "Decided or paid already, and not paid again: Skill-upgrading subsidy from unemployment insurance."},
		{"an amount that is cut", "eligible", limit, "",
			"符合，可得2,000元，请在2025-03-10前申领。截止日当天仍可申领。金额已按“同一职业（工种）高等级优先于低等级”（%s）计算。",
			"Eligible for CNY 2,000; claim by 10 Mar 2025. The last day is included. The amount is what “A higher level of an occupation excludes a lower one” (%s) leaves."},
		{"a limit that cannot be told", "undetermined", nil, "", "待核：缺 职业编码（来自 技能证书信息）。条件都满足，但是否与其他补贴冲突还不能判定。缺数据或缺依据，不作否定。",
			"To be verified: Occupation code (not told by Skill certificates). The conditions are met; whether another claim stands in the way cannot be told yet. Data or law is missing, which is never a no."},
	}
	article, _ := pol.Law.Find(limit.By.Text)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			x := explain(t, p, subsidy, certified, finding.Explanation{Entitled: true, Limit: c.limit, Wins: c.wins})
			if x.Answer.Outcome = c.outcome; c.outcome == "undetermined" {
				x.Answer.Missing = []string{"occupation"}
			}
			for lang, want := range map[locale.Lang]string{locale.Zh: c.zh, locale.En: c.en} {
				if strings.Contains(want, "%") {
					want = fmt.Sprintf(want, article.HeadingIn(string(lang)))
				}
				if got := New(lang, p, told(p)).Says(x); got != want {
					t.Errorf("says\n%s\nwant\n%s", got, want)
				}
			}
		})
	}
}

// Every situation that the shipped policies are tested with is told, in each language without a word of the other one.
func TestEverySituationIsTold(t *testing.T) {
	dirs, err := fs.Glob(packs.Files, "reference/*/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lines := 0
	for _, dir := range append(dirs, "liaocheng/pack.yaml") {
		sub, err := fs.Sub(packs.Files, path.Dir(dir))
		if err != nil {
			t.Fatal(err)
		}
		p, err := pack.Load(sub, packs.Files)
		if err != nil {
			t.Fatal(err)
		}
		zh, en := New(locale.Zh, p, told(p, "employers")), New(locale.En, p, told(p, "employers"))
		for _, pol := range policy.All(p) {
			own := latinIn(p, pol)
			for _, test := range pol.Tests {
				xs, err := finding.Judge(pol, 1, "", []fact.Row{{Person: 1, Subject: "0123456789", Values: test.Values}}, test.On)
				if err != nil {
					t.Fatal(err)
				}
				for _, x := range xs {
					for _, line := range zh.Lines(x) {
						lines++
						if strings.ContainsAny(line, "{}") || strings.Contains(line, "tell.") || !strings.HasSuffix(line, "。") {
							t.Fatalf("%s, %s: %s", pol.Name, test.Name, line)
						}
						for _, w := range strings.FieldsFunc(line, func(r rune) bool { return r > unicode.MaxASCII || !unicode.IsLetter(r) }) {
							if len(w) > 1 && !strings.Contains(own, w) {
								t.Fatalf("%s, %s: %q in: %s", pol.Name, test.Name, w, line)
							}
						}
					}
					for _, line := range en.Lines(x) {
						if strings.ContainsAny(line, "{}") || strings.Contains(line, "tell.") || !strings.HasSuffix(line, ".") {
							t.Fatalf("%s, %s: %s", pol.Name, test.Name, line)
						}
						for _, quoted := range articlesOf(pol) { // a heading without a translation is shown as it is
							line = strings.ReplaceAll(line, quoted, "")
						}
						if i := strings.IndexFunc(line, func(r rune) bool { return unicode.Is(unicode.Han, r) }); i >= 0 {
							t.Fatalf("%s, %s: Chinese in: %s", pol.Name, test.Name, line)
						}
					}
				}
			}
		}
	}
	if lines < 5000 {
		t.Errorf("only %d lines were read", lines)
	}
}

func articlesOf(pol *policy.Policy) (out []string) {
	for _, a := range pol.Law.Articles {
		out = append(out, a.Heading)
	}
	return out
}

// latinIn is the pack's own Chinese words, in which a foreign name may stand.
func latinIn(p *pack.Pack, pol *policy.Policy) string {
	var b strings.Builder
	for _, s := range p.Subjects {
		b.WriteString(s.Title.Zh + "\n")
		for _, f := range s.Facts {
			b.WriteString(f.Title.Zh + "\n")
		}
	}
	for _, c := range pol.Checks {
		b.WriteString(c.Title.Zh + "\n")
	}
	for _, l := range p.Codes {
		for _, it := range l.Items {
			b.WriteString(it.Zh + "\n")
		}
	}
	return b.String() + strings.Join(articlesOf(pol), "\n")
}

func BenchmarkExplain(b *testing.B) {
	p := stricter(b)
	teller := New(locale.Zh, p, told(p))
	for name, given := range map[string]facts{subsidy: with(certified, facts{"unemployment_months_total": int64(9)}), allowance: technician} {
		pol := policy.New(p, p.Policy(name))
		rows := []fact.Row{{Person: 1, Subject: "0123456789", Values: given}}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				xs, err := finding.Judge(pol, 1, "", rows, today)
				if err != nil || len(teller.Lines(xs[0])) < 5 {
					b.Fatal(err)
				}
			}
		})
	}
}
