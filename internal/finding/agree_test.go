package finding_test

import (
	"context"
	"encoding/csv"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/city"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/files"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/vault"
	"bole/packs"
)

const day calendar.Day = 20241220

// town is a city of fifteen hundred people, loaded by the real desk, raised once for the tests of this package.
type town struct {
	pack *pack.Pack
	lake *lake.Lake
}

var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "bole-finding-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(folder)
	os.Exit(code)
}

var raised = sync.OnceValues(func() (*town, error) {
	if err := seal.Create(filepath.Join(folder, "keys"), "sm"); err != nil {
		return nil, err
	}
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		return nil, err
	}
	return raise(context.Background(), filepath.Join(folder, "home"), keys, 1500)
})

func theTown(t *testing.T) *town {
	t.Helper()
	it, err := raised()
	if err != nil {
		t.Fatal(err)
	}
	return it
}

func liaocheng() (*pack.Pack, error) {
	sub, err := fs.Sub(packs.Files, "liaocheng")
	if err != nil {
		return nil, err
	}
	return pack.Load(sub, packs.Files)
}

// empty is a home with nothing in it.
func empty(ctx context.Context, dir string, keys *seal.Keys) (*town, *register.Desk, error) {
	p, err := liaocheng()
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, nil, err
	}
	db, err := store.Open(ctx, filepath.Join(dir, "office.db"))
	if err != nil {
		return nil, nil, err
	}
	l, err := lake.Open(filepath.Join(dir, "lake"), db, columnar.Config{TempDir: filepath.Join(dir, "tmp")}, time.Now)
	return &town{p, l}, &register.Desk{Pack: p, Store: db, Lake: l, Vault: vault.Open(db, keys), Files: files.Open(filepath.Join(dir, "files"), keys)}, err
}

func raise(ctx context.Context, dir string, keys *seal.Keys, people int) (*town, error) {
	it, desk, err := empty(ctx, dir, keys)
	if err != nil {
		return nil, err
	}
	deliveries, err := city.Write(ctx, it.pack, filepath.Join(dir, "deliveries"), city.Options{People: people, Seed: 5, Until: 202412})
	if err != nil {
		return nil, err
	}
	for _, f := range deliveries {
		if _, err := desk.Load(ctx, register.Delivery{Register: f.Register, Path: f.Path, Received: f.Received, Cutoff: f.Cutoff, At: time.Unix(1, 0)}); err != nil {
			return nil, err
		}
	}
	return it, fact.Net(ctx, it.lake, it.pack)
}

func screen(t *testing.T, it *town, req finding.Request) finding.Run {
	t.Helper()
	req.On = day
	run, err := finding.Screen(t.Context(), it.lake, it.pack, req)
	if err != nil {
		t.Fatal(err)
	}
	return run
}

// all reads the file of every finding, by column.
func all(t *testing.T, it *town) []map[string]string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "all.csv")
	screen(t, it, finding.Request{Out: out, All: true})
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var found []map[string]string
	for _, r := range rows[1:] {
		m := map[string]string{}
		for i, c := range rows[0] {
			m[c] = r[i]
		}
		found = append(found, m)
	}
	return found
}

