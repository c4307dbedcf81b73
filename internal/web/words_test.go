package web

import "testing"

func TestBar(t *testing.T) {
	cases := []struct {
		name  string
		n     []int64
		parts string
	}{
		{"in proportion", []int64{100, 100}, "a0+150 b150+150 "},
		{"a little is seen", []int64{1, 100000}, "a0+2 b2+298 "},
		{"nothing is not", []int64{0, 5}, "b0+300 "},
		{"nobody at all", []int64{0, 0}, ""},
	}
	for _, c := range cases {
		var in []slice
		for i, n := range c.n {
			in = append(in, slice{Kind: string(rune('a' + i)), n: n})
		}
		got := ""
		for _, s := range bar(300, in...) {
			got += s.Kind + words{}.Number(int64(s.X)) + "+" + words{}.Number(int64(s.Width)) + " "
		}
		if got != c.parts {
			t.Errorf("%s: %q, want %q", c.name, got, c.parts)
		}
	}
}
