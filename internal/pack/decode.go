package pack

import (
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"sort"
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/expr"
	"bole/internal/fault"
	"go.yaml.in/yaml/v3"
)

// Src is a text of a declaration that knows where it stands.
type Src struct {
	Text   string
	Line   int
	Col    int
	Quoted bool // in quotation marks: a text, whatever it looks like
}

// Keys is one text or a list of them.
type Keys []Src

// Cell is a number of a table, or where the table has two keys a row of numbers.
type Cell struct {
	Number Src
	Row    Map[Src]
}

// Map is a YAML mapping in the order of the file.
type Map[T any] []Entry[T]

// Entry is one key and its value.
type Entry[T any] struct {
	Key   Src
	Value T
}

// reader collects mistakes over the files of a pack.
type reader struct {
	fsys     fs.FS
	mistakes fault.Mistakes
	lines    map[string][]string
	rows     map[string]*expr.Vocabulary // made once a register and kind of subject
}

func (r *reader) mistake(file string, line, col int, format string, args ...any) {
	m := fault.Mistake{File: file, Line: line, Column: col, Message: fmt.Sprintf(format, args...)}
	if ls := r.lines[file]; line > 0 && line <= len(ls) {
		m.Source = ls[line-1]
	}
	r.mistakes = append(r.mistakes, m)
}

func (r *reader) at(file string, s Src, format string, args ...any) {
	r.mistake(file, s.Line, s.Col, format, args...)
}

// read decodes a YAML file strictly into a struct pointer. It reports whether the file could be read as YAML at all.
func (r *reader) read(file string, into any) bool {
	b, err := fs.ReadFile(r.fsys, file)
	if err != nil {
		r.mistake(file, 0, 0, "cannot be read")
		return false
	}
	r.lines[file] = lines(b)
	if strings.ContainsRune(string(b), 0) {
		r.mistake(file, 1+strings.Count(string(b[:strings.IndexByte(string(b), 0)]), "\n"), 1, "holds a NUL byte")
		return false
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(b, &doc); err != nil {
		line := 1
		msg := strings.TrimPrefix(err.Error(), "yaml: ")
		if _, err := fmt.Sscanf(msg, "line %d:", &line); err == nil {
			_, msg, _ = strings.Cut(msg, ": ")
		}
		where := ""
		if slices.Contains(structural, strings.TrimPrefix(msg, "did not find expected ")) { // told by the line before, of what contains the error
			line, where = min(line+1, len(r.lines[file])), ", here or below"
		}
		r.mistake(file, line, 1, "is not YAML%s: %s", where, msg)
		return false
	}
	if len(doc.Content) == 0 {
		r.mistake(file, 1, 1, "is empty")
		return false
	}
	for i, l := range r.lines[file] {
		if i+1 > doc.Content[0].Line && (l == "---" || strings.HasPrefix(l, "--- ")) {
			r.mistake(file, i+1, 1, "a second document begins here, and nothing reads it: one declaration a file")
			return false
		}
	}
	before := len(r.mistakes)
	r.decode(file, doc.Content[0], reflect.ValueOf(into).Elem())
	return len(r.mistakes) == before
}

// structural is what the YAML parser, rather than its scanner, may miss.
var structural = []string{"key", "',' or '}'", "',' or ']'", "'-' indicator", "node content", "<document start>"}

func lines(b []byte) []string {
	return strings.Split(strings.ReplaceAll(string(b), "\r\n", "\n"), "\n")
}

// wrong reports a value of another form than wanted.
func (r *reader) wrong(file string, n *yaml.Node, want string) {
	r.mistake(file, n.Line, n.Column, "wants %s", want)
}

var (
	srcType  = reflect.TypeFor[Src]()
	keysType = reflect.TypeFor[Keys]()
	cellType = reflect.TypeFor[Cell]()
	dayType  = reflect.TypeFor[calendar.Day]()
	mapEntry = "Entry["
)

func (r *reader) decode(file string, n *yaml.Node, v reflect.Value) {
	if n.Kind == yaml.AliasNode {
		r.mistake(file, n.Line, n.Column, "an alias: write the value out, so that the line says what holds")
		return
	}
	if n.Kind == yaml.ScalarNode && strings.ContainsRune(n.Value, 0) { // the file has none, but a text in quotation marks may write one: "\0"
		r.mistake(file, n.Line, n.Column, "a NUL byte in a text")
		return
	}
	switch {
	case v.Type() == srcType:
		if n.Kind != yaml.ScalarNode {
			r.wrong(file, n, "a text")
			return
		}
		s := Src{Text: n.Value, Line: n.Line, Col: n.Column}
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			s.Quoted = true
			s.Col++
		}
		if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
			s.Line, s.Col = n.Line+1, 1
			if ls := r.lines[file]; n.Line < len(ls) {
				s.Col = indent(ls[n.Line]) + 1
			}
		}
		v.Set(reflect.ValueOf(s))
	case v.Type() == dayType:
		d, err := calendar.Parse(n.Value)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.wrong(file, n, "a day, written 2024-12-20")
			return
		}
		v.Set(reflect.ValueOf(d))
	case v.Type() == keysType && n.Kind == yaml.ScalarNode:
		v.Set(reflect.ValueOf(Keys{{}}))
		r.decode(file, n, v.Index(0))
	case v.Type() == cellType && n.Kind == yaml.MappingNode:
		r.decode(file, n, v.FieldByName("Row"))
	case v.Type() == cellType:
		r.decode(file, n, v.FieldByName("Number"))
	case v.Kind() == reflect.Pointer:
		p := reflect.New(v.Type().Elem())
		r.decode(file, n, p.Elem())
		v.Set(p)
	case v.Kind() == reflect.String:
		if n.Kind != yaml.ScalarNode {
			r.wrong(file, n, "a text")
			return
		}
		v.SetString(n.Value)
	case v.Kind() == reflect.Int64:
		i, err := strconv.ParseInt(strings.ReplaceAll(n.Value, "_", ""), 10, 64)
		if n.Kind != yaml.ScalarNode || err != nil {
			r.wrong(file, n, "a whole number")
			return
		}
		v.SetInt(i)
	case v.Kind() == reflect.Bool:
		if n.Kind != yaml.ScalarNode || n.Value != "true" && n.Value != "false" {
			r.wrong(file, n, "true or false")
			return
		}
		v.SetBool(n.Value == "true")
	case v.Kind() == reflect.Slice && strings.HasPrefix(v.Type().Elem().Name(), mapEntry):
		r.entries(file, n, v)
	case v.Kind() == reflect.Slice:
		if n.Kind != yaml.SequenceNode {
			r.wrong(file, n, "a list")
			return
		}
		for _, c := range n.Content {
			e := reflect.New(v.Type().Elem()).Elem()
			r.decode(file, c, e)
			v.Set(reflect.Append(v, e))
		}
	case v.Kind() == reflect.Struct:
		r.fields(file, n, v)
	default:
		panic("pack: no decoding into " + v.Type().String())
	}
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// place finds where in the file a character of a text stands; line and col count from 1 within the text. YAML folds the lines of a long
// text into one, takes the indentation off a block and writes a quotation mark within a quoted text as two characters, so the text and the
// file are walked side by side.
func (r *reader) place(file string, s Src, line, col int) (int, int) {
	ls, at := r.lines[file], []int{s.Line, s.Col}
	if s.Line < 1 || s.Line > len(ls) {
		return s.Line, s.Col
	}
	row := []rune(ls[s.Line-1])
	quote := ' '
	if s.Col > 1 && s.Col-2 < len(row) {
		quote = row[s.Col-2]
	}
	onLine, onCol := 1, 1
	for _, c := range s.Text {
		if onLine == line && onCol == col {
			break
		}
		onCol++
		if c == '\n' {
			onLine, onCol = onLine+1, 1
		}
		switch {
		case at[1] <= len(row) && row[at[1]-1] == c && (c != ' ' || strings.TrimSpace(string(row[at[1]-1:])) != ""):
			at[1]++
			if c == '\'' && quote == c { // two stand for one
				at[1]++
			}
		case quote == '"' && at[1] < len(row) && row[at[1]-1] == '\\' && row[at[1]] == c:
			at[1] += 2
		case (c == ' ' || c == '\n') && strings.TrimSpace(string(row[min(at[1]-1, len(row)):])) == "" && at[0] < len(ls):
			for at[0]++; at[0] < len(ls) && strings.TrimSpace(ls[at[0]-1]) == "" && c == ' '; at[0]++ {
			}
			row = []rune(ls[at[0]-1])
			if at[1] = indent(ls[at[0]-1]) + 1; c == '\n' && s.Col == indent(ls[s.Line-1])+1 { // a block keeps what stands further in
				at[1] = min(at[1], s.Col)
			}
		default:
			return s.Line, s.Col
		}
	}
	return at[0], at[1]
}