// The screening of everybody and the evaluator of one person say the same of every subject row, in every column.
func TestScreeningAgreesWithOnePerson(t *testing.T) {
	it := theTown(t)
	rows := all(t, it)
	byKey := map[string]map[string]string{}
	for _, r := range rows {
		byKey[r["policy"]+" "+r["person"]+" "+r["subject"]] = r
	}
	if len(byKey) != len(rows) {
		t.Fatalf("%d findings under %d keys", len(rows), len(byKey))
	}
	s, conn := it.connect(t)
	seen := map[string]int{}
	asked := 0
	for _, p := range policy.All(it.pack) {
		if err := fact.Derive(t.Context(), conn, s, it.pack, fact.Request{Wants: []fact.Want{{Subject: p.Subject, Names: p.FactNames()}}, Days: []calendar.Day{day}}); err != nil {
			t.Fatal(err)
		}
		facts, err := fact.Rows(t.Context(), conn, p.Subject, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range facts {
			subject := f.Subject
			if p.Subject.Name == "person" {
				subject = f.Person.String()
			}
			r, ok := byKey[p.Name+" "+f.Person.String()+" "+subject]
			if !ok {
				t.Fatalf("%s has no finding for %s %s", p.Name, f.Person, subject)
			}
			a, err := p.Evaluate(f.Fact, day, 0)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"outcome": a.Outcome, "failed": strings.Join(a.Failed, " "), "window_ends": a.WindowEnds.String(), "version": "", "amount_fen": "", "missing": ""}
			if a.Version != nil {
				want["version"] = a.Version.ID()
			}
			if a.Outcome == "eligible" {
				want["amount_fen"] = strconv.FormatInt(a.AmountFen, 10)
			}
			if a.Outcome == "undetermined" {
				want["missing"] = strings.Join(a.Missing, " ")
			}
			switch { // what other claims make of it is asked by TestExplainAllocatesLikeTheScreening
			case r["outcome"] == "limited" && a.Outcome == "eligible", r["outcome"] == "settled" && p.Settled != nil:
				want["outcome"], want["amount_fen"], want["missing"] = r["outcome"], "", ""
			}
			for col, w := range want {
				if r[col] != w {
					t.Errorf("%s %s: %s: screened %q, evaluated %q", p.Name, subject, col, r[col], w)
				}
			}
			seen[p.Name+" "+a.Outcome]++
			asked++
		}
	}
	if asked != len(rows) {
		t.Errorf("%d findings screened, %d evaluated", len(rows), asked)
	}
	for _, must := range []string{"unemployment-skill-subsidy eligible", "unemployment-skill-subsidy undetermined", "unemployment-skill-subsidy ineligible", "skilled-living-allowance eligible", "skilled-living-allowance ineligible"} {
		if seen[must] == 0 {
			t.Errorf("the town has nobody %s: the test is blind there", must)
		}
	}
}

// One person explained is told the same as the screening of everybody, also where other claims decide.
func TestExplainAllocatesLikeTheScreening(t *testing.T) {
	it := theTown(t)
	s, conn := it.connect(t)
	tried := map[string]int{}
	for _, r := range all(t, it) {
		p := policy.New(it.pack, it.pack.Policy(r["policy"]))
		if tried[r["outcome"]]++; tried[r["outcome"]] > 6 || !p.Claims() || !slices.Contains([]string{"eligible", "limited", "settled"}, r["outcome"]) {
			continue
		}
		person, err := fact.ParsePerson(r["person"])
		if err != nil {
			t.Fatal(err)
		}
		xs, err := finding.Explain(t.Context(), conn, s, it.pack, person, r["policy"], r["subject"], day)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range xs {
			if x.Period != r["period"] {
				continue
			}
			limit, amount := "", ""
			if x.Limit != nil {
				limit = x.Limit.Name()
			}
			if x.Answer.Outcome == "eligible" {
				amount = strconv.FormatInt(x.Answer.AmountFen, 10)
			}
			got := []string{x.Answer.Outcome, amount, limit, x.Wins}
			if want := []string{r["outcome"], r["amount_fen"], r["limited_by"], r["wins"]}; !slices.Equal(got, want) {
				t.Errorf("%s %s: screened %q, explained %q", r["policy"], r["subject"], want, got)
			}
		}
	}
	for _, o := range []string{"eligible", "limited", "settled"} {
		if tried[o] == 0 {
			t.Errorf("the town has %d findings that are %s: the test is blind there", tried[o], o)
		}
	}
}

