//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package shconfig

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// tryLock locks the directory of the file at path, since the file itself is replaced and a
// file beside it would be left behind. It fails with ErrBusy if another process has the lock.
func tryLock(path string) (unlock func(), err error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	err = syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		dir.Close()
		return nil, ErrBusy
	}
	return func() { dir.Close() }, nil // any other error is of a file system without locks, such as NFS
}
