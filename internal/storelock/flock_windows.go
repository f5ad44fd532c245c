package storelock

import (
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// lockedByte is the place of the byte that is locked, far beyond what can be in the file: a
// locked byte can't be read by others.
func lockedByte() *windows.Overlapped { return &windows.Overlapped{OffsetHigh: math.MaxInt32} }

// TryFlock locks a file, for this open file alone or shared with others, and reports
// whether it did. The lock ends with the file's Close, or the process.
func TryFlock(f *os.File, shared bool) (bool, error) {
	flags := uint32(windows.LOCKFILE_FAIL_IMMEDIATELY)
	if !shared {
		flags |= windows.LOCKFILE_EXCLUSIVE_LOCK
	}
	err := windows.LockFileEx(windows.Handle(f.Fd()), flags, 0, 1, 0, lockedByte())
	if err == windows.ERROR_LOCK_VIOLATION || err == windows.ERROR_IO_PENDING {
		return false, nil
	}
	return err == nil, err
}

// unlock ends the lock at once.
func unlock(f *os.File) { _ = windows.UnlockFileEx(windows.Handle(f.Fd()), 0, 1, 0, lockedByte()) }
