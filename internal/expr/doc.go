// Package expr is the rule language: conditions, amounts and derived facts, written in CEL and checked against a vocabulary.
//
// One checked expression serves three ends: SQL for everyone (SQL), the answer for one person with the values it saw (Eval,
// Inputs), and the list of what would have to be asked (Requires). The two engines must agree or an explanation lies; a
// differential fuzz test in this package holds them together.
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
// [literals]; a parameter table by its key, p.amount_fen[skill_level]; and the functions of the table in functions.go. Macros,
// lists, floats, string building and everything else of CEL are refused, by name, when a pack is read.
//
// Every int has a proven range: a fact's stated minimum and maximum, carried through the expression. An expression that could leave
// int64 is refused when the pack is read, because one overflow would stop a screening of everybody.
package expr
