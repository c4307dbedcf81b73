package fact

import (
	"math/rand/v2"
	"strings"
	"testing"

	"bole/internal/columnar"
	"bole/internal/fault"
)

func TestPersonRoundTrip(t *testing.T) {
	if uint64(scatter)*unscatter&mask != 1 {
		t.Fatal("unscatter is not the inverse of scatter")
	}
	dice := rand.New(rand.NewPCG(1, 2))
	seen := map[string]bool{}
	for i := range 200_000 {
		p := Person(i + 1)
		if i >= 100_000 {
			p = Person(dice.Int64N(1 << 30))
		}
		s := p.String()
		back, err := ParsePerson(s)
		if err != nil || back != p {
			t.Fatalf("%d is %s is %d, %v", p, s, back, err)
		}
		if i < 100_000 && seen[s] {
			t.Fatalf("%s stands for two", s)
		}
		seen[s] = true
	}
	for _, s := range []string{strings.ToLower(Person(7).String()), " " + Person(7).String() + " ", strings.ReplaceAll(Person(7).String(), "-", "")} {
		if p, err := ParsePerson(s); err != nil || p != 7 {
			t.Errorf("%q: %d, %v", s, p, err)
		}
	}
	for _, s := range []string{"", "P", "7", "P-", "P-0000-000", "371502199001010110", "P-7K2M-90CC", "Q" + Person(7).String()[1:], "P-ÄÖÜß-123"} {
		if p, err := ParsePerson(s); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q is %d, %v", s, p, err)
		}
	}
}

// A wrong letter or digit, wherever it stands, names nobody.
func TestPersonSlips(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		s := Person(dice.Int64N(1 << 30)).String()
		for i := 2; i < len(s); i++ {
			for _, c := range alphabet {
				if s[i] == '-' || rune(s[i]) == c {
					continue
				}
				if p, err := ParsePerson(s[:i] + string(c) + s[i+1:]); err == nil {
					t.Fatalf("%s with %c at %d names %s", s, c, i, p)
				}
			}
		}
	}
}

func TestPersonSQL(t *testing.T) {
	db, err := columnar.Open(columnar.Config{MemoryMB: 200, Threads: 1, TempDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), "SELECT i, "+PersonSQL("i")+" FROM (SELECT unnest(range(1, 1000)) AS i UNION ALL SELECT (j * 7919) % 1073741824 FROM range(2000) t(j) UNION ALL SELECT 1073741823)")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var p Person
		var s string
		if err := rows.Scan(&p, &s); err != nil {
			t.Fatal(err)
		}
		if n++; s != p.String() {
			t.Fatalf("%d is %s in SQL and %s in Go", p, s, p)
		}
	}
	if rows.Err() != nil || n != 3000 {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
}
