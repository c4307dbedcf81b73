package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"html/template"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"bole/internal/fault"
	"bole/internal/finding"
	"bole/internal/locale"
	"bole/internal/pack"
	"bole/internal/web/assets"
)

// Options of the pages.
type Options struct {
	Synthetic bool         // everybody in the book is made up, and every page says so
	Log       *slog.Logger // for the operator; nil for nowhere
}

// New returns the pages over a book. The caller keeps the book open as long as it serves.
func New(book *finding.Book, o Options) http.Handler {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &server{book: book, Options: o, pages: map[locale.Lang]map[string]*template.Template{}}
	for _, lang := range []locale.Lang{locale.Zh, locale.En} {
		s.pages[lang] = parse(lang)
	}
	script, built := assets.Script()
	s.style, s.script, s.scripted = newAsset("style.css", "text/css; charset=utf-8", assets.Style()), newAsset("bole.js", "text/javascript; charset=utf-8", script), built
	mux := http.NewServeMux()
	for _, r := range s.routes() {
		mux.Handle(r.pattern, r.handler)
	}
	return secure(mux)
}

// server is the pages with what they are made of.
type server struct {
	Options
	book     *finding.Book
	pages    map[locale.Lang]map[string]*template.Template
	style    asset
	script   asset
	scripted bool // the script was built
}

type route struct {
	pattern string
	handler http.Handler
}

// routes is every address that the program answers.
func (s *server) routes() []route {
	return []route{
		{"GET /{$}", s.page(s.showOverview)},
		{"GET /policies/{policy}", s.page(s.showPolicy)},
		{"GET /policies/{policy}/list", s.page(s.listFindings)},
		{"GET /people", s.page(s.findPerson)},
		{"GET /people/{person}", s.page(s.showPerson)},
		{"GET /assets/style.css", s.style},
		{"GET /assets/bole.js", s.script},
		{"GET /healthz", http.HandlerFunc(s.health)},
		{"/", s.page(func(*visit) (leaf, error) { return leaf{}, fault.New("web", fault.NotFound, "web.no_page") })},
	}
}

// health answers 200 when the lake can be read, whether or not anything was screened.
func (s *server) health(w http.ResponseWriter, r *http.Request) {
	if _, err := s.book.Run(r.Context()); err != nil && fault.KindOf(err) != fault.NotFound {
		s.Log.Error("health", "err", err)
		http.Error(w, "lake", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Write([]byte("ok\n"))
}

// secure says on every answer what a browser may do with it.
func secure(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		next.ServeHTTP(w, r)
	})
}

// visit is one request for a page: its language, and the run that the page is about.
type visit struct {
	*http.Request
	words
	run  finding.Run
	pack *pack.Pack
}

// arg is a value of the address, "" when it is not there.
func (v *visit) arg(name string) string { return v.URL.Query().Get(name) }

// leaf is what a handler answers: a template with what it shows, or a redirection.
type leaf struct {
	Template string
	Title    string // of the window and the way to the page
	Section  string // of the rail: overview, policies, people
	Up       *link  // what the page belongs to
	Body     any
	Status   int    // 200 when 0
	Redirect string // instead of all the above
}

// link is a text that leads somewhere. Lang is set where the text is not in the page's language.
type link struct{ Text, Href, Lang string }

// view is what the layout sees.
type view struct {
	leaf
	Lang      string // of the html element
	On        string
	City      string
	Synthetic bool
	Scripted  bool
	Style     string
	Script    string
	Other     string // this page in the other language
	Query     string // what was looked for
}

// page wraps a handler with the language, the run, the layout, and the page that an error becomes.
func (s *server) page(show func(*visit) (leaf, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{Request: r, words: inWords(language(w, r)), pack: s.book.Pack()}
		var err error
		v.run, err = s.book.Run(r.Context())
		var l leaf
		if err == nil {
			l, err = show(v)
		}
		if err != nil {
			if fault.KindOf(err) == fault.Internal {
				s.Log.Error("page", "route", r.Pattern, "err", err)
			}
			l = failure(v, l, err)
		}
		if l.Redirect != "" {
			http.Redirect(w, r, l.Redirect, http.StatusSeeOther)
			return
		}
		s.write(w, v, l)
	})
}

