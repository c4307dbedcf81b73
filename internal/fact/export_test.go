package fact

import "testing"

// NetAtOnce lets a test net so few rows at once that there are several parts.
func NetAtOnce(t *testing.T, rows int64) {
	before := rowsAtOnce
	rowsAtOnce = rows
	t.Cleanup(func() { rowsAtOnce = before })
}
