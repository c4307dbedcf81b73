package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/lake"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/register"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

func (a *app) registerCmd() *cobra.Command {
	return group("register", "data", "take deliveries, and see what is known · 接收与查看底册", a.registerList(), a.registerLoad(), a.registerRows(), a.registerReport(), a.registerWaiting())
}

func (a *app) registerList() *cobra.Command {
	return &cobra.Command{Use: "list", Short: "registers and what was received · 底册清单", Example: "  bole register list", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				type item struct {
					Name     string       `json:"name"`
					Title    string       `json:"title"`
					Owner    string       `json:"owner"`
					Rows     int64        `json:"rows"`
					Received calendar.Day `json:"received"`
					Cutoff   calendar.Day `json:"cutoff"`
				}
				s, err := h.lake.Read(ctx, 0)
				if err != nil {
					return err
				}
				defer s.Close()
				lang := string(a.language())
				out, rows := []item{}, [][]string{{"name", "title", "owner", "rows", "received", "cutoff"}}
				for _, r := range h.pack.Registers {
					it := item{Name: r.Name, Title: r.Title.In(lang), Owner: r.Owner.In(lang)}
					if it.Received, it.Cutoff, err = h.desk().Last(ctx, r.Name); err != nil {
						return err
					}
					if src, ok := s.Source(r.Name, lake.Ways(r.Ways())); ok {
						if err := s.QueryRowContext(ctx, "SELECT count(*) FROM "+src).Scan(&it.Rows); err != nil {
							return fault.Wrap("cli.registerList", err)
						}
					}
					out = append(out, it)
					rows = append(rows, []string{it.Name, it.Title, it.Owner, fmt.Sprint(it.Rows), it.Received.String(), it.Cutoff.String()})
				}
				return a.answer(map[string]any{"registers": out}, func(w io.Writer) { table(w, rows) })
			})
		}}
}

// loadReport is the answer of register load: the sums over its files, and each file.
type loadReport struct {
	Register    string            `json:"register"`
	Delivery    int64             `json:"delivery"` // of the last file
	Rows        int64             `json:"rows"`
	Accepted    int64             `json:"accepted"`
	Quarantined int64             `json:"quarantined"`
	Unchanged   int64             `json:"unchanged"`
	Seconds     float64           `json:"seconds"`
	Rejects     string            `json:"rejects,omitempty"` // the workbook
	Waiting     int64             `json:"waiting"`           // rows of the register that wait for a correction, now
	Files       []register.Report `json:"files"`
}

func (a *app) registerLoad() *cobra.Command {
	var received, cutoff dayFlag
	var mapFile, rejects, encoding, delimiter string
	c := &cobra.Command{
		Use: "load NAME FILE...", Short: "take deliveries of a register · 接收底册数据",
		Long: `Takes one or more files of a register: CSV (UTF-8, UTF-16, GB18030; the delimiter is found out), XLSX or Parquet. Every row is checked; rows that
cannot be accepted are kept, counted, and handed back in the workbook of --rejects with file, line, field and reason beside the sender's own columns.
That workbook, corrected, is a delivery of the same register: it mends the deliveries whose rows it has. The same bytes again change nothing.
Ends with 3 when rows wait for a person that this call put there.`,
		Example: `  bole register load skill_certificates certs-2024-11.xlsx --received 2024-12-02 --cutoff 2024-11-30 --rejects certs-rejects.xlsx
  bole register load skill_certificates certs-rejects.xlsx --received 2024-12-09`,
		Args: between(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			headings := map[string]string{}
			if mapFile != "" {
				b, err := os.ReadFile(mapFile)
				if errors.Is(err, fs.ErrNotExist) {
					return fault.New("cli.registerLoad", fault.NotFound, "sheet.file_missing", "file", filepath.Base(mapFile))
				}
				if err == nil {
					err = yaml.Unmarshal(b, &headings)
				}
				if err != nil {
					return fault.New("cli.registerLoad", fault.Invalid, "register.map_file", "file", filepath.Base(mapFile))
				}
			}
			mark := []rune(strings.NewReplacer("tab", "\t", `\t`, "\t").Replace(delimiter))
			if len(mark) > 1 {
				return errUsage{fmt.Errorf("--delimiter is one character, or tab")}
			}
			if err := writable(rejects); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				in := register.Delivery{Register: args[0], Received: received.Day, Cutoff: cutoff.Day, Headings: headings, Encoding: encoding}
				if in.Received == 0 {
					in.Received = a.today()
				}
				if len(mark) == 1 {
					in.Delimiter = mark[0]
				}
				rep, failed := a.load(ctx, h.desk(), in, args[1:], rejects)
				if failed != nil && len(rep.Files) == 0 {
					return failed
				}
				if err := fact.Net(ctx, h.lake, h.pack); err != nil {
					return errors.Join(failed, err)
				}
				if rep.Quarantined > 0 {
					a.exit = exitWaiting
				}
				// Files before one that failed were taken, and are told.
				return errors.Join(failed, a.answer(rep, func(w io.Writer) {
					rows := [][]string{{"file", "rows", "accepted", "quarantined", "unchanged"}}
					for _, f := range rep.Files {
						rows = append(rows, []string{f.File, fmt.Sprint(f.Rows), fmt.Sprint(f.Accepted), fmt.Sprint(f.Quarantined), fmt.Sprint(f.Unchanged)})
					}
					table(w, rows)
					for _, f := range rep.Files {
						a.remarks(w, h.pack, &f)
					}
					if rep.Rejects != "" {
						fmt.Fprintf(w, "rejects · 退回：%s\n", rep.Rejects)
					}
				}))
			})
		},
	}
	c.Flags().StringVar(&encoding, "encoding", "", "as the sender states it: UTF-8, UTF-16LE, UTF-16BE, GB18030 (default: found out) · 编码")
	c.Flags().StringVar(&delimiter, "delimiter", "", "as the sender states it: one character, or tab (default: found out) · 分隔符")
	c.Flags().Var(&received, "received", "the day it was received (default: today) · 收到日期")
	c.Flags().Var(&cutoff, "cutoff", "the day that it describes, as the sender says · 数据截止日")
	c.Flags().StringVar(&mapFile, "map", "", "YAML file of the sender's own headings, heading: column · 列名对照")
	c.Flags().StringVar(&rejects, "rejects", "", "workbook for the rows that cannot be accepted, .xlsx · 退回表")
	return c
}

