package pack

import (
	"slices"
	"sort"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/law"
)

// Words is a text that a person sees, in both languages.
type Words struct {
	Zh string `yaml:"zh,required" json:"zh"`
	En string `yaml:"en,required" json:"en"`
}

// In returns the text in a language, "en" or anything else for Chinese.
func (w Words) In(lang string) string {
	if lang == "en" {
		return w.En
	}
	return w.Zh
}

// Pack is a loaded pack without mistakes.
type Pack struct {
	Name      string
	Title     Words
	Division  string // GB/T 2260 code of the city
	Constants map[string]any
	Codes     []*CodeList
	Registers []*Register
	Subjects  []*Subject
	Policies  []*Policy
	Funds     []Fund // in the order in which they are drawn upon when two would pay alike
	Ties      []string
	Hash      string // sha256 over every file of the pack, in order of name
}

// CodeList is the values that a column or a fact may have. An ordered list is an int in facts, its rank; any other is a text, its code.
type CodeList struct {
	Name    string     `yaml:"codes,required"`
	Title   Words      `yaml:"title,required"`
	Source  string     `yaml:"source,required"`
	Ordered bool       `yaml:"ordered"`
	Items   []CodeItem `yaml:"items,required"`
}

// CodeItem is one value of a code list.
type CodeItem struct {
	Code Src      `yaml:"code,required"`
	Rank int64    `yaml:"rank"`
	Zh   string   `yaml:"zh,required"`
	En   string   `yaml:"en,required"`
	Also []string `yaml:"also"` // other spellings met in deliveries
}

// Word is the text of a value: a code's, or in an ordered list a rank's. A value that the list lacks is shown as it is.
func (c *CodeList) Word(value any, lang string) string {
	for _, it := range c.Items {
		if it.Code.Text == value || c.Ordered && it.Rank == value {
			return Words{it.Zh, it.En}.In(lang)
		}
	}
	return ""
}

// Register declares a record of a population kept by a named body, and how it is delivered.
type Register struct {
	Name     string    `yaml:"register,required"`
	Title    Words     `yaml:"title,required"`
	Owner    Words     `yaml:"owner,required"`
	Basis    Words     `yaml:"basis,required"` // by what law the bureau may have it
	About    string    `yaml:"about,required"` // person or employer: whom a row is about
	Mode     Src       `yaml:"mode,required"`  // append, upsert, replace_month, replace_all
	Key      []Src     `yaml:"key,required"`   // columns that make a row one row
	Month    *Src      `yaml:"month"`          // replace_month: the column with the month
	Day      *Src      `yaml:"day"`            // the column with the day that a row tells of, for pages
	Settles  []Src     `yaml:"settles"`        // personal columns whose word replaces what the vault knows of the person
	Complete bool      `yaml:"complete"`       // no row means there is none; otherwise silence is unknown
	Keep     int64     `yaml:"keep_months"`    // months that old versions are kept
	Columns  []*Column `yaml:"columns,required"`
	Checks   []*Check  `yaml:"checks"`
	Refers   []*Refer  `yaml:"refers"`
	File     string    `yaml:"-"`
}

// Refer says that a row should be met by a row of another register: that an employer is registered, that the body which issued a certificate was
// filed on that day. A row without its counterpart is taken and counted, not refused: the other register may come later.
type Refer struct {
	ID       string `yaml:"id,required"`
	Register Src    `yaml:"register,required"`
	Column   *Src   `yaml:"column"` // of this register; absent: the person
	To       *Src   `yaml:"to"`     // the other register's column; absent: the same name, or the person
	Where    *Src   `yaml:"where"`  // over the other register's columns, and this row's as row.<column>; unknown counts as met
	Title    Words  `yaml:"title,required"`

	where *expr.Expr
}

// Columns are the two columns that must be equal: this register's and the other's.
func (r *Refer) Columns() (mine, theirs string) {
	if r.Column == nil {
		return "holder", "holder"
	}
	if r.To == nil {
		return r.Column.Text, r.Column.Text
	}
	return r.Column.Text, r.To.Text
}

