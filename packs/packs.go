package packs

import "embed"

// Files is the packs as a file system: one directory a pack.
//
//go:embed all:liaocheng all:reference
var Files embed.FS
