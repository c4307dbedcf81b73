package fault

import (
	"errors"
	"strings"
	"syscall"
)

// fullWords are those of databases which do not pass the number of the system's error on: DuckDB's for a file that does not grow, and for a folder of
// temporary files that has no room left.
var fullWords = []string{syscall.ENOSPC.Error(), syscall.EFBIG.Error(), syscall.EDQUOT.Error(), "max_temp_directory_size"}

// What databases say by number: SQLite that the disk is full, that a write failed, that the file beside the database which its processes share was
// not made or did not grow; PostgreSQL that its disk is full.
const (
	sqliteFull      = 13
	sqliteWrite     = 778
	sqliteShareOpen = 4618
	sqliteShareSize = 4874
	postgresFull    = "53100"
)

// full reports whether an error comes of a disk, a quota or a limit on the sizes of files that takes no more.
func full(err error) bool {
	for _, e := range []error{syscall.ENOSPC, syscall.EFBIG, syscall.EDQUOT} {
		if errors.Is(err, e) {
			return true
		}
	}
	var sqlite interface{ Code() int }
	if errors.As(err, &sqlite) {
		switch sqlite.Code() {
		case sqliteFull, sqliteWrite, sqliteShareOpen, sqliteShareSize:
			return true
		}
	}
	var postgres interface{ SQLState() string }
	if errors.As(err, &postgres) && postgres.SQLState() == postgresFull {
		return true
	}
	said := strings.ToLower(err.Error()) // C says "No space", and Go "no space"
	for _, w := range fullWords {
		if strings.Contains(said, strings.ToLower(w)) {
			return true
		}
	}
	return false
}
