package shm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// errLockLost refuses a Publish.
var errLockLost = errors.New("the lock was lost before the token was published")

// heldKey is the context key of a named segment's lock.
type heldKey string

// TryLock takes the segment's lock, or returns a [shsession.LockedError] at once. The lock is
// an flock(2), so it dies with its holder. It is also given up when ctx is done.
func (s *Store) TryLock(ctx context.Context) (held context.Context, unlock context.CancelFunc, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	lock, err := tryLockFile(s.beside("lock"))
	if err != nil {
		return nil, nil, err
	}
	lock.sign()
	held, cancel := context.WithCancel(context.WithValue(ctx, heldKey(s.name), lock))
	lock.lose = cancel
	stop := context.AfterFunc(held, lock.release)
	return held, func() {
		stop()
		cancel()
		lock.release()
	}, nil
}

// checkHeld returns an error if ctx came from TryLock and the lock was lost.
func (s *Store) checkHeld(ctx context.Context) error {
	lock, ok := ctx.Value(heldKey(s.name)).(*fileLock)
	if !ok || lock.holds() {
		return nil
	}
	lock.lose()
	return errLockLost
}

// removeFreeLock removes the file of a lock whose holder died.
func removeFreeLock(path string) {
	if lock, err := tryLockFile(path); err == nil {
		lock.release()
	}
}

// turn waits for the lock under which the files beside the segment change, which is held
// for a moment by whoever publishes, withdraws, or starts or stops watching.
func (s *Store) turn(ctx context.Context) (*fileLock, error) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for wait := 20 * time.Microsecond; ; wait = min(2*wait, 2*time.Millisecond) {
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("another process doesn't let go of %s: %w", s.beside("turn"), ctx.Err())
		case <-timer.C:
		}
		lock, err := tryLockFile(s.beside("turn"))
		if !errors.Is(err, shsession.ErrLocked) {
			return lock, err
		}
		timer.Reset(wait)
	}
}

// A fileLock is a lock that a file stands for. The file exists while the lock is held.
// Whoever holds it removes the file, and whoever gets it makes sure that the file is
// still there: so no two can hold it by two files.
type fileLock struct {
	path string
	fd   int
	file fileID
	lose context.CancelFunc // ends TryLock's context

	released atomic.Bool
	once     sync.Once // for release, which returns when the lock is free
}

// tryLockFile takes the lock at path, or returns ErrLocked.
func tryLockFile(path string) (*fileLock, error) {
	for range 1000 { // each time around, somebody else had the lock and gave it up
		lock, err := openLock(path)
		if err != nil || lock != nil {
			return lock, err
		}
	}
	return nil, shsession.ErrLocked
}

// openLock tries once. It returns nil if the file was removed meanwhile.
func openLock(path string) (*fileLock, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC|unix.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, openError(path, err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, &fs.PathError{Op: "fstat", Path: path, Err: err}
	}
	if err := trust(path, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
	case unix.EWOULDBLOCK:
		defer unix.Close(fd)
		return nil, &shsession.LockedError{Holder: signature(fd)}
	default:
		unix.Close(fd)
		return nil, &fs.PathError{Op: "flock", Path: path, Err: err}
	}
	lock := &fileLock{path: path, fd: fd, file: idOf(&st)}
	if there, err := lstatID(path); err != nil || there != lock.file {
		unix.Close(fd)
		return nil, nil
	}
	return lock, nil
}

// sign writes who has the lock into its file, which may be a dead holder's: a name for this
// one holding.
func (l *fileLock) sign() {
	_, _ = unix.Pwrite(l.fd, []byte(newID()), 0) // it is for others' patience alone
}

// signature returns what the holder of a lock has written.
func signature(fd int) string {
	var buf [64]byte
	n, _ := unix.Pread(fd, buf[:], 0)
	return string(buf[:max(n, 0)])
}

// holds reports whether nobody else can have the lock.
func (l *fileLock) holds() bool {
	if l.released.Load() {
		return false
	}
	there, err := lstatID(l.path)
	return err != nil || there == l.file // a file that was removed is nobody's
}

// release gives the lock up. A second release does nothing.
func (l *fileLock) release() {
	l.once.Do(func() {
		l.released.Store(true)
		if there, err := lstatID(l.path); err == nil && there == l.file {
			unix.Unlink(l.path)
		}
		unix.Close(l.fd)
	})
}
