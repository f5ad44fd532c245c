package shconfig

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Save writes the changes, if there are any, and makes the file's directory
// (mode 0700) if it is missing.
//
// The new file is written beside the old one and renamed over it, so that a
// reader sees the one or the other and never a mixture. Of two writers the last
// one wins, whole: what the other changed since this File was opened is lost, which
// [Update] prevents. The
// file's mode becomes 0600, or stays stricter; its owner stays. A config.toml
// that is a symbolic link stays one, and the file it points to is replaced.
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
	temp, err := writeTemp(filepath.Dir(path), f.doc().raw, old)
	if err != nil {
		return err
	}
	if err := os.Rename(temp, path); err != nil {
		return errors.Join(err, os.Remove(temp))
	}
	return syncDir(filepath.Dir(path))
}

// writeTemp writes data to a new file in dir and to the disk. old, if not nil, is
// the file it is to replace.
func writeTemp(dir string, data []byte, old fs.FileInfo) (path string, err error) {
	temp, err := os.CreateTemp(dir, ".config.toml-*") // of mode 0600
	if err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(temp.Name()))
		}
	}()
	_, err = temp.Write(data)
	if err == nil && old != nil {
		err = inherit(temp, old)
	}
	if err == nil {
		err = temp.Sync()
	}
	return temp.Name(), errors.Join(err, temp.Close())
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
