package register

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"bole/internal/fault"
)

// A disk that takes no more: a small one in memory, in a namespace of mounts that only the child sees; where that is not permitted, a limit on the size
// of every file.
type disk struct {
	dir string // "" for the limit
}

// diskSize is the most that it takes, in bytes.
const diskSize = 256 << 20

// smallDisk puts one in the place of an empty folder.
func smallDisk(dir string) (*disk, error) {
	d := &disk{dir}
	return d, syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=700", diskSize))
}

// leave lets the disk take so many bytes more. The limit does not know what lies there: it is for every file.
func (d *disk) leave(bytes int64) error {
	if d.dir == "" {
		return syscall.Setrlimit(rlimitFileSize, &syscall.Rlimit{Cur: uint64(bytes), Max: ^uint64(0)})
	}
	var s syscall.Statfs_t
	if err := syscall.Statfs(d.dir, &s); err != nil {
		return err
	}
	used := int64(s.Blocks-s.Bfree) * s.Bsize
	return syscall.Mount("", d.dir, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", max(used+bytes, s.Bsize)))
}

const rlimitFileSize = 1

// free lets it take as much as there is.
func (d *disk) free() error {
	if d.dir == "" {
		return syscall.Setrlimit(rlimitFileSize, &syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)})
	}
	return syscall.Mount("", d.dir, "", syscall.MS_REMOUNT, fmt.Sprintf("size=%d", diskSize))
}

// trial is one load into a full disk.
type trial struct {
	When   string // the step at which it became full, or how many bytes it took at the beginning
	Failed bool
	Wrong  string
}

// fullErrand loads again and again into a disk that is full from one of the steps on, or that takes a little more and a little more, until the load
// succeeds. It writes its trials to its output.
func fullErrand(ctx context.Context, e errand) error {
	d, scene := &disk{}, e.Scratch
	if e.Disk == "" {
		signal.Ignore(syscall.SIGXFSZ)
	} else {
		if err := errors.Join(syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""), os.MkdirAll(filepath.Join(scene, e.Disk), 0o700)); err != nil {
			return err
		}
		var err error
		if d, err = smallDisk(filepath.Join(scene, e.Disk)); err != nil {
			return err
		}
	}
	f := &filling{ctx: ctx, e: e, disk: d, scene: scene}
	if err := f.all(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f.trials)
}

// filling is the work of a fullErrand.
type filling struct {
	ctx           context.Context
	e             errand
	disk          *disk
	scene         string // where the home lies while it is tried
	before, after string
	lying         string // what lies on the disk before, sealed files left out: an original may stay behind, under the name of its content
	trials        []trial
}

// clock goes on by more than a lease from trial to trial: a full disk keeps a load from giving its lease back, and the next would wait for it.
func (f *filling) clock() time.Time {
	return time.Now().Add(time.Duration(len(f.trials)) * 2 * leaseTime)
}

// lies is what lies on the disk, whole sealed files left out.
func (f *filling) lies() (string, error) {
	left, err := (&place{dir: f.scene}).leftovers()
	return regexp.MustCompile(`(?m)^files/[0-9a-f]{2}(/[0-9a-f]+)?$\n?`).ReplaceAllString(left, ""), err
}

func (f *filling) all() error {
	if err := f.anew(); err != nil {
		return err
	}
	var err error
	if f.before, err = f.look(); err != nil {
		return err
	}
	if f.lying, err = f.lies(); err != nil {
		return err
	}
	if err := f.load(nil); err != nil {
		return err
	}
	if f.after, err = f.look(); err != nil {
		return err
	}
	if err := f.anew(); err != nil {
		return err
	}
	for _, step := range append([]string{""}, f.e.Steps...) {
		if err := f.try(cmp.Or(step, "opened"), func(name string) error {
			if name != step {
				return nil
			}
			return f.disk.leave(0)
		}); err != nil {
			return err
		}
	}
	const page = 4096
	for bytes, took := int64(page), false; !took && bytes < diskSize; bytes += max(page, bytes*f.e.Growth/100/page*page) {
		if err := f.try(fmt.Sprint(bytes), func(name string) error {
			if name != "" {
				return nil
			}
			return f.disk.leave(bytes)
		}); err != nil {
			return err
		}
		took = !f.trials[len(f.trials)-1].Failed
	}
	if f.trials[len(f.trials)-1].Failed {
		return errors.New("however much the disk takes, the load fails")
	}
	return nil
}

// anew copies the home once more.
func (f *filling) anew() error {
	for _, folder := range []string{"office", "lake", "files", "tmp", "keys"} {
		all, err := os.ReadDir(filepath.Join(f.scene, folder))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
		for _, x := range all { // the folder may be a disk
			if err := os.RemoveAll(filepath.Join(f.scene, folder, x.Name())); err != nil {
				return err
			}
		}
	}
	return copyHome(f.e.Home, f.scene)
}

func (f *filling) look() (string, error) {
	h, err := openHome(f.ctx, f.scene, 0, later)
	if err != nil {
		return "", err
	}
	defer h.Store.Close()
	return h.holdings(f.ctx)
}

// load loads; step is told the steps, and "" when the home is about to be opened.
func (f *filling) load(step func(string) error) error {
	if step == nil {
		step = func(string) error { return nil }
	}
	if err := step(""); err != nil {
		return err
	}
	h, err := openHome(f.ctx, f.scene, f.e.Memory, f.clock)
	if err != nil {
		return err
	}
	defer h.Store.Close()
	h.Step = func(name string) {
		if err := step(name); err != nil {
			panic(err)
		}
	}
	return h.loadAll(f.ctx, f.e)
}

