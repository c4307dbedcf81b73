package vault

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"bole/internal/store/storetest"
	"github.com/mozillazg/go-pinyin"
)

// named makes holders of these names, numbered from 1, with phone 100 and number resident(i) each.
func (h *house) named(names ...string) *Names {
	h.t.Helper()
	r := h.resolver()
	for i, name := range names {
		r.Holder(Record{Number: resident(i + 1), Name: name, Phone: fmt.Sprintf("1001234%04d", i+1)}, 0)
	}
	h.save(r)
	n, err := OpenNames(h.t.Context(), h.Vault, time.Now)
	if err != nil {
		h.t.Fatal(err)
	}
	return n
}

func found(ms []Match) string {
	var out []string
	for _, m := range ms {
		out = append(out, m.Name+"/"+m.By)
	}
	return strings.Join(out, " ")
}

func TestPeopleAreFoundByWhatIsKnownOfThem(t *testing.T) {
	houses(t, func(h *house) {
		n := h.named("王小明", "王明", "汪晓敏", "吕明王", "欧阳小明", "Anna Brandt", "阿依古丽·买买提", "")
		for query, want := range map[string]string{
			"":                        "",
			"  ":                      "",
			"王明":                      "王明/name",
			"王":                       "王小明/name 王明/name 吕明王/name",
			"小明":                      "王小明/name 欧阳小明/name",
			"wang":                    "王小明/pinyin 王明/pinyin 汪晓敏/pinyin 吕明王/pinyin",
			"Wang Ming":               "王明/pinyin",
			"wangxiaom":               "王小明/pinyin 汪晓敏/pinyin", // the last syllable begun only
			"xiaoming":                "王小明/pinyin 欧阳小明/pinyin",
			"wxm":                     "王小明/initials 汪晓敏/initials",
			"xm":                      "王小明/initials 汪晓敏/initials 欧阳小明/initials",
			"lv":                      "吕明王/pinyin",
			"lü":                      "吕明王/pinyin",
			"lyuming":                 "吕明王/pinyin",
			"oyxm":                    "欧阳小明/initials",
			"Brandt":                  "Anna Brandt/name",
			"ayguli":                  "",
			"阿依":                      "阿依古丽·买买提/name",
			resident(2):               "王明/number",
			"10012340003":             "汪晓敏/phone",
			"1001234":                 "",
			"zzz":                     "",
			resident(2) + "0":         "",
			"王小明王小明":                  "",
			"wangxiaomingwang":        "",
			"' OR 1=1":                "",
			strings.Repeat("a", 1000): "",
		} {
			if got := found(n.Find(query, nil, 10)); got != want {
				t.Errorf("%q finds %q, want %q", query, got, want)
			}
		}
		odd := func(holder int64) bool { return holder%2 == 1 }
		if got := found(n.Find("wang", odd, 10)); got != "王小明/pinyin 汪晓敏/pinyin" {
			t.Errorf("within a scope: %q", got)
		}
		if got := found(n.Find("wang", nil, 2)); got != "王小明/pinyin 王明/pinyin" {
			t.Errorf("the first two: %q", got)
		}
		if s := n.Size(); s.People != 8 || s.Bytes <= 0 || s.Took <= 0 {
			t.Errorf("size %+v", s)
		}
	})
}

func TestSurnamesSoundAsTheirBearersSayThem(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "aes")
	n := h.named("单田", "仇英", "解晓东", "区建国", "查良", "曾国", "任明", "盖叫天", "朴成", "尉迟恭", "万俟卨", "单于明", "单于", "万俟")
	for query, want := range map[string]string{
		"shantian":    "单田/pinyin",
		"dantian":     "",
		"qiuying":     "仇英/pinyin",
		"xiexiaodong": "解晓东/pinyin",
		"oujianguo":   "区建国/pinyin",
		"zhaliang":    "查良/pinyin",
		"zengguo":     "曾国/pinyin",
		"rming":       "",
		"geji":        "盖叫天/pinyin",
		"gaiji":       "盖叫天/pinyin",
		"piaocheng":   "朴成/pinyin",
		"yuchigong":   "尉迟恭/pinyin",
		"ycg":         "尉迟恭/initials",
		"moqixie":     "万俟卨/pinyin",
		"chanyuming":  "单于明/pinyin",
		"shanyu":      "单于/pinyin",
		"wansi":       "万俟/pinyin",
	} {
		if got := found(n.Find(query, nil, 10)); got != want {
			t.Errorf("%q finds %q, want %q", query, got, want)
		}
	}
}

