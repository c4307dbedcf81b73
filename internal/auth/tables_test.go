package auth

import (
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheTablesAgreeWithEachOther(t *testing.T) {
	var codes, used []string
	for _, p := range Permissions {
		if !regexp.MustCompile(`^[a-z]+\.[a-z]+$`).MatchString(p.Code) || p.Zh == "" || p.En == "" || slices.Contains(codes, p.Code) {
			t.Errorf("permission %+v", p)
		}
		codes = append(codes, p.Code)
	}
	var roles []string
	for _, r := range Roles {
		if r.Zh == "" || r.En == "" || len(r.Scopes) == 0 || slices.Contains(roles, r.Code) {
			t.Errorf("role %+v", r)
		}
		roles = append(roles, r.Code)
		for _, p := range r.May {
			if !slices.Contains(codes, p) {
				t.Errorf("%s may %s, which is no permission", r.Code, p)
			}
		}
		used = append(used, r.May...)
		for _, s := range r.Scopes {
			if _, ok := bodiesOf[s]; !ok || reaches[s] == nil {
				t.Errorf("%s has the scope %s", r.Code, s)
			}
		}
	}
	for _, c := range codes {
		if !slices.Contains(used, c) {
			t.Errorf("nobody may %s", c)
		}
	}
	for _, x := range Exclusions {
		for _, r := range slices.Concat(x.One, x.Other) {
			if roleOf(r) == nil || x.Why.Zh == "" || x.Why.En == "" {
				t.Errorf("exclusion of %s", r)
			}
		}
		for _, r := range x.One {
			if slices.Contains(x.Other, r) {
				t.Errorf("%s excludes itself", r)
			}
		}
	}
}

// Whoever keeps the machine, the accounts or the log has no permission about people, and nobody else has theirs.
func TestThreeAdministratorsShareNothingWithBusiness(t *testing.T) {
	for _, a := range administrators {
		for _, r := range Roles {
			if r.Code != a && excluded(a, r.Code) == nil {
				t.Errorf("%s and %s on one account", a, r.Code)
			}
		}
		for _, p := range roleOf(a).May {
			for _, about := range []string{"person.", "finding.", "delivery.", "policy."} {
				if strings.HasPrefix(p, about) {
					t.Errorf("%s may %s", a, p)
				}
			}
		}
	}
	for _, p := range roleOf("auditor").May {
		if _, verb, _ := strings.Cut(p, "."); !slices.Contains([]string{"read", "list", "verify", "export"}, verb) {
			t.Errorf("the auditor changes something: %s", p)
		}
	}
	if excluded("policy-publisher", "policy-author") == nil || excluded("city-clerk", "finance") == nil || excluded("city-clerk", "leader") != nil {
		t.Error("pairs are not as the table has them")
	}
}

// The published values of RFC 6238, appendix B, for HMAC-SHA-1, and of RFC 4226, appendix D.
func TestOneTimeCodesAreThoseOfTheRFC(t *testing.T) {
	secret := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130"} {
		if got := codeAt(secret, uint64(stepOf(time.Unix(at, 0))), 8); got != want {
			t.Errorf("at %d: got %s, want %s", at, got, want)
		}
	}
	for step, want := range []string{"755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"} {
		if got := codeAt(secret, uint64(step), 6); got != want {
			t.Errorf("step %d: got %s, want %s", step, got, want)
		}
	}
}

func TestACodeIsGoodOnceAndThirtySecondsEitherWay(t *testing.T) {
	secret := []byte("12345678901234567890")
	now := time.Unix(1_000_000_020, 0)
	s := stepOf(now)
	for by, want := range map[int64]bool{-2: false, -1: true, 0: true, 1: true, 2: false} {
		if _, ok := matches(secret, codeAt(secret, uint64(s+by), codeDigits), now, 0); ok != want {
			t.Errorf("%d steps off: %v", by, ok)
		}
	}
	code := codeAt(secret, uint64(s), codeDigits)
	if _, ok := matches(secret, code, now, s); ok {
		t.Error("a code was good twice")
	}
	if _, ok := matches(secret, "", now, 0); ok {
		t.Error("no code was good")
	}
	if got := second("wang.fang", secret).URI; got != "otpauth://totp/Bole:wang.fang?algorithm=SHA1&digits=6&issuer=Bole&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" {
		t.Errorf("URI %s", got)
	}
}

