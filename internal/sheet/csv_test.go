package sheet

import (
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
)

// utf16Of is a text in UTF-16, without a mark.
func utf16Of(s string, big bool) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(s)) {
		low, high := byte(u), byte(u>>8)
		if big {
			low, high = high, low
		}
		b.WriteByte(low)
		b.WriteByte(high)
	}
	return b.String()
}

func TestUTF16WithoutAMark(t *testing.T) {
	for _, text := range []string{
		"a,b\n1,2\n",
		"姓名,身份证号\r\n张三,371502199001010110\r\n",
		"姓名\n一上一\n", // characters whose lower byte is zero or a line end
		"姓名;单位\n" + strings.Repeat("上官一;上海一中上海分校\n", 50),
	} {
		for big, want := range map[bool]string{false: "UTF-16LE", true: "UTF-16BE"} {
			f := read(t, utf16Of(text, big))
			if diff := cmp.Diff(show(rows(t, read(t, text))), show(rows(t, f))); f.Encoding() != want || diff != "" {
				t.Errorf("%.20q is %s, want %s (-want +got)\n%s", text, f.Encoding(), want, diff)
			}
		}
	}
	// Zero bytes alone do not make UTF-16 of a text.
	for _, text := range []string{"a,b\n1,\x00\n3,4\n", "a,b\n1\x00,2\x00\n3,4\n5,6\n7,8\n", "a,b\n" + strings.Repeat("x\x00\x00\x00,123\n", 9)} {
		if f := read(t, text); f.Encoding() != "UTF-8" {
			t.Errorf("%q is %s", text, f.Encoding())
		}
	}
}

func TestHalvesOfCharactersInUTF16(t *testing.T) {
	text := utf16Of("a,b\nx,", false) + "\x40\xd8" + utf16Of("y\n𠀀,2\n", false) + "\x01\xdc" + utf16Of(",3\n", false)
	if got := show(rows(t, read(t, text))); got != "2 row_encoding: x|\uFFFDy\n3: 𠀀|2\n4 row_encoding: \uFFFD|3\n" {
		t.Errorf("%q", got)
	}
	if got := show(rows(t, read(t, utf16Of("a,b\n1,2\n3,", false)+"\x34"))); got != "2: 1|2\n3 row_cut: 3|\uFFFD\n" {
		t.Errorf("cut in a character: %q", got)
	}
}

func TestWhatIsStatedIsNotDoubted(t *testing.T) {
	for _, c := range []struct {
		text string
		how  Options
		want string // encoding, delimiter, rows
	}{
		{"\xd0\xd5,b\n1,2\n", Options{Encoding: "GBK"}, "GB18030 , 2: 1|2\n"},
		{"\xd0\xd5,b\n1,\xd5\xc5\n", Options{Encoding: "utf-8"}, "UTF-8 , 2 row_encoding: 1|\uFFFD\n"},
		{"\uFEFFa,b\n张,2\n", Options{Encoding: "UTF-8-BOM"}, "UTF-8 , 2: 张|2\n"},
		{"\xff\xfe" + utf16Of("a,b\n张,2\n", false), Options{Encoding: "UTF-16LE"}, "UTF-16LE , 2: 张|2\n"},
		{"a;b,c\n1;2,3\n", Options{Delimiter: ';'}, "UTF-8 ; 2: 1|2,3\n"},
		{"a^b\n1^\"2^\"\n", Options{Delimiter: '^'}, "UTF-8 ^ 2: 1|2^\n"},
		{"姓名,b\n\u00e9,2\n", Options{Encoding: "GB2312"}, "GB18030 , 2: 茅|2\n"},
	} {
		f, err := readCSV("a.csv", strings.NewReader(c.text), c.how)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Encoding() + " " + string(f.Delimiter()) + " " + show(rows(t, f)); got != c.want {
			t.Errorf("%q as %v: %q, want %q", c.text, c.how, got, c.want)
		}
	}
	for _, c := range []struct {
		how  Options
		want string
	}{
		{Options{Encoding: "BIG5"}, "sheet.encoding_unknown"}, {Options{Delimiter: '，'}, "sheet.delimiter_unknown"}, {Options{Delimiter: '"'}, "sheet.delimiter_unknown"},
		{Options{Delimiter: '\n'}, "sheet.delimiter_unknown"}, {Options{Delimiter: -1}, "sheet.delimiter_unknown"},
	} {
		if _, err := readCSV("a.csv", strings.NewReader("a\n"), c.how); keyOf(err) != c.want {
			t.Errorf("%v: %v", c.how, err)
		}
	}
}

