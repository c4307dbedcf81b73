package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"bole/internal/calendar"
	"bole/internal/city"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/register"
	"bole/internal/web"
	"bole/internal/web/assets"
	"github.com/spf13/cobra"
	"log/slog"
)

// The demo's day: the day of the press conference. The last contributions that were received by then are those of this month.
const (
	demoOn    calendar.Day   = 20241220
	demoUntil calendar.Month = 202412
)

const defaultAddr = "127.0.0.1:8790"

func (a *app) demo() *cobra.Command {
	var people int
	var seed uint64
	var addr string
	var noServe bool
	c := &cobra.Command{
		Use: "demo", GroupID: "see", Short: "a synthetic city, from delivery files to a page · 合成城市演示",
		Long: `Writes the delivery files of a synthetic city into HOME/deliveries, takes them in, screens everybody, and serves the pages. People, employers and numbers
are invented; everything that happens to them is the real program. Run again, it goes on where it stopped.`,
		Example: "  bole demo\n  bole demo --people 2000 --seed 7 --home /tmp/small-city --no-serve",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			h, result, err := a.raise(ctx, settings{Pack: a.packName, Synthetic: true, People: people, Seed: seed})
			if err != nil {
				return err
			}
			a.sealLog(ctx, h)
			err = a.answer(result, func(w io.Writer) { fmt.Fprintln(w, a.home) })
			if err == nil && !noServe {
				err = a.servePages(ctx, h, addr)
			}
			return errors.Join(err, h.close())
		},
	}
	c.Flags().IntVar(&people, "people", 20000, "people in the insurance register · 参保人数")
	c.Flags().StringVar(&a.packName, "pack", "liaocheng", "a shipped pack, or a folder · 政策包")
	c.Flags().Uint64Var(&seed, "seed", 1, "another seed is another city · 随机种子")
	c.Flags().StringVar(&addr, "addr", defaultAddr, "where to serve · 服务地址")
	c.Flags().BoolVar(&noServe, "no-serve", false, "end when the city stands · 不启动页面")
	return c
}

// demoReport is the answer of demo.
type demoReport struct {
	Home       string             `json:"home"`
	People     int                `json:"people"`
	Deliveries int                `json:"deliveries"`
	Screened   int64              `json:"screened"` // people
	Policies   []finding.Count    `json:"policies"`
	Rejected   int64              `json:"rejected"` // rows in quarantine, planted faults among them
	Hash       string             `json:"hash"`
	Seconds    map[string]float64 `json:"seconds"`
}

// raise makes the city: files, deliveries, findings.
func (a *app) raise(ctx context.Context, want settings) (h *home, rep demoReport, err error) {
	people, seed := want.People, want.Seed
	rep = demoReport{Home: a.home, People: people, Seconds: map[string]float64{}}
	if want.Pack, err = packName(want.Pack); err != nil {
		return nil, rep, err
	}
	created, err := a.create(want)
	if err != nil {
		return nil, rep, err
	}
	if h, err = a.open(ctx); err != nil {
		return nil, rep, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, h.close())
		}
	}()
	if h.settings != want {
		return h, rep, fault.New("cli.demo", fault.Conflict, "demo.other", "home", a.home, "people", h.People, "seed", h.Seed, "pack", h.Pack)
	}
	stage := func(name string, f func() error) error {
		start := a.now()
		err := f()
		rep.Seconds[name] = a.now().Sub(start).Seconds()
		if err == nil {
			a.say("demo."+name, "seconds", fmt.Sprintf("%.1f", rep.Seconds[name]), "n", rep.Deliveries, "rejected", rep.Rejected, "people", rep.Screened)
		}
		return err
	}
	if created {
		if err := a.made(ctx, h); err != nil {
			return h, rep, err
		}
	}
	a.say("demo.start", "people", people, "home", a.home)
	var deliveries []city.File
	err = stage("write", func() (err error) {
		deliveries, err = city.Write(ctx, h.pack, filepath.Join(a.home, "deliveries"), city.Options{People: people, Seed: seed, Until: demoUntil,
			Progress: a.fileTicker()})
		rep.Deliveries = len(deliveries)
		return err
	})
	if err != nil {
		return h, rep, err
	}
	err = stage("load", func() error {
		desk := h.desk()
		for _, f := range deliveries {
			rejects := strings.TrimSuffix(f.Path, filepath.Ext(f.Path)) + "-rejects.xlsx"
			one, err := a.load(ctx, desk, register.Delivery{Register: f.Register, Received: f.Received, Cutoff: f.Cutoff}, []string{f.Path}, rejects)
			if err != nil {
				return err
			}
			rep.Rejected += one.Quarantined
		}
		return fact.Net(ctx, h.lake, h.pack)
	})
	if err != nil {
		return h, rep, err
	}
	err = stage("screen", func() error {
		run, err := finding.Screen(ctx, h.lake, h.pack, finding.Request{On: demoOn, Clock: a.now, Published: a.screened(ctx)})
		rep.Screened, rep.Policies, rep.Hash = run.People, run.Policies, run.Hash
		if err == nil && !a.json {
			a.printRun(a.err, h.pack, run)
		}
		return err
	})
	return h, rep, err
}

// fileTicker tells about the city's files, at most once a second.
func (a *app) fileTicker() func(file string, rows int) {
	last := a.now()
	return func(file string, rows int) {
		if now := a.now(); now.Sub(last) > time.Second {
			last = now
			fmt.Fprintf(a.err, "  %s: %d\n", filepath.Base(file), rows)
		}
	}
}

func (a *app) serve() *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "serve", GroupID: "see", Short: "the pages · 启动页面",
		Example: "  bole serve --addr 127.0.0.1:8790", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error { return a.servePages(ctx, h, addr) })
		},
	}
	c.Flags().StringVar(&addr, "addr", defaultAddr, "where to serve · 服务地址")
	return c
}

// servePages serves until the call is interrupted. Pages ask nobody to sign in yet, so it serves this machine only.
//
// Errors: Forbidden "serve.loopback" for an address that others could reach.
func (a *app) servePages(ctx context.Context, h *home, addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return errUsage{err}
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fault.New("cli.serve", fault.Forbidden, "serve.loopback", "addr", addr)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return fault.New("cli.serve", fault.Conflict, "serve.address", "addr", addr)
	}
	book := finding.OpenBook(h.lake, h.pack)
	log := slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	srv := &http.Server{Handler: web.New(book, web.Options{Synthetic: h.Synthetic, Log: log}), ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	if _, built := assets.Script(); !built {
		a.say("serve.assets")
	}
	sealing, stop := context.WithCancel(context.WithoutCancel(ctx))
	var sealer sync.WaitGroup
	sealer.Go(func() {
		h.log.Run(sealing, time.Second, func(err error) { log.Warn("the audit log is not sealed", "err", err) })
	})
	defer sealer.Wait() // when nobody is served any more, what is left is sealed
	defer stop()
	a.say("serve.ready", "url", "http://"+l.Addr().String()+"/")
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		err = srv.Shutdown(stop)
		cancel()
	}
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, book.Close())
}
