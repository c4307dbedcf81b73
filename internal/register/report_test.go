package register

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"bole/internal/pack"
)

// town is a pack of two registers, one of which refers to the other.
func town(t *testing.T) *pack.Pack {
	t.Helper()
	register := func(head, columns string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(head + `
title: {zh: 册, en: Register}
owner: {zh: 局, en: Bureau}
basis: {zh: 测试, en: a test}
` + columns)}
	}
	return loaded(t, fstest.MapFS{
		"pack.yaml": {Data: []byte("pack: town\ntitle: {zh: 镇, en: Town}\ndivision: \"371500\"\n")},
		"registers/bodies.yaml": register("register: bodies", `about: employer
mode: upsert
key: [code]
columns:
  - {name: code, title: {zh: 备案码, en: Code}, type: number, class: code, required: true}
  - {name: filed_day, title: {zh: 备案日期, en: Filed}, type: day, class: day, required: true}
  - {name: cancelled_day, title: {zh: 注销日期, en: Cancelled}, type: day, class: day}
`),
		"registers/papers.yaml": register("register: papers", `about: person
mode: replace_all
key: [no]
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: other_number, title: {zh: 其他证件号码, en: Other number}, type: id_number, class: alias}
  - {name: spouse, title: {zh: 配偶证件号码, en: Spouse}, type: id_number, class: holder}
  - {name: phone, title: {zh: 电话, en: Phone}, type: phone, class: personal}
  - {name: no, title: {zh: 编号, en: No}, type: number, class: keyed, required: true}
  - {name: body, title: {zh: 机构, en: Body}, type: number, class: code}
  - {name: issued_day, title: {zh: 日期, en: Issued}, type: day, class: day, required: true}
refers:
  - {id: filed, title: {zh: 机构已备案, en: the body was filed}, register: bodies, column: body, to: code,
     where: "filed_day <= row.issued_day && value_or(cancelled_day > row.issued_day, true)"}
`),
		"facts/person.yaml": {Data: []byte("subject: person\ntitle: {zh: 个人, en: Person}\nunit: {zh: 人, en: persons}\nfacts:\n  - {name: has_paper, title: {zh: 有证, en: Has a paper}, type: bool, take: exists, register: papers}\n")},
	})
}

// papers is a delivery of n papers; line changes one.
func papers(n int, line func(i int, fields []string)) string {
	var b strings.Builder
	b.WriteString("证件号码,其他证件号码,配偶证件号码,电话,编号,机构,日期\n")
	for i := range n {
		fields := []string{citizen("371502", "19900101", i+1), "", "", "10012345678", fmt.Sprintf("P%03d", i), "B1", "2024-03-01"}
		if line != nil {
			line(i, fields)
		}
		if fields != nil && fields[4] != "" {
			b.WriteString(strings.Join(fields, ",") + "\n")
		}
	}
	return b.String()
}

func keysOf(doubts []Doubt) (out []string) {
	for _, d := range doubts {
		out = append(out, strings.TrimPrefix(d.Key, "register.doubt_"))
	}
	slices.Sort(out)
	return out
}

func TestReportSaysWhatWasSeen(t *testing.T) {
	o := newOffice(t, town(t))
	rep := o.take("papers", "1.csv", papers(60, func(i int, f []string) {
		if i%3 == 0 {
			f[3] = "" // a third have no phone
		}
		if i == 7 {
			f[3] = "不详"
		}
	}), "2024-04-01")
	if rep.New != 60 || rep.Changed != 0 || rep.Ended != 0 || rep.Phones != 1 || rep.Unmatched[0].Of != 0 || len(rep.Doubts) != 0 {
		t.Errorf("the first delivery: %+v", rep)
	}
	if i := slices.IndexFunc(rep.Nulls, func(s Share) bool { return s.Column == "phone" }); i < 0 || rep.Nulls[i] != (Share{"phone", 20, 60}) {
		t.Errorf("empty fields %+v", rep.Nulls)
	}
	o.take("bodies", "b.csv", "备案码,备案日期,注销日期\nB1,2024-01-01,\nB2,2024-01-01,2024-02-01\nB3,2024-03-02,\nB4,2024-03-01,2024-03-02\n", "2024-04-02")

	// The next one: a new row, a changed one, two that ended, one that stands in the file twice, and bodies that were not filed on the day.
	rep = o.take("papers", "2.csv", papers(61, func(i int, f []string) {
		switch {
		case i == 5 || i == 6:
			f[4] = ""
		case i == 10:
			f[6] = "2024-03-05"
		case i >= 20 && i < 24:
			f[5] = []string{"B2", "B3", "B4", "B9"}[i-20] // only B4's filing held on that day
		case i == 30:
			f[5] = ""
		}
		if i%3 == 0 {
			f[3] = ""
		}
		if i == 7 {
			f[3] = "不详"
		}
	})+strings.Join([]string{citizen("371502", "19900101", 1), "", "", "", "P000", "B1", "2024-03-01"}, ",")+"\n", "2024-05-01")
	if rep.New != 1 || rep.Changed != 6 || rep.Ended != 2 || rep.Repeated != 1 {
		t.Errorf("%d new, %d changed, %d ended, %d repeated", rep.New, rep.Changed, rep.Ended, rep.Repeated)
	}
	if u := rep.Unmatched[0]; u.Refer != "filed" || u.Rows != 3 || u.Of != 58 {
		t.Errorf("unmatched %+v", u)
	}
	if len(rep.Doubts) != 0 {
		t.Errorf("doubts %v", rep.Doubts)
	}

	// A third fewer, most of the references without an answer, a column that says nothing any more, and an older cut-off.
	path := o.write("3.csv", papers(30, func(i int, f []string) { f[3], f[5] = "", "B7" }))
	rep, err := o.Load(t.Context(), Delivery{Register: "papers", Path: path, Received: 20240601, At: time.Unix(1, 0), Cutoff: 20240101})
	if err != nil {
		t.Fatal(err)
	}
	if got := keysOf(rep.Doubts); !slices.Equal(got, []string{"empty", "ended", "fewer", "unmatched"}) {
		t.Errorf("doubts %v", got)
	}
	if rep = o.take("papers", "4.csv", papers(30, func(i int, f []string) {
		if i%5 == 0 {
			f[6] = "2024-02-30"
		}
	}), "2024-07-01"); !slices.Contains(keysOf(rep.Doubts), "rejects") {
		t.Errorf("doubts %v", keysOf(rep.Doubts))
	}

	// It was written down, and holds nobody.
	reports, err := o.Reports(t.Context(), "papers", 10)
	if err != nil || len(reports) != 4 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	if reports[2].Changed != 6 || reports[2].Delivery != 3 || reports[0].Quarantined != 6 {
		t.Errorf("reports %+v", reports)
	}
	text, err := json.Marshal(reports)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), citizen("371502", "19900101", 1)) || strings.Contains(string(text), "10012345678") {
		t.Error("a report holds personal data")
	}
}

