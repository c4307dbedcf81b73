// Package register takes deliveries: files from the bodies that keep registers, checked row by row.
//
// A delivery is one file of one register, received on a day. Load reads it once: headings are matched to the pack's columns, every field is
// read by its type, cross-field checks are asked, and a row is either accepted or put in quarantine with every reason at once. Personal columns
// go to the vault, sealed; all others go to the lake under the holder's id. Accepted rows that the lake has already are counted as unchanged and
// not written again, so the same rows in another file make no new generation; the same bytes change nothing at all.
//
// Nothing is lost: the original file and the rejected rows are kept, sealed, and the rejected rows are handed back as a workbook with file,
// line, field, what was found and what to do, beside the sender's own columns.
//
// A delivery is all or nothing: its lake file, its holders and its own row become true in one commit.
package register
