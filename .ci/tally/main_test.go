package main

import (
	"strings"
	"testing"
)

const (
	passed = `{"Action":"pass","Package":"bole/a","Test":"TestOne","Elapsed":0.1}` + "\n"
	ended  = `{"Action":"pass","Package":"bole/a","Elapsed":0.2}` + "\n"
)

func TestTally(t *testing.T) {
	cases := []struct {
		name, in string
		good     bool
		want     []string // pieces of what is printed, the last line among them
	}{
		{"tests that pass", passed + ended, true, []string{"pass bole/a: 1 tests, 0.2 s", "\n1 passed, 0 failed, 0 skipped\n"}},
		{"a package without tests is no skipped test", passed + `{"Action":"skip","Package":"bole/b"}`, true,
			[]string{"1 passed, 0 failed, 0 skipped\n"}},
		{"a skipped test is a failure", passed + `{"Action":"output","Package":"bole/a","Test":"TestTwo","Output":"later\n"}` + "\n" +
			`{"Action":"skip","Package":"bole/a","Test":"TestTwo"}`, false, []string{"later\n", "1 passed, 0 failed, 1 skipped\n"}},
		{"a failed test shows what it said", passed + `{"Action":"output","Package":"bole/a","Test":"TestTwo","Output":"不对\n"}` + "\n" +
			`{"Action":"fail","Package":"bole/a","Test":"TestTwo"}` + "\n" + `{"Action":"fail","Package":"bole/a"}`, false,
			[]string{"不对\n", "fail bole/a: 2 tests", "1 passed, 1 failed, 0 skipped\n"}},
		{"a package that does not build is a failure", passed + `{"Action":"build-output","ImportPath":"bole/c","Output":"c.go:1: no\n"}` + "\n" +
			`{"Action":"build-fail","ImportPath":"bole/c"}` + "\n" + `{"Action":"fail","Package":"bole/c","FailedBuild":"bole/c"}`, false,
			[]string{"c.go:1: no\n", "1 passed, 1 failed, 0 skipped\n"}},
		{"a test that never ended shows what it said", passed + `{"Action":"run","Package":"bole/c","Test":"TestLong"}` + "\n" +
			`{"Action":"output","Package":"bole/c","Test":"TestLong","Output":"halfway\n"}` + "\n" + `{"Action":"fail","Package":"bole/c"}`, false,
			[]string{"halfway\n", "1 passed, 1 failed, 0 skipped\n"}},
		{"no test at all is a failure", "", false, []string{"0 passed, 0 failed, 0 skipped\n"}},
		{"the tests of the script count", "ok 1 - one\n# pass 4\n# fail 0\n# skipped 0\n" + passed, true,
			[]string{"5 passed, 0 failed, 0 skipped\n"}},
		{"a failed test of the script is shown", "not ok 1 - one\n# pass 4\n# fail 1\n# skipped 0\n", false,
			[]string{"not ok 1 - one\n", "4 passed, 1 failed, 0 skipped\n"}},
		{"a test of the script that waits is skipped", "# pass 4\n# skipped 0\n# todo 1\n", false, []string{"4 passed, 0 failed, 1 skipped\n"}},
		{"what a test prints is not an event", passed + `{"Action":"output","Package":"bole/a","Test":"TestOne","Output":"{\"Action\":\"skip\",\"Test\":\"x\"}\n"}`,
			true, []string{"1 passed, 0 failed, 0 skipped\n"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			sum, err := tally(strings.NewReader(c.in), &out)
			if err != nil || sum.good() != c.good {
				t.Errorf("good is %v and should be %v, error %v", sum.good(), c.good, err)
			}
			for _, piece := range c.want {
				if !strings.Contains(out.String(), piece) {
					t.Errorf("lacks %q:\n%s", piece, &out)
				}
			}
			if end := c.want[len(c.want)-1]; !strings.HasSuffix(out.String(), end) {
				t.Errorf("does not end with %q:\n%s", end, &out)
			}
		})
	}
}
