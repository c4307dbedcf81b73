package pack

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
)

// Who is paid, and how often.
var (
	payees  = []string{"person", "employer"}
	periods = []string{"once", "month"}
)

// policy checks one policy: its versions lie in order, every number is dated and cited, and every expression compiles.
func (r *reader) policy(file string, p *Pack, pol *Policy) {
	r.oneName(file, "policy", pol.Name, kebab)
	r.lawText(file, pol)
	if pol.Subject = p.Subject(pol.About.Text); pol.Subject == nil {
		r.unknown(file, pol.About, "kind of subject", names(p.Subjects, func(s *Subject) string { return s.Name }))
		return
	}
	r.oneOf(file, pol.Payee, "payee", payees)
	r.oneOf(file, pol.Award.Every, "period", periods)
	if pol.VersionBy.Text != "on" {
		if f := p.Fact(pol.Subject, pol.VersionBy.Text); f == nil {
			r.unknown(file, pol.VersionBy, "fact", pol.Subject.vocab.Names())
		} else if f.typ != expr.Day {
			r.at(file, pol.VersionBy, "version_by is a day, and %s is %s", f.Name.Text, f.typ)
		}
	}
	r.versions(file, pol)
	words := []expr.Name{}
	for i := range pol.Parameters {
		e := &pol.Parameters[i]
		e.Value.Name = e.Key.Text
		r.word(file, e.Key, "parameter")
		if w, ok := r.parameter(file, p, pol, e.Value, e.Key); ok {
			words = append(words, w)
		} else {
			pol.broken = append(pol.broken, w.Name)
		}
	}
	words = append(words, r.parts(file, pol)...)
	v, err := pol.Subject.vocab.With(words...)
	if err != nil {
		r.mistake(file, 1, 1, "a parameter's name cannot be used: %v", err)
		return
	}
	pol.vocab = v
	ids := map[string]bool{"window": true, "award": true}
	for _, rule := range pol.Rules {
		r.ruleID(file, ids, rule.ID)
		r.cited(file, pol, rule.By)
		rule.expr = r.compileIn(file, pol, rule.Holds, expr.Bool)
		whole := "(" + rule.Holds.Text + ")"
		for _, e := range rule.Unless {
			r.ruleID(file, ids, e.ID)
			r.cited(file, pol, e.By)
			e.expr = r.compileIn(file, pol, e.Holds, expr.Bool)
			whole += " || (" + e.Holds.Text + ")"
		}
		if rule.expr == nil {
			continue
		}
		rule.whole = rule.expr
		if rule.Unless != nil {
			rule.whole, _ = v.Compile(whole, expr.Bool)
		}
	}
	if len(pol.Rules) > 60 {
		r.mistake(file, 1, 1, "more than 60 rules: declare facts for parts of them")
	}
	if w := pol.Window; w != nil {
		r.cited(file, pol, w.By)
		pol.window = r.compileIn(file, pol, w.Ends, expr.Day)
	}
	r.cited(file, pol, pol.Award.Amount.By)
	pol.amount = r.compileIn(file, pol, pol.Award.Amount.Value, expr.Int)
	if pol.amount != nil {
		if lo, _ := pol.amount.Range(); lo < 0 {
			r.at(file, pol.Award.Amount.Value, "the amount could be below 0 (down to %d fen)", lo)
		}
		if u := pol.amount.Unit(); u != "" && u != "fen" && !(u == "fen/month" && pol.Monthly()) {
			r.at(file, pol.Award.Amount.Value, "the amount is fen, and here it is %s", u)
		}
	}
	r.settled(file, pol)
	r.process(file, p, pol)
	r.unused(file, pol)
}

func (r *reader) ruleID(file string, taken map[string]bool, id Src) {
	if !kebab.MatchString(id.Text) {
		r.at(file, id, "%s cannot be a rule's id: write small letters, digits and hyphens", id.Text)
	}
	if taken[id.Text] {
		r.at(file, id, "the rule id %s is taken", id.Text)
	}
	taken[id.Text] = true
}