// WhereSQL is SQL for the condition on a row and its counterpart, by the names that they go under. What cannot be told counts as met.
func (r *Refer) WhereSQL(mine, theirs string) string {
	if r.where == nil {
		return "TRUE"
	}
	return "(" + r.where.SQL(expr.DuckDB, expr.Names{Column: func(name string) string {
		if own, ok := strings.CutPrefix(name, "row."); ok {
			return mine + `."` + own + `"`
		}
		return theirs + `."` + name + `"`
	}}) + ") IS NOT FALSE"
}

// Column is one column of a register.
type Column struct {
	Name     Src      `yaml:"name,required"`
	Title    Words    `yaml:"title,required"`
	Heads    []string `yaml:"heads"`          // headings met in deliveries, beside the name and the titles
	Type     Src      `yaml:"type,required"`  // id_number person_name phone account uscc text number code int yuan day month bool
	Class    Src      `yaml:"class,required"` // personal alias holder keyed code number day cleared
	Kind     *Src     `yaml:"kind"`           // id_number: the column, of the code list id_kind, that says which kind of number it is
	Codes    *Src     `yaml:"codes"`
	Required bool     `yaml:"required"`
	Min      *int64   `yaml:"min"`
	Max      *int64   `yaml:"max"`

	list *CodeList
}

// List is the column's code list, or nil.
func (c *Column) List() *CodeList { return c.list }

// InLake reports whether the column's value, a keyed hash of it or a holder in its place is written to the lake; personal ones stay in the vault, and
// so does another number of the same person (alias).
func (c *Column) InLake() bool { return c.Class.Text != "personal" && c.Class.Text != "alias" }

// SQLType is the type in which the lake keeps the column.
func (c *Column) SQLType() string {
	switch {
	case c.Class.Text == "holder", c.Type.Text == "int", c.Type.Text == "yuan":
		return "BIGINT"
	case c.list != nil && c.list.Ordered:
		return "SMALLINT"
	case c.Type.Text == "day", c.Type.Text == "month":
		return "DATE"
	case c.Type.Text == "bool":
		return "BOOLEAN"
	}
	return "VARCHAR"
}

// Check is a condition over one row's columns that a delivered row must meet; unknown lets it pass.
type Check struct {
	ID    string `yaml:"id,required"`
	Holds Src    `yaml:"holds,required"`
	Says  Words  `yaml:"says,required"` // what is wrong and what to do

	expr *expr.Expr
}

// Expr is the compiled condition, over the register's columns and the day received.
func (c *Check) Expr() *expr.Expr { return c.expr }

// KeyColumns lists the key as the lake has it: in place of a person's number stands the holder.
func (r *Register) KeyColumns() []string {
	out := make([]string, len(r.Key))
	for i, k := range r.Key {
		out[i] = k.Text
		if r.Column(k.Text) == r.PersonColumn() {
			out[i] = "holder"
		}
	}
	return out
}

// PersonColumn is the column with the number of the person whom a row is about; nil in a register about employers.
func (r *Register) PersonColumn() *Column {
	if r.About != "person" {
		return nil
	}
	return find(r.Columns, func(c *Column) bool { return c.Type.Text == "id_number" && c.Class.Text == "personal" })
}

// MaxColumns is how many columns a register may have: what is said of a row's fields, such as which are empty, is one word of as many bits.
const MaxColumns = 64

// LakeColumns are the columns that the lake has for the register's rows, each with its type, a row's own marks among them: holder (whom it is about),
// seq (the delivery) and row_hash.
func (r *Register) LakeColumns() []LakeColumn {
	var out []LakeColumn
	if r.About == "person" {
		out = append(out, LakeColumn{Name: "holder", Type: "BIGINT"})
	}
	for _, c := range r.Columns {
		if c.InLake() {
			out = append(out, LakeColumn{Name: c.Name.Text, Type: c.SQLType()})
		}
	}
	return append(out, LakeColumn{Name: "seq", Type: "BIGINT"}, LakeColumn{Name: "row_hash", Type: "UBIGINT"})
}

