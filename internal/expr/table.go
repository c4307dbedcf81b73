package expr

import (
	"reflect"
	"slices"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// table is a parameter table as a CEL value. A key that it lacks is an error of its own, which Eval turns into unknown: the law has
// no number for that key, so a clerk must look, and nobody is refused by it.
type table struct {
	opaque
	get func(key any) ref.Val // nil where the table has no such key
}

var _ traits.Indexer = (*table)(nil)

func (t *table) Get(key ref.Val) ref.Val {
	if v := t.get(key.Value()); v != nil {
		return v
	}
	return types.NewErr(noKey)
}

// Find is what the interpreter's qualifiers call; it answers as Get does.
func (t *table) Find(key ref.Val) (ref.Val, bool) { return t.Get(key), true }

func (t *table) Type() ref.Type { return types.MapType }

func byOne[K int64 | string](numbers map[K]int64) *table {
	return &table{get: func(key any) ref.Val {
		if k, ok := key.(K); ok {
			if n, ok := numbers[k]; ok {
				return types.Int(n)
			}
		}
		return nil
	}}
}

// byTwo answers the first key with a table of the second. A first key that the grid lacks is told by the second.
func byTwo(numbers Grid) *table {
	return &table{get: func(first any) ref.Val {
		return &table{get: func(second any) ref.Val {
			if n, ok := numbers[[2]any{first, second}]; ok {
				return types.Int(n)
			}
			return nil
		}}
	}}
}

// set is a parameter's list of ints or texts as a CEL value.
type set[K int64 | string] struct {
	opaque
	members []K
}

var _ traits.Container = (*set[string])(nil)

func (s *set[K]) Contains(x ref.Val) ref.Val {
	k, ok := x.Value().(K)
	return types.Bool(ok && slices.Contains(s.members, k))
}

func (s *set[K]) Type() ref.Type { return types.ListType }

// opaque is what CEL demands of every value and an expression of the rule language never does with a table or a set.
type opaque struct{}

func (opaque) ConvertToNative(reflect.Type) (any, error) { return nil, nil }

func (opaque) ConvertToType(ref.Type) ref.Val { return types.NewErr("no other type") }

func (opaque) Equal(ref.Val) ref.Val { return types.NewErr("not compared") }

func (opaque) Value() any { return nil }
