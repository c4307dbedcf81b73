// Package cli is the command line: it wires the stages together and gives them a clock, a home and a pack.
//
// Every command takes --home DIR and --json: one JSON document on stdout, progress and messages on stderr. Days are written 2024-12-20.
// Exit codes: 0 done; 1 the request could not be met (the message says why and what to do); 2 wrong usage; 3 done, but this call put
// new rows or cases before a person.
//
// A person reads the sentence of an error in their language (--lang, or the environment's LANG); --verbose adds the chain of operations for
// the operator.
package cli
