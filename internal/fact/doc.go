// Package fact derives facts from registers: typed, dated statements about a subject row.
//
// Derive writes one SQL statement a kind of subject from the pack's declarations and keeps the result in a temporary table: one row a subject
// row and day asked about, one column a fact, NULL for unknown. The same statement serves everybody on one day and one person on many
// days, which is how the earliest day of an entitlement is found: by asking each day.
//
// # Days
//
// A fact is taken on the day asked about, for everybody in one grouped query; or at a day of the subject's row (at:), for the moments that the rows have.
// A statement is written in stages: the days and columns that later facts are taken at come first. The facts of a spouse, or of the person on another
// day, are the same statement again, asked of other persons and days.
//
// # Spells
//
// Month rows of contributions are first netted per holder, kind and month (a refund takes a month away, a month paid twice or by two employers
// is one month) and kept as spells: stretches of months of one kind, quality, employer, place and lag. Qualities are paid (when due: by the end of the
// following month), late (posted after that), recollected (a failed debit collected again), back (paid for the past) and transfer (from another city). Which
// of them count, where they must be insured, and whether by the month due or the month received, is the fact's choice, because it is the law's.
// docs/policies.md, section 5, lists the disputes that turn on it.
//
// # Silence
//
// A register that was never delivered leaves its facts unknown. A register that is not complete leaves a fact unknown for somebody whom it
// does not name. Where a row's own field is missing, so that nobody can say whether the row counts, the fact is unknown if that row
// could have changed it.
package fact
