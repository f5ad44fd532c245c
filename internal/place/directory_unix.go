//go:build unix

package place

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// checkDirectory returns an error if this user can't make files in a directory.
func checkDirectory(dir string) error {
	// The /. makes an error of a file that is no directory.
	if err := unix.Faccessat(unix.AT_FDCWD, dir+"/.", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}
