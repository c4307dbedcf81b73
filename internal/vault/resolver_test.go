package vault

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/fault"
	"bole/internal/seal"
	"bole/internal/store/storetest"
	"github.com/google/go-cmp/cmp"
)

// house is a vault with its keys and a temporary folder.
type house struct {
	*Vault
	t    *testing.T
	dir  string
	dsn  string
	keys string
}

// houses runs a test in a vault of its own on each database.
func houses(t *testing.T, f func(*house)) {
	storetest.EachAddress(t, func(t *testing.T, dsn string) { f(newHouse(t, dsn, "sm")) })
}

func newHouse(t *testing.T, dsn, suite string) *house {
	t.Helper()
	dir := t.TempDir()
	h := &house{t: t, dir: dir, dsn: dsn, keys: filepath.Join(dir, "keys")}
	if err := seal.Create(h.keys, suite); err != nil {
		t.Fatal(err)
	}
	h.Vault = openVault(t, dsn, dir)
	return h
}

// openVault opens the vault as another process would.
func openVault(t *testing.T, dsn, dir string) *Vault {
	t.Helper()
	keys, err := seal.Open(filepath.Join(dir, "keys"))
	if err != nil {
		t.Fatal(err)
	}
	return Open(storetest.Open(t, dsn), keys).In(filepath.Join(dir, "tmp"))
}

func (h *house) resolver() *Resolver {
	h.t.Helper()
	r, err := h.Resolver(h.t.Context())
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func (h *house) save(r *Resolver) {
	h.t.Helper()
	if err := h.db.Tx(h.t.Context(), func(tx *sql.Tx) error { return r.Save(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
	r.Saved()
}

func (h *house) want(holder int64, want Record) {
	h.t.Helper()
	got, err := h.Unseal(h.t.Context(), holder)
	if err != nil || got != want {
		h.t.Errorf("holder %d: %+v, %v; want %+v", holder, got, err, want)
	}
}

func (h *house) find(asked Record) []int64 {
	h.t.Helper()
	ids, err := h.Find(h.t.Context(), asked)
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func (h *house) count(query string) (n int) {
	h.t.Helper()
	if err := h.db.QueryRow(query).Scan(&n); err != nil {
		h.t.Fatal(err)
	}
	return n
}

// resident is an invented number that names somebody.
func resident(i int) string { return fmt.Sprintf("3715021990%08d", i) }

func TestHoldersAreSealedAndFoundAgain(t *testing.T) {
	houses(t, func(h *house) {
		ctx := t.Context()
		r := h.resolver()
		lost := r.Holder(Record{Number: resident(1), Name: "未存"}, 0)
		if err := r.Refresh(ctx); err != nil { // the load failed: nothing was saved
			t.Fatal(err)
		}
		rec := Record{Number: resident(2), Name: "植名甲", Phone: "10012345678", Account: "100200300400500"}
		id := r.Holder(rec, SettlesName)
		if id != lost {
			t.Errorf("an id was used up by a load that failed: %d after %d", id, lost)
		}
		if again := r.Holder(rec, 0); again != id {
			t.Errorf("the same number names %d and %d", id, again)
		}
		h.save(r)
		h.want(id, rec)
		r = h.resolver()
		if got := r.Holder(Record{Number: rec.Number}, 0); got != id || r.Added() != 0 {
			t.Errorf("found %d again as %d", id, got)
		}
		if ids := h.find(Record{Number: resident(1)}); ids != nil {
			t.Errorf("what was not saved is found: %v", ids)
		}
		if _, err := h.Unseal(ctx, 99); fault.KindOf(err) != fault.NotFound {
			t.Errorf("a holder that does not exist: %v", err)
		}
	})
}

func TestTheDatabaseHoldsNothingInTheClear(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "sm")
	r := h.resolver()
	rec := Record{Number: resident(1), Name: "植名甲", Phone: "10012345678", Account: "100200300400500"}
	other := Record{Number: "E10000001", Kind: "passport", Name: "植名乙"}
	r.Join(r.Holder(rec, 0), r.Holder(other, 0))
	h.save(r)
	if _, err := h.db.Exec(`PRAGMA wal_checkpoint(TRUNCATE)`); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(h.dsn)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{rec.Number, "植名", rec.Phone, rec.Account, other.Number, other.Kind} {
		if bytes.Contains(b, []byte(secret)) {
			t.Errorf("the database holds a personal datum in clear")
		}
	}
}

func TestARegisterSettlesItsPartsOnly(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		was := Record{Number: resident(1), Name: "植名甲", Phone: "10012345678", Account: "100200300"}
		id := r.Holder(was, 0)
		still := r.Holder(Record{Number: resident(2), Name: "植名丙", Phone: "10012345678"}, 0)
		h.save(r)

		r.Holder(Record{Number: resident(1), Name: "植名乙", Phone: "10087654321", Account: "9"}, SettlesName)
		h.save(r)
		want := was
		want.Name = "植名乙"
		h.want(id, want)

		// Several words on one holder in one load: the later stands; silence settles nothing.
		r.Holder(Record{Number: resident(1), Phone: "10000000000"}, SettlesPhone)
		r.Holder(Record{Number: resident(1), Phone: "10087654321", Account: "100200301"}, SettlesPhone|SettlesAccount)
		r.Holder(Record{Number: resident(1)}, SettlesName|SettlesPhone|SettlesAccount)
		h.save(r)
		want.Phone, want.Account = "10087654321", "100200301"
		h.want(id, want)
		for _, tt := range []struct {
			asked Record
			want  []int64
		}{
			{Record{Phone: was.Phone}, []int64{still}},
			{Record{Phone: "10000000000"}, nil},
			{Record{Phone: want.Phone}, []int64{id}},
			{Record{Account: was.Account}, nil},
			{Record{Account: want.Account}, []int64{id}},
			{Record{Number: want.Number, Phone: was.Phone}, []int64{id, still}},
			{Record{}, nil},
		} {
			if got := h.find(tt.asked); !slices.Equal(got, tt.want) {
				t.Errorf("%+v finds %v, want %v", tt.asked, got, tt.want)
			}
		}
		changes := h.count(`SELECT count(*) FROM vault_change`)
		r.Holder(want, SettlesName|SettlesPhone|SettlesAccount)
		h.save(r)
		if n := h.count(`SELECT count(*) FROM vault_change`); n != changes || n != 2 {
			t.Errorf("%d changes on record, %d before a load that changed nothing", n, changes)
		}
	})
}

func TestOnlyWhatIsNewIsTaken(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		a, b := r.Holder(Record{Number: resident(1), Name: "甲"}, 0), r.Holder(Record{Number: resident(2), Name: "乙"}, 0)
		h.save(r)
		r.Holder(Record{Number: resident(1), Name: "甲甲"}, SettlesName)
		r.Holder(Record{Number: resident(2), Name: "乙乙"}, SettlesName)
		r.Only(map[int64]bool{b: true})
		h.save(r)
		h.want(a, Record{Number: resident(1), Name: "甲"})
		h.want(b, Record{Number: resident(2), Name: "乙乙"})
		r.Holder(Record{Number: resident(1), Name: "甲甲"}, SettlesName)
		h.save(r) // and the next load is not bound by it
		h.want(a, Record{Number: resident(1), Name: "甲甲"})
	})
}

