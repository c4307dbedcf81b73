package city

import (
	"errors"
	"os"
	"path/filepath"
	"slices"

	"bole/internal/fault"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// layout is how an owner writes a register, and the mistakes that it makes.
type layout struct {
	register  string
	title     string // of a workbook, in a line above the headings; "" for a text file, which has the next two
	encoding  string
	delimiter rune
	columns   []column
	fresh     func(row []string) // makes a copied row another row, whose key nobody has
	spoils    []spoil
}

// column is one column as delivered. Words are those of a code list that the owner writes.
type column struct {
	name, head string
	words      []string
}

// spoil turns a sound row into a faulty one.
type spoil struct {
	kind   string
	column int // its place; -1 where the row as a whole is wrong
	apply  func(row []string) []string
}

// agrees tests that the pack declares the registers, headings and words of the layouts.
func agrees(p *pack.Pack) error {
	for _, l := range layouts {
		r := p.Register(l.register)
		if r == nil {
			return lacks(l.register, "")
		}
		for _, col := range l.columns {
			declared := r.Column(col.name)
			if declared == nil {
				return lacks(l.register, col.name)
			}
			heads := append([]string{col.name, declared.Title.Zh}, declared.Heads...)
			if !slices.Contains(heads, col.head) {
				return lacks(l.register, col.name)
			}
			for _, word := range col.words {
				if list := declared.List(); list == nil || !knows(list, word) {
					return lacks(l.register, col.name)
				}
			}
		}
	}
	return nil
}

func lacks(register, column string) error {
	return fault.New("city.agrees", fault.Invalid, "city.pack_disagrees", "register", register, "column", column)
}

func knows(list *pack.CodeList, word string) bool {
	return slices.ContainsFunc(list.Items, func(it pack.CodeItem) bool {
		return it.Code.Text == word || it.Zh == word || slices.Contains(it.Also, word)
	})
}

// out is one delivery file being written under a temporary name.
type out struct {
	*layout
	file   File
	least  int    // as many faults at least, if there is any row
	stream uint64 // of its faults

	temp *os.File
	rows interface{ Write(row []string) error } // csv, or a sheet of the book
	csv  *sheet.CSVWriter                       // nil for a workbook
	book *sheet.Workbook                        // nil for a text file; it takes the place of temp when it is closed
	dice dice
	next int      // the row after which the next fault is planted
	last []string // the row before, for as long as faults are owed
}

func (o *out) create(dir string, seed uint64) (err error) {
	if o.temp, err = os.CreateTemp(dir, ".city-*"); err != nil {
		return err
	}
	if o.title != "" {
		err = o.begin()
	} else {
		o.csv = sheet.NewCSV(o.temp, o.encoding, o.delimiter)
		o.rows = o.csv
	}
	if err != nil {
		return err
	}
	o.dice = newDice()
	o.dice.seed(^seed, o.stream)
	o.plan()
	heads := make([]string, len(o.columns))
	for i, col := range o.columns {
		heads[i] = col.head
	}
	return o.rows.Write(heads)
}

// begin begins the workbook with its line above the headings.
func (o *out) begin() (err error) {
	if o.book, err = sheet.NewWorkbook(o.temp.Name()); err == nil {
		o.rows, err = o.book.Sheet("Sheet1", []string{o.title}, nil)
	}
	return err
}

// headings is the line that the headings stand in.
func (l *layout) headings() int {
	if l.title != "" {
		return 2
	}
	return 1
}

// ending is how the file's name ends.
func (l *layout) ending() string {
	if l.title != "" {
		return ".xlsx"
	}
	return ".csv"
}

// oneIn is how rare a fault is: one row in so many.
const oneIn = 5000

// plan says where the next fault will be: soon, while some are owed.
func (o *out) plan() {
	switch {
	case len(o.file.Faults) < o.least:
		o.next = o.file.Rows + o.dice.between(5, 35)
	case o.file.Rows == 0:
		o.next = o.dice.between(1, oneIn)
	default:
		o.next = o.file.Rows + o.dice.between(oneIn/2, oneIn*3/2)
	}
}

// row writes a sound row and, when its turn has come, a faulty copy behind it. The row may be used again.
func (o *out) row(row []string) error {
	if err := o.rows.Write(row); err != nil {
		return err
	}
	o.file.Rows++
	if o.file.Rows >= o.next {
		return o.plant(row)
	}
	if len(o.file.Faults) < o.least {
		o.last = append(o.last[:0], row...)
	}
	return nil
}

func (o *out) plant(row []string) error {
	s := o.spoils[(len(o.file.Faults)+int(o.stream))%len(o.spoils)]
	bad := slices.Clone(row)
	o.fresh(bad)
	bad = s.apply(bad)
	if err := o.rows.Write(bad); err != nil {
		return err
	}
	o.file.Rows++
	f := Fault{Line: o.file.Rows + o.headings(), Kind: s.kind}
	if s.column >= 0 {
		f.Column = o.columns[s.column].name
	}
	o.file.Faults = append(o.file.Faults, f)
	o.plan()
	return nil
}

// finish plants what is owed and closes the file. Owed faults of one short file are copies of its last row.
func (o *out) finish() error {
	for len(o.file.Faults) < o.least && o.file.Rows > 0 {
		if err := o.plant(o.last); err != nil {
			return err
		}
	}
	if o.book != nil {
		return errors.Join(o.temp.Close(), o.book.Close(), os.Chmod(o.temp.Name(), 0o644))
	}
	return errors.Join(o.csv.Flush(), o.temp.Chmod(0o644), o.temp.Close())
}

// publish gives every file its name.
func (d *desk) publish() error {
	for _, o := range d.all {
		if err := os.Rename(o.temp.Name(), o.file.Path); err != nil {
			return err
		}
		o.temp = nil
	}
	return nil
}

// discard removes what was not published.
func (d *desk) discard() {
	for _, o := range d.all {
		if o.temp != nil {
			_ = o.temp.Close() // a second time, after finish, is harmless
			if o.book != nil {
				_ = o.book.Discard()
			}
			_ = os.Remove(o.temp.Name())
		}
	}
}

const readmeText = `合成数据 synthetic

本目录中的人员、单位、证件号码、电话、证书、合同和缴费记录全部由程序生成，不对应任何真实的人或单位。
少数行故意写错，用来检验装入时能否发现。

All people, employers and numbers in this folder are invented by a program; none is a real person's or employer's.
A few rows are wrong on purpose, to see whether loading finds them.
`

// readme says in the folder what the files are. It is written first of all: no file stands there without it.
func (d *desk) readme(dir string) error {
	f, err := os.CreateTemp(dir, ".city-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(readmeText)
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(dir, "README.txt"))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