func (r *reader) entries(file string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.wrong(file, n, "a mapping")
		return
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		if seen[k.Value] {
			r.mistake(file, k.Line, k.Column, "%s stands here twice", k.Value)
			continue
		}
		seen[k.Value] = true
		e := reflect.New(v.Type().Elem()).Elem()
		r.decode(file, k, e.Field(0))
		r.decode(file, n.Content[i+1], e.Field(1))
		v.Set(reflect.Append(v, e))
	}
}

func (r *reader) fields(file string, n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		r.wrong(file, n, "a mapping")
		return
	}
	if f := v.FieldByName("Place"); f.IsValid() && f.Type() == srcType {
		f.Set(reflect.ValueOf(Src{Line: n.Line, Col: n.Column}))
	}
	byName, required, filled := map[string]reflect.Value{}, []string{}, map[string]bool{}
	for i := range v.NumField() {
		name, opt, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		byName[name] = v.Field(i)
		if opt == "required" || opt == "given" { // given: it must stand there, and may be empty
			required = append(required, name)
		}
		filled[name] = opt == "required"
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		f, ok := byName[k.Value]
		switch {
		case !ok:
			names := make([]string, 0, len(byName))
			for name := range byName {
				names = append(names, name)
			}
			sort.Strings(names)
			msg := "no key " + k.Value + " here"
			if near := fault.Closest(k.Value, names); near != "" {
				msg += "; did you mean " + near + "?"
			} else {
				msg += "; there is " + strings.Join(names, ", ")
			}
			r.mistake(file, k.Line, k.Column, "%s", msg)
		case seen[k.Value]:
			r.mistake(file, k.Line, k.Column, "%s stands here twice", k.Value)
		case filled[k.Value] && empty(n.Content[i+1]):
			r.mistake(file, k.Line, k.Column, "%s is empty", k.Value)
		default:
			r.decode(file, n.Content[i+1], f)
		}
		seen[k.Value] = true
	}
	for _, name := range required {
		if !seen[name] {
			r.mistake(file, n.Line, n.Column, "%s is missing", name)
		}
	}
}

// empty: nothing, "" or a list or mapping without entries.
func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" || (n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode) && len(n.Content) == 0
}
