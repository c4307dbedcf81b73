package register

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"bole/internal/locale"
	"github.com/xuri/excelize/v2"
)

var update = flag.Bool("update", false, "write testdata anew")

// everyType is a register with a column of every type, and a check.
const everyType = `register: visits
title: {zh: 来访, en: Visits}
owner: {zh: 前台, en: Desk}
basis: {zh: 测试, en: a test}
about: person
mode: upsert
key: [no]
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, kind: id_kind, class: personal, required: true}
  - {name: id_kind, title: {zh: 证件类型, en: Kind}, type: code, codes: id_kind, class: code}
  - {name: account, title: {zh: 账号, en: Account}, type: account, class: personal}
  - {name: person_name, title: {zh: 姓名, en: Name}, type: person_name, class: personal, required: true}
  - {name: no, title: {zh: 编号, en: No}, type: number, class: keyed, required: true}
  - {name: place, title: {zh: 地点, en: Place}, type: number, class: code}
  - {name: firm, title: {zh: 单位代码, en: Firm}, type: uscc, class: code}
  - {name: firm_name, title: {zh: 单位, en: Name of the firm}, type: text, class: cleared}
  - {name: colour, title: {zh: 颜色, en: Colour}, type: code, codes: colour, class: code}
  - {name: n, title: {zh: 次数, en: Times}, type: int, class: number, min: 1, max: 99}
  - {name: fee, title: {zh: 费用, en: Fee}, type: yuan, class: number, min: 0, max: 1000}
  - {name: came, title: {zh: 来时, en: Came}, type: day, class: day}
  - {name: billed, title: {zh: 账期, en: Billed}, type: month, class: day}
  - {name: paid, title: {zh: 已付, en: Paid}, type: bool, class: code}
checks:
  - {id: not-in-future, holds: came <= received, says: {zh: 来时晚于收到日期, en: came after the day of receipt}}
`

// visit is a sound line with some of its fields replaced.
func visit(no string, with map[string]string) string {
	names := []string{"id_number", "id_kind", "account", "person_name", "no", "place", "firm", "firm_name", "colour", "n", "fee", "came", "billed", "paid"}
	fields := []string{wang, "", "6222020000000000001", "王甲", no, "371502", firm, "聊城机床", "红", "3", "12.50", "2024-03-01", "2024-03", "是"}
	for k, v := range with {
		fields[slices.Index(names, k)] = v
	}
	return strings.Join(fields, ",") + "\n"
}

