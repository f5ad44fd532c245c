//go:build unix

package dirstore

import (
	"fmt"
	"os"
	"syscall"

	"github.com/shsession/shsession/internal/fileowner"
)

// makePrivate creates a directory that only this user can enter, and its parents.
func makePrivate(path string) error { return os.MkdirAll(path, 0o700) }

// checkPrivate returns an error unless the directory is this user's and nobody else can
// enter it.
func checkPrivate(root *os.Root) error {
	info, err := root.Stat(".")
	if err != nil {
		return err
	}
	if owner := fileowner.Of(info.Sys().(*syscall.Stat_t).Uid); owner != fileowner.Self {
		return fmt.Errorf("it belongs to %v: remove it, or set XDG_CACHE_HOME to a directory of your own", owner)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("it is open to other users (mode %04o): chmod 700 it", mode)
	}
	return nil
}

// isDeletePending reports whether a file goes as soon as its readers close it.
func isDeletePending(error) bool { return false }
