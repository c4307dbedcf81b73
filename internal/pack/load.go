package pack

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strings"

	"bole/internal/expr"
	"bole/internal/fault"
	"bole/internal/law"
)

// folders are the places of a pack's declarations.
var folders = []string{"codes", "registers", "facts", "policies"}

var (
	snake = regexp.MustCompile(`^[a-z][a-z0-9_]*$`) // words of the rule language
	kebab = regexp.MustCompile(`^[a-z][a-z0-9-]*$`) // policies and rules
)

// reserved words mean something to the rule language itself.
var reserved = strings.Fields(`true false null in on p part_no person subject claim_day paid_in_all_fen received as break const continue else for function if import let loop package namespace
	return var void while`)

// head is pack.yaml.
type head struct {
	Pack      string   `yaml:"pack,required"`
	Title     Words    `yaml:"title,required"`
	Division  Src      `yaml:"division,required"`
	Uses      *Src     `yaml:"uses"`
	Funds     []Fund   `yaml:"funds"`
	Ties      []Src    `yaml:"ties"`
	Constants Map[Src] `yaml:"constants"`
}

// Load reads the pack at the root of fsys. Packs that it uses are looked for in shipped, by name.
//
// Errors: fault.Mistakes with everything that is wrong, in order of file and line.
func Load(fsys fs.FS, shipped fs.FS) (*Pack, error) {
	return load(fsys, shipped, nil)
}

// load reads a pack under the constants of the pack that uses it, which stand before its own: another city's facts are about that city.
func load(fsys fs.FS, shipped fs.FS, constants Map[Src]) (*Pack, error) {
	r := &reader{fsys: fsys, lines: map[string][]string{}, rows: map[string]*expr.Vocabulary{}}
	p := &Pack{Constants: map[string]any{}}
	r.pack(p, shipped, constants)
	if len(r.mistakes) > 0 {
		sort.SliceStable(r.mistakes, func(i, j int) bool {
			a, b := r.mistakes[i], r.mistakes[j]
			return a.File < b.File || a.File == b.File && (a.Line < b.Line || a.Line == b.Line && a.Column < b.Column)
		})
		return nil, slices.CompactFunc(r.mistakes, func(a, b fault.Mistake) bool { return a == b })
	}
	return p, nil
}

func (r *reader) pack(p *Pack, shipped fs.FS, constants Map[Src]) {
	var h head
	if !r.read("pack.yaml", &h) && (h.Uses != nil || r.lines["pack.yaml"] == nil) {
		return // without the pack that it uses, much would seem to be missing
	}
	p.Name, p.Title, p.Division = h.Pack, h.Title, h.Division.Text
	sum := sha256.New()
	if h.Uses != nil {
		base, err := fs.Sub(shipped, h.Uses.Text)
		if err == nil {
			_, err = fs.Stat(base, "pack.yaml")
		}
		if err != nil {
			r.at("pack.yaml", *h.Uses, "no pack called %s is shipped with this program", h.Uses.Text)
			return
		}
		used, err := load(base, shipped, h.Constants)
		if err != nil {
			r.at("pack.yaml", *h.Uses, "the pack %s has mistakes of its own: check it first", h.Uses.Text)
			return
		}
		p.Codes, p.Registers, p.Subjects = used.Codes, used.Registers, used.Subjects
		p.Funds, p.Ties = slices.Clone(used.Funds), used.Ties
		for k, v := range used.Constants {
			p.Constants[k] = v
		}
		sum.Write([]byte(used.Hash))
	}
	for _, e := range h.Constants {
		r.word("pack.yaml", e.Key, "constant")
	}
	for _, e := range append(h.Constants, constants...) {
		p.Constants[e.Key.Text] = e.Value.Text
	}
	r.funds(p, h)
	files := map[string][]string{}
	_ = fs.WalkDir(r.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.IsDir() && (name == "reference" || len(name) > 1 && name[0] == '.') {
				return fs.SkipDir
			}
			return nil
		}
		b, _ := fs.ReadFile(r.fsys, name)
		fmt.Fprintf(sum, "%s\x00%d\x00", name, len(b))
		sum.Write(b)
		switch dir := path.Dir(name); {
		case path.Ext(name) == ".yaml" && (name == "pack.yaml" || slices.Contains(folders, dir)):
			files[dir] = append(files[dir], name)
		case path.Ext(name) == ".yaml" || path.Ext(name) == ".yml":
			r.mistake(name, 0, 0, "nothing reads this file: a pack has pack.yaml and, one declaration a .yaml file, %s", strings.Join(folders, ", "))
		}
		return nil
	})
	p.Hash = hex.EncodeToString(sum.Sum(nil))

	for _, f := range files["codes"] {
		c := &CodeList{}
		if r.read(f, c) && r.free(f, c.Name, p.CodeList(c.Name) != nil) {
			r.codeList(f, c)
			p.Codes = append(p.Codes, c)
		}
	}
	for _, f := range files["registers"] {
		reg := &Register{File: f}
		if r.read(f, reg) && r.free(f, reg.Name, p.Register(reg.Name) != nil) {
			r.register(f, p, reg)
			p.Registers = append(p.Registers, reg)
		}
	}
	if len(r.mistakes) == 0 { // a register with mistakes would only be missed again
		for _, f := range files["registers"] {
			if reg := find(p.Registers, func(reg *Register) bool { return reg.File == f }); reg != nil {
				r.refers(f, p, reg)
			}
		}
	}
	for _, f := range files["facts"] {
		s := &Subject{}
		if !r.read(f, s) {
			continue
		}
		if have := p.Subject(s.Name); have != nil && h.Uses != nil { // a using pack adds facts to a kind
			extended := *have
			extended.Facts = append(slices.Clone(have.Facts), s.Facts...)
			p.Subjects[slices.Index(p.Subjects, have)] = &extended
		} else if r.free(f, s.Name, have != nil) {
			p.Subjects = append(p.Subjects, s)
		}
		r.oneName(f, "subject", s.Name, snake)
		for _, fact := range s.Facts {
			r.fact(f, p, s, fact)
		}
	}
	if p.Subject("person") == nil && len(r.mistakes) == 0 {
		r.mistake("pack.yaml", 1, 1, "no kind of subject called person: declare facts/person.yaml")
	}
	if len(r.mistakes) > 0 {
		return // policies would only repeat what is wrong below them
	}
	for _, s := range p.Subjects {
		r.vocabulary(p, s)
	}
	if len(r.mistakes) > 0 {
		return
	}
	for _, f := range files["facts"] {
		r.factExpressions(f, p)
	}
	for _, f := range files["policies"] {
		if strings.HasSuffix(f, "_test.yaml") {
			continue
		}
		pol := &Policy{File: f}
		if r.read(f, pol) && r.free(f, pol.Name, p.Policy(pol.Name) != nil) {
			r.policy(f, p, pol)
			p.Policies = append(p.Policies, pol)
		}
	}
	for _, pol := range p.Policies {
		r.limits(p, pol)
	}
	for _, f := range files["policies"] {
		if strings.HasSuffix(f, "_test.yaml") {
			r.tests(f, p)
		}
	}
}