// write renders the whole page before the first byte goes out, so that half a page is never sent.
func (s *server) write(w http.ResponseWriter, v *visit, l leaf) {
	out := view{leaf: l, Lang: "zh-CN", City: s.book.Pack().Title.Zh, Synthetic: s.Synthetic, Scripted: s.scripted, Style: s.style.href(), Script: s.script.href(), Other: v.inOther(), Query: v.arg("q")}
	if v.Lang == locale.En {
		out.Lang = "en"
	}
	out.On = v.run.On.String()
	var b bytes.Buffer
	if err := s.pages[v.Lang][l.Template].ExecuteTemplate(&b, "_layout.html", out); err != nil {
		s.Log.Error("page", "template", l.Template, "err", err)
		http.Error(w, v.T("error.internal"), http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Cache-Control", "no-store") // a list of persons is not left behind in a browser either
	h.Set("Vary", "Cookie, Accept-Language")
	if l.Status != 0 {
		w.WriteHeader(l.Status)
	}
	b.WriteTo(w)
}

// statuses of the kinds of errors.
var statuses = map[fault.Kind]int{
	fault.Invalid:   http.StatusBadRequest,
	fault.NotFound:  http.StatusNotFound,
	fault.Forbidden: http.StatusForbidden,
	fault.Withheld:  http.StatusForbidden,
	fault.Conflict:  http.StatusConflict,
	fault.Stale:     http.StatusConflict,
	fault.Upstream:  http.StatusBadGateway,
	fault.Internal:  http.StatusInternalServerError,
}

// failure is the page of an error. A handler that answers a leaf beside its error keeps it: the form with what is wrong in it.
func failure(v *visit, l leaf, err error) leaf {
	l.Status = statuses[fault.KindOf(err)]
	if l.Template == "" {
		l.Template, l.Title, l.Body = "error.html", v.T("web.error"), locale.Error(v.Lang, err)
	}
	return l
}

// language of a request: asked for in the address, which is remembered; remembered; or what the browser prefers. Otherwise Chinese.
func language(w http.ResponseWriter, r *http.Request) locale.Lang {
	if q := r.URL.Query().Get("lang"); q == "zh" || q == "en" {
		http.SetCookie(w, &http.Cookie{Name: "lang", Value: q, Path: "/", MaxAge: 365 * 24 * 3600, HttpOnly: true, SameSite: http.SameSiteLaxMode})
		return locale.Parse(q)
	}
	if c, err := r.Cookie("lang"); err == nil && (c.Value == "zh" || c.Value == "en") {
		return locale.Parse(c.Value)
	}
	for tag := range strings.SplitSeq(r.Header.Get("Accept-Language"), ",") {
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, "zh"):
			return locale.Zh
		case strings.HasPrefix(tag, "en"):
			return locale.En
		}
	}
	return locale.Zh
}

// inOther is the address of the same page in the other language.
func (v *visit) inOther() string {
	q := v.URL.Query()
	q.Set("lang", "en")
	if v.Lang == locale.En {
		q.Set("lang", "zh")
	}
	return (&url.URL{Path: v.URL.Path, RawQuery: q.Encode()}).String()
}

//go:embed templates/*.html
var templates embed.FS

// parse reads the templates of every page in a language: the page's own and the parts.
func parse(lang locale.Lang) map[string]*template.Template {
	w := inWords(lang)
	parts := template.Must(template.New("").Funcs(template.FuncMap{"t": w.T, "zh": func() bool { return lang != locale.En }}).ParseFS(templates, "templates/_*.html"))
	out := map[string]*template.Template{}
	files, err := templates.ReadDir("templates")
	if err != nil {
		panic(err) // the embed directive names it
	}
	for _, f := range files {
		if name := f.Name(); name[0] != '_' {
			out[name] = template.Must(template.Must(parts.Clone()).ParseFS(templates, path.Join("templates", name)))
		}
	}
	return out
}

// asset is a file that pages load. Its address names its contents, so a browser may keep it for good.
type asset struct {
	name, kind, tag string
	body            []byte
}

func newAsset(name, kind string, body []byte) asset {
	sum := sha256.Sum256(body)
	return asset{name, kind, hex.EncodeToString(sum[:6]), body}
}

func (a asset) href() string { return "/assets/" + a.name + "?v=" + a.tag }

func (a asset) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", a.kind)
	h.Set("ETag", `"`+a.tag+`"`)
	h.Set("Cache-Control", "no-cache")
	if r.URL.Query().Get("v") == a.tag {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.body))
}
