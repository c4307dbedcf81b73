package lake

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
)

// wide is a row of thirty facts of every type, some of them unknown, of many people.
func wide(people int) string {
	cols := []string{"CAST(i AS BIGINT) AS person", "CAST(i AS VARCHAR) AS subject"}
	for n := range 10 {
		cols = append(cols, fmt.Sprintf("CASE WHEN hash(i, %[1]d) %% 5 > 0 THEN hash(i, %[1]d) %% 3 = 0 END AS b%[1]d", n),
			fmt.Sprintf("CAST(hash(i, %[1]d) %% 200 AS BIGINT) AS n%[1]d", n),
			fmt.Sprintf("['enterprise', 'government', 'institution'][CAST(1 + hash(i, %[1]d) %% 3 AS BIGINT)] AS t%[1]d", n))
	}
	return fmt.Sprintf("SELECT %s FROM range(%d) r(i)", strings.Join(cols, ", "), people)
}

func BenchmarkEvidence(b *testing.B) {
	const people = 100_000
	h := oneHouse(b)
	ctx := b.Context()
	w, err := h.Write(ctx, "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer w.Abort(ctx)
	conn, err := w.Conn(ctx)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "CREATE TEMP TABLE wide AS "+wide(people)); err != nil {
		b.Fatal(err)
	}
	var f File
	b.Run("write 100000 people", func(b *testing.B) {
		for b.Loop() {
			if f, err = w.Evidence(ctx, conn, File{}, []Part{{"p", "SELECT * FROM wide"}}); err != nil {
				b.Fatal(err)
			}
		}
	})
	e, err := openEvidence(h.dir, f)
	if err != nil {
		b.Fatal(err)
	}
	defer e.close()
	b.Run("read one person", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if rows, err := e.Person(rand.Int64N(people)); err != nil || len(rows) != 1 {
				b.Fatal(len(rows), err)
			}
		}
	})
}
