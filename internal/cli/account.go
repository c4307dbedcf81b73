package cli

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"bole/internal/auth"
	"bole/internal/fault"
	"bole/internal/locale"
	"bole/internal/pack"
	"github.com/spf13/cobra"
)

func (a *app) accountCmd() *cobra.Command {
	c := group("account", "office", "accounts, roles, scopes, tokens · 账户、角色、数据范围、令牌",
		a.accountWelcome(), a.accountToken(), a.accountAdd(), a.accountList(), a.accountGrant(), a.accountLink(), a.accountEnd(), a.accountRoles())
	a.acting(c)
	return c
}

// acting gives a command, and those beneath it, the flags by which it acts for somebody.
func (a *app) acting(c *cobra.Command) {
	c.PersistentFlags().StringVar(&a.as, "as", "", "account to act for, with its token in BOLE_TOKEN or --token · 代表的账户")
	c.PersistentFlags().StringVar(&a.tokenFile, "token", "", "file with that account's token · 令牌文件")
}

// actor tells for whom the command acts. That somebody may run the program here, and read its files, gives no permission.
//
// Errors: Forbidden "account.as_needed", "account.token_needed"; Forbidden "auth.token_over".
func (a *app) actor(ctx context.Context, h *home) (auth.Actor, error) {
	const op = "cli.actor"
	if a.as == "" {
		return auth.Actor{}, fault.New(op, fault.Forbidden, "account.as_needed")
	}
	token := os.Getenv("BOLE_TOKEN")
	if a.tokenFile != "" {
		var err error
		if token, err = lineOf(a.tokenFile); err != nil {
			return auth.Actor{}, err
		}
	}
	if token == "" {
		return auth.Actor{}, fault.New(op, fault.Forbidden, "account.token_needed", "account", a.as)
	}
	return h.auth.Bearer(ctx, a.as, strings.TrimSpace(token))
}

// acted opens the home for a command that acts for somebody.
func (a *app) acted(cmd *cobra.Command, f func(ctx context.Context, h *home, by auth.Actor) error) error {
	return a.with(cmd, func(ctx context.Context, h *home) error {
		by, err := a.actor(ctx, h)
		if err != nil {
			return err
		}
		return f(ctx, h, by)
	})
}

// lineOf is the first line of a file; of "" what stands on the standard input. A password is never an argument: other users of a machine see those.
func lineOf(name string) (string, error) {
	in := io.Reader(os.Stdin)
	if name != "" {
		f, err := os.Open(name)
		if err != nil {
			return "", fault.New("cli.lineOf", fault.NotFound, "account.no_file", "file", name)
		}
		defer f.Close()
		in = f
	}
	line, err := bufio.NewReader(io.LimitReader(in, 1<<12)).ReadString('\n')
	if err != nil && err != io.EOF {
		return "", fault.Wrap("cli.lineOf", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}

// topBody is the city itself, above the handling bodies that its pack lists.
const topBody = "city"

// bodiesOf are the handling bodies of a pack, districts and functional zones alike, below the city.
func bodiesOf(p *pack.Pack) (auth.Bodies, error) {
	list := []auth.Body{{Code: topBody}}
	if codes := p.CodeList("body"); codes != nil {
		for _, i := range codes.Items {
			if i.Code.Text != topBody {
				list = append(list, auth.Body{Code: i.Code.Text, Parent: topBody})
			}
		}
	}
	return auth.NewBodies(list)
}

// linkPath is where a browser opens a one-time link.
func linkPath(secret string) string { return "/welcome?" + url.Values{"link": {secret}}.Encode() }

// linkSecret is the secret of a link, of its path or of the whole address.
func linkSecret(link string) string {
	if u, err := url.Parse(link); err == nil && u.Query().Get("link") != "" {
		return u.Query().Get("link")
	}
	return link
}

// accountOut is an account as JSON has it.
type accountOut struct {
	Name    string     `json:"name"`
	Subject string     `json:"subject,omitempty"`
	Ready   bool       `json:"ready"` // its link was used, so that it can sign in
	Roles   []grantOut `json:"roles"`
	Made    *time.Time `json:"made,omitempty"`
	Seen    *time.Time `json:"seen,omitempty"`
	Ended   *time.Time `json:"ended,omitempty"`
}

type grantOut struct {
	Role   string   `json:"role"`
	Scope  string   `json:"scope"`
	Bodies []string `json:"bodies"`
}

func when(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func grantsOut(grants []auth.Grant) []grantOut {
	out := []grantOut{}
	for _, g := range grants {
		out = append(out, grantOut{g.Role, string(g.Scope), append([]string{}, g.Bodies...)})
	}
	return out
}

// accounts are those of the names, or all without any. Who may not list accounts is told the names alone.
func (a *app) accounts(ctx context.Context, h *home, by auth.Actor, names ...string) ([]accountOut, error) {
	out := []accountOut{}
	if len(names) > 0 && !by.Has("account.list") {
		for _, n := range names {
			out = append(out, accountOut{Name: n, Roles: []grantOut{}})
		}
		return out, nil
	}
	all, err := h.auth.Accounts(ctx, by)
	for _, p := range all {
		if len(names) == 0 || slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, p.Name) }) {
			out = append(out, accountOut{p.Name, p.Subject, p.Ready, grantsOut(p.Grants), when(p.Made), when(p.Seen), when(p.Ended)})
		}
	}
	return out, err
}

