package sheet

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"bole/internal/fault"
)

// parts are the parts of a workbook made by hand, by name.
type parts map[string]string

// workbookOf is a workbook of one sheet whose rows are given as XML; other parts stand beside it or in place of the usual ones.
func workbookOf(rows string, with parts) parts {
	p := parts{
		"_rels/.rels":                `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook><sheets><sheet name="一" sheetId="1" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": relations("worksheets/sheet1.xml"),
		"xl/worksheets/sheet1.xml":   sheetOf(rows),
	}
	for name, text := range with {
		p[name] = text
	}
	return p
}

// relations are those of a workbook whose sheets have the ids r1, r2 and so on.
func relations(sheets ...string) string {
	var b strings.Builder
	b.WriteString(`<Relationships><Relationship Id="s" Type="http://x/sharedStrings" Target="sharedStrings.xml"/><Relationship Id="t" Type="http://x/styles" Target="styles.xml"/>`)
	for i, s := range sheets {
		fmt.Fprintf(&b, `<Relationship Id="r%d" Type="http://x/worksheet" Target="%s"/>`, i+1, s)
	}
	return b.String() + `</Relationships>`
}

func sheetOf(rows string) string {
	return `<?xml version="1.0" encoding="UTF-8"?><worksheet><dimension ref="A1:XFD1048576"/><sheetData>` + rows + `</sheetData></worksheet>`
}

// zipped packs the parts, in order of their names.
func zipped(t testing.TB, p parts) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	var names []string
	for name := range p {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, p[name]); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func openBytes(name string, b []byte) (*File, error) {
	return Read(name, bytes.NewReader(b), int64(len(b)), Options{})
}

func readBook(t testing.TB, p parts) *File {
	t.Helper()
	f, err := openBytes("a.xlsx", zipped(t, p))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// keyOf is the message of an error; "" of none.
func keyOf(err error) string {
	var e *fault.E
	if errors.As(err, &e) {
		return e.Key
	}
	return ""
}

// head is a row of headings a, b, c.
const head = `<row r="1"><c r="A1" t="str"><v>a</v></c><c r="B1" t="str"><v>b</v></c><c r="C1" t="str"><v>c</v></c></row>`

func TestRowsOfASheet(t *testing.T) {
	shared := parts{"xl/sharedStrings.xml": `<sst count="4000000000" uniqueCount="4000000000"><si><t>张三</t></si>` +
		`<si><r><rPr><b/></rPr><t>李</t></r><r><t xml:space="preserve"> 四</t></r><rPh sb="0" eb="1"><t>LI</t></rPh></si><si><t>x_x000D_y_x005F_x0041_</t></si><si/></sst>`}
	for name, c := range map[string]struct {
		rows string
		want string
	}{
		"shared strings, with runs and readings": {`<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" t="s"><v>1</v></c><c r="C2" t="s"><v>2</v></c></row>`, "2: 张三|李 四|x\ry_x0041_\n"},
		"a shared string that is not there":      {`<row r="2"><c r="A2" t="s"><v>9</v></c><c r="B2" t="s"><v>-1</v></c></row>`, "2 row_encoding: \uFFFD|\uFFFD|\n"},
		"inline strings":                         {`<row r="2"><c r="A2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh><t>x</t></rPh></is></c><c r="B2" t="inlineStr"><is><t>&lt;&#x5f20;</t></is></c></row>`, "2: ab|<张|\n"},
		"text keeps its digits":                  {`<row r="2"><c r="A2" t="inlineStr"><is><t>371502199001010110</t></is></c></row>`, "2: 371502199001010110||\n"},
		"truth and errors":                       {`<row r="2"><c r="A2" t="b"><v>1</v></c><c r="B2" t="b"><v>0</v></c><c r="C2" t="e"><v>#N/A</v></c></row>`, "2: true|false|#N/A\n"},
		"formulas that are worked out":           {`<row r="2"><c r="A2"><f>1+1</f><v>2</v></c><c r="B2" t="str"><f>""</f><v></v></c><c r="C2" t="b"><f>1=1</f><v>1</v></c></row>`, "2: 2||true\n"},
		"a formula that is not":                  {`<row r="2"><c r="A2"><v>7</v></c><c r="B2"><f>1+1</f></c></row><row r="3"><c r="A3"><f>1</f><v/></c></row>`, "2 row_formula: 7||\n3 row_formula: ||\n"},
		"rows and cells without names":           {`<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>4</v></c></row>`, "2: 1||3\n3: 4||\n"},
		"rows and cells that are left out":       {`<row r="5"><c r="B5"><v>1</v></c></row><row r="7" hidden="1"><c r="C7"><v>2</v></c></row>`, "5: |1|\n7: ||2\n"},
		"rows of nothing":                        {`<row r="2"/><row r="3"><c r="A3" s="1"/><c r="B3" t="inlineStr"><is><t/></is></c></row><row r="4"><c r="A4"><v>1</v></c></row>`, "4: 1||\n"},
		"cells beyond the header":                {`<row r="2"><c r="A2"><v>1</v></c><c r="XFD2" s="1"/></row><row r="3"><c r="A3"><v>1</v></c><c r="D3"><v>2</v></c></row>`, "2: 1||\n3 row_fields: 1|||2\n"},
		"cells in another order":                 {`<row r="2"><c r="C2"><v>3</v></c><c r="A2"><v>1</v></c></row>`, "2: 1||3\n"},
		"the last row that there is":             {`<row r="1048576"><c r="A1048576"><v>1</v></c></row>`, "1048576: 1||\n"},
		"a row beyond it":                        {`<row r="1048577"><c r="A1"><v>1</v></c></row>`, "2 row_cut: \n"},
		"a row twice":                            {`<row r="2"><c r="A2"><v>1</v></c></row><row r="2"><c r="A2"><v>1</v></c></row>`, "2: 1||\n3 row_cut: \n"},
		"a column beyond the last":               {`<row r="2"><c r="A2"><v>1</v></c><c r="XFE2"><v>1</v></c></row>`, "2 row_cut: 1\n"},
		"a cell outside a row":                   {`<c r="A2"><v>1</v></c>`, "2 row_cut: \n"},
		"a prefix":                               {`<x:row r="2"><x:c r="A2"><x:v>1</x:v></x:c></x:row>`, "2: 1||\n"},
		"comments and CDATA":                     {`<row r="2"><c r="A2" t="inlineStr"><is><t>a<!-- <t>x</t> --><![CDATA[<b>]]></t></is></c></row>`, "2: a<b>||\n"},
		"XML that breaks":                        {`<row r="2"><c r="A2"><v>1</v></c></row><row r="3"><c r="A3"><v>1</v></c><c r="B3"><v>&none;</v></c></row>`, "2: 1||\n3 row_cut: 1\n"},
		"characters that are none":               {"<row r=\"2\"><c r=\"A2\" t=\"inlineStr\"><is><t>a_x0000_\uFFFD</t></is></c></row>", "2 row_encoding: a\x00\uFFFD||\n"},
		"numbers": {`<row r="2"><c r="A2"><v>20240101</v></c><c r="B2"><v>13812345678</v></c><c r="C2"><v>12.5</v></c></row>` +
			`<row r="3"><c r="A3"><v>3.7150219900101E+17</v></c><c r="B3"><v>1.1000000000000001</v></c><c r="C3"><v>0.30000000000000004</v></c></row>` +
			`<row r="4"><c r="A4"><v>371502199001010110</v></c><c r="B4"><v>999999999999999</v></c><c r="C4"><v>-0</v></c></row>` +
			`<row r="5"><c r="A5"><v>1E3</v></c><c r="B5"><v> -7.50 </v></c><c r="C5"><v>1E-300</v></c></row>` +
			`<row r="6"><c r="A6"><v>007</v></c><c r="B6"><v>1e999</v></c><c r="C6"><v>x</v></c></row>`,
			"2: 20240101|13812345678|12.5\n3: 3.71502E+17|1.1|0.3\n4: 3.71502E+17|999999999999999|0\n5: 1000|-7.5|1.00000E-300\n6: 7|1e999|x\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := readBook(t, workbookOf(head+c.rows, shared))
			if diff := cmp.Diff(c.want, show(rows(t, f))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if f.Format() != "XLSX" || f.Encoding() != "" || f.Delimiter() != 0 || f.Sheet() != "一" {
				t.Errorf("%s %s %q %s", f.Format(), f.Encoding(), f.Delimiter(), f.Sheet())
			}
			if _, err := f.Next(); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
			if more, err := f.NextSheet(); more || err != nil {
				t.Errorf("another sheet: %v, %v", more, err)
			}
		})
	}
}