// try loads while the disk is full, and looks at what became of it: an error that says so and nothing changed, or a whole delivery.
func (f *filling) try(when string, step func(string) error) error {
	t := trial{When: when}
	err := f.load(step)
	if err := f.disk.free(); err != nil {
		return err
	}
	holds, look := f.look()
	if look != nil {
		return fmt.Errorf("full when %s, and the home does not open: %w", when, look)
	}
	lies, look := f.lies()
	if look != nil {
		return look
	}
	var known *fault.E
	t.Failed = err != nil
	switch {
	case err != nil && (!errors.As(err, &known) || known.Key != "disk.full"):
		t.Wrong = "the error is " + err.Error()
	case err != nil && holds != f.before:
		t.Wrong = "something is left:\n" + difference(f.before, holds)
	case err != nil && holds == f.before && lies != f.lying:
		t.Wrong = "left lying:\n" + difference(f.lying, lies)
	case err == nil && holds != f.after:
		t.Wrong = "something is lost:\n" + difference(f.after, holds)
	}
	f.trials = append(f.trials, t)
	if holds != f.before {
		return f.anew()
	}
	return nil
}

// namespaces makes a child see mounts of its own: as the superuser, or as what an ordinary user is in a namespace of users.
func namespaces(c *exec.Cmd) {
	c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		c.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
}

// A full disk is told in a sentence and harmless, whichever part of the home lies on it, at every step of a load and after every few bytes. With room
// again the same load succeeds.
func TestFullDisk(t *testing.T) {
	h, err := preparedHome(t, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	people := func(from, to int) string {
		var b strings.Builder
		b.WriteString(peopleHead + "\n")
		for i := from; i < to; i++ {
			b.WriteString(person(citizen("371502", "19800101", i), "王甲", "1980-01-01"))
		}
		return b.String() + person(wang, "王甲", "1990-13-01")
	}
	var paths []string
	for i, text := range []string{people(0, 100), people(50, 400)} {
		paths = append(paths, filepath.Join(t.TempDir(), fmt.Sprintf("%d.csv", i)))
		if err := os.WriteFile(paths[i], []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.loadAll(t.Context(), errand{Register: "people", Files: paths[:1], Received: 20241101}); err != nil {
		t.Fatal(err)
	}
	if err := h.Store.Close(); err != nil {
		t.Fatal(err)
	}
	run := func(t *testing.T, e errand, private bool) ([]trial, error) {
		e.Do, e.Home, e.Scratch, e.Register, e.Received = "full", h.dir, t.TempDir(), cmp.Or(e.Register, "people"), 20241201
		if e.Files == nil {
			e.Files, e.Steps, e.Growth = paths[1:], Steps, 60
		}
		c := command(t, e)
		if private {
			namespaces(c)
		}
		var out, said bytes.Buffer
		c.Stdout, c.Stderr = &out, &said
		if err := c.Run(); err != nil {
			return nil, fmt.Errorf("%w: %s", err, said.String())
		}
		var trials []trial
		return trials, json.Unmarshal(out.Bytes(), &trials)
	}
	check := func(t *testing.T, trials []trial, err error, fails ...string) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		failed := 0
		for _, x := range trials {
			if x.Wrong != "" {
				t.Errorf("full when %s: %s", x.When, x.Wrong)
			}
			if x.Failed {
				failed++
			} else if slices.Contains(fails, x.When) {
				t.Errorf("full when %s, and nothing was said", x.When)
			}
		}
		t.Logf("%d loads, %d of them failed", len(trials), failed)
	}
	many := filepath.Join(t.TempDir(), "many.csv") // more sealed people than stay in memory
	if err := os.WriteFile(many, []byte(peopleHead+"\n"+longNames(30_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	noMounts := mountable(t)
	for _, tt := range []struct {
		name, disk string
		e          errand
		fails      string
	}{
		{"a limit on the size of files", "", errand{}, "opened leased staged written identified kept"},
		{"the whole home", ".", errand{}, "opened leased staged written identified kept"},
		{"the office's database", "office", errand{}, "opened leased staged written identified kept"},
		{"the lake", "lake", errand{}, "opened leased staged"},
		{"sealed files", "files", errand{}, "opened leased staged written identified"},
		{"temporary files", "tmp", errand{Files: []string{many}, Steps: []string{"leased"}, Growth: 1_000_000}, "opened leased"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.disk != "" && noMounts != nil { // the limit, which stands for it, may be had by anybody
				t.Log("mounts are not permitted here:", noMounts)
				return
			}
			t.Parallel()
			tt.e.Disk = tt.disk
			trials, err := run(t, tt.e, tt.disk != "")
			check(t, trials, err, strings.Fields(tt.fails)...)
		})
	}
}

// longNames is lines of the people register about people whose names fill the vault's memory soon.
func longNames(people int) string {
	var b strings.Builder
	for _, number := range crowd(people) {
		b.WriteString(person(number, strings.Repeat("王", 90), number[6:14]))
	}
	return b.String()
}

// mountable tells why a child cannot have mounts of its own; nil where it can.
func mountable(t *testing.T) error {
	c := command(t, errand{Do: "mount", Scratch: t.TempDir()})
	namespaces(c)
	out, err := c.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return nil
}

func mountErrand(_ context.Context, e errand) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	_, err := smallDisk(e.Scratch)
	return err
}
