// Tally reads what test runs print and sums it up in one line.
//
// Standard input holds the streams of `go test -json` and of node's TAP reporter, one after the other. It prints a line for each
// Go package and the output of whatever failed, and at the end "412 passed, 0 failed, 0 skipped", counted. A skipped test is a
// failure here, and so is a run without any test: it exits 1.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

func main() {
	sum, err := tally(os.Stdin, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(1)
	}
	if !sum.good() {
		os.Exit(1)
	}
}

// counts are tests, subtests among them.
type counts struct{ passed, failed, skipped int }

func (c counts) good() bool { return c.passed > 0 && c.failed == 0 && c.skipped == 0 }

// event is one line of go test -json; for a package as a whole Test is empty.
type event struct {
	Action, Package, ImportPath, Test, Output string
	Elapsed                                   float64
}

// run is a tally under way. A key is a package, or a package and a test.
type run struct {
	out    io.Writer
	total  counts
	of     map[string]counts
	output map[string][]string
	tap    []string
}

func tally(in io.Reader, out io.Writer) (counts, error) {
	r := run{out: out, of: map[string]counts{}, output: map[string][]string{}}
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadString('\n')
		var e event
		if strings.HasPrefix(text, "{") && json.Unmarshal([]byte(text), &e) == nil {
			r.goEvent(e)
		} else if text != "" {
			r.tapLine(text)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return r.total, err
		}
	}
	fmt.Fprintf(out, "%d passed, %d failed, %d skipped\n", r.total.passed, r.total.failed, r.total.skipped)
	return r.total, nil
}

func (r *run) goEvent(e event) {
	key := e.Package + e.ImportPath + " " + e.Test
	switch e.Action {
	case "output", "build-output":
		r.output[key] = append(r.output[key], e.Output)
	case "pass", "fail", "skip":
		if e.Test == "" {
			r.packageEnds(e, key)
			return
		}
		r.count(e.Package, e.Action)
		if e.Action != "pass" {
			r.show(key)
		}
		delete(r.output, key)
	case "build-fail":
		r.show(key)
	}
}

// packageEnds says how a package went. One that failed although none of its tests did (it does not build, it panicked, it took too
// long) counts as a failure; one that has no tests is "skipped" in Go's words and counts as nothing.
func (r *run) packageEnds(e event, key string) {
	if e.Action == "fail" {
		if r.of[e.Package].failed == 0 {
			r.count(e.Package, "fail")
			for unfinished := range r.output {
				if strings.HasPrefix(unfinished, e.Package+" ") && unfinished != key {
					r.show(unfinished)
				}
			}
			r.show(key)
		}
	}
	if c := r.of[e.Package]; c != (counts{}) {
		fmt.Fprintf(r.out, "%-4s %s: %d tests, %.1f s\n", e.Action, e.Package, c.passed+c.failed+c.skipped, e.Elapsed)
	}
}

func (r *run) count(pkg, action string) {
	add := map[string]counts{"pass": {passed: 1}, "fail": {failed: 1}, "skip": {skipped: 1}}[action]
	c := r.of[pkg]
	r.of[pkg] = counts{c.passed + add.passed, c.failed + add.failed, c.skipped + add.skipped}
	r.total = counts{r.total.passed + add.passed, r.total.failed + add.failed, r.total.skipped + add.skipped}
}

func (r *run) show(key string) {
	fmt.Fprint(r.out, strings.Join(r.output[key], ""))
}

// tapLine takes a line that is not go test's. TAP ends with its own sums ("# pass 5"); what stands before them is shown when they
// are not good.
func (r *run) tapLine(text string) {
	r.tap = append(r.tap, text)
	words := strings.Fields(text)
	if len(words) != 3 || words[0] != "#" {
		return
	}
	n, err := strconv.Atoi(words[2])
	if err != nil {
		return
	}
	switch words[1] {
	case "pass":
		r.total.passed += n
		fmt.Fprintf(r.out, "pass web: %d tests\n", n)
	case "fail", "cancelled":
		r.total.failed += n
	case "skipped", "todo":
		r.total.skipped += n
	default:
		return
	}
	if n > 0 && words[1] != "pass" {
		fmt.Fprint(r.out, strings.Join(r.tap, ""))
		r.tap = nil
	}
}
