package expr

import (
	"math"
	"sort"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
)

// Type is the type of an expression or a name.
type Type string

// The types. A table maps an int or a text to an int, a grid two of them; a set holds ints or texts. Tables, grids and sets are names
// only: a table is asked by its keys, a set stands on the right of in.
const (
	Bool         Type = "bool"
	Int          Type = "int"
	Text         Type = "text"
	Day          Type = "day"
	IntTable     Type = "table[int]int"
	TextTable    Type = "table[text]int"
	IntIntGrid   Type = "table[int][int]int"
	IntTextGrid  Type = "table[int][text]int"
	TextIntGrid  Type = "table[text][int]int"
	TextTextGrid Type = "table[text][text]int"
	IntSet       Type = "set[int]"
	TextSet      Type = "set[text]"
)

var (
	intTable  = cel.MapType(cel.IntType, cel.IntType)
	textTable = cel.MapType(cel.StringType, cel.IntType)
)

// celTypes are the types as CEL has them, those that a reader meets within others last.
var celTypes = []struct {
	typ Type
	cel *cel.Type
}{
	{IntIntGrid, cel.MapType(cel.IntType, intTable)}, {IntTextGrid, cel.MapType(cel.IntType, textTable)},
	{TextIntGrid, cel.MapType(cel.StringType, intTable)}, {TextTextGrid, cel.MapType(cel.StringType, textTable)},
	{IntTable, intTable}, {TextTable, textTable}, {IntSet, cel.ListType(cel.IntType)}, {TextSet, cel.ListType(cel.StringType)},
	{Bool, cel.BoolType}, {Int, cel.IntType}, {Text, cel.StringType}, {Day, cel.TimestampType},
}

// Grid is the value of a table by two keys; each key is an int64 or a string.
type Grid map[[2]any]int64

// Rows are the tables by the second key, by the first.
func (g Grid) Rows() map[any]any {
	out := map[any]any{}
	for k, n := range g {
		switch second := k[1].(type) {
		case int64:
			row, _ := out[k[0]].(map[int64]int64)
			if row == nil {
				row = map[int64]int64{}
			}
			row[second], out[k[0]] = n, row
		case string:
			row, _ := out[k[0]].(map[string]int64)
			if row == nil {
				row = map[string]int64{}
			}
			row[second], out[k[0]] = n, row
		}
	}
	return out
}

// Name is one word of a vocabulary: a fact, a column, a parameter or a constant.
type Name struct {
	Name     string    // "insured_months", "p.months_min"
	Type     Type      //
	Unit     string    // of an Int and of a table's numbers: "fen", "fen/month"; "" fits any. Ints of two units are not compared or added
	KeyUnits [2]string // of the int keys of a table, as Unit
	Min, Max int64     // the proven range of an Int, and of a table's values; both inclusive; any int64 where both are 0
	Codes    []string  // the values that a Text may have, or a TextSet has; nil for any
	Sure     bool      // never unknown
	Const    any       // int64, string or bool: a constant, written into SQL as a literal; nil otherwise
	Fixed    bool      // a parameter: the law's number rather than a fact about somebody
	Repeats  int       // how often Names.Lookup and Names.Member write what they are asked with; 0 for once
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
		if (n.Type == Int || n.Type.table()) && n.Min == 0 && n.Max == 0 && n.Const == nil {
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
	for _, k := range celTypes {
		if k.typ == t {
			return k.cel
		}
	}
	return cel.DynType
}

func typeOf(t *types.Type) Type {
	for _, k := range celTypes {
		if t.IsExactType(k.cel) {
			return k.typ
		}
	}
	return Type(t.String())
}

// table and set report what a name can only be asked for, never used as a value.
func (t Type) table() bool { return strings.HasPrefix(string(t), "table[") }
func (t Type) set() bool   { return t == IntSet || t == TextSet }

// keys is by how many keys a table is asked.
func (t Type) keys() int {
	if !t.table() {
		return 0
	}
	return strings.Count(string(t), "[")
}
