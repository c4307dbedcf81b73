package register

import (
	"cmp"
	"context"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bole/internal/fault"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/sheet"
)

// layout is how a sheet's fields become a register's columns.
type layout struct {
	header []string // the sender's own headings
	place  []int    // of a register's column among the sender's fields; -1 when absent
	own    []int    // where the sender's fields stand, in a workbook of rejects; nil where every field is the sender's
	number int      // where the reject number stands; -1 in a file that is none
}

// line is one row of a file, with its place among the rows of its delivery.
type line struct {
	sheet.Row
	ord    int64 // from 1, over all sheets
	number string
	*layout
}

// lines reads the rows of a file and passes over what is none: title lines above the headings, headings that are repeated, lines of sums.
type lines struct {
	file    *sheet.File
	reg     *pack.Register
	known   map[string]int // heading, as heading spells it → place of its column
	now     *layout
	ord     int64
	ignored []string // headings that no column has
	passed  int64    // repeated headings and lines of sums
	unread  []string // sheets whose headings are of something else
	name    string   // of the file
}

// titleLines is how many lines may stand above the headings.
const titleLines = 10

// open opens the file and finds its headings: by name, by title in either language, by the synonyms of the pack, or as the sender's own map says.
func (l *loading) open(ctx context.Context) (_ *lines, err error) {
	r := &lines{reg: l.reg, known: map[string]int{}, name: l.rep.File}
	for i, c := range l.reg.Columns {
		for _, h := range append([]string{c.Name.Text, c.Title.Zh, c.Title.En}, c.Heads...) {
			r.known[heading(h)] = i
		}
	}
	if err := r.learn(l.in.Headings); err != nil {
		return nil, err
	}
	if r.file, err = sheet.Open(l.in.Path, sheet.Options{Encoding: l.in.Encoding, Delimiter: l.in.Delimiter}); err != nil {
		return nil, err
	}
	if err := r.first(func() error { return l.recall(ctx, r) }); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// first finds the headings on the first sheet that has them: how a form is to be filled in may stand on a sheet before.
func (r *lines) first(recall func() error) error {
	none := r.headings(recall)
	for err := none; err != nil; err = r.headings(recall) {
		if key(err) != "register.no_header" {
			return err
		}
		r.unread = append(r.unread, r.file.Sheet())
		if more, e := r.file.NextSheet(); !more {
			return cmp.Or(e, none)
		}
	}
	return nil
}

// key is the message of an error; "" of one that has none.
func key(err error) string {
	var e *fault.E
	if errors.As(err, &e) {
		return e.Key
	}
	return ""
}

// heading is a heading as it is looked up: in small letters, without the blanks and the line ends that a form puts into it, and without the star that
// marks what must be filled in.
func heading(s string) string {
	return strings.ToLower(strings.Trim(strings.Join(strings.Fields(sheet.Clean(s)), ""), "*＊"))
}

func (r *lines) close() error { return r.file.Close() }

// corrects reports whether the file is a workbook of rejects that comes back.
func (r *lines) corrects() bool { return r.now.number >= 0 }

// learn takes a sender's own headings.
func (r *lines) learn(headings map[string]string) error {
	for h, col := range headings {
		i := slices.IndexFunc(r.reg.Columns, func(c *pack.Column) bool { return c.Name.Text == col })
		if i < 0 {
			return fault.New("register.headings", fault.Invalid, "register.map_unknown", "column", col, "register", r.reg.Name)
		}
		r.known[heading(h)] = i
	}
	return nil
}

// longNumber is longer than a day in a heading, and no longer than a telephone number.
var longNumber = regexp.MustCompile(`[0-9]{9}`)

// headings finds the line of headings among the first lines of the sheet. recall is asked for the maps of earlier deliveries when it turns out to be a
// workbook of rejects.
func (r *lines) headings(recall func() error) error {
	for range titleLines {
		if r.named(r.file.Header()) {
			return r.match(recall)
		}
		if err := r.file.NextHeader(); key(err) == "sheet.no_header" {
			break
		} else if err != nil {
			return err
		}
	}
	var heads []string
	for _, c := range r.reg.Columns {
		if c.Required {
			heads = append(heads, c.Title.Zh)
		}
	}
	return fault.New("register.headings", fault.Invalid, "register.no_header", "file", r.name, "lines", titleLines, "heads", locale.Some(heads))
}

// named reports whether a line holds headings: two that are known, since a single word is also a title's, or a line's of a form that explains its
// columns. A file without headings begins with somebody's row, which no message may repeat; a line with a long number in it is one.
func (r *lines) named(header []string) bool {
	if slices.ContainsFunc(header, func(h string) bool { h = sheet.Clean(h); return longNumber.MatchString(h) || likeNumber(h) }) {
		return false
	}
	known := 0
	for _, h := range header {
		if _, ok := r.known[heading(h)]; ok {
			known++
		}
	}
	return known >= min(2, len(r.reg.Columns)) || slices.Contains(header, rejectNumber())
}

// rejectNumber is the heading by which a workbook of rejects is known.
func rejectNumber() string { return locale.Text(locale.Zh, "rejects.number") }

// match makes the layout of the present headings.
func (r *lines) match(recall func() error) error {
	header := r.file.Header()
	lay := &layout{header: header, number: slices.Index(header, rejectNumber())}
	if lay.number >= 0 {
		if err := recall(); err != nil {
			return err
		}
		lay.header = nil
		for i, h := range header {
			ours := i == lay.number || i < len(rejectHeads) && h == locale.Text(locale.Zh, "rejects."+rejectHeads[i])
			if !ours {
				lay.own, lay.header = append(lay.own, i), append(lay.header, h)
			}
		}
	}
	lay.place = make([]int, len(r.reg.Columns))
	for i := range lay.place {
		lay.place[i] = -1
	}
	var ignored []string
	for j, h := range lay.header {
		i, ok := r.known[heading(h)]
		switch {
		case !ok:
			ignored = append(ignored, h)
		case lay.place[i] >= 0:
			return fault.New("register.headings", fault.Invalid, "register.column_twice", "file", r.name, "column", r.reg.Columns[i].Title.Zh,
				"first", lay.header[lay.place[i]], "second", h)
		default:
			lay.place[i] = j
		}
	}
	for i, c := range r.reg.Columns {
		if c.Required && lay.place[i] < 0 {
			return fault.New("register.headings", fault.Invalid, "register.column_missing", "file", r.name, "column", c.Title.Zh,
				"header", locale.Some(r.telling(lay.header)), "heads", locale.Some(append([]string{c.Title.Zh, c.Name.Text}, c.Heads...)))
		}
	}
	r.now = lay
	for _, h := range ignored {
		if !slices.Contains(r.ignored, h) {
			r.ignored = append(r.ignored, h)
		}
	}
	return nil
}

// telling is the headings that a message may repeat: all, where more than half are known; otherwise those that are. A form about one person has a word and
// what it says of them side by side: 姓名, 王甲, 性别, 男.
func (r *lines) telling(header []string) (known []string) {
	named := 0
	for _, h := range header {
		if h != "" {
			named++
		}
		if _, ok := r.known[heading(h)]; ok {
			known = append(known, h)
		}
	}
	if 2*len(known) > named {
		return header
	}
	return known
}

// next gives the next row, or io.EOF.
func (r *lines) next() (line, error) {
	for {
		row, err := r.file.Next()
		if errors.Is(err, io.EOF) {
			more, e := r.turn()
			if e != nil || !more {
				return line{}, errors.Join(e, err)
			}
			continue
		}
		if err != nil {
			return line{}, err
		}
		if r.passes(row) {
			r.passed++
			continue
		}
		r.ord++
		out := line{Row: row, ord: r.ord, layout: r.now}
		if r.corrects() {
			out.number = field(row.Fields, r.now.number)
			out.Fields = make([]string, len(r.now.own))
			for i, from := range r.now.own {
				out.Fields[i] = field(row.Fields, from)
			}
		}
		return out, nil
	}
}

// field is a field, or "" where a row is short.
func field(fields []string, i int) string {
	if i >= 0 && i < len(fields) {
		return fields[i]
	}
	return ""
}

// turn goes on to the next sheet that has the register's headings.
func (r *lines) turn() (bool, error) {
	for {
		more, err := r.file.NextSheet()
		if err != nil || !more {
			return false, err
		}
		was := r.now
		if err := r.headings(func() error { return nil }); err == nil && r.corrects() == (was.number >= 0) {
			return true, nil
		}
		r.now = was
		r.unread = append(r.unread, r.file.Sheet())
	}
}

// passes reports whether a row is none: the headings once more, as where files were joined or a list goes on over pages, a line of sums, or one that says
// who made the list.
func (r *lines) passes(row sheet.Row) bool {
	if row.Fault != "" && row.Fault != sheet.RowFields && row.Fault != sheet.RowCut {
		return false
	}
	header := r.file.Header()
	if len(row.Fields) == len(header) && slices.EqualFunc(row.Fields, header, func(a, b string) bool { return sheet.Clean(a) == sheet.Clean(b) }) {
		return true
	}
	return r.foot(row)
}

// sumWords begin a line of sums; footWords and a colon, a line that says who made the list and how; countWords are such a line: 共3条.
var (
	sumWords   = []string{"合计", "总计", "小计", "共计", "累计", "本页合计", "total", "sum", "grandtotal", "subtotal"}
	footWords  = regexp.MustCompile(`^(制表|填表|填报|制单|审核|复核|负责|经办|打印|导出|统计|联系|单位负责|部门负责)(人|单位|部门|日期|时间|员|电话)?[:：]|^(附?注|备注|说明|填表说明)[:：]`)
	countWords = regexp.MustCompile(`^共\d+(条|人|行|户|笔|名|个|条记录)$`)
)

// footBegins are the characters that any of these words can begin with: most rows are seen by the first one to be none of them.
const footBegins = "合总小共累本制填审复负经打导出统联单部附注备说tsgTSG"

// foot reports whether a row is a line below the list: its first field says so, and no row of the register could be like it, since a field that it must
// have is empty or holds those words where a number belongs.
func (r *lines) foot(row sheet.Row) bool {
	first := slices.IndexFunc(row.Fields, func(f string) bool { return sheet.Clean(f) != "" })
	if first < 0 {
		return false
	}
	clean := sheet.Clean(row.Fields[first])
	if begin, _ := utf8.DecodeRuneInString(clean); !strings.ContainsRune(footBegins, begin) {
		return false
	}
	word := strings.ToLower(strings.Join(strings.Fields(clean), ""))
	sum := slices.ContainsFunc(sumWords, func(w string) bool { return strings.HasPrefix(word, w) })
	if !sum && !footWords.MatchString(word) && !countWords.MatchString(word) {
		return false
	}
	for i, c := range r.reg.Columns {
		at := r.now.place[i]
		words := c.Type.Text == "text" || c.Type.Text == "person_name" || c.Type.Text == "code"
		if c.Required && (at == first && !words || at != first && sheet.Clean(field(row.Fields, at)) == "") {
			return true
		}
	}
	return false
}
