package cli

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/fault"
	"bole/internal/register"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

func (a *app) registerCmd() *cobra.Command {
	return group("register", "data", "take deliveries, and see what is known · 接收与查看底册", a.registerList(), a.registerLoad(), a.registerRows())
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
					it.Received, it.Cutoff = s.LastReceived(r.Name)
					if src, ok := s.Source(r.Name, register.Ways(r)); ok {
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
	Files       []register.Report `json:"files"`
}

func (a *app) registerLoad() *cobra.Command {
	var received, cutoff dayFlag
	var mapFile, rejects string
	c := &cobra.Command{
		Use: "load NAME FILE...", Short: "take deliveries of a register · 接收底册数据",
		Long: `Takes one or more files of a register. Every row is checked; rows that cannot be accepted are kept, counted, and handed back in the workbook of
--rejects with file, line, field and reason. The same bytes again change nothing. Ends with 3 when rows wait for a person.`,
		Example: "  bole register load skill_certificates certs-2024-11.csv --received 2024-12-02 --cutoff 2024-11-30 --rejects certs-rejects.xlsx",
		Args:    between(2, -1),
		RunE: func(cmd *cobra.Command, args []string) error {
			headings := map[string]string{}
			if mapFile != "" {
				b, err := os.ReadFile(mapFile)
				if err == nil {
					err = yaml.Unmarshal(b, &headings)
				}
				if err != nil {
					return fault.New("cli.registerLoad", fault.Invalid, "register.map_file", "file", filepath.Base(mapFile))
				}
			}
			if err := writable(rejects); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				day := received.Day
				if day == 0 {
					day = a.today()
				}
				rep, err := a.load(ctx, h, h.desk(), args[0], args[1:], day, cutoff.Day, headings, rejects)
				if err != nil {
					return err
				}
				if err := fact.Net(ctx, h.lake, h.pack); err != nil {
					return err
				}
				if rep.Quarantined > 0 {
					a.exit = exitWaiting
				}
				return a.answer(rep, func(w io.Writer) {
					rows := [][]string{{"file", "rows", "accepted", "quarantined", "unchanged"}}
					for _, f := range rep.Files {
						rows = append(rows, []string{f.File, fmt.Sprint(f.Rows), fmt.Sprint(f.Accepted), fmt.Sprint(f.Quarantined), fmt.Sprint(f.Unchanged)})
					}
					table(w, rows)
					if rep.Rejects != "" {
						fmt.Fprintf(w, "rejects · 退回：%s\n", rep.Rejects)
					}
				})
			})
		},
	}
	c.Flags().Var(&received, "received", "the day it was received (default: today) · 收到日期")
	c.Flags().Var(&cutoff, "cutoff", "the day that it describes, as the sender says · 数据截止日")
	c.Flags().StringVar(&mapFile, "map", "", "YAML file of the sender's own headings, heading: column · 列名对照")
	c.Flags().StringVar(&rejects, "rejects", "", "workbook for the rows that cannot be accepted, .xlsx · 退回表")
	return c
}

// load takes files of one register.
func (a *app) load(ctx context.Context, h *home, desk *register.Desk, name string, paths []string, received, cutoff calendar.Day, headings map[string]string, rejects string) (rep loadReport, err error) {
	rep.Register = name
	start := a.now()
	var book *register.Rejects
	if rejects != "" {
		book = &register.Rejects{Path: rejects}
	}
	for _, path := range paths {
		one, err := desk.Load(ctx, register.Delivery{Register: name, Path: path, Received: received, Cutoff: cutoff, Headings: headings, At: a.now(), Rejects: book,
			Progress: a.ticker(name, filepath.Base(path))})
		if err != nil {
			if book != nil {
				err = errors.Join(err, book.Close())
			}
			return rep, err
		}
		if len(one.Ignored) > 0 {
			a.say("register.ignored", "file", one.File, "columns", strings.Join(one.Ignored, "、"))
		}
		if one.Unsound > 0 {
			a.say("register.unsound", "file", one.File, "n", one.Unsound)
		}
		rep.Delivery = one.Delivery
		rep.Rows += one.Rows
		rep.Accepted += one.Accepted
		rep.Quarantined += one.Quarantined
		rep.Unchanged += one.Unchanged
		rep.Files = append(rep.Files, one)
	}
	if book != nil {
		if err := book.Close(); err != nil {
			return rep, err
		}
		if book.Rows > 0 {
			rep.Rejects = rejects
		}
	}
	rep.Seconds = a.now().Sub(start).Seconds()
	return rep, nil
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
	if src, ok := s.Source(name, register.Ways(reg)); ok {
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
