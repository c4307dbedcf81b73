// Package sheet reads and writes files of rows: the deliveries of other offices, and what Bole hands out.
//
// A delivery is read as it comes. Open finds out its encoding (UTF-8, UTF-16 with a mark, or GB18030) and its delimiter by itself
// and gives the rows one by one, in bounded memory however long the file is. A row that cannot be used says so in Row.Fault and
// keeps what could be read, with the line it begins on, so that it can be handed back to the office it came from; the rows after it
// are read all the same. What a field means is not this package's business; Clean, ParseDay, ParseMonth and LooksScientific are the
// spellings that deliveries share.
//
// A quotation mark that opens a field and never closes it would swallow the rest of the file. So a record that turns out broken is
// given up line by line: its first line is the bad row, and the lines after it are read again on their own, more strictly, up to
// the place where the break was noticed. A quotation mark inside a field that does not begin with one is an ordinary character.
//
// A line end is LF or CRLF; CR alone in a file that has no LF at all. Lines of no characters are passed over.
//
// CSVWriter and Workbook write. A workbook's cells are all text, so that an ID number keeps its 18 digits and no cell is ever a
// formula. A CSV file has no types: its fields are written as they are, and a spreadsheet program may take one for a formula or a
// number. What people open in a spreadsheet program is written with Workbook.
package sheet
