// Package policy asks a policy: of one subject with reasons, and of everybody as SQL.
//
// A pack's policy becomes a list of checks: its rules (each with the exceptions that lift it), the claim window, and, where the amount
// might not be told, the award itself. The same checks give Evaluate, which answers for one subject with the values that each check saw,
// and the SQL texts that package finding runs for everybody. This package runs no SQL.
//
// # Outcomes
//
// not_in_force before the first version or after the policy's end; undetermined where the law of the day was not found or the day that
// picks the version is unknown; otherwise ineligible if any check fails (whatever else is unknown), undetermined if any is unknown, and
// eligible if all hold. What other claims take away (limited, settled) is allocation and not decided here.
//
// # Bits
//
// For everybody a policy's checks are one integer. With n checks, bit i says that check i holds and bit n+i that it is unknown; a check
// with neither bit fails. So "misses by exactly one rule" is a question about one column.
package policy
