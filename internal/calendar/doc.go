// Package calendar counts days and months as the law does.
//
// A Day is a date without a time or a zone, written 2024-12-20 and kept as the integer 20241220; 0 is "no day". A Month is a
// calendar month, written 2024-12 and kept as 202412. Whole years and months between days come from the digits alone, so that
// Go, SQL and a clerk with a pencil agree; no database's own intervals are used.
//
// Three words are never interchanged: "on" is the day the law is asked about, "as_of" is the day by which something had been
// received, "at" is the moment something was recorded. All of them are arguments; nothing here reads a clock.
package calendar
