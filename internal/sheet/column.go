package sheet

import (
	"encoding/hex"
	"math/big"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // for machines without a list of time zones

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// columnText is how the values of a Parquet column become text: by what the column says they mean, or else by how they are stored. A
// column of bytes that says nothing holds text: older writers leave it out.
func columnText(t parquet.Type) func([]byte, parquet.Value) []byte {
	if l := t.LogicalType(); l != nil {
		switch l := l.Value.(type) {
		case *format.DateType:
			return dayText
		case *format.TimestampType:
			return momentText(nanoseconds(l.Unit), l.IsAdjustedToUTC)
		case *format.TimeType:
			return timeText(nanoseconds(l.Unit))
		case *format.DecimalType:
			return decimalText(int(l.Scale), t.Kind())
		case *format.UUIDType:
			return uuidText
		case *format.IntType:
			if !l.IsSigned {
				return unsignedText(t.Kind())
			}
		}
	}
	if t.Kind() == parquet.Int96 {
		return int96Text(chinaTime())
	}
	return kindTexts[t.Kind()]
}

var kindTexts = map[parquet.Kind]func([]byte, parquet.Value) []byte{
	parquet.Boolean:           func(dst []byte, v parquet.Value) []byte { return append(dst, truth(v.Boolean())...) },
	parquet.Int32:             func(dst []byte, v parquet.Value) []byte { return strconv.AppendInt(dst, int64(v.Int32()), 10) },
	parquet.Int64:             func(dst []byte, v parquet.Value) []byte { return strconv.AppendInt(dst, v.Int64(), 10) },
	parquet.Float:             func(dst []byte, v parquet.Value) []byte { return appendFloat(dst, float64(v.Float()), 32) },
	parquet.Double:            func(dst []byte, v parquet.Value) []byte { return appendFloat(dst, v.Double(), 64) },
	parquet.ByteArray:         func(dst []byte, v parquet.Value) []byte { return append(dst, v.ByteArray()...) },
	parquet.FixedLenByteArray: func(dst []byte, v parquet.Value) []byte { return append(dst, v.ByteArray()...) },
}

func unsignedText(kind parquet.Kind) func([]byte, parquet.Value) []byte {
	if kind == parquet.Int32 {
		return func(dst []byte, v parquet.Value) []byte { return strconv.AppendUint(dst, uint64(v.Uint32()), 10) }
	}
	return func(dst []byte, v parquet.Value) []byte { return strconv.AppendUint(dst, v.Uint64(), 10) }
}

func nanoseconds(u format.TimeUnit) time.Duration {
	switch u.Value.(type) {
	case *format.MilliSeconds:
		return time.Millisecond
	case *format.MicroSeconds:
		return time.Microsecond
	}
	return time.Nanosecond
}

// whole is a value of either integer kind.
func whole(v parquet.Value) int64 {
	if v.Kind() == parquet.Int32 {
		return int64(v.Int32())
	}
	return v.Int64()
}

func dayText(dst []byte, v parquet.Value) []byte {
	return orNumber(dst, time.Unix(int64(v.Int32())*secondsADay, 0).UTC(), int64(v.Int32()))
}

// orNumber writes a moment, or the number that it was made of where the year has not four digits.
func orNumber(dst []byte, t time.Time, n int64) []byte {
	if out, ok := appendMoment(dst, t); ok {
		return out
	}
	return strconv.AppendInt(dst, n, 10)
}

// momentText writes timestamps. One that is adjusted to UTC is an instant, and is given as clocks in China showed it, in the summers of
// 1986 to 1991 too; one that is not is a clock's time already. A day that a program wrote as midnight, adjusted or not, stays that day.
func momentText(unit time.Duration, adjusted bool) func([]byte, parquet.Value) []byte {
	zone := time.UTC
	if adjusted {
		zone = chinaTime()
	}
	perSecond := int64(time.Second / unit)
	return func(dst []byte, v parquet.Value) []byte {
		n := v.Int64()
		seconds, rest := n/perSecond, n%perSecond
		return orNumber(dst, time.Unix(seconds, rest*int64(unit)).In(zone), n)
	}
}

// chinaTime is the time of the whole country. It is in the list that the program carries, so that an error cannot be.
func chinaTime() *time.Location {
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		panic(err)
	}
	return zone
}

// int96Text writes the instants of older Spark, Hive and Impala: nanoseconds of the day, and the day by Julian count.
func int96Text(zone *time.Location) func([]byte, parquet.Value) []byte {
	const julian1970 = 2440588
	return func(dst []byte, v parquet.Value) []byte {
		n := v.Int96()
		day := int64(n[2]) - julian1970
		return orNumber(dst, time.Unix(day*secondsADay, int64(n[1])<<32|int64(n[0])).In(zone), day)
	}
}

func timeText(unit time.Duration) func([]byte, parquet.Value) []byte {
	return func(dst []byte, v parquet.Value) []byte {
		n := whole(v)
		if seconds := n / int64(time.Second/unit); seconds >= 0 && seconds < secondsADay {
			return appendClock(dst, int(seconds))
		}
		return strconv.AppendInt(dst, n, 10)
	}
}

// decimalText writes decimals exactly, without zeros at the end.
func decimalText(scale int, kind parquet.Kind) func([]byte, parquet.Value) []byte {
	return func(dst []byte, v parquet.Value) []byte {
		var n *big.Int
		if kind == parquet.Int32 || kind == parquet.Int64 {
			n = big.NewInt(whole(v))
		} else {
			n = signed(v.ByteArray())
		}
		return appendDecimal(dst, n.String(), scale)
	}
}

// signed reads a big-endian number in two's complement.
func signed(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0] >= 0x80 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// appendDecimal writes a number of so many decimal places from its digits alone.
func appendDecimal(dst []byte, digits string, scale int) []byte {
	const scaleMax = 1000 // more than any database has
	if scale <= 0 || scale > scaleMax {
		return append(dst, digits...)
	}
	digits, negative := strings.CutPrefix(digits, "-")
	if negative {
		dst = append(dst, '-')
	}
	if missing := scale + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - scale
	dst = append(dst, digits[:point]...)
	if places := strings.TrimRight(digits[point:], "0"); places != "" {
		dst = append(append(dst, '.'), places...)
	}
	return dst
}

func uuidText(dst []byte, v parquet.Value) []byte {
	b := v.ByteArray()
	if len(b) != 16 {
		return append(dst, b...)
	}
	for i, n := 0, 0; i < len(b); n++ {
		size := []int{4, 2, 2, 2, 6}[n]
		if n > 0 {
			dst = append(dst, '-')
		}
		dst = hex.AppendEncode(dst, b[i:i+size])
		i += size
	}
	return dst
}
