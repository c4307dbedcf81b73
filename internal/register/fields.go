package register

import (
	"strconv"
	"strings"

	"bole/internal/calendar"
	"bole/internal/money"
	"bole/internal/pack"
	"bole/internal/sheet"
	"bole/internal/vault"
)

// reason is one thing wrong with a row.
type reason struct {
	column int    // place among the register's columns; -1 for the row as a whole
	key    string // in package locale; empty for a check of the pack
	args   []any
	check  string // the check's id
	says   pack.Words
}

// code is the reason as it is counted: the column where there is one, and the key or the check.
func (r reason) code(reg *pack.Register) string {
	what := strings.TrimPrefix(r.key, "reject.")
	if r.check != "" {
		what = "check:" + r.check
	}
	if r.column >= 0 {
		return reg.Columns[r.column].Name.Text + ":" + what
	}
	return what
}

// reader reads one field of a column: the value for the rule language (bool, int64, string, calendar.Day; nil for an empty field), or what is
// wrong. The columns that it depends on have been read into the row.
type reader func(s string, r *row) (value any, wrong string, args []any)

// readers makes a reader for each column of a register.
func readers(reg *pack.Register) []reader {
	out := make([]reader, len(reg.Columns))
	for i, c := range reg.Columns {
		read := fieldReader(c)
		required := c.Required
		out[i] = func(s string, r *row) (any, string, []any) {
			if s = sheet.Clean(s); s == "" {
				if required {
					return nil, "reject.required", nil
				}
				return nil, "", nil
			}
			return read(s, r)
		}
	}
	return out
}

// readingOrder is the columns in the order in which they can be read: numbers of people come after the columns that say which kind of number they are.
func readingOrder(reg *pack.Register) (out []int) {
	for _, late := range []bool{false, true} {
		for i, c := range reg.Columns {
			if (c.Kind != nil) == late {
				out = append(out, i)
			}
		}
	}
	return out
}

func fieldReader(c *pack.Column) reader {
	switch c.Type.Text {
	case "id_number":
		return idReader(c)
	case "person_name":
		return func(s string, _ *row) (any, string, []any) { return readText(vault.CleanName(s)) }
	case "phone":
		return readPhone
	case "account":
		return func(s string, _ *row) (any, string, []any) {
			account, wrong := vault.ParseAccount(s)
			return account, wrong, nil
		}
	case "text":
		cleared := c.Class.Text == "cleared"
		return func(s string, _ *row) (any, string, []any) {
			if cleared && likeNumber(s) {
				return nil, "reject.personal", nil
			}
			return readText(s)
		}
	case "uscc":
		return func(s string, _ *row) (any, string, []any) {
			code, ok, sound := vault.CreditCode(s)
			switch {
			case !ok:
				return nil, "reject.uscc", nil
			case vault.LikeNumber(code) && !(sound && code[0] == '9'): // who pays for himself is often delivered under his own number
				return nil, "reject.personal", nil
			}
			return code, "", nil
		}
	case "number":
		keyed := c.Class.Text == "keyed"
		return func(s string, _ *row) (any, string, []any) { return readNumber(s, keyed) }
	case "code":
		return codeReader(c.List())
	case "int", "yuan":
		return intReader(c)
	case "day":
		return func(s string, _ *row) (any, string, []any) {
			d, err := sheet.ParseDay(s)
			switch {
			case err != nil && sheet.LooksSerial(s):
				return nil, "reject.serial", nil
			case err != nil:
				return nil, "reject.day", nil
			}
			return d, "", nil
		}
	case "month":
		return func(s string, _ *row) (any, string, []any) {
			m, err := sheet.ParseMonth(s)
			if err != nil {
				return nil, "reject.month", nil
			}
			return m.First(), "", nil
		}
	case "bool":
		return func(s string, _ *row) (any, string, []any) {
			v, ok := yesNo[strings.ToLower(s)]
			if !ok {
				return nil, "reject.bool", nil
			}
			return v, "", nil
		}
	}
	panic("register: no reader for a column of type " + c.Type.Text)
}

// oldest is the age beyond which a day of birth is a slip of the pen.
const oldest = 130

// idReader reads an identity number of the kind that the row states, or that its form tells. A number of eighteen places says by itself what it is.
func idReader(c *pack.Column) reader {
	return func(s string, r *row) (any, string, []any) {
		n, wrong := vault.ParseNumber(s, r.stated(c))
		switch {
		case wrong != "":
			return nil, wrong, nil
		case n.Birth > r.received, n.Birth != 0 && calendar.YearsBetween(n.Birth, r.received) > oldest:
			return nil, "reject.id_birth", nil
		}
		if len(n.Normal) != 18 {
			r.kinds[c] = n.Kind
		}
		return n.Normal, "", nil
	}
}