// styles are a stylesheet whose cells have the formats given, in order.
func styles(formats ...string) string {
	var numbers, cells strings.Builder
	for i, f := range formats {
		id := 164 + i
		if _, err := fmt.Sscanf(f, "#%d", &id); err != nil {
			fmt.Fprintf(&numbers, `<numFmt numFmtId="%d" formatCode="%s"/>`, id, strings.ReplaceAll(f, `"`, "&quot;"))
		}
		fmt.Fprintf(&cells, `<xf numFmtId="%d"><alignment/></xf>`, id)
	}
	return `<styleSheet><numFmts>` + numbers.String() + `</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs>` + cells.String() +
		`</cellXfs><cellStyles/><dxfs><dxf><numFmt numFmtId="164" formatCode="0"/></dxf></dxfs></styleSheet>`
}

func TestDaysAreKnownByTheirFormat(t *testing.T) {
	for _, c := range []struct{ format, value, want1900, want1904 string }{
		{"#14", "45296", "2024-01-05", "2028-01-06"},
		{"#22", "45296.4375", "2024-01-05 10:30:00", "2028-01-06 10:30:00"},
		{"#31", "45296", "2024-01-05", "2028-01-06"},
		{"#57", "45292", "2024-01-01", "2028-01-02"},
		{"#58", "45296", "2024-01-05", "2028-01-06"},
		{"#20", "0.4375", "10:30:00", "10:30:00"},
		{"#21", "45296.4375", "2024-01-05 10:30:00", "2028-01-06 10:30:00"},
		{"#0", "45296", "45296", "45296"},
		{"#1", "45296", "45296", "45296"},
		{"#46", "45296", "45296", "45296"},
		{`yyyy"年"m"月"d"日"`, "45296", "2024-01-05", "2028-01-06"},
		{`yyyy"年"m"月"`, "45296", "2024-01-05", "2028-01-06"},
		{`[$-804]yyyy/m/d;@`, "45296", "2024-01-05", "2028-01-06"},
		{`[DBNum1][$-804]yyyy"年"m"月"d"日";@`, "45296", "2024-01-05", "2028-01-06"},
		{`yyyy\-mm\-dd`, "45296", "2024-01-05", "2028-01-06"},
		{`yyyy\-mm\-dd\ hh:mm:ss`, "45296.999999", "2024-01-06", "2028-01-07"},
		{`mm`, "45296", "2024-01-05", "2028-01-06"},
		{`h:mm AM/PM`, "0.75", "18:00:00", "18:00:00"},
		{`上午/下午h"时"mm"分"`, "0.25", "06:00:00", "06:00:00"},
		{`[h]:mm`, "1.5", "1.5", "1.5"},
		{`General`, "45296", "45296", "45296"},
		{`G/通用格式`, "45296", "45296", "45296"},
		{`0.00"d"`, "45296", "45296", "45296"},
		{`[Red]#,##0_d;[Blue]yyyy`, "45296", "45296", "45296"},
		{`[$¥-804]#,##0.00`, "45296.5", "45296.5", "45296.5"},
		{`0\y`, "45296", "45296", "45296"},
		{"#14", "1", "1900-01-01", "1904-01-02"},
		{"#14", "59", "1900-02-28", "1904-02-29"},
		{"#14", "60", "1900-02-29", "1904-03-01"},
		{"#14", "61", "1900-03-01", "1904-03-02"},
		{"#14", "0", "00:00:00", "1904-01-01"},
		{"#14", "-1", "-1", "-1"},
		{"#14", "2958465", "9999-12-31", "2958465"},
		{"#14", "2958466", "2958466", "2958466"},
		{"#14", "20240105", "20240105", "20240105"},
		{"[", "1", "1", "1"},
		{`"`, "1", "1", "1"},
		{`\`, "1", "1", "1"},
	} {
		for _, epoch := range []struct{ workbook, want string }{
			{`<workbook><workbookPr date1904="0"/>`, c.want1900},
			{`<workbook><workbookPr date1904="1"/>`, c.want1904},
		} {
			f := readBook(t, workbookOf(head+`<row r="2"><c r="A2" s="0"><v>`+c.value+`</v></c><c r="B2" s="0" t="str"><v>`+c.value+`</v></c><c r="C2" s="9" t="n"><v>1</v></c></row>`, parts{
				"xl/styles.xml":   styles(c.format),
				"xl/workbook.xml": epoch.workbook + `<sheets><sheet name="一" sheetId="1" r:id="r1"/></sheets></workbook>`,
			}))
			if diff := cmp.Diff("2: "+epoch.want+"|"+c.value+"|1\n", show(rows(t, f))); diff != "" {
				t.Errorf("%s, %s (-want +got)\n%s", c.format, c.value, diff)
			}
		}
	}
}

func TestDaysOfAStrictWorkbook(t *testing.T) {
	f := readBook(t, workbookOf(head+`<row r="2"><c r="A2" t="d"><v>2024-01-05T00:00:00</v></c><c r="B2" t="d"><v>2024-01-05T10:30:00Z</v></c><c r="C2" t="d"><v>soon</v></c></row>`, nil))
	if got := show(rows(t, f)); got != "2: 2024-01-05|2024-01-05 10:30:00|soon\n" {
		t.Error(got)
	}
}

func TestMergedCells(t *testing.T) {
	title := `<row r="1"><c r="A1" t="str"><v>聊城市明细表</v></c></row>`
	heads := `<row r="2"><c r="A2" t="str"><v>a</v></c><c r="B2" t="str"><v>b</v></c><c r="C2" t="str"><v>c</v></c></row>`
	row := func(n int, cells ...string) string {
		s := fmt.Sprintf(`<row r="%d">`, n)
		for i, v := range cells {
			if v != "" {
				s += fmt.Sprintf(`<c r="%c%d" t="str"><v>%s</v></c>`, 'A'+i, n, v)
			}
		}
		return s + `</row>`
	}
	merged := func(refs ...string) string {
		s := `<mergeCells count="99">`
		for _, r := range refs {
			s += `<mergeCell ref="` + r + `"/>`
		}
		return s + `</mergeCells>`
	}
	for name, c := range map[string]struct {
		rows   string
		merges string
		want   string
	}{
		"over rows":                       {row(3, "厂", "1") + row(4, "", "2") + row(5, "", "3") + row(6, "", "4"), merged("A3:A5"), "3: 厂|1|\n4: 厂|2|\n5: 厂|3|\n6: |4|\n"},
		"over columns":                    {row(3, "厂", "", "1"), merged("A3:B3"), "3: 厂|厂|1\n"},
		"over both":                       {row(3, "厂", "", "1") + row(4, "", "", "2"), merged("A3:B4"), "3: 厂|厂|1\n4: 厂|厂|2\n"},
		"a record of two rows":            {row(3, "1", "2", "3") + row(4) + row(5, "4", "5", "6"), merged("A3:A4", "B3:B4", "C3:C4"), "3: 1|2|3\n5: 4|5|6\n"},
		"what is hidden beneath":          {row(3, "厂", "1") + row(4, "old", "2"), merged("A3:A4"), "3: 厂|1|\n4: 厂|2|\n"},
		"an empty one":                    {row(3, "", "1") + row(4, "", "2"), merged("A3:A4"), "3: |1|\n4: |2|\n"},
		"beginning in a row that is none": {row(4, "", "2"), merged("A3:A4"), "4: |2|\n"},
		"beyond the header":               {row(3, "1", "2", "3"), merged("C3:XFD3"), "3: 1|2|3\n"},
		"down to the last row":            {row(3, "厂", "1") + row(9, "", "2"), merged("A3:A1048576"), "3: 厂|1|\n9: 厂|2|\n"},
		"names that are none":             {row(3, "1", "2"), merged("A3", "", "A3:A3", "3A:B2", "B9:A1", "A0:B2", "ZZZZ1:ZZZZ9", "A3:XFE9"), "3: 1|2|\n"},
		"regions that overlap":            {row(3, "1", "2"), merged("A3:XFD9", "A3:XFD8"), "3 row_cut: 1|2\n"},
	} {
		t.Run(name, func(t *testing.T) {
			f := readBook(t, workbookOf("", parts{"xl/worksheets/sheet1.xml": `<worksheet><sheetData>` + title + heads + c.rows + `</sheetData>` +
				strings.Replace(c.merges, `"/>`, `"/><mergeCell ref="A1:C1"/>`, 1) + `</worksheet>`}))
			if diff := cmp.Diff([]string{"聊城市明细表", "聊城市明细表", "聊城市明细表"}, f.Header()); diff != "" {
				t.Error(diff)
			}
			if err := f.NextHeader(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"a", "b", "c"}, f.Header()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(c.want, show(rows(t, f))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if err := f.NextHeader(); keyOf(err) != "sheet.no_header" {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

func TestSheets(t *testing.T) {
	one := func(s string) string { return sheetOf(`<row r="1"><c r="A1" t="str"><v>` + s + `</v></c></row>`) }
	p := parts{
		"_rels/.rels": `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="/xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml": `<workbook><sheets><sheet name="空" r:id="r1"/><sheet name="藏" state="hidden" r:id="r2"/><sheet name="甲" state="visible" r:id="r3"/>` +
			`<sheet name="深" state="veryHidden" r:id="r4"/><sheet name="图" r:id="c"/><sheet name="乙" r:id="r5"/><sheet name="末" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": strings.Replace(relations("worksheets/empty.xml", "none.xml", "/xl/worksheets/A.xml", "none.xml", "worksheets/b.xml"),
			"</Rel", `<Relationship Id="c" Type="http://x/chartsheet" Target="c.xml"/></Rel`, 1),
		"xl/worksheets/empty.xml": sheetOf(`<row r="1"><c r="A1" s="1"/></row>`),
		`xl\worksheets\a.xml`:     one("甲头"),
		"xl/worksheets/b.xml":     one("乙头"),
	}
	f := readBook(t, p)
	if f.Sheet() != "甲" || !slices.Equal(f.Header(), []string{"甲头"}) || !slices.Equal(f.Hidden(), []string{"藏", "深"}) {
		t.Errorf("%s %q, hidden %q", f.Sheet(), f.Header(), f.Hidden())
	}
	if got := rows(t, f); len(got) != 0 {
		t.Error(show(got))
	}
	if more, err := f.NextSheet(); !more || err != nil || f.Sheet() != "乙" || f.Header()[0] != "乙头" {
		t.Errorf("%v, %v: %s %q", more, err, f.Sheet(), f.Header())
	}
	if more, err := f.NextSheet(); more || err != nil {
		t.Errorf("%v, %v", more, err)
	}
	if _, err := f.Next(); err != io.EOF {
		t.Error(err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	delete(p, "xl/worksheets/b.xml")
	f = readBook(t, p)
	if _, err := f.NextSheet(); keyOf(err) != "sheet.workbook_broken" {
		t.Errorf("a sheet that is missing: %v", err)
	}
}

func TestWorkbooksThatCannotBeRead(t *testing.T) {
	good := workbookOf(head+strings.Repeat(`<row><c><v>1</v></c></row>`, 1000), nil)
	whole := zipped(t, good)
	with := func(name, text string) []byte { return zipped(t, workbookOf(head, parts{name: text})) }
	compound := func(entry string) []byte {
		b := append([]byte("\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"), make([]byte, 3000)...)
		for i, c := range entry {
			b[1024+128+2*i] = byte(c)
		}
		return b
	}
	locked := slices.Clone(whole)
	for at := 0; ; at += 4 { // the flag of encryption, in the directory
		i := bytes.Index(locked[at:], []byte("PK\x01\x02"))
		if i < 0 {
			break
		}
		at += i
		locked[at+8] |= 1
	}
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"cut in half":               {whole[:len(whole)/2], "sheet.workbook_broken"},
		"cut at the end":            {whole[:len(whole)-1], "sheet.workbook_broken"},
		"another archive":           {zipped(t, parts{"名单.csv": "a,b\n1,2\n", "../../x": "y", "inner.zip": string(whole)}), "sheet.no_workbook"},
		"an archive of nothing":     {zipped(t, nil), "sheet.no_workbook"},
		"a binary workbook":         {zipped(t, parts{"_rels/.rels": `<Relationships><Relationship Id="r1" Type="http://x/officeDocument" Target="xl/workbook.bin"/></Relationships>`, "xl/workbook.bin": "x"}), "sheet.save_as_xlsx"},
		"Excel before 2007":         {compound("Workbook"), "sheet.save_as_xlsx"},
		"a password":                {compound("EncryptedPackage"), "sheet.encrypted"},
		"a password of the archive": {locked, "sheet.encrypted"},
		"no sheet":                  {with("xl/workbook.xml", `<workbook><sheets/></workbook>`), "sheet.no_header"},
		"no cells":                  {with("xl/worksheets/sheet1.xml", sheetOf("")), "sheet.no_header"},
		"blank cells":               {with("xl/worksheets/sheet1.xml", sheetOf(`<row><c t="str"><v> </v></c></row>`)), "sheet.no_header"},
		"a sheet that is missing":   {with("xl/_rels/workbook.xml.rels", relations("worksheets/sheet9.xml")), "sheet.workbook_broken"},
		"broken XML in the list":    {with("xl/workbook.xml", `<workbook><sheets><sheet`), "sheet.workbook_broken"},
		"broken XML in the strings": {with("xl/sharedStrings.xml", `<sst><si><t>&x;`), "sheet.workbook_broken"},
		"a header that is cut":      {with("xl/worksheets/sheet1.xml", `<worksheet><sheetData><row r="1"><c r="A1"`), "sheet.workbook_broken"},
		"entities":                  {with("xl/sharedStrings.xml", `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><sst><si><t>&b;</t></si></sst>`), "sheet.workbook_broken"},
		"entities in the sheet":     {with("xl/worksheets/sheet1.xml", `<!DOCTYPE x SYSTEM "file:///etc/passwd">`+sheetOf(head)), "sheet.workbook_broken"},
		"another encoding":          {with("xl/workbook.xml", `<?xml version="1.0" encoding="GBK"?><workbook/>`), "sheet.workbook_broken"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes("a.xlsx", c.file)
			if keyOf(err) != c.want || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}

// A sheet that its writer did not finish, in an archive that is whole: what stands before the place is read, and the place is told. Bytes
// that were altered on the way are another matter: they unpack to anything.
func TestASheetThatBreaksOffKeepsTheRowsBefore(t *testing.T) {
	var b strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&b, `<row r="%d"><c r="A%d"><v>%d</v></c></row>`, i+2, i+2, i*7919%10_007)
	}
	sheet := sheetOf(head + b.String())
	all := rows(t, readBook(t, workbookOf("", parts{"xl/worksheets/sheet1.xml": sheet[:len(sheet)/2]})))
	if n := len(all); n < 5000 || n > 15_000 || all[n-1].Fault != RowCut || all[n-1].Line != n+1 || slices.ContainsFunc(all[:n-1], func(r Row) bool { return r.Fault != "" }) {
		t.Errorf("%d rows, the last %s", n, show(all[n-1:]))
	}
	whole := zipped(t, workbookOf("", parts{"xl/worksheets/sheet1.xml": sheet}))
	at := bytes.Index(whole, []byte("xl/worksheets/sheet1.xml"))
	for shift := 100; shift < 20_000; shift += 997 {
		altered := bytes.Clone(whole)
		altered[at+shift] ^= 0x10
		if _, err := openBytes("a.xlsx", altered); keyOf(err) != "sheet.workbook_broken" {
			t.Errorf("altered %d bytes on: %v", shift, err)
		}
	}
}

func TestEntriesThatShareBytesAreRefused(t *testing.T) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	text := []byte(sheetOf(head))
	for _, name := range []string{"xl/worksheets/sheet1.xml", "xl/worksheets/sheet2.xml"} {
		w, err := z.CreateRaw(&zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(text), CompressedSize64: uint64(len(text)), UncompressedSize64: uint64(len(text))})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	b := out.Bytes()
	second := bytes.LastIndex(b, []byte("PK\x01\x02"))
	copy(b[second+42:second+46], []byte{0, 0, 0, 0}) // its local header is the first one's
	if _, err := openBytes("a.xlsx", b); keyOf(err) != "sheet.workbook_broken" {
		t.Errorf("%v", err)
	}
}

// bomb packs n bytes of one text in an entry, without making them all.
func bomb(t *testing.T, name string, p parts, before, again string, n int) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for part, text := range p {
		if part == name {
			continue
		}
		w, err := z.Create(part)
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	chunk := []byte(strings.Repeat(again, 1<<20/len(again)))
	_, err = io.WriteString(w, before)
	for done := 0; done < n && err == nil; done += len(chunk) {
		_, err = w.Write(chunk)
	}
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBombsAreRefused(t *testing.T) {
	const sheet = "xl/worksheets/sheet1.xml"
	p := workbookOf(head, nil)
	for name, file := range map[string][]byte{
		"a sheet of blanks":           bomb(t, sheet, p, "<worksheet>", " ", 2<<20),
		"a sheet of rows alike":       bomb(t, sheet, p, "<worksheet><sheetData>"+head, "<row></row>", 70<<20),
		"a list of sheets":            bomb(t, "xl/workbook.xml", p, "<workbook>", "<a/>", 66<<20),
		"a shared string":             bomb(t, "xl/sharedStrings.xml", p, "<sst><si><t>", "x", 2<<20),
		"a shared string in pieces":   bomb(t, "xl/sharedStrings.xml", p, "<sst><si>", "<t>"+strings.Repeat("x", 1<<10)+"</t>", 2<<20),
		"a comment":                   bomb(t, "xl/workbook.xml", p, "<!--", "x", 2<<20),
		"an attribute":                bomb(t, "xl/workbook.xml", p, "<workbook x='", "x", 2<<20),
		"styles":                      bomb(t, "xl/styles.xml", p, "<styleSheet><cellXfs>", "<xf/>", 1<<20),
		"merged cells without an end": bomb(t, sheet, p, sheetOf(head), `<mergeCell ref="A1:B1"/>`, 26<<20),
	} {
		t.Run(name, func(t *testing.T) {
			f, err := openBytes("a.xlsx", file)
			if err == nil {
				for err == nil {
					_, err = f.Next()
				}
			}
			if keyOf(err) != "sheet.workbook_large" {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestARowThatIsTooLong(t *testing.T) {
	text := strings.Repeat("长", 32_000)
	shared := parts{"xl/sharedStrings.xml": "<sst><si><t>" + text + "</t></si></sst>"}
	var cells, inline strings.Builder
	for range 20 {
		cells.WriteString(`<c t="s"><v>0</v></c>`)
		inline.WriteString(`<c t="inlineStr"><is><t>` + text + `</t></is></c>`)
	}
	f := readBook(t, workbookOf(head+`<row>`+cells.String()+`</row><row>`+inline.String()+`</row><row><c><v>1</v></c></row>`, shared))
	all := rows(t, f)
	if len(all) != 3 || all[0].Fault != RowLong || all[1].Fault != RowLong || all[2].Fault != "" {
		t.Fatalf("%d rows", len(all))
	}
	for _, r := range all[:2] {
		if n := len(strings.Join(r.Fields, "")); n == 0 || n > recordMax {
			t.Errorf("%d bytes are given", n)
		}
	}
}

// A workbook that another program wrote: excelize, with all kinds of cells.
func TestAWorkbookOfAnotherProgram(t *testing.T) {
	x := excelize.NewFile()
	defer x.Close()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	day, err := x.NewStyle(&excelize.Style{NumFmt: 14})
	must(err)
	must(x.SetSheetName("Sheet1", "名单"))
	must(x.SetCellStr("名单", "A1", "聊城市技能证书明细表"))
	must(x.MergeCell("名单", "A1", "E1"))
	must(x.SetSheetRow("名单", "A2", &[]any{"证件号码", "姓名", "发证日期", "金额", "有效"}))
	must(x.SetSheetRow("名单", "A3", &[]any{"371502199001010110", "王甲", 45296, 12.5, true}))
	must(x.SetCellStyle("名单", "C3", "C4", day))
	must(x.SetSheetRow("名单", "A4", &[]any{371502199001010110, "李乙", 45297.5, 1e3, false}))
	must(x.SetCellFormula("名单", "D5", "SUM(D3:D4)"))
	_, err = x.NewSheet("藏")
	must(err)
	must(x.SetCellStr("藏", "A1", "x"))
	must(x.SetSheetVisible("藏", false))
	path := filepath.Join(t.TempDir(), "名单.xlsx")
	must(x.SaveAs(path))
	f, err := Open(path, Options{Encoding: "GBK", Delimiter: ';'})
	must(err)
	defer f.Close()
	must(f.NextHeader())
	if got := strings.Join(f.Header(), "|"); got != "证件号码|姓名|发证日期|金额|有效" {
		t.Error(got)
	}
	want := "3: 371502199001010110|王甲|2024-01-05|12.5|true\n4: 3.71502E+17|李乙|2024-01-06 12:00:00|1000|false\n5 row_formula: ||||\n"
	if diff := cmp.Diff(want, show(rows(t, f))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !slices.Equal(f.Hidden(), []string{"藏"}) {
		t.Errorf("hidden %q", f.Hidden())
	}
}

// naughty are strings that break software: those of the reference data, and a few of our own.
func naughty(t testing.TB) []string {
	t.Helper()
	all := []string{"", " ", "=1+1", "_x0041_", "_x000D_", "a\tb", "a\nb", "a\"b", "<b>&amp;", "𠂇", "\u202Etest", "'; DROP TABLE x", "1E5", "0x10", "NaN", "００７", "\u200B", "\uFEFFx", "é", "👩‍👩‍👧", "]]>"}
	b, err := os.ReadFile(filepath.Join(os.Getenv("BOLE_REFDATA"), "bad-input", "blns.json"))
	if errors.Is(err, os.ErrNotExist) {
		return all
	}
	var more []string
	if err := errors.Join(err, json.Unmarshal(b, &more)); err != nil {
		t.Fatal(err)
	}
	return append(all, more...)
}

// unwritable is what XML cannot hold: the library that writes workbooks makes U+FFFD of it, so that the row comes back as garbled.
func unwritable(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

func TestNaughtyStringsComeBackFromAWorkbook(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.xlsx")
	wb, err := NewWorkbook(path)
	if err != nil {
		t.Fatal(err)
	}
	sw, err := wb.Sheet("一", []string{"a", "b"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all := naughty(t)
	for _, s := range all {
		if err := sw.Write([]string{"x", s}); err != nil {
			t.Fatal(err)
		}
	}
	if err := wb.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got := rows(t, f)
	if len(got) != len(all) {
		t.Fatalf("%d rows of %d", len(got), len(all))
	}
	for i, want := range all {
		fault := ""
		if strings.ContainsFunc(want, unwritable) || strings.ContainsRune(want, utf8.RuneError) {
			want, fault = strings.Map(func(r rune) rune {
				if unwritable(r) {
					return utf8.RuneError
				}
				return r
			}, want), RowEncoding
		}
		if got[i].Fields[1] != want || got[i].Fault != fault {
			t.Errorf("%q became %q, fault %q", want, got[i].Fields[1], got[i].Fault)
		}
	}
}

func TestNaughtyStringsComeBackFromCSV(t *testing.T) {
	var out bytes.Buffer
	w := NewCSV(&out, "UTF-8", ',')
	all := naughty(t)
	for _, row := range append([]string{"头"}, all...) {
		if err := w.Write([]string{"x", row}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got := rows(t, read(t, out.String()))
	if len(got) != len(all) {
		t.Fatalf("%d rows of %d", len(got), len(all))
	}
	for i, want := range all {
		if got[i].Fields[1] != want || (got[i].Fault != "") != garbled(want) {
			t.Errorf("%q became %q, fault %q", want, got[i].Fields[1], got[i].Fault)
		}
	}
}

func FuzzXLSX(f *testing.F) {
	f.Add(head+`<row r="2"><c r="A2" t="s"><v>0</v></c><c r="B2" s="0"><v>45296</v></c></row>`, `<sst><si><t>x</t></si></sst>`, `<styleSheet><cellXfs><xf numFmtId="14"/></cellXfs></styleSheet>`, `<mergeCell ref="A1:B2"/>`)
	f.Add(`<row><c t="inlineStr"><is><t>_x0041_</t></is></c></row><row r="9"><c r="B9"><f/></c></row>`, `<sst/>`, styles("yyyy"), ``)
	f.Fuzz(func(t *testing.T, cells, shared, formats, merges string) {
		for _, file := range [][]byte{
			zipped(t, workbookOf("", parts{"xl/worksheets/sheet1.xml": "<worksheet><sheetData>" + cells + "</sheetData>" + merges, "xl/sharedStrings.xml": shared, "xl/styles.xml": formats})),
			append([]byte("PK\x03\x04"), cells...),
		} {
			soundOrRefused(t, "a.xlsx", file)
		}
	})
}

// soundOrRefused reads a file whatever it holds: it is refused, or its rows keep what Row and Next promise.
func soundOrRefused(t *testing.T, name string, file []byte) {
	t.Helper()
	f, err := openBytes(name, file)
	if err != nil {
		if fault.KindOf(err) != fault.Invalid {
			t.Fatal(err)
		}
		return
	}
	line := 1
	for {
		row, err := f.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			break
		}
		if row.Line <= line {
			t.Fatalf("line %d after line %d", row.Line, line)
		}
		line = row.Line
		if row.Fault == "" && len(row.Fields) != len(f.Header()) {
			t.Fatalf("%d fields in a sound row, %d in the header", len(row.Fields), len(f.Header()))
		}
		for _, s := range row.Fields {
			if !utf8.ValidString(s) || row.Fault == "" && garbled(s) {
				t.Fatalf("fault %q with field %q", row.Fault, s)
			}
		}
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkXLSX(b *testing.B) {
	path := filepath.Join(b.TempDir(), "a.xlsx")
	wb, err := NewWorkbook(path)
	if err != nil {
		b.Fatal(err)
	}
	sw, err := wb.Sheet("一", strings.Split("a,b,c,d,e,f,g,h,i,j,k,l", ","), nil)
	if err != nil {
		b.Fatal(err)
	}
	line := strings.Split(sample, ",")
	for range 20_000 {
		if err := sw.Write(line); err != nil {
			b.Fatal(err)
		}
	}
	if err := wb.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		f, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		for row, err := f.Next(); err == nil; row, err = f.Next() {
			if row.Fault != "" {
				b.Fatal(row.Fault)
			}
			n++
		}
		if err := f.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
}