// The hash is Argon2id: compared with the vector of the Go library's own tests for the same parameters, by way of the text that is kept.
func TestAPasswordHashTellsItsParameters(t *testing.T) {
	h := newHasher(Cost{Time: 1, Memory: 64, Threads: 1})
	text := h.hash(phrase)
	if !regexp.MustCompile(`^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`).MatchString(text) || text == h.hash(phrase) {
		t.Errorf("hash %s", text)
	}
	if ok, old := h.test(phrase, text); !ok || old {
		t.Error("the password is not that of its hash")
	}
	if ok, _ := h.test(phrase+"x", text); ok {
		t.Error("another password is")
	}
	if ok, old := newHasher(Cost{Time: 2, Memory: 64, Threads: 1}).test(phrase, text); !ok || !old {
		t.Error("a hash of older parameters is not good, or not told")
	}
	// the same word typed as one code point and as two
	if ok, _ := h.test("Cafe\u0301 im Hafen 12", h.hash("Caf\u00e9 im Hafen 12")); !ok {
		t.Error("the same characters are not the same password")
	}
	got := h.run("password", []byte("somesalt"), Cost{Time: 1, Memory: 64, Threads: 1}, 24)
	if hex.EncodeToString(got) != "655ad15eac652dc59f7170a7332bf49b8469be1fdb9c28bb" {
		t.Errorf("argon2id %x", got)
	}
	if StandardCost != (Cost{Time: 3, Memory: 65536, Threads: 4}) {
		t.Error("the standard is not that of RFC 9106")
	}
}

func TestPasswordRules(t *testing.T) {
	for _, c := range []struct{ password, want string }{
		{"correct horse battery", ""},
		{"十二个汉字也是一个好密码了", ""},
		{"1357924680135", ""}, // no rule about kinds of characters
		{"elevenchars", "auth.password_short"},
		{strings.Repeat("ab cd ef ", 40), "auth.password_long"},
		{"aaaaaaaaaaaa", "auth.password_plain"},
		{"121212121212", "auth.password_plain"},
		{"i am wang.fang!", "auth.password_name"},
		{"I AM WANG.FANG!", "auth.password_name"},
		{"line\nbreak in it", "auth.password_text"},
		{"", "auth.password_short"},
	} {
		wants(t, c.password, fit(c.password, "wang.fang"), c.want)
	}
}

func TestMasks(t *testing.T) {
	for _, c := range []struct {
		field       Field
		value, want string
	}{
		{PersonName, "张小三", "张*三"},
		{PersonName, "李四", "李*"},
		{PersonName, "王", "*"},
		{PersonName, "欧阳建国", "欧**国"},
		{IDNumber, "371502199001011234", "****************34"},
		{IDNumber, "34", "**"},
		{Phone, "13800138000", "138******00"},
		{Phone, "12345", "123**"},
		{BankAccount, "6222000011112222333", "***************2333"},
		{BankAccount, "123", "***"},
		{Field("anything else"), "secret", "******"},
		{PersonName, "", ""},
	} {
		if got := Mask(c.field, c.value); got != c.want {
			t.Errorf("%s %s: got %s, want %s", c.field, c.value, got, c.want)
		}
	}
}

func TestWhoSeesWhatWithoutAReason(t *testing.T) {
	tree, err := NewBodies(bodies)
	must(t, tree, err)
	officer := Actor{Grants: []Grant{{1, "service-officer", Chosen, []string{"etdz"}}}, bodies: tree}
	clerk := Actor{Grants: []Grant{{1, "city-clerk", All, nil}}, bodies: tree}
	for _, c := range []struct {
		who   Actor
		field Field
		at    string
		want  string
	}{
		{officer, Phone, "etdz", "13800138000"},
		{officer, Phone, "chiping", "138******00"}, // not whom they serve
		{officer, IDNumber, "etdz", "*********00"}, // contact, and nothing more
		{clerk, Phone, "etdz", "138******00"},
		{clerk, IDNumber, "etdz", "*********00"},
	} {
		if got := c.who.Shown(c.field, "13800138000", Place{Body: c.at}); got != c.want {
			t.Errorf("%s at %s: got %s, want %s", c.field, c.at, got, c.want)
		}
	}
}

