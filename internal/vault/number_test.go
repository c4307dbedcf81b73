package vault

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bole/internal/calendar"
	"bole/internal/money"
	"github.com/google/go-cmp/cmp"
)

func TestNumbersAreReadByTheRulesOfTheirKind(t *testing.T) {
	for _, c := range []struct {
		in, kind string
		want     Number
	}{
		{"11010519491231002X", "", Number{KindResident, "11010519491231002X", 19491231, "female"}}, // the example of GB 11643
		{"11010519491231002x", KindResident, Number{KindResident, "11010519491231002X", 19491231, "female"}},
		{"110105491231002", "", Number{KindResident, "11010519491231002X", 19491231, "female"}},
		{" 110105 19491231 002X ", "", Number{KindResident, "11010519491231002X", 19491231, "female"}},
		{"'11010519491231002X", "", Number{KindResident, "11010519491231002X", 19491231, "female"}},
		{"440308199901101512", "", Number{KindResident, "440308199901101512", 19990110, "male"}},
		{"110105960229997", "", Number{KindResident, "110105189602299973", 18960229, "male"}}, // over a hundred when it was given
		{"110105189602299973", "", Number{KindResident, "110105189602299973", 18960229, "male"}},
		{"110105960229995", "", Number{KindResident, "110105199602299956", 19960229, "male"}},
		{"81000019980902013X", "", Number{KindHKMacaoResidence, "81000019980902013X", 19980902, "male"}},
		{"830000199201300022", KindResident, Number{KindTaiwanResidence, "830000199201300022", 19920130, "female"}},
		{"911124198108030024", "", Number{KindForeignPermanent, "911124198108030024", 19810803, "female"}}, // the specimens of the notice
		{"932682198501010017", KindForeignPermanent, Number{KindForeignPermanent, "932682198501010017", 19850101, "male"}},
		{"can110081080302", "", Number{Kind: KindForeignPermanent, Normal: "CAN110081080302"}},
		{"CAN110081080302", KindForeignPermanent, Number{Kind: KindForeignPermanent, Normal: "CAN110081080302"}},
		{"H12345678", KindHKMacaoPermit, Number{Kind: KindHKMacaoPermit, Normal: "H12345678"}},
		{"m1234567802", "", Number{Kind: KindHKMacaoPermit, Normal: "M12345678"}},
		{"12345678", KindTaiwanPermit, Number{Kind: KindTaiwanPermit, Normal: "12345678"}},
		{"1234567801(B)", KindTaiwanPermit, Number{Kind: KindTaiwanPermit, Normal: "12345678"}},
		{"1234567801", KindTaiwanPermit, Number{Kind: KindTaiwanPermit, Normal: "12345678"}},
		{"e12345678", KindPassport, Number{Kind: KindPassport, Normal: "E12345678"}}, // no 1.2E+8
		{"A123456(3)", "", Number{Kind: KindHKID, Normal: "A123456(3)"}},
		{"a123456（3）", KindHKID, Number{Kind: KindHKID, Normal: "A123456(3)"}},
		{"A1234563", KindHKID, Number{Kind: KindHKID, Normal: "A123456(3)"}},
		{"AB123456(9)", "", Number{Kind: KindHKID, Normal: "AB123456(9)"}},
		{"A123456789", "", Number{Kind: KindTaiwanID, Normal: "A123456789", Sex: "male"}},
		{"B221690311", KindTaiwanID, Number{Kind: KindTaiwanID, Normal: "B221690311", Sex: "female"}},
	} {
		got, fault := ParseNumber(c.in, c.kind)
		if fault != "" || got != c.want {
			t.Errorf("ParseNumber(%q, %q): %s %s", c.in, c.kind, fault, cmp.Diff(c.want, got))
		}
	}
}

