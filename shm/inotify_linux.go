package shm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io/fs"
	"iter"

	"golang.org/x/sys/unix"
)

// watched are the events that a watch needs: a name appeared or went.
const (
	appeared = unix.IN_CREATE | unix.IN_MOVED_TO
	went     = unix.IN_DELETE | unix.IN_MOVED_FROM
)

// An inotify is an instance of inotify(7).
type inotify struct {
	fd  int
	dir int32 // the watch descriptor of dir
}

// openInotify returns an inotify whose read blocks until a name in dir appears or goes.
func openInotify() (*inotify, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC)
	if err != nil {
		return nil, inotifyError("inotify_init", dir, err)
	}
	n := &inotify{fd: fd}
	if n.dir, err = n.add(dir, appeared|went|unix.IN_ONLYDIR); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return n, nil
}

func (n *inotify) add(path string, mask uint32) (int32, error) {
	wd, err := unix.InotifyAddWatch(n.fd, path, mask)
	if err != nil {
		return -1, inotifyError("inotify_add_watch", path, err)
	}
	return int32(wd), nil
}

// remove ends the watch wd, if there is one.
func (n *inotify) remove(wd int32) {
	if wd >= 0 {
		unix.InotifyRmWatch(n.fd, uint32(wd))
	}
}

// inotifyError explains an error of inotify, whose words are about other things.
func inotifyError(op, path string, err error) error {
	switch err {
	case unix.EMFILE:
		return fmt.Errorf("%s: too many open files, or too many watchers of this user: raise the limit of open files or fs.inotify.max_user_instances: %w", op, err)
	case unix.ENOSPC:
		return fmt.Errorf("%s: this user's processes watch too many files: raise fs.inotify.max_user_watches: %w", op, err)
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}

// An event is what inotify tells.
type event struct {
	wd   int32 // of the watch
	mask uint32
	name []byte
}

// events returns the inotify events in buf.
func events(buf []byte) iter.Seq[event] {
	return func(yield func(event) bool) {
		for len(buf) >= unix.SizeofInotifyEvent {
			e := event{wd: int32(binary.NativeEndian.Uint32(buf)), mask: binary.NativeEndian.Uint32(buf[4:])}
			size := binary.NativeEndian.Uint32(buf[12:])
			buf = buf[unix.SizeofInotifyEvent:]
			if uint64(size) > uint64(len(buf)) {
				return
			}
			e.name, _, _ = bytes.Cut(buf[:size], []byte{0})
			buf = buf[size:]
			if !yield(e) {
				return
			}
		}
	}
}
