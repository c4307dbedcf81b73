// Package vault keeps names, ID numbers and phones, sealed, and gives everybody a holder id in their place.
//
// A holder is somebody as one identity number names them: the id that stands in every row of the lake and never changes. A person is the
// human being; the table holder → person says which holders are one, and a holder starts as a person of its own. One sealed record a
// holder holds the personal data; a blind index (a keyed hash of the normalised value) finds a holder by number or phone without unsealing
// anything. The database alone, without the keys, tells nothing about anybody.
//
// The rules of identity numbers are here as well: what is a number, what is a slip of the pen. A number is never refused for its region
// code: codes are retired, reused and older than their holders.
package vault
