// Package packs holds the packs that are shipped with the program, as files.
//
// packs/liaocheng is the city that Bole was written for; packs/reference/<city> are other cities' policies over the same registers.
// A pack is read by internal/pack; nothing here is Go but this line.
package packs

import "embed"

// Files is the packs as a file system: one directory a pack.
//
//go:embed all:liaocheng all:reference
var Files embed.FS
