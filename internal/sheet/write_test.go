package sheet

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
	"golang.org/x/text/encoding/simplifiedchinese"

	"bole/internal/fault"
)

func gb18030(text []byte) ([]byte, error) {
	return simplifiedchinese.GB18030.NewEncoder().Bytes(text)
}

func TestCSVBytes(t *testing.T) {
	table := [][]string{{"姓名", "b"}, {"a;b", "c,d"}, {"e\"f", "g\nh"}, {"", ""}}
	for _, c := range []struct {
		encoding  string
		delimiter rune
		crlf      bool
		want      string
	}{
		{"UTF-8", ',', false, "姓名,b\na;b,\"c,d\"\n\"e\"\"f\",\"g\nh\"\n,\n"},
		{"UTF-8-BOM", ';', true, "\uFEFF姓名;b\r\n\"a;b\";c,d\r\n\"e\"\"f\";\"g\nh\"\r\n;\r\n"},
		{"GB18030", '\t', false, "\xd0\xd5\xc3\xfb\tb\na;b\tc,d\n\"e\"\"f\"\t\"g\nh\"\n\t\n"},
	} {
		var out bytes.Buffer
		w := NewCSV(&out, c.encoding, c.delimiter)
		w.CRLF = c.crlf
		for _, row := range table {
			if err := w.Write(row); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.encoding, diff)
		}
	}
	var out bytes.Buffer
	w := NewCSV(&out, "UTF-8", ',')
	if err := errors.Join(w.Write([]string{"a"}), w.Write([]string{""}), w.Write([]string{"\xff"}), w.Flush()); err != nil || out.String() != "a\n\"\"\n\uFFFD\n" {
		t.Errorf("one column: %q, %v", out.String(), err)
	}
}

