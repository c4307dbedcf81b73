// Package lake keeps registers, facts and findings as immutable Parquet files in numbered generations, pseudonymous. What a run saw of each person is kept
// beside them as evidence, in a file of its own format that gives one person's rows in one read.
//
// Only a row of the manifest says that a file exists; a file without one is the rest of a write that did not finish and is removed by the
// next writer. Publishing is: write the file, fsync it, fsync its directory, commit one transaction of the manifest. There is one writer
// at a time, by a lease with a fencing token that only grows; a writer that lost its lease cannot commit. A reader takes the newest
// generation at its start and keeps to it.
//
// A file of a delivery carries the day it was received; reading "as of" a day leaves out what came later. How deliveries of one register
// add up (append, upsert, replace_month, replace_all) is worked out when they are read, so nothing received is ever overwritten. Rows that
// correct an earlier delivery have the day on which they were received, and stand in the order of deliveries with the one that they correct.
//
// Who is who is a table of holders, published with each generation that changes it, and the dated changes to it: as of a day it says what
// was known then.
package lake
