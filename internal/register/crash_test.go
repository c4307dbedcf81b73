package register

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/files"
)

// killSelf ends the process as kill -9 does: nothing is flushed, nothing deferred is run.
func killSelf() {
	_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	select {}
}

// A lease ends this long after it was last renewed: what package lake says of it.
const leaseTime = 10 * time.Second

// later is the clock of somebody who comes when the lease of a killed load has just ended.
func later() time.Time { return time.Now().Add(leaseTime) }

// accident is a load that is killed, in a home that had deliveries before.
type accident struct {
	name     string
	register string
	home     string // prepared; only copies of it are loaded into
	file     string
	received calendar.Day
	shows    []string // what the home must hold after the load, or it is not the load that it should be

	before, after string // what the home holds before an undisturbed load and after it
	left          string // what lies on the disk after it
	took          time.Duration
}

// accidents prepares the loads to be killed.
func accidents(t *testing.T) []*accident {
	t.Helper()
	dir := t.TempDir()
	home := func(name string, register string, texts ...string) (h *place) {
		h, err := preparedHome(t, filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		for i, text := range texts {
			path := filepath.Join(h.dir, fmt.Sprintf("before-%d.csv", i))
			if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), h.loadAll(t.Context(), errand{Register: register, Files: []string{path}, Received: 20241101 + calendar.Day(i)})); err != nil {
				t.Fatal(err)
			}
		}
		return h
	}
	file := func(h *place, text string) string {
		path := filepath.Join(h.dir, "delivery.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	people := func(from, to int, faulty string) string {
		var b strings.Builder
		b.WriteString(peopleHead + "\n")
		for i := from; i < to; i++ {
			b.WriteString(person(citizen("371502", "19800101", i), fmt.Sprintf("王%c", '一'+rune(i)), "1980-01-01"))
		}
		return b.String() + faulty
	}
	months := func(from, to int, base string, faulty string) string {
		var b strings.Builder
		b.WriteString(contributionsHead)
		for i := from; i < to; i++ {
			b.WriteString(month(citizen("371502", "19800101", i), fmt.Sprintf("王%c", '一'+rune(i)), "202401", base))
		}
		return b.String() + faulty
	}
	const noName, noDay = "371502,,男,1980-01-01,,,\n", "371502,错,男,1980-13-01,,,\n"

	first := home("first", "people")
	replaced := home("replaced", "contributions", months(0, 40, "5000", month(wang, "", "202401", "1")))
	corrected := home("corrected", "people", people(0, 30, person(wang, "王甲", "1990-13-01")+person(li, "李乙", "1992-13-29")+noName))
	book := &Rejects{Path: filepath.Join(corrected.dir, "waiting.xlsx")}
	_, _, err := corrected.Waiting(t.Context(), "people", book)
	if err = errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	mended := (&office{Desk: corrected.Desk, t: t, dir: corrected.dir}).mend(book.Path, "1990-13-01", "1990-01-01", "1992-13-29", "1992-14-29")
	joined := home("joined", "people", people(0, 10, ""))
	const renumbered = "证件号码,姓名,原号码,原证件类型\n"
	out := []*accident{
		{name: "a first delivery", register: "people", home: first.dir, file: file(first, people(0, 60, noName+noDay)), shows: []string{"id=60 {", "quarantined=2", "rejected {"}},
		{name: "a month once more", register: "contributions", home: replaced.dir, file: file(replaced, months(10, 50, "5100", month(li, "", "202401", "1"))), shows: []string{"closed_by=2", "added=2"}},
		{name: "a workbook of corrections", register: "people", home: corrected.dir, file: mended, shows: []string{"corrects=1", "closed_by=2", "register_reject delivery=2", "added=2"}},
		{name: "numbers of one person", register: "renumbered", home: joined.dir, shows: []string{"vault_identity ", "identity_change: "}, file: file(joined, renumbered+citizen("371502", "19800101", 1)+",王丁,E12345678,护照\n"+
			citizen("371502", "19800101", 901)+",王戊,E12345679,护照\n")},
	}
	for _, h := range []*place{first, replaced, corrected, joined} {
		h.Store.Close()
	}
	for _, a := range out {
		a.received = 20241201
		a.undisturbed(t)
	}
	return out
}