// compileIn compiles an expression of the policy. One that names a parameter with a mistake cannot be checked yet.
func (r *reader) compileIn(file string, pol *Policy, s Src, want expr.Type) *expr.Expr {
	for _, b := range pol.broken {
		if slices.Contains(dotted.FindAllString(s.Text, -1), b) {
			return nil
		}
	}
	return r.compile(file, pol.vocab, s, want)
}

var dotted = regexp.MustCompile(`[A-Za-z0-9_.]+`)

// versions must not overlap; a gap between two is allowed, and means that we do not have the law of those days.
func (r *reader) versions(file string, pol *Policy) {
	var last *Version
	for i, v := range pol.Versions {
		r.cited(file, pol, v.By)
		switch {
		case v.To != nil && *v.To < v.From:
			r.at(file, v.Place, "the version from %s ends on %s, before it begins", v.From, v.To)
		case last != nil && v.From < last.From:
			r.at(file, v.Place, "the version from %s stands after that from %s: put them in order of day", v.From, last.From)
		case last != nil && (v.From == last.From || last.To != nil && v.From <= *last.To):
			r.at(file, v.Place, "the versions from %s and %s overlap: two texts of the law would hold on %s", last.From, v.From, v.From)
		case v.To == nil && i < len(pol.Versions)-1:
			r.at(file, v.Place, "the version from %s is open and another follows: give its last day", v.From)
		}
		last = v
	}
	if pol.Ended != nil {
		r.cited(file, pol, pol.Ended.By)
	}
}

func (r *reader) cited(file string, pol *Policy, by Src) {
	if _, ok := pol.Law.Find(by.Text); !ok && pol.cites {
		r.unknown(file, by, "article in "+path.Base(pol.LawFile), pol.Law.Anchors())
	}
}

// parameter reads the dated values. A parameter has a value on every day of every version, or the pack has a mistake: a gap in the law is
// a gap between versions, never a silent zero.
func (r *reader) parameter(file string, p *Pack, pol *Policy, par *Parameter, key Src) (expr.Name, bool) {
	word := expr.Name{Name: "p." + par.Name, Fixed: true, Sure: true}
	lists := slices.Clone(par.Key)
	if par.Codes != nil {
		lists = append(lists, *par.Codes)
	}
	if len(par.Key) > 2 || par.Key != nil && par.Codes != nil {
		r.at(file, key, "%s is a table by the one or two code lists of key, or a set of codes", par.Name)
		return word, false
	}
	for i, name := range lists {
		list := p.CodeList(name.Text)
		if list == nil {
			r.unknown(file, name, "code list", listNames(p))
			return word, false
		}
		par.lists = append(par.lists, list)
		if par.Key != nil {
			word.KeyUnits[i] = list.unit()
		}
	}
	var last calendar.Day
	first := true
	for _, e := range par.Values {
		dv := e.Value
		d, err := calendar.Parse(e.Key.Text)
		switch {
		case err != nil:
			r.at(file, e.Key, "wants a day, written 2024-12-20")
		case d == last:
			r.at(file, e.Key, "%s has two values from %s: the law gives one", par.Name, d)
		case d < last:
			r.at(file, e.Key, "the value from %s stands after that from %s: put the values of %s in order of day", d, last, par.Name)
		}
		dv.From, last = d, max(last, d)
		r.cited(file, pol, dv.By)
		t, lo, hi, ok := r.dated(file, par, dv, e.Key)
		if !ok {
			continue
		}
		if first {
			word.Type, word.Min, word.Max = t, lo, hi
		} else if t != word.Type {
			r.at(file, e.Key, "%s is %s here and %s before", par.Name, t, word.Type)
			continue
		}
		word.Min, word.Max, first = min(word.Min, lo), max(word.Max, hi), false
		word.Repeats += max(1, len(par.Table(dv.value)))
		if set, ok := dv.value.([]string); ok && par.Codes != nil {
			word.Codes = append(word.Codes, set...)
		}
	}
	if first {
		return word, false // each value has a mistake of its own
	}
	if start := par.Values[0].Value.From; start > pol.Versions[0].From {
		r.at(file, key, "%s has no value from %s, when the policy begins, to %s", par.Name, pol.Versions[0].From, start.AddDays(-1))
	}
	if par.typ = word.Type; par.typ == expr.IntSet && par.Codes != nil {
		word.Unit = par.lists[0].unit()
	} else if par.typ != expr.Bool && par.typ != expr.Text && par.typ != expr.Day && par.typ != expr.TextSet {
		word.Unit = par.Unit
	}
	return word, true
}

