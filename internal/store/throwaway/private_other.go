//go:build !unix

package throwaway

import (
	"context"

	"bole/internal/fault"
)

// start starts nothing: only where there are Unix sockets is a private server made.
func start(context.Context, string, Options) (*Server, error) {
	return nil, fault.New("throwaway.start", fault.NotFound, "store.no_postgres")
}
