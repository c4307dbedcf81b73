package bench

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/pack"
	"bole/internal/policy"
)

// times is how often the twelve conditions stand in a pack of sixty.
const times = 5

var (
	holdsNumber = regexp.MustCompile(`\b((?:age|months_\w+) (?:<=?|>=?|==) )(\d+)`)
	awardNumber = regexp.MustCompile(`\b\d{4,}\b`)
)

// manyPolicies writes the yardstick's pack five times over into a folder and loads it: p01 to p12 as they are, then the same with other thresholds of age
// and months and other amounts, for what is only written twice could be worked out once.
func manyPolicies(dir string) (*pack.Pack, error) {
	sub, err := fs.Sub(packFiles, "pack")
	if err != nil {
		return nil, fault.Wrap("bench.manyPolicies", err)
	}
	if err := os.CopyFS(dir, sub); err != nil {
		return nil, fault.Wrap("bench.manyPolicies", err)
	}
	for k := 1; k < times; k++ {
		for i := range answers {
			old, name := policyName(i), policyName(k*len(answers)+i)
			law, err := fs.ReadFile(sub, "policies/"+old+".law.md")
			if err != nil {
				return nil, fault.Wrap("bench.manyPolicies", err)
			}
			text, err := fs.ReadFile(sub, "policies/"+old+".yaml")
			if err != nil {
				return nil, fault.Wrap("bench.manyPolicies", err)
			}
			to := filepath.Join(dir, "policies", name)
			if err := errors.Join(os.WriteFile(to+".law.md", law, 0o600), os.WriteFile(to+".yaml", []byte(varied(string(text), name, k)), 0o600)); err != nil {
				return nil, fault.Wrap("bench.manyPolicies", err)
			}
		}
	}
	return pack.Load(os.DirFS(dir), packFiles)
}

func policyName(i int) string { return fmt.Sprintf("p%02d", i+1) }

// varied is a policy under another name, its thresholds k higher and its amounts k yuan.
func varied(text, name string, k int) string {
	lines := strings.Split(text, "\n")
	for i, l := range lines {
		switch {
		case strings.HasPrefix(l, "policy: "):
			lines[i] = "policy: " + name
		case strings.Contains(l, "holds: "):
			lines[i] = holdsNumber.ReplaceAllStringFunc(l, func(s string) string {
				at := strings.LastIndex(s, " ") + 1
				return s[:at] + add(s[at:], k)
			})
		case strings.Contains(l, "amount_fen: "):
			lines[i] = awardNumber.ReplaceAllStringFunc(l, func(s string) string { return add(s, 100*k) })
		}
	}
	return strings.Join(lines, "\n")
}

func add(number string, k int) string {
	n, _ := strconv.Atoi(number) // the expressions match nothing else
	return strconv.Itoa(n + k)
}

// sixty measures sixty policies beside the twelve: hits and bits, at most six times the time.
func (y *yardstick) sixty(ctx context.Context, twelve finding.Group) (_ []Entry, err error) {
	p, err := manyPolicies(filepath.Join(y.Temp, "sixty"))
	if err != nil {
		return nil, err
	}
	many := finding.Groups(policy.All(p))[0]
	y.say("hits of %d", len(many.Policies))
	hits, hits12, err := y.byTurns(ctx, y.exec(ctx, "CREATE OR REPLACE TEMP TABLE many_hits AS "+many.HitsQuery(everybodysFacts, screenDay)),
		y.exec(ctx, "CREATE OR REPLACE TEMP TABLE bole_hits AS "+twelve.HitsQuery(everybodysFacts, screenDay)))
	if err != nil {
		return nil, err
	}
	var same, want, policies int64
	if err := columnar.Row(ctx, y.db, "SELECT (SELECT count(*) FROM (SELECT * FROM bole_hits INTERSECT ALL SELECT * FROM many_hits)), (SELECT count(*) FROM bole_hits), (SELECT count(DISTINCT policy) FROM many_hits)", &same, &want, &policies); err != nil {
		return nil, err
	}
	y.say("bits of %d", len(many.Policies))
	write, done, err := y.lakeWriter(ctx, "sixty", many.BitsQuery(everybodysFacts, screenDay))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	write12, done12, err := y.lakeWriter(ctx, "twelve", twelve.BitsQuery(everybodysFacts, screenDay))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done12()) }()
	bits, bits12, err := y.byTurns(ctx, write, write12)
	if err != nil {
		return nil, err
	}
	return []Entry{exact("sixty_policies", policies, times*int64(len(answers)), "policies"), exact("sixty_hits_of_twelve", same, want, "people"),
		within("sixty_hits_seconds", hits, hits12, 6), within("sixty_bits_seconds", bits, bits12, 6)}, nil
}
