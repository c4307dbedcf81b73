// Package pack reads a pack: the directory that declares one city's programme as files.
//
//	pack.yaml            name, division, constants
//	codes/*.yaml         code lists: the values that a column or a fact may have, in zh and en
//	registers/*.yaml     registers: columns, classes, keys, how each is delivered
//	facts/*.yaml         one file a kind of subject row: its facts, and how each is derived from registers
//	policies/*.yaml      policies: versions, parameters, rules, award; beside each its .law.md and its _test.yaml
//
// Every declaration's type and every static check lives here. Load reports all mistakes at once, each with file, line, column and,
// where one is near, the word that was probably meant; a pack with a mistake is not used. Expressions are compiled here, against the
// vocabulary that the pack itself declares, so that what passes the check cannot fail later for its form.
//
// FileKinds has a JSON Schema for each kind of file, for editors; it is drawn from the same types, and committed in docs/schemas.
//
// A reference pack of another city says "uses: liaocheng" and adds its own facts and policies to that pack's registers.
package pack