// preparedHome makes an empty home and opens it.
func preparedHome(t *testing.T, dir string) (*place, error) {
	if err := makeHome(dir); err != nil {
		return nil, err
	}
	return openHome(t.Context(), dir, 0, time.Now)
}

// undisturbed learns what the home holds before the load and after it, and how long it takes.
func (a *accident) undisturbed(t *testing.T) {
	t.Helper()
	dir := copied(t, a.home)
	a.before, _ = a.look(t, dir)
	c := a.child(t, dir, "")
	start := a.started(t, c)
	if err := c.Wait(); err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	a.took = time.Since(start)
	a.after, a.left = a.look(t, dir)
	for _, part := range a.shows {
		if strings.Contains(a.before, part) || !strings.Contains(a.after, part) {
			t.Fatalf("%s: %s must be in the home by the load", a.name, part)
		}
	}
}

func (a *accident) child(t *testing.T, dir, step string) *exec.Cmd {
	t.Helper()
	return command(t, errand{Do: "load", Home: dir, Register: a.register, Files: []string{a.file}, Received: a.received, Step: step})
}

// started starts a child and waits until it is about to load.
func (a *accident) started(t *testing.T, c *exec.Cmd) time.Time {
	t.Helper()
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err == nil {
		_, err = bufio.NewReader(out).ReadString('\n')
	}
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	return time.Now()
}

// look opens a home and tells what it holds and what lies on its disk.
func (a *accident) look(t *testing.T, dir string) (holds, left string) {
	t.Helper()
	h, err := openHome(t.Context(), dir, 0, later)
	if err != nil {
		t.Fatalf("%s: the home does not open: %v", a.name, err)
	}
	defer h.Store.Close()
	holds, left = a.lookInto(t, h)
	return holds, left
}

func (a *accident) lookInto(t *testing.T, h *place) (holds, left string) {
	t.Helper()
	holds, err := h.holdings(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", a.name, err)
	}
	if left, err = h.leftovers(); err != nil {
		t.Fatal(err)
	}
	return holds, left
}

// mends asserts that a home whose load was killed holds all of the delivery or none, takes the same file again, and is then as if nothing had happened.
func (a *accident) mends(t *testing.T, dir string) {
	t.Helper()
	h, err := openHome(t.Context(), dir, 0, later)
	if err != nil {
		t.Fatalf("the home does not open: %v", err)
	}
	defer h.Store.Close()
	holds, _ := a.lookInto(t, h)
	switch holds {
	case a.before, a.after:
	default:
		t.Fatalf("the home holds neither all of the delivery nor none; beside none:\n%s", difference(a.before, holds))
	}
	start := time.Now()
	if err := h.loadAll(t.Context(), errand{Register: a.register, Files: []string{a.file}, Received: a.received}); err != nil {
		t.Fatalf("the same load again: %v", err)
	}
	if d := time.Since(start); d > leaseTime {
		t.Errorf("the next load waited for %s", d)
	}
	holds, left := a.lookInto(t, h)
	if holds != a.after {
		t.Errorf("after the same load again:\n%s", difference(a.after, holds))
	}
	if left != a.left {
		t.Errorf("on the disk after the same load again:\n%s", difference(a.left, left))
	}
	plain, _, err := files.Sum(a.file)
	if err == nil {
		err = h.readAll(plain)
	}
	if err != nil {
		t.Errorf("the original: %v", err)
	}
}

// killed asserts that a child was ended by kill -9.
func killed(err error) bool {
	var e *exec.ExitError
	return errors.As(err, &e) && e.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL
}

