package filesink

import (
	"bytes"
	"encoding/binary"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// checkInterval is how often the file is looked at when nothing rings.
const checkInterval = 10 * time.Second

// watched are the events after which something else may be in the file's place,
// or nothing.
const watched = unix.IN_CREATE | unix.IN_MOVED_TO | unix.IN_CLOSE_WRITE | unix.IN_DELETE | unix.IN_MOVED_FROM |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// An inotify is an alarm that rings when something happens to a name in a directory.
type inotify struct {
	dir, name string
	fd        int // inotify
	wake      int // an eventfd that ends a wait

	mu sync.Mutex // guards wd
	wd int        // the directory's watch; -1 if it couldn't be had
}

// newAlarm returns an inotify, or a ticker if the system has none to give.
func newAlarm(path string) alarm {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return newTicker()
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		unix.Close(fd)
		return newTicker()
	}
	a := &inotify{dir: filepath.Dir(path), name: filepath.Base(path), fd: fd, wake: wake, wd: -1}
	return a
}

// rearm watches the directory, which is another if somebody removed and created it again.
func (a *inotify) rearm() {
	wd, err := unix.InotifyAddWatch(a.fd, a.dir, watched)
	if err != nil {
		wd = -1
	}
	a.mu.Lock()
	old := a.wd
	a.wd = wd
	a.mu.Unlock()
	if old != -1 && old != wd {
		_, _ = unix.InotifyRmWatch(a.fd, uint32(old)) // it may be gone by itself
	}
}

func (a *inotify) wait(max time.Duration) bool {
	deadline := time.Now().Add(max)
	fds := []unix.PollFd{{Fd: int32(a.fd), Events: unix.POLLIN}, {Fd: int32(a.wake), Events: unix.POLLIN}}
	buf := make([]byte, 4096)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			return true
		}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil || fds[1].Revents != 0:
			return false
		case n > 0 && a.concerned(buf):
			return true
		}
	}
}

// concerned reads the events that there are and reports whether one may concern the file.
func (a *inotify) concerned(buf []byte) bool {
	n, err := unix.Read(a.fd, buf)
	if err != nil {
		return false
	}
	a.mu.Lock()
	current := int32(a.wd)
	a.mu.Unlock()
	for events := buf[:n]; len(events) >= unix.SizeofInotifyEvent; {
		wd := int32(binary.NativeEndian.Uint32(events))
		mask := binary.NativeEndian.Uint32(events[4:])
		size := binary.NativeEndian.Uint32(events[12:])
		name, _, _ := bytes.Cut(events[unix.SizeofInotifyEvent:][:size], []byte{0})
		events = events[unix.SizeofInotifyEvent+size:]
		switch {
		case mask&unix.IN_Q_OVERFLOW != 0:
			return true
		case wd == current && (string(name) == a.name || len(name) == 0):
			return true
		}
	}
	return false
}

func (a *inotify) stop() {
	_, _ = unix.Write(a.wake, binary.NativeEndian.AppendUint64(nil, 1)) // which can't fail
}

func (a *inotify) close() {
	unix.Close(a.fd)
	unix.Close(a.wake)
}
