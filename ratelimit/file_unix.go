//go:build unix

package ratelimit

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// openOwn opens the file at path if no other user can have written it.
func openOwn(path string, flags int) (*os.File, error) {
	file, err := os.OpenFile(path, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(file.Fd()), &st); err != nil {
		file.Close()
		return nil, &os.PathError{Op: "fstat", Path: path, Err: err}
	}
	if st.Mode&unix.S_IFMT != unix.S_IFREG || int(st.Uid) != unix.Geteuid() || st.Mode&0o022 != 0 {
		file.Close()
		return nil, fmt.Errorf("%s isn't believed: it isn't a regular file of this user that others can't write", path)
	}
	return file, nil
}

// isRemoved reports whether the file has no name any more.
func isRemoved(file *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(file.Fd()), &st) == nil && st.Nlink == 0
}

// tryLock takes the file's lock if it is free.
func tryLock(file *os.File) (bool, error) {
	switch err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		return true, nil
	case unix.EWOULDBLOCK, unix.EINTR:
		return false, nil
	default:
		return false, &os.PathError{Op: "flock", Path: file.Name(), Err: err}
	}
}
