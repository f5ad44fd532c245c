package shm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/fileowner"
	"github.com/shsession/shsession/internal/storelock"
)

// heldKey is the context key of a named segment's lock.
type heldKey string

// TryLock is [Store.TryLock]. The lock is an flock(2).
func (s *segmentStore) TryLock(ctx context.Context, pass func(shsession.Note) bool) (held context.Context, unlock func(shsession.Note), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	lock, err := s.tryLockFile("lock")
	if err != nil {
		return nil, nil, err
	}
	return storelock.Begin(ctx, heldKey(s.name), lock, s.readNote(), pass, s.leaveNote)
}

// lockChanges waits for the change lock. A process holds it briefly while it publishes,
// withdraws, or starts or stops watching, since these change several files.
func (s *segmentStore) lockChanges(ctx context.Context) (lock *storelock.File, err error) {
	err = storelock.Await(ctx, func() error {
		lock, err = s.tryLockFile("change")
		return err
	})
	if ctx.Err() != nil && err != nil {
		return nil, fmt.Errorf("another process holds the lock %s: %w", s.lockPath("change"), err)
	}
	return lock, err
}

// removeLocks removes the files of the two locks, unless a process has the lock of
// TryLock. It is called with the change lock held, and only by Remove.
func (s *segmentStore) removeLocks() {
	lock, err := s.tryLockFile("lock")
	if err != nil {
		return
	}
	defer lock.Release()
	unix.Unlink(s.lockPath("lock"))
	unix.Unlink(s.lockPath("change"))
}

// lockDir is the directory of this user's locks. It is on the token's own file system, since
// containers may share only that. It is closed to other users, who could lock a file beside
// the segment before this user does.
func lockDir() string { return dir + "/.shsession-" + strconv.Itoa(os.Geteuid()) }

// lockPath returns the path of one of the segment's two locks:
//
//	lock    is locked by flock(2) while a process has the lock of TryLock
//	change  is locked while a process changes the segment or the files beside it
//
// Only Remove removes them: if they were removed while the segment's name is in use, two
// processes could each lock a file. They hold no secret.
func (s *segmentStore) lockPath(lock string) string {
	return lockDir() + "/" + stem(s.name) + "." + lock
}

// openLockDir makes the directory of this user's locks, if there is none, and returns an
// UntrustedError if what is there is another user's or open to others.
func openLockDir() error {
	path := lockDir()
	if err := unix.Mkdir(path, 0o700); err != nil && err != unix.EEXIST {
		return openError(path, err)
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return openError(path, err)
	}
	untrusted := func(reason string) error {
		return &UntrustedError{Path: path, UID: int(st.Uid), Reason: reason}
	}
	switch owner := fileowner.Of(st.Uid); {
	case owner != fileowner.Self:
		return untrusted("belongs to " + owner.String())
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return untrusted("is not a directory")
	case st.Mode&0o022 != 0:
		return untrusted("can be written by others")
	}
	return nil
}

// tryLockFile takes one of the segment's locks, or returns a LockedError. It creates the
// file if there is none.
func (s *segmentStore) tryLockFile(lock string) (*storelock.File, error) {
	if err := openLockDir(); err != nil {
		return nil, err
	}
	path := s.lockPath(lock)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err != nil {
		if untrusted := checkOwn(path); untrusted != nil && !errors.Is(untrusted, shsession.ErrNotShared) {
			return nil, untrusted
		}
		return nil, openError(path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if err := trustOwn(path, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	own := idOf(&st)
	inPlace := func() bool {
		there, err := lstatID(path)
		return err != nil || there == own // in place of a removed file, others lock a new one
	}
	file, err := storelock.Lock(os.NewFile(uintptr(fd), path), inPlace, nil)
	if err != nil {
		return nil, err
	}
	if there, err := lstatID(path); err != nil || there != own { // Remove was faster
		file.Release()
		return nil, &shsession.LockedError{}
	}
	return file, nil
}