func TestKindsOfNumbersNeverMeet(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		recs := []Record{{Number: "E10000001"}, {Number: "E10000001", Kind: "passport"}, {Number: "E10000001", Kind: "permit"}, {Number: "passport:E10000001"}}
		for i, rec := range recs {
			if id := r.Holder(rec, 0); id != int64(i+1) {
				t.Errorf("%+v is holder %d", rec, id)
			}
		}
		h.save(r)
		r = h.resolver()
		for i, rec := range recs {
			if id := r.Holder(rec, 0); id != int64(i+1) {
				t.Errorf("%+v is found as holder %d", rec, id)
			}
			if ids := h.find(rec); !slices.Equal(ids, []int64{int64(i + 1)}) {
				t.Errorf("%+v finds %v", rec, ids)
			}
		}
	})
}

// Many people and many words on known ones, over batches, statements and the file of the spool.
func TestManyPeopleGoThroughTheSpool(t *testing.T) {
	houses(t, func(h *house) {
		const n = 2*bulkRows + 3*batchItems + 7
		r := h.resolver()
		for i := range n {
			if id := r.Holder(Record{Number: resident(i), Name: fmt.Sprintf("甲%d", i), Phone: fmt.Sprintf("100%08d", i/2)}, 0); id != int64(i+1) {
				t.Fatalf("holder %d, want %d", id, i+1)
			}
			if i == n/2 { // as after eight megabytes
				if err := r.spool.finish(); err != nil {
					t.Fatal(err)
				}
				if err := r.spool.spill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if left, _ := os.ReadDir(filepath.Join(h.dir, "tmp")); len(left) != 0 {
			t.Errorf("the spool has a name: %v", left)
		}
		b := make([]byte, 1<<20)
		k, err := r.spool.file.ReadAt(b, 0)
		if k == 0 || bytes.Contains(b, []byte("371502199000")) || bytes.Contains(b, []byte(`"person_name":"甲`)) {
			t.Errorf("the spool holds %d bytes, %v, or something in the clear", k, err)
		}
		h.save(r)
		for _, i := range []int{0, 1, n / 2, n - 1} {
			h.want(int64(i+1), Record{Number: resident(i), Name: fmt.Sprintf("甲%d", i), Phone: fmt.Sprintf("100%08d", i/2)})
		}
		if got := h.count(`SELECT count(*) FROM vault_index`); got != 2*n {
			t.Errorf("%d index rows, want %d", got, 2*n)
		}
		for i := range n {
			r.Holder(Record{Number: resident(i), Name: fmt.Sprintf("乙%d", i/3)}, SettlesName)
		}
		h.save(r)
		h.want(n, Record{Number: resident(n - 1), Name: fmt.Sprintf("乙%d", (n-1)/3), Phone: fmt.Sprintf("100%08d", (n-1)/2)})
		if got := h.count(`SELECT count(*) FROM vault_change`); got != n {
			t.Errorf("%d changes, want %d", got, n)
		}
		if got := h.count(`SELECT count(*) FROM vault_index`); got != 2*n {
			t.Errorf("%d index rows after changes of names, want %d", got, 2*n)
		}
	})
}

// A transaction that has to run again saves the same.
func TestSaveMayRunAgain(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		a := r.Holder(Record{Number: resident(1), Name: "甲"}, 0)
		h.save(r)
		r.Holder(Record{Number: resident(1), Name: "甲甲"}, SettlesName)
		b := r.Holder(Record{Number: "E1", Kind: "passport"}, 0)
		r.Join(a, b)
		again := errors.New("again")
		if err := h.db.Tx(t.Context(), func(tx *sql.Tx) error {
			return errors.Join(r.Save(t.Context(), tx), again)
		}); !errors.Is(err, again) {
			t.Fatal(err)
		}
		h.want(a, Record{Number: resident(1), Name: "甲"})
		h.save(r)
		h.want(a, Record{Number: resident(1), Name: "甲甲"})
		h.want(b, Record{Number: "E1", Kind: "passport"})
		if got := h.persons(); got != "2=1@0" {
			t.Errorf("persons %s", got)
		}
	})
}

