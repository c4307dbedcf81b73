package finding_test

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/internal/register"
	"bole/internal/seal"
	gocmp "github.com/google/go-cmp/cmp"
)

// read opens the town's newest generation for as long as the test runs.
func (it *town) read(t testing.TB) *lake.Snapshot {
	t.Helper()
	s, err := it.lake.Read(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// connect reads the newest generation on a connection of its own.
func (it *town) connect(t testing.TB) (*lake.Snapshot, *sql.Conn) {
	t.Helper()
	s := it.read(t)
	conn, err := s.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return s, conn
}

// What screening kept of everybody is what would be derived, value by value, and gives the same answers.
func TestEvidenceIsWhatWouldBeDerived(t *testing.T) {
	it := theTown(t)
	run := screen(t, it, finding.Request{})
	s, conn := it.connect(t)
	e, err := finding.Held(s, it.pack, day)
	if err != nil || e == nil {
		t.Fatalf("a run keeps no evidence: %v", err)
	}
	want := finding.Wanted(it.pack)
	if err := fact.Derive(t.Context(), conn, s, it.pack, fact.Request{Wants: want, Days: []calendar.Day{day}}); err != nil {
		t.Fatal(err)
	}
	derived := map[fact.Person]map[string][]fact.Row{}
	persons := map[fact.Person]map[string]any{}
	for _, r := range rowsOf(t, func() ([]fact.Row, error) { return fact.Rows(t.Context(), conn, it.pack.Subject("person"), "") }) {
		derived[r.Person] = map[string][]fact.Row{"person": {r}}
		persons[r.Person] = r.Values
	}
	for _, g := range finding.Groups(policy.All(it.pack)) {
		if g.Subject.Name == "person" {
			continue
		}
		for _, r := range rowsOf(t, func() ([]fact.Row, error) { return fact.Rows(t.Context(), conn, g.Subject, "") }) {
			for name, v := range persons[r.Person] { // a row's statement takes only those of its person that its policies ask for
				r.Values[name] = v
			}
			derived[r.Person][g.Subject.Name] = append(derived[r.Person][g.Subject.Name], r)
		}
	}
	if int64(len(derived)) != run.People || run.People < 1000 {
		t.Fatalf("%d people derived, %d screened", len(derived), run.People)
	}
	asked := 0
	for person, rows := range derived {
		kept, err := finding.Kept(e, person, day)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(rows, kept); d != "" {
			t.Fatalf("%s: derived and kept: %s", person, d)
		}
		for _, p := range policy.All(it.pack) {
			a, b := judged(t, p, rows), judged(t, p, kept)
			for i := range a {
				// Of an answer, all that is not a pointer into the pack.
				if d := gocmp.Diff(plain(a[i]), plain(b[i])); d != "" {
					t.Fatalf("%s %s: %s", p.Name, person, d)
				}
				asked++
			}
		}
	}
	if asked < 1500 {
		t.Errorf("only %d findings were compared", asked)
	}
}

func rowsOf(t *testing.T, f func() ([]fact.Row, error)) []fact.Row {
	t.Helper()
	rows, err := f()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func judged(t *testing.T, p *policy.Policy, rows map[string][]fact.Row) []finding.Explanation {
	t.Helper()
	xs, err := finding.Judge(p, rows["person"][0].Person, "", rows[p.Subject.Name], day)
	if err != nil {
		t.Fatal(err)
	}
	return xs
}

// plain is an explanation without pointers into the pack.
func plain(x finding.Explanation) map[string]any {
	out := map[string]any{"subject": x.Subject, "outcome": x.Answer.Outcome, "amount": x.Answer.AmountFen, "ends": x.Answer.WindowEnds, "missing": x.Answer.Missing,
		"failed": x.Answer.Failed, "facts": x.Facts, "earliest": x.Earliest, "rules": x.Rules, "needs": x.Needs}
	if x.Answer.Version != nil {
		out["version"] = x.Answer.Version.ID()
	}
	for _, c := range x.Answer.Checks {
		out["check "+c.ID] = []any{c.State, c.Values, c.Need}
	}
	return out
}

// Evidence answers only for the very day, pack and registers that it was kept for; otherwise facts are derived.
func TestEvidenceIsOfOneDayPackAndState(t *testing.T) {
	theTown(t) // it makes the keys
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	it, err := raise(t.Context(), dir, keys, 60)
	if err != nil {
		t.Fatal(err)
	}
	held := func(p *pack.Pack, asOf, on calendar.Day) bool {
		t.Helper()
		s, err := it.lake.Read(t.Context(), asOf)
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		e, err := finding.Held(s, p, on)
		if err != nil {
			t.Fatal(err)
		}
		return e != nil
	}
	if held(it.pack, 0, day) {
		t.Error("evidence before anybody was screened")
	}
	screen(t, it, finding.Request{Policies: []string{it.pack.Policies[0].Name}})
	if held(it.pack, 0, day) {
		t.Error("a run that only answers keeps evidence")
	}
	screen(t, it, finding.Request{})
	other := *it.pack
	other.Hash = "another"
	if !held(it.pack, 0, day) || held(it.pack, 0, day.AddDays(1)) || held(it.pack, day, day) || held(&other, 0, day) {
		t.Error("evidence is of another day, pack or state")
	}
	// The book answers from the evidence as it would from the registers.
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	bare, err := raise(t.Context(), filepath.Join(dir, "bare"), keys, 60)
	if err != nil {
		t.Fatal(err)
	}
	fresh := finding.OpenBook(bare.lake, it.pack) // never screened
	defer fresh.Close()
	for _, r := range all(t, it)[:16] {
		person, err := fact.ParsePerson(r["person"])
		if err != nil {
			t.Fatal(err)
		}
		a, err := book.View(t.Context(), person, day)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fresh.View(t.Context(), person, day)
		if err != nil {
			t.Fatal(err)
		}
		if d := gocmp.Diff(shown(a), shown(b)); d != "" {
			t.Fatalf("%s: %s", person, d)
		}
	}
	// A delivery more, and it is of another state.
	_, desk, err := empty(t.Context(), dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "more.csv")
	if err := os.WriteFile(file, []byte("公民身份号码,姓名,性别,出生日期,户籍地行政区划\n"+citizen(1)+",王甲,女,1990-01-01,371502\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := desk.Load(t.Context(), register.Delivery{Register: "people", Path: file, Received: 20241215, At: time.Unix(1, 0)}); err != nil {
		t.Fatal(err)
	}
	if held(it.pack, 0, day) {
		t.Error("evidence of what was known before the last delivery")
	}
}

// No run sees what only a draft reads: a draft is explained from the registers.
func TestADraftIsNotAskedOfEvidence(t *testing.T) {
	theTown(t) // it makes the keys
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	it, err := raise(t.Context(), t.TempDir(), keys, 60)
	if err != nil {
		t.Fatal(err)
	}
	const name = "skilled-living-allowance"
	want := map[string]map[string]any{} // before there is evidence
	people := explainedIn(t, it, name, nil, want)
	drafted := *it.pack.Policy(name)
	drafted.Draft = true
	p := *it.pack
	p.Policies = slices.Clone(p.Policies)
	p.Policies[slices.IndexFunc(p.Policies, func(x *pack.Policy) bool { return x.Name == name })] = &drafted
	it.pack = &p
	screen(t, it, finding.Request{})
	got := map[string]map[string]any{}
	explainedIn(t, it, name, people, got)
	if d := gocmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// explainedIn explains a policy to some people of a home, to ten where none are named.
func explainedIn(t *testing.T, it *town, name string, people []fact.Person, into map[string]map[string]any) []fact.Person {
	t.Helper()
	s, conn := it.connect(t)
	if people == nil {
		if err := fact.Derive(t.Context(), conn, s, it.pack, fact.Request{Days: []calendar.Day{day}}); err != nil {
			t.Fatal(err)
		}
		for _, r := range rowsOf(t, func() ([]fact.Row, error) { return fact.Rows(t.Context(), conn, it.pack.Subject("person"), "") })[:10] {
			people = append(people, r.Person)
		}
	}
	for _, person := range people {
		xs, err := finding.Explain(t.Context(), conn, s, it.pack, person, name, "", day)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range xs {
			into[person.String()+" "+x.Subject] = plain(x)
		}
	}
	return people
}

func shown(v finding.View) map[string]any {
	out := map[string]any{"facts": v.Facts, "months": v.Months, "from": v.From, "to": v.To}
	for _, x := range v.Policies {
		one := plain(x)
		delete(one, "facts") // kept are also those that no policy about such a row asks for
		out[x.Policy.Name+" "+x.Subject] = one
	}
	return out
}

// What one person under every policy costs, without the days to come: by evidence, and derived.
func BenchmarkExplainOne(b *testing.B) {
	it, err := raised()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := finding.Screen(b.Context(), it.lake, it.pack, finding.Request{On: day}); err != nil {
		b.Fatal(err)
	}
	s := it.read(b)
	conn, err := s.Conn(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	e, err := finding.Held(s, it.pack, day)
	if err != nil || e == nil {
		b.Fatal("no evidence", err)
	}
	var people []fact.Person
	if err := e.Each(func(person int64, _ lake.EvidenceRow) error { people = append(people, fact.Person(person)); return nil }); err != nil {
		b.Fatal(err)
	}
	pols := policy.All(it.pack)
	for name, on := range map[string]calendar.Day{"evidence": day, "derived": day.AddDays(1)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				if err := finding.Looked(b.Context(), conn, s, it.pack, pols, people[i*37%len(people)], on); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
