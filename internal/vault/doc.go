// Package vault keeps names, identity numbers, phones and accounts, sealed, and gives everybody a holder id in their place.
//
// A holder is somebody as one identity number names them: the id that stands in every row of the lake and never changes. A person is the
// human being. Which holders are one person is said by deliveries, each on its day, and kept as a list of such statements that only
// grows: so the map of an earlier day can always be told, and a late delivery falls into its place. A holder that nobody joined is a
// person of its own. Two residents' numbers are never joined by a register.
//
// One sealed record a holder holds the personal data; a blind index (a keyed hash of the normalised value) finds a holder by number, phone
// or account without unsealing anything. The database alone, without the keys, tells nothing about anybody; with the kinds of its
// index it tells how many holders are named by a resident's number and how many by another, and who has a phone or an account at all.
//
// A load goes through a Resolver: it finds or makes the holder of each row, while the records of new ones are sealed beside it into
// a file without a name, and saves everything in the transaction that publishes the load. Names is what a person at the counter
// searches in: everybody's name, in memory only. Reseal moves the records to another sealing key while they are read and written.
//
// The rules of identity numbers are here as well: what is a number, what is a slip of the pen. A number is never refused for its region
// code: codes are retired, reused and older than their holders.
package vault
