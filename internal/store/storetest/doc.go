// Package storetest runs a test on both databases.
//
// "Works on PostgreSQL" means that a test passes here. Each hands a test an empty database of its own, on SQLite and then on
// PostgreSQL; all tests of a process share one PostgreSQL, which goes when the process does (see throwaway). Without any PostgreSQL
// that half is skipped, so that go test works on a fresh clone; .ci/need installs one, and there a skip is a failure.
package storetest
