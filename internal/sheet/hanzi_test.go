package sheet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
)

// The private characters that were met in files of GBK: those of the reference data, or a few of them.
func TestPrivateCharactersOfGBK(t *testing.T) {
	want := map[rune]rune{0xE816: 0x20087, 0xE81A: 0x3473, 0xE831: 0x215D7, 0xE844: 0x4723, 0xE855: 0x241FE, 0xE863: 0x4DAE}
	f, err := os.Open(filepath.Join(os.Getenv("BOLE_REFDATA"), "codes", "gbk_pua_map.txt"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	if err == nil {
		defer f.Close()
		n := 0
		for lines := bufio.NewScanner(f); lines.Scan(); n++ {
			var private, real rune
			_, unihan, _ := strings.Cut(lines.Text(), "Unihan: ")
			_, err := fmt.Sscanf(lines.Text(), "U+%X:", &private)
			_, err2 := fmt.Sscanf(unihan, "U+%X", &real)
			if err := errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
			want[private] = real
		}
		if n < 50 {
			t.Fatalf("%d lines", n)
		}
	}
	for private, real := range want {
		if got := Clean(string(private)); got != string(real) {
			t.Errorf("%U becomes %q, want %c", private, got, real)
		}
	}
	seen := map[rune]bool{}
	for _, r := range gbkReal {
		if seen[r] || private(r) || Clean(string(r)) != string(r) {
			t.Errorf("%U stands there twice, or is private itself", r)
		}
		seen[r] = true
	}
	if len(gbkReal) != 0xE864-gbkPrivate+1 {
		t.Errorf("%d characters", len(gbkReal))
	}
}

// Each of the 80 is read from its two bytes, wherever it stands and however the bytes come.
func TestRareCharactersAreReadFromGB18030(t *testing.T) {
	codes := func(n int) []byte { // FE50 to FE7E, FE80 to FEA0
		return []byte{0xFE, byte(0x50 + n + n/47)}
	}
	text := []byte("\xd0\xd5\xc3\xfb,b\n") // 姓名
	want := ""
	for n, r := range gbkReal {
		text = append(append(append(text, codes(n)...), "\xd5\xc5,"...), codes(n)...)
		text = append(text, "\xd5\xfe\x51\x95\x32\x82\x36\n"...) // 政Q𠀀: FE as a second byte, and a character of four
		want += fmt.Sprintf("%d: %c张|%c政Q𠀀\n", n+2, r, r)
	}
	f, err := readCSV("a.csv", iotest.OneByteReader(bytes.NewReader(text)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := show(rows(t, f)); got != want || f.Encoding() != "GB18030" {
		t.Errorf("%s: %s", f.Encoding(), got)
	}
	long := append(bytes.Clone(text), bytes.Repeat([]byte("\xfe\x51,\xfe\xa0\n"), 50_000)...)
	f, err = readCSV("a.csv", bytes.NewReader(long), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows(t, f)[len(gbkReal):] {
		if r.Fault != "" || r.Fields[0] != "𠂇" || r.Fields[1] != "龻" {
			t.Fatal(show([]Row{r}))
		}
	}
	f, err = readCSV("a.csv", strings.NewReader("\xd0\xd5\xc3\xfb,b\n\xfe\x51,\xfe"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := show(rows(t, f)); got != "2 row_cut: 𠂇|\uFFFD\n" {
		t.Errorf("cut in a character: %q", got)
	}
}
