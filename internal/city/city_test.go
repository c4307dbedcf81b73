package city

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/pack"
)

// writeCity makes a city and returns its files and a sum over names and bytes.
func writeCity(t testing.TB, o Options) ([]File, [32]byte) {
	t.Helper()
	dir := t.TempDir()
	files, err := Write(t.Context(), liaocheng(t), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	names, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range names {
		data, err := os.ReadFile(filepath.Join(dir, n.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum.Write([]byte(n.Name()))
		sum.Write(data)
	}
	if len(names) != len(files)+1 {
		t.Errorf("%d names in the folder for %d files and a README", len(names), len(files))
	}
	return files, [32]byte(sum.Sum(nil))
}

func TestTheSameOptionsGiveTheSameBytes(t *testing.T) {
	o := Options{People: 300, Seed: 7, Until: 202412}
	files, first := writeCity(t, o)
	again, second := writeCity(t, o)
	if first != second {
		t.Error("the same options gave other bytes")
	}
	for i := range files {
		if files[i].Rows != again[i].Rows || !slices.Equal(files[i].Faults, again[i].Faults) {
			t.Errorf("%s is told otherwise the second time", filepath.Base(files[i].Path))
		}
	}
	o.Seed++
	if _, other := writeCity(t, o); other == first {
		t.Error("another seed gave the same bytes")
	}
}

// Sizes of a city and last months: the calendar is laid out rightly for each.
func TestFilesAsTheyAreDelivered(t *testing.T) {
	for _, o := range []Options{{People: 1, Until: 202301}, {People: 200, Until: 202412}, {People: 2000, Until: 202402}, {People: 50, Until: 203012}} {
		told := map[string]int{}
		o.Progress = func(file string, rows int) { told[file] = rows }
		files, _ := writeCity(t, o)
		months := o.Until.Index() - calendar.Month(202101).Index() + 1
		if len(files) != months+16 || files[0].Register != "people" || files[1].Register != "employers" || files[2].Register != "contributions" {
			t.Fatalf("until %s: %d files beginning with %s", o.Until, len(files), files[0].Register)
		}
		known := o.Until.First().AddDays(17)
		for i, f := range files {
			if want := f.Register + "-" + f.Cutoff.Month().String() + endingOf(f.Register); filepath.Base(f.Path) != want || told[want] != f.Rows {
				t.Errorf("%s, told with %d of %d rows; want the name %s", f.Path, told[want], f.Rows, want)
			}
			cutoff, received := o.Until.Add(-1).Last(), o.Until.First().AddDays(1)
			if f.Register == "contributions" {
				month := calendar.Month(202101).Add(i - 2)
				cutoff, received = month.Last(), min(known, month.Add(1).First().AddDays(27))
				if month == o.Until {
					cutoff = known.AddDays(-1)
				}
			}
			if f.Cutoff != cutoff || f.Received != received {
				t.Errorf("%s: cutoff %s, received %s; want %s, %s", filepath.Base(f.Path), f.Cutoff, f.Received, cutoff, received)
			}
		}
	}
}

func endingOf(register string) string {
	return layouts[slices.IndexFunc(layouts, func(l *layout) bool { return l.register == register })].ending()
}

func TestWhatCannotBeMade(t *testing.T) {
	p := liaocheng(t)
	odd := *p
	odd.Registers = slices.DeleteFunc(slices.Clone(p.Registers), func(r *pack.Register) bool { return r.Name == "degrees" })
	for _, c := range []struct {
		name string
		pack *pack.Pack
		o    Options
		key  string
	}{
		{"no people", p, Options{Until: 202412}, "city.people_out_of_range"},
		{"more people than numbers", p, Options{People: MostPeople + 1, Until: 202412}, "city.people_out_of_range"},
		{"a story that ends too early", p, Options{People: 10, Until: 202212}, "city.until_out_of_range"},
		{"a month that is none", p, Options{People: 10, Until: 202413}, "city.until_out_of_range"},
		{"a pack without a register", &odd, Options{People: 10, Until: 202412}, "city.pack_disagrees"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "city")
			_, err := Write(t.Context(), c.pack, dir, c.o)
			var e *fault.E
			if !errors.As(err, &e) || e.Kind != fault.Invalid || e.Key != c.key {
				t.Errorf("got %v, want %s", err, c.key)
			}
			if _, err := os.Stat(dir); err == nil {
				t.Error("the folder was made all the same")
			}
		})
	}
}

func TestACancelledCityLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	o := Options{People: 20_000, Until: 202412, Progress: func(string, int) { cancel() }}
	if _, err := Write(ctx, liaocheng(t), dir, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that it was cancelled", err)
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(left) > 0 {
		t.Errorf("%d files were left, the first %s", len(left), left[0].Name())
	}
}

// The numbers of a million people differ: no ID number and no code of an employer is given twice.
func TestNumbersOfAMillionPeopleDiffer(t *testing.T) {
	c := found(Options{People: MostPeople, Seed: 3, Until: 202412})
	codes, names := map[string]bool{}, map[string]bool{}
	for _, e := range c.employers {
		codes[e.uscc], names[e.name] = true, true
	}
	if len(codes) != len(c.employers) || len(names) != len(c.employers) {
		t.Errorf("%d employers have %d codes and %d names", len(c.employers), len(codes), len(names))
	}
	// All in one class of birthdays: the only people who could have the same number.
	ids := map[string]bool{}
	made := 0
	for _, class := range []int{0, 1, 500, birthClasses - 1} {
		for i := class; i < MostPeople; i += birthClasses {
			c.dice.seed(c.Seed, uint64(i))
			ids[c.person(i).id] = true
			made++
		}
	}
	if len(ids) != made {
		t.Errorf("%d people have %d numbers", made, len(ids))
	}
	for kind := range 6 {
		seen := make([]bool, MostPeople)
		for i := range MostPeople {
			n := scattered(i, kind)
			if seen[n] {
				t.Fatalf("order %d gives %d twice", kind, n)
			}
			seen[n] = true
		}
	}
}

// between fails the test unless n of so many is within two bounds, in a thousand.
func between(t *testing.T, what string, n, of, low, high int) {
	t.Helper()
	if of == 0 {
		t.Errorf("%s: of nothing", what)
		return
	}
	got := float64(n) * 1000 / float64(of)
	t.Logf("%-60s %6.1f in a thousand of %d", what, got, of)
	if got < float64(low) || got > float64(high) {
		t.Errorf("%s: %.1f in a thousand of %d, want %d to %d", what, got, of, low, high)
	}
}

// One city of ten thousand, looked at from all sides.
func TestACity(t *testing.T) {
	p := liaocheng(t)
	o := Options{People: 10_000, Seed: 20241220, Until: 202412}
	files, _ := writeCity(t, o)
	by := map[string][]*delivered{}
	for _, f := range files {
		by[f.Register] = append(by[f.Register], readBack(t, p, f))
	}
	t.Run("faults stand where they are told and nowhere else", func(t *testing.T) {
		for _, list := range by {
			for _, f := range list {
				faultsAsTold(t, f)
			}
		}
	})
	t.Run("a fault of every kind is found in every file, and only that fault", func(t *testing.T) {
		for _, l := range layouts {
			f, n := by[l.register][0], 0
			f.sound(func(row []string) {
				if n++; n > 20 {
					return
				}
				for _, s := range l.spoils {
					bad, want := slices.Clone(row), Fault{Kind: s.kind}
					l.fresh(bad)
					if s.column >= 0 {
						want.Column = l.columns[s.column].name
					}
					if found := f.wrongs(s.apply(bad), true); !slices.Equal(found, []Fault{want}) {
						t.Errorf("%s: %+v planted, %+v found", l.register, want, found)
					}
				}
			})
		}
	})
	t.Run("every sound row has a key of its own, which no faulty row has", func(t *testing.T) {
		for register, list := range by {
			for _, f := range list {
				keysDiffer(t, p.Register(register), f)
			}
		}
	})
	t.Run("faults are as rare as stated", func(t *testing.T) {
		kinds := map[string]bool{}
		for register, list := range by {
			for _, f := range list {
				if n, least := len(f.Faults), 2; register != "contributions" && (n < least || n > least+2*f.Rows/oneIn+1) {
					t.Errorf("%s: %d faults in %d rows", filepath.Base(f.Path), n, f.Rows)
				}
				for _, x := range f.Faults {
					kinds[x.Kind] = true
				}
			}
		}
		rows, n := 0, 0
		for _, f := range by["contributions"] {
			rows, n = rows+f.Rows, n+len(f.Faults)
		}
		between(t, "faulty contributions, ten times over", 10*n, rows, 1, 4)
		if len(kinds) < 9 {
			t.Errorf("%d kinds of fault: %v", len(kinds), kinds)
		}
	})
	t.Run("people", func(t *testing.T) { peopleAreInvented(t, o, by["people"][0]) })
	t.Run("employers", func(t *testing.T) { employersAsStated(t, by["employers"][0], by["contributions"]) })
	t.Run("contributions", func(t *testing.T) { contributionsAsStated(t, o, by) })
	t.Run("degrees", func(t *testing.T) { degreesAsStated(t, o, by["degrees"][0]) })
	t.Run("certificates", func(t *testing.T) { certificatesAsStated(t, o, by["skill_certificates"][0]) })
	t.Run("contracts", func(t *testing.T) { contractsAsStated(t, by) })
	t.Run("registers agree", func(t *testing.T) { registersAgree(t, o, by) })
	t.Run("benefits", func(t *testing.T) {
		n := 0
		by["unemployment_benefits"][0].sound(func([]string) { n++ })
		between(t, "people who drew a benefit", n, o.People, 4, 9)
	})
}

func faultsAsTold(t *testing.T, f *delivered) {
	bad := f.faulty()
	if len(f.rows) != f.Rows {
		t.Errorf("%s: %d rows, told %d", filepath.Base(f.Path), len(f.rows), f.Rows)
	}
	for i, row := range f.rows {
		x, is := bad[f.lines[i]]
		found, told := f.wrongs(row, is || f.Register != "contributions" || i%97 == 0), []Fault{}
		if is {
			told = append(told, Fault{Column: x.Column, Kind: x.Kind})
		}
		if !slices.Equal(found, told) && len(found)+len(told) > 0 {
			t.Errorf("%s:%d: found %v, told %v", filepath.Base(f.Path), f.lines[i], found, told)
		}
	}
}

func keysDiffer(t *testing.T, r *pack.Register, f *delivered) {
	key := func(row []string) string {
		var parts []string
		for _, k := range r.Key {
			if f.has(k.Text) {
				parts = append(parts, f.get(row, k.Text))
			}
		}
		return strings.Join(parts, "|")
	}
	keys, n := map[string]bool{}, 0
	f.sound(func(row []string) { keys[key(row)] = true; n++ })
	if len(keys) != n {
		t.Errorf("%s: %d sound rows have %d keys", filepath.Base(f.Path), n, len(keys))
	}
	bad := f.faulty()
	for i, row := range f.rows {
		if _, is := bad[f.lines[i]]; is && len(row) == len(f.columns) && keys[key(row)] {
			t.Errorf("%s:%d: a faulty row has a sound row's key", filepath.Base(f.Path), f.lines[i])
		}
	}
}