func (a *app) accountRows(list []accountOut) [][]string {
	say := func(key string) string { return locale.Text(a.language(), key) }
	day := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.Local().Format(time.DateOnly)
	}
	rows := [][]string{{say("account.name"), say("account.roles"), say("account.seen"), ""}}
	for _, p := range list {
		var roles []string
		for _, g := range p.Roles {
			roles = append(roles, strings.Join(append([]string{g.Role, g.Scope}, g.Bodies...), " "))
		}
		state := ""
		switch {
		case p.Ended != nil:
			state = locale.Text(a.language(), "account.ended", "day", day(p.Ended))
		case !p.Ready:
			state = say("account.not_ready")
		}
		rows = append(rows, []string{p.Name, strings.Join(roles, "; "), day(p.Seen), state})
	}
	return rows
}

// changed answers a change: the account as it is now, and what else there is to tell once.
func (a *app) changed(ctx context.Context, h *home, by auth.Actor, name string, more map[string]any, text string) error {
	list, err := a.accounts(ctx, h, by, name)
	if err != nil {
		return err
	}
	doc := map[string]any{"accounts": list}
	for k, v := range more {
		doc[k] = v
	}
	return a.answer(doc, printf("%s\n", text))
}

func (a *app) accountWelcome() *cobra.Command {
	var file string
	c := &cobra.Command{
		Use: "welcome LINK", Short: "open an account by its one-time link · 用一次性链接启用账户",
		Long: `Sets the password, read from --password-file or the standard input, and tells the secret of the one-time codes, once: type it into an authenticator app. A
link is good once and for 24 hours. A password has at least 12 characters, whatever they are; a phrase of a few words is a good one.
设置密码（从 --password-file 或标准输入读取），并仅此一次显示动态口令的密钥，请录入手机验证器。链接24小时内有效，只能使用一次。密码不少于12个字符，不限制字符种类。`,
		Example: "  bole account welcome '/welcome?link=bole_link_…' --password-file phrase.txt\n  bole account welcome bole_link_… < phrase.txt", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) error {
				password, err := lineOf(file)
				if err != nil {
					return err
				}
				name, two, err := h.auth.Welcome(ctx, linkSecret(args[0]), password)
				if err != nil {
					return err
				}
				a.say("account.welcome", "account", name)
				return a.answer(map[string]any{"accounts": []accountOut{{Name: name, Ready: true, Roles: []grantOut{}}}, "secret": two.Secret, "uri": two.URI},
					printf("%s\n%s\n%s\n", name, two.Secret, two.URI))
			})
		},
	}
	c.Flags().StringVar(&file, "password-file", "", "file whose first line is the password (default: standard input) · 密码文件")
	return c
}

