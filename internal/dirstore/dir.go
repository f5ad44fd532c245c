// Package dirstore keeps tokens in a private directory, for the processes of one user on one
// machine, on every system.
//
// Each name has a directory of its own under the base, called by a hash of the name, so that
// every name is safe on every file system. In it are:
//
//	name             the name
//	token.N          a token's JSON; the highest N is the current one
//	lock             is locked while a process has the lock of TryLock
//	change           is locked while a process changes these files
//	note             the note about a failed login
//	registration.ID  a sharer, who keeps the file locked while it lives
//	limit            the state of a rate limit
//	temp.ID          a file that is being written, to be renamed
//
// A token is published under a new number, and not in place of the old one, since Windows
// doesn't replace a file that is being read.
package dirstore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/shsession/shsession"
)

// DefaultBase returns the base directory of this user on this machine: in
// [os.UserCacheDir], with a part for the machine, since machines can share a home directory.
// Without a cache directory, the error wraps [errors.ErrUnsupported].
func DefaultBase() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("there is no directory to share a token in: %w: %w", err, errors.ErrUnsupported)
	}
	id := sha256.Sum256([]byte(machineID()))
	return filepath.Join(cache, "shsession", "shared", hex.EncodeToString(id[:8])), nil
}

// openBase opens the base directory, once it is known to be private. It creates it if asked
// to. The error is an [fs.PathError], and wraps ErrNotShared if there is no directory.
func openBase(base string, create bool) (*os.Root, error) {
	if create {
		if err := makePrivate(base); err != nil {
			return nil, err
		}
	}
	root, err := os.OpenRoot(base)
	if err != nil {
		return nil, missing(base, err)
	}
	if err := checkPrivate(root); err != nil {
		root.Close()
		return nil, &fs.PathError{Op: "open", Path: base, Err: err}
	}
	return root, nil
}

// open opens the store's directory. It creates it if asked to.
func (s *Store) open(create bool) (*os.Root, error) {
	base, err := openBase(s.base, create)
	if err != nil {
		return nil, err
	}
	defer base.Close()
	root, err := base.OpenRoot(s.dir)
	if errors.Is(err, fs.ErrNotExist) && create {
		if err := base.Mkdir(s.dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		if root, err = base.OpenRoot(s.dir); err == nil {
			err = s.writeName(root)
		}
	}
	if err != nil {
		return nil, missing(filepath.Join(s.base, s.dir), err)
	}
	return root, nil
}

// writeName writes the file name, for List. Several processes may do so at once, with the
// same content.
func (s *Store) writeName(root *os.Root) error { return root.WriteFile("name", []byte(s.name), 0o600) }

// missing makes the error of a missing file in the store's directory wrap ErrNotShared.
func missing(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w in %s", shsession.ErrNotShared, path)
	}
	return err
}

// dirOf returns the name of a store's directory.
func dirOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:16])
}

// newID returns a unique ID.
func newID() string { return strings.ToLower(rand.Text()[:16]) }

// list returns the names of the files in a directory.
func list(root *os.Root) ([]string, error) {
	dir, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Readdirnames(-1)
}

// read reads a file of at most limit bytes.
func read(f *os.File, limit int) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > int64(limit) {
		return nil, &fs.PathError{Op: "read", Path: f.Name(), Err: errors.New("it isn't a regular file, or is too long")}
	}
	data := make([]byte, info.Size())
	n, err := io.ReadFull(io.NewSectionReader(f, 0, int64(limit)), data)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	return data[:n], nil
}

// readFile reads a file of at most limit bytes.
func readFile(root *os.Root, name string, limit int) ([]byte, error) {
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return read(f, limit)
}

// writeFile writes a new file and renames it to name, where no file is. It is called with
// the change lock held: so whatever other temp file is there is a dead process's.
func writeFile(root *os.Root, name string, data []byte) error {
	temp := "temp." + newID()
	if err := root.WriteFile(temp, data, 0o600); err != nil {
		_ = root.Remove(temp) // the error that counts is the other one
		return err
	}
	if err := root.Rename(temp, name); err != nil {
		_ = root.Remove(temp)
		return err
	}
	return nil
}
