// Package expr is the rule language: conditions, amounts and derived facts, written in CEL and checked against a vocabulary.
//
// One checked expression serves three ends: SQL for everyone (SQL), the answer for one person with the values it saw (Eval,
// Inputs), and the list of what would have to be asked (Requires). SQL is DuckDB's or PostgreSQL's. The engines must agree or an
// explanation lies; a differential fuzz test in this package holds all three together.
//
// # Three answers
//
// A fact that no register told is unknown: nil in Go, a CEL unknown inside, NULL in SQL. Unknown is not no. && || ! follow Kleene;
// everything else is unknown when an operand is, but for the two words that ask about it, known(x) and value_or(x, otherwise).
// c ? a : b with c unknown is unknown, never b.
//
// # What may be said
//
// Types are bool, int (64 bit), text and day. Literals, && || ! == != < <= > >= ?: + - * and / % by a literal other than 0; x in
// [literals] or in a parameter that is a set; a parameter table by its key or keys, p.amount_fen[skill_level][school_tier]; and the
// functions of the table in functions.go. Macros, lists, floats, string building and everything else of CEL are refused, by name,
// when a pack is read. What is accepted has CEL's value: a subset, not a dialect.
//
// Ints have units. Comparing, adding and choosing want one unit, a product cancels one (fen/month times month is fen), a ratio is
// part_of's. A literal fits any unit.
//
// Every int has a proven range: a fact's stated minimum and maximum, carried through the expression. An expression that could leave
// int64 is refused when the pack is read, because one overflow would stop a screening of everybody.
package expr