// Whatever load is killed, at whatever step, the home holds all of the delivery or none, and the same file again ends where an undisturbed load does.
func TestKilledLoad(t *testing.T) {
	all := accidents(t)
	t.Run("at each step", func(t *testing.T) {
		for _, a := range all {
			for _, step := range Steps {
				t.Run(a.name+", "+step, func(t *testing.T) {
					t.Parallel()
					dir := copied(t, a.home)
					if err := a.child(t, dir, step).Run(); !killed(err) {
						t.Fatalf("the load ended with %v before it was killed", err)
					}
					a.mends(t, dir)
				})
			}
		}
	})
	t.Run("at random instants", func(t *testing.T) {
		instants, seed := 40, rand.Uint64()
		if os.Getenv("BOLE_FULL") == "1" {
			instants = 1000
		}
		dice := rand.New(rand.NewPCG(seed, 0))
		for i := range instants {
			a := all[i%len(all)]
			part := dice.Float64()
			t.Run(fmt.Sprintf("%d of seed %d, %s, after %.3f", i, seed, a.name, part), func(t *testing.T) {
				t.Parallel()
				dir := copied(t, a.home)
				c := a.child(t, dir, "")
				a.started(t, c)
				time.Sleep(time.Duration(part * float64(a.took)))
				_ = c.Process.Kill()
				if err := c.Wait(); err != nil && !killed(err) {
					t.Fatal(err)
				}
				a.mends(t, dir)
			})
		}
	})
}

// A load that is killed while it writes the workbook of rejects, after the delivery is in, has kept its rows: they are handed back when somebody asks. At
// the workbook's path stands all of it or what stood there before.
func TestKilledWhileTheWorkbookIsWritten(t *testing.T) {
	h, err := preparedHome(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Store.Close(); err != nil {
		t.Fatal(err)
	}
	const rows = 3000
	path := filepath.Join(t.TempDir(), "people.csv")
	if err := os.WriteFile(path, []byte(peopleHead+"\n"+strings.Repeat("371502,,男,1980-01-01,,,\n", rows)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, when := range []string{"before", "meanwhile"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			dir, desk := copied(t, h.dir), t.TempDir()
			e := errand{Do: "load", Home: dir, Register: "people", Files: []string{path}, Received: 20241201, Rejects: filepath.Join(desk, "rejects.xlsx")}
			if when == "before" {
				e.Step = "handing"
			}
			c := command(t, e)
			if err := c.Start(); err != nil {
				t.Fatal(err)
			}
			if when == "meanwhile" {
				for len(glob(t, desk, ".sheet-*/*")) == 0 && len(glob(t, desk, "*.xlsx")) == 0 {
					time.Sleep(time.Millisecond / 4)
				}
				_ = c.Process.Kill()
			}
			if err := c.Wait(); err != nil && !killed(err) {
				t.Fatal(err)
			}
			if len(glob(t, desk, "*.xlsx")) > 0 {
				if got := len(workbook(t, e.Rejects)[0]); got != rows+1 {
					t.Errorf("half a workbook stands there, of %d rows", got)
				}
			}
			again, err := openHome(t.Context(), dir, 0, later)
			if err != nil {
				t.Fatal(err)
			}
			defer again.Store.Close()
			book := &Rejects{Path: e.Rejects}
			_, waiting, err := again.Waiting(t.Context(), "people", book)
			if err = errors.Join(err, book.Close()); err != nil {
				t.Fatal(err)
			}
			if got := len(workbook(t, e.Rejects)[0]); waiting != rows || got != rows+1 {
				t.Errorf("%d rows wait, %d are handed back", waiting, got-1)
			}
			if left := glob(t, desk, ".*"); len(left) > 0 {
				t.Errorf("beside the workbook lies %q", left)
			}
		})
	}
}

func glob(t *testing.T, dir, pattern string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, pattern))
	if err != nil {
		t.Fatal(err)
	}
	return found
}
