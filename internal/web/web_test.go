package web

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"bole/internal/fact"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"golang.org/x/net/html"
)

const (
	subsidy   = "unemployment-skill-subsidy"
	allowance = "skilled-living-allowance"
)

// pages is an address of each kind of page, with the template that it is made of.
func pages(t *testing.T, it *town) map[string]string {
	out := map[string]string{
		"/":                      "overview.html",
		"/policies/" + subsidy:   "policy.html",
		"/policies/" + allowance: "policy.html",
		"/people":                "people.html",
		"/people?q=P-1234-567":   "people.html",
		"/nowhere":               "error.html",
		"/policies/" + allowance + "/list?outcome=not_in_force": "list.html",
		"/policies/" + subsidy + "/list?outcome=near&page=2":    "list.html",
		"/policies/" + subsidy + "/list?unknown=award":          "list.html",
	}
	for _, o := range []string{"eligible", "undetermined", "near", "ineligible"} {
		out["/policies/"+subsidy+"/list?outcome="+o] = "list.html"
		out["/policies/"+allowance+"/list?outcome="+o] = "list.html"
		person, subject := it.someone(t, subsidy, finding.Filter{Outcome: o})
		out[personHref(person, subsidy, subject)] = "person.html"
	}
	for policy, o := range map[string]string{"skilled-certificate-award": "limited", subsidy: "settled"} {
		person, subject := it.someone(t, policy, finding.Filter{Outcome: o})
		out[personHref(person, policy, subject)] = "person.html"
	}
	person, _ := it.someone(t, allowance, finding.Filter{Outcome: "near"})
	out[personHref(person, allowance, "")] = "person.html"
	out[personHref(person, "", "")] = "person.html"
	return out
}

func TestEveryPageIsSoundInBothLanguages(t *testing.T) {
	it := theTown(t)
	used := map[string]bool{}
	for path, template := range pages(t, it) {
		used[template] = true
		for _, lang := range []locale.Lang{locale.Zh, locale.En} {
			t.Run(string(lang)+" "+path, func(t *testing.T) {
				w := get(it.site, path, "Accept-Language", string(lang))
				body := w.Body.String()
				if w.Code >= 500 {
					t.Fatalf("status %d", w.Code)
				}
				for _, must := range []string{"合成数据", "synthetic", "2024-12-20", `<html lang="` + map[locale.Lang]string{locale.Zh: "zh-CN", locale.En: "en"}[lang] + `">`} {
					if !strings.Contains(body, must) {
						t.Errorf("lacks %q", must)
					}
				}
				for _, fault := range unsound(body) {
					t.Error(fault)
				}
				for _, x := range foreign(t, body, lang) {
					t.Errorf("speaks another language: %q", x)
				}
			})
		}
	}
	names, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range names {
		if f.Name()[0] != '_' && !used[f.Name()] {
			t.Errorf("%s is on no page of this test", f.Name())
		}
	}
}

var void = []string{"meta", "link", "input", "br", "img"}

// unsound lists what is wrong with a document: tags that do not match, ids that stand twice, links within the page that lead nowhere, and what
// the content security policy refuses.
func unsound(body string) (out []string) {
	z := html.NewTokenizer(strings.NewReader(body))
	var open []string
	ids, anchors := map[string]bool{}, []string{}
	for {
		switch z.Next() {
		case html.ErrorToken:
			if len(open) > 0 {
				out = append(out, "never closed: "+strings.Join(open, " "))
			}
			for _, a := range anchors {
				if !ids[a] {
					out = append(out, "leads nowhere: #"+a)
				}
			}
			return out
		case html.StartTagToken:
			tok := z.Token()
			if !slices.Contains(void, tok.Data) {
				open = append(open, tok.Data)
			}
			for _, a := range tok.Attr {
				switch {
				case a.Key == "style" || strings.HasPrefix(a.Key, "on"):
					out = append(out, "the policy refuses the attribute "+a.Key+" of "+tok.Data)
				case a.Key == "id" && ids[a.Val]:
					out = append(out, "the id "+a.Val+" stands twice")
				case a.Key == "id":
					ids[a.Val] = true
				case a.Key == "href" && strings.HasPrefix(a.Val, "#"):
					anchors = append(anchors, a.Val[1:])
				case strings.Contains(a.Val, "ZgotmplZ"):
					out = append(out, "the template does not trust "+a.Key+" of "+tok.Data)
				}
			}
			if tok.Data == "style" || tok.Data == "script" && !slices.ContainsFunc(tok.Attr, func(a html.Attribute) bool { return a.Key == "src" }) {
				out = append(out, "the policy refuses an inline "+tok.Data)
			}
		case html.EndTagToken:
			tok := z.Token()
			if len(open) == 0 || open[len(open)-1] != tok.Data {
				out = append(out, fmt.Sprintf("</%s> closes %v", tok.Data, open))
				return out
			}
			open = open[:len(open)-1]
		}
	}
}

