package sheet

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"bole/internal/fault"
)

// rows reads all rows of a file.
func rows(t testing.TB, f *File) []Row {
	t.Helper()
	var all []Row
	for {
		row, err := f.Next()
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, row)
	}
}

func read(t testing.TB, text string) *File {
	t.Helper()
	f, err := readCSV("a.csv", strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// show writes rows as "2: 1|x" or "2 row_cut: 1|x", one a line.
func show(all []Row) string {
	var b strings.Builder
	for _, r := range all {
		fmt.Fprintf(&b, "%d%s: %s\n", r.Line, strings.TrimRight(" "+r.Fault, " "), strings.Join(r.Fields, "|"))
	}
	return b.String()
}

func TestRows(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"plain":                                {"a,b\n1,2\n3,4\n", "2: 1|2\n3: 3|4\n"},
		"no newline at the end":                {"a,b\n1,2\n3,4", "2: 1|2\n3: 3|4\n"},
		"CRLF":                                 {"a,b\r\n1,2\r\n\r\n3,\"4\"\r\n", "2: 1|2\n4: 3|4\n"},
		"CR twice before LF":                   {"a,b\r\r\n1,\"2\"\r\r\n", "2: 1|2\n"},
		"CR alone":                             {"a,b\r1,2\r\r\"x\ry\",4\r5,6", "2: 1|2\n4: x\ry|4\n6: 5|6\n"},
		"a CR inside a field stays":            {"a,b\n1\r1,2\n", "2: 1\r1|2\n"},
		"empty lines are passed over":          {"\n\r\na,b\n\n1,2\n\n\n3,4\n\n", "5: 1|2\n8: 3|4\n"},
		"empty fields are a row":               {"a,b\n,\n\"\",\"\"\n", "2: |\n3: |\n"},
		"one column, quoted empty":             {"a\n\"\"\nx\n", "2: \n3: x\n"},
		"blanks stay":                          {"a,b\n 1 ,\u30002\n", "2:  1 |\u30002\n"},
		"doubled marks":                        {"a,b\n1,\"ha \"\"ha\"\"\"\n\"\"\"\",\"\"\"x\"\n", "2: 1|ha \"ha\"\n3: \"|\"x\n"},
		"a delimiter in marks":                 {"a,b\n\"1,1\",2\n", "2: 1,1|2\n"},
		"line breaks in marks count lines":     {"a,b\n\"1\n\n1\",2\n3,\"4\r\n4\"\n5,6\n", "2: 1\n\n1|2\n5: 3|4\r\n4\n7: 5|6\n"},
		"marks inside a bare field":            {"a,b\n12\" pipe,5'3\"\n", "2: 12\" pipe|5'3\"\n"},
		"fewer fields":                         {"a,b,c\n1,2\n3,4,5\n", "2 row_fields: 1|2\n3: 3|4|5\n"},
		"more fields":                          {"a,b\n1,2,3\n\"1\",2,3\n4,5\n", "2 row_fields: 1|2|3\n3 row_fields: 1|2|3\n4: 4|5\n"},
		"more fields over several lines":       {"a,b\n\"x\ny\",2,3\n4,5\n", "2 row_fields: x\ny|2|3\n4: 4|5\n"},
		"cut between fields":                   {"a,b,c\n1,2,3\n4,5", "2: 1|2|3\n3 row_cut: 4|5\n"},
		"cut in a field":                       {"a,b,c\n1,2,3\n4", "2: 1|2|3\n3 row_cut: 4\n"},
		"cut in marks":                         {"a,b,c\n1,2,3\n4,\"op", "2: 1|2|3\n3 row_cut: 4|op\n"},
		"cut in marks after a newline":         {"a,b,c\n1,2,3\n4,\"op\nen", "2: 1|2|3\n3 row_cut: 4|op\nen\n"},
		"cut in a character":                   {"姓名,b\n张三,2\n李四,\xe7\x8e", "2: 张三|2\n3 row_cut: 李四|\uFFFD\n"},
		"something after the closing mark":     {"a,b\n\"1\"x,2\n3,4\n", "2 row_quote: \"1\"x|2\n3: 3|4\n"},
		"a stray mark before sound rows":       {"a,b\n1,\"x\n3,4\n5,6\n", "2 row_quote: 1|\"x\n3: 3|4\n4: 5|6\n"},
		"a stray mark before a quoted field":   {"a,b\n1,\"x\n3,4\n5,\"6\"\n7,8\n", "2 row_quote: 1|\"x\n3: 3|4\n4: 5|6\n5: 7|8\n"},
		"a stray mark, then a field of lines":  {"a,b\n1,\"x\n3,\"4\n4\"\n5,6\n", "2 row_quote: 1|\"x\n3: 3|4\n4\n5: 5|6\n"},
		"a broken field of several lines":      {"a,b\n1,\"x\ny \"z\",2\n5,6\n", "2 row_quote: 1|\"x\n3 row_quote: y \"z\"|2\n4: 5|6\n"},
		"two stray marks":                      {"a,b\n\"1,2\n\"3,4\n5,6\n", "2 row_quote: \"1|2\n3 row_quote: \"3|4\n4: 5|6\n"},
		"bytes that are no text":               {"姓名,b\n张\xff,2\n李四,4\n王五,3\n", "2 row_encoding: 张\uFFFD|2\n3: 李四|4\n4: 王五|3\n"},
		"bytes that are no text, quoted":       {"姓名,b\n\"张\xff\",2\n李四,4\n", "2 row_encoding: 张\uFFFD|2\n3: 李四|4\n"},
		"U+FFFD":                               {"a,b\n1,\uFFFD\n3,4\n", "2 row_encoding: 1|\uFFFD\n3: 3|4\n"},
		"NUL":                                  {"a,b\n1,\x00\n3,4\n", "2 row_encoding: 1|\x00\n3: 3|4\n"},
		"semicolons":                           {"a;b\n1,5;2\n", "2: 1,5|2\n"},
		"tabs":                                 {"a\tb,c\td\n1\t2\t3\n", "2: 1|2|3\n"},
		"bars":                                 {"a|b\n1|2\n", "2: 1|2\n"},
		"delimiters in a quoted heading":       {"\"a;;;;\",b\n1,2\n", "2: 1|2\n"},
		"a heading of two lines":               {"\"a\nx\";b;c\n1;2;3\n", "3: 1|2|3\n"},
		"UTF-8 with a mark":                    {"\uFEFF姓名,b\n张三,2\n", "2: 张三|2\n"},
		"UTF-8 with a mark and a quoted field": {"\uFEFF\"a\",b\n1,2\n", "2: 1|2\n"},
		"UTF-16LE":                             {"\xff\xfea\x00\t\x00b\x00\n\x00\x20\x5f\t\x002\x00\n\x00", "2: 张|2\n"},
		"UTF-16BE":                             {"\xfe\xff\x00a\x00\t\x00b\x00\n\x5f\x20\x00\t\x002\x00\n", "2: 张|2\n"},
		"GB18030":                              {"\xd0\xd5\xc3\xfb,b\n\xd5\xc5\xc8\xfd,2\n", "2: 张三|2\n"},
		"GB18030, four bytes":                  {"\xd0\xd5\xc3\xfb,b\n\xd5\xc5\x95\x32\x82\x36,2\n", "2: 张𠀀|2\n"},
		"GB18030, a delimiter as second byte":  {"\xd0\xd5\xc3\xfb|b\n\x81\x7c|2\n", "2: 亅|2\n"},
		"GB18030, a byte that is none":         {"\xd0\xd5\xc3\xfb,b\n\xd5\xff,2\n\xd5\xc5,4\n", "2 row_encoding: \uFFFD\uFFFD|2\n3: 张|4\n"},
		"GB18030, cut in a character":          {"\xd0\xd5\xc3\xfb,b\n\xd5\xc5,\xc8", "2 row_cut: 张|\uFFFD\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(c.want, show(rows(t, read(t, c.text)))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			// However few bytes come at a time, the rows are the same.
			f, err := readCSV("a.csv", iotest.OneByteReader(strings.NewReader(c.text)), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, show(rows(t, f))); diff != "" {
				t.Errorf("byte by byte (-want +got)\n%s", diff)
			}
		})
	}
}

