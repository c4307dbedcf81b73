// Package finding screens everybody against policies, keeps what was found, and explains it for one person.
//
// A finding is one policy asked of one subject row for one period: an outcome, its reasons, an amount. Screen answers for everybody from one
// snapshot of the lake: facts are derived once a kind of subject, then a table of bits (every check of every policy for every subject row, true or
// unknown) and the hits (eligible, with amounts) are published to the lake as a generation. Everything else is asked of those two: counts,
// near misses, lists.
//
// A published run also keeps evidence: the facts of everybody, as it saw them. Explain answers for one person from that, or from facts derived afresh where
// the evidence is of another day, pack or state of the registers, through the other evaluator; and it finds the earliest day on which it would hold by asking
// every day to come, on the supposition that contributions go on.
//
// Near miss: in force, ineligible, and exactly one check fails; the others hold or are unknown.
//
// Test runs the situations beside the policies through both evaluators, and lists what none of them touches: the neighbours of a threshold, a day at
// which the law changes, an amount, a silent fact.
//
// Nothing here is decided by people and nothing is edited; the same deliveries, pack and day give the same run, byte for byte (Run.Hash).
package finding
