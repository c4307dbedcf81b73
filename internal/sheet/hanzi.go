package sheet

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/transform"
)

// gbkPrivate is the first of 80 characters of GBK for which Unicode had no place in 1995. GBK's two-byte codes FE50 to FEA0 stood for
// U+E815 to U+E864 of its private area then, and systems that still write them so are where rare names are broken.
const gbkPrivate = 0xE815

// gbkReal are the characters themselves, in that order. Source: the characters that GB 18030 prints at FE50 to FEA0, by the places that
// Unicode gave them later: the radicals and U+3447 to U+4DAE in 3.0 (1999), the six beyond U+20000 in 3.1 (2001), U+9FB4 to U+9FBB in
// 4.1 (2005).
var gbkReal = []rune(
	"⺁𠂇𠂉𠃌⺄㑳㑇⺈⺋龴㖞㘚㘎⺌⺗㥮㤘龵㧏㧟" +
		"㩳㧐龶龷㭎㱮㳠⺧𡗗龸⺪䁖䅟⺮䌷⺳⺶⺷𢦏䎱" +
		"䎬⺻䏝䓖䙡䙌龹䜣䜩䝼䞍⻊䥇䥺䥽䦂䦃䦅䦆䦟" +
		"䦛䦷䦶龺𤇾䲣䲟䲠䲡䱷䲢䴓䴔䴕䴖䴗䴘䴙䶮龻",
)

// hanziDecoder makes UTF-8 of GB18030. The plain decoder of the library knows only those of the 80 that the edition of 2000 had; a rare
// name would be read as damaged.
type hanziDecoder struct{ plain transform.Transformer }

func (d *hanziDecoder) Reset() { d.plain.Reset() }

// Transform decodes what stands before the next of the 80 characters, then that one, and so on.
func (d *hanziDecoder) Transform(dst, src []byte, atEOF bool) (nDst, nSrc int, err error) {
	for {
		rest := src[nSrc:]
		at, r := nextReal(rest)
		if r == 0 {
			to, from, err := d.plain.Transform(dst[nDst:], rest, atEOF)
			return nDst + to, nSrc + from, err
		}
		to, from, err := d.plain.Transform(dst[nDst:], rest[:at], true)
		nDst, nSrc = nDst+to, nSrc+from
		if err != nil {
			return nDst, nSrc, err
		}
		if len(dst)-nDst < utf8.UTFMax {
			return nDst, nSrc, transform.ErrShortDst
		}
		nDst += utf8.EncodeRune(dst[nDst:], r)
		nSrc += 2
	}
}

// nextReal finds the first two-byte code of one of the 80 characters in a text that begins with a whole character; r is 0 if there is
// none. A byte FE may also be the second of another character, so the text is walked from its beginning, if it has one at all.
func nextReal(src []byte) (at int, r rune) {
	if bytes.IndexByte(src, 0xFE) < 0 {
		return 0, 0
	}
	for at+1 < len(src) {
		first, second := src[at], src[at+1]
		switch {
		case first <= 0x80 || first == 0xFF:
			at++
		case second >= '0' && second <= '9':
			at += 4
		case second < 0x40: // no second byte; the decoder gives up the first alone
			at++
		case first == 0xFE && second >= 0x50 && second != 0x7F && second <= 0xA0:
			n := int(second) - 0x50
			if second > 0x7F {
				n--
			}
			return at, gbkReal[n]
		default:
			at += 2
		}
	}
	return 0, 0
}
