package lake

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/store"
	"bole/internal/store/storetest"
)

type house struct {
	*Lake
	t     testing.TB
	clock time.Time
}

// houses runs a test in a lake of its own on each database.
func houses(t *testing.T, f func(*house)) {
	storetest.Each(t, func(t *testing.T, open func() *store.DB) { f(newHouse(t, open())) })
}

func newHouse(t testing.TB, db *store.DB) *house {
	t.Helper()
	dir, err := t.TempDir(), error(nil)
	h := &house{t: t, clock: time.Unix(1_700_000_000, 0)}
	h.Lake, err = Open(filepath.Join(dir, "lake"), db, columnar.Config{MemoryMB: 200, Threads: 1, TempDir: filepath.Join(dir, "tmp")}, func() time.Time { return h.clock })
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// deliver publishes one file of a table with rows given as SQL.
func (h *house) deliver(table, query string, received string, seq int64, months string) {
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
	if _, err := w.Parquet(ctx, conn, File{Table: table, Received: calendar.MustParse(received), Seq: seq, Meta: months}, query); err != nil {
		h.t.Fatal(err)
	}
	conn.Close()
	if err := w.Commit(ctx, nil); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) read(table string, w Ways, asOf string) string {
	h.t.Helper()
	var day calendar.Day
	if asOf != "" {
		day = calendar.MustParse(asOf)
	}
	s, err := h.Read(h.t.Context(), day)
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	src, ok := s.Source(table, w)
	if !ok {
		return "nothing"
	}
	var out sql.NullString
	if err := s.QueryRow("SELECT string_agg(k || '=' || v, ' ' ORDER BY k, v) FROM " + src).Scan(&out); err != nil {
		h.t.Fatal(err)
	}
	return out.String
}

func TestDeliveriesAddUp(t *testing.T) { houses(t, deliveriesAddUp) }

func deliveriesAddUp(h *house) {
	t := h.t
	up := Ways{Mode: "upsert", Key: []string{"k"}}
	h.deliver("a", "SELECT unnest(['x','y']) k, 1 v, 1 seq", "2024-01-10", 1, "")
	h.deliver("a", "SELECT 'x' k, 2 v, 2 seq", "2024-02-10", 2, "")
	for asOf, want := range map[string]string{"": "x=2 y=1", "2024-01-31": "x=1 y=1", "2024-01-09": "nothing"} {
		if got := h.read("a", up, asOf); got != want {
			t.Errorf("upsert as of %q: %s, want %s", asOf, got, want)
		}
	}
	if got := h.read("a", Ways{Mode: "replace_all"}, ""); got != "x=2" {
		t.Errorf("replace_all: %s", got)
	}
	if got := h.read("a", Ways{Mode: "append"}, ""); got != "x=1 x=2 y=1" {
		t.Errorf("append: %s", got)
	}
	// One that came late, with an earlier day of receipt, stands under those received after it.
	h.deliver("a", "SELECT unnest(['x','z']) k, 9 v, 3 seq", "2024-01-20", 3, "")
	for asOf, want := range map[string]string{"": "x=2 y=1 z=9", "2024-01-31": "x=9 y=1 z=9", "2024-01-19": "x=1 y=1"} {
		if got := h.read("a", up, asOf); got != want {
			t.Errorf("upsert with a late delivery as of %q: %s, want %s", asOf, got, want)
		}
	}
	month := func(m int, k string, v int) string {
		return fmt.Sprintf("SELECT DATE '2024-%02d-01' m, '%s' k, %d v", m, k, v)
	}
	by := Ways{Mode: "replace_month", Month: "m"}
	h.deliver("b", month(1, "x", 1)+" UNION ALL "+month(2, "x", 2), "2024-03-01", 3, "202401 202402")
	h.deliver("b", month(2, "y", 3), "2024-04-01", 4, "202402")
	for asOf, want := range map[string]string{"": "x=1 y=3", "2024-03-31": "x=1 x=2"} {
		if got := h.read("b", by, asOf); got != want {
			t.Errorf("replace_month as of %q: %s, want %s", asOf, got, want)
		}
	}
}

func TestUnfinishedWriteLeavesNothing(t *testing.T) { houses(t, unfinishedWriteLeavesNothing) }

func unfinishedWriteLeavesNothing(h *house) {
	t := h.t
	h.deliver("a", "SELECT 'x' k, 1 v, 1 seq", "2024-01-10", 1, "")
	ctx := t.Context()
	w, err := h.Write(ctx, "cut off")
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := w.Conn(ctx)
	f, err := w.Parquet(ctx, conn, File{Table: "a", Received: 20240201, Seq: 2}, "SELECT 'z' k, 9 v, 2 seq")
	if err != nil {
		t.Fatal(err)
	}
	conn.Close()
	// The process dies here: nobody aborts. Its lease runs out, and the next writer sweeps.
	w.stop()
	w.beats.Wait()
	if got := h.read("a", Ways{Mode: "append"}, ""); got != "x=1" {
		t.Errorf("a reader sees %s", got)
	}
	h.clock = h.clock.Add(time.Minute)
	h.deliver("a", "SELECT 'y' k, 2 v, 3 seq", "2024-02-10", 3, "")
	if _, err := os.Stat(filepath.Join(h.dir, f.Path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the unfinished file is still there: %v", err)
	}
	if got := h.read("a", Ways{Mode: "append"}, ""); got != "x=1 y=2" {
		t.Errorf("the next writer's rows: %s", got)
	}
	if err := w.Commit(ctx, nil); fault.KindOf(err) != fault.Stale {
		t.Errorf("a writer that lost its lease committed: %v", err)
	}
}

func TestAlsoFails(t *testing.T) { houses(t, alsoFails) }

func alsoFails(h *house) {
	t := h.t
	ctx := context.Background()
	w, err := h.Write(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	conn, _ := w.Conn(ctx)
	if _, err := w.Parquet(ctx, conn, File{Table: "a"}, "SELECT 1 k, 1 v"); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	no := errors.New("no")
	if err := w.Commit(ctx, func(*sql.Tx) error { return no }); !errors.Is(err, no) {
		t.Fatal(err)
	}
	if g, _ := h.Generation(ctx); g != 0 {
		t.Errorf("generation %d after a failed commit", g)
	}
	if got := h.read("a", Ways{}, ""); got != "nothing" {
		t.Errorf("a reader sees %s", got)
	}
}

// A commit that takes longer than the lease lasts is waited for, and the next writer starts from what it published.
func TestTheNextWriterWaitsForASlowCommit(t *testing.T) { houses(t, theNextWriterWaits) }

func theNextWriterWaits(h *house) {
	t, ctx := h.t, h.t.Context()
	w, err := h.Write(ctx, "slow")
	if err != nil {
		t.Fatal(err)
	}
	w.stop() // a process so busy that it does not renew
	w.beats.Wait()
	conn, _ := w.Conn(ctx)
	if _, err := w.Parquet(ctx, conn, File{Table: "a"}, "SELECT 1 k, 1 v"); err != nil {
		t.Fatal(err)
	}
	conn.Close()
	later := *h.Lake
	later.now = func() time.Time { return h.clock.Add(time.Minute) }
	from := make(chan int64, 1)
	err = w.Commit(ctx, func(*sql.Tx) error {
		go func() {
			next, err := later.Write(ctx, "next")
			if err != nil {
				t.Error(err)
				from <- -1
				return
			}
			g := next.Generation
			if err := next.Abort(ctx); err != nil {
				t.Error(err)
			}
			from <- g
		}()
		time.Sleep(100 * time.Millisecond)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if g := <-from; g != 1 {
		t.Errorf("the next writer starts from generation %d, want 1", g)
	}
}
