// Package sheet reads and writes files of rows: the deliveries of other offices, and what Bole hands out.
//
// A delivery is read as it comes: CSV, XLSX or Parquet. Open finds out by the first bytes what a file is, of a CSV file also its encoding
// (UTF-8, UTF-16 or GB18030) and its delimiter, and gives the rows one by one, in bounded memory however long the file is; nothing of it
// is written to a disk. A row that cannot be used says so in Row.Fault and keeps what could be read, with the line it begins on, so that
// it can be handed back to the office it came from; the rows after it are read all the same. Whether the first record is a title and not
// the header only the caller can tell: NextHeader. What a field means is not this package's business; Clean, ParseDay, ParseMonth,
// LooksScientific and LooksSerial are the spellings that deliveries share.
//
// # CSV
//
// A quotation mark that opens a field and never closes it would swallow the rest of the file. So a record that turns out broken is
// given up line by line: its first line is the bad row, and the lines after it are read again on their own, more strictly, up to
// the place where the break was noticed. A quotation mark inside a field that does not begin with one is an ordinary character.
//
// A line end is LF or CRLF; CR alone in a file that has no LF at all. Lines of no characters are passed over.
//
// # XLSX
//
// A cell is given as text, as people see it and no further: text as it stands; numbers without exponent and grouping, except that one of
// more than 15 digits, whose last digits the spreadsheet program has lost, is given as 3.71502E+17; days by their format as 2024-01-05,
// with a time behind them unless it is midnight; true and false; errors by their name, #N/A. Of a formula its value counts, as the
// program left it. The value of merged cells stands in each of them. Rows without cells of their own are passed over; cells that are
// missing at the end of a row are empty. A sheet that its writer did not finish gives the rows that
// there are, and then a row of fault RowCut; the values of merged cells may be missing, since which they are stands at the end. A file whose
// bytes were cut or altered on the way is refused whole.
//
// # Parquet
//
// Values are given in the same spellings; whole numbers and decimals with all their digits. A null is an empty field.
//
// # Writing
//
// CSVWriter and Workbook write. A workbook's cells are all text, so that an ID number keeps its 18 digits and no cell is ever a
// formula. A CSV file has no types: its fields are written as they are, and a spreadsheet program may take one for a formula or a
// number. What people open in a spreadsheet program is written with Workbook.
package sheet
