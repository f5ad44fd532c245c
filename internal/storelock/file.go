package storelock

import (
	"context"
	"crypto/rand"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"

	"github.com/shsession/shsession"
)

// A File is a locked file. The file stays when the lock is released.
type File struct {
	file     *os.File
	inPlace  func() bool        // see Lock
	after    func()             // see Lock
	lose     context.CancelFunc // ends Begin's context
	released atomic.Bool
	once     sync.Once // for Release, which returns when the lock is free
}

// Lock locks f, or returns a LockedError at once. The lock ends with Release, or with the
// process, and closes f, and so does an error. InPlace reports whether f is still what others
// would lock. Release calls after at its end, unless that is nil; an error doesn't.
func Lock(f *os.File, inPlace func() bool, after func()) (*File, error) {
	locked, err := TryFlock(f, false)
	switch {
	case err != nil:
		err = &fs.PathError{Op: "lock", Path: f.Name(), Err: err}
	case !locked:
		err = &shsession.LockedError{Holder: signature(f)}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return &File{file: f, inPlace: inPlace, after: after}, nil
}

// signatureSize is the length in bytes of what the holder of a lock writes into its file.
const signatureSize = 16

// sign writes a name for this one holding over that of the holding before, which is as long.
func (l *File) sign() {
	// Without the name, waiting processes take this holder for the one before, and pass it
	// sooner.
	_, _ = l.file.WriteAt([]byte(rand.Text()[:signatureSize]), 0)
}

// signature returns what the holder of a lock has written.
func signature(f *os.File) string {
	var buf [signatureSize]byte
	n, _ := f.ReadAt(buf[:], 0)
	return string(buf[:n])
}

// holds reports whether nobody else can have the lock.
func (l *File) holds() bool { return !l.released.Load() && l.inPlace() }

// Release gives the lock up. A second Release does nothing.
func (l *File) Release() {
	l.once.Do(func() {
		l.released.Store(true)
		unlock(l.file)
		l.file.Close()
		if l.after != nil {
			l.after()
		}
	})
}
