package sheet

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// headSize is how many bytes of a file decide its encoding.
const headSize = 1 << 20

// The encodings that are read; the writer knows "UTF-8-BOM" too.
const (
	utf8Name    = "UTF-8"
	utf8BOMName = "UTF-8-BOM"
	utf16LEName = "UTF-16LE"
	utf16BEName = "UTF-16BE"
	gb18030Name = "GB18030"
)

var marks = []struct{ mark, encoding string }{
	{"\xEF\xBB\xBF", utf8Name},
	{"\xFF\xFE", utf16LEName},
	{"\xFE\xFF", utf16BEName},
}

// detect tells the encoding of a file by its first bytes, and how many of them are its mark. Whole is whether head is all of it.
func detect(head []byte, whole bool) (name string, mark int) {
	for _, m := range marks {
		if bytes.HasPrefix(head, []byte(m.mark)) {
			return m.encoding, len(m.mark)
		}
	}
	if looksUTF8(head, whole) {
		return utf8Name, 0
	}
	return gb18030Name, 0
}

// looksUTF8 is whether a text is UTF-8. One broken byte must not turn a file of good UTF-8 into thousands of wrong characters that
// all pass for Chinese, so at most one broken byte to four good characters beyond ASCII is allowed. In a text of GB18030 it is the
// other way about: about one character in six happens to be good UTF-8. A character cut by the end of head does not count, unless it
// is the only one beyond ASCII in the whole file.
func looksUTF8(head []byte, whole bool) bool {
	if utf8.Valid(head) {
		return true
	}
	good, bad := 0, 0
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		switch {
		case r == utf8.RuneError && size == 1:
			if !utf8.FullRune(head) && (good > 0 || !whole) {
				return good >= 4*bad
			}
			bad++
		case size > 1:
			good++
		}
		head = head[size:]
	}
	return good >= 4*bad
}

// decode gives r in UTF-8. What cannot be decoded becomes U+FFFD; UTF-8 is passed on as it is, and the rows are checked one by one.
func decode(name string, r io.Reader) io.Reader {
	var e encoding.Encoding
	switch name {
	case utf16LEName:
		e = unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM)
	case utf16BEName:
		e = unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM)
	case gb18030Name:
		e = simplifiedchinese.GB18030
	default:
		return r
	}
	return transform.NewReader(r, e.NewDecoder())
}
