package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"bole/internal/calendar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/money"
	"bole/internal/pack"
	"bole/internal/policy"
	"bole/internal/tell"
	"github.com/spf13/cobra"
)

func (a *app) screen() *cobra.Command {
	var on, asOf dayFlag
	var names []string
	var out, changes string
	var all bool
	c := &cobra.Command{
		Use: "screen --on DAY", GroupID: "find", Short: "every person against every policy · 全员比对",
		Long: `Asks every policy of every person as the law stood on a day, from what has been received, and publishes the findings for the pages.
With --policy or --as-of it only answers. A policy that is a draft is asked only when --policy names it. The file of --out has a row for each finding that is not ineligible; --all writes all. Claims limit each other: one that
gives way is limited, and names the limit and the claim that wins; one that was paid before is settled. The file of --changes has what differs from the last
published run: new, ended, and other amounts.`,
		Example: "  bole screen --on 2024-12-20\n  bole screen --on 2024-12-20 --policy unemployment-skill-subsidy --out found.csv",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := writable(out, changes); err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				run, err := finding.Screen(ctx, h.lake, h.pack, finding.Request{On: a.orToday(on.Day), AsOf: asOf.Day, Policies: names, Out: out, All: all, Changes: changes, Clock: a.now, Published: a.screened(ctx)})
				if err != nil {
					return err
				}
				return a.answer(run, func(w io.Writer) { a.printRun(w, h.pack, run) })
			})
		},
	}
	c.Flags().Var(&on, "on", "the day the law is asked about (default: today) · 判定日")
	c.Flags().Var(&asOf, "as-of", "only what had been received by this day · 截至收到日")
	c.Flags().StringArrayVar(&names, "policy", nil, "only this policy; may be repeated · 只比对该政策")
	c.Flags().StringVar(&out, "out", "", "file for the findings, .csv or .parquet · 结果文件")
	c.Flags().StringVar(&changes, "changes", "", "file for what differs from the last published run, .csv · 与上次比对的差异")
	c.Flags().BoolVar(&all, "all", false, "write the ineligible too · 含不符合")
	return c
}

func (a *app) printRun(w io.Writer, p *pack.Pack, run finding.Run) {
	lang := a.language()
	t := func(key string) string { return locale.Text(lang, key) }
	rows := [][]string{{t("screen.policy"), t("outcome.eligible"), t("outcome.limited"), t("outcome.settled"), t("outcome.undetermined"), t("outcome.near"), t("outcome.ineligible"), t("outcome.not_in_force"), t("screen.persons"), t("screen.yuan")}}
	tried := false
	for _, c := range run.Policies {
		tried = tried || c.Draft
		rows = append(rows, []string{a.titled(p.Policy(c.Policy)), fmt.Sprint(c.Eligible), fmt.Sprint(c.Limited), fmt.Sprint(c.Settled), fmt.Sprint(c.Undetermined), fmt.Sprint(c.NearMiss), fmt.Sprint(c.Ineligible - c.NearMiss),
			fmt.Sprint(c.NotInForce), fmt.Sprint(c.Persons), money.Fen(c.AmountFen).Grouped()})
	}
	table(w, rows)
	if tried {
		fmt.Fprintln(w, t("screen.draft"))
	}
	fmt.Fprintln(w, locale.Text(lang, "screen.done", "people", run.People, "on", run.On, "hash", run.Hash[:16]))
	fmt.Fprintln(w, locale.Text(lang, "screen.changed", "new", run.Changed.New, "ended", run.Changed.Ended, "amount", run.Changed.Amount))
}

// titled is a policy's title, which says of a draft that it is one.
func (a *app) titled(p *pack.Policy) string {
	title := p.Title.In(string(a.language()))
	if p.Draft {
		return locale.Text(a.language(), "policy.draft", "title", title)
	}
	return title
}

// explained is one finding as explain answers it.
type explained struct {
	Policy     string          `json:"policy"`
	Draft      bool            `json:"draft,omitempty"`
	Person     string          `json:"person"`
	Subject    string          `json:"subject"`
	Period     string          `json:"period"`
	On         calendar.Day    `json:"on"`
	Outcome    string          `json:"outcome"`
	Version    string          `json:"version"`
	AmountFen  *int64          `json:"amount_fen"`
	WindowEnds calendar.Day    `json:"window_ends"`
	Rules      []explainedRule `json:"rules"`
	Failed     []string        `json:"failed"`
	Missing    []string        `json:"missing"`
	Earliest   *calendar.Day   `json:"earliest"`             // null when it is eligible now, or no day within five years helps
	LimitedBy  string          `json:"limited_by,omitempty"` // the limit that holds it, or cuts its amount: POLICY/ID
	Wins       string          `json:"wins,omitempty"`       // the claim that it gives way to: POLICY PERSON [SUBJECT] PERIOD
	Needs      []string        `json:"needs"`                // facts that would have to change or be told, where no day helps
	Never      bool            `json:"never"`                // neither a day nor a fact helps
	Says       pack.Words      `json:"says"`                 // the outcome in sentences
}

