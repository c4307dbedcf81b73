package register

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/vault"
)

var (
	wang = citizen("371502", "19900101", 11)
	zhao = citizen("371525", "19850230", 12) // the day does not exist
	li   = citizen("371581", "19920229", 22)
	sun  = citizen("371526", "20000615", 33)
)

const peopleHead = "公民身份号码,姓名,性别,出生日期,联系电话,户籍地行政区划,户籍迁入日期"

// person is a line of the people register.
func person(number, name, birth string) string {
	return number + "," + name + ",男," + birth + ",10012345678,371502,2020-01-01\n"
}

func threePeople() string {
	return peopleHead + "\n" + person(wang, "王甲", "1990-01-01") + person(li, "李乙", "1992-02-29") + person(sun, "孙丙", "2000-06-15")
}

// The same three rows in whatever form an office sends them are the same rows.
func TestFormsOfAFile(t *testing.T) {
	p := liaocheng(t)
	const columns = "sex birth_day hukou_division hukou_day"
	want := "male 1990-01-01 371502 2020-01-01\nmale 1992-02-29 371502 2020-01-01\nmale 2000-06-15 371502 2020-01-01"
	swapped := func(s string) string { // the columns the other way round
		var out strings.Builder
		for line := range strings.Lines(s) {
			f := strings.Split(strings.TrimSuffix(line, "\n"), ",")
			slices.Reverse(f)
			out.WriteString(strings.Join(f, ",") + "\n")
		}
		return out.String()
	}
	base := threePeople()
	for _, tt := range []struct{ name, text string }{
		{"as it is", base},
		{"with a mark", "\ufeff" + base},
		{"GB18030", gb18030(t, base)},
		{"bars", strings.ReplaceAll(base, ",", "|")},
		{"tabs", strings.ReplaceAll(base, ",", "\t")},
		{"semicolons", strings.ReplaceAll(base, ",", ";")},
		{"bars in GB18030", gb18030(t, strings.ReplaceAll(base, ",", "|"))},
		{"lines of Windows", strings.ReplaceAll(base, "\n", "\r\n")},
		{"no last line end", strings.TrimSuffix(base, "\n")},
		{"columns the other way round", swapped(base)},
		{"headings by their names", strings.Replace(base, peopleHead, "id_number,person_name,sex,birth_day,phone,hukou_division,hukou_day", 1)},
		{"headings in English", strings.Replace(base, peopleHead, "ID number,Name,Sex,Day of birth,Phone,Division of household registration,Day of registration there", 1)},
		{"headings by synonyms", strings.Replace(base, peopleHead, "身份证号码,姓名,性别,出生日期,手机号,户籍地,迁入日期", 1)},
		{"blanks and full width", strings.ReplaceAll(strings.ReplaceAll(base, ",", " , "), "371502", "３７１５０２")},
		{"quoted", `"` + strings.ReplaceAll(strings.ReplaceAll(strings.TrimSuffix(base, "\n"), ",", `","`), "\n", "\"\n\"") + `"`},
		{"days otherwise written", strings.NewReplacer("1990-01-01", "19900101", "1992-02-29", "1992年2月29日", "2000-06-15", "2000/6/15").Replace(base)},
		{"words of the code list", strings.ReplaceAll(base, ",男,", ",1,")},
		{"letters small", strings.ReplaceAll(base, "X", "x")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, p)
			if got := told(o.take("people", "a.csv", tt.text, "2024-12-01")); got != "3 accepted 0 quarantined 0 unchanged" {
				t.Errorf("%s", got)
			}
			if got := o.rows("people", columns, ""); got != want {
				t.Errorf("rows:\n%s", got)
			}
			// And after the plain form nothing of it is new.
			before := o.state()
			again := o.take("people", "plain.csv", base, "2024-12-02")
			if again.Unchanged != 3 {
				t.Errorf("the plain form afterwards: %s", told(again))
			}
			if after := o.state(); after.generation != before.generation || after.parquet != before.parquet || after.holders != 3 {
				t.Errorf("from %+v to %+v", before, after)
			}
		})
	}
}

