//go:build unix

package shconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"github.com/shsession/shsession/internal/fileowner"
)

// openToOthers reports whether the group or other users can read a file, or write
// it, which would let them send the secret to any address.
func openToOthers(info fs.FileInfo) bool {
	return info.Mode().IsRegular() && info.Mode().Perm()&0o066 != 0
}

// inherit gives a new file the owner of the one it is to replace, and its mode as
// far as that is private. Root editing a user's file must not take it away.
func inherit(temp *os.File, old fs.FileInfo) error {
	info, err := temp.Stat()
	if err != nil {
		return err
	}
	was, ok1 := old.Sys().(*syscall.Stat_t)
	is, ok2 := info.Sys().(*syscall.Stat_t)
	if ok1 && ok2 && was.Uid != is.Uid {
		if owner := fileowner.Of(was.Uid); owner == fileowner.Unknown {
			return fmt.Errorf("%s belongs to %v: edit it outside of that", old.Name(), owner)
		}
		if err := temp.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("%s belongs to the user with uid %d: %w", old.Name(), was.Uid, err)
		}
	}
	return temp.Chmod(old.Mode().Perm() & 0o600)
}

// syncDir makes a rename in dir survive a power cut, where the file system can.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, syscall.ENOTSUP) {
		return err
	}
	return nil
}
