package fact_test

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"encoding/csv"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/files"
	"bole/internal/lake"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/internal/store"
	"bole/internal/vault"
	"bole/packs"
	"go.yaml.in/yaml/v3"
)

// cases is a file of testdata: one home, in which each person is a case of their own.
type cases struct {
	About     string
	Pack      string   // of testdata/packs; the shipped one where absent
	Delivered []string // registers that were delivered though nobody has a row
	On        calendar.Day
	People    []struct {
		Name string
		Rows []map[string]string // register, received; for contributions "to" repeats the row up to that month; "= name" is the number of that case's person
		Ask  []struct {
			On   calendar.Day
			AsOf calendar.Day      `yaml:"as_of"`
			Of   string            // a kind of subject: the person's only row of it, or the only one with these facts
			With map[string]string // by name
			Want map[string]string
		}
	}
}

// usual fills the columns of a register that a case leaves out.
var usual = map[string]map[string]string{
	"contributions":        {"uscc": "91371500MA3C0DEF0X", "kind": "pension", "base_fen": "5000", "pay_kind": "normal", "posted": "是"},
	"people":               {"birth_day": "1990-01-01"},
	"employers":            {"employer_name": "聊城机床"},
	"degrees":              {"study_form": "全日制", "degree_no": "D1"},
	"skill_certificates":   {"occupation": "6-18-01-01", "status": "有效"},
	"housing_contracts":    {"house_kind": "新房", "house_use": "住宅", "division": "371502"},
	"titles":               {"kind": "职称", "series": "工程", "status": "有效"},
	"other_payments":       {"payer_level": "省级", "policy_words": "补贴", "amount_fen": "1000", "paid_day": "2024-06-01"},
	"competition_results":  {"competition": "市赛", "competition_level": "市级", "project": "车工", "place": "1", "role": "选手", "result_day": "2024-05-01"},
	"postdoc_stays":        {"platform_kind": "工作站", "platform_code": "W1", "uscc": "91371500MA3C0DEF0X"},
	"employment_contracts": {"uscc": "91371500MA3C0DEF0X", "kind": "固定期限", "work_form": "全日制用工"},
}

// Register rows in, facts out: the cases are files that whoever knows the law can read.
func TestFacts(t *testing.T) {
	names, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(names) < 5 {
		t.Fatal("no cases:", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".yaml"), func(t *testing.T) {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var c cases
			d := yaml.NewDecoder(bytes.NewReader(b))
			d.KnownFields(true)
			if err := d.Decode(&c); err != nil {
				t.Fatal(err)
			}
			p := shipped(t, "liaocheng")
			if c.Pack != "" {
				if p, err = pack.Load(os.DirFS("testdata/packs/"+c.Pack), packs.Files); err != nil {
					t.Fatal(err)
				}
			}
			h := newHome(t, p)
			h.deliver(&c)
			h.ask(&c) // spells netted on the way
			if err := fact.Net(t.Context(), h.lake, h.pack); err != nil {
				t.Fatal(err)
			}
			h.ask(&c) // spells of the lake
		})
	}
}