func TestWrongNumbersSayWhatIsWrong(t *testing.T) {
	for _, c := range []struct{ in, kind, want string }{
		{"", "", "reject.id_length"},
		{"110105194912310021", "", "reject.id_check"},
		{"1101051949123100", "", "reject.id_length"},
		{"1101051949123100211", "", "reject.id_length"},
		{"12345678", "", "reject.id_length"}, // a Taiwan permit must say so
		{"1234567801", "", "reject.id_length"},
		{"E12345678", "", "reject.id_length"}, // and a passport
		{"H12345678", "", "reject.id_length"}, // a permit, or a passport of Hong Kong
		{"A1234563", "", "reject.id_length"},  // a Hong Kong card, or a passport
		{"a123456789", "", "reject.id_length"},
		{"915105491231002", "", "reject.id_length"}, // 15 digits were residents' only
		{"1101O519491231002X", "", "reject.id_characters"},
		{"11010549123100X", "", "reject.id_characters"},
		{"1101051949123100X2", "", "reject.id_characters"},
		{"CAN11008108030A", "", "reject.id_characters"},
		{"CAN110081080302", KindResident, "reject.id_characters"},
		{"张三李四王五", "", "reject.id_characters"}, // 18 bytes
		{"110105494931002", "", "reject.id_birth"},
		{"110105000229997", "", "reject.id_birth"}, // 1800 had no 29 February
		{"3.71502E+17", "", "reject.excel_number"},
		{"6.2e+18", KindPassport, "reject.excel_number"},
		{"11010519491231002X", KindForeignPermanent, "reject.id_form"},
		{"11010519491231002X", KindPassport, "reject.id_form"},
		{"JUSTIN", KindPassport, "reject.id_form"},
		{"H1234567", KindHKMacaoPermit, "reject.id_form"},
		{"C12345678", KindHKMacaoPermit, "reject.id_form"},
		{"123456789", KindTaiwanPermit, "reject.id_form"},
		{"A123456(3", KindHKID, "reject.id_form"},
		{"A123456(4)", "", "reject.id_check"},
		{"A123456788", "", "reject.id_check"},
		{"A323456789", KindTaiwanID, "reject.id_form"},
		{"11010519491231002X", "driving_licence", "reject.id_kind"},
	} {
		if got, fault := ParseNumber(c.in, c.kind); fault != c.want || got != (Number{}) {
			t.Errorf("ParseNumber(%q, %q) = %+v, %q; want %s", c.in, c.kind, got, fault, c.want)
		}
	}
}

// A slip in a resident's number must be found, not read as another document: one digit wrong, left out or typed twice.
func TestNoSlipMakesAnotherDocument(t *testing.T) {
	const sound = "110105194912310038"
	for i := range sound {
		slips := []string{sound[:i] + sound[i+1:], sound[:i+1] + sound[i:]}
		for _, other := range "0123456789ABEHMOX" {
			slips = append(slips, sound[:i]+string(other)+sound[i+1:])
		}
		for _, s := range slips {
			if n, fault := ParseNumber(s, ""); fault == "" && s != sound {
				t.Errorf("%s passes as %+v", s, n)
			}
		}
	}
}

func TestLikeNumber(t *testing.T) {
	for s, want := range map[string]bool{
		"11010519491231002X":   true,
		"110105194912310021":   true, // a wrong check digit
		"110105 19491231 002x": true,
		"110105491231002":      true,
		"915105491231002":      true,
		"81000019980902013X":   true,
		"810000199809020131":   true,
		"911124198108030024":   true,
		"CAN110081080302":      true,
		"110105194913310021":   false, // no such day
		"91371500MA3C0DEF0X":   false,
		"105001201805001234":   false, // a diploma
		"H12345678":            false, // short forms, which codes have by chance
		"A123456789":           false,
		"":                     false,
	} {
		if got := LikeNumber(s); got != want {
			t.Errorf("LikeNumber(%q) = %v", s, got)
		}
	}
}

func FuzzParseNumber(f *testing.F) {
	kinds := []string{"", KindResident, KindHKMacaoResidence, KindTaiwanResidence, KindForeignPermanent, KindHKMacaoPermit, KindTaiwanPermit,
		KindPassport, KindHKID, KindTaiwanID}
	for i, s := range []string{"11010519491231002X", "110105960229997", " '81000019980902013X", "1", "can110081080302", "m1234567802", "1234567801(B)",
		"e12345678", "a123456（3）", "A123456789", "6.2E+18"} {
		f.Add(s, uint8(i))
	}
	f.Fuzz(func(t *testing.T, s string, i uint8) {
		kind := kinds[int(i)%len(kinds)]
		n, fault := ParseNumber(s, kind)
		if fault != "" {
			return
		}
		if again, fault := ParseNumber(n.Normal, n.Kind); fault != "" || again != n {
			t.Errorf("%+v is read again as %+v, %q", n, again, fault)
		}
		if n.Normal == "" || !slices.Contains(kinds[1:], n.Kind) {
			t.Errorf("ParseNumber(%q, %q) = %+v", s, kind, n)
		}
		if len(n.Normal) >= 15 && !LikeNumber(s) {
			t.Errorf("%q is a number and not like one", s)
		}
	})
}

