package cli

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"bole/internal/audit"
	"bole/internal/auth"
	"bole/internal/columnar"
	"bole/internal/fault"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/vault"
	"bole/packs"
	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// settings is bole.yaml.
type settings struct {
	Pack      string `yaml:"pack"`                // a shipped pack's name, or a directory
	Office    string `yaml:"office,omitempty"`    // postgres://user@host/name; defaults to the SQLite file office.db in the home
	Roots     string `yaml:"roots,omitempty"`     // folder of the signed hashes of the audit log; defaults to that of the keys
	Synthetic bool   `yaml:"synthetic,omitempty"` // everything in this home is made up, and every page says so
	People    int    `yaml:"people,omitempty"`    // of the synthetic city
	Seed      uint64 `yaml:"seed,omitempty"`
}

// home is an opened home.
type home struct {
	settings
	dir   string
	pack  *pack.Pack
	db    *store.DB
	lake  *lake.Lake
	keys  *seal.Keys
	vault *vault.Vault
	files *files.Store
	log   *audit.Log
	auth  *auth.Desk
}

func (h *home) desk() *register.Desk {
	return &register.Desk{Pack: h.pack, Store: h.db, Lake: h.lake, Vault: h.vault, Files: h.files}
}

func (h *home) close() error { return h.db.Close() }

// keysDir is where the keys lie: beside the home and never in it, also where the home is called "." or "..".
func (a *app) keysDir() string {
	if a.keys != "" {
		return a.keys
	}
	home := filepath.Clean(a.home)
	if whole, err := filepath.Abs(home); err == nil && strings.HasPrefix(filepath.Base(home), ".") {
		home = whole
	}
	return strings.TrimRight(home, string(filepath.Separator)) + "-keys"
}

func (a *app) settingsFile() string { return filepath.Join(a.home, "bole.yaml") }

// create makes an empty home with its keys. An existing one is left as it is, and created says so.
func (a *app) create(s settings) (created bool, err error) {
	if _, err := loadPack(s.Pack); err != nil {
		return false, err
	}
	if _, err := os.Stat(a.settingsFile()); err == nil {
		return false, nil
	}
	if err := os.MkdirAll(a.home, 0o700); err != nil {
		return false, fault.Wrap("cli.create", err)
	}
	_, err = seal.Open(a.keysDir())
	if fault.KindOf(err) == fault.NotFound {
		err = seal.Create(a.keysDir(), cmp.Or(a.suite, "sm"))
	}
	if err != nil { // keys that others can read, or broken ones, are told and not written over
		return false, err
	}
	b, err := yaml.Marshal(s)
	if err == nil { // last, so that a home is there when it is whole
		err = os.WriteFile(a.settingsFile(), b, 0o600)
	}
	return true, fault.Wrap("cli.create", err)
}

// settled reads the home's settings.
//
// Errors: NotFound "home.none" when there is no home.
func (a *app) settled() (s settings, err error) {
	b, err := os.ReadFile(a.settingsFile())
	if errors.Is(err, fs.ErrNotExist) {
		return s, fault.New("cli.settled", fault.NotFound, "home.none", "home", a.home)
	}
	if err == nil {
		err = yaml.Unmarshal(b, &s)
	}
	return s, fault.Wrap("cli.settled", err)
}

// open opens the home.
//
// Errors: NotFound "home.none" when there is none.
func (a *app) open(ctx context.Context) (*home, error) {
	s, err := a.settled()
	if err != nil {
		return nil, err
	}
	h := &home{dir: a.home, settings: s}
	if h.pack, err = loadPack(h.Pack); err != nil {
		return nil, err
	}
	if h.keys, err = seal.Open(a.keysDir()); err != nil {
		return nil, err
	}
	signer, err := seal.OpenSigner(a.keysDir())
	if err != nil {
		return nil, err
	}
	bodies, err := bodiesOf(h.pack)
	if err != nil {
		return nil, err
	}
	if h.db, err = h.openOffice(ctx); err != nil {
		return nil, err
	}
	h.auth = auth.Open(h.db, h.keys, bodies, a.now, auth.StandardCost)
	h.log = audit.Open(h.db, cmp.Or(h.Roots, a.keysDir()), signer, a.now)
	temp := filepath.Join(a.home, "tmp")
	h.vault = vault.Open(h.db, h.keys).In(temp)
	h.files = files.Open(filepath.Join(a.home, "files"), h.keys)
	if h.lake, err = lake.Open(filepath.Join(a.home, "lake"), h.db, columnar.Config{TempDir: temp}, a.now); err != nil {
		return nil, errors.Join(err, h.close())
	}
	return h, nil
}

func (h *home) openOffice(ctx context.Context) (*store.DB, error) {
	if h.Office != "" {
		return store.Open(ctx, h.Office)
	}
	office := filepath.Join(h.dir, "office.db")
	if err := private(office); err != nil {
		return nil, err
	}
	return store.Open(ctx, office)
}