// LakeColumn is one column of a table of the lake.
type LakeColumn = struct{ Name, Type string }

// Ways says to the lake, as lake.Ways, how the register's deliveries add up. In the lake a person's number is its holder.
func (r *Register) Ways() Ways {
	return Ways{Mode: r.Mode.Text, Key: r.KeyColumns(), Month: r.MonthColumn(), Columns: r.LakeColumns()}
}

// Ways is lake.Ways, which this package does not import.
type Ways struct {
	Mode    string
	Key     []string
	Month   string
	Columns []LakeColumn
}

// MonthColumn is the column whose months a delivery replaces; "" where deliveries replace none.
func (r *Register) MonthColumn() string {
	if r.Month == nil {
		return ""
	}
	return r.Month.Text
}

// Column finds a column by name.
func (r *Register) Column(name string) *Column {
	for _, c := range r.Columns {
		if c.Name.Text == name {
			return c
		}
	}
	return nil
}

// Subject is a kind of row that facts are taken for: a person, a certificate.
type Subject struct {
	Name     string  `yaml:"subject,required"`
	Title    Words   `yaml:"title,required"`
	Unit     Words   `yaml:"unit,required"` // 人, 本
	Register *Src    `yaml:"register"`      // whose rows they are; without it every known person
	ID       Keys    `yaml:"id"`            // the column that names a row, or the columns that do together
	Where    *Src    `yaml:"where"`         // which rows, over its columns and "on"
	Facts    []*Fact `yaml:"facts,required"`

	register *Register
	where    *expr.Expr
	vocab    *expr.Vocabulary
}

// Rows is the register whose rows the subjects are; nil for persons.
func (s *Subject) Rows() *Register { return s.register }

// WhereExpr is the compiled condition on rows, or nil.
func (s *Subject) WhereExpr() *expr.Expr { return s.where }

// Vocabulary holds the facts that a policy about this kind may name: its own, its person's, the constants and "on".
func (s *Subject) Vocabulary() *expr.Vocabulary { return s.vocab }

// Fact is a typed, dated statement about a subject row, derived from registers. Unknown where no register told.
type Fact struct {
	Name  Src    `yaml:"name,required"`
	Title Words  `yaml:"title,required"`
	Type  Src    `yaml:"type,required"` // bool int text day, or code
	Unit  string `yaml:"unit"`
	Min   *int64 `yaml:"min"`
	Max   *int64 `yaml:"max"`
	Codes *Src   `yaml:"codes"`

	// Take says how: value, column, highest, latest, first, exists, count, sum, months_total, months_longest, months_current,
	// months_first, months_last, employer, person, spouse.
	Take     Src   `yaml:"take,required"`
	Register *Src  `yaml:"register"`
	Value    *Src  `yaml:"value"`    // over the row's columns; take: value, over the subject's other facts; person, spouse: over that person's facts
	By       *Src  `yaml:"by"`       // highest, latest, first: the column that orders; ties go to the smaller row
	Where    *Src  `yaml:"where"`    // which rows count, over columns, "on" and the subject's own row as row.<column>
	Match    []Src `yaml:"match"`    // columns that a row and the subject's own row have alike, "theirs = own" where the names differ; "person" for its person
	Of       *Src  `yaml:"of"`       // person, or household: the rows of the person and of the spouse
	Distinct *Src  `yaml:"distinct"` // count: rows that have this column alike count once
	Listed   *Src  `yaml:"listed"`   // a bool: whether the value, a text, is a code of this list
	Absent   *Src  `yaml:"absent"`   // the value where a complete register has no row, or for spouse where there is none; otherwise unknown

	// Of months and employers, which are taken from contributions.
	Kinds     []Src  `yaml:"kinds"`         // kinds of insurance; a month of any of them counts
	Qualities []Src  `yaml:"qualities"`     // how a month may have come about; all where none is named
	Place     *Src   `yaml:"place"`         // anywhere, or city: only months insured in the pack's own city
	Counted   *Src   `yaml:"counted"`       // due: in the month that it is due for; received: in the month in which it was received
	Within    *int64 `yaml:"within_months"` // only months received at most so many months after the one that they are due for
	From      *Src   `yaml:"from"`          // only months since the month of this day, that month included; a day over the subject's other facts
	Grace     int64  `yaml:"grace_months"`  // months_current: how many months the register may lag behind the day asked
	User      bool   `yaml:"user"`          // employer: of a dispatched worker the user unit

	// At is the day on which the fact is taken, over the subject's other facts and its own row as row.<column>; the day asked about where absent.
	At *Src `yaml:"at"`

	Subject  *Subject `yaml:"-"`
	register *Register
	list     *CodeList
	listed   *CodeList
	value    *expr.Expr
	where    *expr.Expr
	at, from *expr.Expr
	absent   any
	typ      expr.Type
}

