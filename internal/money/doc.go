// Package money holds amounts of money as whole fen.
//
// A fen is a hundredth of a yuan. Amounts are int64 and never floating point: a subsidy is a right, and a right has no rounding
// error. Percentages are rationals whose rounding the award states. The zero value is zero yuan, which is an amount and
// not "unknown"; unknown is the absence of a Fen (a nil pointer, an SQL NULL).
package money
