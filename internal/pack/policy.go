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

// policy checks one policy: its versions lie in order, every number is dated and cited, and every expression compiles.
func (r *reader) policy(file string, p *Pack, pol *Policy) {
	r.oneName(file, "policy", pol.Name, kebab)
	r.lawText(file, pol)
	if pol.Subject = p.Subject(pol.About.Text); pol.Subject == nil {
		r.unknown(file, pol.About, "kind of subject", names(p.Subjects, func(s *Subject) string { return s.Name }))
		return
	}
	r.oneOf(file, pol.Payee, "payee", []string{"person", "employer"})
	r.oneOf(file, pol.Award.Every, "period", []string{"once", "month"})
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
			r.compileIn(file, pol, e.Holds, expr.Bool)
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
	}
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
	if par.Key != nil {
		if par.list = p.CodeList(par.Key.Text); par.list == nil {
			r.unknown(file, *par.Key, "code list", listNames(p))
			return word, false
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
	}
	if first {
		return word, false // each value has a mistake of its own
	}
	if start := par.Values[0].Value.From; start > pol.Versions[0].From {
		r.at(file, key, "%s has no value from %s, when the policy begins, to %s", par.Name, pol.Versions[0].From, start.AddDays(-1))
	}
	par.typ = word.Type
	return word, true
}

func (r *reader) dated(file string, par *Parameter, dv *DatedValue, key Src) (t expr.Type, lo, hi int64, ok bool) {
	if (par.Key != nil) != (dv.Table != nil) || (dv.Table == nil) != (dv.Value != nil) {
		r.at(file, key, "%s wants value, or with a key a table", par.Name)
		return "", 0, 0, false
	}
	if dv.Value != nil {
		dv.value = scalar(dv.Value.Text)
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
	ints, texts := map[int64]int64{}, map[string]int64{}
	lo, hi = 1<<62, -1<<62
	for _, e := range dv.Table {
		rank, known := par.list.Rank(e.Key.Text)
		if !known {
			r.unknown(file, e.Key, "code in "+par.list.Name, par.list.codes())
			return "", 0, 0, false
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(e.Value.Text, "_", ""), 10, 64)
		if err != nil {
			r.at(file, e.Value, "wants a whole number")
			return "", 0, 0, false
		}
		ints[rank], texts[e.Key.Text] = n, n
		lo, hi = min(lo, n), max(hi, n)
	}
	if par.list.Ordered {
		dv.value = ints
		return expr.IntTable, lo, hi, true
	}
	dv.value = texts
	return expr.TextTable, lo, hi, true
}

// scalar reads a parameter's value by its look: true, a day, a whole number, or a text.
func scalar(s string) any {
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

// Facts lists the facts that the policy reads, in order of name; "on", parameters and constants are not facts.
func (pol *Policy) Facts() []string {
	set := map[string]bool{}
	if pol.VersionBy.Text != "on" {
		set[pol.VersionBy.Text] = true
	}
	for _, x := range pol.expressions() {
		for _, in := range x.Inputs() {
			if in != "on" && !strings.HasPrefix(in, "p.") {
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
		t.Values = map[string]any{}
		r.oneOf(file, t.Want.Outcome, "outcome", Outcomes)
		for _, e := range t.Facts {
			f := p.Fact(pol.Subject, e.Key.Text)
			if f == nil {
				r.unknown(file, e.Key, "fact", pol.Facts())
				continue
			}
			t.Values[e.Key.Text] = r.typed(file, e.Value, f.typ, f.list)
		}
	}
	pol.Tests = tf.Tests
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
