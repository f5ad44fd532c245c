// Package atomicfile writes files that a reader finds complete or absent.
//
// A new file is written beside the real one, in the same directory, and then renamed to it. A
// process that is killed in between leaves the new file, with its secrets. The next writer in
// that directory removes it.
package atomicfile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tempPrefix is the start of the names of new files, and of no other files.
const tempPrefix = ".shsession-temp-"

// Replace writes a new file with fill, and renames it to path, in place of the file that may
// be there. The new file has mode 0600; fill may change that. If fill returns an error,
// Replace returns it and path is untouched. What is written isn't synced to the disk unless
// fill does that.
//
// On Windows, Replace blocks for 5 seconds at most, and until ctx is done, while a program has
// path open in a way that forbids its replacement. Elsewhere, ctx isn't used.
func Replace(ctx context.Context, path string, fill func(*os.File) error) error {
	return write(path, fill, func(temp string) error { return explain(path, rename(ctx, temp, path)) })
}

// Create is Replace, but for a path where no file is. If one is there, the error wraps
// [io/fs.ErrExist]. It needs a file system with hard links, but for Windows.
func Create(path string, fill func(*os.File) error) error {
	return write(path, fill, func(temp string) error { return publishNew(temp, path) })
}

// Open opens a file for reading that Replace may replace at any time. On Windows, that is in the
// way of no Replace, and Open blocks for 5 seconds at most while other programs are in its way.
func Open(path string) (*os.File, error) { return open(path) }

// write writes a new file beside path, which publish gives its name.
func write(path string, fill func(*os.File) error, publish func(temp string) error) error {
	dir := filepath.Dir(path)
	sweep(dir)
	f, unlock, err := createTemp(dir)
	if err != nil {
		return err
	}
	defer unlock()
	defer os.Remove(f.Name()) // which fails after a rename
	if err := errors.Join(fill(f), f.Close()); err != nil {
		return err
	}
	return publish(f.Name())
}

// sweep removes the new files that dead processes left in dir. What can't be removed is left
// for the next time.
func sweep(dir string) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		if path := filepath.Join(dir, e.Name()); strings.HasPrefix(e.Name(), tempPrefix) && e.Type().IsRegular() {
			removeDead(path)
		}
	}
}

// explain adds to the error of a rename to path what to do about it.
func explain(path string, err error) error {
	if !isBusy(err) {
		return err
	}
	return fmt.Errorf("%s is a mount point, as a file that is mounted by itself is, so that it can't be replaced: mount its directory instead: %w", path, err)
}
