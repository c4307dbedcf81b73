package bench

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bole/internal/fault"
	"bole/internal/pack"
	_ "github.com/duckdb/duckdb-go/v2" // the database/sql driver "duckdb", for the yardstick's own file
)

//go:embed all:pack
var packFiles embed.FS

// Pack loads the yardstick's twelve conditions.
func Pack() (*pack.Pack, error) {
	sub, err := fs.Sub(packFiles, "pack")
	if err != nil {
		return nil, err
	}
	return pack.Load(sub, packFiles)
}

// Entry is one thing measured.
type Entry struct {
	Name      string   `json:"name"`
	Value     float64  `json:"value"`
	Unit      string   `json:"unit"`
	Yardstick *float64 `json:"yardstick"` // null where there is none
	Ratio     *float64 `json:"ratio"`     // value / yardstick
	OK        *bool    `json:"ok"`        // null where nothing is judged
}

// exact is an entry whose value must be the yardstick's.
func exact(name string, value, want int64, unit string) Entry {
	v, w := float64(value), float64(want)
	r, ok := v/w, value == want
	return Entry{name, v, unit, &w, &r, &ok}
}

// within is an entry of seconds that may be at most bar times the yardstick's.
func within(name string, value, yardstick, bar float64) Entry {
	r := value / yardstick
	ok := r <= bar
	return Entry{name, value, "s", &yardstick, &r, &ok}
}

// beside is an entry of seconds with the yardstick's, which is not judged.
func beside(name string, value, yardstick float64) Entry {
	r := value / yardstick
	return Entry{Name: name, Value: value, Unit: "s", Yardstick: &yardstick, Ratio: &r}
}

// told is an entry that is not judged.
func told(name string, value float64, unit string) Entry {
	return Entry{Name: name, Value: value, Unit: unit}
}

// Options say where and how to measure.
type Options struct {
	Folder   string // of the yardstick
	Temp     string // a folder that is made, used and removed; defaults to one under the system's
	Rounds   int    // alternating runs of each; defaults to 7
	People   int    // taken in by a load; defaults to 200 000
	Suite    string // of the keys of a load, sm or aes; defaults to sm
	Clock    func() time.Time
	Progress func(string)
}

func (o Options) say(format string, args ...any) {
	if o.Progress != nil {
		o.Progress(fmt.Sprintf(format, args...))
	}
}

// yardstick is the folder of SQL files and the database that they make.
type yardstick struct {
	Options
	db *sql.DB
}

// raise makes the yardstick's population in a DuckDB file of its own.
func (o Options) raise(ctx context.Context, files ...string) (*yardstick, error) {
	db, err := sql.Open("duckdb", filepath.Join(o.Temp, "yardstick.duckdb"))
	if err != nil {
		return nil, fault.Wrap("bench.raise", err)
	}
	db.SetMaxOpenConns(1) // settings and temporary tables belong to one connection
	y := &yardstick{o, db}
	for _, f := range files {
		o.say("%s", f)
		if err := y.run(ctx, f); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return y, nil
}

// text reads one of the yardstick's files.
func (o Options) text(name string) (string, error) {
	b, err := os.ReadFile(filepath.Join(o.Folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fault.New("bench.text", fault.NotFound, "bench.no_yardstick", "folder", o.Folder)
	}
	return string(b), fault.Wrap("bench.text", err)
}

// run runs a file of statements; each ends with a semicolon at a line's end.
func (y *yardstick) run(ctx context.Context, name string) error {
	text, err := y.text(name)
	if err != nil {
		return err
	}
	for _, q := range strings.Split(strings.TrimSpace(text)+"\n", ";\n") {
		if strings.TrimSpace(q) == "" {
			continue
		}
		if _, err := y.db.ExecContext(ctx, q); err != nil {
			return fault.Wrap("bench.run", fmt.Errorf("%s: %w", name, err))
		}
	}
	return nil
}

// byTurns runs a and b alternately, once to warm up and then so many rounds, and answers the median seconds of each.
func (o Options) byTurns(ctx context.Context, a, b func() error) (ta, tb float64, err error) {
	return o.byTurnsAfter(ctx, func() error { return nil }, a, b)
}

// byTurnsAfter is byTurns with something to prepare before each run, whose time is not counted.
func (o Options) byTurnsAfter(ctx context.Context, prepare, a, b func() error) (ta, tb float64, err error) {
	rounds := o.Rounds
	if rounds == 0 {
		rounds = 7
	}
	var as, bs []float64
	for i := range rounds + 1 {
		if err := prepare(); err != nil {
			return 0, 0, err
		}
		x, err := o.timed(a)
		if err != nil {
			return 0, 0, err
		}
		if err := prepare(); err != nil {
			return 0, 0, err
		}
		y, err := o.timed(b)
		if err != nil {
			return 0, 0, err
		}
		if err := ctx.Err(); err != nil {
			return 0, 0, err
		}
		if i > 0 {
			as, bs = append(as, x), append(bs, y)
		}
	}
	return median(as), median(bs), nil
}

func (o Options) timed(f func() error) (float64, error) {
	start := o.Clock()
	err := f()
	return o.Clock().Sub(start).Seconds(), err
}

func median(xs []float64) float64 {
	xs = slices.Clone(xs)
	slices.Sort(xs)
	return xs[len(xs)/2]
}
