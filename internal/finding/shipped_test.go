package finding_test

import (
	"io/fs"
	"path"
	"testing"

	"bole/internal/finding"
	"bole/internal/pack"
	"bole/packs"
)

// cities loads every shipped pack, by its folder: the city's own and each reference.
func cities(t testing.TB) map[string]*pack.Pack {
	t.Helper()
	out := map[string]*pack.Pack{}
	for _, glob := range []string{"*/pack.yaml", "reference/*/pack.yaml"} {
		files, err := fs.Glob(packs.Files, glob)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d packs, %v", glob, len(files), err)
		}
		for _, f := range files {
			sub, err := fs.Sub(packs.Files, path.Dir(f))
			if err != nil {
				t.Fatal(err)
			}
			p, err := pack.Load(sub, packs.Files)
			if err != nil {
				t.Fatalf("%s:\n%v", path.Dir(f), err)
			}
			out[path.Dir(f)] = p
		}
	}
	return out
}

// Every test beside a shipped policy holds in both evaluators, and a test that is wrong is told.
func TestShippedPolicyTests(t *testing.T) {
	for dir, p := range cities(t) {
		rep, err := finding.Test(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range rep.Failures {
			t.Errorf("%s: %s", dir, f)
		}
		total := 0
		for _, pol := range p.Policies {
			total += len(pol.Tests)
		}
		if rep.Passed != total {
			t.Errorf("%s: %d of %d tests passed", dir, rep.Passed, total)
		}
	}
	p := cities(t)["reference/qingdao"]
	p.Policies[0].Tests[0].Want.Outcome.Text = "limited"
	if rep, err := finding.Test(t.Context(), p); err != nil || len(rep.Failures) != 1 {
		t.Errorf("a wrong test gave %v, %v", rep.Failures, err)
	}
}

// Every shipped policy can be asked of the whole town, with facts derived by SQL: each subject has one finding. Registers that only a reference
// pack declares were never delivered to the town, and nobody is refused for that.
func TestEveryCityScreensTheTown(t *testing.T) {
	it := theTown(t)
	for dir, p := range cities(t) {
		run := screen(t, &town{p, it.lake}, finding.Request{})
		subjects := map[string]int64{}
		for _, c := range run.Policies {
			about := p.Policy(c.Policy).About.Text
			n := c.Eligible + c.Limited + c.Settled + c.Ineligible + c.Undetermined + c.NotInForce
			if had, ok := subjects[about]; ok && had != n {
				t.Errorf("%s: %s has %d findings, and another policy about each %s %d", dir, c.Policy, n, about, had)
			}
			if subjects[about] = n; n == 0 {
				t.Errorf("%s: %s is asked of nobody", dir, c.Policy)
			}
		}
	}
}