func TestNamesOfAccounts(t *testing.T) {
	for name, want := range map[string]bool{"wang.fang": true, "li-4": true, "a1234567": true, "a": false, "13800138000": false, "system": false,
		"Wang": false, "王芳": false, "a123456789": false, "x371502199001011234": false, "a b": false, strings.Repeat("a", 41): false} {
		if nameFits(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}

func TestATreeOfBodies(t *testing.T) {
	for _, c := range []struct {
		name string
		list []Body
		want string
	}{
		{"sound", bodies, ""},
		{"none", nil, ""},
		{"twice", []Body{{"a", ""}, {"a", ""}}, "auth.body_twice"},
		{"a parent that is none", []Body{{"a", "b"}}, "auth.body_unknown"},
		{"a circle", []Body{{"a", "b"}, {"b", "c"}, {"c", "a"}}, "auth.body_circle"},
		{"itself", []Body{{"a", "a"}}, "auth.body_circle"},
	} {
		_, err := NewBodies(c.list)
		wants(t, c.name, err, c.want)
	}
}

// Every scope against rows of every kind, one's own and others': the address of a row opens nothing.
func TestAllowsByScopeAndBody(t *testing.T) {
	tree, err := NewBodies(bodies)
	must(t, tree, err)
	own := "person:P-7K2M-90C"
	places := []Place{{"dongchangfu", ""}, {"etdz", ""}, {"etdz-station", ""}, {"chiping", ""}, {"city", ""}, {"", ""}, {"nowhere", ""}, {"etdz", own}, {"", own}, {"", "person:P-0000-000"}}
	for _, c := range []struct {
		name    string
		subject string
		grants  []Grant
		only    []string
		ask     string
		want    string // a mark a place: x allowed, . refused
	}{
		{"all", "", []Grant{{1, "city-clerk", All, nil}}, nil, "person.look", "xxxxxxxxxx"},
		{"own is not below", "", []Grant{{1, "district-clerk", Own, []string{"etdz"}}}, nil, "person.look", ".x.....x.."},
		{"a functional zone and below", "", []Grant{{1, "district-clerk", Below, []string{"etdz"}}}, nil, "person.look", ".xx....x.."},
		{"the city and below, and nothing without a body", "", []Grant{{1, "leader", Below, []string{"city"}}}, nil, "person.look", "xxxxx..x.."},
		{"chosen", "", []Grant{{1, "district-clerk", Chosen, []string{"dongchangfu", "chiping"}}}, nil, "person.look", "x..x......"},
		{"self", own, []Grant{{1, "citizen", Self, nil}}, nil, "finding.explain", ".......xx."},
		{"self without a subject", "", []Grant{{1, "citizen", Self, nil}}, nil, "finding.explain", ".........."},
		{"a permission that the role has not", "", []Grant{{1, "leader", All, nil}}, nil, "person.reveal", ".........."},
		{"a permission that there is not", "", []Grant{{1, "city-clerk", All, nil}}, nil, "person.own", ".........."},
		{"a role that there is not", "", []Grant{{1, "root", All, nil}}, nil, "person.look", ".........."},
		{"a scope that there is not", "", []Grant{{1, "city-clerk", "any", nil}}, nil, "person.look", ".........."},
		{"a token without it", "", []Grant{{1, "city-clerk", All, nil}}, []string{"finding.list"}, "person.look", ".........."},
		{"a token of nothing", "", []Grant{{1, "city-clerk", All, nil}}, []string{}, "person.look", ".........."},
		{"a token with it", "", []Grant{{1, "district-clerk", Own, []string{"etdz"}}}, []string{"person.look"}, "person.look", ".x.....x.."},
		{"two grants, each its own", "", []Grant{{1, "district-clerk", Own, []string{"etdz"}}, {2, "leader", Own, []string{"chiping"}}}, nil, "person.look", ".x.x...x.."},
		{"the wider grant lends nothing to the narrower", "", []Grant{{1, "district-clerk", Own, []string{"etdz"}}, {2, "leader", All, nil}}, nil, "person.reveal", ".x.....x.."},
		{"nobody", "", nil, nil, "person.look", ".........."},
	} {
		who := Actor{Subject: c.subject, Grants: c.grants, only: c.only, bodies: tree}
		got := ""
		reach := who.Reach(c.ask)
		for _, at := range places {
			mark := "."
			if who.Allows(c.ask, at) {
				mark = "x"
			}
			got += mark
			listed := reach.All || at.Body != "" && slices.Contains(reach.Bodies, at.Body) || reach.Subject != "" && reach.Subject == at.Subject
			if listed != (mark == "x") {
				t.Errorf("%s: a list and a page differ about %+v", c.name, at)
			}
		}
		if got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		if who.Has(c.ask) != strings.Contains(got, "x") && c.name != "self without a subject" && c.name != "a scope that there is not" {
			t.Errorf("%s: the button and the rows differ", c.name)
		}
	}
}