// Source is the register that the fact is derived from, or nil for one worked out from other facts.
func (f *Fact) Source() *Register { return f.register }

// List is the fact's code list, or nil.
func (f *Fact) List() *CodeList { return f.list }

// ValueExpr and WhereExpr are the compiled expressions, or nil.
func (f *Fact) ValueExpr() *expr.Expr { return f.value }

// WhereExpr is the condition on rows, or nil.
func (f *Fact) WhereExpr() *expr.Expr { return f.where }

// AtExpr is the day on which the fact is taken, or nil for the day asked about. A day that is still to come is the day asked about.
func (f *Fact) AtExpr() *expr.Expr { return f.at }

// FromExpr is the day since whose month months count, or nil.
func (f *Fact) FromExpr() *expr.Expr { return f.from }

// ListedIn is the code list that the value is looked up in, or nil.
func (f *Fact) ListedIn() *CodeList { return f.listed }

// Household reports whether the rows of the spouse count as well.
func (f *Fact) Household() bool { return f.Of != nil && f.Of.Text == "household" }

// Pair is two columns that must be equal: a row's and the subject's own row's.
type Pair struct{ Theirs, Own string }

// Matches lists the columns that a row and the subject's own row have alike; person is whether their person must be the same.
func (f *Fact) Matches() (pairs []Pair, person bool) {
	for _, m := range f.Match {
		theirs, own, ok := strings.Cut(m.Text, "=")
		if !ok {
			own = theirs
		}
		if theirs, own = strings.TrimSpace(theirs), strings.TrimSpace(own); theirs == "person" {
			person = true
		} else {
			pairs = append(pairs, Pair{theirs, own})
		}
	}
	return pairs, person || len(f.Match) == 0
}

