//go:build unix

package main

import (
	"io/fs"

	"golang.org/x/sys/unix"
)

// checkDirectory finds out whether files can be made in a directory.
func checkDirectory(dir string) error {
	// The . makes an error of a directory that is none.
	if err := unix.Faccessat(unix.AT_FDCWD, dir+"/.", unix.W_OK|unix.X_OK, unix.AT_EACCESS); err != nil {
		return &fs.PathError{Op: "access", Path: dir, Err: err}
	}
	return nil
}