// A load that cannot seal says so when it saves, and the next one is not held up.
func TestAFullDiskIsSaidAtSave(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "aes")
	if err := os.WriteFile(filepath.Join(h.dir, "tmp"), nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	r := h.resolver()
	long := strings.Repeat("甲", 50_000)
	for i := range 200 {
		r.Holder(Record{Number: resident(i), Name: long}, 0)
	}
	if err := h.db.Tx(t.Context(), func(tx *sql.Tx) error { return r.Save(t.Context(), tx) }); err == nil {
		t.Fatal("saved although nothing could be kept")
	}
	if err := r.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := r.Holder(Record{Number: resident(1)}, 0)
	h.save(r)
	h.want(id, Record{Number: resident(1)})
}

func (h *house) persons() string {
	h.t.Helper()
	var out []string
	if err := h.Persons(h.t.Context(), collect(&out)); err != nil {
		h.t.Fatal(err)
	}
	return strings.Join(out, " ")
}

func collect(out *[]string) func(holder, person int64, known calendar.Day) error {
	return func(holder, person int64, known calendar.Day) error {
		*out = append(*out, fmt.Sprintf("%d=%d@%d", holder, person, known))
		return nil
	}
}

func TestNumbersOfOnePersonAreJoined(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		r.Receive(7, 20240110)
		holder := func(number, kind string) int64 { return r.Holder(Record{Number: number, Kind: kind}, 0) }
		passport, permit, wang, li, officer := holder("E1", "passport"), holder("H1", "permit"), holder(resident(1), ""), holder(resident(2), ""), holder("J1", "officer")
		for _, tt := range []struct {
			a, b int64
			want bool
			n    int
		}{
			{permit, wang, true, 1},
			{wang, permit, true, 1}, // the same again
			{wang, wang, true, 1},
			{li, wang, false, 1},
			{li, permit, false, 1}, // nor through another number
			{passport, permit, true, 2},
			{li, passport, false, 2},
			{officer, li, true, 3},
			{officer, passport, false, 3},
		} {
			if got := r.Join(tt.a, tt.b); got != tt.want || r.Joined() != tt.n {
				t.Errorf("%d and %d: %v with %d said, want %v with %d", tt.a, tt.b, got, r.Joined(), tt.want, tt.n)
			}
		}
		if r.Person(wang) != passport || r.Person(officer) != li || r.Person(li) != li {
			t.Errorf("wang is %d, the officer %d", r.Person(wang), r.Person(officer))
		}
		const want = "2=1@20240110 3=1@20240110 5=4@20240110"
		var before []string
		if err := r.Identity(collect(&before)); err != nil || strings.Join(before, " ") != want {
			t.Errorf("before it is saved: %v, %v", before, err)
		}
		if got := h.persons(); got != "" {
			t.Errorf("others see %s already", got)
		}
		h.save(r)
		if got := h.persons(); got != want {
			t.Errorf("persons %s, want %s", got, want)
		}
		r = h.resolver() // and it is remembered which number is a resident's
		r.Receive(8, 20240210)
		if r.Join(passport, li) || !r.Join(passport, permit) || r.Joined() != 0 {
			t.Error("another process judges otherwise")
		}
	})
}

