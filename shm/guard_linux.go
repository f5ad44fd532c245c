package shm

import (
	"bytes"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// guard waits for the segment to go and puts it back.
func (w *watch) guard() {
	runtime.LockOSThread()
	defer hurry()()
	buf := make([]byte, 16<<10)
	for { // to the last event, which may tell of a fellow
		n, err := unix.Read(w.fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			w.notify()
			return
		}
		if ended := w.heed(buf[:n]); ended {
			if !w.stopping.Load() {
				w.notify() // the directory itself went
			}
			return
		}
	}
}

// hurry asks the scheduler to run this thread soon after it wakes, by a short time slice.
// Kernels before 6.12 take no notice. The function it returns gives the thread back as it
// was. To let the thread end would be simpler, but kill what was started from it with
// PR_SET_PDEATHSIG.
func hurry() (calm func()) {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return runtime.UnlockOSThread
	}
	hurried := *attr
	hurried.Runtime = uint64(100 * time.Microsecond)
	if unix.SchedSetAttr(0, &hurried, 0) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		if unix.SchedSetAttr(0, attr, 0) == nil {
			runtime.UnlockOSThread()
		}
	}
}

// heed acts on inotify events. It reports whether they are the last.
func (w *watch) heed(buf []byte) (ended bool) {
	for mask, name := range events(buf) {
		switch {
		case mask&(unix.IN_IGNORED|unix.IN_UNMOUNT) != 0:
			return true
		case mask&unix.IN_Q_OVERFLOW != 0: // and what wasn't told may be a deletion
			w.putBack()
			w.askToLook()
		case string(name) == w.store.name:
			if mask&went != 0 {
				w.putBack()
			} else if !w.inPlace() {
				w.askToLook()
			}
		case bytes.HasPrefix(name, w.beside):
			w.heedBeside(mask, string(name))
		}
	}
	return false
}

// heedBeside acts on an event of a file that is not the segment.
func (w *watch) heedBeside(mask uint32, name string) {
	b, ok := parseBeside(name)
	switch {
	case !ok || b.stem != stem(w.store.name): // "." and the stem can begin another's name
	case b.kind == "sharer" && b.id != w.id:
		w.fellow.Store(true)
	case b.kind == "sharer" && mask&went != 0:
		w.askToLook() // since somebody removed this watch's card
	case b.kind == "spare" && b.id == w.id && mask&went != 0:
		if sp := w.spare.Load(); sp != nil && sp.path == dir+"/"+name {
			w.askToLook() // it wasn't the watch that removed it
		}
	}
}

// putBack links the spare to the segment's name.
func (w *watch) putBack() {
	for {
		sp := w.spare.Load()
		if sp == nil {
			return
		}
		switch err := unix.Link(sp.path, w.store.path); {
		case err == nil:
			w.restored.Add(1)
			return
		case err == unix.EEXIST:
			return
		case w.spare.Load() == sp:
			w.askToLook()
			return
		}
	}
}

// inPlace reports whether the segment is the file that the spare is a link to.
func (w *watch) inPlace() bool {
	sp := w.spare.Load()
	there, err := lstatID(w.store.path)
	return sp != nil && err == nil && there == sp.file
}

func (w *watch) askToLook() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}