// load takes files of one register; in says all but the path.
func (a *app) load(ctx context.Context, desk *register.Desk, in register.Delivery, paths []string, rejects string) (rep loadReport, err error) {
	rep.Register = in.Register
	start := a.now()
	if rejects != "" {
		in.Rejects = &register.Rejects{Path: rejects}
	}
	for _, path := range paths {
		in.Path, in.At, in.Progress = path, a.now(), a.ticker(in.Register, filepath.Base(path))
		one, err := desk.Load(ctx, in)
		if err != nil {
			if in.Rejects != nil {
				if err = errors.Join(err, in.Rejects.Close()); in.Rejects.Rows > 0 {
					rep.Rejects = rejects
				}
			}
			return rep, err
		}
		if named := slices.DeleteFunc(slices.Clone(one.Ignored), func(h string) bool { return h == "" }); len(named) > 0 {
			a.say("register.ignored", "file", one.File, "columns", locale.Some(named))
		}
		if one.Unsound > 0 {
			a.say("register.unsound", "file", one.File, "n", one.Unsound)
		}
		for _, d := range one.Doubts {
			a.say("register.doubt", "file", one.File, "doubt", a.doubt(d))
		}
		rep.Delivery, rep.Waiting = one.Delivery, one.Waiting
		rep.Rows += one.Rows
		rep.Accepted += one.Accepted
		rep.Quarantined += one.Quarantined
		rep.Unchanged += one.Unchanged
		rep.Files = append(rep.Files, one)
	}
	if in.Rejects != nil {
		if err := in.Rejects.Close(); err != nil {
			return rep, err
		}
		if in.Rejects.Rows > 0 {
			rep.Rejects = rejects
		}
	}
	rep.Seconds = a.now().Sub(start).Seconds()
	return rep, nil
}

// doubt is what looks wrong with a delivery, as a sentence.
func (a *app) doubt(d register.Doubt) string {
	var args []any
	for k, v := range d.Args {
		args = append(args, k, v)
	}
	return locale.Text(a.language(), d.Key, args...)
}