// allowed are Latin letters that a Chinese page may hold: numbers of persons and versions, short ids of certificates, our numbers of sources, the
// classes of talents, and the prefix of parameters.
var allowed = regexp.MustCompile(`P-[0-9A-Z]{4}-[0-9A-Z]{3}|V\d+|S\d+|\b[0-9a-z]{8}\b|[A-G]类|p\.开头`)

var latin = regexp.MustCompile(`[A-Za-z]+`)

// foreign lists the texts of a page that are not in its language: outside elements that say which other language they are in, and outside code.
func foreign(t *testing.T, body string, lang locale.Lang) (out []string) {
	doc, err := html.Parse(strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	wrong := func(s string) bool {
		if lang == locale.Zh {
			return latin.MatchString(allowed.ReplaceAllString(s, ""))
		}
		return strings.ContainsFunc(s, func(r rune) bool {
			return unicode.Is(unicode.Han, r) || r >= 0x3000 && r < 0x3040 || r >= 0xFF00 && r < 0xFFF0
		})
	}
	var walk func(n *html.Node, in string)
	walk = func(n *html.Node, in string) {
		if n.Type == html.ElementNode {
			for _, a := range n.Attr {
				switch a.Key {
				case "lang":
					in = a.Val[:2]
				case "class":
					if c := strings.Fields(a.Val); slices.Contains(c, "mono") || slices.Contains(c, "rid") {
						return
					}
				}
			}
			if n.Data == "code" || n.Data == "script" {
				return
			}
			for _, a := range n.Attr {
				if slices.Contains([]string{"title", "aria-label", "placeholder"}, a.Key) && in == string(lang) && wrong(a.Val) {
					out = append(out, a.Val)
				}
			}
		}
		if n.Type == html.TextNode && in == string(lang) && wrong(n.Data) {
			out = append(out, strings.TrimSpace(n.Data))
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, in)
		}
	}
	walk(doc, string(lang))
	return out
}

