// Package audit is the log of who did what: every change, and every look at personal data.
//
// A record says when, by which account in which role, what was done (a verb of the glossary), to what (a kind and an id, never personal data), what
// stood there before and after, why, how many rows were seen, and in which request. Write takes the transaction of the change itself: both are
// kept or neither is, and without a transaction nothing can be written. There is no switch: no setting, no level, no log that is nil. A look at a page of
// N people is one record with Count N, written before the page is shown.
//
// Personal data is kept out by type. A Value is made by Int, Day, Instant or Text for what is none, by Keyed (a fingerprint, by which one sees whether a
// phone changed and not which it is) or by Masked for what is. Write refuses texts that hold a number as long as a phone's.
//
// Records are not chained where they are written: two transactions that touch nothing in common would wait for each other. A sealer takes what was
// committed, within a second where something serves, and gives each record the next number and a hash:
//
//	hash = SM3(hash of the record before, 32 bytes, zeros before the first ‖ text)
//
// The text is the record as one JSON object without blanks, in the order of the fields of Entry. It is written by this package's own few lines and not by
// encoding/json, so that it is the same in every year. A line of an exported file is that text with the hash put in front of its first field, so a file
// can be checked with nothing but SM3: cut `"hash":"…",` out of a line and what remains is what was hashed.
//
// On PostgreSQL rows become visible in another order than their ids or instants have. The number in the chain is therefore given by the sealer
// and by nobody else: it reads the list of records that have none, in the order of their instants, and takes the numbers after the last one. Two
// sealers at once want the same number; a unique key lets one win, and the other finds nothing left to do. A process that dies between commit
// and sealing leaves its records to the next sealer. The tail that is not sealed yet is counted and listed (Tail), and Verify tells how long it is.
//
// A chain finds a change by somebody who does not work the chain out anew. Against somebody who does, there are roots: at the first sealing of a new day
// the last hash of the days before is signed (SM2) and added to a file, audit-roots, in a folder apart from the data. An exported file ends with a
// line that says how many records there are and the last hash, signed with the same key: whoever kept an export, or the public key, need not
// believe the database.
//
// Verify walks the chain of the database, VerifyFile that of an exported file with nothing else at hand; both name the first record that does not fit.
// What neither finds: records that were removed before they were sealed, and a chain that somebody with the signing key wrote anew together
// with the roots.
package audit
