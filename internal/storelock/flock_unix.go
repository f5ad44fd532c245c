//go:build unix

package storelock

import (
	"os"

	"golang.org/x/sys/unix"
)

// TryFlock locks a file, for this open file alone or shared with others, and reports
// whether it did. The lock ends with the file's Close, or the process.
func TryFlock(f *os.File, shared bool) (bool, error) {
	how := unix.LOCK_EX
	if shared {
		how = unix.LOCK_SH
	}
	err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	return err == nil, err
}

// unlock ends the lock at once, though a child process that is being started may have the
// descriptor too.
func unlock(f *os.File) { unix.Flock(int(f.Fd()), unix.LOCK_UN) }