func (r *reader) free(file, name string, taken bool) bool {
	if taken {
		r.mistake(file, 1, 1, "%s is declared twice", name)
	}
	return !taken
}

// oneName demands that a declaration and its file share one name, which is a word.
func (r *reader) oneName(file, key, name string, form *regexp.Regexp) {
	line := 1 + max(0, slices.IndexFunc(r.lines[file], func(l string) bool { return strings.HasPrefix(l, key+":") }))
	if want := strings.TrimSuffix(path.Base(file), ".yaml"); name != want {
		r.mistake(file, line, 1, "it is called %s here and its file %s: one name for both", name, want)
	} else if !form.MatchString(name) {
		r.mistake(file, line, 1, "%s cannot be a name: write small letters, digits and %s", name, map[bool]string{true: "hyphens", false: "_"}[form == kebab])
	}
}

// word demands a name that the rule language can use.
func (r *reader) word(file string, name Src, what string) {
	if !snake.MatchString(name.Text) || slices.Contains(reserved, name.Text) {
		r.at(file, name, "%s cannot be the name of a %s: write small letters, digits and _, and no word of the rule language", name.Text, what)
	}
}

// codeList checks that a delivered value means one code, and that an ordered list has an order.
func (r *reader) codeList(file string, c *CodeList) {
	r.oneName(file, "codes", c.Name, snake)
	means := map[string]string{}
	for i, it := range c.Items {
		if _, ok := means[it.Code.Text]; ok {
			r.at(file, it.Code, "the code %s stands here twice", it.Code.Text)
			continue
		}
		for _, s := range append([]string{it.Code.Text, it.Zh, it.En}, it.Also...) {
			if other, ok := means[s]; ok && other != it.Code.Text {
				r.at(file, it.Code, "%s already means %s", s, other)
			}
			means[s] = it.Code.Text
		}
		if c.Ordered {
			r.word(file, it.Code, "code of an ordered list")
		}
		if c.Ordered && i > 0 && it.Rank <= c.Items[i-1].Rank {
			r.at(file, it.Code, "the ranks of an ordered list rise: %s has %d after %d", it.Code.Text, it.Rank, c.Items[i-1].Rank)
		}
	}
}

var (
	columnTypes = map[string]expr.Type{
		"id_number": "", "person_name": "", "phone": "", "account": "", "uscc": expr.Text, "text": expr.Text, "number": expr.Text, "code": expr.Text,
		"int": expr.Int, "yuan": expr.Int, "day": expr.Day, "month": expr.Day, "bool": expr.Bool,
	}
	classes = map[string]string{ // the classes that a type may have
		"id_number": "personal alias holder", "person_name": "personal", "phone": "personal", "account": "personal", "uscc": "code", "text": "cleared personal", "number": "keyed code",
		"code": "code", "int": "number", "yuan": "number", "day": "day", "month": "day", "bool": "code",
	}
	modes  = []string{"append", "upsert", "replace_month", "replace_all"}
	abouts = []string{"person", "employer"}
)