func TestRequests(t *testing.T) {
	it := theTown(t)
	eligible, certificate := it.someone(t, subsidy, finding.Filter{Outcome: "eligible"})
	asked := len(it.book.Pack().Policies)
	unknown := fact.Person(999_999).String() // a sound number that nobody of the town has
	cases := []struct {
		name, path string
		header     []string
		status     int
		must       []string
		mustNot    []string
	}{
		{"the overview in Chinese", "/", nil, 200, []string{fmt.Sprintf("900人比对%d项政策", asked), "项有人符合", "数据来源", "公安机关"}, []string{"Policies"}},
		{"the overview in English", "/?lang=en", nil, 200, []string{fmt.Sprintf("900 persons screened against %d policies", asked), "Public security"}, nil},
		{"the language that the browser prefers", "/", []string{"Accept-Language", "fr, en;q=0.8"}, 200, []string{"Policies"}, nil},
		{"the language that was chosen before", "/", []string{"Accept-Language", "zh", "Cookie", "lang=en"}, 200, []string{"Policies"}, nil},
		{"a language that there is none of", "/?lang=fr", nil, 200, []string{`lang="zh-CN"`}, nil},
		{"a policy", "/policies/" + subsidy, nil, 200, []string{"现行有效", "累计缴纳失业保险费达到规定月数", "unemployment_months_total &gt;= p.months_min", "只差此项", "假定", "依据未找到", "2,000元", "不是法律原文"}, nil},
		{"a policy that there is none of", "/policies/nothing", nil, 404, []string{"没有名为“nothing”的政策"}, nil},
		{"a policy with a mark of its own in its name", "/policies/%3Cscript%3E", nil, 404, nil, []string{"<script>&", "“<script>"}},
		{"the list of the eligible", "/policies/" + subsidy + "/list", nil, 200, []string{"符合", "申领截止", "技能证书", eligible}, nil},
		{"an empty list says what to do", "/policies/" + allowance + "/list?outcome=not_in_force", nil, 200, []string{"名单是空的", "查看政策"}, []string{"<table"}},
		{"a page beyond the last is the last", "/policies/" + subsidy + "/list?outcome=eligible&page=9999", nil, 200, []string{"共"}, []string{"名单是空的"}},
		{"a page that is no number is the first", "/policies/" + subsidy + "/list?outcome=near&page=x", nil, 200, []string{"第 1–50 条"}, nil},
		{"an outcome that there is none of", "/policies/" + subsidy + "/list?outcome=maybe", nil, 400, []string{"没有这样的名单"}, nil},
		{"a rule that there is none of", "/policies/" + subsidy + "/list?outcome=near&rule=1%20OR%201", nil, 400, []string{"没有这样的名单"}, nil},
		{"the form", "/people", nil, 200, []string{`name="q"`, "按编号查看一个人"}, []string{"aria-invalid"}},
		{"a number with a slip of the pen", "/people?q=P-1234-567", nil, 400, []string{"人员编号有误", "aria-invalid", "P-1234-567"}, nil},
		{"a number is found in any case", "/people?q=" + strings.ToLower(eligible), nil, 303, nil, nil},
		{"a person", "/people/" + eligible, nil, 200, []string{eligible, "人口基本信息", "其他政策"}, nil},
		{"a certificate of a person", personHref(eligible, subsidy, certificate), nil, 200, []string{"符合，可得", "前申领", certificate[:8]}, nil},
		{"a person in English", personHref(eligible, subsidy, certificate) + "&lang=en", nil, 200, []string{"eligible for CNY", "claim by"}, nil},
		{"a certificate of somebody else", personHref(eligible, subsidy, "nothing"), nil, 404, []string{"没有该政策所说的对象"}, nil},
		{"nobody", "/people/" + unknown, nil, 404, []string{"没有这个人员编号"}, nil},
		{"the number that stands for everybody elsewhere", "/people/" + fact.Person(0).String(), nil, 400, []string{"人员编号有误"}, nil},
		{"no number", "/people/somebody", nil, 400, []string{"人员编号有误"}, nil},
		{"no page", "/admin", nil, 404, []string{"没有这个页面"}, nil},
		{"health", "/healthz", nil, 200, []string{"ok"}, nil},
		{"the stylesheet", "/assets/style.css", nil, 200, []string{"--paper"}, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := get(it.site, c.path, c.header...)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			for _, m := range c.must {
				if !strings.Contains(w.Body.String(), m) {
					t.Errorf("lacks %q", m)
				}
			}
			for _, m := range c.mustNot {
				if strings.Contains(w.Body.String(), m) {
					t.Errorf("holds %q", m)
				}
			}
			if c.status == 303 && w.Header().Get("Location") != "/people/"+eligible {
				t.Errorf("leads to %q", w.Header().Get("Location"))
			}
		})
	}
}

func TestNothingScreenedSaysWhatToDo(t *testing.T) {
	site := New(theTown(t).bare, Options{})
	w := get(site, "/")
	if w.Code != 404 || !strings.Contains(w.Body.String(), "请先运行 bole screen") {
		t.Errorf("status %d: %s", w.Code, w.Body)
	}
	if strings.Contains(w.Body.String(), "synthetic") {
		t.Error("says that the data is made up")
	}
	if w := get(site, "/healthz"); w.Code != 200 {
		t.Errorf("health is %d", w.Code)
	}
}

func TestHeaders(t *testing.T) {
	it := theTown(t)
	for _, path := range []string{"/", "/people", "/nowhere", "/assets/style.css", "/healthz"} {
		h := get(it.site, path).Header()
		for name, want := range map[string]string{"X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin"} {
			if h.Get(name) != want {
				t.Errorf("%s: %s is %q", path, name, h.Get(name))
			}
		}
		if csp := h.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
	person, _ := it.someone(t, subsidy, finding.Filter{Outcome: "eligible"})
	if got := get(it.site, "/people/"+person).Header().Get("Cache-Control"); got != "no-store" {
		t.Errorf("a person's page may be kept: %q", got)
	}
	w := get(it.site, "/?lang=en")
	if c := w.Result().Cookies(); len(c) != 1 || c[0].Value != "en" || !c[0].HttpOnly || c[0].SameSite != http.SameSiteLaxMode {
		t.Errorf("cookies %v", c)
	}
	style := regexp.MustCompile(`/assets/style\.css\?v=\w+`).FindString(w.Body.String())
	if got := get(it.site, style).Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
		t.Errorf("%s is kept as %q", style, got)
	}
	tag := get(it.site, style).Header().Get("ETag")
	if w := get(it.site, style, "If-None-Match", tag); w.Code != 304 {
		t.Errorf("the same stylesheet again is %d", w.Code)
	}
	if r := get(it.site, "/"); len(r.Result().Cookies()) != 0 {
		t.Error("a cookie for somebody who chose nothing")
	}
}