func shipped(t *testing.T, name string) *pack.Pack {
	t.Helper()
	sub, err := fs.Sub(packs.Files, name)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pack.Load(sub, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// home is a lake and a desk.
type home struct {
	t    *testing.T
	dir  string
	pack *pack.Pack
	lake *lake.Lake
	desk *register.Desk
}

func newHome(t *testing.T, p *pack.Pack) *home {
	t.Helper()
	dir := t.TempDir()
	if err := seal.Create(filepath.Join(dir, "keys"), "aes"); err != nil {
		t.Fatal(err)
	}
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	db, err := store.Open(t.Context(), filepath.Join(dir, "office.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	l, err := lake.Open(filepath.Join(dir, "lake"), db, columnar.Config{MemoryMB: 300, Threads: 2, TempDir: filepath.Join(dir, "tmp")}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return &home{t, dir, p, l, &register.Desk{Pack: p, Store: db, Lake: l, Vault: vault.Open(db, keys), Files: files.Open(filepath.Join(dir, "files"), keys)}}
}

// citizen is the number of the case with a place in its file.
func citizen(i int) string {
	s := fmt.Sprintf("371502199001%02d%03d", i/900+1, i%900+1)
	weight, sum := 1, 0
	for j := len(s) - 1; j >= 0; j-- {
		weight = weight * 2 % 11
		sum += weight * int(s[j]-'0')
	}
	return s + string("0123456789X"[(12-sum%11)%11])
}

// deliver writes the rows of everybody as files, one a register and day of receipt, and loads them.
func (h *home) deliver(c *cases) {
	h.t.Helper()
	type file struct{ received, register string }
	rows := map[file][][]string{}
	for _, r := range c.Delivered {
		rows[file{"2024-12-01", r}] = nil
	}
	for i, p := range c.People {
		for n, r := range p.Rows {
			f := file{r["received"], r["register"]}
			if f.received == "" {
				f.received = "2024-12-01"
			}
			reg := h.pack.Register(f.register)
			if reg == nil {
				h.t.Fatalf("%s: no register %s", p.Name, f.register)
			}
			for k := range r {
				if reg.Column(k) == nil && k != "register" && k != "received" && k != "to" {
					h.t.Fatalf("%s: no column %s in %s", p.Name, k, f.register)
				}
			}
			for _, month := range span(h.t, r["month"], r["to"]) {
				var fields []string
				for _, col := range reg.Columns {
					v, given := r[col.Name.Text]
					switch {
					case strings.HasPrefix(v, "= "):
						v = h.number(c, v[2:])
					case col.Name.Text == "month":
						v = month
					case given:
					case col.Type.Text == "id_number":
						v = citizen(i)
					case col.Type.Text == "person_name":
						v = "张三"
					case col.Class.Text == "keyed" && col.Required:
						v = fmt.Sprintf("N%d-%d", i, n)
					case col.Name.Text == "posted_day" && month != "":
						v = month + "-20"
					default:
						v = usual[f.register][col.Name.Text]
					}
					fields = append(fields, v)
				}
				rows[f] = append(rows[f], fields)
			}
		}
	}
	var order []file
	for f := range rows {
		order = append(order, f)
	}
	slices.SortFunc(order, func(a, b file) int { return strings.Compare(a.received+a.register, b.received+b.register) })
	for _, f := range order {
		h.load(f.register, f.received, rows[f])
	}
}

// number is that of the case with a name.
func (h *home) number(c *cases, name string) string {
	for i, p := range c.People {
		if p.Name == name {
			return citizen(i)
		}
	}
	h.t.Fatalf("no case called %s", name)
	return ""
}

// span is the months from one to another; one empty month for registers without.
func span(t *testing.T, from, to string) []string {
	t.Helper()
	if to == "" {
		return []string{from}
	}
	a, err := calendar.ParseMonth(from)
	b, err2 := calendar.ParseMonth(to)
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	var out []string
	for m := a; m <= b; m = m.Add(1) {
		out = append(out, m.String())
	}
	return out
}

// load loads rows whose fields stand in the order of the register's columns, the first of them or all. All must be accepted.
func (h *home) load(reg, received string, rows [][]string) {
	h.t.Helper()
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	var head []string
	for _, c := range h.pack.Register(reg).Columns[:len(rows[0])] {
		head = append(head, c.Name.Text)
	}
	w.Write(head)
	w.WriteAll(rows)
	path := filepath.Join(h.dir, reg+received+".csv")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		h.t.Fatal(err)
	}
	book := &register.Rejects{Path: filepath.Join(h.dir, "rejects.xlsx")}
	rep, err := h.desk.Load(h.t.Context(), register.Delivery{Register: reg, Path: path, Received: calendar.MustParse(received), At: time.Unix(1, 0), Rejects: book})
	if err != nil {
		h.t.Fatal(err)
	}
	if rep.Quarantined > 0 || rep.Unchanged > 0 {
		h.t.Fatalf("%s: %d rows refused, %d doubled:\n%s", reg, rep.Quarantined, rep.Unchanged, b.String())
	}
}

// ask derives what every case asks for and compares. Holders are numbered in the order in which the files name them, so the person of a case
// is found by its number.
func (h *home) ask(c *cases) {
	h.t.Helper()
	resolver, err := h.desk.Vault.Resolver(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	// Everything that is asked of a kind of subject as of a day is derived at once, on all its days; and of every fifth person alone.
	type view struct {
		kind string
		asOf calendar.Day
	}
	type ask struct {
		names map[string]bool
		days  map[calendar.Day]bool
	}
	all, alone := map[view]ask{}, map[int]map[view]ask{}
	add := func(asks map[view]ask, v view, on calendar.Day, facts ...map[string]string) {
		if asks[v].names == nil {
			asks[v] = ask{map[string]bool{}, map[calendar.Day]bool{}}
		}
		asks[v].days[on] = true
		for _, m := range facts {
			for n := range m {
				asks[v].names[n] = true
			}
		}
	}
	for i, p := range c.People {
		alone[i] = map[view]ask{}
		for _, a := range p.Ask {
			v := view{cmp.Or(a.Of, "person"), a.AsOf}
			add(all, v, cmp.Or(a.On, c.On), a.Want, a.With)
			add(alone[i], v, cmp.Or(a.On, c.On), a.Want, a.With)
		}
	}
	derived := func(asks map[view]ask, only fact.Person) map[view]map[fact.Person][]fact.Row {
		out := map[view]map[fact.Person][]fact.Row{}
		for v, a := range asks {
			out[v] = h.rows(v.kind, slices.Collect(maps.Keys(a.names)), slices.Collect(maps.Keys(a.days)), v.asOf, only)
		}
		return out
	}
	everybody := derived(all, 0)
	for i, p := range c.People {
		person := fact.Person(resolver.Holder(vault.Record{Number: citizen(i)}, 0))
		rows := []map[view]map[fact.Person][]fact.Row{everybody}
		if i%5 == 0 {
			rows = append(rows, derived(alone[i], person))
		}
		for n, name := range []string{p.Name, p.Name + ", alone"}[:len(rows)] {
			for _, a := range p.Ask {
				v, on := view{cmp.Or(a.Of, "person"), a.AsOf}, cmp.Or(a.On, c.On)
				h.compare(name, v.kind, on, h.only(v.kind, on, rows[n][v][person], a.With), a.Want)
			}
		}
	}
}

// only is the values of the one row of a day that has some facts; nil for nobody.
func (h *home) only(kind string, on calendar.Day, rows []fact.Row, with map[string]string) map[string]any {
	h.t.Helper()
	var out map[string]any
next:
	for _, r := range rows {
		if r.On != on {
			continue
		}
		for n, w := range with {
			if h.text(kind, n, r.Values[n]) != w {
				continue next
			}
		}
		if out != nil {
			h.t.Errorf("two rows of a %s with %v", kind, with)
		}
		out = r.Values
	}
	return out
}

func (h *home) compare(name, kind string, on calendar.Day, got map[string]any, want map[string]string) {
	h.t.Helper()
	for n, w := range want {
		if got == nil && w == "nobody" {
			continue
		}
		if text := h.text(kind, n, got[n]); text != w || got == nil {
			h.t.Errorf("%s: on %s: %s is %s, want %s", name, on, n, text, w)
		}
	}
}

// rows derives facts of a kind of subject, by person.
func (h *home) rows(kind string, names []string, days []calendar.Day, asOf calendar.Day, only fact.Person) map[fact.Person][]fact.Row {
	h.t.Helper()
	out := map[fact.Person][]fact.Row{}
	h.read(asOf, func(ctx context.Context, conn *sql.Conn, s *lake.Snapshot) error {
		subject := h.pack.Subject(kind)
		if err := fact.Derive(ctx, conn, s, h.pack, fact.Request{Wants: []fact.Want{{Subject: subject, Names: names}}, Days: days, Person: only}); err != nil {
			return err
		}
		rows, err := fact.Rows(ctx, conn, subject, "")
		for _, r := range rows {
			out[r.Person] = append(out[r.Person], r)
		}
		return err
	})
	return out
}

// derive derives facts of persons.
func (h *home) derive(names []string, on, asOf calendar.Day, only fact.Person) map[fact.Person]map[string]any {
	h.t.Helper()
	out := map[fact.Person]map[string]any{}
	for person, rows := range h.rows("person", names, []calendar.Day{on}, asOf, only) {
		if len(rows) != 1 {
			h.t.Errorf("%d rows for one person", len(rows))
		}
		out[person] = rows[0].Values
	}
	return out
}

func (h *home) read(asOf calendar.Day, f func(context.Context, *sql.Conn, *lake.Snapshot) error) {
	h.t.Helper()
	ctx := h.t.Context()
	s, err := h.lake.Read(ctx, asOf)
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	conn, err := s.Conn(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	if err := f(ctx, conn, s); err != nil {
		h.t.Fatal(err)
	}
}

// text is a fact as a case writes it.
func (h *home) text(kind, name string, v any) string {
	f := h.pack.Fact(h.pack.Subject(kind), name)
	switch {
	case f == nil:
		h.t.Fatalf("no fact called %s", name)
	case v == nil:
		return "unknown"
	case f.List() != nil && f.List().Ordered:
		for _, it := range f.List().Items {
			if it.Rank == v {
				return it.Code.Text
			}
		}
	}
	return fmt.Sprint(v)
}