func (r *reader) register(file string, p *Pack, reg *Register) {
	r.oneName(file, "register", reg.Name, snake)
	r.oneOf(file, reg.Mode, "way of delivery", modes)
	if !slices.Contains(abouts, reg.About) {
		line := 1 + max(0, slices.IndexFunc(r.lines[file], func(l string) bool { return strings.HasPrefix(l, "about:") }))
		r.mistake(file, line, 1, "about is person or employer, and not %s", reg.About)
	}
	switch {
	case reg.Mode.Text == "replace_month" && reg.Month == nil:
		r.at(file, reg.Mode, "replace_month needs month: the column that holds the month")
	case reg.Mode.Text != "replace_month" && reg.Month != nil:
		r.at(file, *reg.Month, "month stands beside mode: replace_month, and only there")
	}
	if len(reg.Columns) > MaxColumns {
		r.at(file, reg.Columns[MaxColumns].Name, "the %dth column: a register has %d at most; split it in two", MaxColumns+1, MaxColumns)
	}
	var words []expr.Name
	var names []string
	heads := map[string]string{}
	for _, c := range reg.Columns {
		if slices.Contains(names, c.Name.Text) {
			r.at(file, c.Name, "the column %s stands here twice", c.Name.Text)
			continue
		}
		names = append(names, c.Name.Text)
		r.word(file, c.Name, "column")
		r.bounds(file, c.Name, c.Min, c.Max)
		r.oneOf(file, c.Type, "column type", keys(columnTypes))
		if ok := classes[c.Type.Text]; ok != "" && !slices.Contains(strings.Fields(ok), c.Class.Text) {
			r.at(file, c.Class, "a column of type %s is of class %s", c.Type.Text, strings.Join(strings.Fields(ok), " or "))
		}
		if (c.Type.Text == "code") != (c.Codes != nil) {
			r.at(file, c.Name, "codes stands beside type code, and only there")
		} else if c.Codes != nil {
			c.list = p.CodeList(c.Codes.Text)
			if c.list == nil {
				r.unknown(file, *c.Codes, "code list", listNames(p))
			}
		}
		for _, h := range append([]string{c.Name.Text, c.Title.Zh, c.Title.En}, c.Heads...) {
			if other, ok := heads[h]; ok && other != c.Name.Text {
				r.at(file, c.Name, "the heading %s is already that of %s", h, other)
			}
			heads[h] = c.Name.Text
		}
		if w, ok := c.word(); ok {
			words = append(words, w)
		}
	}
	for _, c := range reg.Columns {
		if slices.Contains([]string{"person", "holder", "subject", "seq", "ord", "row_hash", "key_hash", "on", "received", "row"}, c.Name.Text) {
			r.at(file, c.Name, "a column cannot be called %s: the lake has one of its own", c.Name.Text)
		}
	}
	for _, k := range reg.Key {
		if !slices.Contains(names, k.Text) {
			r.unknown(file, k, "column", names)
		}
	}
	for _, k := range append(slices.Clone(reg.Key), reg.Settles...) {
		c := reg.Column(k.Text)
		if c == nil {
			continue
		}
		if c.InLake() == slices.ContainsFunc(reg.Settles, func(s Src) bool { return s == k }) && c != reg.PersonColumn() {
			r.at(file, k, "%s", map[bool]string{true: k.Text + " is no personal column, and so not the vault's: only personal columns are settled",
				false: k.Text + " never reaches the lake, and so cannot be part of the key"}[c.InLake()])
		}
	}
	for _, k := range reg.Settles {
		if !slices.Contains(names, k.Text) {
			r.unknown(file, k, "column", names)
		}
	}
	for _, s := range []*Src{reg.Month, reg.Day} {
		if s != nil && !slices.Contains(names, s.Text) {
			r.unknown(file, *s, "column", names)
		}
	}
	if reg.About == "person" && !slices.ContainsFunc(reg.Columns, func(c *Column) bool {
		return c.Type.Text == "id_number" && c.Required && c.Class.Text != "alias" && c.Class.Text != "holder"
	}) {
		r.mistake(file, 1, 1, "a register about persons needs a required column of type id_number and class personal")
	}
	for _, c := range reg.Columns {
		r.idColumn(file, reg, c)
	}
	v, err := expr.NewVocabulary(append(words, expr.Name{Name: "received", Type: expr.Day, Sure: true})...)
	if err != nil {
		r.mistake(file, 1, 1, "a column's name cannot be used: %v", err)
		return
	}
	for _, ch := range reg.Checks {
		ch.expr = r.compileRow(file, v, ch.Holds, expr.Bool)
	}
}

// idColumn checks what is particular to numbers of people: one column says whom a row is about, the others are that person's other numbers (alias)
// or other people (holder).
func (r *reader) idColumn(file string, reg *Register, c *Column) {
	switch {
	case c.Type.Text != "id_number":
		if c.Kind != nil {
			r.at(file, *c.Kind, "kind stands beside type id_number, and only there")
		}
		return
	case c.Class.Text == "personal" && reg.About == "person" && c != reg.PersonColumn():
		r.at(file, c.Class, "%s says already whom a row is about: another number of the same person is of class alias, another person's of class holder", reg.PersonColumn().Name.Text)
	case c.Class.Text == "alias" && reg.About != "person":
		r.at(file, c.Class, "alias is another number of the person whom a row is about, and here it is about %ss", reg.About)
	case c.Class.Text == "personal" && reg.About != "person":
		r.at(file, c.Class, "a row about an employer names a person as class holder")
	}
	if c.Kind == nil {
		return
	}
	if k := reg.Column(c.Kind.Text); k == nil {
		r.unknown(file, *c.Kind, "column", columnNames(reg))
	} else if k.Codes == nil || k.Codes.Text != "id_kind" {
		r.at(file, *c.Kind, "the column %s says which kind of number it is, and so is of the code list id_kind", k.Name.Text)
	}
}

