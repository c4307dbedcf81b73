package money

import (
	"fmt"
	"strconv"
	"strings"
)

// Fen is an amount in hundredths of a yuan; negative for a refund.
type Fen int64

// Yuan returns n whole yuan.
func Yuan(n int64) Fen { return Fen(n * 100) }

// ParseYuan reads an amount written in yuan with at most two decimals, as in delivery files: "1500", "1,500.00", "-12.5".
//
// Errors: an empty text, more than two decimals, letters, or a value outside int64 fen.
func ParseYuan(s string) (Fen, error) {
	t := strings.ReplaceAll(strings.TrimSpace(s), ",", "")
	neg := strings.HasPrefix(t, "-")
	t = strings.TrimPrefix(t, "-")
	whole, frac, point := strings.Cut(t, ".")
	if whole == "" || len(frac) > 2 || point && frac == "" || !digits(whole) || !digits(frac) {
		return 0, fmt.Errorf("money: not an amount in yuan with at most two decimals")
	}
	n, err := strconv.ParseInt(whole+(frac + "00")[:2], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("money: amount too large")
	}
	if neg {
		n = -n
	}
	return Fen(n), nil
}

func digits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return true
}

// String writes the amount in yuan, with decimals only where there are any: "1500", "12.50", "-0.05".
func (f Fen) String() string {
	sign, n := "", uint64(f)
	if f < 0 {
		sign, n = "-", -n
	}
	if n%100 == 0 {
		return sign + strconv.FormatUint(n/100, 10)
	}
	return fmt.Sprintf("%s%d.%02d", sign, n/100, n%100)
}

// Grouped writes the amount in yuan with thousands separated, as pages show it: "1,500", "12,345.60".
func (f Fen) Grouped() string {
	whole, frac, point := strings.Cut(f.String(), ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	if point {
		whole += "." + frac
	}
	return sign + whole
}
