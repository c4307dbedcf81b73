package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/locale"
	"github.com/spf13/cobra"
)

// Exit codes.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitWaiting = 3 // done, but new rows wait for a person
)

// app is one call of the program.
type app struct {
	out, err      io.Writer
	home          string
	keys          string
	packName      string
	suite         string // of the keys of a new home; "" for sm
	office        string // address of the PostgreSQL of a new home; "" for a SQLite file in it
	json          bool
	verbose       bool
	lang          string
	as, tokenFile string // for whom a command acts
	now           func() time.Time
	exit          int
}

// errUsage marks an error of the command line itself.
type errUsage struct{ error }

// Run runs the program with its arguments and answers the exit code.
func Run(args []string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{out: stdout, err: stderr, now: time.Now}
	root := a.root()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return a.exit
	}
	var usage errUsage
	var mistakes fault.Mistakes
	switch {
	case errors.As(err, &usage), strings.HasPrefix(err.Error(), "unknown command"):
		fmt.Fprintln(stderr, "bole:", err)
		fmt.Fprintln(stderr, locale.Text(a.language(), "cli.see_help"))
		return exitUsage
	case errors.As(err, &mistakes):
		fmt.Fprintln(stderr, mistakes.Error())
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, locale.Text(a.language(), "cli.interrupted"))
	default:
		fmt.Fprintln(stderr, "bole:", locale.Error(a.language(), fault.Wrap("cli.Run", err)))
	}
	if a.verbose || fault.KindOf(err) == fault.Internal && !errors.As(err, &mistakes) && ctx.Err() == nil {
		fmt.Fprintln(stderr, "  ", err)
	}
	return exitFailed
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "bole",
		Short: "政策找人 · policy finds people",
		Long: `Bole 伯乐 compares registers with policies written as dated, cited law, and finds everybody who qualifies, with the reason.
伯乐把各部门底册与写成文件的政策逐条比对，找到每一个符合条件的人，并说明理由。

Start with:   bole demo          a synthetic city, from delivery files to a page
先试试：      bole demo          一座合成的城市，从数据文件到页面`,
		SilenceUsage:      true,
		SilenceErrors:     true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
	}
	f := root.PersistentFlags()
	f.StringVar(&a.home, "home", "./bole-home", "folder with everything that Bole keeps · 数据目录")
	f.StringVar(&a.keys, "keys", "", "folder with the keys (default: beside the home) · 密钥目录")
	f.BoolVar(&a.json, "json", false, "one JSON document on stdout · 输出JSON")
	f.BoolVar(&a.verbose, "verbose", false, "tell the operator more about an error · 显示出错细节")
	f.StringVar(&a.lang, "lang", "", "zh or en (default: from LANG) · 语言")
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	root.AddGroup(&cobra.Group{ID: "see", Title: "See it work · 演示"}, &cobra.Group{ID: "law", Title: "Law as files · 政策文件"},
		&cobra.Group{ID: "data", Title: "Registers · 底册"}, &cobra.Group{ID: "find", Title: "Policy finds people · 政策找人"},
		&cobra.Group{ID: "office", Title: "The office · 办公"})
	root.SetHelpCommandGroupID("see")
	cobra.EnableCommandSorting = false // the order in which a newcomer meets them
	root.AddCommand(a.demo(), a.serve(), a.bench(), a.packCmd(), a.policyCmd(), a.init(), a.registerCmd(), a.keysCmd(), a.auditCmd(), a.accountCmd(), a.screen(), a.explain())
	root.InitDefaultHelpCmd()
	for _, c := range root.Commands() {
		if c.Name() == "help" {
			c.Short = "a command with its flags and an example · 某条命令的用法"
			c.Run, c.RunE = nil, func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 {
					err = fmt.Errorf("unknown command %q for %q", rest[0], about.CommandPath())
				}
				if err != nil {
					return errUsage{err}
				}
				about.InitDefaultHelpFlag()
				return about.Help()
			}
		}
	}
	return root
}

func (a *app) language() locale.Lang {
	for _, s := range []string{a.lang, os.Getenv("BOLE_LANG"), os.Getenv("LC_ALL"), os.Getenv("LANG")} {
		if s == "" {
			continue
		}
		if strings.HasPrefix(s, "zh") {
			return locale.Zh
		}
		return locale.En
	}
	return locale.En
}

// say tells a person something, on stderr.
func (a *app) say(key string, args ...any) {
	fmt.Fprintln(a.err, locale.Text(a.language(), key, args...))
}

// answer writes the command's result: JSON where it is asked for, otherwise what text prints.
func (a *app) answer(v any, text func(w io.Writer)) error {
	if !a.json {
		text(a.out)
		return nil
	}
	enc := json.NewEncoder(a.out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}

// exactly asks for a number of arguments; between asks for at least and, unless most is negative, at most.
func exactly(n int) cobra.PositionalArgs { return between(n, n) }

func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return errUsage{fmt.Errorf("wrong number of arguments: bole %s", strings.TrimPrefix(cmd.UseLine(), "bole "))}
		}
		return nil
	}
}

// group is a command that only has others beneath it.
func group(use, id, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, GroupID: id, Short: short, Example: subs[0].Example, Args: func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return errUsage{fmt.Errorf("unknown command %q for %q", args[0], cmd.CommandPath())}
		}
		return nil
	}, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	c.AddCommand(subs...)
	return c
}

// dayFlag is a day on the command line.
type dayFlag struct{ calendar.Day }

func (d *dayFlag) Set(s string) (err error) {
	d.Day, err = calendar.Parse(s)
	return err
}

func (d *dayFlag) Type() string { return "DAY" }

// today is the business day where no day is given.
func (a *app) today() calendar.Day { return calendar.DayOf(a.now()) }