// Every number opens a list of exactly as many, and no link of the first pages is broken.
func TestNumbersOpenTheirLists(t *testing.T) {
	it := theTown(t)
	follow := regexp.MustCompile(`<a (?:class="v" )?href="(/policies/[^"]*/list\?[^"]*)">([\d,]+)<`)
	total := regexp.MustCompile(`<h1>[^<]*：([\d,]+)`)
	n := 0
	for _, path := range []string{"/", "/policies/" + subsidy, "/policies/" + allowance} {
		for _, m := range follow.FindAllStringSubmatch(get(it.site, path).Body.String(), -1) {
			href := strings.ReplaceAll(m[1], "&amp;", "&")
			got := total.FindStringSubmatch(get(it.site, href).Body.String())
			if got == nil || got[1] != m[2] {
				t.Errorf("%s: %s says %s and the list %v", path, href, m[2], got)
			}
			n++
		}
	}
	if n < 30 {
		t.Errorf("followed only %d numbers", n)
	}
	seen, people := map[string]bool{}, 0
	href := regexp.MustCompile(`href="(/[^"#]*)`)
	for path := range pages(t, it) {
		for _, m := range href.FindAllStringSubmatch(get(it.site, path).Body.String(), -1) {
			to := strings.ReplaceAll(m[1], "&amp;", "&")
			if path == "/nowhere" || strings.Contains(to, "q=") || seen[to] {
				continue
			}
			seen[to] = true
			if strings.HasPrefix(to, "/people/") {
				if people++; people > 3 { // they take a while, and are much alike
					continue
				}
			}
			if w := get(it.site, to); w.Code != 200 {
				t.Errorf("%s leads to %s, which is %d", path, to, w.Code)
			}
		}
	}
}

// The list pages its rows without losing or repeating one.
func TestPagesOfAListMeet(t *testing.T) {
	it := theTown(t)
	row := regexp.MustCompile(`<a class="pn" href="([^"]*)"`)
	next := regexp.MustCompile(`rel="next" href="([^"]*)"`)
	_, want, err := it.book.List(t.Context(), subsidy, finding.Filter{Outcome: "ineligible"})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for path := "/policies/" + subsidy + "/list?outcome=ineligible"; path != ""; {
		body := get(it.site, path).Body.String()
		for _, m := range row.FindAllStringSubmatch(body, -1) {
			if seen[m[1]] {
				t.Fatalf("%s stands twice", m[1])
			}
			seen[m[1]] = true
		}
		path = ""
		if m := next.FindStringSubmatch(body); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if int64(len(seen)) != want {
		t.Errorf("%d rows on the pages, %d in the list", len(seen), want)
	}
}

// Every key that pages name is a sentence, and no sentence of pages is left over.
func TestSentences(t *testing.T) {
	named := map[string]bool{}
	key := regexp.MustCompile(`"(web\.[a-z_]+)"`)
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	paths := []string{}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".go") && !strings.HasSuffix(f.Name(), "_test.go") {
			paths = append(paths, f.Name())
		}
	}
	parts, err := os.ReadDir("templates")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range parts {
		paths = append(paths, "templates/"+f.Name())
	}
	for _, p := range paths {
		text, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range key.FindAllStringSubmatch(string(text), -1) {
			named[m[1]] = true
		}
	}
	for _, k := range monthMarks {
		named["web.month_"+k] = true
	}
	for prefix, words := range map[string][]string{"web.award_": {"once", "month"}, "web.tier_": pack.Tiers, "web.event_": pack.Thens} {
		for _, w := range words {
			named[prefix+w] = true
		}
	}
	known := locale.Keys()
	operations := []string{"web.list", "web.person", "web.policy"} // of errors; some are sentences as well
	for k := range named {
		if !known[k] && !strings.HasSuffix(k, "_") && !slices.Contains(operations, k) {
			t.Errorf("no sentence %s", k)
		}
	}
	for k := range known {
		if strings.HasPrefix(k, "web.") && !named[k] {
			t.Errorf("no page says %s", k)
		}
	}
}
