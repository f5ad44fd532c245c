package dirstore

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
	"github.com/shsession/shsession/internal/storelock"
)

// changeTimeout bounds how long starting, stopping, looking and leaving a note wait for the
// change lock.
const changeTimeout = 5 * time.Second

// heldKey is the context key of a store's lock.
type heldKey struct{ base, dir string }

// TryLock implements shsession.Store. The lock dies with its holder.
func (s *Store) TryLock(ctx context.Context, pass func(shsession.Note) bool) (held context.Context, unlock func(shsession.Note), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	root, err := s.open(true)
	if err != nil {
		return nil, nil, err
	}
	lock, err := tryLockFile(root, "lock")
	if err != nil {
		root.Close()
		return nil, nil, err
	}
	return storelock.Begin(ctx, s.heldKey(), lock, readNote(root), pass, s.leaveNote)
}

func (s *Store) heldKey() heldKey { return heldKey{s.base, s.dir} }

// lockChanges opens the store's directory and waits for the change lock: whoever changes
// the files there, but for the lock, holds it for a moment. Release closes the directory.
func (s *Store) lockChanges(ctx context.Context, create bool) (root *os.Root, release func(), err error) {
	err = storelock.Await(ctx, func() error {
		if root, err = s.open(create); err != nil {
			return err
		}
		lock, err := tryLockFile(root, "change")
		if err != nil {
			root.Close()
			return err
		}
		release = lock.Release
		return nil
	})
	switch {
	case err == nil:
		return root, release, nil
	case ctx.Err() != nil:
		return nil, nil, fmt.Errorf("another process is changing %s: %w", s, err)
	}
	return nil, nil, err
}

// leaveNote writes a note. It is called with the lock held.
func (s *Store) leaveNote(n shsession.Note) error {
	data, err := record.Note(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), changeTimeout)
	defer cancel()
	root, release, err := s.lockChanges(ctx, true)
	if err != nil {
		return err
	}
	defer release()
	_ = root.Remove("note") // there may be none
	return writeFile(root, "note", data)
}

// readNote returns the note that a failed login left, the zero Note if there is none that
// can be read.
func readNote(root *os.Root) shsession.Note {
	data, err := readFile(root, "note", record.MaxNote)
	if err != nil {
		return shsession.Note{}
	}
	return record.ParseNote(data)
}

// tryLockFile takes the lock in a file, or returns a LockedError. It creates the file if
// there is none. The lock owns root if there is no error.
func tryLockFile(root *os.Root, name string) (*storelock.File, error) {
	f, err := root.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	inPlace := func() bool {
		own, err := f.Stat()
		if err != nil {
			return false
		}
		there, err := root.Lstat(name)
		return err == nil && os.SameFile(own, there)
	}
	lock, err := storelock.Lock(f, inPlace, func() { root.Close() })
	if err != nil {
		return nil, err
	}
	if !inPlace() { // Remove was faster
		lock.Release()
		return nil, &shsession.LockedError{}
	}
	return lock, nil
}