// A run that follows another says what is new, what has ended and what pays otherwise; the same again says nothing.
func TestChangesSinceTheLastRun(t *testing.T) {
	it := theTown(t)
	run := func(on calendar.Day) (finding.Run, []string) {
		out := filepath.Join(t.TempDir(), "changes.csv")
		r, err := finding.Screen(t.Context(), it.lake, it.pack, finding.Request{On: on, Changes: out})
		if err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		return r, strings.Split(strings.TrimSpace(string(b)), "\r\n")[1:]
	}
	eligible := func(r finding.Run) (n int64) {
		for _, c := range r.Policies {
			n += c.Eligible
		}
		return n
	}
	first, _ := run(20241120)
	second, lines := run(day)
	c := second.Changed
	if eligible(first)+c.New-c.Ended != eligible(second) || c.New == 0 || c.Ended == 0 || int64(len(lines)) != c.New+c.Ended+c.Amount {
		t.Errorf("%d eligible, then %+v and %d lines, then %d", eligible(first), c, len(lines), eligible(second))
	}
	again, lines := run(day)
	if again.Changed != (finding.Changed{}) || len(lines) != 0 || again.Hash != second.Hash {
		t.Errorf("the same run again: %+v, %d lines", again.Changed, len(lines))
	}
}

// The counts of a run, the lists of the book and the file of findings tell one story.
func TestCountsAreOfTheRows(t *testing.T) {
	it := theTown(t)
	rows := all(t, it)
	run := screen(t, it, finding.Request{})
	book := finding.OpenBook(it.lake, it.pack)
	defer book.Close()
	for _, c := range run.Policies {
		var want finding.Count
		want.Policy = c.Policy
		persons := map[string]bool{}
		failedBy := map[string]int64{}
		for _, r := range rows {
			if r["policy"] != c.Policy {
				continue
			}
			failed := strings.Fields(r["failed"])
			switch r["outcome"] {
			case "eligible":
				want.Eligible++
				persons[r["person"]] = true
				n, err := strconv.ParseInt(r["amount_fen"], 10, 64)
				if err != nil || n < 0 || n == 0 && it.pack.Policy(c.Policy).Fund.Text != "none" {
					t.Errorf("%s: eligible for %q fen", c.Policy, r["amount_fen"])
				}
				want.AmountFen += n
			case "ineligible":
				want.Ineligible++
				if len(failed) == 1 {
					want.NearMiss++
				}
			case "undetermined":
				want.Undetermined++
				if r["missing"] == "" {
					t.Errorf("%s %s: undetermined, and nothing is missing", c.Policy, r["subject"])
				}
			case "not_in_force":
				want.NotInForce++
			case "limited":
				want.Limited++
				if r["limited_by"] == "" {
					t.Errorf("%s %s: limited, and by no limit", c.Policy, r["subject"])
				}
			case "settled":
				want.Settled++
			}
			for _, f := range failed {
				if r["outcome"] != "settled" {
					failedBy[f]++
				}
			}
		}
		want.Persons = int64(len(persons))
		if c != want {
			t.Errorf("counted %+v, the rows say %+v", c, want)
		}
		for outcome, n := range map[string]int64{"eligible": want.Eligible, "near": want.NearMiss, "undetermined": want.Undetermined, "ineligible": want.Ineligible, "limited": want.Limited, "settled": want.Settled} {
			var got int64
			var sum int64
			for page := 0; ; page += 100 {
				items, total, err := book.List(t.Context(), c.Policy, finding.Filter{Outcome: outcome, Limit: 100, Offset: page})
				if err != nil {
					t.Fatal(err)
				}
				if total != n {
					t.Fatalf("%s: the list says %d %s, the rows %d", c.Policy, total, outcome, n)
				}
				for _, i := range items {
					got++
					sum += i.AmountFen
				}
				if len(items) == 0 {
					break
				}
			}
			if got != n || outcome == "eligible" && sum != want.AmountFen {
				t.Errorf("%s: %d %s on all pages with %d fen, want %d with %d", c.Policy, got, outcome, sum, n, want.AmountFen)
			}
		}
		rules, err := book.Rules(t.Context(), c.Policy)
		if err != nil {
			t.Fatal(err)
		}
		inForce := want.Eligible + want.Ineligible
		for _, r := range rules {
			if r.NotMet != failedBy[r.ID] {
				t.Errorf("%s: %d fail %s, the rows say %d", c.Policy, r.NotMet, r.ID, failedBy[r.ID])
			}
			if r.Met+r.NotMet+r.Unknown < inForce || r.Only > r.NotMet {
				t.Errorf("%s: %+v does not add up over %d", c.Policy, r, inForce)
			}
		}
	}
}

