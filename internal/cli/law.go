package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/packs"
	"github.com/spf13/cobra"
)

func (a *app) packCmd() *cobra.Command {
	check := &cobra.Command{
		Use: "check [DIR]", Short: "every mistake in a pack at once · 一次列出政策包的全部错误",
		Long:    "Reads a pack and reports every mistake with file, line, column and, where one is near, the word that was probably meant.\nWithout DIR: every pack that is shipped with the program.",
		Example: "  bole pack check packs/liaocheng", Args: between(0, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = shipped()
			}
			result := struct {
				OK       bool            `json:"ok"`
				Mistakes []fault.Mistake `json:"mistakes"`
			}{true, []fault.Mistake{}}
			found := make([]error, len(args))
			var reading sync.WaitGroup
			for i, dir := range args { // side by side: each reads the pack that it uses as well
				reading.Go(func() {
					fsys, err := packFS(dir)
					if err == nil {
						_, err = pack.Load(fsys, packs.Files)
					}
					found[i] = err
				})
			}
			reading.Wait()
			for _, err := range found {
				var ms fault.Mistakes
				if errors.As(err, &ms) {
					result.OK = false
					result.Mistakes = append(result.Mistakes, ms...)
				} else if err != nil {
					return err
				}
			}
			if !result.OK {
				a.exit = exitFailed
			}
			return a.answer(result, func(w io.Writer) {
				if result.OK {
					fmt.Fprintln(w, strings.Join(args, ", ")+": no mistakes · 没有错误")
					return
				}
				fmt.Fprintln(w, fault.Mistakes(result.Mistakes).Error())
				fmt.Fprintf(w, "%d mistakes · %d处错误\n", len(result.Mistakes), len(result.Mistakes))
			})
		},
	}
	schema := &cobra.Command{
		Use: "schema DIR", Short: "JSON Schemas of a pack's files, for editors · 供编辑器提示与标错的JSON Schema",
		Long: "Writes a JSON Schema for each kind of file of a pack into DIR, and prints the setting by which VS Code's YAML extension uses them: it goes into\n" +
			".vscode/settings.json of the folder in which DIR is. Then the editor completes keys, says what they mean and underlines what is no key or no such value.",
		Example: "  bole pack schema schemas", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.writeSchemas(args[0]) },
	}
	return group("pack", "law", "check a pack, and help to write one · 检查与编写政策包", check, schema)
}

func (a *app) writeSchemas(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fault.Wrap("cli.schema", err)
	}
	result := struct {
		Files    []string                       `json:"files"`
		Settings map[string]map[string][]string `json:"settings"`
	}{[]string{}, map[string]map[string][]string{"yaml.schemas": {}}}
	for _, k := range pack.FileKinds {
		file := filepath.Join(dir, k.Name+".json")
		if err := os.WriteFile(file, k.Schema(), 0o644); err != nil {
			return fault.Wrap("cli.schema", err)
		}
		result.Files = append(result.Files, filepath.ToSlash(file))
		key := filepath.ToSlash(file)
		if !filepath.IsAbs(file) {
			key = "./" + key // from the folder that is open in the editor
		}
		for _, m := range k.Match {
			not, pattern := "", m
			if rest, ok := strings.CutPrefix(m, "!"); ok {
				not, pattern = "!", rest
			}
			result.Settings["yaml.schemas"][key] = append(result.Settings["yaml.schemas"][key], not+"**/"+pattern)
		}
	}
	settings, err := json.MarshalIndent(result.Settings, "", "  ")
	if err != nil {
		return fault.Wrap("cli.schema", err)
	}
	a.say("pack.schemas", "count", len(result.Files), "dir", dir)
	return a.answer(result, printf("%s\n", settings))
}

func (a *app) policyCmd() *cobra.Command {
	var on dayFlag
	var dir string
	choose := func() (*pack.Pack, error) {
		if dir != "" {
			return loadPack(dir)
		}
		s, err := a.settled()
		if fault.KindOf(err) == fault.NotFound { // before there is a home
			s.Pack, err = "liaocheng", nil
		}
		if err != nil {
			return nil, err
		}
		return loadPack(s.Pack)
	}
	one := func(name string) (*policy.Policy, error) {
		p, err := choose()
		if err != nil {
			return nil, err
		}
		pol := p.Policy(name)
		if pol == nil {
			return nil, fault.New("cli.policy", fault.NotFound, "policy.unknown", "policy", name)
		}
		return policy.New(p, pol), nil
	}
	list := &cobra.Command{Use: "list", Short: "policies and their state, drafts marked · 现行政策，含起草中", Example: "  bole policy list --on 2024-12-20", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			p, err := choose()
			if err != nil {
				return err
			}
			return a.listPolicies(p, a.orToday(on.Day))
		}}
	test := &cobra.Command{Use: "test [DIR]", Short: "run the tests beside the policies through both evaluators · 用两个引擎运行政策旁的测试",
		Long: "Runs every _test.yaml beside the policies, each situation through the SQL that screens everybody and through the evaluator that explains one person.\n" +
			"Then lists what no situation touches: thresholds just under, at and just over, days at which the law changes, amounts, silent facts.\n" +
			"That is advice, and the command ends with 0; it ends with 1 where a test fails.\nWithout DIR: every pack that is shipped with the program.",
		Example: "  bole policy test packs/liaocheng", Args: between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				args = shipped()
			}
			return a.testPolicies(cmd.Context(), args)
		}}
	sqlCmd := &cobra.Command{Use: "sql NAME", Short: "the SQL of one policy · 一项政策的SQL", Example: "  bole policy sql unemployment-skill-subsidy --on 2024-12-20", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := one(args[0])
			if err != nil {
				return err
			}
			g := finding.Group{Subject: p.Subject, Policies: []*policy.Policy{p}}
			q := g.HitsQuery("fact_"+p.Subject.Name, a.orToday(on.Day))
			return a.answer(map[string]string{"policy": p.Name, "sql": q}, printf("%s\n", q))
		}}
	facts := &cobra.Command{Use: "facts NAME", Short: "the facts that one policy needs · 一项政策用到的事实", Example: "  bole policy facts unemployment-skill-subsidy", Args: exactly(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := one(args[0])
			if err != nil {
				return err
			}
			return a.listFacts(p)
		}}
	for _, c := range []*cobra.Command{list, sqlCmd, facts} {
		c.Flags().StringVar(&dir, "pack", "", "a shipped pack, or a folder (default: the home's) · 政策包")
	}
	for _, c := range []*cobra.Command{list, sqlCmd} {
		c.Flags().Var(&on, "on", "the day asked about (default: today) · 判定日")
	}
	return group("policy", "law", "list, test and show policies · 查看与测试政策", list, test, sqlCmd, facts)
}