func (r *reader) dated(file string, par *Parameter, dv *DatedValue, key Src) (t expr.Type, lo, hi int64, ok bool) {
	isValue, isTable, isSet := dv.Value != nil, dv.Table != nil, dv.Set != nil
	if isTable != (par.Key != nil) || par.Codes != nil && !isSet || isTable && (isValue || isSet) || !isTable && isValue == isSet {
		r.at(file, key, "%s wants value, or with a key a table, or a set", par.Name)
		return "", 0, 0, false
	}
	switch {
	case dv.Set != nil:
		t, ok = r.set(file, par, dv)
		return t, 0, 0, ok
	case dv.Table != nil:
		return r.table(file, par, dv)
	}
	dv.value = scalar(*dv.Value)
	switch x := dv.value.(type) {
	case int64:
		return expr.Int, x, x, true
	case bool:
		return expr.Bool, 0, 0, true
	case calendar.Day:
		return expr.Day, 0, 0, true
	}
	return expr.Text, 0, 0, true
}

// table reads the numbers of a table by one or two code lists. A code that it lacks has no number: then the amount cannot be told.
func (r *reader) table(file string, par *Parameter, dv *DatedValue) (t expr.Type, lo, hi int64, ok bool) {
	ints, texts, grid := map[int64]int64{}, map[string]int64{}, expr.Grid{}
	lo, hi, ok = 1<<62, -1<<62, true
	code := func(list *CodeList, s Src) any {
		it, known := list.item(s.Text)
		if !known {
			r.unknown(file, s, "code in "+list.Name, list.codes())
			ok = false
		}
		return list.key(it)
	}
	put := func(s Src, keys ...any) {
		n, err := strconv.ParseInt(strings.ReplaceAll(s.Text, "_", ""), 10, 64)
		if err != nil {
			r.at(file, s, "wants a whole number")
			ok = false
		}
		lo, hi = min(lo, n), max(hi, n)
		switch k := keys[0].(type) {
		case int64:
			ints[k] = n
		case string:
			texts[k] = n
		}
		if len(keys) == 2 {
			grid[[2]any{keys[0], keys[1]}] = n
		}
	}
	for _, e := range dv.Table {
		first := code(par.lists[0], e.Key)
		switch {
		case len(par.lists) == 1 && e.Value.Row == nil:
			put(e.Value.Number, first)
		case len(par.lists) == 2 && e.Value.Row != nil:
			for _, f := range e.Value.Row {
				put(f.Value, first, code(par.lists[1], f.Key))
			}
		case len(par.lists) == 2:
			r.at(file, e.Key, "wants a number for each code of %s", par.lists[1].Name)
			ok = false
		default:
			r.at(file, e.Key, "wants a whole number")
			ok = false
		}
	}
	words := map[bool]string{true: "[int]", false: "[text]"}
	t = "table"
	for _, list := range par.lists {
		t += expr.Type(words[list.Ordered])
	}
	switch t += "int"; t {
	case expr.IntTable:
		dv.value = ints
	case expr.TextTable:
		dv.value = texts
	default:
		dv.value = grid
	}
	return t, lo, hi, ok
}