func TestHeadings(t *testing.T) {
	p := liaocheng(t)
	rest := person(wang, "王甲", "1990-01-01")
	for _, tt := range []struct {
		name, text string
		headings   map[string]string
		key        string // of the error; "" for taken
		kind       fault.Kind
	}{
		{"a column that nobody asked for", peopleHead + ",备注\n" + strings.TrimSuffix(rest, "\n") + ",x\n", nil, "", ""},
		{"the sender's own heading", strings.Replace(peopleHead, "姓名", "XM", 1) + "\n" + rest, map[string]string{"xm": "person_name"}, "", ""},
		{"the sender's heading and none to map it", strings.Replace(peopleHead, "姓名", "XM", 1) + "\n" + rest, nil, "register.column_missing", fault.Invalid},
		{"a map to nowhere", peopleHead + "\n" + rest, map[string]string{"xm": "nom"}, "register.map_unknown", fault.Invalid},
		{"a column twice", strings.Replace(peopleHead, "户籍迁入日期", "姓名", 1) + "\n" + rest, nil, "register.column_twice", fault.Invalid},
		{"a column twice by synonyms", strings.Replace(peopleHead, "户籍迁入日期", "person_name", 1) + "\n" + rest, nil, "register.column_twice", fault.Invalid},
		{"headings as a form writes them", "*公民身份号码,姓　名,\"性 别\",\"出生\n日期\",联系电话（手机）,＊户籍地行政区划,户籍迁入日期\n" + rest, nil, "", ""},
		{"no headings at all", rest + rest, nil, "register.no_header", fault.Invalid},
		{"no headings, and a field that happens to be one", wang + ",姓名,男,1990-01-01,,,\n" + rest, nil, "register.no_header", fault.Invalid},
		{"a form about one person", "姓名,王甲,性别,男\n出生日期,1990-01-01,,\n", nil, "register.column_missing", fault.Invalid},
		{"a form that explains one column", "姓名,王甲\n" + rest, nil, "register.no_header", fault.Invalid},
		{"nothing", "", nil, "sheet.no_header", fault.Invalid},
		{"a broken spreadsheet called csv", "PK\x03\x04xxxx", nil, "sheet.workbook_broken", fault.Invalid},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t, p)
			before := o.state()
			rep, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write("a.csv", tt.text), Received: 20241201, At: time.Unix(1, 0), Headings: tt.headings})
			if tt.key == "" {
				if err != nil {
					t.Fatal(err)
				}
				if rep.Accepted != 1 {
					t.Error(told(rep))
				}
				return
			}
			var e *fault.E
			if !errors.As(err, &e) || e.Key != tt.key || fault.KindOf(err) != tt.kind {
				t.Fatalf("error %v, want %s", err, tt.key)
			}
			if said := fmt.Sprint(err, e.Args); strings.Contains(said, wang) || strings.Contains(said, "王甲") {
				t.Errorf("the error names somebody: %s", said)
			}
			if after := o.state(); after != before {
				t.Errorf("it left something: %+v", after)
			}
			if got := told(o.take("people", "b.csv", threePeople(), "2024-12-02")); got != "3 accepted 0 quarantined 0 unchanged" {
				t.Errorf("afterwards a sound file: %s", got)
			}
		})
	}
	o := newOffice(t, p)
	rep, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write("a.csv", peopleHead+",备注,\n"+strings.TrimSuffix(rest, "\n")+",x,y\n"), Received: 20241201, At: time.Unix(1, 0)})
	if err != nil || !slices.Equal(rep.Ignored, []string{"备注", ""}) {
		t.Errorf("ignored %q, %v", rep.Ignored, err)
	}
	for _, in := range []Delivery{{Register: "peeple"}, {Register: "people", Path: filepath.Join(o.dir, "none.csv")}} {
		if _, err := o.Load(t.Context(), in); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s %s: %v, want NotFound", in.Register, in.Path, err)
		}
	}
}

