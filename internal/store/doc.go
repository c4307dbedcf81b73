// Package store opens the office's database and brings its tables up to date.
//
// One SQL text serves every database: strict tables, days as yyyymmdd integers, instants as epoch microseconds, $1 placeholders, no
// dialect's own operators, invariants as unique keys. This round runs on SQLite; PostgreSQL joins with the office. Migrations are the
// numbered files in migrations/, forward only, run by goose.
package store