// A merge of two groups and a delivery that came late: as of each day the map is what the deliveries received by then say.
func TestIdentityIsDated(t *testing.T) {
	houses(t, func(h *house) {
		r := h.resolver()
		for i := range 5 {
			r.Holder(Record{Number: fmt.Sprint(i), Kind: "k"}, 0)
		}
		h.save(r)
		load := func(delivery int64, day calendar.Day, pairs ...[2]int64) {
			t.Helper()
			if err := r.Refresh(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.Receive(delivery, day)
			for _, p := range pairs {
				if !r.Join(p[0], p[1]) {
					t.Errorf("%v was not joined", p)
				}
			}
			h.save(r)
		}
		load(1, 20240101, [2]int64{4, 5})
		load(2, 20240301, [2]int64{3, 2}, [2]int64{2, 1}, [2]int64{5, 3})
		const want = "2=1@20240301 3=1@20240301 4=1@20240301 5=4@20240101 5=1@20240301"
		if got := h.persons(); got != want {
			t.Errorf("persons\n%s, want\n%s", got, want)
		}
		load(3, 20240201, [2]int64{5, 2}, [2]int64{4, 5}) // late: the second pair was known by then, the first was not
		if n := h.count(`SELECT count(*) FROM vault_identity WHERE delivery = 3`); n != 1 {
			t.Errorf("%d statements of the late delivery, want 1", n)
		}
		want2 := "2=1@20240301 3=1@20240301 4=2@20240201 4=1@20240301 5=4@20240101 5=2@20240201 5=1@20240301"
		if got := h.persons(); got != want2 {
			t.Errorf("after a late delivery\n%s\nwant\n%s", got, want2)
		}
	})
}

// However statements fall on days, the map of a day is the groups of the statements known by then.
func TestReplayAgreesWithGroups(t *testing.T) {
	all := []statement{}
	for i := range int64(40) {
		a, b := (i*7)%23, (i*i*5+3)%23
		if a != b {
			all = append(all, statement{max(a, b), min(a, b), calendar.Day(20240101 + (i*11)%9), i})
		}
	}
	for day := calendar.Day(20240100); day < 20240112; day++ {
		g := newGroups()
		for _, s := range all {
			if s.known <= day {
				g.unite(s.holder, s.person)
			}
		}
		want, got := map[int64]int64{}, map[int64]int64{}
		for h := range int64(23) {
			want[h], got[h] = g.person(h), h
		}
		if err := replay(all, func(holder, person int64, known calendar.Day) error {
			if known <= day {
				got[holder] = person
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("on %d (-want +got):\n%s", day, diff)
		}
	}
}

func TestOthersHoldersAreLearned(t *testing.T) {
	houses(t, func(h *house) {
		r, s := h.resolver(), h.resolver()
		a := r.Holder(Record{Number: resident(1)}, 0)
		h.save(r)
		if err := s.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.Holder(Record{Number: resident(1)}, 0); got != a || s.Added() != 0 || s.Last() != 1 {
			t.Errorf("holder %d of %d, %d added", got, s.Last(), s.Added())
		}
		ids := []int64{s.Holder(Record{Number: resident(2)}, 0), s.Holder(Record{Number: resident(3)}, 0)}
		if !slices.Equal(ids, []int64{2, 3}) || s.Added() != 2 {
			t.Errorf("new holders %v, %d added", ids, s.Added())
		}
	})
}
