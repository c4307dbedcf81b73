package vault

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/mozillazg/go-pinyin"
)

// surnames are those that do not sound in a name as the dictionary has their character first, in each way in which their bearers say
// them. A surname that is not here sounds like its character.
var surnames = map[rune][]string{
	'单': {"shan"}, '仇': {"qiu"}, '解': {"xie"}, '区': {"ou"}, '查': {"zha"}, '曾': {"zeng"}, '任': {"ren"},
	'盖': {"ge", "gai"}, '朴': {"piao"}, '翟': {"zhai", "di"}, '缪': {"miao"}, '乐': {"yue", "le"}, '员': {"yun"}, '晁': {"chao"},
	'黑': {"he", "hei"}, '秘': {"bi"}, '冼': {"xian"}, '种': {"chong"}, '折': {"she"}, '召': {"shao"}, '祭': {"zhai"},
	'覃': {"qin", "tan"}, '宓': {"fu", "mi"}, '繁': {"po"}, '牟': {"mu", "mou"}, '瞿': {"qu"},
	'隗': {"wei", "kui"}, '谌': {"chen", "shen"}, '句': {"gou"}, '郇': {"xun", "huan"},
	'洗': {"xian"}, '尉': {"wei", "yu"}, '薄': {"bo"}, '车': {"che"}, '那': {"na"},
}

// doubles are the surnames of two characters that sound otherwise than these do first.
var doubles = map[string][2]string{"尉迟": {"yu", "chi"}, "万俟": {"mo", "qi"}, "单于": {"chan", "yu"}, "长孙": {"zhang", "sun"}, "澹台": {"tan", "tai"}}

// sounds are the syllables of the characters that occur in names, without tones. A character in a given name may sound in any of its
// ways: the person at the counter types the one that they heard.
type sounds struct {
	common [0x5200]sound // the block of common characters, from firstCommon on
	others map[rune]*sound
}

// sound is how a character may be said: within a name, and as a surname; and the letters with which that begins, a bit each. begins is
// whether a surname of two characters begins with it.
type sound struct {
	within, surname []string
	letters         uint32
	begins          bool
}

const firstCommon = 0x4e00

func newSounds() *sounds { return &sounds{others: map[rune]*sound{}} }

func (s *sounds) of(r rune) *sound {
	if r >= firstCommon && r < firstCommon+rune(len(s.common)) {
		return &s.common[r-firstCommon]
	}
	if d := s.others[r]; d != nil {
		return d
	}
	return &silent
}

// silent is a character that was never learned.
var silent sound

// learn looks up the characters of a name.
func (s *sounds) learn(name string) {
	for _, r := range name {
		if s.of(r).within != nil {
			continue
		}
		d := look(r)
		if have := s.of(r); have != &silent {
			*have = d
		} else {
			s.others[r] = &d
		}
	}
}

// look asks the dictionary. ü is written v, as on a keyboard, or yu, as in a passport.
func look(r rune) sound {
	args := pinyin.NewArgs()
	args.Heteronym = true
	all := []string{}
	for _, p := range pinyin.SinglePinyin(r, args) {
		all = append(all, p)
		if u := strings.Replace(p, "v", "yu", 1); u != p {
			all = append(all, u)
		}
	}
	slices.Sort(all)
	d := sound{within: slices.Compact(all), surname: surnames[r]}
	if d.surname == nil {
		d.surname = d.within
	}
	for _, p := range slices.Concat(d.within, d.surname) {
		d.letters |= letter(p[0])
	}
	for name, said := range doubles {
		if strings.HasPrefix(name, string(r)) {
			d.letters |= letter(said[0][0])
		}
		d.begins = d.begins || strings.HasPrefix(name, string(r))
	}
	return d
}

func letter(b byte) uint32 { return 1 << (b - 'a') }

// longest is how many characters of a name are compared by sound.
const longest = 12

// syllables are the ways in which each character of a name may sound.
type syllables struct {
	of [longest][]string
	n  int
}

// match tells how a name sounds like a query of small letters, or nothing.
func (s *sounds) match(name []byte, query string) int {
	possible := false // most names have no character that begins like the query
	for rest := name; len(rest) > 0 && !possible; {
		r, size := utf8.DecodeRune(rest)
		possible, rest = s.of(r).letters&letter(query[0]) != 0, rest[size:]
	}
	if !possible {
		return nothing
	}
	var y syllables
	double := false
	for rest := name; len(rest) > 0 && y.n < longest; y.n++ {
		r, size := utf8.DecodeRune(rest)
		rest = rest[size:]
		d := s.of(r)
		y.of[y.n] = d.within
		if y.n == 0 {
			y.of[0], double = d.surname, d.begins
		}
	}
	if double && y.n > 2 { // with two it is a short surname and a given name
		if d, ok := doubles[string(name[:6])]; ok {
			y.of[0], y.of[1] = []string{d[0]}, []string{d[1]}
		}
	}
	return y.match(query)
}

func (y *syllables) match(query string) int {
	best := nothing
	for start := range y.n {
		if whole, ok := y.sound(start, start, query); ok {
			switch {
			case start == 0 && whole:
				return soundIs
			case start == 0:
				best = min(best, soundBegins)
			default:
				best = min(best, soundHas)
			}
		} else if y.initials(start, query) {
			if start == 0 && len(query) == y.n {
				best = min(best, initialsAre)
			} else if len(query) > 1 {
				best = min(best, initialsHave)
			}
		}
	}
	return best
}

// sound reports whether the query is the syllables from at on, the last one perhaps begun only; whole, whether to the name's end. A
// single letter begins no syllable at the start: that is an initial.
func (y *syllables) sound(at, start int, query string) (whole, ok bool) {
	if at == y.n {
		return false, false
	}
	for _, p := range y.of[at] {
		switch {
		case query == p:
			whole, ok = whole || at == y.n-1, true
		case strings.HasPrefix(query, p):
			w, o := y.sound(at+1, start, query[len(p):])
			whole, ok = whole || w, ok || o
		case strings.HasPrefix(p, query) && (len(query) > 1 || at > start):
			ok = true
		}
	}
	return whole, ok
}

// initials reports whether each letter of the query begins a syllable from start on.
func (y *syllables) initials(start int, query string) bool {
	if start+len(query) > y.n {
		return false
	}
	for i := range len(query) {
		begins := false
		for _, p := range y.of[start+i] {
			begins = begins || p[0] == query[i]
		}
		if !begins {
			return false
		}
	}
	return true
}