// Numbers of other people become holders, other numbers of the same person join him, and two citizens are never joined.
func TestWhoIsWho(t *testing.T) {
	o := newOffice(t, town(t))
	a, b, c := citizen("371502", "19900101", 1), citizen("371502", "19900101", 2), citizen("371581", "19700101", 3)
	card := "CAN110081080302"
	head := "证件号码,其他证件号码,配偶证件号码,电话,编号,机构,日期\n"
	rep := o.take("papers", "1.csv", head+a+",,"+c+",,P1,,2024-03-01\n"+card+",,,,P2,,2024-03-01\n"+b+","+card+",,,P3,,2024-03-01\n", "2024-04-01")
	if rep.Accepted != 3 {
		t.Fatalf("%s", told(rep))
	}
	if got := o.rows("papers", "holder spouse", ""); got != "1 2\n3 -\n4 -" {
		t.Errorf("holders and spouses:\n%s", got)
	}
	if got := o.persons(""); got != "1=1 2=2 3=3 4=3" {
		t.Errorf("who is who: %s", got)
	}
	// Later a paper says that two citizens are one: the paper is taken, and the pair waits.
	rep = o.take("papers", "2.csv", head+a+","+b+",,,P1,,2024-03-01\n", "2024-05-01")
	if got := told(rep); got != "1 accepted 0 quarantined 0 unchanged" || rep.Unjoined != 1 {
		t.Errorf("two citizens: %s, %d unjoined", got, rep.Unjoined)
	}
	if pairs, err := o.Pairs(t.Context(), ""); err != nil || len(pairs) != 1 || pairs[0] != (Pair{1, 4, "papers", 20240501}) {
		t.Errorf("pairs %v, %v", pairs, err)
	}
	if got := o.persons(""); got != "1=1 2=2 3=3 4=3" {
		t.Errorf("who is who afterwards: %s", got)
	}
	// The map of an earlier day knew less.
	d := citizen("371502", "19800101", 9)
	o.take("papers", "3.csv", head+d+",,,,P9,,2024-03-01\nUSA110081080302,,,,P8,,2024-03-01\n", "2024-06-01")
	o.take("papers", "4.csv", head+d+",USA110081080302,,,P9,,2024-03-01\nUSA110081080302,,,,P8,,2024-03-01\n", "2024-07-01")
	if now, june := o.persons(""), o.persons("2024-06-15"); now != "1=1 2=2 3=3 4=3 5=5 6=5" || june != "1=1 2=2 3=3 4=3 5=5 6=6" {
		t.Errorf("now %s, in June %s", now, june)
	}
}

// A register that keeps people says of a former number whose it was, also of a citizen's; and is not believed when it keeps both as people.
func TestFormerNumbers(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	old, now, other := citizen("372522", "19900101", 1), citizen("371502", "19900101", 2), citizen("371502", "19900101", 3)
	head := "公民身份号码,曾用证件号码,姓名,性别,出生日期\n"
	certs := "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n" + old + ",王甲,S1,6-18-01-01,三级,2024-03-01,有效\n"
	o.take("skill_certificates", "c.csv", certs, "2024-04-01")
	rep := o.take("people", "p.csv", head+now+","+old+",王甲,男,1990-01-01\n"+other+",,李乙,男,1990-01-01\n", "2024-05-01")
	if got := o.persons(""); got != "1=1 2=1 3=3" || rep.Unjoined != 0 {
		t.Errorf("who is who: %s, %d unjoined", got, rep.Unjoined)
	}
	if got := o.persons("2024-04-30"); got != "1=1 2=2 3=3" {
		t.Errorf("in April: %s", got)
	}
	// Two people of the register claim to be one, and a third claims the former number of the first.
	rep = o.take("people", "q.csv", head+now+","+other+",王甲,男,1990-01-01\n"+other+","+old+",李乙,男,1990-01-01\n", "2024-06-01")
	if got := o.persons(""); got != "1=1 2=1 3=3" || rep.Unjoined != 2 || rep.Accepted != 2 {
		t.Errorf("who is who: %s, %d unjoined, %s", got, rep.Unjoined, told(rep))
	}
}