func TestCSVRefusesWhatItDoesNotKnow(t *testing.T) {
	for _, w := range []*CSVWriter{NewCSV(io.Discard, "BIG5", ','), NewCSV(io.Discard, "UTF-8", '"'), NewCSV(io.Discard, "UTF-8", 0), NewCSV(io.Discard, "UTF-8", '，')} {
		if err := w.Write([]string{"a"}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("Write: %v, want Invalid", err)
		}
		if err := w.Flush(); err == nil {
			t.Error("Flush forgot the error")
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestCSVTellsThatTheDiskIsFull(t *testing.T) {
	w := NewCSV(full{}, "GB18030", ',')
	err := w.Write([]string{"a"})
	if err := errors.Join(err, w.Flush()); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("%v", err)
	}
	if w.Write([]string{"b"}) == nil {
		t.Error("the error did not stay")
	}
}

// Every character there is, private ones aside, comes back from GB18030: those of two bytes and those of four.
func TestEveryCharacterComesBackFromGB18030(t *testing.T) {
	var out bytes.Buffer
	w := NewCSV(&out, "GB18030", ',')
	var want []string
	var b strings.Builder
	for r := rune(1); r <= 0x3FFFF; r++ {
		if !private(r) && !(r >= 0xD800 && r <= 0xDFFF) && r != '\uFFFD' {
			b.WriteRune(r)
		}
		if b.Len() > 10_000 || r == 0x3FFFF {
			want = append(want, b.String())
			b.Reset()
		}
	}
	if err := w.Write([]string{"姓名"}); err != nil {
		t.Fatal(err)
	}
	for _, s := range want {
		if err := w.Write([]string{s}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	f, err := readCSV("a.csv", &out, Options{})
	if err != nil || f.Encoding() != "GB18030" {
		t.Fatalf("%v", err)
	}
	for i, r := range rows(t, f) {
		if r.Fault != "" || r.Fields[0] != want[i] {
			t.Errorf("row %d: fault %q", i, r.Fault)
		}
	}
}

// sheetXML is the XML of the workbook's n-th sheet, for what a reader of cells would not show.
func sheetXML(t *testing.T, path, part string) string {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	f, err := z.Open("xl/worksheets/" + part)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWorkbook(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.xlsx")
	wb, err := NewWorkbook(path)
	if err != nil {
		t.Fatal(err)
	}
	defer wb.Discard()
	people := [][]string{
		{"姓名", "证书编号", "备注"},
		{"张三", "6201234567890123456", "=1+1"},
		{"", "007", "+86"},
		{"-1", "@SUM(A1)", " x\ny <&> _x0041_ \x01"},
	}
	more := [][]string{{"a"}, {"1"}, {"1", "2"}}
	a, err := wb.Sheet("人员", people[0], []float64{10, 24})
	if err != nil {
		t.Fatal(err)
	}
	b, err := wb.Sheet("Sheet1", more[0], nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range people[1:] {
		if err := a.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	for _, row := range more[1:] {
		if err := b.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before Close")
	}
	if err := wb.Close(); err != nil {
		t.Fatal(err)
	}
	if err := wb.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if diff := cmp.Diff([]string{"人员", "Sheet1"}, f.GetSheetList()); diff != "" {
		t.Error(diff)
	}
	people[3][2] = " x\ny <&> _x0041_ \uFFFD" // XML has no U+0001
	for name, want := range map[string][][]string{"人员": people, "Sheet1": more} {
		got, err := f.GetRows(name)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
	}
	for _, cell := range []string{"B2", "C2", "B3", "C3", "A4", "B4"} {
		kind, err := f.GetCellType("人员", cell)
		formula, errFormula := f.GetCellFormula("人员", cell)
		style, errStyle := f.GetCellStyle("人员", cell)
		if err := errors.Join(err, errFormula, errStyle); err != nil {
			t.Fatal(err)
		}
		if kind != excelize.CellTypeInlineString || formula != "" {
			t.Errorf("%s: kind %v, formula %q", cell, kind, formula)
		}
		if s, err := f.GetStyle(style); err != nil || s.NumFmt != 49 {
			t.Errorf("%s is not formatted as text: %v, %v", cell, s, err)
		}
	}
	x := sheetXML(t, path, "sheet1.xml")
	if !strings.Contains(x, `state="frozen"`) || strings.Contains(x, "<f>") || strings.Contains(x, `t="n"`) {
		t.Error("the header is not frozen, or a cell is a formula or a number")
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("%d files in the folder, want the workbook alone; %v", len(left), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

func TestHeadingsAreNotClipped(t *testing.T) {
	for _, c := range []struct {
		heading string
		width   float64
		want    int
	}{{"a", 10, 1}, {"统一社会信用代码", 20, 1}, {"统一社会信用代码", 12, 2}, {"统一社会信用代码", 8, 3}, {"姓\n名", 12, 2}, {"", 5, 1}, {"统一", 0.5, 3}} {
		if got := wrapped(c.heading, c.width); got != c.want {
			t.Errorf("%q in width %g: %d lines, want %d", c.heading, c.width, got, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "a.xlsx")
	wb, err := NewWorkbook(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wb.Sheet("a", []string{"统一社会信用代码", "b"}, []float64{12, 30}); err != nil {
		t.Fatal(err)
	}
	if err := wb.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	height, err := f.GetRowHeight("a", 1)
	if err != nil || height != 38 {
		t.Errorf("the header is %g points high, want 38 for two lines; %v", height, err)
	}
	style, err := f.GetCellStyle("a", "A1")
	if err != nil {
		t.Fatal(err)
	}
	if s, err := f.GetStyle(style); err != nil || !s.Font.Bold || !s.Alignment.WrapText {
		t.Errorf("header style %+v, %v", s, err)
	}
}

func TestWorkbookRefusesWhatASheetCannotHold(t *testing.T) {
	wb, err := NewWorkbook(filepath.Join(t.TempDir(), "a.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	defer wb.Discard()
	sw, err := wb.Sheet("人员", []string{"a"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	key := func(err error) string {
		var e *fault.E
		if errors.As(err, &e) {
			return e.Key
		}
		return ""
	}
	for _, name := range []string{"", "人员", "a/b", strings.Repeat("长", 32)} {
		if _, err := wb.Sheet(name, []string{"a"}, nil); key(err) != "sheet.sheet_name" {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := wb.Sheet("b", nil, nil); key(err) != "sheet.no_header" {
		t.Errorf("no header: %v", err)
	}
	if err := sw.Write([]string{strings.Repeat("长", 32767)}); err != nil {
		t.Errorf("the longest cell: %v", err)
	}
	if err := sw.Write([]string{"", strings.Repeat("长", 32768)}); key(err) != "sheet.cell_long" {
		t.Errorf("too long a cell: %v", err)
	}
	sw.rows = excelize.TotalRows
	if err := sw.Write([]string{"a"}); key(err) != "sheet.rows_many" {
		t.Errorf("too many rows: %v", err)
	}
}

func TestLargeWorkbookLeavesNoTemporaryFile(t *testing.T) {
	for _, keep := range []bool{true, false} {
		dir := t.TempDir()
		elsewhere := t.TempDir()
		t.Setenv("TMPDIR", elsewhere)
		path := filepath.Join(dir, "a.xlsx")
		wb, err := NewWorkbook(path)
		if err != nil {
			t.Fatal(err)
		}
		sw, err := wb.Sheet("a", []string{"a"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		cell := strings.Repeat("x", 30_000)
		for range 800 { // beyond the 16 MiB that stay in memory
			if err := sw.Write([]string{cell}); err != nil {
				t.Fatal(err)
			}
		}
		if here, err := os.ReadDir(dir); err != nil || len(here) != 1 {
			t.Errorf("%d temporary files beside the workbook, want 1; %v", len(here), err)
		}
		finish, want := wb.Discard, 0
		if keep {
			finish, want = wb.Close, 1
		}
		if err := finish(); err != nil {
			t.Fatal(err)
		}
		here, err := os.ReadDir(dir)
		there, err2 := os.ReadDir(elsewhere)
		if err := errors.Join(err, err2); err != nil || len(here) != want || len(there) != 0 {
			t.Errorf("%d files beside, %d elsewhere, want %d and 0; %v", len(here), len(there), want, err)
		}
	}
}

// What a killed process left beside its workbook goes when the next is begun; what another is writing there stays.
func TestLeftoversOfAKilledWriterAreSwept(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, benchName+"1")
	if err := errors.Join(os.Mkdir(left, 0o700), os.WriteFile(filepath.Join(left, "excelize-1"), []byte("somebody"), 0o600)); err != nil {
		t.Fatal(err)
	}
	var books []*Workbook
	for _, name := range []string{"a.xlsx", "b.xlsx"} {
		wb, err := NewWorkbook(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := wb.Sheet("a", []string{"a"}, nil); err != nil {
			t.Fatal(err)
		}
		books = append(books, wb)
	}
	if _, err := os.Stat(left); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the leftover is still there: %v", err)
	}
	for _, wb := range books {
		if err := wb.Close(); err != nil {
			t.Error(err)
		}
	}
	if here, err := os.ReadDir(dir); err != nil || len(here) != 2 {
		t.Errorf("%v in the folder, want the two workbooks; %v", here, err)
	}
}

func TestFailedCloseLeavesWhatStoodThere(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	if _, err := NewWorkbook(filepath.Join(dir, "a.xlsx")); err == nil {
		t.Error("a workbook was begun in no folder")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	wb, err := NewWorkbook(filepath.Join(dir, "a.xlsx"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wb.Sheet("a", []string{"a"}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := wb.Close(); fault.KindOf(err) != fault.Internal || err == nil {
		t.Errorf("Close into no folder: %v", err)
	}
}

func BenchmarkCSVWrite(b *testing.B) {
	row := strings.Split(sample, ",")
	for _, encoding := range []string{"UTF-8", "GB18030"} {
		b.Run(encoding, func(b *testing.B) {
			w := NewCSV(io.Discard, encoding, ',')
			b.ReportAllocs()
			for b.Loop() {
				if err := w.Write(row); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