// set reads a set: codes of a list, or whole numbers, or texts.
func (r *reader) set(file string, par *Parameter, dv *DatedValue) (t expr.Type, ok bool) {
	var ints []int64
	var texts []string
	ok = true
	for _, s := range dv.Set {
		v := scalar(s)
		if par.Codes != nil {
			it, known := par.lists[0].item(s.Text)
			if !known {
				r.unknown(file, s, "code in "+par.lists[0].Name, par.lists[0].codes())
				ok = false
				continue
			}
			v = par.lists[0].key(it)
		}
		switch v := v.(type) {
		case int64:
			ints = append(ints, v)
		case string:
			texts = append(texts, v)
		default:
			r.at(file, s, "a set is of codes, whole numbers or texts")
			ok = false
		}
		if slices.ContainsFunc(dv.Set, func(o Src) bool { return o.Text == s.Text && (o.Line > s.Line || o.Line == s.Line && o.Col > s.Col) }) {
			r.at(file, s, "%s stands here twice", s.Text)
		}
	}
	if ints != nil && texts != nil {
		r.at(file, dv.Set[0], "whole numbers and texts in one set: put the numbers in quotation marks, if they are texts")
		return "", false
	}
	if dv.value = texts; ints != nil {
		dv.value = ints
		return expr.IntSet, ok
	}
	return expr.TextSet, ok && texts != nil
}

// scalar reads a parameter's value by its look: true, a day, a whole number, or a text. In quotation marks it is a text.
func scalar(src Src) any {
	s := src.Text
	if src.Quoted {
		return s
	}
	if s == "true" || s == "false" {
		return s == "true"
	}
	if d, err := calendar.Parse(s); err == nil {
		return d
	}
	if n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64); err == nil {
		return n
	}
	return s
}

// unused refuses a parameter that nothing reads: a number of the law that was forgotten. It looks at the words, since an expression with
// a mistake reads its parameters too.
func (r *reader) unused(file string, pol *Policy) {
	texts := []string{pol.Award.Amount.Value.Text}
	if pol.Window != nil {
		texts = append(texts, pol.Window.Ends.Text)
	}
	for _, rule := range pol.Rules {
		texts = append(texts, rule.Holds.Text)
		for _, e := range rule.Unless {
			texts = append(texts, e.Holds.Text)
		}
	}
	for _, l := range pol.Limits {
		texts = append(texts, l.texts()...)
	}
	for _, e := range pol.Events {
		texts = append(texts, e.When.Text)
	}
	if pol.Recovery != nil {
		texts = append(texts, pol.Recovery.Amount.Text)
	}
	read := dotted.FindAllString(strings.Join(texts, "\n"), -1)
	for _, e := range pol.Parameters {
		if !slices.Contains(read, "p."+e.Key.Text) {
			r.at(file, e.Key, "no rule or amount reads %s", e.Key.Text)
		}
	}
}

func (pol *Policy) expressions() []*expr.Expr {
	var out []*expr.Expr
	for _, rule := range pol.Rules {
		out = append(out, rule.whole)
	}
	out = append(out, pol.window, pol.amount)
	return slices.DeleteFunc(out, func(x *expr.Expr) bool { return x == nil })
}

// Read lists what the policy's rules, claim window and amount read, in order of name: facts, "on" and parameters by their names with "p."; limits apart.
func (pol *Policy) Read() []string {
	set := map[string]bool{}
	for _, x := range pol.expressions() {
		for _, in := range x.Inputs() {
			set[in] = true
		}
	}
	return keys(set)
}

// Facts lists the facts that the policy and the limits on its claims read, in order of name; "on", parameters and constants are not facts.
func (pol *Policy) Facts() []string {
	set := map[string]bool{}
	if pol.VersionBy.Text != "on" {
		set[pol.VersionBy.Text] = true
	}
	for _, x := range append(pol.expressions(), pol.claimExpressions()...) {
		for _, in := range x.Inputs() {
			if !slices.Contains(claimWords, in) && !strings.HasPrefix(in, "p.") {
				set[in] = true
			}
		}
	}
	return keys(set)
}

type testFile struct {
	Policy Src     `yaml:"policy,required"`
	Tests  []*Test `yaml:"tests,required"`
}

// Outcomes of a finding, in the words of the glossary.
var Outcomes = []string{"eligible", "limited", "settled", "ineligible", "undetermined", "not_in_force"}