func (a *app) accountToken() *cobra.Command {
	var file, code, title string
	var permissions []string
	var days int
	c := &cobra.Command{
		Use: "token", Short: "make a token for commands and the API · 生成令牌",
		Long: `Makes a token for the account of --as and prints it, once. It has the permissions of --for, or with --for all those that the account has now, for --days. Proved by
password (--password-file or standard input) and --code, as a sign-in is; without --code by a token, and then it is no wider, lives no longer and makes none itself.
为 --as 的账户生成令牌，仅此一次显示。以密码和动态口令（--code）证明本人；不给 --code 时凭已有令牌生成权限更小的令牌。`,
		Example: "  bole account token --as wang.fang --code 123456 --for all --password-file phrase.txt\n" +
			"  BOLE_TOKEN=bole_token_… bole account token --as wang.fang --for register.list,delivery.load --days 30 --title nightly", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd, func(ctx context.Context, h *home) (err error) {
				wish := auth.Wish{Title: title, Permissions: permissions, Life: time.Duration(days) * 24 * time.Hour}
				var secret string
				var t auth.Token
				if code != "" {
					if a.as == "" {
						return fault.New("cli.token", fault.Forbidden, "account.as_needed")
					}
					in := auth.Attempt{Account: a.as, Code: code, Source: "console"}
					if in.Password, err = lineOf(file); err != nil {
						return err
					}
					secret, t, err = h.auth.MakeToken(ctx, in, wish)
				} else {
					var by auth.Actor
					if by, err = a.actor(ctx, h); err != nil {
						return err
					}
					secret, t, err = h.auth.Narrow(ctx, by, wish)
				}
				if err != nil {
					return err
				}
				a.say("account.token", "account", t.Account, "day", t.Expires.Local().Format(time.DateOnly))
				return a.answer(map[string]any{"accounts": []map[string]string{{"name": t.Account}}, "token": secret, "id": t.ID, "permissions": t.Permissions, "expires": t.Expires.UTC()},
					printf("%s\n", secret))
			})
		},
	}
	f := c.Flags()
	f.StringSliceVar(&permissions, "for", nil, "permissions, parted by commas, or all (see bole account roles) · 权限")
	f.StringVar(&code, "code", "", "six digits of the authenticator · 动态口令")
	f.StringVar(&file, "password-file", "", "file whose first line is the password (default: standard input) · 密码文件")
	f.StringVar(&title, "title", "", "what it is for · 用途")
	f.IntVar(&days, "days", 90, "how long it is good · 有效天数")
	return c
}

// giving gives a command the flags of a role.
func giving(c *cobra.Command) *auth.Giving {
	g := &auth.Giving{}
	c.Flags().StringVar(&g.Role, "role", "", "one of bole account roles · 角色")
	c.Flags().StringVar((*string)(&g.Scope), "scope", "", "all, below, own, chosen or self · 数据范围")
	c.Flags().StringSliceVar(&g.Bodies, "body", nil, "handling body; several with --scope chosen · 经办机构")
	return g
}

func (a *app) accountAdd() *cobra.Command {
	var subject string
	c := &cobra.Command{
		Use: "add NAME", Short: "an account with a first role; prints its one-time link · 新增账户",
		Long: `Adds an account, gives it a role in a scope and prints its one-time link, once. NAME is a login name of 2 to 40 small letters, digits, dots and hyphens; it stands in
the log for ever, so it is no phone and no number of a person. A functional zone is a body like a district.
新增账户，授予角色和数据范围，并仅此一次显示其一次性链接。功能区与区县一样是经办机构。`,
		Example: "  bole account add wang.fang --role district-clerk --scope below --body etdz --as security\n  bole account add li.si --role auditor --scope all --as security", Args: exactly(1),
	}
	g := giving(c)
	c.Flags().StringVar(&subject, "subject", "", "person:P-7K2M-90C or employer:CODE that it stands for, with --scope self · 对应的人员或单位")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.acted(cmd, func(ctx context.Context, h *home, by auth.Actor) error {
			link, err := h.auth.Add(ctx, by, auth.New{Name: args[0], Subject: subject}, *g)
			if err != nil {
				return err
			}
			a.say("account.link", "account", args[0])
			return a.changed(ctx, h, by, args[0], map[string]any{"link": linkPath(link)}, linkPath(link))
		})
	}
	return c
}

