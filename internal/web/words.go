package web

import (
	"bole/internal/law"
	"bole/internal/locale"
	"bole/internal/tell"
)

// words are the words of a visit, with what pages make of them.
type words struct{ tell.Words }

func inWords(lang locale.Lang) words { return words{tell.Words{Lang: lang}} }

// cite is an article of a law file by its heading; in English the Chinese heading stands in for one that the file does not give.
func (w words) cite(a law.Article, href string) link {
	l := link{Text: a.HeadingIn(string(w.Lang)), Href: href + "#" + a.Anchor}
	if w.Lang == locale.En && a.English == a.Heading {
		l.Lang = "zh-CN"
	}
	return l
}

// outcome is a mark with its word: never a colour alone.
type outcome struct {
	Mark string // the class of the shape
	Word string
}

var marks = map[string]string{"eligible": "ok", "limited": "lim", "settled": "wait", "ineligible": "no", "undetermined": "ask", "not_in_force": "lim", "near": "near",
	"met": "ok", "not_met": "no", "unknown": "ask"}

func (w words) outcome(name string) outcome { return outcome{marks[name], w.T("outcome." + name)} }

func (w words) state(name string) outcome { return outcome{marks[name], w.T("state." + name)} }