type explainedRule struct {
	ID       string            `json:"id"`
	By       string            `json:"by"`
	Article  string            `json:"article"`
	Title    pack.Words        `json:"title"`
	Outcome  policy.State      `json:"outcome"`         // met, not_met, unknown
	Values   map[string]any    `json:"values"`          // null for unknown
	Cites    map[string]string `json:"cites,omitempty"` // the article that gives a parameter its number
	Earliest *calendar.Day     `json:"earliest"`
	Says     pack.Words        `json:"says"` // the rule in sentences
}

func (a *app) explain() *cobra.Command {
	var on, asOf dayFlag
	var subject, period string
	c := &cobra.Command{
		Use: "explain PERSON POLICY --on DAY", GroupID: "find", Short: "one person under one policy, with reasons · 逐条说明一个人",
		Long: `Asks one policy of one person's subject rows afresh, and answers each rule with its article, outcome and the values that it saw, what is missing,
and the earliest day on which it would hold if contributions go on and nothing else changes. PERSON is the number in the file of screen --out.`,
		Example: "  bole explain P-7K2M-90C unemployment-skill-subsidy --on 2024-12-20",
		Args:    exactly(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			person, err := fact.ParsePerson(args[0])
			if err != nil {
				return err
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				s, err := h.lake.Read(ctx, asOf.Day)
				if err != nil {
					return err
				}
				defer s.Close()
				conn, err := s.Conn(ctx)
				if err != nil {
					return err
				}
				defer conn.Close()
				day := a.orToday(on.Day)
				if period != "" && period != "once" && !strings.HasPrefix(period, "part-") {
					m, err := calendar.ParseMonth(period)
					if err != nil {
						return errUsage{fmt.Errorf("invalid argument %q for --period: a month is written 2024-12, a part of an award part-2, or once", period)}
					}
					if m != day.Month() {
						day = m.Last()
					}
				}
				xs, err := finding.Explain(ctx, conn, s, h.pack, person, args[1], subject, day)
				if err != nil {
					return err
				}
				sources := finding.Sources(s, h.pack)
				zh, en := tell.New(locale.Zh, h.pack, sources), tell.New(locale.En, h.pack, sources)
				out := []explained{}
				xs = slices.DeleteFunc(xs, func(x finding.Explanation) bool { return x.Part > 0 && period != "" && period != x.Period })
				for _, x := range xs {
					out = append(out, show(x, string(a.language()), zh, en))
				}
				return a.answer(out, func(w io.Writer) {
					a.printExplained(w, xs, map[locale.Lang]*tell.Teller{locale.Zh: zh, locale.En: en}[a.language()])
				})
			})
		},
	}
	c.Flags().Var(&on, "on", "the day the law is asked about (default: today) · 判定日")
	c.Flags().Var(&asOf, "as-of", "only what had been received by this day · 截至收到日")
	c.Flags().StringVar(&subject, "subject", "", "only this subject row · 只看该对象")
	c.Flags().StringVar(&period, "period", "", "only this period, a month as 2024-12 or a part of an award as part-2 · 只看该期")
	return c
}

func show(x finding.Explanation, lang string, zh, en *tell.Teller) explained {
	e := explained{Policy: x.Policy.Name, Draft: x.Policy.Draft, Person: x.Person.String(), Subject: x.Subject, Period: x.Period, On: x.On, Outcome: x.Answer.Outcome, WindowEnds: x.Answer.WindowEnds,
		Says: pack.Words{Zh: zh.Says(x), En: en.Says(x)}, Rules: []explainedRule{}, Failed: append([]string{}, x.Answer.Failed...), Missing: append([]string{}, x.Answer.Missing...), Needs: append([]string{}, x.Needs...)}
	if x.Answer.Version != nil {
		e.Version = x.Answer.Version.ID()
	}
	if x.Answer.Outcome == "eligible" {
		e.AmountFen = &x.Answer.AmountFen
	}
	if x.Limit != nil {
		e.LimitedBy = x.Limit.Name()
	}
	e.Wins = x.Wins
	if x.Earliest != 0 {
		e.Earliest = &x.Earliest
	}
	e.Never = e.Earliest == nil && !x.Entitled && e.Outcome != "settled" && len(e.Needs) == 0
	for _, c := range x.Answer.Checks {
		r := explainedRule{ID: c.ID, By: c.By, Title: c.Title, Outcome: c.State, Values: map[string]any{}, Says: pack.Words{Zh: zh.Rule(x, c), En: en.Rule(x, c)}}
		if art, ok := x.Policy.Law.Find(c.By); ok {
			r.Article = art.HeadingIn(lang)
		}
		for _, v := range c.Values {
			r.Values[v.Name] = v.Value
			if v.By != "" {
				if r.Cites == nil {
					r.Cites = map[string]string{}
				}
				r.Cites[v.Name] = v.By
			}
		}
		if d, ok := x.Rules[c.ID]; ok {
			r.Earliest = &d
		}
		e.Rules = append(e.Rules, r)
	}
	return e
}

func (a *app) printExplained(w io.Writer, xs []finding.Explanation, t *tell.Teller) {
	if len(xs) == 0 {
		fmt.Fprintln(w, locale.Text(a.language(), "explain.nothing"))
	}
	for i, x := range xs {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s  %s  %s  %s\n", a.titled(x.Policy.Policy), x.Subject, x.Period, locale.Text(a.language(), "outcome."+x.Answer.Outcome))
		for _, line := range t.Lines(x) {
			fmt.Fprintln(w, "  "+line)
		}
	}
}