func (a *app) accountList() *cobra.Command {
	var mine bool
	c := &cobra.Command{
		Use: "list", Short: "accounts with their roles; --mine: own sessions and tokens · 账户列表",
		Example: "  bole account list --as security\n  bole account list --mine --as wang.fang --json", Args: exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.acted(cmd, func(ctx context.Context, h *home, by auth.Actor) error {
				if mine {
					return a.listMine(ctx, h, by)
				}
				list, err := a.accounts(ctx, h, by)
				if err != nil {
					return err
				}
				return a.answer(map[string]any{"accounts": list}, func(w io.Writer) { table(w, a.accountRows(list)) })
			})
		},
	}
	c.Flags().BoolVar(&mine, "mine", false, "the account's own sessions and tokens · 本人的会话和令牌")
	return c
}

func (a *app) listMine(ctx context.Context, h *home, by auth.Actor) error {
	type held struct {
		ID          string     `json:"id"`
		About       string     `json:"about"` // a session's source, a token's title
		Permissions []string   `json:"permissions,omitempty"`
		Made        *time.Time `json:"made"`
		Seen        *time.Time `json:"seen,omitempty"`
		Expires     *time.Time `json:"expires,omitempty"`
	}
	sessions, err := h.auth.Sessions(ctx, by, false)
	if err != nil {
		return err
	}
	tokens, err := h.auth.Tokens(ctx, by)
	if err != nil {
		return err
	}
	ss, ts := []held{}, []held{}
	rows := [][]string{}
	for _, s := range sessions {
		ss = append(ss, held{ID: s.ID, About: s.Source, Made: when(s.Made), Seen: when(s.Seen)})
		rows = append(rows, []string{locale.Text(a.language(), "account.session"), s.ID, s.Source, s.Seen.Local().Format(time.DateTime)})
	}
	for _, t := range tokens {
		ts = append(ts, held{t.ID, t.Title, t.Permissions, when(t.Made), when(t.Seen), when(t.Expires)})
		rows = append(rows, []string{locale.Text(a.language(), "account.one_token"), t.ID, t.Title, strings.Join(t.Permissions, " ")})
	}
	self := accountOut{Name: by.Name, Subject: by.Subject, Ready: true, Roles: grantsOut(by.Grants)}
	return a.answer(map[string]any{"accounts": []accountOut{self}, "sessions": ss, "tokens": ts}, func(w io.Writer) { table(w, rows) })
}

func (a *app) accountGrant() *cobra.Command {
	var back bool
	c := &cobra.Command{
		Use: "grant NAME", Short: "give a role, or take it back · 授予或收回角色",
		Long: `Gives an account a role in a scope, in the place of the scope in which it had that role; --take-back takes the role away. Roles that exclude each other are
refused with the reason. Nobody changes their own account.
授予账户角色及数据范围；--take-back 收回角色。互斥的角色不予授予并说明原因。任何人不得修改自己的账户。`,
		Example: "  bole account grant wang.fang --role leader --scope own --body etdz --as security\n  bole account grant wang.fang --role leader --take-back --as security", Args: exactly(1),
	}
	g := giving(c)
	c.Flags().BoolVar(&back, "take-back", false, "take the role away · 收回")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return a.acted(cmd, func(ctx context.Context, h *home, by auth.Actor) (err error) {
			said := "account.granted"
			if back {
				said = "account.taken_back"
				err = h.auth.TakeBack(ctx, by, args[0], g.Role)
			} else {
				err = h.auth.Grant(ctx, by, args[0], *g)
			}
			if err != nil {
				return err
			}
			return a.changed(ctx, h, by, args[0], nil, locale.Text(a.language(), said, "account", args[0], "role", g.Role))
		})
	}
	return c
}