// Every earliest day holds on that day and on no day before it.
func TestEarliestDayIsTheFirst(t *testing.T) {
	it := theTown(t)
	s, conn := it.connect(t)
	tried := 0
	for _, r := range all(t, it) {
		if r["policy"] != "unemployment-skill-subsidy" || r["outcome"] == "eligible" || r["outcome"] == "not_in_force" || !slices.Contains([]string{"months", "insured", "insured months"}, r["failed"]) {
			continue
		}
		person, err := fact.ParsePerson(r["person"])
		if err != nil {
			t.Fatal(err)
		}
		xs, err := finding.Explain(t.Context(), conn, s, it.pack, person, r["policy"], r["subject"], day)
		if err != nil {
			t.Fatal(err)
		}
		if len(xs) != 1 {
			t.Fatalf("%d explanations of one subject", len(xs))
		}
		x := xs[0]
		if x.Answer.Outcome != r["outcome"] {
			t.Errorf("%s: screened %s, explained %s", r["subject"], r["outcome"], x.Answer.Outcome)
		}
		if x.Earliest == 0 {
			continue
		}
		tried++
		ahead := slices.Collect(func(yield func(calendar.Day) bool) {
			for d := day.AddDays(1); d <= x.Earliest; d = d.AddDays(1) {
				if !yield(d) {
					return
				}
			}
		})
		later, err := finding.Supposed(t.Context(), conn, s, it.pack, x, ahead)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range later {
			if want := i == len(later)-1; (a.Outcome == "eligible") != want {
				t.Errorf("%s: earliest %s, but on %s it is %s", r["subject"], x.Earliest, ahead[i], a.Outcome)
				break
			}
		}
		if tried == 40 {
			break
		}
	}
	if tried < 10 {
		t.Errorf("only %d earliest days were tried", tried)
	}
}

// The same deliveries under the same keys give the same run in another home, and under other keys the same counts.
func TestAnotherHomeFindsTheSame(t *testing.T) {
	run := screen(t, theTown(t), finding.Request{})
	again := screen(t, theTown(t), finding.Request{})
	if run.Hash != again.Hash {
		t.Error("the same home screened twice gives two hashes")
	}
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	twin, err := raise(t.Context(), filepath.Join(dir, "twin"), keys, 1500)
	if err != nil {
		t.Fatal(err)
	}
	if got := screen(t, twin, finding.Request{}); got.Hash != run.Hash {
		t.Errorf("another home with the same keys: %s, want %s", got.Hash, run.Hash)
	}
	if err := seal.Create(filepath.Join(dir, "keys"), "aes"); err != nil {
		t.Fatal(err)
	}
	if keys, err = seal.Open(filepath.Join(dir, "keys")); err != nil {
		t.Fatal(err)
	}
	other, err := raise(t.Context(), filepath.Join(dir, "other"), keys, 1500)
	if err != nil {
		t.Fatal(err)
	}
	if got := screen(t, other, finding.Request{}); !slices.Equal(got.Policies, run.Policies) {
		t.Errorf("another home with other keys counts %+v, want %+v", got.Policies, run.Policies)
	}
}

func TestEmptyHome(t *testing.T) {
	theTown(t) // it makes the keys
	keys, err := seal.Open(filepath.Join(folder, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	it, _, err := empty(t.Context(), filepath.Join(t.TempDir(), "home"), keys)
	if err != nil {
		t.Fatal(err)
	}
	run := screen(t, it, finding.Request{})
	if run.People != 0 || len(run.Policies) != len(it.pack.Policies) {
		t.Errorf("an empty home: %+v", run)
	}
	for _, c := range run.Policies {
		if c != (finding.Count{Policy: c.Policy}) {
			t.Errorf("an empty home finds %+v", c)
		}
	}
}
