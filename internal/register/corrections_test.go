package register

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/sheet"
	"github.com/xuri/excelize/v2"
)

// handBack is the workbook of what waits in a register.
func (o *office) handBack(register string) string {
	o.t.Helper()
	book := &Rejects{Path: filepath.Join(o.dir, fmt.Sprintf("waiting-%d.xlsx", o.count("files")))}
	_, _, err := o.Waiting(o.t.Context(), register, book)
	if err = errors.Join(err, book.Close()); err != nil {
		o.t.Fatal(err)
	}
	return book.Path
}

// mend changes cells of a workbook, old → new, as its sender would, and gives the path of what he sends.
func (o *office) mend(path string, cells ...string) string {
	o.t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		o.t.Fatal(err)
	}
	defer f.Close()
	replacer, seen := map[string]string{}, map[string]bool{}
	for i := 0; i < len(cells); i += 2 {
		replacer[cells[i]] = cells[i+1]
	}
	for _, name := range f.GetSheetList() {
		rows, err := f.GetRows(name)
		if err != nil {
			o.t.Fatal(err)
		}
		for i, row := range rows {
			for j := len(rejectHeads); j < len(row); j++ {
				to, ok := replacer[row[j]]
				if i == 0 || !ok {
					continue
				}
				seen[row[j]] = true
				at, _ := excelize.CoordinatesToCellName(j+1, i+1)
				if err := f.SetCellStr(name, at, to); err != nil {
					o.t.Fatal(err)
				}
			}
		}
	}
	for from := range replacer {
		if !seen[from] {
			o.t.Fatalf("no cell of the workbook is %q", from)
		}
	}
	out := strings.TrimSuffix(path, ".xlsx") + "-mended.xlsx"
	if err := f.SaveAs(out); err != nil {
		o.t.Fatal(err)
	}
	return out
}

// bring loads a file that lies at a path.
func (o *office) bring(register, path, received string) Report {
	o.t.Helper()
	rep, err := o.Load(o.t.Context(), Delivery{Register: register, Path: path, Received: calendar.MustParse(received), At: time.Unix(1, 0)})
	if err != nil {
		o.t.Fatal(err)
	}
	if rep.Rows != rep.Accepted+rep.Quarantined+rep.Unchanged {
		o.t.Errorf("%d rows are not %s", rep.Rows, told(rep))
	}
	return rep
}

// wait is how many rows of a register wait.
func (o *office) wait(register string) int64 {
	o.t.Helper()
	_, rows, err := o.Waiting(o.t.Context(), register, nil)
	if err != nil {
		o.t.Fatal(err)
	}
	return rows
}

