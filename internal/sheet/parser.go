package sheet

import "bytes"

// parser reads the fields of a record with quotation marks, one physical line after the other.
type parser struct {
	delimiter byte
	text      []byte // the fields one after the other, without marks and delimiters
	ends      []int  // where each field ends in text
	state     state
	marks     bool // an unquoted field has a mark in it
}

// state is where in a field the parser stands.
type state int

const (
	before state = iota // at its first character
	bare                // in a field without marks
	inside              // between the marks
	closed              // after a mark that closes the field unless another mark follows
)

// progress is what a line led to.
type progress int

const (
	fieldsWhole  progress = iota // the record ended with the line
	fieldsOpen                   // the line ended between the marks: the record goes on
	fieldsBroken                 // something follows a closing mark
)

func (p *parser) begin(delimiter byte) {
	p.delimiter, p.state, p.marks = delimiter, before, false
	p.text, p.ends = p.text[:0], p.ends[:0]
}

// feed reads a physical line, its content being the line without its line end. A line end between the marks belongs to the field.
func (p *parser) feed(line, content []byte) progress {
	rest := content
	for {
		switch p.state {
		case before:
			p.state = bare
			if len(rest) > 0 && rest[0] == '"' {
				rest, p.state = rest[1:], inside
			}
		case bare:
			i := bytes.IndexByte(rest, p.delimiter)
			field := rest
			if i >= 0 {
				field = rest[:i]
			}
			p.marks = p.marks || bytes.IndexByte(field, '"') >= 0
			p.add(field)
			p.end()
			if i < 0 {
				return fieldsWhole
			}
			rest = rest[i+1:]
		case inside:
			i := bytes.IndexByte(rest, '"')
			if i < 0 {
				p.add(rest)
				p.add(line[len(content):])
				return fieldsOpen
			}
			p.add(rest[:i])
			rest, p.state = rest[i+1:], closed
		case closed:
			switch {
			case len(rest) == 0:
				p.end()
				return fieldsWhole
			case rest[0] == '"':
				p.add(rest[:1])
				rest, p.state = rest[1:], inside
			case rest[0] == p.delimiter:
				p.end()
				rest = rest[1:]
			default:
				return fieldsBroken
			}
		}
	}
}

func (p *parser) add(b []byte) { p.text = append(p.text, b...) }

func (p *parser) end() {
	p.ends = append(p.ends, len(p.text))
	p.state = before
}

// fields gives what was read, an unclosed last field included. All fields share one string.
func (p *parser) fields() []string {
	if p.state == inside {
		p.end()
	}
	s := string(p.text)
	fields := make([]string, len(p.ends))
	from := 0
	for i, to := range p.ends {
		fields[i] = s[from:to]
		from = to
	}
	return fields
}
