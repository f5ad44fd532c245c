package shconfig

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/shsession/shsession/internal/atomicfile"
)

// Save writes the changes, if there are any, and makes the file's directory
// (mode 0700) if it is missing.
//
// The new file is written beside the old one and renamed over it, so that a reader
// sees the old file or the new one, complete. Of two writers the last one wins: what
// another process changed since this File was opened is lost. [Update] prevents that.
// The file's mode becomes 0600, or stays stricter; its owner stays. A config.toml that
// is a symbolic link stays a link, and the file that it points to is replaced.
//
// A file that has become empty is removed: the Python package makes a missing file, and
// refuses one without a default-profile.
func (f *File) Save() error {
	if !f.changed {
		return nil
	}
	if err := f.write(); err != nil {
		return fmt.Errorf("save the configuration: %w", err)
	}
	f.changed = false
	return nil
}

func (f *File) write() error {
	path, err := followLinks(f.path)
	if err != nil {
		return err
	}
	old, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			return err
		}
	case err != nil:
		return err
	case !old.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	if len(f.doc().raw) == 0 && old != nil {
		return os.Remove(path)
	}
	err = atomicfile.Replace(context.Background(), path, func(temp *os.File) error {
		if _, err := temp.Write(f.doc().raw); err != nil {
			return err
		}
		if old != nil {
			if err := inherit(temp, old); err != nil {
				return err
			}
		}
		return temp.Sync()
	})
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// maxLinks is how many symbolic links in a row Linux follows.
const maxLinks = 40

// followLinks is the file that path stands for, which need not exist.
func followLinks(path string) (string, error) {
	for range maxLinks {
		info, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		target, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(target) {
			// Not Join, which would take "link/.." out before the link is followed.
			target = filepath.Dir(path) + string(filepath.Separator) + target
		}
		path = target
	}
	return "", fmt.Errorf("%s: too many symbolic links", path)
}
