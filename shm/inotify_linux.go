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

// openInotify returns a descriptor whose read blocks until a name in dir appears or goes.
func openInotify() (fd, wd int, err error) {
	fd, err = unix.InotifyInit1(unix.IN_CLOEXEC)
	switch err {
	case nil:
	case unix.EMFILE:
		return -1, -1, fmt.Errorf("can't watch %s, as this user's processes watch too much already: raise fs.inotify.max_user_instances: %w", dir, err)
	default:
		return -1, -1, &fs.PathError{Op: "inotify_init", Path: dir, Err: err}
	}
	wd, err = unix.InotifyAddWatch(fd, dir, appeared|went|unix.IN_ONLYDIR)
	if err != nil {
		unix.Close(fd)
		return -1, -1, &fs.PathError{Op: "inotify_add_watch", Path: dir, Err: err}
	}
	return fd, wd, nil
}

// events returns the masks and names of the inotify events in buf.
func events(buf []byte) iter.Seq2[uint32, []byte] {
	return func(yield func(uint32, []byte) bool) {
		for len(buf) >= unix.SizeofInotifyEvent {
			mask := binary.NativeEndian.Uint32(buf[4:])
			size := binary.NativeEndian.Uint32(buf[12:])
			buf = buf[unix.SizeofInotifyEvent:]
			if uint64(size) > uint64(len(buf)) {
				return
			}
			name, _, _ := bytes.Cut(buf[:size], []byte{0})
			buf = buf[size:]
			if !yield(mask, name) {
				return
			}
		}
	}
}