func FuzzSpellings(f *testing.F) {
	for _, s := range []string{"+86 138-0013-8000", "(0635)8211235转102", "6222 0260-0670535421 7", "阿依古丽 ・ 买买提", "李　四", "J. Smith", "''1", "· .", "Ａ．"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if name := CleanName(s); CleanName(name) != name {
			t.Errorf("CleanName(%q) = %q, and then %q", s, name, CleanName(name))
		}
		phone, ok := ParsePhone(s)
		if again, okAgain := ParsePhone(phone); again != phone || okAgain != ok {
			t.Errorf("ParsePhone(%q) = %q, %v; and then %q, %v", s, phone, ok, again, okAgain)
		}
		account, fault := ParseAccount(s)
		if again, faultAgain := ParseAccount(account); fault == "" && (again != account || faultAgain != "") {
			t.Errorf("ParseAccount(%q) = %q, and then %q", s, account, again)
		}
		code, _, _ := CreditCode(s)
		if again, _, _ := CreditCode(code); len(code) == 18 && again != code {
			t.Errorf("CreditCode(%q) = %q, and then %q", s, code, again)
		}
	})
}

func TestAccounts(t *testing.T) {
	for in, want := range map[string]string{"6222 0260 0670 5354 217": "6222026006705354217", "1601-0010-4004-1234-5": "16010010400412345", "'6234567890": "6234567890"} {
		if got, fault := ParseAccount(in); got != want || fault != "" {
			t.Errorf("ParseAccount(%q) = %q, %q", in, got, fault)
		}
	}
	for in, want := range map[string]string{"": "reject.account", "123456789": "reject.account", strings.Repeat("1", 31): "reject.account",
		"62220260O6705354217": "reject.account", "6.22203E+18": "reject.excel_number"} {
		if got, fault := ParseAccount(in); got != "" || fault != want {
			t.Errorf("ParseAccount(%q) = %q, %q; want %s", in, got, fault, want)
		}
	}
}