// readPhone keeps a telephone number in one spelling; one that is none refuses no row, and is remarked upon.
func readPhone(s string, r *row) (any, string, []any) {
	phone, ok := vault.ParsePhone(s)
	r.flags.phone = r.flags.phone || !ok
	return readText(phone)
}

var yesNo = map[string]bool{
	"是": true, "1": true, "y": true, "yes": true, "true": true, "已到账": true, "有": true,
	"否": false, "0": false, "n": false, "no": false, "false": false, "未到账": false, "无": false,
}

func readText(s string) (any, string, []any) {
	if len(s) > 400 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, "reject.text", nil
	}
	if _, wrong := vault.ParseNumber(s, ""); wrong == "" {
		return nil, "reject.personal", nil
	}
	return s, "", nil
}

// readNumber reads a certificate's number, a code of a long list. What goes into the lake in clear must not be a person's number; a keyed one
// may be anything, since nobody can read it there.
func readNumber(s string, keyed bool) (any, string, []any) {
	if sheet.LooksScientific(s) {
		return nil, "reject.excel_number", nil
	}
	if len(s) > 40 || strings.Trim(strings.ToUpper(s), "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-./") != "" {
		return nil, "reject.number", nil
	}
	if !keyed {
		if likeNumber(s) || len(s) == 11 && s[0] == '1' {
			return nil, "reject.personal", nil
		}
	}
	return s, "", nil
}

// likeNumber reports whether a field is somebody's identity number, also one with a wrong check digit, or holds one among other words.
func likeNumber(s string) bool {
	if len(s) < 15 { // no number is shorter
		return false
	}
	if vault.LikeNumber(s) {
		return true
	}
	for _, part := range [...]func(rune) bool{notOfNumber, notOfCard} {
		for word := range strings.FieldsFuncSeq(s, part) {
			if vault.LikeNumber(word) {
				return true
			}
		}
	}
	return false
}

// notOfNumber and notOfCard part a text where no number of a resident, and none of a foreign permanent residence card, can go on.
func notOfNumber(r rune) bool { return (r < '0' || r > '9') && r != 'X' && r != 'x' }

func notOfCard(r rune) bool {
	return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
}

// codeReader accepts a code, its words in either language, and the other spellings that its list names. An ordered list's value is its rank.
func codeReader(list *pack.CodeList) reader {
	values := map[string]any{}
	var words []string
	for _, it := range list.Items {
		var v any = it.Code.Text
		if list.Ordered {
			v = it.Rank
		}
		for _, s := range append([]string{it.Code.Text, it.Zh, it.En}, it.Also...) {
			values[sheet.Clean(s)] = v
		}
		words = append(words, it.Zh)
	}
	codes := strings.Join(words, "、")
	return func(s string, _ *row) (any, string, []any) {
		v, ok := values[s]
		if !ok {
			return nil, "reject.code", []any{"codes", codes}
		}
		return v, "", nil
	}
}

func intReader(c *pack.Column) reader {
	return func(s string, _ *row) (any, string, []any) {
		var n, unit int64 = 0, 1
		if c.Type.Text == "yuan" {
			fen, err := money.ParseYuan(s)
			if err != nil {
				return nil, "reject.yuan", nil
			}
			n, unit = int64(fen), 100
		} else {
			var err error
			if n, err = strconv.ParseInt(strings.ReplaceAll(s, ",", ""), 10, 64); err != nil {
				return nil, "reject.int", nil
			}
		}
		if c.Min != nil && n < *c.Min*unit || c.Max != nil && n > *c.Max*unit || n < -1<<40 || n > 1<<40 {
			lo, hi := int64(-1<<40), int64(1<<40)
			if c.Min != nil {
				lo = *c.Min
			}
			if c.Max != nil {
				hi = *c.Max
			}
			return nil, "reject.range", []any{"min", lo, "max", hi}
		}
		return n, "", nil
	}
}

// row is one row's values by column, for the pack's checks.
type row struct {
	reg      *pack.Register
	values   []any
	wrong    []bool                  // by column: there is a value, and it cannot be read
	kinds    map[*pack.Column]string // of the numbers that have not eighteen places
	flags    flags
	received calendar.Day
}

// stated is the kind of number that stands in a column, as the row says; "" where it does not.
func (r *row) stated(c *pack.Column) string {
	if c.Kind == nil {
		return ""
	}
	s, _ := r.value(c.Kind.Text).(string)
	return s
}

func (r *row) value(name string) any {
	if name == "received" {
		return r.received
	}
	for i, c := range r.reg.Columns {
		if c.Name.Text == name {
			return r.values[i]
		}
	}
	return nil
}