func TestHeader(t *testing.T) {
	f := read(t, "\u3000姓名\u3000;\" 身份证号 \";\uFEFF手机;手机;\n")
	if diff := cmp.Diff([]string{"姓名", "身份证号", "手机", "手机", ""}, f.Header()); diff != "" {
		t.Error(diff)
	}
	if f.Encoding() != "UTF-8" || f.Delimiter() != ';' {
		t.Errorf("encoding %s, delimiter %q", f.Encoding(), f.Delimiter())
	}
	for text, want := range map[string]string{
		"a,b\n": "UTF-8", "\uFEFFa\n": "UTF-8", "姓\n": "UTF-8", "\xd0\xd5\xc3\xfb\n": "GB18030", "\xff\xfea\x00": "UTF-16LE", "\xfe\xff\x00a": "UTF-16BE",
	} {
		if got := read(t, text).Encoding(); got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestFilesWithoutHeaderOrOfAnotherFormat(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"a.csv", "", "sheet.no_header"},
		{"a.csv", "\uFEFF", "sheet.no_header"},
		{"a.csv", "\n\r\n\n", "sheet.no_header"},
		{"a.csv", ",,\u3000,\n\n,,\n", "sheet.no_header"},
		{"a.csv", "\"a,b\n", "sheet.no_header"},
		{"a.csv", "\"a\"x,b\n1,2\n", "sheet.no_header"},
		{"a.csv", strings.Repeat("a,", recordMax), "sheet.no_header"},
		{"a.xlsx", "a,b\n", "sheet.format_unknown"},
		{"a.XLS", "a,b\n", "sheet.format_unknown"},
		{"a.parquet", "a,b\n", "sheet.format_unknown"},
		{"a.csv", "PK\x03\x04\x14\x00", "sheet.workbook_broken"},
		{"a.csv", "PAR1\x15", "sheet.parquet_broken"},
		{"a.csv", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "sheet.save_as_xlsx"},
		{"a.csv", "PARE\x15", "sheet.encrypted"},
		{"a.csv", "%PDF-1.7", "sheet.format_unknown"},
	} {
		_, err := Read(c.name, strings.NewReader(c.text), int64(len(c.text)), Options{})
		var e *fault.E
		if !errors.As(err, &e) || e.Key != c.want || e.Kind != fault.Invalid || e.Args["file"] != c.name {
			t.Errorf("%s %.20q: %v, want %s", c.name, c.text, err, c.want)
		}
	}
	for _, name := range []string{"a", "A.CSV", "a.txt", "人员.tsv"} {
		if _, err := Read(name, strings.NewReader("a,b\n"), 4, Options{}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "a.csv")
	if err := os.WriteFile(name, []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(name, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := show(rows(t, f)); got != "2: 1|2\n" {
		t.Error(got)
	}
	if _, err := f.Next(); err != io.EOF {
		t.Errorf("after the end: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "b.csv"), Options{}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Open(dir, Options{}); err == nil {
		t.Error("a folder was opened")
	}
}

func TestReadersErrorIsNoEndOfFile(t *testing.T) {
	gone := errors.New("the line is down")
	for _, text := range []string{"a,b\n1,2\n3,", "a,b\n1,2\n\"3\n", "a,b\n1,2\n"} {
		// More than the head, so that the error comes while rows are read.
		long := "a,b\n" + strings.Repeat("1,2\n", headSize/4) + text
		f, err := readCSV("a.csv", io.MultiReader(strings.NewReader(long), iotest.ErrReader(gone)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for err == nil {
			_, err = f.Next()
			n++
		}
		if !errors.Is(err, gone) || n != headSize/4+3 {
			t.Errorf("%d rows, then %v", n-1, err)
		}
	}
	if _, err := readCSV("a.csv", iotest.ErrReader(gone), Options{}); !errors.Is(err, gone) {
		t.Errorf("at the beginning: %v", err)
	}
}

// The encoding is decided by the first MiB. A character that lies across its edge must not count against UTF-8, and what comes
// later is a bad row, not another encoding.
func TestEncodingIsDecidedOnce(t *testing.T) {
	for shift := range 4 {
		head := "a,b\n" + strings.Repeat("x", shift) + ",1\n"
		line := "张三李四王五,22222\n"
		text := head + strings.Repeat(line, headSize/len(line)+10)
		f := read(t, text+"\xd5\xc5,1\n"+line)
		all := rows(t, f)
		if f.Encoding() != "UTF-8" || len(all) != headSize/len(line)+13 {
			t.Fatalf("shift %d: %s, %d rows", shift, f.Encoding(), len(all))
		}
		for i, r := range all {
			if want := map[bool]string{true: RowEncoding}[i == len(all)-2]; r.Fault != want {
				t.Fatalf("shift %d: row of line %d has fault %q, want %q", shift, r.Line, r.Fault, want)
			}
		}
	}
}

func TestLongLinesAndRecordsStayBounded(t *testing.T) {
	long := strings.Repeat("x", 3*recordMax)
	f := read(t, "a,b\n1,2\n3,"+long+"\n5,6\n")
	all := rows(t, f)
	if len(all) != 3 || all[1].Fault != RowLong || all[1].Line != 3 || all[1].Fields[0] != "3" || len(all[1].Fields[1]) != recordMax-2 {
		t.Errorf("%d rows, the second %q in line %d", len(all), all[1].Fault, all[1].Line)
	}
	if r := all[2]; r.Fault != "" || r.Line != 4 || r.Fields[1] != "6" {
		t.Errorf("after the long line: %.80q", show(all[2:]))
	}
	if buf := f.from.(*records).buf; len(buf) > recordMax {
		t.Errorf("%d bytes are held", len(buf))
	}
	// A stray mark swallows neither the file nor the time: each of these lines leaves a field open.
	n := 4 * recordMax / len("b\",\"\"\",\n")
	all = rows(t, read(t, "a,b\n"+strings.Repeat("b\",\"\"\",\n", n)+"3,4\n"))
	if len(all) != n+1 || all[n].Fault != "" || all[0].Fault != RowQuote || all[n-1].Fault != RowQuote {
		t.Errorf("%d rows, want %d; the last: %s", len(all), n+1, show(all[len(all)-1:]))
	}
}

func TestRowsMayBeKept(t *testing.T) {
	f := read(t, "a,b\n1,2\n\"3\",4\n5,6\n")
	if got := show(rows(t, f)); got != "2: 1|2\n3: 3|4\n4: 5|6\n" {
		t.Error(got)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a,b\n1,\"2\n3,4\n\"5\"x,6", "\xff\xfea\x00,\x00", "\xd0\xd5\xc3\xfb|b\n\x81\x7c|2", "a\r\"b\rc\"\r\r", "a;b\n\"\"\"\n\"\n;;\n\"\"", "\uFEFFa\n\x00\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := readCSV("a.csv", bytes.NewReader(text), Options{})
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Fatal(err)
			}
			return
		}
		line := 1
		for {
			row, err := file.Next()
			if err == io.EOF {
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if row.Line <= line || row.Line > len(text)+1 {
				t.Fatalf("line %d after line %d of %d bytes", row.Line, line, len(text))
			}
			line = row.Line
			if row.Fault == "" && len(row.Fields) != len(file.Header()) {
				t.Fatalf("%d fields in a sound row, %d in the header", len(row.Fields), len(file.Header()))
			}
			for _, s := range row.Fields {
				if s != strings.ToValidUTF8(s, "") || row.Fault == "" && strings.ContainsAny(s, "\x00\uFFFD") {
					t.Fatalf("fault %q with field %q", row.Fault, s)
				}
			}
		}
	})
}

// What CSVWriter writes is read back the same, whatever stands in the fields.
func FuzzWriteRead(f *testing.F) {
	f.Add("a", "b\"c", "\r\n", "张三", true)
	f.Add("", "", "", "\"", false)
	f.Fuzz(func(t *testing.T, a, b, c, d string, crlf bool) {
		for _, encoding := range []string{"UTF-8", "UTF-8-BOM", "GB18030"} {
			var out bytes.Buffer
			w := NewCSV(&out, encoding, ',')
			w.CRLF = crlf
			want := []string{a, b, c, d}
			for _, row := range [][]string{{"姓名", "x", "y", "z"}, want, {"1", "2", "3", "4"}} {
				if err := w.Write(row); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			// A private character may have two spellings in GB18030, and a field that ends a line loses nothing but a CR before LF.
			if encoding == "GB18030" && strings.ContainsFunc(a+b+c+d, private) {
				continue
			}
			file, err := readCSV("a.csv", &out, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if encoding == "GB18030" && file.Encoding() != encoding {
				continue // the fields happened to be UTF-8 as well
			}
			all := rows(t, file)
			for i := range want {
				want[i] = strings.ToValidUTF8(want[i], "\uFFFD")
			}
			if len(all) != 2 || !slices.Equal(all[0].Fields, want) {
				t.Fatalf("%s: wrote %q, read\n%s", encoding, want, show(all))
			}
		}
	})
}

func private(r rune) bool { return r >= 0xE000 && r <= 0xF8FF }

// sample is one row of a register, for what reads and writes many of it. Its numbers are invented.
const sample = "110101199003070011,张三丰,13800000000,2024-01-05,202401,某某科技有限公司,91330100MA27X4A30A,本科,15000,0,在职,备注"

func BenchmarkRead(b *testing.B) {
	for name, line := range map[string]string{
		"bare":   sample + "\n",
		"quoted": `"` + strings.ReplaceAll(strings.TrimSuffix(sample, "注"), ",", `","`) + "\n注\"\n",
	} {
		for _, encoding := range []string{"UTF-8", "GB18030"} {
			b.Run(name+"/"+encoding, func(b *testing.B) {
				var out bytes.Buffer
				w := NewCSV(&out, encoding, ',')
				if err := errors.Join(w.Write(strings.Split("a,b,c,d,e,f,g,h,i,j,k,张三", ",")), w.Flush()); err != nil {
					b.Fatal(err)
				}
				text := []byte(strings.Repeat(line, 100_000))
				if encoding == "GB18030" {
					var err error
					if text, err = gb18030(text); err != nil {
						b.Fatal(err)
					}
				}
				text = append(out.Bytes(), text...)
				b.SetBytes(int64(len(text)))
				b.ReportAllocs()
				n := 0
				for b.Loop() {
					f, err := readCSV("a.csv", bytes.NewReader(text), Options{})
					if err != nil {
						b.Fatal(err)
					}
					for row, err := f.Next(); err == nil; row, err = f.Next() {
						if row.Fault != "" {
							b.Fatal(row.Fault)
						}
						n++
					}
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}
