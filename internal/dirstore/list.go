package dirstore

import (
	"context"
	"errors"
	"os"
	"slices"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
)

// maxNameFile is the size in bytes of the largest file "name" that is read.
const maxNameFile = 4096

// List returns every name in the base directory under which there is a token.
func List(ctx context.Context, base string) ([]record.Entry, error) {
	var entries []record.Entry
	err := each(ctx, base, func(root *os.Root, name string) error {
		entry, err := readEntry(root, name)
		if err == nil {
			entries = append(entries, entry)
		}
		return nil // what can't be read is left out
	})
	return entries, err
}

// Names returns every name that has a directory in the base directory, sorted.
func Names(ctx context.Context, base string) ([]string, error) {
	var names []string
	err := each(ctx, base, func(_ *os.Root, name string) error {
		names = append(names, name)
		return nil
	})
	slices.Sort(names)
	return names, err
}

func readEntry(root *os.Root, name string) (record.Entry, error) {
	c, err := readToken(root, nil)
	if err != nil {
		return record.Entry{}, err
	}
	entry := record.Entry{Name: name, Token: c.token}
	files, err := list(root)
	if err != nil {
		return record.Entry{}, err
	}
	newest, _ := numbers(files)
	if info, err := root.Stat(newest); err == nil {
		entry.Modified = info.ModTime()
	}
	entry.Live, entry.Dead, err = sharers(root, nil)
	return entry, err
}

// each calls do with the directory of each name in base. Without a base directory there is
// no name.
func each(ctx context.Context, base string, do func(root *os.Root, name string) error) error {
	dir, err := openBase(base, false)
	if errors.Is(err, shsession.ErrNotShared) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	dirs, err := list(dir)
	if err != nil {
		return err
	}
	for _, sub := range dirs {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		if err := in(dir, sub, do); err != nil {
			return err
		}
	}
	return nil
}

// in calls do with the directory sub, unless that is something else than a name's.
func in(dir *os.Root, sub string, do func(root *os.Root, name string) error) error {
	root, err := dir.OpenRoot(sub)
	if err != nil {
		return nil
	}
	defer root.Close()
	name, err := readFile(root, "name", maxNameFile)
	if err != nil || dirOf(string(name)) != sub {
		return nil
	}
	return do(root, string(name))
}

// Sweep removes what this user's processes left when they were killed: files that they were
// writing, which may hold a token, old notes, and rate limits that nobody has used for
// ratelimit.StateKept. Where another process is changing the files, it removes nothing.
func Sweep(ctx context.Context, base string) error {
	return each(ctx, base, func(root *os.Root, name string) error {
		inner, err := root.OpenRoot(".")
		if err != nil {
			return err
		}
		lock, err := tryLockFile(inner, "change")
		if err != nil {
			return inner.Close() // the next sweep removes them
		}
		defer lock.Release()
		for file, kept := range record.Kept() {
			if info, err := root.Stat(file); err == nil && time.Since(info.ModTime()) > kept {
				_ = root.Remove(file)
			}
		}
		sweep(root, nil)
		return nil
	})
}

// Remove removes the token of that name and all that is beside it. The error wraps
// shsession.ErrNotShared if there is no token. A token that a live process shares isn't
// removed, since that process would put it back.
func Remove(ctx context.Context, base, name string) error {
	s := Open(base, name)
	root, release, err := s.lockChanges(ctx, false)
	if err != nil {
		return err
	}
	defer release()
	live, _, err := sharers(root, nil)
	if err != nil {
		return err
	}
	if err := record.CheckUnshared(s, live); err != nil {
		return err
	}
	_, tokenErr := readToken(root, nil)
	inUse := lockHeld(root) // and now there is a lock's file, to be removed
	files, err := list(root)
	if err != nil {
		return err
	}
	for _, file := range files {
		if inUse && (file == "lock" || file == "change" || file == "name") {
			continue // a process is logging in
		}
		if err := root.Remove(file); err != nil && !gone(err) {
			return err
		}
	}
	release()
	if base, err := openBase(s.base, false); err == nil {
		_ = base.Remove(s.dir) // which fails if a process has begun to use it again
		base.Close()
	}
	if errors.Is(tokenErr, shsession.ErrNotShared) {
		return tokenErr
	}
	return nil
}

// lockHeld reports whether a process has the lock of TryLock.
func lockHeld(root *os.Root) bool {
	inner, err := root.OpenRoot(".")
	if err != nil {
		return true
	}
	lock, err := tryLockFile(inner, "lock")
	if err != nil {
		inner.Close()
		return true
	}
	lock.Release()
	return false
}
