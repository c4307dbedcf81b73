// Package fault is how Bole says that something could not be done.
//
// An error has two readers. The person gets a sentence in their language, found by Key, and a way forward; the operator gets
// the chain of operations and the cause. Neither gets the other's. A Key names a message in package locale, and Args fill it:
// they may hold file names, line numbers, column names and codes, and never a person's name, number, phone or account.
//
// Loading declarations and deliveries reports a list of Mistakes instead, all at once, each with its place.
package fault
