//go:build linux || darwin || freebsd || netbsd || openbsd

package seal

import (
	"errors"
	"os"
	"syscall"

	"bole/internal/fault"
)

// lock makes this process the only one to change the ring in dir. The lock ends with the process.
func lock(dir string) (unlock func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		if errors.Is(err, syscall.EWOULDBLOCK) {
			err = fault.New("seal.lock", fault.Conflict, "seal.keys_busy")
		}
		return nil, errors.Join(err, d.Close())
	}
	return d.Close, nil
}
