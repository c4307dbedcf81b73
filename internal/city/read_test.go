package city

import (
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/pack"
	"bole/internal/sheet"
	"bole/packs"
)

func liaocheng(t testing.TB) *pack.Pack {
	t.Helper()
	dir, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(dir, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// delivered is a file as read back: its sound rows by the register's names of columns, and the line of each.
type delivered struct {
	File
	columns []*pack.Column
	at      map[string]int
	rows    [][]string // all of them, as they stand
	lines   []int
}

// get is a row's field by the register's name of its column.
func (f *delivered) get(row []string, column string) string {
	at, known := f.at[column]
	if !known {
		panic("no column " + column)
	}
	return row[at]
}

// readBack reads a file with the package that will read it when it is loaded.
func readBack(t testing.TB, p *pack.Pack, file File) *delivered {
	t.Helper()
	in, err := sheet.Open(file.Path, sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f := &delivered{File: file, at: map[string]int{}}
	for i, head := range in.Header() {
		for _, c := range p.Register(file.Register).Columns {
			if head == c.Name.Text || head == c.Title.Zh || slices.Contains(c.Heads, head) {
				f.at[c.Name.Text] = i
				f.columns = append(f.columns, c)
			}
		}
	}
	if len(f.columns) != len(in.Header()) {
		t.Fatalf("%s: the register declares %d of its %d headings", file.Path, len(f.columns), len(in.Header()))
	}
	for {
		row, err := in.Next()
		if errors.Is(err, io.EOF) {
			return f
		}
		if err != nil {
			t.Fatal(err)
		}
		if row.Fault != "" && row.Fault != sheet.RowFields {
			t.Fatalf("%s:%d: %s", file.Path, row.Line, row.Fault)
		}
		f.rows = append(f.rows, row.Fields)
		f.lines = append(f.lines, row.Line)
	}
}

// faulty is the lines of the planted faults.
func (f *delivered) faulty() map[int]Fault {
	lines := map[int]Fault{}
	for _, x := range f.Faults {
		lines[x.Line] = x
	}
	return lines
}

// sound calls do for every row that has no fault.
func (f *delivered) sound(do func(row []string)) {
	bad := f.faulty()
	for i, row := range f.rows {
		if _, is := bad[f.lines[i]]; !is {
			do(row)
		}
	}
}

// wrongs finds everything that is wrong with a row, as Fault without Line, from the register's declaration alone.
func (f *delivered) wrongs(row []string) (found []Fault) {
	if len(row) != len(f.columns) {
		return []Fault{{Kind: FaultMissingField}}
	}
	say := func(column, kind string) { found = append(found, Fault{Column: column, Kind: kind}) }
	for i, c := range f.columns {
		name, text := c.Name.Text, row[i]
		if text == "" {
			if c.Required {
				say(name, FaultNoValue)
			}
			continue
		}
		switch c.Type.Text {
		case "id_number":
			if sheet.LooksScientific(text) {
				say(name, FaultExcelNumber)
			} else if !rightID(text) {
				say(name, FaultCheckDigit)
			}
		case "uscc":
			if !rightUSCC(text) {
				say(name, FaultCheckDigit)
			}
		case "code":
			if !knows(c.List(), text) {
				say(name, FaultUnknownCode)
			}
		case "day":
			if _, err := sheet.ParseDay(text); err != nil {
				say(name, FaultNoSuchDay)
			}
		case "month":
			if _, err := sheet.ParseMonth(text); err != nil {
				say(name, FaultNoSuchDay)
			}
		case "bool":
			if text != "是" && text != "否" {
				say(name, FaultUnknownCode)
			}
		case "yuan", "phone":
			if strings.Trim(text, "0123456789") != "" {
				say(name, FaultUnknownCode)
			}
		}
	}
	for _, span := range [][2]string{{"start_day", "end_day"}, {"first_month", "last_month"}} {
		if _, has := f.at[span[0]]; has && len(found) == 0 && f.get(row, span[1]) != "" && f.day(row, span[1]) < f.day(row, span[0]) {
			say(span[1], FaultEndsFirst)
		}
	}
	return found
}

// day reads a field that is a day or a month; 0 when it is empty.
func (f *delivered) day(row []string, column string) calendar.Day {
	text := f.get(row, column)
	if day, err := sheet.ParseDay(text); err == nil {
		return day
	}
	if month, err := sheet.ParseMonth(text); err == nil {
		return month.First()
	}
	return 0
}

// rightID tests the number as ISO 7064 MOD 11-2 states it: the weighted sum with the check digit leaves 1.
func rightID(id string) bool {
	if len(id) != 18 {
		return false
	}
	rest := 0
	for i := range 17 {
		if id[i] < '0' || id[i] > '9' {
			return false
		}
		rest = (rest + int(id[i]-'0')) * 2 % 11
	}
	check := int(id[17] - '0')
	if id[17] == 'X' {
		check = 10
	}
	_, err := sheet.ParseDay(id[6:14])
	return (rest+check)%11 == 1 && err == nil
}

// rightUSCC tests both check digits: each weighted sum with its check digit is divisible.
func rightUSCC(code string) bool {
	if len(code) != 18 {
		return false
	}
	sum, weight := 0, 1
	for i := range 17 {
		sum += strings.IndexByte("0123456789ABCDEFGHJKLMNPQRTUWXY", code[i]) * weight
		weight = weight * 3 % 31
	}
	sum += strings.IndexByte("0123456789ABCDEFGHJKLMNPQRTUWXY", code[17])
	inner := 0
	for i, w := range []int{3, 7, 9, 10, 5, 8, 4, 2, 1} {
		v := strings.IndexByte("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ", code[8+i])
		if i == 8 && code[16] == 'X' {
			v = 10
		}
		inner += v * w
	}
	return sum%31 == 0 && inner%11 == 0
}

func TestTheTestsOwnChecks(t *testing.T) {
	// The samples printed in GB 11643-1999 and in GB 32100-2015.
	if !rightID("11010519491231002X") || rightID("110105194912310021") || !rightUSCC("91350100M000100Y43") || rightUSCC("91350100M000100Y44") {
		t.Error("a check digit is computed wrongly")
	}
}
