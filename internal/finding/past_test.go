package finding_test

import (
	"cmp"
	"encoding/csv"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"bole/internal/calendar"
	"bole/internal/columnar"
	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/lake"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/register"
	"bole/internal/seal"
	"bole/packs"
	gocmp "github.com/google/go-cmp/cmp"
)

// The day the law is asked about in every test of the past.
const pastOn calendar.Day = 20240620

// sent is one delivery of a history.
type sent struct {
	register string
	received calendar.Day
	bars     bool // parted by bars: the same rows in other bytes
	rows     []sentRow
	mends    []mend // of a workbook of corrections, which has no rows
	note     int    // heads a column that nobody reads, 0 for none: it tells files apart that say the same
}

// sentRow is a row that was right, or one that was wrong and what its sender meant.
type sentRow struct {
	meant, wrote []string
}

// mend is a corrected row of an earlier delivery; still is set where it is as wrong as before.
type mend struct {
	file, row int
	fields    []string
	still     bool
}

func (r sentRow) wrong() bool { return !slices.Equal(r.meant, r.wrote) }

// The headings of the registers, and which of a row's fields may be wrong: one that is in no key.
var sentHeads = map[string]struct {
	heads string
	spoil int
}{
	"people":                {"公民身份号码,姓名,性别,出生日期,户籍地行政区划", 2},
	"contributions":         {"社会保障号码,姓名,统一社会信用代码,险种,费款所属期,缴费基数,缴费类型,到账标志,到账日期", 5},
	"skill_certificates":    {"证件号码,姓名,证书编号,职业编码,等级,发证日期,状态", 6},
	"employers":             {"统一社会信用代码,单位名称,单位类型", 2},
	"employment_contracts":  {"证件号码,姓名,统一社会信用代码,合同编号,合同类型,用工形式,起始日期,终止日期", 5},
	"unemployment_benefits": {"证件号码,姓名,领取起始月,领取终止月", 3},
	"visits":                {"证件号码,其他证件号码,编号,次数", 3},
	"roster":                {"证件号码,配偶证件号码,编号,次数", 3},
}