// refers checks what rows should be met by in other registers; all registers have been read.
func (r *reader) refers(file string, p *Pack, reg *Register) {
	for _, ref := range reg.Refers {
		other := p.Register(ref.Register.Text)
		if other == nil {
			r.unknown(file, ref.Register, "register", registerNames(p))
			continue
		}
		if ref.Column == nil {
			if ref.To != nil || reg.About != "person" || other.About != "person" {
				r.at(file, ref.Register, "name the column: only a row about a person is met by a person's row without one")
			}
		} else {
			to := *ref.Column
			if ref.To != nil {
				to = *ref.To
			}
			mine, theirs := reg.Column(ref.Column.Text), other.Column(to.Text)
			switch {
			case mine == nil:
				r.unknown(file, *ref.Column, "column", columnNames(reg))
			case theirs == nil:
				r.unknown(file, to, "column", columnNames(other))
			case !mine.InLake() || !theirs.InLake():
				r.at(file, *ref.Column, "%s and %s are compared in the lake, which has no personal column", mine.Name.Text, theirs.Name.Text)
			case mine.SQLType() != theirs.SQLType(), mine.Class.Text == "keyed" && mine.Name.Text != theirs.Name.Text:
				r.at(file, *ref.Column, "%s and %s cannot be compared", mine.Name.Text, theirs.Name.Text)
			}
		}
		if ref.Where != nil {
			words := r.ranks(p)
			for _, c := range other.Columns {
				if w, ok := c.word(); ok {
					words = append(words, w)
				}
			}
			for _, c := range reg.Columns {
				if w, ok := c.word(); ok {
					w.Name = "row." + w.Name
					words = append(words, w)
				}
			}
			v, err := expr.NewVocabulary(words...)
			if err != nil {
				r.mistake(file, 1, 1, "a column's name cannot be used: %v", err)
				continue
			}
			ref.where = r.compileRow(file, v, *ref.Where, expr.Bool)
		}
	}
}

// word is the column as a name of the rule language; personal columns have none.
func (c *Column) word() (expr.Name, bool) {
	t := columnTypes[c.Type.Text]
	w := expr.Name{Name: c.Name.Text, Type: t, Sure: c.Required}
	if c.list != nil {
		if w.Type, w.Codes = expr.Text, c.list.codes(); c.list.Ordered {
			w.Type, w.Codes = expr.Int, nil
			w.Min, w.Max = c.list.ranks()
			w.Unit = c.list.unit()
		}
	} else if t == expr.Int {
		w.Min, w.Max = -1<<40, 1<<40
		if c.Min != nil {
			w.Min = *c.Min
		}
		if c.Max != nil {
			w.Max = *c.Max
		}
		if c.Type.Text == "yuan" { // declared in yuan, kept in fen
			w.Min, w.Max, w.Unit = w.Min*100, w.Max*100, "fen"
		}
	}
	return w, t != "" && c.InLake() && c.Class.Text != "holder"
}

func (c *CodeList) codes() []string {
	out := make([]string, len(c.Items))
	for i, it := range c.Items {
		out[i] = it.Code.Text
	}
	return out
}

func (c *CodeList) ranks() (lo, hi int64) {
	lo, hi = c.Items[0].Rank, c.Items[0].Rank
	for _, it := range c.Items {
		lo, hi = min(lo, it.Rank), max(hi, it.Rank)
	}
	return lo, hi
}

// key is the value of an item in the rule language: the rank of an ordered list, else the code.
func (c *CodeList) key(it CodeItem) any {
	if c.Ordered {
		return it.Rank
	}
	return it.Code.Text
}

// unit keeps the ranks of one list from being compared with those of another.
func (c *CodeList) unit() string {
	if c.Ordered {
		return c.Name
	}
	return ""
}

// Rank returns a code's rank in an ordered list.
func (c *CodeList) Rank(code string) (int64, bool) {
	it, ok := c.item(code)
	return it.Rank, ok
}

func (c *CodeList) item(code string) (CodeItem, bool) {
	for _, it := range c.Items {
		if it.Code.Text == code {
			return it, true
		}
	}
	return CodeItem{}, false
}

var takes = []string{"value", "column", "highest", "latest", "first", "exists", "count", "sum",
	"months_total", "months_longest", "months_current", "months_first", "months_last", "employer", "person", "spouse", "couple"}

// What a fact may say of the rows and the months that it is taken from.
var (
	rowChoices = []string{"person", "household"}
	places     = []string{"anywhere", "city"}
	countings  = []string{"due", "received"}
)

var factTypes = map[string]expr.Type{"bool": expr.Bool, "int": expr.Int, "text": expr.Text, "day": expr.Day, "code": expr.Text}

