package lake

import (
	"database/sql"
	"testing"

	"bole/internal/calendar"
)

// put publishes one file of a table, and of each further one given, in one generation.
func (h *house) put(query string, f File) {
	h.t.Helper()
	ctx := h.t.Context()
	w, err := h.Write(ctx, "test")
	if err != nil {
		h.t.Fatal(err)
	}
	conn, err := w.Conn(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	if f.Received == 0 {
		w.Replace(f.Table)
	}
	if _, err := w.Parquet(ctx, conn, f, query); err != nil {
		h.t.Fatal(err)
	}
	conn.Close()
	if err := w.Commit(ctx, nil); err != nil {
		h.t.Fatal(err)
	}
}

// What corrects a delivery was known from its own day and stands with the delivery, under those that came after it, however they add up.
func TestCorrectionsStandWithTheirDelivery(t *testing.T) { houses(t, correctionsStand) }

func correctionsStand(h *house) {
	row := func(k string, v, seq int) string {
		return "SELECT DATE '2024-01-01' AS m, '" + k + "' AS k, " + string(rune('0'+v)) + " AS v, CAST(" + string(rune('0'+seq)) + " AS BIGINT) AS seq, hash('" + k + "', " + string(rune('0'+v)) + ") AS row_hash"
	}
	and := " UNION ALL "
	// 1 on the 1st: x, and y was refused. 2 on the 10th: x. 3 on the 20th corrects 1: y, and z that was not in it. 4 on the 25th corrects 1 once more: y.
	h.put(row("x", 1, 1)+and+row("w", 1, 1), File{Table: "a", Received: 20240201, Seq: 1, Meta: "202401"})
	h.put(row("x", 2, 2)+and+row("y", 5, 2), File{Table: "a", Received: 20240210, Seq: 2, Meta: "202401"})
	h.put(row("y", 3, 3)+and+row("z", 3, 3), File{Table: "a", Received: 20240220, Seq: 3, Meta: "202401", Stands: 20240201, StandsSeq: 1})
	h.put(row("z", 4, 4), File{Table: "a", Received: 20240225, Seq: 4, Meta: "202401", Stands: 20240201, StandsSeq: 1})
	key := []string{"k"}
	for mode, want := range map[string]map[string]string{
		"upsert":        {"2024-01-31": "nothing", "2024-02-09": "w=1 x=1", "2024-02-19": "w=1 x=2 y=5", "2024-02-24": "w=1 x=2 y=5 z=3", "": "w=1 x=2 y=5 z=4"},
		"replace_all":   {"2024-01-31": "nothing", "2024-02-09": "w=1 x=1", "2024-02-19": "x=2 y=5", "2024-02-24": "x=2 y=5", "": "x=2 y=5"},
		"replace_month": {"2024-01-31": "nothing", "2024-02-09": "w=1 x=1", "2024-02-19": "x=2 y=5", "2024-02-24": "x=2 y=5", "": "x=2 y=5"},
		"append":        {"2024-01-31": "nothing", "2024-02-09": "w=1 x=1", "2024-02-19": "w=1 x=1 x=2 y=5", "2024-02-24": "w=1 x=1 x=2 y=3 y=5 z=3", "": "w=1 x=1 x=2 y=3 y=5 z=4"},
	} {
		for asOf, rows := range want {
			if got := h.read("a", Ways{Mode: mode, Key: key, Month: "m"}, asOf); got != rows {
				h.t.Errorf("%s as of %q: %s, want %s", mode, asOf, got, rows)
			}
		}
	}
	// Of the newest delivery a correction is part, also where it covers another month.
	february := "SELECT DATE '2024-02-01' AS m, 'f' AS k, 6 AS v, CAST(5 AS BIGINT) AS seq, hash(6) AS row_hash"
	h.put(row("y", 6, 5)+and+row("v", 6, 5)+and+february, File{Table: "a", Received: 20240226, Seq: 5, Meta: "202401 202402", Stands: 20240210, StandsSeq: 2})
	for mode, want := range map[string]string{"upsert": "f=6 v=6 w=1 x=2 y=6 z=4", "replace_all": "f=6 v=6 x=2 y=6", "replace_month": "f=6 v=6 x=2 y=6",
		"append": "f=6 v=6 w=1 x=1 x=2 y=3 y=6 z=4"} {
		if got := h.read("a", Ways{Mode: mode, Key: key, Month: "m"}, ""); got != want {
			h.t.Errorf("%s with a correction of the newest: %s, want %s", mode, got, want)
		}
	}
}

// A row that is only added counts once, on each day from that of the first delivery that has it.
func TestAddedRowsCountOnce(t *testing.T) {
	houses(t, func(h *house) {
		row := func(v, seq string) string {
			return "SELECT 'x' AS k, " + v + " AS v, CAST(" + seq + " AS BIGINT) AS seq, CAST(" + v + " AS UBIGINT) AS row_hash"
		}
		h.put(row("1", "1"), File{Table: "a", Received: 20240210, Seq: 1})
		h.put(row("1", "2")+" UNION ALL "+row("2", "2"), File{Table: "a", Received: 20240201, Seq: 2})
		for asOf, want := range map[string]string{"2024-01-31": "nothing", "2024-02-01": "x=1 x=2", "": "x=1 x=2"} {
			if got := h.read("a", Ways{Mode: "append", Key: []string{"k"}}, asOf); got != want {
				h.t.Errorf("as of %q: %s, want %s", asOf, got, want)
			}
		}
	})
}

// A register may gain a column: the files from before it answer NULL, alone and among newer ones.
func TestColumnThatAFileLacksIsNull(t *testing.T) {
	houses(t, func(h *house) {
		w := Ways{Key: []string{"k"}, Month: "m", Columns: []Column{{"k", "VARCHAR"}, {"v", "VARCHAR"}, {"note", "VARCHAR"}}}
		read := func(mode, asOf string) string {
			h.t.Helper()
			s, err := h.Read(h.t.Context(), day(asOf))
			if err != nil {
				h.t.Fatal(err)
			}
			defer s.Close()
			w.Mode = mode
			src, _ := s.Source("a", w)
			var out sql.NullString
			if err := s.QueryRow("SELECT string_agg(k || v || coalesce(note, '-'), ' ' ORDER BY k, v) FROM " + src).Scan(&out); err != nil {
				h.t.Fatalf("%s as of %q: %v", mode, asOf, err)
			}
			return out.String
		}
		h.put("SELECT DATE '2024-01-01' AS m, unnest(['x', 'y']) AS k, '1' AS v, CAST(1 AS BIGINT) AS seq", File{Table: "a", Received: 20240201, Seq: 1, Meta: "202401"})
		h.put("SELECT DATE '2024-01-01' AS m, 'z' AS k, '1' AS v, CAST(2 AS BIGINT) AS seq", File{Table: "a", Received: 20240205, Seq: 2, Meta: "202401", Stands: 20240201, StandsSeq: 1})
		h.put("SELECT DATE '2024-02-01' AS m, 'x' AS k, '2' AS v, 'new' AS note, CAST(3 AS BIGINT) AS seq", File{Table: "a", Received: 20240210, Seq: 3, Meta: "202402"})
		for mode, want := range map[string][3]string{
			"upsert":        {"x1- y1-", "x1- y1- z1-", "x2new y1- z1-"},
			"append":        {"x1- y1-", "x1- y1- z1-", "x1- x2new y1- z1-"},
			"replace_all":   {"x1- y1-", "x1- y1- z1-", "x2new"},
			"replace_month": {"x1- y1-", "x1- y1- z1-", "x1- x2new y1- z1-"},
		} {
			for i, asOf := range []string{"2024-02-01", "2024-02-05", ""} {
				if got := read(mode, asOf); got != want[i] {
					h.t.Errorf("%s as of %q: %s, want %s", mode, asOf, got, want[i])
				}
			}
		}
	})
}

func day(s string) calendar.Day {
	if s == "" {
		return 0
	}
	return calendar.MustParse(s)
}

// Who was who as of a day is what had been said by then; whom nobody had said to be another was a person of his own.
func TestIdentityAsOfADay(t *testing.T) {
	houses(t, func(h *house) {
		read := func(asOf string) string {
			h.t.Helper()
			s, err := h.Read(h.t.Context(), day(asOf))
			if err != nil {
				h.t.Fatal(err)
			}
			defer s.Close()
			src, ok := s.Identity()
			if !ok {
				return "nobody"
			}
			var out string
			if err := s.QueryRow("SELECT string_agg(holder || '=' || person || CASE WHEN subject THEN '' ELSE '?' END, ' ' ORDER BY holder) FROM " + src).Scan(&out); err != nil {
				h.t.Fatal(err)
			}
			return out
		}
		check := func(want map[string]string) {
			h.t.Helper()
			for asOf, who := range want {
				if got := read(asOf); got != who {
					h.t.Errorf("as of %q: %s, want %s", asOf, got, who)
				}
			}
		}
		check(map[string]string{"": "nobody", "2024-01-01": "nobody"})
		// Files from before subjects were told apart: nobody can say.
		h.put("SELECT unnest([1, 2]) AS holder, unnest([1, 2]) AS person", File{Table: IdentityTable})
		check(map[string]string{"": "1=1? 2=2?", "2024-01-01": "1=1? 2=2?"})
		// 4 is 3 since the 10th and 1 since the 20th; 3 is 1 since the 20th. Of one day the last word holds. 2 is only named.
		h.put("SELECT unnest([1, 2, 3, 4]) AS holder, unnest([1, 2, 1, 1]) AS person, unnest([TRUE, FALSE, TRUE, TRUE]) AS subject", File{Table: IdentityTable})
		h.put(`SELECT unnest([3, 4, 4, 4]) AS holder, unnest([1, 2, 3, 1]) AS person, unnest([DATE '2024-02-20', DATE '2024-02-10', DATE '2024-02-10', DATE '2024-02-20']) AS known,
unnest([1, 2, 3, 4]) AS n`, File{Table: IdentityChanges})
		check(map[string]string{"": "1=1 2=2? 3=1 4=1", "2024-02-20": "1=1 2=2? 3=1 4=1", "2024-02-19": "1=1 2=2? 3=3 4=3", "2024-02-10": "1=1 2=2? 3=3 4=3", "2024-02-09": "1=1 2=2? 3=3 4=4"})
	})
}

// The day of a table's newest delivery and the day that it describes are as of the day, too.
func TestLastReceivedAsOfADay(t *testing.T) {
	houses(t, func(h *house) {
		h.put("SELECT 1 AS k", File{Table: "a", Received: 20240210, Cutoff: 20240131, Seq: 1})
		h.put("SELECT 1 AS k", File{Table: "a", Received: 20240201, Cutoff: 20231231, Seq: 2})
		for asOf, want := range map[string][2]calendar.Day{"": {20240210, 20240131}, "2024-02-09": {20240201, 20231231}, "2024-01-31": {}} {
			s, err := h.Read(h.t.Context(), day(asOf))
			if err != nil {
				h.t.Fatal(err)
			}
			if received, cutoff := s.LastReceived("a"); received != want[0] || cutoff != want[1] {
				h.t.Errorf("as of %q: received %s, cutoff %s", asOf, received, cutoff)
			}
			s.Close()
		}
	})
}
