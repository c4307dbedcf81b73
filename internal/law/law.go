package law

import (
	"regexp"
	"strings"

	"bole/internal/calendar"
)

// Article is one heading of a law file: what a rule, a number or a window may cite.
type Article struct {
	Anchor  string // art-3
	Heading string // 第三条
	English string // Article 3; the Chinese heading where the file gives none
	Zh, En  string // our restatement, never the enacted wording
	Line    int    // of the heading, from 1
}

// HeadingIn returns the heading in a language, "en" or anything else for Chinese.
func (a Article) HeadingIn(lang string) string {
	if lang == "en" {
		return a.English
	}
	return a.Heading
}

// Text is a whole law file, its articles in the order of the file.
type Text struct {
	Title    string
	Intro    string
	Articles []Article
	ReadOn   calendar.Day // the day we read the source, from a line "read: 2026-11-23"; 0 when it does not say
}

var (
	heading = regexp.MustCompile(`^##\s+(.*?)\s*\{#([a-z0-9-]+)\}\s*$`)
	readOn  = regexp.MustCompile(`(?m)^read:\s*(\d{4}-\d{2}-\d{2})`)
)

// Parse reads a law file. It never fails: a file without headings is a text that nothing can cite, and the pack check says so.
func Parse(src string) Text {
	var t Text
	var body *strings.Builder
	var intro, zh, en strings.Builder
	body = &intro
	flush := func() {
		if n := len(t.Articles); n > 0 {
			t.Articles[n-1].Zh, t.Articles[n-1].En = strings.TrimSpace(zh.String()), strings.TrimSpace(en.String())
		}
		zh.Reset()
		en.Reset()
	}
	for i, line := range strings.Split(strings.ReplaceAll(src, "\r\n", "\n"), "\n") {
		if m := heading.FindStringSubmatch(line); m != nil {
			flush()
			head, english, ok := strings.Cut(m[1], " | ")
			if !ok {
				english = head
			}
			t.Articles = append(t.Articles, Article{Anchor: m[2], Heading: head, English: english, Line: i + 1})
			body = &zh
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# "); ok && t.Title == "" {
			t.Title = rest
			continue
		}
		if rest, ok := strings.CutPrefix(line, "> en:"); ok {
			en.WriteString(strings.TrimSpace(rest) + "\n")
			continue
		}
		body.WriteString(line + "\n")
	}
	flush()
	t.Intro = strings.TrimSpace(intro.String())
	if m := readOn.FindStringSubmatch(t.Intro); m != nil {
		t.ReadOn, _ = calendar.Parse(m[1])
	}
	return t
}

// Find returns the article with an anchor.
func (t Text) Find(anchor string) (Article, bool) {
	for _, a := range t.Articles {
		if a.Anchor == anchor {
			return a, true
		}
	}
	return Article{}, false
}

// Anchors lists what may be cited.
func (t Text) Anchors() []string {
	out := make([]string, len(t.Articles))
	for i, a := range t.Articles {
		out[i] = a.Anchor
	}
	return out
}
