// Package packs holds the packs that are shipped with the program, as files.
//
// packs/liaocheng is the city that Bole was written for. packs/reference/<place> are other places' policies over the same registers: they
// show that a policy is data, and they are what the rule language is measured by.
//
// A pack is read by internal/pack; nothing here is Go but one line. To use a pack from disk instead, say --pack DIR.
package packs