func TestCorrectedWorkbookIsTakenBack(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	faulty := threePeople() + person(zhao[:6]+"198502280"+"12X", "周丁", "1985-02-28") + person(citizen("371502", "19700101", 1), "吴戊", "1970-13-01") + ",无号,男,1990-01-01,,,\n"
	rep := o.take("people", "a.csv", faulty, "2024-12-01")
	if got := told(rep); got != "3 accepted 3 quarantined 0 unchanged" || rep.Waiting != 3 {
		t.Fatalf("%s, %d wait", got, rep.Waiting)
	}
	book := o.handBack("people")

	// One row of three is mended. The others are as they were, and are not put before anybody again.
	first := o.mend(book, "1970-13-01", "1970-01-01")
	rep = o.bring("people", first, "2024-12-05")
	if got := told(rep); got != "1 accepted 0 quarantined 2 unchanged" || rep.Closed != 1 || rep.Waiting != 2 || rep.StillWaiting != 2 {
		t.Errorf("one mended: %s, %d closed, %d wait, %d still", got, rep.Closed, rep.Waiting, rep.StillWaiting)
	}
	if got := o.rows("people", "birth_day", ""); got != "1970-01-01\n1990-01-01\n1992-02-29\n2000-06-15" {
		t.Errorf("the register has\n%s", got)
	}
	if again := o.bring("people", first, "2024-12-06"); !again.Again {
		t.Error("the same workbook was not known again")
	}

	// The same workbook comes again with another row mended: the first is known already.
	second := o.mend(first, zhao[:6]+"198502280"+"12X", citizen("371525", "19850228", 12))
	rep = o.bring("people", second, "2024-12-07")
	if got := told(rep); got != "1 accepted 0 quarantined 2 unchanged" || rep.Closed != 1 || rep.Waiting != 1 {
		t.Errorf("another mended: %s, %d closed, %d wait", got, rep.Closed, rep.Waiting)
	}

	// The last is changed, and still wrong: it waits as it is now, once.
	third := o.mend(second, "无号", "有号")
	rep = o.bring("people", third, "2024-12-08")
	if got := told(rep); got != "0 accepted 1 quarantined 2 unchanged" || rep.Waiting != 1 {
		t.Errorf("still wrong: %s, %d wait", got, rep.Waiting)
	}
	if rows := workbook(t, o.handBack("people"))[0]; len(rows) != 2 || !slices.Contains(rows[1], "有号") {
		t.Errorf("what waits now: %v", rows)
	}

	// Its own workbook closes it.
	rep = o.bring("people", o.mend(o.handBack("people"), "有号", "郑己"), "2024-12-09")
	if rep.Waiting != 1 {
		t.Fatalf("%d wait", rep.Waiting)
	}
	f, err := excelize.OpenFile(o.handBack("people"))
	if err != nil {
		t.Fatal(err)
	}
	name := f.GetSheetList()[0]
	if err := f.SetCellStr(name, "G2", citizen("371502", "19900101", 77)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.dir, "last.xlsx")
	if err := errors.Join(f.SaveAs(path), f.Close()); err != nil {
		t.Fatal(err)
	}
	rep = o.bring("people", path, "2024-12-10")
	if got := told(rep); got != "1 accepted 0 quarantined 0 unchanged" || rep.Waiting != 0 || o.wait("people") != 0 {
		t.Errorf("at last: %s, %d wait", got, rep.Waiting)
	}
}

// A correction of a month adds to that month and does not take its place; it was known from the day it came, and stands under a later delivery of the month.
func TestCorrectionStandsWithItsDelivery(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	head := contributionsHead
	o.take("contributions", "01.csv", head+month(wang, "王甲", "202401", "5000")+month(li, "李乙", "202401", "坏"), "2024-02-10")
	check := func(asOf, want string) {
		t.Helper()
		if got := o.rows("contributions", "month base_fen", asOf); got != want {
			t.Errorf("as of %q:\n%s\nwant\n%s", asOf, got, want)
		}
	}
	check("", "2024-01-01 500000")
	mended := o.mend(o.handBack("contributions"), "坏", "6000")
	if _, err := o.Load(t.Context(), Delivery{Register: "contributions", Path: mended, Received: 20240209, At: time.Unix(1, 0)}); fault.KindOf(err) != fault.Invalid {
		t.Errorf("corrections received before what they correct: %v", err)
	}
	rep := o.bring("contributions", mended, "2024-03-01")
	if got := told(rep); got != "1 accepted 0 quarantined 0 unchanged" || rep.Waiting != 0 {
		t.Errorf("%s, %d wait", got, rep.Waiting)
	}
	check("", "2024-01-01 500000\n2024-01-01 600000")
	check("2024-02-29", "2024-01-01 500000")

	// The month once more, whole: it stands over the first delivery and its correction.
	o.take("contributions", "01b.csv", head+month(wang, "王甲", "202401", "5100"), "2024-04-10")
	check("", "2024-01-01 510000")
	check("2024-04-09", "2024-01-01 500000\n2024-01-01 600000")

	// A correction of the first delivery that comes after that one changes nothing now.
	o.take("contributions", "02.csv", head+month(wang, "王甲", "202402", "5000")+month(li, "李乙", "202402", "坏"), "2024-05-10")
	late := o.mend(o.handBack("contributions"), "坏", "6000")
	o.take("contributions", "02b.csv", head+month(wang, "王甲", "202402", "5200"), "2024-06-10")
	if n := o.wait("contributions"); n != 0 {
		t.Errorf("%d rows of an overtaken delivery wait", n)
	}
	o.bring("contributions", late, "2024-07-01")
	check("", "2024-01-01 510000\n2024-02-01 520000")
}