// pastPack is the shipped pack with a register that is only added to, one that is replaced whole, and a policy that asks both.
func pastPack(t *testing.T) *pack.Pack {
	t.Helper()
	files := fstest.MapFS{}
	err := fs.WalkDir(packs.Files, "liaocheng", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(packs.Files, name)
		files[strings.TrimPrefix(name, "liaocheng/")] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	extra := func(name, mode, other, class string) {
		files["registers/"+name+".yaml"] = &fstest.MapFile{Data: []byte(fmt.Sprintf(`register: %s
title: {zh: 虚构, en: Invented}
owner: {zh: 测试, en: Test}
basis: {zh: 测试, en: a test}
about: person
mode: %s
key: [no]
complete: true
columns:
  - {name: id_number, title: {zh: 证件号码, en: ID number}, type: id_number, class: personal, required: true}
  - {name: %s, title: {zh: %s, en: Other}, type: id_number, class: %s}
  - {name: no, title: {zh: 编号, en: No}, type: number, class: code, required: true}
  - {name: times, title: {zh: 次数, en: Times}, type: int, class: number}
`, name, mode, map[string]string{"alias": "other_number", "holder": "spouse"}[class], other, class))}
	}
	extra("visits", "append", "其他证件号码", "alias")
	extra("roster", "replace_all", "配偶证件号码", "holder")
	files["facts/person.yaml"].Data = append(slices.Clone(files["facts/person.yaml"].Data), `
  - {name: visits_times, title: {zh: 来访, en: Visits}, type: int, unit: fen, min: 0, max: 100000, take: sum, register: visits, value: times, absent: 0}
  - {name: on_roster, title: {zh: 在册, en: On the roster}, type: bool, take: exists, register: roster, absent: "false"}
`...)
	files["policies/guest.yaml"] = &fstest.MapFile{Data: []byte(`policy: guest
title: {zh: 虚构, en: Guest}
mechanism: [M14]
about: person
payee: person
fund: none
version_by: "on"
versions:
  - {from: 2020-01-01, by: a}
rules:
  - {id: listed, by: a, title: {zh: 在册, en: Listed}, holds: on_roster}
  - {id: came, by: a, title: {zh: 来访, en: Came}, holds: visits_times > 0}
award: {every: once, amount_fen: {by: a, value: visits_times}}
`)}
	files["policies/guest.law.md"] = &fstest.MapFile{Data: []byte(inventedLaw)}
	p, err := pack.Load(files, packs.Files)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// pastCast are the invented people: a citizen's number, and for some the number of a permit.
var pastCast = []struct{ number, name, permit string }{
	{citizen(1), "王甲", "H1000000101"}, {citizen(2), "李乙", "M2000000201"}, {citizen(3), "孙丙", ""}, {citizen(4), "周丁", ""},
}

var pastFirms = []string{"91371500MA3C0DEF0X", "91371500MA3C0ABC1T"}

// history draws deliveries in the order in which they are loaded.
type history struct {
	*rand.Rand
	days []calendar.Day
	out  []sent
}

func drawHistory(seed uint64, deliveries int) []sent {
	h := &history{Rand: rand.New(rand.NewPCG(seed, 1))}
	for _, d := range []calendar.Day{20240603, 20240604, 20240610, 20240617, 20240701, 20240702, 20240715, 20240801} {
		if h.IntN(4) > 0 || len(h.days) < 3 {
			h.days = append(h.days, d)
		}
	}
	// A long past, or nobody is eligible.
	h.months(h.days[0], strings.Fields("202303 202304 202305 202306 202307 202308 202309 202310 202311 202312 202401 202402 202403 202404"))
	h.deliver("employers", h.days[0])
	h.more(0, h.days[1])
	h.deliver("skill_certificates", h.days[0])
	h.more(3, h.days[len(h.days)-1])
	h.deliver("skill_certificates", h.days[1]) // between two that say the same
	h.correct()
	weights := []string{"people", "contributions", "contributions", "contributions", "skill_certificates", "skill_certificates", "employers", "employment_contracts",
		"unemployment_benefits", "visits", "visits", "roster", "roster"}
	for len(h.out) < deliveries {
		switch h.IntN(8) {
		case 0:
			h.again()
		case 1, 2:
			h.correct()
		default:
			h.deliver(weights[h.IntN(len(weights))], h.day())
		}
	}
	return h.out
}

// day is mostly later than the last, and sometimes one that had passed: the delivery was loaded late.
func (h *history) day() calendar.Day {
	if h.IntN(3) == 0 {
		return h.days[h.IntN(len(h.days))]
	}
	return h.days[min(len(h.days)-1, len(h.out)*len(h.days)/14)]
}

func (h *history) some(n int) bool { return h.IntN(n) > 0 }

func pick[T any](h *history, of ...T) T { return of[h.IntN(len(of))] }

// deliver draws a delivery of a register: few keys and few values, so that much comes again.
func (h *history) deliver(reg string, received calendar.Day) {
	if reg == "contributions" {
		first := h.IntN(4)
		h.months(received, []string{"202402", "202403", "202404", "202405"}[first:min(4, first+1+h.IntN(2))])
		return
	}
	var rows [][]string
	for i, c := range pastCast {
		n := strconv.Itoa(i)
		spouse := pastCast[(i+1)%len(pastCast)].number
		all := map[string][][]string{
			"people":                {{c.number, c.name, "男", "1990-01-01", pick(h, "371502", "371525")}},
			"skill_certificates":    {{c.number, c.name, "S" + n, "6-18-01-01", pick(h, "三级", "四级"), "2024-03-01", pick(h, "有效", "有效", "注销")}, {c.number, c.name, "T" + n, "6-18-01-01", pick(h, "技师", "高级技师"), "2023-03-01", "有效"}},
			"employment_contracts":  {{c.number, c.name, pastFirms[i%2], "C" + n, "固定期限", pick(h, "全日制", "全日制", "非全日制"), "2023-06-01", pick(h, "2027-05-31", "2024-05-31")}},
			"unemployment_benefits": {{c.number, c.name, "2024-04", pick(h, "2024-05", "2024-07")}},
			"visits":                {{c.number, pick(h, "", c.permit), "V" + n, pick(h, "1", "2")}, {cmp.Or(c.permit, c.number), "", "W" + n, pick(h, "1", "2")}},
			"roster":                {{pick(h, c.number, cmp.Or(c.permit, c.number)), pick(h, "", spouse), "R" + n, pick(h, "1", "2")}},
		}
		for _, r := range all[reg] {
			if h.some(3) {
				rows = append(rows, r)
			}
		}
	}
	if reg == "employers" {
		for i, firm := range pastFirms {
			rows = append(rows, []string{firm, "某厂" + strconv.Itoa(i), pick(h, "企业", "企业", "事业单位")})
		}
	}
	h.send(reg, received, rows)
}

// months draws whole months of contributions: on time, late, back-paid, refunded, by another employer, of another base.
func (h *history) months(received calendar.Day, months []string) {
	var rows [][]string
	for _, m := range months {
		for i, c := range pastCast {
			for _, kind := range []string{"110", "210"} {
				if !h.some(8) {
					continue
				}
				firm := pastFirms[(i+h.IntN(8)/7)%2]
				line := func(pay string) []string {
					posted := m[:4] + "-" + m[4:] + "-20"
					if !h.some(6) {
						posted = "2024-06-01"
					}
					return []string{c.number, c.name, firm, kind, m, pick(h, "5000", "5000", "6000"), pay, pick(h, "1", "1", "1", "1", "1", "0"), posted}
				}
				rows = append(rows, line(pick(h, "10", "10", "10", "10", "20")))
				if !h.some(7) {
					rows = append(rows, line(pick(h, "40", "40", "30")))
				}
			}
		}
	}
	h.send("contributions", received, rows)
}

// send spoils a few rows and sends what there is.
func (h *history) send(reg string, received calendar.Day, rows [][]string) {
	f := sent{register: reg, received: received, bars: h.IntN(2) == 0}
	for _, r := range rows {
		wrote := slices.Clone(r)
		if !h.some(8) {
			wrote[sentHeads[reg].spoil] = fmt.Sprintf("坏%d", h.IntN(1000))
		}
		f.rows = append(f.rows, sentRow{r, wrote})
	}
	if len(f.rows) > 0 {
		h.add(f)
	}
}

// again sends an earlier delivery once more: the same bytes, or the same rows in others.
func (h *history) again() {
	i := h.IntN(len(h.out))
	f := h.out[i]
	switch {
	case f.mends != nil:
	case h.IntN(2) == 0:
		h.more(i, h.day())
	default:
		f.received = h.day()
		h.add(f)
	}
}

// more sends the rows of an earlier delivery in other bytes; those that were wrong are wrong in another way.
func (h *history) more(i int, received calendar.Day) {
	f := h.out[i]
	f.received, f.bars, f.rows = received, !f.bars, slices.Clone(f.rows)
	slices.Reverse(f.rows)
	for i, r := range f.rows {
		if r.wrong() {
			f.rows[i].wrote = slices.Clone(r.wrote)
			f.rows[i].wrote[sentHeads[f.register].spoil] += strconv.Itoa(len(h.out))
		}
	}
	h.add(f)
}

// add sends a delivery, unless its bytes were sent before and something would hang on which of the two it is.
func (h *history) add(f sent) {
	wrong := slices.ContainsFunc(f.rows, sentRow.wrong)
	if !slices.ContainsFunc(h.out, func(g sent) bool {
		return g.register == f.register && g.text() == f.text() && slices.EqualFunc(g.mends, f.mends, mend.same) && (wrong || f.received < g.received)
	}) {
		h.out = append(h.out, f)
	}
}

func (m mend) same(o mend) bool {
	return m.file == o.file && m.row == o.row && slices.Equal(m.fields, o.fields)
}

// text is the file of a delivery without corrections.
func (f sent) text() string {
	lines := [][]string{strings.Split(sentHeads[f.register].heads, ",")}
	for _, r := range f.rows {
		lines = append(lines, r.wrote)
	}
	for i := range lines {
		if f.note > 0 {
			lines[i] = append(slices.Clone(lines[i]), map[bool]string{true: "备注" + strconv.Itoa(f.note)}[i == 0])
		}
	}
	return f.lines(lines)
}

func (f sent) lines(lines [][]string) string {
	var text strings.Builder
	for _, l := range lines {
		text.WriteString(strings.Join(l, map[bool]string{true: "|", false: ","}[f.bars]) + "\n")
	}
	return text.String()
}

// correct sends back some of the rows that were refused, of one or of several deliveries.
func (h *history) correct() {
	var open []mend
	reg := h.out[h.IntN(len(h.out))].register
	received := h.day()
	for i, f := range h.out {
		for j, r := range f.rows {
			if f.register == reg && r.wrong() && h.some(3) {
				m := mend{file: i, row: j, fields: slices.Clone(r.meant)}
				if m.still = !h.some(8); m.still {
					m.fields[sentHeads[reg].spoil] = "还坏"
				}
				open = append(open, m)
				received = max(received, f.received)
			}
		}
	}
	if len(open) > 0 {
		h.add(sent{register: reg, received: received, mends: open})
	}
}

// rightFrom is the history as of a day in which every sender wrote what his corrections by that day say, from the start.
func rightFrom(all []sent, day calendar.Day) []sent {
	out := slices.Clone(all)
	for _, i := range inOrder(all, day) {
		for _, m := range all[i].mends {
			if m.still {
				continue
			}
			rows := slices.Clone(out[m.file].rows)
			rows[m.row] = sentRow{m.fields, m.fields}
			out[m.file].rows = rows
		}
	}
	for i := range out { // what was two deliveries stays two
		out[i].note = 1 + slices.IndexFunc(all, func(f sent) bool { return f.register == all[i].register && f.text() == all[i].text() })
	}
	return slices.DeleteFunc(out, func(f sent) bool { return f.mends != nil })
}

// inOrder lists the places of the deliveries received by a day, in the order of receipt; those of one day in the order of loading.
func inOrder(all []sent, day calendar.Day) (out []int) {
	for i, f := range all {
		if f.received <= day {
			out = append(out, i)
		}
	}
	slices.SortStableFunc(out, func(a, b int) int { return cmp.Compare(all[a].received, all[b].received) })
	return out
}

// pastKeys are the keys of all homes with a past, so that hashes and keyed numbers may be compared.
var pastKeys = sync.OnceValues(func() (*seal.Keys, error) {
	dir := filepath.Join(folder, "past-keys")
	if err := seal.Create(dir, "aes"); err != nil {
		return nil, err
	}
	return seal.Open(dir)
})

// past is a home that takes a history.
type past struct {
	*town
	desk *register.Desk
	t    *testing.T
	dir  string
	ids  map[int]int64 // the deliveries' numbers, by their places in the history
	said map[int64]string
}

func newPast(t *testing.T, p *pack.Pack) *past {
	t.Helper()
	keys, err := pastKeys()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	it, desk, err := empty(t.Context(), filepath.Join(dir, "home"), keys)
	if err != nil {
		t.Fatal(err)
	}
	if it.lake, err = lake.Open(filepath.Join(dir, "home", "lake"), desk.Store, columnar.Config{MemoryMB: 200, Threads: 1, TempDir: filepath.Join(dir, "home", "tmp")}, time.Now); err != nil {
		t.Fatal(err)
	}
	it.pack, desk.Pack, desk.Lake = p, p, it.lake
	t.Cleanup(func() { desk.Store.Close() })
	return &past{it, desk, t, dir, map[int]int64{}, map[int64]string{}}
}

// take loads a delivery of a history.
func (h *past) take(all []sent, i int) {
	h.t.Helper()
	f := all[i]
	text := f.text()
	if f.mends != nil {
		head := strings.Split(sentHeads[f.register].heads, ",")
		lines := [][]string{append(head, locale.Text(locale.Zh, "rejects.number"))}
		for _, m := range f.mends {
			n := fmt.Sprintf("%d-%d", h.ids[m.file], m.row+1)
			lines = append(lines, append(slices.Clone(m.fields), n+"-"+h.desk.Vault.Keyed("reject number", n)[:4]))
		}
		text = f.lines(lines)
	}
	path := filepath.Join(h.dir, fmt.Sprintf("%d.csv", i))
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	rep, err := h.desk.Load(h.t.Context(), register.Delivery{Register: f.register, Path: path, Received: f.received, At: time.Unix(1, 0)})
	if err != nil {
		h.t.Fatalf("delivery %d: %v", i, err)
	}
	var wrong int64
	for _, r := range f.rows {
		if r.wrong() {
			wrong++
		}
	}
	if f.mends == nil && rep.Quarantined > wrong {
		h.t.Fatalf("delivery %d of %s: %d rows wait, %d are wrong", i, f.register, rep.Quarantined, wrong)
	}
	h.ids[i] = rep.Delivery
}

// who names each holder as of a day by the numbers of all holders of his person.
func (h *past) who(s *lake.Snapshot) (byPerson map[int64]string) {
	h.t.Helper()
	byPerson = map[int64]string{}
	identity, ok := s.Identity()
	if !ok {
		return byPerson
	}
	numbers := map[int64][]string{}
	rows, err := s.QueryContext(h.t.Context(), "SELECT holder, person FROM "+identity)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var holder, person int64
		if err := rows.Scan(&holder, &person); err != nil {
			h.t.Fatal(err)
		}
		if h.said[holder] == "" {
			rec, err := h.desk.Vault.Unseal(h.t.Context(), holder)
			if err != nil {
				h.t.Fatal(err)
			}
			h.said[holder] = rec.Number
		}
		numbers[person] = append(numbers[person], h.said[holder])
	}
	for person, all := range numbers {
		slices.Sort(all)
		byPerson[person] = strings.Join(all, "+")
	}
	return byPerson
}

// How much a home is asked: rows and months, or findings as well.
type asked int

const (
	rowsAndMonths asked = iota
	everything
)

// answers is what the home answers as of a day, 0 for now, line by line, each person by his numbers.
func (h *past) answers(asOf calendar.Day, asked asked) (out []string) {
	h.t.Helper()
	ctx := h.t.Context()
	s, err := h.lake.Read(ctx, asOf)
	if err != nil {
		h.t.Fatal(err)
	}
	defer s.Close()
	who := h.who(s)
	for _, reg := range h.pack.Registers {
		out = append(out, h.rows(s, reg, who)...)
	}
	conn, err := s.Conn(ctx)
	if err != nil {
		h.t.Fatal(err)
	}
	defer conn.Close()
	for person, name := range who {
		for _, kind := range []string{"pension", "unemployment"} {
			months, err := fact.Months(ctx, conn, s, h.pack, fact.Person(person), []string{kind})
			if err != nil {
				h.t.Fatal(err)
			}
			for _, m := range months {
				out = append(out, fmt.Sprintf("months of %s: %s %d-%02d %s %s", name, kind, m.Index/12, m.Index%12+1, m.Quality, m.USCC))
			}
		}
	}
	if asked == everything {
		out = append(out, h.findings(asOf, who)...)
	}
	slices.Sort(out)
	return out
}

// rows are the rows of a register as text.
func (h *past) rows(s *lake.Snapshot, reg *pack.Register, who map[int64]string) (out []string) {
	h.t.Helper()
	src, ok := s.Source(reg.Name, lake.Ways(reg.Ways()))
	if !ok {
		return nil
	}
	if reg.About == "person" {
		identity, _ := s.Identity()
		src = "(SELECT i.person AS _person, x.* FROM " + src + " x JOIN " + identity + " i USING (holder))"
	}
	identity, have := s.Identity()
	if have && reg.Name == "roster" { // a spouse is a holder too
		src = "(SELECT x.* REPLACE (i.person AS spouse) FROM " + src + " x LEFT JOIN " + identity + " i ON i.holder = x.spouse)"
	}
	rows, err := s.QueryContext(h.t.Context(), "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM "+src)
	if err != nil {
		h.t.Fatal(err)
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		h.t.Fatal(err)
	}
	for rows.Next() {
		cells, into := make([]*string, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			h.t.Fatal(err)
		}
		line := []string{"row of " + reg.Name + ":"}
		for i, n := range names {
			switch {
			case n == "holder" || n == "seq" || cells[i] == nil:
			case n == "_person" || n == "spouse":
				person, _ := strconv.ParseInt(*cells[i], 10, 64)
				line = append(line, n+"="+who[person])
			default:
				line = append(line, n+"="+*cells[i])
			}
		}
		slices.Sort(line[1:])
		out = append(out, strings.Join(line, " "))
	}
	if err := rows.Err(); err != nil {
		h.t.Fatal(err)
	}
	return out
}

// findings are all findings as of a day, and the counts of each policy.
func (h *past) findings(asOf calendar.Day, who map[int64]string) (out []string) {
	h.t.Helper()
	name := filepath.Join(h.t.TempDir(), "all.csv")
	run, err := finding.Screen(h.t.Context(), h.lake, h.pack, finding.Request{On: pastOn, AsOf: asOf, Out: name, All: true})
	if err != nil {
		h.t.Fatal(err)
	}
	out = append(out, fmt.Sprintf("people: %d", run.People))
	for _, c := range run.Policies {
		out = append(out, fmt.Sprintf("counts: %+v", c))
	}
	f, err := os.Open(name)
	if err != nil {
		h.t.Fatal(err)
	}
	defer f.Close()
	lines, err := csv.NewReader(f).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	for _, l := range lines[1:] {
		person, err := fact.ParsePerson(l[0])
		if err != nil {
			h.t.Fatal(err)
		}
		if l[2] == l[0] {
			l[2] = ""
		}
		l[0] = who[int64(person)]
		out = append(out, "finding: "+strings.Join(l, " "))
	}
	return out
}

// whole loads the whole history as it came, netting and screening in between as an office does.
func whole(t *testing.T, p *pack.Pack, all []sent, seed uint64) *past {
	t.Helper()
	h := newPast(t, p)
	r := rand.New(rand.NewPCG(seed, 2))
	for i := range all {
		h.take(all, i)
		if r.IntN(5) == 0 {
			if err := fact.Net(t.Context(), h.lake, p); err != nil {
				t.Fatal(err)
			}
		}
	}
	return h
}

// asIfReceivedBy is a home that was given only what had been received by a day.
func asIfReceivedBy(t *testing.T, p *pack.Pack, all []sent, places []int) *past {
	t.Helper()
	h := newPast(t, p)
	for _, i := range places {
		h.take(all, i)
	}
	return h
}

// What a home answers as of a day is what a home answers that was given only the deliveries received by then: in the order in which they came, in the
// order in which this one loaded them, and, since a correction stands with what it corrects, with every row right from the start that was corrected by
// then.
//
// Two things are not of a day, and the histories leave them out. The same bytes are one delivery, of the day that was said of them first: bytes that
// come again are not loaded, be it with an earlier day or after something else was received. And a row that is refused twice in the same words waits
// once, under the number of the delivery that was loaded first, so its correction stands with that one.
func TestThePastIsWhatHadBeenReceived(t *testing.T) {
	p := pastPack(t)
	seed, histories := uint64(2), 1 // with somebody eligible, and late files and corrections that say otherwise
	if os.Getenv("BOLE_FULL") == "1" {
		histories = 60
	}
	if s := os.Getenv("BOLE_SEED"); s != "" {
		n, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		seed, histories = n, 1
	}
	eligible := false
	for i := range histories {
		seed := seed + uint64(i)
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { eligible = compareThePast(t, p, seed) || eligible })
	}
	if os.Getenv("BOLE_SEED") == "" && !eligible && !t.Failed() {
		t.Error("nobody is ever eligible: the test is blind there")
	}
}

