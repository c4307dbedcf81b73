package money

import "testing"

func TestParseYuan(t *testing.T) {
	for in, want := range map[string]Fen{"1500": 150000, "1,500.00": 150000, "-12.5": -1250, "0.05": 5, " 7 ": 700} {
		got, err := ParseYuan(in)
		if err != nil || got != want {
			t.Errorf("ParseYuan(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
	for _, in := range []string{"", "1.234", "x", "1.", ".5", "--1", "1e3", "99999999999999999999"} {
		if got, err := ParseYuan(in); err == nil {
			t.Errorf("ParseYuan(%q) = %d, want an error", in, got)
		}
	}
}

func TestWritten(t *testing.T) {
	for in, want := range map[Fen]string{0: "0", 150000: "1,500", -1250: "-12.50", 5: "0.05", 123456789: "1,234,567.89", -100000000: "-1,000,000", -1 << 63: "-92,233,720,368,547,758.08"} {
		if got := in.Grouped(); got != want {
			t.Errorf("Fen(%d).Grouped() = %q, want %q", in, got, want)
		}
	}
}