// fact checks one declaration without its expressions.
func (r *reader) fact(file string, p *Pack, s *Subject, f *Fact) {
	f.Subject = s
	r.word(file, f.Name, "fact")
	r.bounds(file, f.Name, f.Min, f.Max)
	r.oneOf(file, f.Take, "way to take a fact", takes)
	r.oneOf(file, f.Type, "type", keys(factTypes))
	f.typ = factTypes[f.Type.Text]
	if (f.Type.Text == "code") != (f.Codes != nil) {
		r.at(file, f.Name, "codes stands beside type code, and only there")
	} else if f.Codes != nil {
		if f.list = p.CodeList(f.Codes.Text); f.list == nil {
			r.unknown(file, *f.Codes, "code list", listNames(p))
			return
		}
		if f.list.Ordered {
			f.typ = expr.Int
		}
	}
	if f.typ == expr.Int && f.list == nil && (f.Min == nil || f.Max == nil) {
		r.at(file, f.Name, "%s needs min and max: without them no amount can be proven to stay in range", f.Name.Text)
	}
	if f.typ == expr.Int && f.list == nil && f.Unit == "" {
		r.at(file, f.Name, "%s needs a unit", f.Name.Text)
	}
	switch {
	case slices.Contains([]string{"value", "person", "spouse", "couple"}, f.Take.Text):
		if f.Register != nil {
			r.at(file, *f.Register, "take: %s is worked out from facts, and from no register", f.Take.Text)
		}
	case f.Take.Text == "column" && f.Register == nil: // a column of the subject's own row
	case f.Register == nil:
		r.at(file, f.Name, "%s needs a register", f.Name.Text)
	default:
		if f.register = p.Register(f.Register.Text); f.register == nil {
			r.unknown(file, *f.Register, "register", registerNames(p))
		}
	}
	if slices.Contains([]string{"highest", "latest", "first"}, f.Take.Text) && f.By == nil {
		r.at(file, f.Name, "%s of %s needs by: the column that orders", f.Take.Text, f.Name.Text)
	}
	if f.Absent != nil && f.register != nil && !f.register.Complete {
		r.at(file, *f.Absent, "the register %s is not complete, so its silence is unknown and not %s", f.register.Name, f.Absent.Text)
	}
	for _, c := range []struct {
		given *Src
		what  string
		among []string
	}{{f.Place, "place of a month", places}, {f.Counted, "way to count a month", countings}, {f.Of, "choice of rows", rowChoices}} {
		if c.given != nil {
			r.oneOf(file, *c.given, c.what, c.among)
		}
	}
	if f.Listed != nil {
		if f.listed = p.CodeList(f.Listed.Text); f.listed == nil {
			r.unknown(file, *f.Listed, "code list", listNames(p))
		}
		if f.typ != expr.Bool {
			r.at(file, f.Type, "whether a value is listed is bool")
		}
	}
	if f.Absent != nil {
		f.absent = r.typed(file, *f.Absent, f.typ, f.list)
	}
}

func (r *reader) bounds(file string, name Src, lo, hi *int64) {
	if lo != nil && hi != nil && *lo > *hi {
		r.at(file, name, "min of %s is above its max", name.Text)
	}
}

// typed reads a literal of a declaration.
func (r *reader) typed(file string, s Src, t expr.Type, list *CodeList) any {
	v, want := parse(s.Text, t, list)
	if want != "" {
		r.at(file, s, "wants %s", want)
	}
	return v
}

func (r *reader) vocabulary(p *Pack, s *Subject) {
	var words []expr.Name
	for k, v := range p.Constants {
		words = append(words, expr.Name{Name: k, Type: expr.Text, Const: v})
	}
	words = append(words, r.ranks(p)...)
	words = append(words, expr.Name{Name: "on", Type: expr.Day, Sure: true})
	facts := s.Facts
	if s.Name != "person" {
		facts = append(slices.Clone(facts), p.Subject("person").Facts...)
	}
	seen := map[string]bool{}
	for k := range p.Constants {
		seen[k] = true
	}
	for _, f := range facts {
		if seen[f.Name.Text] {
			r.mistake("facts/"+s.Name+".yaml", f.Name.Line, f.Name.Col, "the fact %s is declared twice", f.Name.Text)
		}
		seen[f.Name.Text] = true
		words = append(words, f.word())
	}
	v, err := expr.NewVocabulary(words...)
	if err != nil {
		r.mistake("facts/"+s.Name+".yaml", 1, 1, "a fact's name cannot be used: %v", err)
		return
	}
	s.vocab = v
}

// unit is the unit of an int: as declared, or the list of its ranks.
func (f *Fact) unit() string {
	switch {
	case f.typ != expr.Int:
		return ""
	case f.list != nil:
		return f.list.unit()
	}
	return f.Unit
}

func (f *Fact) word() expr.Name {
	w := expr.Name{Name: f.Name.Text, Type: f.typ, Unit: f.unit()}
	if f.list != nil && f.list.Ordered {
		w.Min, w.Max = f.list.ranks()
	} else if f.list != nil {
		w.Codes = f.list.codes()
	}
	if f.Min != nil && f.Max != nil {
		w.Min, w.Max = *f.Min, *f.Max
	}
	return w
}

