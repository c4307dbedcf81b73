package expr

import (
	"reflect"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// table is a parameter table as a CEL value. A key that it lacks is an error of its own, which Eval turns into unknown: the law has
// no number for that key, so a clerk must look, and nobody is refused by it.
type table[K int64 | string] struct{ numbers map[K]int64 }

var _ traits.Indexer = (*table[string])(nil)

func (t *table[K]) Get(key ref.Val) ref.Val {
	if k, ok := key.Value().(K); ok {
		if v, ok := t.numbers[k]; ok {
			return types.Int(v)
		}
	}
	return types.NewErr(noKey)
}

// Find is what the interpreter's qualifiers call; it answers as Get does.
func (t *table[K]) Find(key ref.Val) (ref.Val, bool) {
	v := t.Get(key)
	return v, true
}

func (t *table[K]) Contains(key ref.Val) ref.Val { return types.Bool(!types.IsError(t.Get(key))) }

func (t *table[K]) ConvertToNative(reflect.Type) (any, error) { return t.numbers, nil }

func (t *table[K]) ConvertToType(ref.Type) ref.Val { return types.NewErr("a table has no other type") }

func (t *table[K]) Equal(ref.Val) ref.Val { return types.NewErr("tables are not compared") }

func (t *table[K]) Type() ref.Type { return types.MapType }

func (t *table[K]) Value() any { return t.numbers }