// One workbook has rows of several deliveries: each row goes back to its own.
func TestOneWorkbookForSeveralDeliveries(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	head := "证件号码,姓名,证书编号,职业编码,等级,发证日期,状态\n"
	cert := func(no, day, status string) string {
		return wang + ",王甲," + no + ",6-18-01-01,三级," + day + "," + status + "\n"
	}
	o.take("skill_certificates", "september.csv", head+cert("S1", "2024-03-01", "错一"), "2024-09-05")
	o.take("skill_certificates", "october.csv", head+cert("S1", "2024-03-01", "注销")+cert("S2", "2024-03-01", "错二"), "2024-10-05")
	// The row of September was closed by October's of the same certificate.
	if n := o.wait("skill_certificates"); n != 1 {
		t.Errorf("%d rows wait", n)
	}
	o.take("skill_certificates", "november.csv", head+cert("S3", "2024-03-01", "错三"), "2024-11-05")
	rep := o.bring("skill_certificates", o.mend(o.handBack("skill_certificates"), "错二", "有效", "错三", "有效"), "2024-12-01")
	if got := told(rep); got != "2 accepted 0 quarantined 0 unchanged" || rep.Waiting != 0 {
		t.Errorf("%s, %d wait", got, rep.Waiting)
	}
	var deliveries, corrects int64
	if err := o.Store.QueryRowContext(t.Context(), `SELECT count(*), sum(corrects) FROM register_delivery WHERE corrects > 0`).Scan(&deliveries, &corrects); err != nil {
		t.Fatal(err)
	}
	if deliveries != 2 || corrects != 2+3 {
		t.Errorf("%d deliveries correct, of the numbers %d in sum", deliveries, corrects)
	}
	if got := o.rows("skill_certificates", "status", ""); got != "cancelled\nvalid\nvalid" {
		t.Errorf("rows:\n%s", got)
	}
}

// What a sender corrects of an old delivery does not stand over what he sent since.
func TestOldCorrectionDoesNotOvertake(t *testing.T) {
	for mode, want := range map[string]string{"upsert": "A 1\nB 5\nC 7\nD 9", "replace_all": "A 1\nB 5\nC 7", "append": "A 1\nA 1\nB 2\nB 5\nC 7\nD 9"} {
		t.Run(mode, func(t *testing.T) {
			o := list(t, mode)
			o.take("visits", "1.csv", "号,数\nA,1\nB,二\nD,九\n", "2024-01-01")
			old := o.handBack("visits")
			o.take("visits", "2.csv", "号,数\nA,1\nB,5\nC,七\n", "2024-02-01")
			fresh := o.handBack("visits")
			o.bring("visits", o.mend(old, "二", "2", "九", "9"), "2024-03-01")
			o.bring("visits", o.mend(fresh, "七", "7"), "2024-03-02")
			got := o.rows("visits", "no n", "")
			if mode == "append" { // the second A is the same row as the first, and is not added
				want = "A 1\nB 2\nB 5\nC 7\nD 9"
			}
			if got != want {
				t.Errorf("now:\n%s\nwant\n%s", got, want)
			}
			if n := o.wait("visits"); n != 0 {
				t.Errorf("%d wait", n)
			}
			if got := o.rows("visits", "no n", "2024-01-31"); got != "A 1" {
				t.Errorf("in January:\n%s", got)
			}
		})
	}
}