// factExpressions compiles what facts say over rows and over other facts. Facts of take: value may name only facts that stand before
// them, so that there is no circle.
func (r *reader) factExpressions(file string, p *Pack) {
	for _, s := range p.Subjects {
		if "facts/"+s.Name+".yaml" != file {
			continue
		}
		if s.Register != nil {
			if s.register = p.Register(s.Register.Text); s.register == nil {
				r.unknown(file, *s.Register, "register", registerNames(p))
				continue
			}
			if len(s.ID) == 0 {
				r.mistake(file, 1, 1, "%s needs id: the column that names a row of %s", s.Name, s.register.Name)
			}
			for _, id := range s.ID {
				switch c := s.register.Column(id.Text); {
				case c == nil:
					r.unknown(file, id, "column", columnNames(s.register))
				case !c.InLake() && c != s.register.PersonColumn():
					r.at(file, id, "%s never reaches the lake, and so cannot name a row", id.Text)
				}
			}
			if s.Where != nil {
				s.where = r.compileRow(file, r.rowVocabulary(p, s.register, s), *s.Where, expr.Bool)
				if s.where != nil && len(s.where.Requires()) > 0 { // SQL drops such a row, and with it somebody's claim
					r.at(file, *s.Where, "a row that leaves %s empty would be nobody's subject: say by known() or value_or() what its silence means", strings.Join(s.where.Requires(), " and "))
				}
			}
		}
		before := []expr.Name{{Name: "on", Type: expr.Day, Sure: true}}
		for k, v := range p.Constants {
			before = append(before, expr.Name{Name: k, Type: expr.Text, Const: v})
		}
		var person []expr.Name
		if s.Name != "person" {
			for _, f := range p.Subject("person").Facts {
				person = append(person, f.word())
			}
			before = append(before, person...)
		}
		for _, f := range s.Facts {
			r.factExpression(file, p, s, f, before)
			before = append(before, f.word())
		}
	}
}

// own is the subject's own row as names of the rule language, row.<column>.
func (s *Subject) own() (out []expr.Name) {
	if s.register == nil {
		return nil
	}
	for _, c := range s.register.Columns {
		if w, ok := c.word(); ok {
			w.Name = "row." + w.Name
			out = append(out, w)
		}
	}
	return out
}

// fits refuses what a way to take a fact has no use for, so that nothing is written in vain.
func (r *reader) fits(file string, s *Subject, f *Fact) {
	picks := slices.Contains([]string{"column", "highest", "latest", "first", "exists", "count", "sum"}, f.Take.Text) && f.Register != nil
	contributions := f.Months() || f.Take.Text == "employer"
	dated := f.Take.Text != "value" && (f.Take.Text != "column" || f.Register != nil)
	number := func(n *int64) *Src { return map[bool]*Src{true: &f.Name}[n != nil] }
	list := func(l []Src) *Src {
		if len(l) == 0 {
			return nil
		}
		return &l[0]
	}
	for _, x := range []struct {
		key   string
		given *Src
		ok    bool
	}{
		{"at", f.At, dated}, {"from", f.From, f.Months()}, {"place", f.Place, contributions}, {"counted", f.Counted, f.Months()},
		{"within_months", number(f.Within), contributions}, {"kinds", list(f.Kinds), contributions}, {"qualities", list(f.Qualities), contributions},
		{"where", f.Where, picks}, {"by", f.By, picks}, {"match", list(f.Match), s.register != nil && (picks || f.Months())}, {"of", f.Of, picks},
		{"distinct", f.Distinct, f.Take.Text == "count"}, {"value", f.Value, f.Take.Text != "couple"}, {"absent", f.Absent, f.Take.Text != "couple"}, {"listed", f.Listed, f.Value != nil && f.Take.Text != "value"},
		{"user", map[bool]*Src{true: &f.Name}[f.User], f.Take.Text == "employer"},
		{"grace_months", map[bool]*Src{true: &f.Name}[f.Grace != 0], f.Take.Text == "months_current"},
	} {
		if x.given != nil && !x.ok {
			r.at(file, *x.given, "take: %s has no use for %s here", f.Take.Text, x.key)
		}
	}
}

