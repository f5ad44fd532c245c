package ratelimit

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// openOwn opens the file at path. Whose it is depends on its directory.
func openOwn(path string, flags int) (*os.File, error) {
	return os.OpenFile(path, flags, 0o600)
}

// isRemoved is false: a file that is open can't be removed.
func isRemoved(*os.File) bool { return false }

// lockedByte is far beyond the record: a locked range can't be read by others.
const lockedByte = 1 << 30

// tryLock takes the file's lock if it is free.
func tryLock(file *os.File) (bool, error) {
	at := &windows.Overlapped{Offset: lockedByte}
	const flags = windows.LOCKFILE_EXCLUSIVE_LOCK | windows.LOCKFILE_FAIL_IMMEDIATELY
	err := windows.LockFileEx(windows.Handle(file.Fd()), flags, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return false, nil
	}
	if err != nil {
		return false, &os.PathError{Op: "LockFileEx", Path: file.Name(), Err: err}
	}
	return true, nil
}
