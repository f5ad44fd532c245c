package shm

import (
	"bytes"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// runRestorer waits for the segment to go and puts it back.
func (w *watch) runRestorer() {
	runtime.LockOSThread()
	defer raisePriority()()
	buf := make([]byte, 16<<10)
	for { // to the last event, which may tell of a peer
		n, err := unix.Read(w.inotify.fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			w.notify()
			return
		}
		if ended := w.handle(buf[:n]); ended {
			if !w.stopping.Load() {
				w.notify() // the directory itself went
			}
			return
		}
	}
}

// raisePriority asks the scheduler to run this thread soon after it wakes, by a short
// time slice. Kernels before 6.12 ignore that. The function it returns gives the thread
// back as it was. To let the thread end would be simpler, but would kill what was started
// from it with PR_SET_PDEATHSIG.
func raisePriority() (reset func()) {
	attr, err := unix.SchedGetAttr(0, 0)
	if err != nil || attr.Policy != unix.SCHED_NORMAL {
		return runtime.UnlockOSThread
	}
	raised := *attr
	raised.Runtime = uint64(100 * time.Microsecond)
	if unix.SchedSetAttr(0, &raised, 0) != nil {
		return runtime.UnlockOSThread
	}
	return func() {
		if unix.SchedSetAttr(0, attr, 0) == nil {
			runtime.UnlockOSThread()
		}
	}
}

// handle acts on inotify events. It reports whether they are the last.
func (w *watch) handle(buf []byte) (ended bool) {
	for e := range events(buf) {
		switch {
		case e.mask&unix.IN_Q_OVERFLOW != 0: // the events that were dropped may be of a deletion
			w.putBack()
			w.askToLook()
		case e.wd != w.inotify.dir:
			if e.mask&unix.IN_MODIFY != 0 {
				w.askToLook()
			}
		case e.mask&(unix.IN_IGNORED|unix.IN_UNMOUNT) != 0:
			return true
		case string(e.name) == w.store.name:
			if e.mask&went != 0 {
				w.putBack()
			} else if !w.inPlace() {
				w.askToLook()
			}
		case bytes.HasPrefix(e.name, w.beside):
			w.handleBeside(e.mask, string(e.name))
		}
	}
	return false
}

// handleBeside acts on an event of a file that is not the segment.
func (w *watch) handleBeside(mask uint32, name string) {
	f, ok := parseBeside(name)
	switch {
	case !ok || f.stem != stem(w.store.name): // "." and the stem can begin another's name
	case f.kind == "registration" && f.id != w.id:
		w.peer.Store(true)
	case f.kind == "registration" && mask&went != 0:
		w.askToLook() // another process removed this watch's registration
	case f.kind == "backup" && f.id == w.id && mask&went != 0:
		if b := w.backup.Load(); b != nil && b.path == dir+"/"+name {
			w.askToLook() // another process removed the backup link
		}
	}
}

// putBack links the segment's name to the backup.
func (w *watch) putBack() {
	for {
		b := w.backup.Load()
		if b == nil {
			return
		}
		switch err := unix.Link(b.path, w.store.path); {
		case err == nil:
			w.restored.Add(1)
			return
		case err == unix.EEXIST:
			return
		case w.backup.Load() == b:
			w.askToLook()
			return
		}
	}
}

// inPlace reports whether the segment is the file that the backup is a link to.
func (w *watch) inPlace() bool {
	b := w.backup.Load()
	there, err := lstatID(w.store.path)
	return b != nil && err == nil && there == b.file
}

func (w *watch) askToLook() {
	select {
	case w.look <- struct{}{}:
	default:
	}
}