func (r *reader) factExpression(file string, p *Pack, s *Subject, f *Fact, before []expr.Name) {
	r.fits(file, s, f)
	if f.At != nil || f.From != nil {
		days, err := expr.NewVocabulary(append(append(slices.Clone(before), r.ranks(p)...), s.own()...)...)
		if err != nil {
			r.mistake(file, 1, 1, "a fact's name cannot be used: %v", err)
			return
		}
		if f.At != nil {
			f.at = r.compile(file, days, *f.At, expr.Day)
		}
		if f.From != nil {
			f.from = r.compile(file, days, *f.From, expr.Day)
		}
	}
	want := f.typ
	if f.listed != nil {
		want = expr.Text
	}
	switch f.Take.Text {
	case "couple":
		if f.typ != expr.Text {
			r.at(file, f.Type, "couple is text: a word that both of a couple have alike")
		}
		return
	case "value", "person", "spouse":
		if f.Value == nil {
			r.at(file, f.Name, "%s needs value", f.Name.Text)
			return
		}
		names := before
		if s.Name != "person" && f.Take.Text != "value" { // over facts of the person, and not of this row
			names = slices.DeleteFunc(slices.Clone(before), func(n expr.Name) bool {
				return slices.ContainsFunc(s.Facts, func(own *Fact) bool { return own.Name.Text == n.Name })
			})
		}
		v, _ := expr.NewVocabulary(append(slices.Clone(names), r.ranks(p)...)...)
		f.value = r.compile(file, v, *f.Value, want)
		r.inUnit(file, f)
		return
	}
	reg := f.register
	if reg == nil {
		if reg = s.register; reg == nil {
			r.at(file, f.Name, "%s takes a column, and a %s has no row of its own: name a register", f.Name.Text, s.Name)
			return
		}
	}
	r.matches(file, s, f)
	if f.Take.Text == "employer" { // value names a column of the employers register, of the employer on the day asked
		reg = p.Register("employers")
		if reg == nil {
			r.at(file, f.Take, "there is no register called employers")
			return
		}
	}
	v := r.rowVocabulary(p, reg, s)
	if f.Where != nil {
		f.where = r.compileRow(file, v, *f.Where, expr.Bool)
	}
	for _, c := range []*Src{f.By, f.Distinct} {
		if c != nil && reg.Column(c.Text) == nil {
			r.unknown(file, *c, "column", columnNames(reg))
		} else if c != nil && !reg.Column(c.Text).InLake() {
			r.at(file, *c, "%s never reaches the lake", c.Text)
		}
	}
	if f.Distinct != nil && reg.Column(f.Distinct.Text) != nil && !reg.Column(f.Distinct.Text).Required {
		r.at(file, *f.Distinct, "%s may be empty, and rows without it could not be told apart", f.Distinct.Text)
	}
	if f.Household() && reg.About != "person" {
		r.at(file, *f.Of, "%s is not about persons, and so not about a household", reg.Name)
	}
	for _, k := range f.Kinds {
		if f.register == nil || !f.Months() && f.Take.Text != "employer" {
			break // told already
		} else if c := f.register.Column("kind"); c == nil || c.list == nil || !slices.Contains(c.list.codes(), k.Text) {
			r.at(file, k, "no kind of contribution called %s", k.Text)
		}
	}
	for _, q := range f.Qualities {
		r.oneOf(file, q, "quality of a month", Qualities)
	}
	if (f.Months() || f.Take.Text == "employer") && len(f.Kinds) == 0 {
		r.at(file, f.Name, "%s needs kinds: which contributions count", f.Take.Text)
	}
	switch {
	case f.Months():
		if f.register != nil && f.register.Name != "contributions" {
			r.at(file, *f.Register, "%s counts contributions, and is taken from the register contributions", f.Take.Text)
		}
		if want := map[bool]expr.Type{true: expr.Day, false: expr.Int}[f.Take.Text == "months_first" || f.Take.Text == "months_last"]; f.typ != want {
			r.at(file, f.Type, "%s is %s", f.Take.Text, want)
		} else if f.typ == expr.Int && f.Unit != "month" {
			r.at(file, f.Name, "%s counts months, and the unit of %s is %s", f.Take.Text, f.Name.Text, f.Unit)
		}
	case f.Take.Text == "exists" && f.typ != expr.Bool, f.Take.Text == "count" && f.typ != expr.Int:
		r.at(file, f.Type, "%s is %s", f.Take.Text, map[string]expr.Type{"exists": expr.Bool, "count": expr.Int}[f.Take.Text])
	case f.Value != nil:
		f.value = r.compileRow(file, v, *f.Value, want)
		r.inUnit(file, f)
	case f.Take.Text != "exists" && f.Take.Text != "count":
		r.at(file, f.Name, "%s needs value: a column, or an expression over columns", f.Name.Text)
	}
}

// inUnit demands that a fact's value comes in the unit that the fact declares.
func (r *reader) inUnit(file string, f *Fact) {
	if f.value == nil || f.typ != expr.Int {
		return
	}
	if has, want := f.value.Unit(), f.unit(); has != "" && want != "" && has != want {
		r.at(file, *f.Value, "%s is %s, and its value here is %s", f.Name.Text, want, has)
	}
}

// matches checks the columns that a row and the subject's own row must have alike.
func (r *reader) matches(file string, s *Subject, f *Fact) {
	for _, m := range f.Match {
		one := *f
		one.Match = []Src{m}
		pairs, person := one.Matches()
		switch {
		case s.register == nil || f.register == nil: // told already
		case person:
			if f.register.About != "person" {
				r.at(file, m, "%s is not about persons", f.register.Name)
			}
		default:
			theirs, own := f.register.Column(pairs[0].Theirs), s.register.Column(pairs[0].Own)
			switch {
			case theirs == nil:
				r.unknown(file, Src{Text: pairs[0].Theirs, Line: m.Line, Col: m.Col}, "column", columnNames(f.register))
			case own == nil:
				r.unknown(file, Src{Text: pairs[0].Own, Line: m.Line, Col: m.Col}, "column", columnNames(s.register))
			case !theirs.InLake() || !own.InLake():
				r.at(file, m, "%s and %s are compared in the lake, which has no personal column", theirs.Name.Text, own.Name.Text)
			case theirs.SQLType() != own.SQLType(), theirs.Class.Text == "keyed" && theirs.Name.Text != own.Name.Text:
				r.at(file, m, "%s and %s cannot be compared", theirs.Name.Text, own.Name.Text)
			case f.Months() && theirs.Name.Text != "uscc":
				r.at(file, m, "months are matched by uscc, their employer, and by nothing else")
			}
		}
	}
}