// A row that says what the dictionary says first anyway is not needed.
func TestEverySurnameOfTheTableIsMisread(t *testing.T) {
	for r, said := range surnames {
		if first := pinyin.SinglePinyin(r, pinyin.NewArgs()); len(said) == 1 && len(first) > 0 && first[0] == said[0] {
			args := pinyin.NewArgs()
			args.Heteronym = true
			all := map[string]bool{}
			for _, p := range pinyin.SinglePinyin(r, args) {
				all[p] = true
			}
			if len(all) == 1 {
				t.Errorf("%c is %s anyway", r, said[0])
			}
		}
	}
}

func TestNamesLearnWhatIsNewAndWhatChanged(t *testing.T) {
	houses(t, func(h *house) {
		ctx := t.Context()
		n := h.named("王小明", "李四")
		r := h.resolver()
		r.Holder(Record{Number: resident(1), Name: "王大明", Phone: "10099999999"}, SettlesName)
		r.Holder(Record{Number: resident(9), Name: "赵新"}, 0)
		h.save(r)
		if got := found(n.Find("王", nil, 9)) + found(n.Find("赵", nil, 9)); got != "王小明/name" {
			t.Errorf("before: %s", got)
		}
		for range 2 {
			if err := n.Refresh(ctx); err != nil {
				t.Fatal(err)
			}
			if got := found(n.Find("王", nil, 9)) + " " + found(n.Find("zhaoxin", nil, 9)) + " " + found(n.Find("10012340001", nil, 9)); got != "王大明/name 赵新/pinyin 王大明/phone" {
				t.Errorf("after: %s", got)
			}
		}
		if s := n.Size(); s.People != 3 {
			t.Errorf("%d people", s.People)
		}
	})
}

// Names of many, so that chunks fill: everybody is found, and a change in an early chunk changes one.
func TestNamesOverManyChunks(t *testing.T) {
	h := newHouse(t, storetest.SQLite(t), "aes")
	var names []string
	for i := range 3000 {
		names = append(names, fmt.Sprintf("甲%c%c", 0x4e00+rune(i/50), 0x5e00+rune(i%50)))
	}
	n := h.named(names...)
	if len(n.chunks) < 3 {
		t.Fatalf("%d chunks", len(n.chunks))
	}
	for _, i := range []int{0, 1, 700, 1500, 2999} {
		r := h.resolver()
		r.Holder(Record{Number: resident(i + 1), Name: "乙" + names[i]}, SettlesName)
		h.save(r)
		if err := n.Refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		names[i] = "乙" + names[i]
	}
	for i, name := range names {
		if ms := n.Find(resident(i+1), nil, 2); len(ms) != 1 || ms[0].Name != name || ms[0].Holder != int64(i+1) {
			t.Fatalf("person %d: %v, want %s", i, ms, name)
		}
	}
}

// memory fills Names without a database.
func memory(people int) *Names {
	n := &Names{sounds: newSounds()}
	given := []rune("伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂")
	family := []rune("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗")
	for i := range people {
		name := string([]rune{family[i%20], given[i/20%24], given[i/480%24]})
		n.put(opened{int64(i + 1), Record{Number: resident(i), Name: name, Phone: fmt.Sprintf("100%08d", i)}})
	}
	n.trim()
	return n
}

func BenchmarkNames(b *testing.B) {
	const people = 1_000_000
	n := memory(people)
	for _, query := range []string{"10000000777", "王芳", "wangfang", "wf"} {
		b.Run(query, func(b *testing.B) {
			for b.Loop() {
				n.Find(query, nil, 20)
			}
			b.ReportMetric(float64(n.size.Bytes)/people, "bytes/person")
		})
	}
}