func (a *app) accountLink() *cobra.Command {
	return &cobra.Command{
		Use: "link NAME", Short: "a new one-time link, for a lost password or phone · 重新签发一次性链接",
		Long: `Prints a new one-time link for an account; older links of it are good for nothing. When it is used, the old password, authenticator, sessions and tokens are gone.
重新签发一次性链接，旧链接作废。链接使用后，原密码、验证器、会话和令牌一并失效。`,
		Example: "  bole account link wang.fang --as security", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.acted(cmd, func(ctx context.Context, h *home, by auth.Actor) error {
				link, err := h.auth.Link(ctx, by, args[0])
				if err != nil {
					return err
				}
				a.say("account.link", "account", args[0])
				return a.changed(ctx, h, by, args[0], map[string]any{"link": linkPath(link)}, linkPath(link))
			})
		},
	}
}

func (a *app) accountEnd() *cobra.Command {
	var session, token string
	c := &cobra.Command{
		Use: "end NAME", Short: "end an account for good, or one session or token · 终止账户、会话或令牌",
		Long: `Ends an account: its roles, links, sessions and tokens are dead at once, and its name is given to nobody else. With --session or --token-id only that one ends
(see bole account list --mine for one's own).
终止账户，其角色、链接、会话和令牌立即失效，账户名不再分配。使用 --session 或 --token-id 时只终止该会话或令牌。`,
		Example: "  bole account end wang.fang --as security\n  bole account end wang.fang --token-id k7m2p9q4xz --as wang.fang", Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.acted(cmd, func(ctx context.Context, h *home, by auth.Actor) (err error) {
				switch {
				case session != "":
					err = h.auth.EndSession(ctx, by, session)
				case token != "":
					err = h.auth.EndToken(ctx, by, token)
				default:
					err = h.auth.End(ctx, by, args[0])
				}
				if err != nil {
					return err
				}
				return a.changed(ctx, h, by, args[0], nil, locale.Text(a.language(), "account.done", "what", cmp.Or(session, token, args[0])))
			})
		},
	}
	c.Flags().StringVar(&session, "session", "", "end this session only · 只终止该会话")
	c.Flags().StringVar(&token, "token-id", "", "end this token only · 只终止该令牌")
	return c
}

func (a *app) accountRoles() *cobra.Command {
	return &cobra.Command{
		Use: "roles", Short: "roles, permissions and what excludes what · 角色、权限与互斥关系",
		Example: "  bole account roles\n  bole account roles --json", Args: exactly(0),
		RunE: func(*cobra.Command, []string) error {
			words := func(w auth.Words) string {
				if a.language() == locale.Zh {
					return w.Zh
				}
				return w.En
			}
			type code struct {
				Code string   `json:"code"`
				Zh   string   `json:"zh"`
				En   string   `json:"en"`
				May  []string `json:"may,omitempty"`
				In   []string `json:"scopes,omitempty"`
			}
			type pair struct {
				One   []string `json:"one"`
				Other []string `json:"other"`
				Zh    string   `json:"zh"`
				En    string   `json:"en"`
			}
			var roles, permissions []code
			var pairs []pair
			var rows [][]string
			for _, r := range auth.Roles {
				var in []string
				for _, s := range r.Scopes {
					in = append(in, string(s))
				}
				roles = append(roles, code{r.Code, r.Zh, r.En, r.May, in})
				rows = append(rows, []string{r.Code, words(r.Words), strings.Join(in, " "), strings.Join(r.May, " ")})
			}
			for _, p := range auth.Permissions {
				permissions = append(permissions, code{Code: p.Code, Zh: p.Zh, En: p.En})
			}
			for _, x := range auth.Exclusions {
				pairs = append(pairs, pair{x.One, x.Other, x.Why.Zh, x.Why.En})
			}
			return a.answer(map[string]any{"roles": roles, "permissions": permissions, "exclusions": pairs}, func(w io.Writer) {
				table(w, rows)
				for _, p := range auth.Permissions {
					printf("%s  %s\n", p.Code, words(p.Words))(w)
				}
				for _, x := range auth.Exclusions {
					printf("%s ≠ %s  %s\n", strings.Join(x.One, ", "), strings.Join(x.Other, ", "), words(x.Why))(w)
				}
			})
		},
	}
}