// remarks writes what was seen in a delivery, beyond its numbers of rows.
func (a *app) remarks(w io.Writer, p *pack.Pack, r *register.Report) {
	title := func(column string) string {
		if reg := p.Register(r.Register); reg != nil && reg.Column(column) != nil {
			return reg.Column(column).Title.In(string(a.language()))
		}
		return column // of a pack that the home had before
	}
	if r.Again {
		fmt.Fprintln(w, locale.Text(a.language(), "register.again", "file", r.File, "delivery", r.Delivery))
		return
	}
	for _, n := range []struct {
		key string
		n   int64
	}{{"new", r.New}, {"changed", r.Changed}, {"ended", r.Ended}, {"repeated", r.Repeated}, {"duplicates", r.Duplicates}, {"still_waiting", r.StillWaiting}, {"overtaken", r.Overtaken},
		{"passed", r.Passed}, {"closed", r.Closed}, {"waiting", r.Waiting}, {"unjoined", r.Unjoined}, {"phones", r.Phones}} {
		if n.n > 0 {
			fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.saw_"+n.key, "n", n.n))
		}
	}
	if len(r.Absent) > 0 {
		var titles []string
		for _, c := range r.Absent {
			titles = append(titles, title(c))
		}
		fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.saw_absent", "columns", locale.Some(titles)))
	}
	if len(r.Unread) > 0 {
		fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.saw_unread", "sheets", strings.Join(r.Unread, "、")))
	}
	for _, s := range r.Nulls {
		fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.saw_null", "column", title(s.Column), "rows", s.Rows, "of", s.Of))
	}
	for _, u := range r.Unmatched {
		if u.Rows > 0 {
			fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.saw_unmatched", "title", u.Title.In(string(a.language())), "rows", u.Rows, "of", u.Of))
		}
	}
	for _, d := range r.Doubts {
		fmt.Fprintf(w, "  %s\n", locale.Text(a.language(), "register.doubt", "file", r.File, "doubt", a.doubt(d)))
	}
}

func (a *app) registerReport() *cobra.Command {
	var limit int64
	c := &cobra.Command{
		Use: "report [NAME]", Short: "what was seen in each delivery · 交付报告",
		Long: `Lists deliveries, newest first: rows, empty and repeated ones, unmatched references, what changed against the one before, and what looked wrong with
the whole. It was written down when they were taken.`,
		Example: "  bole register report contributions --limit 3", Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				reports, err := h.desk().Reports(ctx, strings.Join(args, ""), limit)
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"deliveries": reports}, func(w io.Writer) {
					for _, r := range reports {
						table(w, [][]string{{"delivery", "register", "file", "received", "cutoff", "rows", "accepted", "quarantined", "unchanged"},
							{fmt.Sprint(r.Delivery), r.Register, r.File, r.Received.String(), r.Cutoff.String(), fmt.Sprint(r.Rows), fmt.Sprint(r.Accepted), fmt.Sprint(r.Quarantined), fmt.Sprint(r.Unchanged)}})
						a.remarks(w, h.pack, &r)
					}
				})
			})
		},
	}
	c.Flags().Int64Var(&limit, "limit", 20, "deliveries at most · 条数上限")
	return c
}

func (a *app) registerWaiting() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use: "waiting [NAME]", Short: "rows that wait for their senders to correct them · 待修正的行",
		Long: `Counts the rows that were not accepted and have not come back corrected, by register and reason. --rejects writes them into a workbook, as
"register load --rejects" did: the way to hand them back again.`,
		Example: "  bole register waiting people --rejects people-waiting.xlsx", Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writable(out); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				var book *register.Rejects
				if out != "" {
					book = &register.Rejects{Path: out}
				}
				waits, rows, err := h.desk().Waiting(ctx, strings.Join(args, ""), book)
				if book != nil {
					err = errors.Join(err, book.Close())
				}
				if err != nil {
					return err
				}
				pairs, err := h.desk().Pairs(ctx, strings.Join(args, ""))
				if err != nil {
					return err
				}
				answer := map[string]any{"rows": rows, "reasons": append([]register.Wait{}, waits...), "pairs": pairsOf(pairs)}
				if book != nil && book.Rows > 0 {
					answer["rejects"] = out
				}
				return a.answer(answer, func(w io.Writer) {
					lines := [][]string{{"register", "reason", "rows"}}
					for _, x := range waits {
						lines = append(lines, []string{x.Register, x.Reason, fmt.Sprint(x.Rows)})
					}
					table(w, lines)
					for _, p := range pairsOf(pairs) {
						fmt.Fprintln(w, locale.Text(a.language(), "register.pair", "person", p.Person, "other", p.Other, "register", p.Register, "known", p.Known))
					}
				})
			})
		},
	}
	c.Flags().StringVar(&out, "rejects", "", "workbook for these rows, .xlsx · 退回表")
	return c
}

// pair is two people whom a row calls one, by their pseudonymous numbers.
type pair struct {
	Person   fact.Person  `json:"person"`
	Other    fact.Person  `json:"other"`
	Register string       `json:"register"`
	Known    calendar.Day `json:"known"`
}

func pairsOf(in []register.Pair) []pair {
	out := make([]pair, len(in))
	for i, p := range in {
		out[i] = pair{fact.Person(p.Holder), fact.Person(p.Other), p.Register, p.Known}
	}
	return out
}

// ticker tells how far a long job is, at most once a second.
func (a *app) ticker(what, of string) func(rows int64) {
	last := a.now()
	return func(rows int64) {
		if now := a.now(); now.Sub(last) > time.Second {
			last = now
			fmt.Fprintf(a.err, "  %s %s: %d\n", what, of, rows)
		}
	}
}