func (a *app) orToday(d calendar.Day) calendar.Day {
	if d == 0 {
		return a.today()
	}
	return d
}

func (a *app) listPolicies(p *pack.Pack, on calendar.Day) error {
	type item struct {
		Policy  string     `json:"policy"`
		Title   pack.Words `json:"title"`
		Draft   bool       `json:"draft"`
		About   string     `json:"about"`
		State   string     `json:"state"` // in_force, not_in_force, law_not_found
		Version string     `json:"version,omitempty"`
		Assumed int        `json:"assumed"`
	}
	out := []item{}
	rows := [][]string{{"policy", "title", "about", "state", "version"}}
	for _, pol := range p.Policies {
		v, n := pol.VersionOn(on)
		it := item{Policy: pol.Name, Title: pol.Title, Draft: pol.Draft, About: pol.Subject.Name, State: map[int]string{0: "not_in_force", -1: "law_not_found"}[n], Assumed: len(pol.Assumed)}
		if v != nil {
			it.State, it.Version = "in_force", v.ID()
		}
		out = append(out, it)
		rows = append(rows, []string{it.Policy, a.titled(pol), it.About, it.State, it.Version})
	}
	return a.answer(map[string]any{"on": on, "policies": out}, func(w io.Writer) { table(w, rows) })
}

func (a *app) listFacts(p *policy.Policy) error {
	type item struct {
		Fact     string     `json:"fact"`
		Title    pack.Words `json:"title"`
		Type     string     `json:"type"`
		Unit     string     `json:"unit,omitempty"`
		Register string     `json:"register,omitempty"`
	}
	out := []item{}
	rows := [][]string{{"fact", "title", "type", "unit", "register"}}
	for _, n := range p.FactNames() {
		f := p.Fact(n)
		if f == nil {
			continue
		}
		it := item{Fact: n, Title: f.Title, Type: string(f.ExprType()), Unit: f.Unit}
		if f.Source() != nil {
			it.Register = f.Source().Name
		}
		out = append(out, it)
		rows = append(rows, []string{it.Fact, it.Title.In(string(a.language())), it.Type, it.Unit, it.Register})
	}
	return a.answer(map[string]any{"policy": p.Name, "facts": out}, func(w io.Writer) { table(w, rows) })
}

func (a *app) testPolicies(ctx context.Context, dirs []string) error {
	result := struct {
		Passed    int                 `json:"passed"`
		Failed    int                 `json:"failed"`
		Failures  []string            `json:"failures"`
		Untouched []finding.Untouched `json:"untouched"`
	}{Failures: []string{}, Untouched: []finding.Untouched{}}
	for _, dir := range dirs {
		p, err := loadPack(dir)
		if err != nil {
			return err
		}
		rep, err := finding.Test(ctx, p)
		if err != nil {
			return err
		}
		result.Passed += rep.Passed
		result.Failed += len(rep.Failures)
		result.Failures = append(result.Failures, rep.Failures...)
		for _, u := range rep.Untouched {
			u.File = path.Join(filepath.ToSlash(dir), u.File)
			result.Untouched = append(result.Untouched, u)
		}
	}
	if result.Failed > 0 {
		a.exit = exitFailed
	}
	return a.answer(result, func(w io.Writer) {
		for _, f := range result.Failures {
			fmt.Fprintln(w, f)
		}
		fmt.Fprintf(w, "%d passed, %d failed · 通过%d，未通过%d\n", result.Passed, result.Failed, result.Passed, result.Failed)
		if n := len(result.Untouched); n > 0 {
			fmt.Fprintf(w, "\n没有情形触及的%d处 · %d places that no situation touches:\n", n, n)
		}
		for _, u := range result.Untouched {
			key := "untouched." + u.Missing
			fmt.Fprintf(w, "%s:%d: %s: %s · %s\n", u.File, u.Line, u.What, locale.Text(locale.Zh, key, "value", u.Value), locale.Text(locale.En, key, "value", u.Value))
		}
	})
}