// The workbook has the sender's own headings, which only his map explains; it is known from the first delivery.
func TestWorkbookInTheSendersOwnWords(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	path := o.write("own.csv", "SFZH|XM|XB|CSRQ\n"+wang+"|王甲|男|1990-01-01\n"+li+"|李乙|不明|1992-02-29\n")
	headings := map[string]string{"SFZH": "id_number", "xm": "person_name", "XB": "sex", "CSRQ": "birth_day"}
	if _, err := o.Load(t.Context(), Delivery{Register: "people", Path: path, Received: 20241201, At: time.Unix(1, 0), Headings: headings}); err != nil {
		t.Fatal(err)
	}
	book := o.handBack("people")
	if got := strings.Join(workbook(t, book)[0][0], "|"); !strings.Contains(got, "|SFZH|XM|XB|CSRQ|") {
		t.Errorf("headings %s", got)
	}
	if rep := o.bring("people", o.mend(book, "不明", "女"), "2024-12-02"); rep.Accepted != 1 || rep.Waiting != 0 {
		t.Error(told(rep))
	}
}

// A number that was changed, or that another home gave, is nobody's: the row waits, and nothing is closed.
func TestRejectNumbersAreChecked(t *testing.T) {
	o, other := newOffice(t, liaocheng(t)), newOffice(t, liaocheng(t))
	faulty := threePeople() + ",无号,男,1990-01-01,,,\n"
	o.take("people", "a.csv", faulty, "2024-12-01")
	other.take("people", "a.csv", faulty, "2024-12-01")
	number := o.rejectNumber(1, 4)
	for name, path := range map[string]string{"another home's": other.handBack("people"), "one that was changed": o.mend(o.handBack("people"), number, "1-3"+number[3:])} {
		rep := o.bring("people", o.mend(path, "无号", "某"+name), "2024-12-02")
		if got := told(rep); got != "0 accepted 1 quarantined 0 unchanged" || rep.Closed != 0 {
			t.Errorf("%s: %s, %d closed", name, got, rep.Closed)
		}
		if k := o.keptRejects(rep.Delivery); len(k) != 1 || !slices.Equal(k[0].Reasons, []string{"number_unknown"}) {
			t.Errorf("%s: kept %+v", name, k)
		}
	}
	if n := o.wait("people"); n != 3 {
		t.Errorf("%d wait", n)
	}
}

// Rows that were rejected for a mistake of the pack's are looked at again when it is mended, without the sender.
func TestMendedPackLooksAgain(t *testing.T) {
	const register = `register: visits
title: {zh: 来访, en: Visits}
owner: {zh: 前台, en: Desk}
basis: {zh: 测试, en: a test}
about: employer
mode: upsert
key: [no]
columns:
  - {name: no, title: {zh: 号, en: No}, type: number, class: code, required: true}
  - {name: colour, title: {zh: 颜色, en: Colour}, type: %s, class: code}
`
	o := newOffice(t, small(t, "visits", fmt.Sprintf(register, "code, codes: colour")))
	const text = "号,颜色\nA,红\nB,blue\n"
	if rep := o.take("visits", "1.csv", text, "2024-01-01"); rep.Quarantined != 1 {
		t.Fatal(told(rep))
	}
	if rep := o.take("visits", "1.csv", text, "2024-01-02"); !rep.Again {
		t.Fatal(told(rep))
	}
	o.Pack = small(t, "visits", fmt.Sprintf(register, "number"))
	o.Pack.Register("visits").Column("colour").Type.Text = "number"
	rep := o.take("visits", "1.csv", strings.Replace(text, "红", "red", 1), "2024-01-03")
	if got := told(rep); got != "1 accepted 0 quarantined 1 unchanged" || rep.Closed != 1 || rep.Waiting != 0 {
		t.Errorf("%s, %d closed, %d wait", got, rep.Closed, rep.Waiting)
	}
}