func (a *app) registerRows() *cobra.Command {
	var asOf dayFlag
	var limit int64
	var out string
	c := &cobra.Command{
		Use: "rows NAME", Short: "what is, or was, known; pseudonymous · 查看底册内容（不含个人信息）",
		Example: "  bole register rows skill_certificates --limit 5\n  bole register rows contributions --as-of 2024-06-30 --csv contributions.csv",
		Args:    exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := writable(out); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				return a.rows(ctx, h, args[0], asOf.Day, limit, out)
			})
		},
	}
	c.Flags().Var(&asOf, "as-of", "what had been received by this day · 截至收到日")
	c.Flags().Int64Var(&limit, "limit", 20, "rows at most; 0 for all · 行数上限")
	c.Flags().StringVar(&out, "csv", "", "write all rows to this file instead · 写入CSV文件")
	return c
}

func (a *app) rows(ctx context.Context, h *home, name string, asOf calendar.Day, limit int64, out string) error {
	reg := h.pack.Register(name)
	if reg == nil {
		return fault.New("cli.rows", fault.NotFound, "register.unknown", "register", name, "registers", strings.Join(registerNames(h), ", "))
	}
	s, err := h.lake.Read(ctx, asOf)
	if err != nil {
		return err
	}
	defer s.Close()
	names, cells := []string{}, [][]string{}
	if src, ok := s.Source(name, lake.Ways(reg.Ways())); ok {
		who, drop, order := "", "seq, row_hash", "ALL"
		if reg.About == "person" {
			identity, _ := s.Identity()
			src = "(SELECT i.person, x.* FROM " + src + " x JOIN " + identity + " i USING (holder))"
			who, drop = fact.PersonSQL("person")+" AS person, ", "person, holder, seq, row_hash"
		}
		q := fmt.Sprintf("SELECT CAST(columns(*) AS VARCHAR) FROM (SELECT %s* EXCLUDE (%s) FROM %s) ORDER BY %s", who, drop, src, order)
		if limit > 0 && out == "" {
			q += fmt.Sprintf(" LIMIT %d", limit)
		}
		rows, err := s.QueryContext(ctx, q)
		if err != nil {
			return fault.Wrap("cli.rows", err)
		}
		defer rows.Close()
		if names, err = rows.Columns(); err != nil {
			return fault.Wrap("cli.rows", err)
		}
		if out != "" {
			return a.rowsToFile(out, names, func(f func([]string) error) error { return scanText(rows, len(names), f) })
		}
		if err := scanText(rows, len(names), func(r []string) error { cells = append(cells, append([]string{}, r...)); return nil }); err != nil {
			return err
		}
	}
	objects := []map[string]string{}
	for _, r := range cells {
		o := map[string]string{}
		for i, c := range r {
			if c != "" {
				o[names[i]] = c
			}
		}
		objects = append(objects, o)
	}
	return a.answer(map[string]any{"register": name, "rows": objects}, func(w io.Writer) { table(w, append([][]string{names}, cells...)) })
}

// scanText reads rows of texts; NULL is "".
func scanText(rows interface {
	Next() bool
	Scan(...any) error
	Err() error
}, n int, f func([]string) error) error {
	cells, into, line := make([]*string, n), make([]any, n), make([]string, n)
	for i := range cells {
		into[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return fault.Wrap("cli.rows", err)
		}
		for i, c := range cells {
			line[i] = ""
			if c != nil {
				line[i] = *c
			}
		}
		if err := f(line); err != nil {
			return err
		}
	}
	return fault.Wrap("cli.rows", rows.Err())
}

func (a *app) rowsToFile(path string, names []string, each func(func([]string) error) error) (err error) {
	f, err := os.Create(path + ".part")
	if err != nil {
		return fault.Wrap("cli.rows", err)
	}
	b := bufio.NewWriter(f)
	w := csv.NewWriter(b)
	n := 0
	err = w.Write(names)
	if err == nil {
		err = each(func(r []string) error { n++; return w.Write(r) })
	}
	w.Flush()
	for _, step := range []func() error{w.Error, b.Flush, f.Sync, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err == nil {
		err = os.Rename(path+".part", path)
	}
	if err != nil {
		_ = os.Remove(path + ".part") // the first error is the one to tell
		return fault.Wrap("cli.rows", err)
	}
	return a.answer(map[string]any{"rows": n, "csv": path}, printf("%d rows in %s\n", n, path))
}

func registerNames(h *home) []string {
	var out []string
	for _, r := range h.pack.Registers {
		out = append(out, r.Name)
	}
	return out
}