func (r *reader) tests(file string, p *Pack) {
	var tf testFile
	if !r.read(file, &tf) {
		return
	}
	pol := p.Policy(tf.Policy.Text)
	if r.lines[strings.TrimSuffix(file, "_test.yaml")+".yaml"] != nil && pol == nil {
		return // it stands beside this file, and has mistakes of its own
	}
	if pol == nil || pol.File != strings.TrimSuffix(file, "_test.yaml")+".yaml" {
		r.at(file, tf.Policy, "no policy called %s beside this file", tf.Policy.Text)
		return
	}
	if pol.Subject == nil {
		return
	}
	for _, t := range tf.Tests {
		names := []string{"this"}
		for _, o := range t.Others {
			names = append(names, o.Claim.Text)
		}
		t.Values = r.given(file, p, pol, t.Facts)
		t.Part = r.partOf(file, pol, t.Part, t.Want.Outcome)
		r.want(file, p, &t.Want, names)
		for i, o := range t.Others {
			if slices.Contains(names[:i+1], o.Claim.Text) {
				r.at(file, o.Claim, "%s is taken", o.Claim.Text)
			}
			if o.Under = pol; o.Policy != nil {
				if o.Under = p.Policy(o.Policy.Text); o.Under == nil || o.Under.Subject == nil {
					r.unknown(file, *o.Policy, "policy", policyNames(p))
					continue
				}
			}
			o.Part = r.partOf(file, o.Under, o.Part, o.Claim)
			if o.Values = r.given(file, p, o.Under, o.Facts); o.Subject == "this" {
				if o.Under.Subject != pol.Subject || len(o.Facts) > 0 {
					r.at(file, o.Claim, "of the same subject row the facts are the test's, and its policy is about a %s", pol.Subject.Name)
				}
				o.Values = t.Values
			}
			if o.Want != nil {
				r.want(file, p, o.Want, names)
			}
		}
	}
	pol.Tests = tf.Tests
}

// given reads the facts of a situation.
func (r *reader) given(file string, p *Pack, pol *Policy, facts Map[Src]) map[string]any {
	out := map[string]any{}
	for _, e := range facts {
		f := p.Fact(pol.Subject, e.Key.Text)
		if f == nil {
			r.unknown(file, e.Key, "fact", pol.Facts())
			continue
		}
		out[e.Key.Text] = r.typed(file, e.Value, f.typ, f.list)
	}
	return out
}

// partOf is the part that a situation asks about: the first where it says none.
func (r *reader) partOf(file string, pol *Policy, part int64, at Src) int64 {
	if part < 0 || part > pol.Award.Parts {
		r.at(file, at, "%s has %d parts", pol.Name, pol.Award.Parts)
	}
	if part == 0 && pol.Award.Parts > 0 {
		return 1
	}
	return part
}

func (r *reader) want(file string, p *Pack, w *Want, claims []string) {
	r.oneOf(file, w.Outcome, "outcome", Outcomes)
	if w.Wins != nil {
		r.oneOf(file, *w.Wins, "claim of this test", claims)
	}
	if w.Limit == nil {
		return
	}
	var limits []string
	for _, pol := range p.Policies {
		for _, l := range pol.Limits {
			if l.Policy != nil {
				limits = append(limits, l.Name())
			}
		}
	}
	r.oneOf(file, *w.Limit, "limit", limits)
}

// parse reads a literal of a type; want names what was expected when it cannot be read.
func parse(s string, t expr.Type, list *CodeList) (v any, want string) {
	if list != nil {
		rank, ok := list.Rank(s)
		switch {
		case !ok:
			return nil, "a code of " + list.Name + ": " + strings.Join(list.codes(), ", ")
		case list.Ordered:
			return rank, ""
		}
		return s, ""
	}
	switch t {
	case expr.Bool:
		if s != "true" && s != "false" {
			return nil, "true or false"
		}
		return s == "true", ""
	case expr.Int:
		n, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		if err != nil {
			return nil, "a whole number"
		}
		return n, ""
	case expr.Day:
		d, err := calendar.Parse(s)
		if err != nil {
			return nil, "a day, written 2024-12-20"
		}
		return d, ""
	}
	return s, ""
}
