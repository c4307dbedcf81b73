package locale

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"bole/internal/fault"
	"go.yaml.in/yaml/v3"
)

// Lang is a language of the product.
type Lang string

// The languages; Chinese is the first.
const (
	Zh Lang = "zh"
	En Lang = "en"
)

// Parse reads a language tag; anything that is not English is Chinese.
func Parse(s string) Lang {
	if strings.HasPrefix(strings.ToLower(s), "en") {
		return En
	}
	return Zh
}

type sentence struct {
	Zh string `yaml:"zh"`
	En string `yaml:"en"`
}

//go:embed messages.yaml
var source []byte

var catalogue = sync.OnceValue(func() map[string]sentence {
	m := map[string]sentence{}
	if err := yaml.Unmarshal(source, &m); err != nil {
		panic("locale: messages.yaml: " + err.Error()) // a broken build, found by the first test
	}
	return m
})

// Keys lists every key, for tests.
func Keys() map[string]bool {
	out := map[string]bool{}
	for k := range catalogue() {
		out[k] = true
	}
	return out
}

// Text is a sentence with its arguments, given as name, value pairs. An unknown key is shown as the key itself, so that a page never
// fails for a word; a test finds it.
func Text(lang Lang, key string, args ...any) string {
	s, ok := catalogue()[key]
	if !ok {
		return key
	}
	text := s.Zh
	if lang == En {
		text = s.En
	}
	for i := 0; i+1 < len(args); i += 2 {
		text = strings.ReplaceAll(text, "{"+fmt.Sprint(args[i])+"}", visible(fmt.Sprint(args[i+1])))
	}
	return text
}

// visible shows what would steer a terminal or turn a line about: an argument may be a heading or a name of somebody's file.
func visible(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if !strings.ContainsFunc(s, steers) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if steers(r) {
			fmt.Fprintf(&b, "\\u%04x", r)
		} else {
			b.WriteRune(r)
		}
	}
	return b.String()
}

// steers is whether a character is shown by what it does: controls but the end of a line, marks of writing direction, zero widths.
func steers(r rune) bool { return r != '\n' && unicode.IsControl(r) || unicode.Is(unicode.Cf, r) }

// someMost is how many of a list are told: a file may have a hundred thousand headings.
const someMost = 30

// Some is a list in a sentence, told only so far.
func Some(list []string) string {
	short := make([]string, 0, someMost)
	for _, s := range list[:min(len(list), someMost)] {
		short = append(short, strings.Join(strings.Fields(s), " "))
	}
	told := strings.Join(short, "、")
	if len(list) > someMost {
		told += fmt.Sprintf("、… (%d)", len(list))
	}
	return told
}

// Error is what a person is told of an error: the sentence of its key, or that something went wrong inside.
func Error(lang Lang, err error) string {
	var e *fault.E
	if !errors.As(err, &e) || e.Key == "" {
		return Text(lang, "error.internal")
	}
	args := make([]any, 0, 2*len(e.Args))
	for k, v := range e.Args {
		args = append(args, k, v)
	}
	return Text(lang, e.Key, args...)
}