// Qualities are the ways in which a month of contributions can have come about, best first: paid when due, paid late, collected again after a debit
// that failed (补扣), paid back for the past (补缴), transferred in from another city.
var Qualities = []string{"paid", "late", "recollected", "back", "transfer"}

func (r *reader) ranks(p *Pack) []expr.Name {
	var out []expr.Name
	for _, c := range p.Codes {
		for _, it := range c.Items {
			if c.Ordered {
				out = append(out, expr.Name{Name: c.Name + "." + it.Code.Text, Type: expr.Int, Const: it.Rank, Unit: c.unit()})
			}
		}
	}
	return out
}

// rowVocabulary is what an expression over a register's rows may name: its columns, "on", ranks, constants and, as row.<column>, those of the subject's
// own row.
func (r *reader) rowVocabulary(p *Pack, reg *Register, s *Subject) *expr.Vocabulary {
	key := reg.Name + " of " + s.Name
	if v, ok := r.rows[key]; ok {
		return v
	}
	more := s.own()
	words := append(append(r.ranks(p), expr.Name{Name: "on", Type: expr.Day, Sure: true}), more...)
	for k, v := range p.Constants {
		if reg.Column(k) == nil { // a column of that name is meant
			words = append(words, expr.Name{Name: k, Type: expr.Text, Const: v})
		}
	}
	for _, c := range reg.Columns {
		if w, ok := c.word(); ok {
			words = append(words, w)
		}
	}
	v, err := expr.NewVocabulary(words...)
	if err != nil {
		r.mistake(reg.File, 1, 1, "a column's name cannot be used: %v", err)
	}
	r.rows[key] = v
	return v
}

// compile turns an expression's problems into mistakes at their place in the file.
func (r *reader) compile(file string, v *expr.Vocabulary, s Src, want expr.Type) *expr.Expr {
	return r.compileOver("fact", file, v, s, want)
}

// compileRow compiles an expression over a register's columns.
func (r *reader) compileRow(file string, v *expr.Vocabulary, s Src, want expr.Type) *expr.Expr {
	return r.compileOver("column", file, v, s, want)
}

func (r *reader) compileOver(words, file string, v *expr.Vocabulary, s Src, want expr.Type) *expr.Expr {
	if v == nil {
		return nil
	}
	x, problems := v.Compile(s.Text, want)
	for _, p := range problems {
		line, col := r.place(file, s, p.Line, p.Column)
		r.mistake(file, line, col, "%s", strings.Replace(p.Message, "no fact called", "no "+words+" called", 1))
	}
	return x
}

func (r *reader) oneOf(file string, s Src, what string, among []string) {
	if !slices.Contains(among, s.Text) {
		r.unknown(file, s, what, among)
	}
}

func (r *reader) unknown(file string, s Src, what string, among []string) {
	msg := fmt.Sprintf("no %s called %s", what, s.Text)
	if near := fault.Closest(s.Text, among); near != "" && letters(near) != letters(s.Text) { // art-3 is not meant for art-1
		msg += "; did you mean " + near + "?"
	} else if len(among) > 0 && len(among) < 20 {
		msg += "; there is " + strings.Join(among, ", ")
	}
	r.at(file, s, "%s", msg)
}

func letters(s string) string {
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, s)
}

func keys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

func names[T any](list []T, name func(T) string) []string {
	out := make([]string, len(list))
	for i, x := range list {
		out[i] = name(x)
	}
	return out
}

func listNames(p *Pack) []string { return names(p.Codes, func(c *CodeList) string { return c.Name }) }
func registerNames(p *Pack) []string {
	return names(p.Registers, func(r *Register) string { return r.Name })
}
func columnNames(r *Register) []string {
	return names(r.Columns, func(c *Column) string { return c.Name.Text })
}

func (r *reader) lawText(file string, pol *Policy) {
	pol.LawFile = strings.TrimSuffix(file, ".yaml") + ".law.md"
	b, err := fs.ReadFile(r.fsys, pol.LawFile)
	if err != nil {
		r.mistake(pol.LawFile, 0, 0, "is missing: the law text that %s cites stands beside it", path.Base(file))
		return
	}
	pol.Law, pol.cites, r.lines[pol.LawFile] = law.Parse(string(b)), true, lines(b)
	seen := map[string]bool{}
	for _, a := range pol.Law.Articles {
		if seen[a.Anchor] {
			r.mistake(pol.LawFile, a.Line, 1, "the anchor %s stands here twice", a.Anchor)
		}
		seen[a.Anchor] = true
	}
	if pol.Law.ReadOn == 0 {
		r.mistake(pol.LawFile, 0, 0, "does not say on which day its source was read: a line like read: 2026-11-23")
	}
}