func TestSameBytesChangeNothing(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	first := o.take("people", "a.csv", threePeople()+"371502,坏,,,,,\n", "2024-12-01")
	before := o.state()
	for _, name := range []string{"a.csv", "renamed.txt"} {
		again := o.take("people", name, threePeople()+"371502,坏,,,,,\n", "2025-01-01")
		if !again.Again || again.Delivery != first.Delivery || again.Quarantined != 0 || again.Unchanged != 4 || again.Rows != 4 {
			t.Errorf("%s: %+v", name, again)
		}
	}
	if after := o.state(); after != before {
		t.Errorf("from %+v to %+v", before, after)
	}
	// The same bytes in another register are another delivery.
	if rep := o.take("unemployment_benefits", "b.csv", "证件号码,姓名,领取起始月,领取终止月\n", "2024-12-01"); rep.Again || rep.Rows != 0 {
		t.Errorf("an empty file: %+v", rep)
	}
	if rep := o.take("skill_certificates", "b.csv", "证件号码,姓名,领取起始月,领取终止月,证书编号,职业编码,等级,发证日期,状态\n", "2024-12-01"); rep.Again {
		t.Error("an empty file of another register counts as delivered before")
	}
}

func TestSameRowsAreUnchanged(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("people", "a.csv", threePeople(), "2024-12-01")
	before := o.state()
	lines := strings.Split(strings.TrimSuffix(threePeople(), "\n"), "\n")
	slices.Reverse(lines[1:])
	for name, text := range map[string]string{
		"order.csv": strings.Join(lines, "\n"),
		"bars.csv":  strings.ReplaceAll(threePeople(), ",", "|"),
		"gb.csv":    gb18030(t, threePeople()),
		"fewer.csv": strings.Join(lines[:2], "\n"),
	} {
		rep := o.take("people", name, text, "2024-12-05")
		if rep.Accepted != 0 || rep.Quarantined != 0 || rep.Unchanged != rep.Rows || rep.Again {
			t.Errorf("%s: %s", name, told(rep))
		}
	}
	if after := o.state(); after.generation != before.generation || after.parquet != before.parquet || after.holders != before.holders || after.deliveries != before.deliveries+4 {
		t.Errorf("from %+v to %+v", before, after)
	}
}

func TestUpsertWritesOnlyWhatIsNew(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("people", "a.csv", threePeople(), "2024-12-01")
	changed := strings.Replace(threePeople(), "371502,2020-01-01\n"+li, "371525,2024-11-30\n"+li, 1)
	if got := told(o.take("people", "b.csv", changed, "2024-12-10")); got != "1 accepted 0 quarantined 2 unchanged" {
		t.Error(got)
	}
	if got, want := o.rows("people", "hukou_division birth_day", ""), "371502 1992-02-29\n371502 2000-06-15\n371525 1990-01-01"; got != want {
		t.Errorf("now:\n%s", got)
	}
	if got, want := o.rows("people", "hukou_division birth_day", "2024-12-09"), "371502 1990-01-01\n371502 1992-02-29\n371502 2000-06-15"; got != want {
		t.Errorf("as of the day before:\n%s", got)
	}
	// Back to what it was: that is news too.
	if got := told(o.take("people", "c.csv", threePeople()+"\n", "2024-12-11")); got != "1 accepted 0 quarantined 2 unchanged" {
		t.Error(got)
	}
	// A name alone is in no lake file; the row is new all the same and the vault has the new name.
	if got := told(o.take("people", "d.csv", strings.Replace(threePeople(), "王甲", "王贾", 1), "2024-12-12")); got != "1 accepted 0 quarantined 2 unchanged" {
		t.Error(got)
	}
	rec, err := o.Vault.Unseal(t.Context(), 1)
	if want := (vault.Record{Number: wang, Name: "王贾", Phone: "10012345678"}); err != nil || rec != want {
		t.Errorf("the vault has %v, %v", rec == want, err)
	}
}

// A delivery that is loaded late tells what was known on the day it was received, and does not stand over later ones.
func TestLateDelivery(t *testing.T) {
	certs := func(rows ...string) string {
		return "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n" + strings.Join(rows, "\n") + "\n"
	}
	cert := func(no, status string) string {
		return wang + ",王甲," + no + ",6-18-01-01,三级,2024-03-01," + status
	}
	o := newOffice(t, liaocheng(t))
	o.take("skill_certificates", "november.csv", certs(cert("S1", "注销"), cert("S2", "有效")), "2024-11-05")
	rep := o.take("skill_certificates", "september.csv", certs(cert("S1", "有效"), cert("S2", "有效")), "2024-09-05")
	if rep.Accepted != 2 {
		t.Errorf("the late delivery: %s", told(rep))
	}
	for asOf, want := range map[string]string{"": "cancelled\nvalid", "2024-10-31": "valid\nvalid", "2024-09-04": "nothing"} {
		if got := o.rows("skill_certificates", "status", asOf); got != want {
			t.Errorf("as of %q: %q, want %q", asOf, got, want)
		}
	}
}

