package register

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bole/internal/sheet"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// peak is the most memory that this process has had at a time, in MB: what the kernel counted.
func peak() (mb int64, err error) {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			_, err := fmt.Sscan(rest, &mb)
			return mb / 1024, err
		}
	}
	return 0, errors.New("the kernel does not tell")
}

// crowd is many valid numbers.
func crowd(people int) []string {
	out := make([]string, people)
	for i := range out {
		out[i] = citizen("371502", fmt.Sprintf("19%02d%02d%02d", 50+i/28000%50, i/1000/28%12+1, i/1000%28+1), i%1000)
	}
	return out
}

// ledger is lines of the contributions register, a month for each of many people after the other, until each has been told. The line'th is faulty where
// spoil says so.
func ledger(people, lines int, spoil func(line int) bool, each func(fields []string) error) error {
	numbers := crowd(people)
	for i := range lines {
		m := i / people
		when := fmt.Sprintf("%04d%02d", 1990+m/12, m%12+1)
		kind := "110"
		if spoil != nil && spoil(i) {
			kind = "没有这种"
		}
		if err := each([]string{numbers[i%people], "王小明", firm, kind, when, "5000", "10", "1", when[:4] + "-" + when[4:] + "-20"}); err != nil {
			return err
		}
	}
	return nil
}

// ledgerFile writes them as the agency does, in GB18030, and answers the size in MB.
func ledgerFile(t *testing.T, people, lines int, spoil func(int) bool) (path string, mb int64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(simplifiedchinese.GB18030.NewEncoder().Writer(f))
	_, err = w.WriteString(contributionsHead)
	if err == nil {
		err = ledger(people, lines, spoil, func(fields []string) error {
			_, err := w.WriteString(strings.Join(fields, "|") + "\n")
			return err
		})
	}
	if err = errors.Join(err, w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, info.Size() >> 20
}

func ledgerBook(t *testing.T, people, lines int) (path string, mb int64) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "ledger.xlsx")
	book, err := sheet.NewWorkbook(path)
	if err != nil {
		t.Fatal(err)
	}
	page, err := book.Sheet("明细", strings.Split(strings.TrimSpace(contributionsHead), "|"), nil)
	if err == nil {
		err = ledger(people, lines, nil, func(fields []string) error {
			for _, f := range fields {
				mb += int64(len(f)) + 45 // what surrounds a cell's text
			}
			return page.Write(fields)
		})
	}
	if err = errors.Join(err, book.Close()); err != nil {
		t.Fatal(err)
	}
	return path, mb >> 20
}

// Memory is what DuckDB may have and what people and rejected rows take, by their number; each further MB of a file takes less than one of memory.
//
// A bound leaves a fifth for what an allocator happens to keep when other tests run; rows held as Go strings would take half as much again.
func TestLargeFilesInBoundedMemory(t *testing.T) {
	full := os.Getenv("BOLE_FULL") == "1"
	size := func(usual, long int) int {
		if full {
			return long
		}
		return usual
	}
	everyOther := func(line int) bool { return line%2 == 0 }
	for _, tt := range []struct {
		name    string
		file    func(t *testing.T) (string, int64)
		memory  int  // of DuckDB, in MB
		rejects bool // are handed back in a workbook
		bound   int64
	}{
		{"CSV", func(t *testing.T) (string, int64) {
			return ledgerFile(t, size(30_000, 300_000), size(800_000, 27_500_000), nil)
		}, size(200, 1024), false, int64(size(550, 1600))},
		{"XLSX", func(t *testing.T) (string, int64) { return ledgerBook(t, 5_000, size(40_000, 220_000)) }, 200, false, int64(size(250, 600))},
		{"rejected rows", func(t *testing.T) (string, int64) {
			return ledgerFile(t, size(30_000, 300_000), size(100_000, 2_000_000), everyOther)
		}, 200, true, int64(size(350, 1200))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h, err := preparedHome(t, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			if err := h.Store.Close(); err != nil {
				t.Fatal(err)
			}
			path, mb := tt.file(t)
			e := errand{Do: "load", Home: h.dir, Register: "contributions", Files: []string{path}, Received: 20241201, Memory: tt.memory}
			if tt.rejects {
				e.Rejects = filepath.Join(h.dir, "rejects.xlsx")
			}
			next, _ := ledgerFile(t, 100, 100, nil) // while all that was rejected waits
			for _, file := range []string{path, next} {
				e.Files = []string{file}
				start := time.Now()
				peak, rows := measured(t, e)
				t.Logf("%d rows in %s, with %d MB of memory (the large file has %d MB)", rows, time.Since(start).Round(time.Millisecond), peak, mb)
				if peak > tt.bound {
					t.Errorf("%d rows took %d MB of memory, at most %d were expected", rows, peak, tt.bound)
				}
			}
		})
	}
}

// measured loads in a process of its own, and answers how much memory that had, in MB, and how many rows it read.
func measured(t *testing.T, e errand) (peak, rows int64) {
	t.Helper()
	c := command(t, e)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	if err := c.Run(); err != nil {
		t.Fatalf("%v: %s", err, said.String())
	}
	if _, err := fmt.Sscanf(out.String(), "loading\n%d MB, %d rows", &peak, &rows); err != nil {
		t.Fatal(err)
	}
	return peak, rows
}
