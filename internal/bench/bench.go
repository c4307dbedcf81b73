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

// atMost is an entry that may be at most so much.
func atMost(name string, value, most float64, unit string) Entry {
	r := value / most
	ok := r <= 1
	return Entry{name, value, unit, &most, &r, &ok}
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
	People   int    // taken in by a load, defaults to 200 000; of the yardstick's population in a lake, defaults to everybody
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
	db  *sql.DB
	few int // people of the population's beginning; 0 for everybody
}

// everybody is how the yardstick's files say whom they make.
const everybody = "range(1,1000001)"

// raise makes the yardstick's population, or so few of it, in a DuckDB file of its own.
func (o Options) raise(ctx context.Context, few int, files ...string) (*yardstick, error) {
	y := &yardstick{Options: o, few: few}
	if err := y.open(); err != nil {
		return nil, err
	}
	for _, f := range files {
		o.say("%s", f)
		if err := y.run(ctx, f); err != nil {
			return nil, errors.Join(err, y.db.Close())
		}
	}
	return y, nil
}

func (y *yardstick) open() (err error) {
	if y.db, err = sql.Open("duckdb", filepath.Join(y.Temp, "yardstick.duckdb")); err != nil {
		return fault.Wrap("bench.open", err)
	}
	y.db.SetMaxOpenConns(1) // settings and temporary tables belong to one connection
	return nil
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
	if y.few > 0 {
		text = strings.ReplaceAll(text, everybody, fmt.Sprintf("range(1,%d)", y.few+1))
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
