// Package store opens the office's database, SQLite or PostgreSQL 15 and newer, and brings its tables up to date.
//
// One SQL text serves both: days as yyyymmdd integers, instants as epoch microseconds, $1 placeholders, no dialect's own operators, NULL
// order written out, invariants as unique keys. Migrations are the numbered files in migrations/, forward only, run by goose; two
// processes that open a database at once migrate it once. What works on one and not on the other is found by the tests, which run on
// both: see storetest.
//
// Where the two differ, the difference is one of these holes and stands in this package alone:
//
//   - a PostgreSQL database gets a domain blob over bytea before its first migration, so that BLOB is a type on both;
//   - INTEGER is 64 bits wide on SQLite and 32 on PostgreSQL: a count, an amount or an instant is BIGINT, a day or an id INTEGER;
//   - Tx takes the write lock at its beginning on SQLite, and is SERIALIZABLE and tried again on PostgreSQL.
//   - what keeps rows of the audit log from being changed is a trigger, which each of the two writes in its own way: 00021 is two files.
//
// Texts compare byte by byte on SQLite and by the database's collation on PostgreSQL: where an order of texts matters, the database is
// made with the collation "C".
package store
