package locale

import (
	_ "embed"
	"errors"
	"fmt"
	"strings"
	"sync"

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
		text = strings.ReplaceAll(text, "{"+fmt.Sprint(args[i])+"}", fmt.Sprint(args[i+1]))
	}
	return text
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