// Every reason for which a row is handed back, as its sender reads it: testdata/rejects.txt.
func TestRejectsWorkbook(t *testing.T) {
	o := newOffice(t, small(t, "visits", everyType))
	var b strings.Builder
	b.WriteString("证件号码,证件类型,账号,姓名,编号,地点,单位代码,单位,颜色,次数,费用,来时,账期,已付\n")
	n := 0
	row := func(with map[string]string) {
		n++
		b.WriteString(visit(fmt.Sprintf("N%03d", n), with))
	}
	row(nil)
	for _, v := range []string{"", "6.2E+18", "37150219900101", "37150219900101A11X", wang[:17] + "0", zhao} {
		row(map[string]string{"id_number": v})
	}
	row(map[string]string{"id_number": "E12345678"}) // a passport, and nothing says so
	row(map[string]string{"id_number": "E1234567890123456789", "id_kind": "护照"})
	row(map[string]string{"id_number": "123", "id_kind": "其他"})
	row(map[string]string{"account": "622202"})
	row(map[string]string{"account": "6.2E+18"})
	row(map[string]string{"person_name": li})
	row(map[string]string{"person_name": strings.Repeat("王", 200)})
	row(map[string]string{"no": "编号一"})
	row(map[string]string{"no": "1.23457E+12"})
	row(map[string]string{"place": li})
	row(map[string]string{"place": li[:6] + li[8:17]})
	row(map[string]string{"place": li[:17] + "1"}) // a number with a slip of the pen
	row(map[string]string{"place": "13800138000"})
	row(map[string]string{"firm": "9137150"})
	row(map[string]string{"firm": li})
	row(map[string]string{"firm_name": "李乙" + li + "门市部"})
	row(map[string]string{"firm_name": "聊城\x01机床"})
	row(map[string]string{"colour": "蓝"})
	row(map[string]string{"n": "三"})
	row(map[string]string{"n": "100"})
	row(map[string]string{"fee": "12.345"})
	row(map[string]string{"fee": "1000.01"})
	row(map[string]string{"came": "2024-02-30"})
	row(map[string]string{"came": "45352"})
	row(map[string]string{"came": "2024-13-01", "billed": "2024-13", "paid": "也许"}) // all at once
	row(map[string]string{"came": "2024-12-02"})                                    // a check of the pack
	b.WriteString(visit("N001", map[string]string{"n": "4"}))                       // the first row's key
	b.WriteString(strings.Replace(visit("N090", nil), ",", "", 1))                  // a field fewer
	b.WriteString(visit("N091", map[string]string{"firm_name": "\"聊城\"机床"}))
	b.WriteString(visit("N092", map[string]string{"firm_name": "聊城\xff机床"}))
	b.WriteString(visit("N093", map[string]string{"firm_name": strings.Repeat("长", 400_000)}))
	b.WriteString(strings.TrimSuffix(visit("N094", map[string]string{"firm_name": "\"聊城机床"}), "\n"))
	path := o.write("visits.csv", b.String())
	book := &Rejects{Path: filepath.Join(o.dir, "rejects.xlsx")}
	rep, err := o.Load(t.Context(), Delivery{Register: "visits", Path: path, Received: 20241201, At: time.Unix(1, 0), Rejects: book})
	if err != nil {
		t.Fatal(err)
	}
	formula := filepath.Join(o.dir, "visits.xlsx")
	writeFormula(t, formula, strings.Split(strings.SplitN(b.String(), "\n", 2)[0], ","), strings.Split(strings.TrimSpace(visit("N095", nil)), ","))
	if _, err := o.Load(t.Context(), Delivery{Register: "visits", Path: formula, Received: 20241201, At: time.Unix(1, 0), Rejects: book}); err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	if rep.Accepted != 0 || rep.Quarantined != rep.Rows || rep.Duplicates != 2 {
		t.Error(told(rep))
	}
	sheets := workbook(t, book.Path)
	if len(sheets) != 1 {
		t.Fatalf("%d sheets", len(sheets))
	}
	rows := sheets[0]
	if got := strings.Join(rows[0], "|"); got != "文件 File|行 Line|列 Field|填写的内容 Found|原因|Reason|证件号码|证件类型|账号|姓名|编号|地点|单位代码|单位|颜色|次数|费用|来时|账期|已付|退回编号 Reject no." {
		t.Errorf("headings %s", got)
	}
	lines := strings.Split(b.String(), "\n")
	var out strings.Builder
	for _, r := range rows[1:] {
		found := strings.ReplaceAll(r[3], "\n", " / ")
		if len([]rune(found)) > 30 {
			found = string([]rune(found)[:10]) + "…" + string([]rune(found)[len([]rune(found))-1:])
		}
		fmt.Fprintf(&out, "%s | %s | %q\n    %s\n    %s\n", r[1], strings.ReplaceAll(r[2], "\n", " / "), found, strings.ReplaceAll(r[4], "\n", " / "), strings.ReplaceAll(r[5], "\n", " / "))
		if r[0] == "visits.xlsx" {
			continue
		}
		if r[0] != "visits.csv" {
			t.Errorf("file %s", r[0])
		}
		var line int
		if _, err := fmt.Sscan(r[1], &line); err != nil || line < 2 || line > len(lines) {
			t.Errorf("line %s", r[1])
		} else if own := strings.TrimRight(strings.Join(r[6:len(r)-1], ","), ","); !strings.Contains(own, "\x01") && len(own) < 1000 && utf8.ValidString(lines[line-1]) && !strings.ContainsAny(lines[line-1], "\"\x01") &&
			own != strings.TrimRight(lines[line-1], ",") {
			t.Errorf("line %d is handed back as %s", line, own)
		}
	}
	golden := "testdata/rejects.txt"
	if *update {
		if err := os.WriteFile(golden, []byte(out.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if out.String() != string(want) {
		t.Errorf("the workbook now says:\n%s", out.String())
	}
	// Every reason that the catalogue knows is among them, filled in.
	for key := range locale.Keys() {
		if !strings.HasPrefix(key, "reject.") || key == "reject.number_unknown" { // it has a test of its own
			continue
		}
		zh, en := pattern(locale.Text(locale.Zh, key)), pattern(locale.Text(locale.En, key))
		if !zh.MatchString(out.String()) || !en.MatchString(out.String()) {
			t.Errorf("%s: no row was handed back for it", key)
		}
	}
	if strings.Contains(out.String(), "reject.") || strings.ContainsAny(out.String(), "{}") {
		t.Error("a reason is no sentence")
	}
	// What is kept is whole, and sealed.
	kept := o.keptRejects(rep.Delivery)
	if int64(len(kept)) != rep.Quarantined {
		t.Fatalf("%d rows kept of %d", len(kept), rep.Quarantined)
	}
	for _, k := range kept {
		if len(k.Reasons) == 0 || len(k.Fields) == 0 {
			t.Errorf("kept without reason or fields: line %d", k.Line)
		}
	}
	if long := kept[len(kept)-4]; len(strings.Join(long.Fields, "")) < 1_000_000 {
		t.Errorf("the long row is kept with %d bytes", len(strings.Join(long.Fields, "")))
	}
}

// writeFormula writes a workbook of one row, whose last cell is a formula that nobody has worked out.
func writeFormula(t *testing.T, path string, header, row []string) {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	last, err := excelize.CoordinatesToCellName(len(row), 2)
	row = row[:len(row)-1]
	if err := errors.Join(err, x.SetSheetRow("Sheet1", "A1", &header), x.SetSheetRow("Sheet1", "A2", &row), x.SetCellFormula("Sheet1", last, "A2")); err != nil {
		t.Fatal(err)
	}
	if err := x.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

// pattern matches a sentence of the catalogue whatever was filled in.
func pattern(sentence string) *regexp.Regexp {
	return regexp.MustCompile(regexp.MustCompile(`\\\{\w+\\\}`).ReplaceAllString(regexp.QuoteMeta(sentence), `.*`))
}

// workbook reads the sheets of a file, in order.
func workbook(t *testing.T, path string) (out [][][]string) {
	t.Helper()
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, name := range f.GetSheetList() {
		rows, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, rows)
	}
	return out
}

// Files with other columns go on other sheets, so that nobody's name stands under somebody's number.
func TestRejectsOfSeveralFiles(t *testing.T) {
	o := newOffice(t, liaocheng(t))
	book := &Rejects{Path: filepath.Join(o.dir, "rejects.xlsx")}
	for name, text := range map[string]string{"a.csv": peopleHead + "\n" + person(wang, "", "1990-01-01"), "b.csv": "姓名,证件号码,出生日期\n,x,\n"} {
		if _, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write(name, text), Received: 20241201, At: time.Unix(1, 0), Rejects: book}); err != nil {
			t.Fatal(err)
		}
	}
	if err := book.Close(); err != nil {
		t.Fatal(err)
	}
	sheets := workbook(t, book.Path)
	if len(sheets) != 2 {
		t.Fatalf("%d sheets", len(sheets))
	}
	for _, rows := range sheets {
		want := map[string]string{"a.csv": "公民身份号码", "b.csv": "姓名"}[rows[1][0]]
		if rows[0][6] != want {
			t.Errorf("%s stands under %s", rows[1][0], rows[0][6])
		}
	}
	none := &Rejects{Path: filepath.Join(o.dir, "none.xlsx")}
	if _, err := o.Load(t.Context(), Delivery{Register: "people", Path: o.write("c.csv", threePeople()), Received: 20241201, At: time.Unix(1, 0), Rejects: none}); err != nil {
		t.Fatal(err)
	}
	if err := none.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(none.Path); !os.IsNotExist(err) {
		t.Errorf("a workbook without rejects: %v", err)
	}
}