const contributionsHead = "社会保障号码|姓名|统一社会信用代码|险种|费款所属期|缴费基数|缴费类型|到账标志|到账日期\n"

const firm = "91371500MA3C0DEF0X"

// month is a line of the contributions register.
func month(number, name, month, base string) string {
	return strings.Join([]string{number, name, firm, "110", month, base, "10", "1", month[:4] + "-" + month[4:] + "-20"}, "|") + "\n"
}

func TestReplaceMonth(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("contributions", "2024-01.csv", contributionsHead+month(wang, "王甲", "202401", "5000")+month(li, "李乙", "202401", "6000"), "2024-02-10")
	o.take("contributions", "2024-02.csv", contributionsHead+month(wang, "王甲", "202402", "5000")+month(li, "李乙", "202402", "6000"), "2024-03-10")
	check := func(asOf, want string) {
		t.Helper()
		if got := o.rows("contributions", "month base_fen", asOf); got != want {
			t.Errorf("as of %q:\n%s", asOf, got)
		}
	}
	// Corrected: one base is another.
	if got := told(o.take("contributions", "2024-02b.csv", contributionsHead+month(wang, "王甲", "202402", "5100")+month(li, "李乙", "202402", "6000"), "2024-04-10")); got != "1 accepted 0 quarantined 1 unchanged" {
		t.Error(got)
	}
	check("", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 510000\n2024-02-01 600000")
	check("2024-04-09", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 500000\n2024-02-01 600000")
	// Corrected: a row has gone, and nothing is new.
	if got := told(o.take("contributions", "2024-02c.csv", contributionsHead+month(li, "李乙", "202402", "6000"), "2024-05-10")); got != "0 accepted 0 quarantined 1 unchanged" {
		t.Error(got)
	}
	check("", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 600000")
	check("2024-05-09", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 510000\n2024-02-01 600000")
	// A file of two months, one of them as before.
	before := o.state()
	o.take("contributions", "both.csv", contributionsHead+month(li, "李乙", "202402", "6000")+month(li, "李乙", "202401", "6000")+month(wang, "王甲", "202401", "5000"), "2024-06-10")
	if after := o.state(); after.generation != before.generation {
		t.Error("a file with the same rows of both months made a generation")
	}
	// A month whose only row was refused is not replaced by nothing.
	o.take("contributions", "refused.csv", contributionsHead+month(li, "", "202401", "1")+month(wang, "王甲", "202403", "5000")+month(li, "李乙", "202403", "6000")+month(li, "李乙", "202403", "6001"), "2024-07-10")
	check("", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 600000\n2024-03-01 500000")
	// A delivery of an earlier day that comes late changes what was known then, and not what is known now.
	o.take("contributions", "late.csv", contributionsHead+month(wang, "王甲", "202401", "1"), "2024-02-09")
	check("", "2024-01-01 500000\n2024-01-01 600000\n2024-02-01 600000\n2024-03-01 500000")
	check("2024-02-09", "2024-01-01 100")
}

func TestAppendAndReplaceAll(t *testing.T) {
	for mode, want := range map[string]string{"append": "A 1\nA 2\nB 1\nC 3", "replace_all": "A 2\nC 3"} {
		o := list(t, mode)
		o.take("visits", "1.csv", "no,n\nA,1\nB,1\n", "2024-01-01")
		o.take("visits", "2.csv", "no,n\nA,2\nC,3\n", "2024-02-01")
		before := o.state()
		o.take("visits", "3.csv", "no|n\nC|3\nA|2\n", "2024-03-01")
		if after := o.state(); after.generation != before.generation {
			t.Errorf("%s: the same rows made a generation", mode)
		}
		if got := o.rows("visits", "no n", ""); got != want {
			t.Errorf("%s:\n%s", mode, got)
		}
		if got := o.rows("visits", "no n", "2024-01-31"); got != "A 1\nB 1" {
			t.Errorf("%s as of January:\n%s", mode, got)
		}
	}
}

func TestOneHolderForBothFormsOfANumber(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("people", "a.csv", threePeople(), "2024-12-01")
	short := wang[:6] + wang[8:17]
	rep := o.take("skill_certificates", "b.csv", "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n"+short+",王甲,S1,6-18-01-01,三级,2024-03-01,有效\n", "2024-12-01")
	if rep.Accepted != 1 {
		t.Fatal(told(rep))
	}
	if s := o.state(); s.holders != 3 {
		t.Errorf("%d holders, want 3", s.holders)
	}
	if got := told(o.take("people", "c.csv", strings.Replace(threePeople(), wang, short, 1), "2024-12-02")); got != "0 accepted 0 quarantined 3 unchanged" {
		t.Errorf("the people with a short number: %s", got)
	}
}

// The file of a delivery is there as it came, and only the keys find it.
func TestOriginalIsKept(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	text := gb18030(t, threePeople())
	rep := o.take("people", "a.csv", text, "2024-12-01")
	r, err := o.Original(t.Context(), rep.Delivery)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err = errors.Join(err, r.Close()); err != nil || string(b) != text {
		t.Errorf("%d bytes of %d, %v", len(b), len(text), err)
	}
	if _, err := o.Original(t.Context(), 99); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a delivery that is none: %v", err)
	}
}

// The same row twice counts once. Rows that contradict each other under one key wait, all of them: nobody can tell which is right.
func TestDuplicatesInOneFile(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	rep := o.take("people", "a.csv", threePeople()+person(wang, "王甲", "1990-01-01")+person(wang, "王甲", "1990-01-02")+person(li, "李乙", "1992-02-29"), "2024-12-01")
	if got := told(rep); got != "2 accepted 2 quarantined 2 unchanged" || rep.Repeated != 2 || rep.Duplicates != 2 {
		t.Errorf("%s, %d repeated, %d contradict", got, rep.Repeated, rep.Duplicates)
	}
	k := o.keptRejects(rep.Delivery)
	if len(k) != 2 || k[0].Line != 2 || k[1].Line != 6 || k[0].Fields[3] != "1990-01-01" || k[1].Fields[3] != "1990-01-02" {
		t.Errorf("kept %+v", k)
	}
	if got := o.rows("people", "birth_day", ""); got != "1992-02-29\n2000-06-15" {
		t.Errorf("the register has %s", got)
	}
}

// A file that broke off on its way, and one with a line of sums below.
func TestCutFileAndTotalLine(t *testing.T) {
	text := threePeople()
	for cut := len(peopleHead) + 1; cut < len(text); cut += 7 {
		o := newOffice(t, liaocheng(t))
		rep := o.take("people", "cut.csv", text[:cut], "2024-12-01")
		whole := int64(strings.Count(text[len(peopleHead)+1:cut], "\n"))
		if rep.Accepted < whole || rep.Rows > whole+1 {
			t.Errorf("cut after %d bytes: %s of %d whole rows", cut, told(rep), whole)
		}
		if cut > 3*len(text)/4 {
			break // a few are enough, each is a home
		}
		cut += 40
	}
	o := newOffice(t, liaocheng(t))
	rep := o.take("people", "total.csv", threePeople()+"合计,3人,,,,,\n", "2024-12-01")
	if got := told(rep); got != "3 accepted 0 quarantined 0 unchanged" || rep.Passed != 1 || rep.Rows != 3 {
		t.Errorf("%s, passed over %d lines", got, rep.Passed)
	}
	for i, line := range []string{"制表人：王芳,,审核人：李强,,,,", "备注:由系统导出,,,,,,", "共 3 条,,,,,,", "填表日期：2024-12-01", "注：一式两份,,,,,,\n部门负责人：,赵某,,,,,"} {
		rep := o.take("people", fmt.Sprintf("foot%d.csv", i), threePeople()+line+"\n", "2024-12-01")
		if got := told(rep); got != "0 accepted 0 quarantined 3 unchanged" {
			t.Errorf("below the list %s: %s", line, got)
		}
	}
	// A row that has all it needs is no sum, whatever it begins with.
	rep = o.take("employers", "e.csv", "单位名称,统一社会信用代码,单位类型\n合计科技有限公司,"+firm+",企业\n总 计,,\n", "2024-12-01")
	if got := told(rep); got != "1 accepted 0 quarantined 0 unchanged" || rep.Passed != 1 {
		t.Errorf("%s, passed over %d lines", got, rep.Passed)
	}
}

// When a load is stopped nothing of it is kept: no holder, no file, no row, no lease.
func TestInterruptedLoad(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	o.take("employers", "e.csv", "统一社会信用代码,单位名称,单位类型\n"+firm+",聊城机床,企业\n", "2024-12-01")
	before := o.state()
	var b strings.Builder
	b.WriteString(peopleHead + "\n")
	for i := range 45000 {
		if i%10 == 0 {
			b.WriteString("371502,错,,,,,\n")
			continue
		}
		b.WriteString(person(citizen("371502", fmt.Sprintf("19%02d%02d01", i/1000+10, i/100%10+1), i%1000), "张三", "1970-01-01"))
	}
	path := o.write("big.csv", b.String())
	for _, at := range []int64{20000, 40000} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := o.Load(ctx, Delivery{Register: "people", Path: path, Received: 20241202, At: time.Unix(1, 0), Progress: func(n int64) {
			if n == at {
				cancel()
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped at %d: %v", at, err)
		}
		if after := o.state(); after != before {
			t.Errorf("stopped at %d, from %+v to %+v", at, before, after)
		}
	}
	start := time.Now()
	if rep := o.take("people", "small.csv", threePeople(), "2024-12-03"); rep.Accepted != 3 || rep.Delivery != 2 {
		t.Errorf("the next one: delivery %d, %s", rep.Delivery, told(rep))
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("the next one waited %s for the lease", d)
	}
	if s := o.state(); s.holders != 3 {
		t.Errorf("%d holders", s.holders)
	}
}

// Two clerks at two desks: nobody's number is given to two holders, and the same file counts once.
func TestTwoDesksAtOnce(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	var paths []string
	for i := range 4 {
		var b strings.Builder
		b.WriteString(peopleHead + "\n")
		for j := range 30 { // half of them in the file before as well
			b.WriteString(person(citizen("371502", "19800101", (15*i+j)%1000), "张三", "1980-01-01"))
		}
		paths = append(paths, o.write(fmt.Sprintf("%d.csv", i), b.String()))
	}
	var all sync.WaitGroup
	agains := make([]int, 2)
	for d := range 2 {
		desk := &Desk{Pack: o.Pack, Store: o.Store, Lake: o.Lake, Vault: o.Vault, Files: o.Files}
		all.Go(func() {
			for _, p := range paths {
				rep, err := desk.Load(t.Context(), Delivery{Register: "people", Path: p, Received: 20241201, At: time.Unix(1, 0)})
				if err != nil {
					t.Errorf("%s: %v", filepath.Base(p), err)
				}
				if rep.Again {
					agains[d]++
				}
			}
		})
	}
	all.Wait()
	s := o.state()
	if s.deliveries != 4 || s.holders != 75 || agains[0]+agains[1] != 4 {
		t.Errorf("%+v, again %v", s, agains)
	}
	if got := strings.Count(o.rows("people", "holder", ""), "\n") + 1; got != 75 {
		t.Errorf("%d rows", got)
	}
}

// What lies in the home is its owner's alone.
func TestModes(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	book := &Rejects{Path: filepath.Join(o.dir, "rejects.xlsx")}
	if _, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write("a.csv", threePeople()+zhao+",赵丁,男,1985-02-28,,,\n"), Received: calendar.MustParse("2024-12-01"), At: time.Unix(1, 0), Rejects: book}); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lake", "files", "tmp", "keys"} {
		if info, err := os.Stat(filepath.Join(o.dir, name)); err != nil || info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if info, err := os.Stat(book.Path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the workbook: %v, %v", info.Mode(), err)
	}
}