// compareThePast compares the homes of one history; it reports whether anybody was found eligible in the end.
func compareThePast(t *testing.T, p *pack.Pack, seed uint64) bool {
	full := os.Getenv("BOLE_FULL") == "1"
	all := drawHistory(seed, map[bool]int{true: 20, false: 14}[full])
	r := rand.New(rand.NewPCG(seed, 3))
	defer func() {
		if t.Failed() {
			t.Logf("BOLE_SEED=%d\n%s", seed, tell(all))
		}
	}()
	home := whole(t, p, all, seed)
	differ := func(day calendar.Day, asked asked, from string, want []string) {
		t.Helper()
		if d := apart(want, home.answers(day, asked)); d != "" {
			t.Fatalf("as of %s: the home differs (-%s +this one):\n%s", day, from, d)
		}
	}
	order := inOrder(all, 99991231)
	differ(all[order[0]].received.AddDays(-1), everything, "an empty home", newPast(t, p).answers(0, everything))
	twin := newPast(t, p)
	for n, i := range order {
		twin.take(all, i)
		day, next := all[i].received, calendar.Day(99991231)
		if n+1 < len(order) {
			next = all[order[n+1]].received
		}
		if next == day {
			continue
		}
		asked := rowsAndMonths
		if full || r.IntN(2) == 0 {
			asked = everything
		}
		want := twin.answers(0, asked)
		differ(day, asked, "in the order of receipt", want)
		if (full || r.IntN(3) == 0) && next > day.AddDays(1) {
			differ(next.AddDays(-1), asked, "in the order of receipt, the day before the next", want)
		}
	}
	now := home.answers(0, everything)
	same := func(from string, want []string) {
		t.Helper()
		if d := apart(want, now); d != "" {
			t.Fatalf("now: the home differs (-%s +this one):\n%s", from, d)
		}
	}
	same("in the order of receipt", twin.answers(0, everything))
	right := rightFrom(all, 99991231)
	same("right from the start", asIfReceivedBy(t, p, right, inOrder(right, 99991231)).answers(0, everything))
	day := all[order[len(order)/4+r.IntN(len(order)/2)]].received
	var loaded []int
	for i, f := range all {
		if f.received <= day {
			loaded = append(loaded, i)
		}
	}
	differ(day, everything, "in the order of loading", asIfReceivedBy(t, p, all, loaded).answers(0, everything))
	if full {
		right = rightFrom(all, day)
		differ(day, everything, "right from the start", asIfReceivedBy(t, p, right, inOrder(right, day)).answers(0, everything))
	}
	return slices.ContainsFunc(now, func(l string) bool { return strings.HasPrefix(l, "finding: ") && strings.Contains(l, " eligible ") })
}

// apart lists the lines that only one of two answers has, or has more often.
func apart(want, got []string) string {
	var d []string
	for _, l := range want {
		if !slices.Contains(got, l) {
			d = append(d, "- "+l)
		}
	}
	for _, l := range got {
		if !slices.Contains(want, l) {
			d = append(d, "+ "+l)
		}
	}
	if d == nil {
		return gocmp.Diff(want, got)
	}
	return strings.Join(d, "\n")
}

// tell is a history for people.
func tell(all []sent) string {
	var b strings.Builder
	for i, f := range all {
		fmt.Fprintf(&b, "%d: %s received %s bars %v\n", i, f.register, f.received, f.bars)
		if f.register == "contributions" && len(f.rows) > 30 {
			fmt.Fprintf(&b, "  %d rows\n", len(f.rows))
			continue
		}
		for _, r := range f.rows {
			fmt.Fprintf(&b, "  %s\n", strings.Join(r.wrote, ","))
		}
		for _, m := range f.mends {
			fmt.Fprintf(&b, "  mends %d.%d: %s\n", m.file, m.row+1, strings.Join(m.fields, ","))
		}
	}
	return b.String()
}
