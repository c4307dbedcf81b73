package expr

import (
	"math"
	"sort"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Type is the type of an expression or a name.
type Type string

// The types. A table maps an int or a text key to an int.
const (
	Bool      Type = "bool"
	Int       Type = "int"
	Text      Type = "text"
	Day       Type = "day"
	IntTable  Type = "table[int]int"
	TextTable Type = "table[text]int"
)

// Name is one word of a vocabulary: a fact, a column, a parameter or a constant.
type Name struct {
	Name     string   // "insured_months", "p.months_min"
	Type     Type     //
	Min, Max int64    // the proven range of an Int, and of a table's values; both inclusive; any int64 where both are 0
	Codes    []string // the values that a Text may have; nil for any
	Sure     bool     // never unknown
	Const    any      // int64, string or bool: a constant, written into SQL as a literal; nil otherwise
	Fixed    bool     // a parameter: the law's number rather than a fact about somebody
}

// Vocabulary is what an expression may name.
type Vocabulary struct {
	env   *cel.Env
	names map[string]Name
}

// NewVocabulary declares names. Errors: a name that CEL cannot declare, which pack's own checks exclude.
func NewVocabulary(names ...Name) (*Vocabulary, error) {
	env, err := cel.NewEnv(append(declarations(), cel.ClearMacros())...)
	if err != nil {
		return nil, err
	}
	v := &Vocabulary{env: env, names: map[string]Name{}}
	return v.With(names...)
}

// With returns a vocabulary of the same names and more.
func (v *Vocabulary) With(names ...Name) (*Vocabulary, error) {
	out := &Vocabulary{names: make(map[string]Name, len(v.names)+len(names))}
	for k, n := range v.names {
		out.names[k] = n
	}
	opts := make([]cel.EnvOption, 0, len(names))
	for _, n := range names {
		if (n.Type == Int || n.Type == IntTable || n.Type == TextTable) && n.Min == 0 && n.Max == 0 && n.Const == nil {
			n.Min, n.Max = math.MinInt64, math.MaxInt64
		}
		if c, ok := n.Const.(int64); ok {
			n.Min, n.Max = c, c
		}
		out.names[n.Name] = n
		opts = append(opts, cel.Variable(n.Name, celType(n.Type)))
	}
	env, err := v.env.Extend(opts...)
	out.env = env
	return out, err
}

// Names lists the words in order.
func (v *Vocabulary) Names() []string {
	out := make([]string, 0, len(v.names))
	for k := range v.names {
		out = append(out, k)
	}
	sort.Strings(out)
	return out
}

// Lookup returns a word.
func (v *Vocabulary) Lookup(name string) (Name, bool) {
	n, ok := v.names[name]
	return n, ok
}

func celType(t Type) *cel.Type {
	switch t {
	case Bool:
		return cel.BoolType
	case Int:
		return cel.IntType
	case Text:
		return cel.StringType
	case Day:
		return cel.TimestampType
	case IntTable:
		return cel.MapType(cel.IntType, cel.IntType)
	case TextTable:
		return cel.MapType(cel.StringType, cel.IntType)
	}
	return cel.DynType
}

func typeOf(t *types.Type) Type {
	for _, k := range []Type{Bool, Int, Text, Day, IntTable, TextTable} {
		if t.IsExactType(celType(k)) {
			return k
		}
	}
	return Type(t.String())
}