// writable sees that the folder of a file to be written is there, before any work is done.
//
// Errors: Invalid "cli.no_folder".
func writable(files ...string) error {
	for _, name := range files {
		if info, err := os.Stat(filepath.Dir(name)); name != "" && (err != nil || !info.IsDir()) {
			return fault.New("cli.writable", fault.Invalid, "cli.no_folder", "file", name)
		}
		if name == "" {
			continue
		}
		f, err := os.CreateTemp(filepath.Dir(name), ".bole-*")
		if err == nil {
			err = errors.Join(f.Close(), os.Remove(f.Name()))
		}
		if errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) {
			return fault.New("cli.writable", fault.Forbidden, "cli.no_writing", "file", name)
		}
		if err != nil {
			return fault.Wrap("cli.writable", err)
		}
	}
	return nil
}

// private makes a file that only its owner can read, where there is none yet; what SQLite puts beside it has the same mode.
func private(name string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fault.Wrap("cli.private", err)
	}
	return fault.Wrap("cli.private", f.Close())
}

// with opens the home for a command and closes it after.
func (a *app) with(cmd *cobra.Command, f func(ctx context.Context, h *home) error) error {
	h, err := a.open(cmd.Context())
	if err != nil {
		return err
	}
	err = f(cmd.Context(), h)
	a.sealLog(cmd.Context(), h)
	return errors.Join(err, h.close())
}

// packName is what a home remembers of its pack: a shipped one's name, or a directory's whole path, so that it is found from anywhere.
func packName(name string) (string, error) {
	if slices.Contains(shipped(), name) {
		return name, nil
	}
	whole, err := filepath.Abs(name)
	return whole, fault.Wrap("cli.packName", err)
}

// packFS finds a pack: a shipped one by its very name, or a directory; ./liaocheng is a directory.
func packFS(name string) (fs.FS, error) {
	if slices.Contains(shipped(), name) {
		return fs.Sub(packs.Files, name)
	}
	if _, err := os.Stat(filepath.Join(name, "pack.yaml")); err != nil {
		return nil, fault.New("cli.pack", fault.NotFound, "pack.none", "pack", name)
	}
	return os.DirFS(name), nil
}

func loadPack(name string) (*pack.Pack, error) {
	fsys, err := packFS(name)
	if err != nil {
		return nil, err
	}
	return pack.Load(fsys, packs.Files)
}

// shipped lists the packs in the program.
func shipped() []string {
	var out []string
	_ = fs.WalkDir(packs.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Name() == "pack.yaml" {
			out = append(out, filepath.ToSlash(filepath.Dir(name)))
		}
		return err
	})
	return out
}

// firstLink answers with the one-time link of the first account.
func (a *app) firstLink(ctx context.Context, h *home, account string) error {
	link, err := h.auth.FirstLink(ctx, account)
	if err != nil {
		return err
	}
	a.say("account.first")
	return a.answer(map[string]string{"home": a.home, "pack": h.pack.Name, "link": linkPath(link)}, printf("%s\n%s\n", a.home, linkPath(link)))
}

// init makes an empty home.
func (a *app) init() *cobra.Command {
	var account string
	var again bool
	c := &cobra.Command{
		Use: "init", GroupID: "data", Short: "make an empty home for a pack · 新建空的数据目录",
		Long: `Makes an empty home and its keys, and prints the one-time link of the first account: open it within 24 hours (bole account welcome), once. There is no
default password. A link that was lost or is too old is made anew with --link, as long as nobody can sign in.
新建数据目录和密钥，并显示首个账户的一次性链接，24小时内有效。系统没有默认密码。链接遗失或过期且尚无人可以登录时，可用 --link 重新签发。`,
		Example: "  bole init --home ./bole-home\n  bole init --link\n  bole init --pack ./packs/our-city\n  bole init --suite aes --office postgres://bole@/bole",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if again {
				return a.with(cmd, func(ctx context.Context, h *home) error { return a.firstLink(ctx, h, account) })
			}
			name, err := packName(a.packName)
			if err != nil {
				return err
			}
			if a.office != "" { // before anything is made
				db, err := store.Open(cmd.Context(), a.office)
				if err != nil {
					return err
				}
				if err := db.Close(); err != nil {
					return err
				}
			}
			created, err := a.create(settings{Pack: name, Office: a.office})
			if err != nil {
				return err
			}
			if !created {
				return fault.New("cli.init", fault.Conflict, "home.exists", "home", a.home)
			}
			return a.with(cmd, func(ctx context.Context, h *home) error {
				if err := a.made(ctx, h); err != nil {
					return err
				}
				a.say("home.created", "home", a.home, "keys", a.keysDir())
				return a.firstLink(ctx, h, account)
			})
		},
	}
	c.Flags().StringVar(&account, "account", "", "name of the first account, a security administrator (default: security) · 首个账户名")
	c.Flags().BoolVar(&again, "link", false, "of a home that is there: a new link for the first account, while nobody can sign in · 重新签发首个账户的链接")
	c.Flags().StringVar(&a.packName, "pack", "liaocheng", "a shipped pack, or a folder · 政策包")
	c.Flags().StringVar(&a.suite, "suite", "sm", "of new keys: sm (SM4, SM3) or aes (AES, SHA-256) · 密码算法套件")
	c.Flags().StringVar(&a.office, "office", "", "postgres://user@host/name (default: a SQLite file in the home) · 办公数据库")
	return c
}