// Title lines, headings that come again on every page, sums: none of them is a row.
func TestLinesThatAreNoRows(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	page := strings.Join(strings.SplitAfter(threePeople(), "\n")[1:3], "")
	text := "聊城市人口基本信息表,,,,,,\n制表单位：某某局,,,,,,\n" + peopleHead + "\n" + page + "本页合计,2,,,,,\n" + peopleHead + "\n" + person(sun, "孙丙", "2000-06-15") + "总　计：3人,,,,,,\n"
	rep := o.take("people", "pages.csv", text, "2024-12-01")
	if got := told(rep); got != "3 accepted 0 quarantined 0 unchanged" || rep.Passed != 3 {
		t.Errorf("%s, %d lines passed over", got, rep.Passed)
	}
	// The same as a workbook, with a note on another sheet and a hidden one.
	book, err := sheet.NewWorkbook(filepath.Join(o.dir, "pages.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := book.Sheet("名单", []string{"聊城市人口基本信息表"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(text) {
		if err := s.Write(strings.Split(strings.TrimSpace(line), ",")); err != nil {
			t.Fatal(err)
		}
	}
	if s, err = book.Sheet("填表说明", []string{"说明"}, nil); err == nil {
		err = s.Write([]string{"请勿修改表头"})
	}
	if s, e := book.Sheet("续表", strings.Split(peopleHead, ","), nil); e == nil {
		err = errors.Join(err, s.Write(strings.Split(strings.TrimSpace(person(citizen("371502", "19700101", 1), "吴戊", "1970-01-01")), ",")))
	}
	if err := errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	rep = o.bring("people", filepath.Join(o.dir, "pages.xlsx"), "2024-12-02")
	if got := told(rep); got != "1 accepted 0 quarantined 3 unchanged" || !slices.Equal(rep.Unread, []string{"填表说明"}) || rep.Format != "XLSX" {
		t.Errorf("%s, %s, unread %q", rep.Format, got, rep.Unread)
	}
}

// How a form is to be filled in stands on its first sheet; the list is on the next that has the headings.
func TestASheetBeforeTheList(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	path := filepath.Join(o.dir, "form.xlsx")
	book, err := sheet.NewWorkbook(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := book.Sheet("填表说明", []string{"说明"}, nil)
	if err == nil {
		err = errors.Join(s.Write([]string{"姓名", "填写全名"}), s.Write([]string{"出生日期", "写成2024-12-20"}))
	}
	if s, e := book.Sheet("名单", strings.Split(peopleHead, ","), nil); e == nil {
		err = errors.Join(err, s.Write(strings.Split(strings.TrimSpace(person(sun, "孙丙", "2000-06-15")), ",")))
	}
	if err := errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	rep := o.bring("people", path, "2024-12-02")
	if got := told(rep); got != "1 accepted 0 quarantined 0 unchanged" || !slices.Equal(rep.Unread, []string{"填表说明"}) {
		t.Errorf("%s, unread %q", got, rep.Unread)
	}
}

// Half a file does not take the place of a whole one; where there is nothing to take the place of, what it has is taken.
func TestCutFileDoesNotReplace(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	whole := contributionsHead + month(wang, "王甲", "202401", "5000") + month(li, "李乙", "202401", "6000")
	cut := whole[:len(whole)-40]
	rep := o.take("contributions", "cut.csv", cut, "2024-02-01")
	if got := told(rep); got != "1 accepted 1 quarantined 0 unchanged" || rep.Cut != 3 || len(rep.Doubts) != 1 || rep.Doubts[0].Key != "register.doubt_cut" {
		t.Errorf("%s, cut at %d, doubts %v", got, rep.Cut, rep.Doubts)
	}
	o.take("contributions", "whole.csv", whole, "2024-02-02")
	before := o.state()
	cut = strings.Replace(cut, "5000", "5100", 1)
	_, err := o.Load(t.Context(), Delivery{Register: "contributions", Path: o.write("cut2.csv", cut), Received: 20240203, At: time.Unix(1, 0)})
	var e *fault.E
	if !errors.As(err, &e) || e.Key != "register.file_cut" {
		t.Errorf("error %v", err)
	}
	after := o.state()
	after.sealed = before.sealed // a sealed file that nothing names is no delivery
	if after != before {
		t.Errorf("from %+v to %+v", before, after)
	}
}

// A correction that comes after its delivery was replaced is never seen, and is counted so.
func TestOvertakenCorrectionIsTold(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	head := contributionsHead
	o.take("contributions", "01.csv", head+month(wang, "王甲", "202401", "5000")+month(li, "李乙", "202401", "坏"), "2024-02-10")
	mended := o.mend(o.handBack("contributions"), "坏", "6000")
	o.take("contributions", "01b.csv", head+month(wang, "王甲", "202401", "5100"), "2024-03-10")
	before := o.state()
	rep := o.bring("contributions", mended, "2024-04-10")
	if got := told(rep); got != "0 accepted 0 quarantined 1 unchanged" || rep.Overtaken != 1 || rep.Waiting != 0 {
		t.Errorf("%s, %d overtaken, %d wait", got, rep.Overtaken, rep.Waiting)
	}
	if after := o.state(); after.generation != before.generation {
		t.Error("it made a generation")
	}
}

// The month once more in another form, with the same faulty row: it is not put before anybody again, and its correction stands with the newer delivery.
func TestFaultyRowThatComesAgainWaitsOnce(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	head := contributionsHead
	rows := month(wang, "王甲", "202401", "5000") + month(li, "李乙", "202401", "坏") + strings.Replace(month(sun, "孙丙", "202401", "7000"), "202401", "2024十一", 1)
	if rep := o.take("contributions", "a.csv", head+rows, "2024-02-10"); rep.Quarantined != 2 {
		t.Fatal(told(rep))
	}
	rep := o.take("contributions", "b.csv", strings.ReplaceAll(head+rows, "|", "\t"), "2024-02-20")
	if got := told(rep); got != "0 accepted 0 quarantined 3 unchanged" || rep.StillWaiting != 2 || rep.Waiting != 2 {
		t.Errorf("in another form: %s, %d still wait of %d", got, rep.StillWaiting, rep.Waiting)
	}
	rep = o.take("contributions", "c.csv", head+strings.Replace(rows, "5000", "5100", 1), "2024-03-10")
	if got := told(rep); got != "1 accepted 0 quarantined 2 unchanged" || rep.Waiting != 2 {
		t.Errorf("corrected elsewhere: %s, %d wait", got, rep.Waiting)
	}
	o.bring("contributions", o.mend(o.handBack("contributions"), "坏", "6000", "2024十一", "202401"), "2024-04-10")
	if got := o.rows("contributions", "base_fen", ""); got != "510000\n600000\n700000" {
		t.Errorf("rows:\n%s", got)
	}
	if n := o.wait("contributions"); n != 0 {
		t.Errorf("%d wait", n)
	}
}

// What may be a part of a last field is a doubt, where the sender's files end otherwise.
func TestOpenEndIsADoubt(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	for i, open := range []bool{true, false, true} {
		text := contributionsHead + month(wang, "王甲", fmt.Sprintf("20240%d", i+1), "5000")
		if open {
			text = strings.TrimSuffix(text, "\n")
		}
		rep := o.take("contributions", fmt.Sprint(i, ".csv"), text, fmt.Sprintf("2024-0%d-10", i+2))
		if got := slices.Contains(keysOf(rep.Doubts), "open_end"); got != (i == 2) || rep.OpenEnd != open {
			t.Errorf("file %d: open %v, doubts %v", i, rep.OpenEnd, rep.Doubts)
		}
	}
}
