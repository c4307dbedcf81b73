// Package columnar opens DuckDB in memory, over Parquet files.
//
// No DuckDB database file is kept or shared: each instance lives in memory, with a memory limit, a number of threads and a folder
// of its own for what does not fit, which is removed when the instance is closed and swept at the next start if it was killed. Several
// instances and processes read the same Parquet files at once.
//
// Personal data never enters an instance: package lake gives it only what the lake may hold.
package columnar
