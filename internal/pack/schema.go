package pack

import (
	"cmp"
	"encoding/json"
	"reflect"
	"regexp"
	"strings"

	"bole/internal/expr"
)

// FileKind is one kind of file of a pack.
type FileKind struct {
	Name  string   // the name of its schema
	Title Words    // what the file holds
	Match []string // which files, from the pack's folder; one that begins with ! is none of them
	typ   reflect.Type
}

// FileKinds are the kinds of file of a pack, in the order in which they stand on each other.
var FileKinds = []FileKind{
	{"pack", Words{"政策包", "A pack"}, []string{"pack.yaml"}, reflect.TypeFor[head]()},
	{"codes", Words{"代码表", "A code list"}, []string{"codes/*.yaml"}, reflect.TypeFor[CodeList]()},
	{"register", Words{"底册", "A register"}, []string{"registers/*.yaml"}, reflect.TypeFor[Register]()},
	{"facts", Words{"一类对象及其事实", "A kind of subject and its facts"}, []string{"facts/*.yaml"}, reflect.TypeFor[Subject]()},
	{"policy", Words{"政策", "A policy"}, []string{"policies/*.yaml", "!policies/*_test.yaml"}, reflect.TypeFor[Policy]()},
	{"test", Words{"政策的测试", "The tests of a policy"}, []string{"policies/*_test.yaml"}, reflect.TypeFor[testFile]()},
}

// choices are the values of a key that has a list of them, by type and key: the same lists that the checks look into.
var choices = map[string][]string{
	"Register.about": abouts, "Register.mode": modes, "Column.type": keys(columnTypes), "Column.class": keys(classNames),
	"Fact.type": keys(factTypes), "Fact.take": takes, "Fact.of": rowChoices, "Fact.place": places, "Fact.counted": countings, "Fact.qualities": Qualities,
	"Policy.payee": payees, "Award.every": periods, "Limit.rounding": expr.Roundings, "head.ties": Ties,
	"Process.tier": Tiers, "Ask.type": AskTypes, "Event.then": Thens, "Want.outcome": Outcomes,
}

// forms are the forms of a name, by type and key; of a mapping, of its keys.
var forms = map[string]*regexp.Regexp{
	"head.constants": snake, "CodeList.codes": snake, "Register.register": snake, "Column.name": snake, "Subject.subject": snake, "Fact.name": snake,
	"Policy.policy": kebab, "Policy.parameters": snake, "Parameter.values": written, "Rule.id": kebab, "Except.id": kebab, "Limit.id": kebab, "Event.id": kebab, "Ask.name": snake, "Test.facts": snake,
}

// written is how a day is written.
var written = regexp.MustCompile(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)

type schema = map[string]any

// Schema is the JSON Schema of a kind of file, for editors that complete and underline. It is drawn from the very types that the files are read into,
// so a key that is added to one of them is in it. What cannot be told of a file by itself (a fact that nobody declared, versions that overlap) only
// Load knows.
func (k FileKind) Schema() []byte {
	d := drawing{defs: schema{}}
	s := d.fields(k.typ)
	s["$schema"], s["title"] = "https://json-schema.org/draft/2020-12/schema", k.Title.both()
	if len(d.defs) > 0 {
		s["$defs"] = d.defs
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil { // of maps, lists and texts
		panic("pack: " + err.Error())
	}
	return []byte(b.String())
}

// both is a text for a reader of whom nobody knows which language.
func (w Words) both() string { return w.Zh + " · " + w.En }

// drawing collects the types that a schema refers to.
type drawing struct{ defs schema }

// of draws a type; at is the type and key where it stands.
func (d drawing) of(t reflect.Type, at string) schema {
	among, isChoice := choices[at]
	form := forms[at]
	switch {
	case isChoice && t.Kind() != reflect.Slice && t.Kind() != reflect.Pointer:
		return schema{"enum": among}
	case t == srcType && form != nil, t.Kind() == reflect.String && form != nil:
		return schema{"type": "string", "pattern": form.String()}
	case t == srcType, t.Kind() == reflect.String:
		return schema{"type": []string{"string", "number", "boolean"}}
	case t == dayType:
		return schema{"type": "string", "format": "date", "pattern": written.String()}
	case t == keysType:
		return schema{"anyOf": []schema{d.of(srcType, at), {"type": "array", "items": d.of(srcType, at)}}}
	case t == cellType:
		return schema{"anyOf": []schema{whole(), {"type": "object", "additionalProperties": whole()}}}
	case t.Kind() == reflect.Pointer:
		return d.of(t.Elem(), at)
	case t.Kind() == reflect.Int64:
		return whole()
	case t.Kind() == reflect.Bool:
		return schema{"type": "boolean"}
	case t.Kind() == reflect.Slice && strings.HasPrefix(t.Elem().Name(), mapEntry):
		s := schema{"type": "object", "additionalProperties": d.of(t.Elem().Field(1).Type, "")}
		if form != nil {
			s["propertyNames"] = schema{"pattern": form.String()}
		}
		return s
	case t.Kind() == reflect.Slice:
		return schema{"type": "array", "items": d.of(t.Elem(), at)}
	case t.Kind() == reflect.Struct:
		if _, drawn := d.defs[t.Name()]; !drawn {
			d.defs[t.Name()] = nil // it may contain itself
			d.defs[t.Name()] = d.fields(t)
		}
		return schema{"$ref": "#/$defs/" + t.Name()}
	}
	panic("pack: no schema of " + t.String())
}

// whole is a whole number, which a declaration may part with _ as in 1000_00: that is a text to YAML 1.2.
func whole() schema {
	return schema{"type": []string{"integer", "string"}, "pattern": `^[-+]?[0-9][0-9_]*$`}
}

// fields draws a struct, as reader.fields reads it.
func (d drawing) fields(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	for f := range t.Fields() {
		key, opt, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		if key == "" || key == "-" {
			continue
		}
		s := d.of(f.Type, t.Name()+"."+key)
		if w, ok := wordsOf(t, key); ok {
			s["description"] = w.both()
		}
		if opt == "required" {
			filled(s)
		}
		if opt == "required" || opt == "given" {
			required = append(required, key)
		}
		properties[key] = s
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// filled refuses what reader calls empty.
func filled(s schema) {
	switch kind := s["type"]; {
	case kind == "array":
		s["minItems"] = 1
	case kind == "object":
		s["minProperties"] = 1
	case kind == "string", reflect.DeepEqual(kind, []string{"string", "number", "boolean"}):
		s["minLength"] = 1
	}
}

// wordsOf says what a key means, of this type or of any.
func wordsOf(t reflect.Type, key string) (Words, bool) {
	w := cmp.Or(keyWords[t.Name()+"."+key], keyWords[key])
	return w, w != Words{}
}

// classNames are the classes that a column of any type may have.
var classNames = func() map[string]bool {
	out := map[string]bool{}
	for _, cs := range classes {
		for _, c := range strings.Fields(cs) {
			out[c] = true
		}
	}
	return out
}()