func TestTitleLines(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		titles int
		want   string // headings, then rows
	}{
		"one":                               {"聊城市技能证书明细表\n姓名,号码\n张三,1\n", 1, "姓名|号码\n3: 张三|1\n"},
		"one, with the delimiters of Excel": {"聊城市技能证书明细表,,\n姓名,号码,\n张三,1,\n", 1, "姓名|号码|\n3: 张三|1|\n"},
		"two, and empty lines":              {"明细表\n\n制表：某某局，2024年\n,,\n\n姓名;号码\n张三;1\n李四;2;3\n", 2, "姓名|号码\n7: 张三|1\n8 row_fields: 李四|2|3\n"},
		"with another delimiter":            {"单位：甲,乙,丙\n姓名\t号码\n张三\t1\n", 1, "姓名|号码\n3: 张三|1\n"},
		"in marks, over two lines":          {"\"明细\n表\"\n姓名|号码\n张三|1\n", 1, "姓名|号码\n4: 张三|1\n"},
		"with CR alone":                     {"明细表\r姓名,号码\r张三,1\r", 1, "姓名|号码\n3: 张三|1\n"},
		"rows of empty fields before it":    {",,\n,,\n姓名,号码\n张三,1\n", 0, "姓名|号码\n4: 张三|1\n"},
	} {
		f := read(t, c.text)
		for range c.titles {
			if err := f.NextHeader(); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(f.Header(), "|")+"\n"+show(rows(t, f))); diff != "" {
			t.Errorf("%s (-want +got)\n%s", name, diff)
		}
		if err := f.NextHeader(); keyOf(err) != "sheet.no_header" {
			t.Errorf("%s: after the end: %v", name, err)
		}
		if more, err := f.NextSheet(); more || err != nil || f.Format() != "CSV" || f.Sheet() != "" || f.Hidden() != nil {
			t.Errorf("%s: a CSV file has sheets", name)
		}
	}
	f, err := readCSV("a.csv", strings.NewReader("明细表\na,b;c\n1,2;3\n"), Options{Delimiter: ';'})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.NextHeader(); err != nil || f.Delimiter() != ';' || len(f.Header()) != 2 {
		t.Errorf("the stated delimiter was detected anew: %q, %v", f.Delimiter(), err)
	}
}

func TestExtremesOfCSV(t *testing.T) {
	columns := strings.Repeat("a,", 100_000) + "a\n"
	f := read(t, columns+strings.ReplaceAll(columns, "a", "1"))
	if all := rows(t, f); len(f.Header()) != 100_001 || len(all) != 1 || all[0].Fault != "" || len(all[0].Fields) != 100_001 {
		t.Errorf("%d columns, %d rows", len(f.Header()), len(all))
	}
	f = read(t, "a,b\n1,"+strings.Repeat("x", 50<<20)+"\n3,4\n")
	if all := rows(t, f); len(all) != 2 || all[0].Fault != RowLong || all[1].Fault != "" {
		t.Errorf("a line of 50 MiB: %d rows", len(all))
	}
	f = read(t, "a,b\n\""+strings.Repeat("x,1\n", 1<<20)+"3,4\n")
	if all := rows(t, f); len(all) != 1<<20+1 || all[0].Fault != RowQuote || all[len(all)-1].Fault != "" {
		t.Errorf("a mark that is not closed in 4 MiB: %d rows", len(all))
	}
}
