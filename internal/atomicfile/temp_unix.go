//go:build unix

package atomicfile

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// createTemp creates a new file in dir, locked by flock(2), which tells that its writer
// lives. The lock outlasts the file's Close, until unlock.
func createTemp(dir string) (f *os.File, unlock func(), err error) {
	for {
		f, err := os.CreateTemp(dir, tempPrefix+"*") // of mode 0600
		if err != nil {
			return nil, nil, err
		}
		fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 0)
		if err != nil {
			return nil, nil, errors.Join(err, f.Close(), os.Remove(f.Name()))
		}
		unlock := func() { unix.Close(fd) }
		if lock(fd) {
			return f, unlock, nil
		}
		f.Close() // and sweep has removed it, before it was locked
		unlock()
	}
}

// lock locks a new file and reports whether that is still in its place. On a file system
// without locks it stays unlocked, and no sweep removes it.
func lock(fd int) bool {
	err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return false
	}
	var st unix.Stat_t
	return err != nil || unix.Fstat(fd, &st) != nil || st.Nlink > 0
}

// removeDead removes a new file unless its writer lives.
func removeDead(path string) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOFOLLOW|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return
	}
	defer unix.Close(fd)
	if unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB) == nil {
		unix.Unlink(path)
	}
}

func rename(_ context.Context, from, to string) error { return os.Rename(from, to) }

func publishNew(from, to string) error { return os.Link(from, to) }

func open(path string) (*os.File, error) { return os.Open(path) }

func isBusy(err error) bool { return errors.Is(err, unix.EBUSY) }
