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

// encodings are the names that an encoding may be stated by. GBK and GB2312 are parts of GB18030.
var encodings = map[string]string{
	utf8Name: utf8Name, utf8BOMName: utf8Name, utf16LEName: utf16LEName, utf16BEName: utf16BEName,
	gb18030Name: gb18030Name, "GBK": gb18030Name, "GB2312": gb18030Name,
}

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
	switch {
	case looksUTF16(head, 0):
		return utf16LEName, 0
	case looksUTF16(head, 1):
		return utf16BEName, 0
	case looksUTF8(head, whole):
		return utf8Name, 0
	}
	return gb18030Name, 0
}

// looksUTF16 is whether a text without a mark is UTF-16, low being the place of the lower byte in a pair. There a digit, a delimiter or
// a line end is a pair with a zero byte; in any other text it has no zero byte beside it, unless the file is damaged in just that
// place. Such a byte may also be half of a Chinese character, one time in sixteen, so that no more than a third need have its zero.
func looksUTF16(head []byte, low int) bool {
	signs, paired := 0, 0
	for i, c := range head {
		if c >= '0' && c <= '9' || c == '\n' || c == '\r' || c == '\t' || c == ',' || c == ';' || c == '|' {
			signs++
			if zero := i ^ 1; i&1 == low && zero < len(head) && head[zero] == 0 {
				paired++
			}
		}
	}
	return paired > 0 && 3*paired >= signs
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
		return transform.NewReader(r, &hanziDecoder{plain: simplifiedchinese.GB18030.NewDecoder().Transformer})
	default:
		return r
	}
	return transform.NewReader(r, e.NewDecoder())
}
