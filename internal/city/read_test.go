package city

import (
	"errors"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/pack"
	"bole/internal/sheet"
	"bole/packs"
	"github.com/xuri/excelize/v2"
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
	register *pack.Register
	columns  []*pack.Column
	at       map[string]int
	rows     [][]string // all of them, as they stand
	lines    []int
}

// get is a row's field by the register's name of its column.
func (f *delivered) get(row []string, column string) string {
	at, known := f.at[column]
	if !known {
		panic("no column " + column)
	}
	return row[at]
}

// readBack reads a file: text with the package that will read it when it is loaded, a workbook with the library beneath.
func readBack(t testing.TB, p *pack.Pack, file File) *delivered {
	t.Helper()
	f := &delivered{File: file, register: p.Register(file.Register), at: map[string]int{}}
	if filepath.Ext(file.Path) == ".xlsx" {
		f.readBook(t)
		return f
	}
	in, err := sheet.Open(file.Path, sheet.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	f.head(t, in.Header())
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

// readBook reads the one sheet of a workbook: a title, the headings, the rows.
func (f *delivered) readBook(t testing.TB) {
	book, err := excelize.OpenFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows(book.GetSheetName(0))
	if err != nil || len(rows) < 2 || len(rows[0]) != 1 || book.SheetCount != 1 {
		t.Fatalf("%s: %d rows, %v", f.Path, len(rows), err)
	}
	f.head(t, rows[1])
	for i, row := range rows[2:] { // without the empty cells at their ends
		f.rows = append(f.rows, append(row, make([]string, len(f.columns)-len(row))...))
		f.lines = append(f.lines, i+3)
	}
}

// head finds the register's columns by their headings.
func (f *delivered) head(t testing.TB, heads []string) {
	for i, head := range heads {
		for _, c := range f.register.Columns {
			if head == c.Name.Text || head == c.Title.Zh || slices.Contains(c.Heads, head) {
				f.at[c.Name.Text] = i
				f.columns = append(f.columns, c)
			}
		}
	}
	if len(f.columns) != len(heads) {
		t.Fatalf("%s: the register declares %d of its %d headings", f.Path, len(f.columns), len(heads))
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

// wrongs finds everything that is wrong with a row, as Fault without Line, from the register's declaration alone; its checks only on request,
// since they are slow.
func (f *delivered) wrongs(row []string, checks bool) (found []Fault) {
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
			kind := ""
			if c.Kind != nil && f.has(c.Kind.Text) {
				kind = f.get(row, c.Kind.Text)
			}
			if sheet.LooksScientific(text) {
				say(name, FaultExcelNumber)
			} else if !rightNumber(text, kind) {
				say(name, FaultCheckDigit)
			}
		case "account":
			if sheet.LooksScientific(text) {
				say(name, FaultExcelNumber)
			} else if !rightCard(text) {
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
		case "phone":
			if strings.Trim(text, "0123456789") != "" {
				say(name, FaultUnknownCode)
			}
		case "int", "yuan":
			if n, err := strconv.ParseFloat(text, 64); err != nil {
				say(name, FaultUnknownCode)
			} else if c.Min != nil && n < float64(*c.Min) || c.Max != nil && n > float64(*c.Max) {
				say(name, FaultRange)
			}
		}
	}
	if len(found) == 0 && checks {
		for _, check := range f.register.Checks {
			ok, err := check.Expr().Eval(func(name string) any { return f.value(row, name) })
			if err != nil {
				panic(err)
			}
			if ok == false {
				x := broken[check.ID]
				if check.ID == "number-names-level" {
					x = Fault{Column: map[bool]string{true: "diploma_no", false: "certificate_no"}[f.has("diploma_no")], Kind: FaultPaperNumber}
				}
				say(x.Column, x.Kind)
			}
		}
	}
	return found
}

// broken says by which planted fault a row fails a check of the pack. A check that is not here is one that no row of a city may fail.
var broken = map[string]Fault{
	"ends-after-begin":             {Column: "end_day", Kind: FaultEndsFirst},
	"last-after-first":             {Column: "last_month", Kind: FaultEndsFirst},
	"state-after-founding":         {Column: "status_day", Kind: FaultEndsFirst},
	"cancelled-after-death":        {Column: "cancelled_day", Kind: FaultEndsFirst},
	"term-after-grant":             {Column: "term_end", Kind: FaultEndsFirst},
	"valid-after-filed":            {Column: "valid_until", Kind: FaultEndsFirst},
	"ended-after-registered":       {Column: "ended_day", Kind: FaultEndsFirst},
	"revoked-after-filed":          {Column: "revoked_day", Kind: FaultEndsFirst},
	"death-has-its-day":            {Column: "death_day", Kind: FaultNoValue},
	"employee-has-employer":        {Column: "uscc", Kind: FaultNoValue},
	"title-has-series-and-level":   {Column: "level", Kind: FaultNoValue},
	"share-has-a-team":             {Column: "team_no", Kind: FaultNoValue},
	"leaving-has-its-day":          {Column: "leaving", Kind: FaultNoValue},
	"both-months":                  {Column: "last_month", Kind: FaultNoValue},
	"refund-is-negative":           {Column: "paid_fen", Kind: FaultSign},
	"code-names-kind":              {Column: "filing_code", Kind: FaultPaperNumber},
	"bank-number-of-twelve-digits": {Column: "bank_no", Kind: FaultBankNumber},
}

func (f *delivered) has(column string) bool { _, is := f.at[column]; return is }

// value is a field as the pack's checks see it.
func (f *delivered) value(row []string, name string) any {
	if name == "received" {
		return f.Received
	}
	if !f.has(name) || f.get(row, name) == "" {
		return nil
	}
	text := f.get(row, name)
	switch c := f.register.Column(name); c.Type.Text {
	case "day", "month":
		return f.day(row, name)
	case "bool":
		return text == "是"
	case "int":
		n, _ := strconv.ParseInt(text, 10, 64)
		return n
	case "yuan":
		n, _ := strconv.ParseFloat(text, 64)
		return int64(math.Round(n * 100))
	case "code":
		for _, it := range c.List().Items {
			if it.Code.Text == text || it.Zh == text || slices.Contains(it.Also, text) {
				if c.List().Ordered {
					return it.Rank
				}
				return it.Code.Text
			}
		}
	}
	return text
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

// rightNumber tests a number of a kind, as the word says it; "" for those that tell themselves.
func rightNumber(s, kind string) bool {
	switch kind {
	case "港澳居民来往内地通行证":
		return regexp.MustCompile(`^[HM][0-9]{8}$`).MatchString(s)
	case "台湾居民来往大陆通行证":
		return regexp.MustCompile(`^[0-9]{8}$`).MatchString(s)
	case "护照":
		return regexp.MustCompile(`^[A-Z]{1,2}[0-9]{7,8}$`).MatchString(s)
	}
	if len(s) == 15 {
		_, err := sheet.ParseDay("19" + s[6:12])
		return err == nil && strings.Trim(s, "0123456789") == "" && s[12:] < "996"
	}
	return rightID(s)
}

// rightCard tests a card's check digit: every second digit from the last but one counts double, and all digits together are a multiple of ten.
func rightCard(s string) bool {
	sum := 0
	for i := range s {
		n := int(s[len(s)-1-i] - '0')
		if i%2 == 1 {
			n *= 2
		}
		sum += n/10 + n%10
	}
	return sum%10 == 0 && len(s) == 19
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
