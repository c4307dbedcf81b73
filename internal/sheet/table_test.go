package sheet

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"

	"bole/internal/fault"
)

// tableOf writes a Parquet file with one column for each node, in the order of their names, and rows of values; nil is null.
func tableOf(t testing.TB, columns parquet.Group, rows ...[]any) []byte {
	t.Helper()
	var out bytes.Buffer
	schema := parquet.NewSchema("t", columns)
	w := parquet.NewWriter(&out, schema)
	for i, row := range rows {
		var values parquet.Row
		for j, v := range row {
			value, optional := parquet.ValueOf(v), schema.Fields()[j].Optional()
			level := 0
			if optional && v != nil {
				level = 1
			}
			values = append(values, value.Level(0, level, j))
		}
		if _, err := w.WriteRows([]parquet.Row{values}); err != nil {
			t.Fatal(err)
		}
		if i%100 == 99 { // many groups
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readTable(t testing.TB, b []byte) *File {
	t.Helper()
	f, err := openBytes("a.parquet", b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestValuesOfAParquetFile(t *testing.T) {
	text := parquet.String()
	beijing := time.FixedZone("", 8*3600)
	summer := time.Date(1988, 6, 1, 0, 0, 0, 0, time.FixedZone("", 9*3600)) // midnight by the clock, in a summer with summer time
	stamp := func(s string) int64 {
		at, err := time.Parse("2006-01-02 15:04:05", s)
		if err != nil {
			t.Fatal(err)
		}
		return at.UnixMilli()
	}
	var int96 deprecated.Int96
	noon := uint64(12 * time.Hour)
	int96[0], int96[1], int96[2] = uint32(noon), uint32(noon>>32), 2440588+19727 // noon of 5 January 2024, UTC
	for name, c := range map[string]struct {
		column parquet.Node
		value  any
		want   string
	}{
		"text":                           {text, "张三", "张三"},
		"null":                           {parquet.Optional(text), nil, ""},
		"an optional text":               {parquet.Optional(text), "x", "x"},
		"bytes that say nothing":         {parquet.Leaf(parquet.ByteArrayType), []byte("李四"), "李四"},
		"18 digits":                      {parquet.Leaf(parquet.Int64Type), int64(371502199001010110), "371502199001010110"},
		"a small whole number":           {parquet.Int(16), int32(-7), "-7"},
		"without a sign":                 {parquet.Uint(32), int32(-1), "4294967295"},
		"without a sign, long":           {parquet.Uint(64), int64(-1), "18446744073709551615"},
		"true":                           {parquet.Leaf(parquet.BooleanType), true, "true"},
		"false":                          {parquet.Leaf(parquet.BooleanType), false, "false"},
		"a float":                        {parquet.Leaf(parquet.FloatType), float32(12.1), "12.1"},
		"a double":                       {parquet.Leaf(parquet.DoubleType), 0.1 + 0.2, "0.3"},
		"a double of eleven digits":      {parquet.Leaf(parquet.DoubleType), 13812345678.0, "13812345678"},
		"a double of too many":           {parquet.Leaf(parquet.DoubleType), 371502199001010110.0, "3.71502E+17"},
		"no number":                      {parquet.Leaf(parquet.DoubleType), math.NaN(), "NaN"},
		"a day":                          {parquet.Date(), int32(19727), "2024-01-05"},
		"a day before 1970":              {parquet.Date(), int32(-1), "1969-12-31"},
		"a day of no year":               {parquet.Date(), int32(math.MaxInt32), "2147483647"},
		"a moment by the clock":          {parquet.TimestampAdjusted(parquet.Millisecond, false), stamp("2024-01-05 10:30:00"), "2024-01-05 10:30:00"},
		"midnight by the clock":          {parquet.TimestampAdjusted(parquet.Microsecond, false), stamp("2024-01-05 00:00:00") * 1000, "2024-01-05"},
		"midnight in China":              {parquet.TimestampAdjusted(parquet.Nanosecond, true), time.Date(2024, 1, 5, 0, 0, 0, 0, beijing).UnixNano(), "2024-01-05"},
		"midnight in a summer of 1988":   {parquet.TimestampAdjusted(parquet.Millisecond, true), summer.UnixMilli(), "1988-06-01"},
		"a moment before 1970":           {parquet.TimestampAdjusted(parquet.Millisecond, false), stamp("1949-10-01 15:00:00"), "1949-10-01 15:00:00"},
		"a moment of older Spark":        {parquet.Leaf(parquet.Int96Type), int96, "2024-01-05 20:00:00"},
		"a time":                         {parquet.Time(parquet.Millisecond), int32(37_800_000), "10:30:00"},
		"a long time":                    {parquet.Time(parquet.Microsecond), int64(37_800_000_000), "10:30:00"},
		"a time of no day":               {parquet.Time(parquet.Microsecond), int64(-1_000_000), "-1000000"},
		"a decimal":                      {parquet.Decimal(2, 9, parquet.Int32Type), int32(1250), "12.5"},
		"a small decimal below zero":     {parquet.Decimal(4, 18, parquet.Int64Type), int64(-105), "-0.0105"},
		"a decimal without places":       {parquet.Decimal(0, 18, parquet.Int64Type), int64(1250), "1250"},
		"a decimal of whole yuan":        {parquet.Decimal(2, 18, parquet.Int64Type), int64(100000), "1000"},
		"a decimal of bytes":             {parquet.Decimal(2, 38, parquet.FixedLenByteArrayType(16)), [16]byte(append(bytes.Repeat([]byte{0xFF}, 15), 0x85)), "-1.23"},
		"a name of 128 bits":             {parquet.UUID(), [16]byte{0x12, 0x34, 15: 0xAB}, "12340000-0000-0000-0000-0000000000ab"},
		"a word of a list":               {parquet.Enum(), "红", "红"},
		"text that a writer calls JSON":  {parquet.JSON(), `{"a":1}`, `{"a":1}`},
		"a text with a line break":       {text, "a\nb\"c", "a\nb\"c"},
		"a decimal that has lost digits": {parquet.Leaf(parquet.FloatType), float32(1e20), "1.00000E+20"},
	} {
		t.Run(name, func(t *testing.T) {
			f := readTable(t, tableOf(t, parquet.Group{"a": c.column, "b": text}, []any{c.value, "x"}))
			if diff := cmp.Diff("2: "+c.want+"|x\n", show(rows(t, f))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if f.Format() != "Parquet" || f.Sheet() != "" || f.Hidden() != nil || f.Encoding() != "" {
				t.Error("a Parquet file says that it is something else")
			}
			if _, err := f.Next(); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
			if more, err := f.NextSheet(); more || err != nil {
				t.Errorf("another sheet: %v, %v", more, err)
			}
			if err := errors.Join(f.Close(), f.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRowsOfAParquetFile(t *testing.T) {
	var want [][]any
	for i := range 1000 {
		want = append(want, []any{strings.Repeat("长", i%50), int64(i)})
	}
	b := tableOf(t, parquet.Group{"a": parquet.String(), "b": parquet.Leaf(parquet.Int64Type)}, want...)
	f := readTable(t, b)
	all := rows(t, f)
	if len(all) != len(want) || all[0].Line != 2 || all[999].Line != 1001 || all[999].Fields[0] != want[999][0] || all[999].Fields[1] != "999" {
		t.Errorf("%d rows", len(all))
	}
	if err := readTable(t, b).NextHeader(); keyOf(err) != "sheet.no_header" {
		t.Errorf("a title line: %v", err)
	}
	f = readTable(t, tableOf(t, parquet.Group{"a": parquet.String()}, []any{"a\xff"}, []any{"\x00"}, []any{strings.Repeat("x", recordMax+1)}, []any{"y"}))
	got := rows(t, f)
	if len(got) != 4 || got[0].Fault != RowEncoding || got[0].Fields[0] != "a\uFFFD" || got[1].Fault != RowEncoding || got[2].Fault != RowLong || got[3].Fault != "" {
		t.Errorf("%d rows: %.200s", len(got), show(got))
	}
}

func TestParquetFilesThatCannotBeRead(t *testing.T) {
	b := tableOf(t, parquet.Group{"a": parquet.String()}, []any{"x"})
	lying := bytes.Clone(b)
	binary.LittleEndian.PutUint32(lying[len(lying)-8:], math.MaxUint32)
	sealed := append(bytes.Clone(b[:len(b)-4]), "PARE"...)
	large := tableOf(t, parquet.Group{"a": parquet.Leaf(parquet.Int32Type)}, []any{int32(1)})
	for name, c := range map[string]struct {
		file []byte
		want string
	}{
		"cut in half":                {b[:len(b)/2], "sheet.parquet_broken"},
		"cut at the end":             {b[:len(b)-1], "sheet.parquet_broken"},
		"nothing but a mark":         {[]byte("PAR1"), "sheet.parquet_broken"},
		"a footer larger than it":    {lying, "sheet.parquet_broken"},
		"a footer under lock":        {sealed, "sheet.encrypted"},
		"locked":                     {append([]byte("PARE"), b[4:]...), "sheet.encrypted"},
		"a list":                     {tableOf(t, parquet.Group{"a": parquet.Repeated(parquet.String())}), "sheet.parquet_nested"},
		"a record":                   {tableOf(t, parquet.Group{"a": parquet.Group{"b": parquet.String()}}), "sheet.parquet_nested"},
		"a page that says too much":  {withPage(t, large, 1<<30), "sheet.parquet_large"},
		"a column without a heading": {tableOf(t, parquet.Group{" ": parquet.String()}), "sheet.no_header"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := openBytes("a.parquet", c.file)
			if keyOf(err) != c.want || fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	_, err := openBytes("a.parquet", tableOf(t, parquet.Group{"清单": parquet.Repeated(parquet.String())}))
	var e *fault.E
	if !errors.As(err, &e) || e.Args["column"] != "清单" {
		t.Errorf("the column is not named: %v", err)
	}
}

// withPage makes the first page of a file say that it unpacks to n bytes. The head of a page begins with its kind, a number of one byte
// after a mark, then the size after another.
func withPage(t *testing.T, b []byte, n uint64) []byte {
	t.Helper()
	at := len("PAR1")
	if b[at] != 0x15 || b[at+2] != 0x15 {
		t.Fatalf("no page begins with % x", b[at:at+4])
	}
	var size [10]byte
	k := binary.PutUvarint(size[:], n<<1)
	_, old := binary.Uvarint(b[at+3:])
	footer := len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	out := bytes.Clone(b)
	copy(out[at+3+k:footer], b[at+3+old:]) // the head grows into the values, which are not looked at
	copy(out[at+3:], size[:k])
	return out
}

// A table without rows as pyarrow writes it: one group of rows, and no page in it.
const noRows = "UEFSMRUEFQAVAEwVABUAEgAAFQQZLDUAGAZzY2hlbWEVAgAVDCUCGAFhJQBMHAAAABYAGRwZHCYAHBUMGSUABhkYAWEVABYAFhwW" +
	"HCYAJggpHBUEFQAVAgAAABYcFgAmCBYcACggcGFycXVldC1jcHAtYXJyb3cgdmVyc2lvbiAyNi4wLjEZHBwAAAB6AAAAUEFSMQ=="

func TestAParquetFileWithoutRowsIsWhole(t *testing.T) {
	b, err := base64.StdEncoding.DecodeString(noRows)
	if err != nil {
		t.Fatal(err)
	}
	if all := rows(t, readTable(t, b)); len(all) != 0 {
		t.Errorf("rows %s", show(all))
	}
}

// A file whose pages are altered is read up to there, and the place is told.
func TestAParquetFileThatBreaksOffKeepsTheRowsBefore(t *testing.T) {
	var many [][]any
	for i := range 1000 {
		many = append(many, []any{strings.Repeat("x", i%7)})
	}
	b := tableOf(t, parquet.Group{"a": parquet.String()}, many...)
	for at := len(b) / 4; at < len(b)/2; at++ {
		b[at] ^= 0x55
	}
	f := readTable(t, b)
	all := rows(t, f)
	if n := len(all); n < 2 || n >= 1000 || all[n-1].Fault != RowCut || all[n-2].Fault != "" || all[n-1].Line != n+1 {
		t.Errorf("%d rows, the last %s", n, show(all[n-1:]))
	}
}

func TestNaughtyStringsComeBackFromParquet(t *testing.T) {
	all := naughty(t)
	var in [][]any
	for _, s := range all {
		in = append(in, []any{s, "x"})
	}
	got := rows(t, readTable(t, tableOf(t, parquet.Group{"a": parquet.String(), "b": parquet.String()}, in...)))
	if len(got) != len(all) {
		t.Fatalf("%d rows of %d", len(got), len(all))
	}
	for i, want := range all {
		if got[i].Fields[0] != want || (got[i].Fault != "") != garbled(want) {
			t.Errorf("%q became %q, fault %q", want, got[i].Fields[0], got[i].Fault)
		}
	}
}

func FuzzParquet(f *testing.F) {
	whole := tableOf(f, parquet.Group{"a": parquet.String(), "b": parquet.Date(), "c": parquet.Decimal(2, 9, parquet.Int32Type)},
		[]any{"x", int32(19727), int32(5)}, []any{"y", int32(1), int32(-5)})
	f.Add(whole, 10, byte(1))
	f.Add(whole, len(whole)-20, byte(0x80))
	f.Add([]byte("PAR1PAR1PAR1"), 4, byte(7))
	f.Fuzz(func(t *testing.T, file []byte, at int, flip byte) {
		file = append([]byte("PAR1"), file[min(4, len(file)):]...)
		if at >= 0 && at < len(file) {
			file[at] ^= flip
		}
		if !bytes.HasPrefix(file, []byte("PAR1")) {
			return
		}
		soundOrRefused(t, "a.parquet", file)
	})
}