// OwnColumns lists the columns of the subject's own row that the fact looks at beside its value, in order.
func (f *Fact) OwnColumns() []string {
	var out []string
	add := func(name string) {
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	pairs, _ := f.Matches()
	for _, m := range pairs {
		add(m.Own)
	}
	for _, x := range []*expr.Expr{f.where, f.value} {
		if x == nil || f.Take.Text == "column" && f.register == nil {
			continue
		}
		for _, in := range x.Inputs() {
			if own, ok := strings.CutPrefix(in, "row."); ok {
				add(own)
			}
		}
	}
	sort.Strings(out)
	return out
}

// Others lists what the fact needs of the subject's other facts: of take: value its inputs, and those of the days it is taken at and counts from.
func (f *Fact) Others() []string {
	var out []string
	for _, x := range []*expr.Expr{f.at, f.from, map[bool]*expr.Expr{true: f.value}[f.Take.Text == "value"]} {
		if x != nil {
			out = append(out, x.Inputs()...)
		}
	}
	return out
}

// AbsentValue is the value where a complete register has no row, or nil.
func (f *Fact) AbsentValue() any { return f.absent }

// ExprType is the fact's type in the rule language: a code is an int where its list is ordered, else a text.
func (f *Fact) ExprType() expr.Type { return f.typ }

// Months reports whether the fact counts months of contributions, which go on when a person goes on contributing.
func (f *Fact) Months() bool { return len(f.Take.Text) > 7 && f.Take.Text[:7] == "months_" }

// Policy is one entitlement from one line of instruments of law.
type Policy struct {
	Name       string          `yaml:"policy,required"`
	Title      Words           `yaml:"title,required"`
	Mechanism  []string        `yaml:"mechanism,required"` // rows of the brief: M14
	Draft      bool            `yaml:"draft"`              // still being written: checked and tested, and never asked by a live run
	About      Src             `yaml:"about,required"`     // the kind of subject row
	VersionBy  Src             `yaml:"version_by,required"`
	Versions   []*Version      `yaml:"versions,required"`
	Ended      *Ended          `yaml:"ended"`
	Parameters Map[*Parameter] `yaml:"parameters"`
	Rules      []*Rule         `yaml:"rules,required"`
	Window     *Window         `yaml:"window"`
	Award      Award           `yaml:"award,required"`
	Payee      Src             `yaml:"payee,required"`
	Fund       Src             `yaml:"fund,required"`
	Settled    *Settled        `yaml:"settled"`
	Limits     []*Limit        `yaml:"limits"`
	Process    *Process        `yaml:"process"`
	Asks       []*Ask          `yaml:"asks"`
	Events     []*Event        `yaml:"events"`
	Recovery   *Recovery       `yaml:"recovery"`
	Assumed    []Words         `yaml:"assumed"` // what no public text says and we assumed; shown wherever the policy is
	Law        law.Text        `yaml:"-"`
	LawFile    string          `yaml:"-"`
	File       string          `yaml:"-"`
	Subject    *Subject        `yaml:"-"`
	Tests      []*Test         `yaml:"-"`

	window *expr.Expr
	amount *expr.Expr
	vocab  *expr.Vocabulary
	claims *expr.Vocabulary // what limits may name: facts, and the words of a claim
	limits []*Member        // what the policy's claims put into limits, its own and those of other policies, in order of the pack
	cites  bool             // its law text was found, so citations can be checked
	broken []string         // parameters without a type, by their names with "p."
}

// Version is a stretch of days on which one text of the law held, both days included.
type Version struct {
	From calendar.Day  `yaml:"from,required"`
	To   *calendar.Day `yaml:"to"` // open when absent
	By   Src           `yaml:"by,required"`
	Note *Words        `yaml:"note"`

	Place Src `yaml:"-"` // where the version stands in the file
}

// ID names a version by the day it begins.
func (v *Version) ID() string { return v.From.String() }

// Ended says that the policy itself ended: afterwards it is not in force, rather than unknown to us.
type Ended struct {
	On calendar.Day `yaml:"on,required"`
	By Src          `yaml:"by,required"`
}

// Parameter is a number that the law fixes, with the days it held.
type Parameter struct {
	Title  Words            `yaml:"title,required"`
	Unit   string           `yaml:"unit,required"`
	Key    Keys             `yaml:"key"`   // a table: the code list of its keys, or the two lists of its two keys
	Codes  *Src             `yaml:"codes"` // a set of codes: their list
	Values Map[*DatedValue] `yaml:"values,required"`

	Name  string      `yaml:"-"`
	lists []*CodeList // of the keys, or of the set's codes
	typ   expr.Type
}

// DatedValue is a parameter's value from a day on, until the next; with the article that says so. It is one of a value, a table and a set.
type DatedValue struct {
	Value *Src      `yaml:"value"`
	Table Map[Cell] `yaml:"table"`
	Set   []Src     `yaml:"set"`
	By    Src       `yaml:"by,required"`

	From  calendar.Day `yaml:"-"`
	value any          // see Typed
}

// Rule is a condition with its article. Rules are conjoined; an exception lifts the rule it stands under.
type Rule struct {
	ID     Src       `yaml:"id,required"`
	By     Src       `yaml:"by,required"`
	Title  Words     `yaml:"title,required"`
	Holds  Src       `yaml:"holds,required"`
	Unless []*Except `yaml:"unless"`

	expr  *expr.Expr
	whole *expr.Expr
}

// Except is a condition that lifts a rule, with its article.
type Except struct {
	ID    Src   `yaml:"id,required"`
	By    Src   `yaml:"by,required"`
	Title Words `yaml:"title,required"`
	Holds Src   `yaml:"holds,required"`

	expr *expr.Expr
}

// Expr is the condition that lifts the rule.
func (e *Except) Expr() *expr.Expr { return e.expr }

// Expr is the rule without its exceptions: where its thresholds are.
func (r *Rule) Expr() *expr.Expr { return r.expr }

// Whole is the rule or any of its exceptions.
func (r *Rule) Whole() *expr.Expr { return r.whole }

// Window is the claim window: the last day on which a claim may be made, that day included.
type Window struct {
	By   Src `yaml:"by,required"`
	Ends Src `yaml:"ends,required"`
}

// Award is what is paid.
type Award struct {
	Every  Src    `yaml:"every,required"` // once, month
	Parts  int64  `yaml:"parts"`          // of an award of once, in how many parts it is paid, each a finding of its own; its number, from 1, is part_no in the policy's expressions
	Amount Amount `yaml:"amount_fen,required"`
}

// MaxParts is the most parts that an award may have.
const MaxParts = 12

// Amount is the formula of an award, in fen.
type Amount struct {
	By    Src `yaml:"by,required"`
	Value Src `yaml:"value,required"`
}

// WindowExpr is the last day of the claim window, or nil.
func (p *Policy) WindowExpr() *expr.Expr { return p.window }

// AmountExpr is the award's formula in fen.
func (p *Policy) AmountExpr() *expr.Expr { return p.amount }

// Monthly reports whether the award is per month: then the finding's period is the month asked about.
func (p *Policy) Monthly() bool { return p.Award.Every.Text == "month" }

// Test is one situation and what must follow: it runs through both evaluators.
type Test struct {
	Name  string       `yaml:"name,required"`
	On    calendar.Day `yaml:"on,required"`
	Facts Map[Src]     `yaml:"facts,given"`
	Part  int64        `yaml:"part"` // of an award in parts; the first where it is not given
	Want  Want         `yaml:"want,required"`

	// Of policies whose claims limit each other: whose claim it is, and which others there are on that day.
	Person string   `yaml:"person"`
	Others []*Other `yaml:"others"`

	Values map[string]any `yaml:"-"` // the facts, typed
}

// Other is a claim beside the one that a test is about.
type Other struct {
	Claim   Src      `yaml:"claim,required"` // how the test names it; the test's own is "this"
	Policy  *Src     `yaml:"policy"`         // the test's where it is not given
	Person  string   `yaml:"person"`         // the test's where it is not given
	Subject string   `yaml:"subject"`        // this: the same subject row; otherwise one of its own
	Part    int64    `yaml:"part"`
	Facts   Map[Src] `yaml:"facts"` // of the same subject row none are given
	Want    *Want    `yaml:"want"`

	Under  *Policy        `yaml:"-"`
	Values map[string]any `yaml:"-"`
}

// Want is what a test demands. Because and Missing name exactly the rules that fail and the facts that are missing, when given.
type Want struct {
	Outcome    Src           `yaml:"outcome,required"`
	AmountFen  *int64        `yaml:"amount_fen"`
	Because    []string      `yaml:"because"`
	Missing    []string      `yaml:"missing"`
	WindowEnds *calendar.Day `yaml:"window_ends"`
	Limit      *Src          `yaml:"limit"` // the limit that holds the claim or cuts its amount, POLICY/ID
	Wins       *Src          `yaml:"wins"`  // the claim of the test that it gives way to
}

// Register finds a register by name, or nil.
func (p *Pack) Register(name string) *Register {
	return find(p.Registers, func(r *Register) bool { return r.Name == name })
}

// Policy finds a policy by name, or nil.
func (p *Pack) Policy(name string) *Policy {
	return find(p.Policies, func(x *Policy) bool { return x.Name == name })
}

// Subject finds a kind of subject row by name, or nil.
func (p *Pack) Subject(name string) *Subject {
	return find(p.Subjects, func(s *Subject) bool { return s.Name == name })
}

// CodeList finds a code list by name, or nil.
func (p *Pack) CodeList(name string) *CodeList {
	return find(p.Codes, func(c *CodeList) bool { return c.Name == name })
}

// Fact finds a fact that policies about the subject may name: its own or its person's; nil for "on", parameters and constants.
func (p *Pack) Fact(s *Subject, name string) *Fact {
	for _, kind := range []*Subject{s, p.Subject("person")} {
		if f := find(kind.Facts, func(f *Fact) bool { return f.Name.Text == name }); f != nil {
			return f
		}
	}
	return nil
}

func find[T any](among []*T, is func(*T) bool) *T {
	for _, x := range among {
		if is(x) {
			return x
		}
	}
	return nil
}

// VersionOn returns the version whose days include d and its place from 1; 0 when d is before the first (or after an end): not in force;
// -1 when d lies in a gap of what we have of the law.
func (p *Policy) VersionOn(d calendar.Day) (*Version, int) {
	if d < p.Versions[0].From || p.Ended != nil && d > p.Ended.On {
		return nil, 0
	}
	for i, v := range p.Versions {
		if d >= v.From && (v.To == nil || d <= *v.To) {
			return v, i + 1
		}
	}
	return nil, -1
}

// Parameter finds a parameter by its name without "p.".
func (p *Policy) Parameter(name string) *Parameter {
	for _, e := range p.Parameters {
		if e.Key.Text == name {
			return e.Value
		}
	}
	return nil
}

// On returns the value in force on a day, as Typed has it; nil before the first.
func (p *Parameter) On(d calendar.Day) (any, *DatedValue) {
	for i := len(p.Values) - 1; i >= 0; i-- {
		if v := p.Values[i].Value; d >= v.From {
			return v.value, v
		}
	}
	return nil, nil
}

// Dated returns the parameter's values in order of day.
func (p *Parameter) Dated() []*DatedValue {
	out := make([]*DatedValue, len(p.Values))
	for i, e := range p.Values {
		out[i] = e.Value
	}
	return out
}

// Typed is the value: int64, bool, string or calendar.Day; map[int64]int64, map[string]int64 or expr.Grid for a table; []int64 or []string
// for a set.
func (v *DatedValue) Typed() any { return v.value }

// TableEntry is one number of a table, with its code or its two.
type TableEntry struct {
	Codes  []CodeItem
	Number int64
}

// Table lists the numbers of a table, as Typed gives it, in the order of the code lists; nothing for another value.
func (p *Parameter) Table(value any) (out []TableEntry) {
	if len(p.Key) == 0 {
		return nil
	}
	add := func(codes ...CodeItem) {
		var n int64
		var ok bool
		switch t := value.(type) {
		case map[int64]int64:
			n, ok = t[codes[0].Rank]
		case map[string]int64:
			n, ok = t[codes[0].Code.Text]
		case expr.Grid:
			n, ok = t[[2]any{p.lists[0].key(codes[0]), p.lists[1].key(codes[1])}]
		}
		if ok {
			out = append(out, TableEntry{codes, n})
		}
	}
	for _, a := range p.lists[0].Items {
		if len(p.lists) == 1 {
			add(a)
			continue
		}
		for _, b := range p.lists[1].Items {
			add(a, b)
		}
	}
	return out
}
