// Package bench measures Bole beside a yardstick in the same run.
//
// A benchmark is a list of entries: a value with its unit, the yardstick's value where there is one, their ratio, and whether the ratio is within the
// bar that was set; where nothing is judged, only the value is told. Times are medians of alternating runs, Bole and yardstick by turns, on the same
// data, threads and memory limit, because a machine's speed drifts and a ratio does not.
//
// The yardstick of a screening is plain DuckDB SQL over a fixed synthetic population, in a folder named by BOLE_BENCH; its right answers are written in its README
// and in this package. That of a load is a plain insert of the very rows that the load ends with, made beforehand. The twelve conditions stand in pack/ as a pack like any other, and go through the same generator as a city's law.
package bench
