package shm

import (
	"context"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// changeTimeout bounds how long starting, stopping and looking wait for the change lock.
const changeTimeout = 5 * time.Second

// A watch keeps a segment in place. One goroutine, the restorer, blocks in read(2) on
// inotify and answers a deletion with a link(2) at once. Another, the reconciler, does
// all that takes longer.
type watch struct {
	store        *segmentStore
	account      shsession.Account
	id           string   // of the files beside the segment that are this watch's
	beside       []byte   // what the names of all files beside the segment begin with
	inotify      *inotify // nil if there is none to be had; then there is no restorer
	registration int      // the descriptor that keeps the registration locked; guarded by the change lock

	backup   atomic.Pointer[backup] // nil if there is nothing to protect
	peer     atomic.Bool            // whether another sharer was ever seen
	restored atomic.Uint64
	stopping atomic.Bool
	limited  atomic.Pointer[error] // see Limited

	changed chan struct{} // holds one notice
	look    chan struct{} // holds one request to the reconciler
	done    sync.WaitGroup
	cancel  context.CancelFunc // ends the reconciler
	stop    func()             // see Stop
}

// A backup is a hard link to the segment that a watch protects.
type backup struct {
	path  string
	file  fileID
	wd    int32 // of the inotify watch that tells when the file is truncated or written, or -1
	token shsession.Token
}

// Watch is [Store.Watch].
func (s *segmentStore) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	changes, err := s.lockChanges(ctx)
	if err != nil {
		return nil, err
	}
	defer changes.Release()
	if s.watching() != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{
		store:   s,
		account: account,
		id:      newID(),
		beside:  []byte("." + stem(s.name) + mark),
		changed: make(chan struct{}, 1),
		look:    make(chan struct{}, 1),
	}
	w.stop = sync.OnceFunc(w.end)
	if w.inotify, err = openInotify(); err != nil {
		w.limit(err)
	}
	if err := w.register(); err != nil {
		w.closeInotify()
		return nil, err
	}
	w.begin()
	reconciling, stopReconciling := context.WithCancel(context.Background())
	w.cancel = stopReconciling
	if w.inotify != nil {
		w.done.Go(w.runRestorer)
	}
	w.done.Go(func() { w.runReconciler(reconciling) })
	s.setWatch(w)
	return w, nil
}

func (s *segmentStore) setWatch(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = w
}

// Limited returns why the watch looks at the segment once a second, instead of acting as
// soon as something happens to it; nil if it does act at once.
func (w *watch) Limited() error {
	if err := w.limited.Load(); err != nil {
		return *err
	}
	return nil
}

func (w *watch) limit(err error) {
	err = fmt.Errorf("%s is looked after once a second: %w", w.store, err)
	w.limited.CompareAndSwap(nil, &err)
	w.askToLook() // so that the reconciler learns of it
}

// place moves the new segment temp into its place, with a backup link that is there
// before. It is called with the change lock held.
func (w *watch) place(temp string, t shsession.Token) error {
	old := w.backup.Load()
	next, err := w.newBackup(temp, t)
	if err != nil {
		return err
	}
	w.backup.Store(next) // before the segment is there, which may be deleted at once
	if err := os.Rename(temp, w.store.path); err != nil {
		w.backup.Store(old)
		w.dropBackup(next, old)
		return err
	}
	if old == nil {
		return nil
	}
	w.dropBackup(old, next)
	// The restorer may have put the old one back after the rename, but can't any more.
	if there, err := lstatID(w.store.path); err == nil && there == old.file {
		return w.overwrite(next)
	}
	return nil
}

// newBackup links a backup to the file at path.
func (w *watch) newBackup(path string, t shsession.Token) (*backup, error) {
	next := &backup{path: w.store.beside("backup", w.id, "a"), wd: -1, token: t}
	if old := w.backup.Load(); old != nil && old.path == next.path {
		next.path = w.store.beside("backup", w.id, "b")
	}
	unix.Unlink(next.path)
	if err := os.Link(path, next.path); err != nil {
		return nil, err
	}
	var err error
	if next.file, err = lstatID(next.path); err != nil {
		return nil, err
	}
	if w.inotify != nil {
		if next.wd, err = w.inotify.add(next.path, unix.IN_MODIFY); err != nil {
			w.limit(err)
		}
	}
	return next, nil
}

// dropBackup removes a backup link and its inotify watch. Either may be nil. The two can
// be links to the same file, which has one inotify watch.
func (w *watch) dropBackup(b, kept *backup) {
	if b == nil {
		return
	}
	unix.Unlink(b.path)
	if w.inotify != nil && (kept == nil || kept.wd != b.wd) {
		w.inotify.remove(b.wd)
	}
}

// overwrite replaces the segment, with any content, by the backup's token.
func (w *watch) overwrite(b *backup) error {
	temp := w.store.beside("temp", newID())
	if err := os.Link(b.path, temp); err != nil {
		return err
	}
	defer unix.Unlink(temp) // a rename to another link of the same file does nothing
	return os.Rename(temp, w.store.path)
}

// disarm ends the protection of what was published. It is called with the change lock
// held.
func (w *watch) disarm() {
	w.dropBackup(w.backup.Swap(nil), nil) // and now the restorer can't put it back any more
}

// Changed implements shsession.Watch.
func (w *watch) Changed() <-chan struct{} { return w.changed }

func (w *watch) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Restored implements shsession.Watch.
func (w *watch) Restored() uint64 { return w.restored.Load() }

// Stop implements shsession.Watch. It blocks for 5 seconds at most, and that only if
// another process stops in the middle of publishing.
func (w *watch) Stop() { w.stop() }

func (w *watch) end() {
	w.stopping.Store(true)
	if w.inotify != nil {
		w.inotify.remove(w.inotify.dir) // which wakes the restorer
	}
	w.cancel()
	w.done.Wait()

	ctx, cancel := context.WithTimeout(context.Background(), changeTimeout)
	defer cancel()
	changes, err := w.store.lockChanges(ctx)
	if err == nil {
		defer changes.Release()
	} // else it is better to leave without the lock than not at all
	_ = w.compare() // in case another sharer has just published
	w.store.setWatch(nil)
	w.disarm()
	w.closeInotify()
	w.unregister()
}

func (w *watch) closeInotify() {
	if w.inotify != nil {
		unix.Close(w.inotify.fd)
	}
}
