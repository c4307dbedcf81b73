// Package register takes deliveries: files from the bodies that keep registers, checked row by row.
//
// A delivery is one file of one register, received on a day: CSV, XLSX or Parquet. Load reads it once: headings are matched to the pack's columns,
// every field is read by its type, cross-field checks are asked, and a row is either accepted or put in quarantine with every reason at once. Title
// lines above the headings, headings that come again and lines of sums are no rows, and are counted as passed over. Personal columns go to the
// vault, sealed; all others go to the lake under the holder's id. Accepted rows that the lake has already are counted as unchanged and not written
// again, so the same rows in another file make no new generation; the same bytes change nothing at all, unless some of their rows were rejected and
// the pack or the sender's map has changed since.
//
// Rows that say different things under one key of one file all wait, since nobody can tell which is right. So does a row that would make one person
// of two citizens. Whatever waits is on record in register_reject, one row each, without a word of what it says: the rows themselves and the original
// file are kept sealed.
//
// Rejected rows are handed back as a workbook with file, line, field, what was found and what to do, beside the sender's own columns and a reject
// number. That workbook is a delivery again. Each of its rows goes back to the delivery that it corrects and stands with it: it adds to that
// delivery's month rather than taking its place, and does not overtake what was sent since; but it was known only from the day it came. What waited
// is closed by its correction, by a later row of the same key, or by a delivery that takes the place of its own.
//
// A delivery is all or nothing: its lake files, its holders and its own rows become true in one commit. Steps names the moments in between.
//
// A file is read on all processors in memory that does not grow with it: rows are staged in DuckDB, which spills what has no personal data, and new
// people are sealed into a temporary file. What does grow is one short record a rejected row.
//
// The files: lines.go finds headings and rows, fields.go reads fields, rows.go works rows out, publish.go compares them with what the lake has,
// who.go is about whom they name, waiting.go and rejects.go about what is handed back, report.go says what was seen.
package register