func TestPhones(t *testing.T) {
	for in, want := range map[string]string{
		"10012345678":         "10012345678", // no real number begins so
		"100 1234 5678":       "10012345678",
		"+86 100-1234-5678":   "10012345678",
		"008610012345678":     "10012345678",
		"8610012345678":       "10012345678",
		"06358211235":         "0635-8211235",
		"(0635) 8211235":      "0635-8211235",
		"+86 635 8211235":     "0635-8211235",
		"+86-0635-8211235":    "0635-8211235",
		"01082112350":         "010-82112350",
		"0635-8211235 转 102":  "0635-8211235-102",
		"（0635）8211235转分机102": "0635-8211235-102",
		"0635-8211235-102":    "0635-8211235-102",
		"8211235":             "8211235",
	} {
		if got, ok := ParsePhone(in); got != want || !ok {
			t.Errorf("ParsePhone(%q) = %q, %v; want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{"", "无", "1001234567", "100123456789", "0635-82112", "1.00123E+10", "+1 212 5550100", "1000000#0000", "0635-8211235-"} {
		if got, ok := ParsePhone(in); got != in || ok {
			t.Errorf("ParsePhone(%q) = %q, %v; want it back as it came", in, got, ok)
		}
	}
}

func TestNamesHaveOneSpelling(t *testing.T) {
	for in, want := range map[string]string{
		"李四":                  "李四",
		"李　四":                 "李四",
		" 李 四 光 ":             "李四光",
		"阿依古丽·买买提":            "阿依古丽·买买提",
		"阿依古丽 ・ 买买提":          "阿依古丽·买买提",
		"阿依古丽•买买提":            "阿依古丽·买买提",
		"阿依古丽‧买买提":            "阿依古丽·买买提",
		"阿依古丽.买买提":            "阿依古丽·买买提",
		"阿依古丽 ．买买提":           "阿依古丽·买买提",
		"阿依古丽●买买提":            "阿依古丽·买买提",
		"德克.维尔纳.诺维茨基":         "德克·维尔纳·诺维茨基",
		"𠮷 田":                 "𠮷田",
		"\ue000 四":            "\ue000四", // a rare character of an older system
		"Kevin  Wayne Durant": "Kevin Wayne Durant",
		"J. Smith":            "J. Smith",
		"李 David":             "李 David",
		"":                    "",
	} {
		if got := CleanName(in); got != want {
			t.Errorf("CleanName(%q) = %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { CleanName("阿依古丽·买买提") }); n != 0 {
		t.Errorf("a clean name costs %v allocations", n)
	}
}

// vector is one published example; Valid is null where its source does not say.
type vector struct {
	Value, Kind, Name, Source, Reason string
	Valid                             *bool
	Strict                            *bool `json:"valid_strict"`   // with the region code looked up, which is not done here
	Check                             *bool `json:"check_digit_ok"` // of a credit code whose registration is unknown
	Expected                          struct{ Birth, Sex, Address, Upgraded18 string }
}

// reference reads a file of the reference data into v; where that is not at hand, the few examples written here.
func reference(t *testing.T, name, few string, v any) {
	t.Helper()
	b := []byte(few)
	if dir := os.Getenv("BOLE_REFDATA"); dir != "" {
		var err error
		if b, err = os.ReadFile(filepath.Join(dir, "vectors", name)); err != nil {
			t.Fatal(err)
		}
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatal(err)
	}
}

// kindsOfVectors are our kinds for those of the published examples, and what a number of theirs must turn out to be.
var kindsOfVectors = map[string]string{
	"resident18": KindResident, "resident15": KindResident, "hk_macao_residence_permit18": KindHKMacaoResidence,
	"taiwan_residence_permit18": KindTaiwanResidence, "hkid": KindHKID, "taiwan_id": KindTaiwanID,
}

func TestReferenceNumbers(t *testing.T) {
	const few = `{"vectors": [
{"kind": "resident18", "value": "11010519491231002X", "valid": true, "expected": {"birth": "1949-12-31", "sex": "female"}},
{"kind": "resident15", "value": "110105491231002", "valid": true, "expected": {"birth": "1949-12-31", "upgraded18": "11010519491231002X"}},
{"kind": "hk_macao_residence_permit18", "value": "810000194912310020", "valid": false},
{"kind": "taiwan_residence_permit18", "value": "830000194912310020", "valid": false},
{"kind": "hkid", "value": "A123456(4)", "valid": false}, {"kind": "taiwan_id", "value": "a123456789", "valid": false}]}`
	var file struct{ Vectors []vector }
	reference(t, "id_vectors.json", few, &file)
	tried := map[string]int{}
	for _, v := range file.Vectors {
		kind, known := kindsOfVectors[v.Kind]
		if !known {
			t.Errorf("%s: a kind that this test does not know", v.Kind)
			continue
		}
		tried[v.Kind]++
		valid := v.Valid
		if strings.Contains(v.Reason, "address code does not exist") {
			valid = new(true) // its form, day and length are right, and a region code refuses nobody
		}
		for _, stated := range []string{kind, ""} { // one that is right may also be told by its form
			n, fault := ParseNumber(v.Value, stated)
			switch {
			case valid != nil && (fault == "") != *valid:
				t.Errorf("%s as %q (%s): fault %q, want valid %v", v.Value, stated, v.Reason, fault, *valid)
			case fault != "":
			case n.Kind != kind:
				t.Errorf("%s: read as %s", v.Value, n.Kind)
			case v.Expected.Birth != "" && n.Birth.String() != v.Expected.Birth:
				t.Errorf("%s: born %s, want %s", v.Value, n.Birth, v.Expected.Birth)
			case v.Expected.Sex != "" && n.Sex != v.Expected.Sex:
				t.Errorf("%s: %s, want %s", v.Value, n.Sex, v.Expected.Sex)
			case v.Expected.Upgraded18 != "" && n.Normal != v.Expected.Upgraded18:
				t.Errorf("%s: normal form %s, want %s", v.Value, n.Normal, v.Expected.Upgraded18)
			}
		}
	}
	t.Log(tried)
	for kind := range kindsOfVectors {
		if tried[kind] == 0 {
			t.Errorf("no number of kind %s was tried", kind)
		}
	}
}

func TestReferenceCreditCodes(t *testing.T) {
	const few = `{"vectors": [{"value": "91350100M000100Y43", "valid": true}, {"value": "91350100M000100Y44", "valid": false}]}`
	var file struct{ Vectors []vector }
	reference(t, "uscc_vectors.json", few, &file)
	tried := map[bool]int{}
	for _, v := range file.Vectors {
		code, ok, sound := CreditCode(strings.ToLower(v.Value))
		if want := len(v.Value) == 18; ok != want || ok && code != v.Value {
			t.Errorf("%s: read as %s, form %v; one with a wrong check digit is flagged and never refused", v.Value, code, ok)
		}
		for _, want := range []*bool{v.Valid, v.Check} {
			if want == nil {
				continue
			}
			tried[*want]++
			if sound != *want {
				t.Errorf("%s: check digits %v, want %v (%s)", v.Value, sound, *want, v.Reason)
			}
		}
	}
	t.Log(tried)
	if tried[true] == 0 || tried[false] == 0 {
		t.Errorf("sound and unsound codes tried: %v", tried)
	}
}

// Of the shapes that a public list calls right or wrong, those that a register has. Each must take every good one; it may be stricter or
// looser about the rest, since the list looks at the shape alone.
func TestReferenceShapes(t *testing.T) {
	number := func(kind string) func(string) bool {
		return func(s string) bool { _, fault := ParseNumber(s, kind); return fault == "" }
	}
	clean := func(s string) bool { return CleanName(s) == s }
	phone := func(s string) bool { _, ok := ParsePhone(s); return ok }
	day := func(s string) bool { _, err := calendar.Parse(s); return err == nil }
	shapes := map[string]func(string) bool{ // by how the title begins
		"统一社会信用代码": func(s string) bool { _, ok, _ := CreditCode(s); return ok },
		"数字/货币金额":  func(s string) bool { _, err := money.ParseYuan(s); return err == nil },
		"银行卡号":     func(s string) bool { _, fault := ParseAccount(s); return fault == "" },
		"中文姓名":     clean, "英文姓名": clean,
		"手机号(mobile": phone, "座机": phone,
		"日期(严谨":   day,
		"身份证号(1代": number(""),
		"护照":      number(KindPassport),
	}
	const few = `{"shapes_any_rule": [{"title": "统一社会信用代码", "good": ["91350100M000100Y43"]}, {"title": "数字/货币金额", "good": ["-0.99", "12,345,678.90"]},
{"title": "银行卡号", "good": ["6222026006705354217"]}, {"title": "中文姓名", "good": ["凯文·杜兰特"]}, {"title": "英文姓名", "good": ["Kevin Wayne Durant"]},
{"title": "手机号(mobile phone)", "good": ["+8610012345678"]}, {"title": "座机", "good": ["0936-4211235", "010-12345678-1234"]},
{"title": "日期(严谨)", "good": ["2000-02-29"], "bad": ["2021-02-29"]}, {"title": "身份证号(1代)", "good": ["123456991010193"]}, {"title": "护照", "good": ["K25345719"]}],
"bank_card_bin_cases": [{"card": "1031234567890987654", "match": {"length": 19}}]}`
	var file struct {
		Shapes []struct {
			Title     string
			Good, Bad []string
		} `json:"shapes_any_rule"`
		Cards []struct {
			Card  string
			Match *struct{ Length int }
		} `json:"bank_card_bin_cases"`
	}
	reference(t, "misc_vectors.json", few, &file)
	tried := map[string]int{}
	for _, shape := range file.Shapes {
		for title, takes := range shapes {
			if !strings.HasPrefix(shape.Title, title) {
				continue
			}
			for _, s := range shape.Good {
				tried[title]++
				if !takes(s) {
					t.Errorf("%s: %q is refused", shape.Title, s)
				}
			}
			for _, s := range shape.Bad {
				if takes(s) {
					t.Errorf("%s: %q is taken", shape.Title, s)
				}
			}
		}
	}
	for _, c := range file.Cards { // no bank is looked up: a card of no known bank is an account too
		tried["cards"]++
		if got, fault := ParseAccount(c.Card); fault != "" || c.Match != nil && len(got) != c.Match.Length {
			t.Errorf("card %s: %q, %q", c.Card, got, fault)
		}
	}
	t.Log(tried)
	if len(tried) != len(shapes)+1 {
		t.Errorf("of %d shapes and the cards, only %v were tried", len(shapes), tried)
	}
}
