package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fsnotify/fsnotify"

	"github.com/shsession/shsession"
)

const (
	// noticeInterval is the least time between two notices of a Watch. Two sharers of one
	// file take it from each other no faster.
	noticeInterval = time.Second

	// checkInterval is how often the file is looked at when the system tells of changes: a
	// network file system doesn't tell of all.
	checkInterval = 10 * time.Second
)

// A watch keeps a sink's file in place.
type watch struct {
	sink     *Sink
	changed  chan struct{} // holds one notice
	restored atomic.Uint64
	limited  atomic.Pointer[error] // see Limited
	ended    chan struct{}         // closed to end run
	done     chan struct{}         // closed when run has ended
	stop     func()                // see Stop

	// notifier tells what happens in the file's directory. It is empty if the system has no
	// watcher to give.
	notifier *fsnotify.Watcher
	happened chan struct{} // holds a sign that something may have happened to the file
	deaf     chan struct{} // closed when listen has ended

	// Guarded by the sink's turn.
	noticed  time.Time
	unsolved bool // there is something to give notice of
}

// Watch keeps what was published last in the file until the Watch is stopped: when the
// file is deleted or moved away it is put back.
//
// That takes less than a millisecond where the system tells what happens in a directory. The
// watch looks at the file every ten seconds besides, since a network file system doesn't tell
// everything. If the system has no more watchers to give, the watch looks every second, and
// its method Limited() error says why.
//
// Changed receives at most once a second. The account isn't used: a file has no place for it.
func (s *Sink) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	if s.watch != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{sink: s, changed: make(chan struct{}, 1), ended: make(chan struct{}), done: make(chan struct{}),
		happened: make(chan struct{}, 1), deaf: make(chan struct{})}
	w.stop = sync.OnceFunc(w.end)
	var err error
	if w.notifier, err = fsnotify.NewWatcher(); err != nil {
		w.notifier = &fsnotify.Watcher{}
		w.limit(err)
	}
	s.watch = w
	go w.listen()
	w.rearm()
	go w.run()
	return w, nil
}

// Changed implements shsession.Watch.
func (w *watch) Changed() <-chan struct{} { return w.changed }

// Restored implements shsession.Watch.
func (w *watch) Restored() uint64 { return w.restored.Load() }

// Stop implements shsession.Watch.
func (w *watch) Stop() { w.stop() }

// Limited returns why the watch looks at the file once a second, instead of acting as soon as
// something happens to it; nil if it does act at once.
func (w *watch) Limited() error {
	if err := w.limited.Load(); err != nil {
		return *err
	}
	return nil
}

func (w *watch) limit(err error) {
	err = fmt.Errorf("%s is looked after once a second, since the system has no more watchers for this user "+
		"(on Linux, raise fs.inotify.max_user_watches or fs.inotify.max_user_instances): %w", w.sink, err)
	w.limited.Store(&err)
}

func (w *watch) end() {
	close(w.ended)
	<-w.done
	_ = w.sink.takeTurn(context.Background()) // which can't fail without an end
	defer w.sink.endTurn()
	if w.notifier.Events != nil {
		_ = w.notifier.Close() // nobody waits for it any more
		<-w.deaf
	}
	w.sink.watch = nil
}

// rearm is called in turn when the file has been published, perhaps in a directory that is
// new.
func (w *watch) rearm() {
	w.unsolved = false
	if w.notifier.Events == nil {
		return
	}
	switch err := w.notifier.Add(filepath.Dir(w.sink.path)); {
	case err == nil:
		w.limited.Store(nil)
	case !errors.Is(err, fs.ErrNotExist): // without the directory there is nothing to watch
		w.limit(err)
	}
}

// listen takes what the notifier tells, until that is closed. It waits for nothing else: on
// Windows, the notifier's Add and Close wait until all that was told before is taken.
func (w *watch) listen() {
	defer close(w.deaf)
	if w.notifier.Events == nil {
		return
	}
	for {
		select {
		case event, ok := <-w.notifier.Events:
			if !ok {
				return
			}
			if event.Name != w.sink.path && event.Name != filepath.Dir(w.sink.path) {
				continue
			}
		case _, ok := <-w.notifier.Errors: // events were lost
			if !ok {
				return
			}
		}
		select {
		case w.happened <- struct{}{}:
		default: // run is about to look
		}
	}
}

// run looks at the file whenever something may have happened to it.
func (w *watch) run() {
	defer close(w.done)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-w.ended:
			return
		case <-w.happened:
		case <-timer.C:
		}
		_ = w.sink.takeTurn(context.Background())
		timer.Reset(w.look())
		w.sink.endTurn()
	}
}

// look puts the file back if it is gone, and gives notice of what it can't mend. It
// returns how soon to look again. It is called in turn.
func (w *watch) look() time.Duration {
	t := w.sink.published
	if t.IsZero() {
		return w.interval()
	}
	ours, err := w.sink.holds(t)
	switch {
	case ours:
		w.unsolved = false
	case errors.Is(err, fs.ErrNotExist):
		w.unsolved = w.putBack(t) != nil
	default:
		w.unsolved = true
	}
	return w.notify()
}

// putBack writes the file anew.
func (w *watch) putBack(t shsession.Token) error {
	ctx, cancel := context.WithTimeout(context.Background(), noticeInterval)
	defer cancel()
	if err := w.sink.write(ctx, t); err != nil {
		return err
	}
	w.restored.Add(1)
	w.rearm()
	return nil
}

// notify gives notice if there is something to give notice of, and its time has
// come. It returns how soon to look again.
func (w *watch) notify() time.Duration {
	if !w.unsolved {
		return w.interval()
	}
	if since := time.Since(w.noticed); since < noticeInterval {
		return noticeInterval - since
	}
	w.noticed = time.Now()
	select {
	case w.changed <- struct{}{}:
	default:
	}
	return noticeInterval
}

// interval returns how soon to look again without a notice.
func (w *watch) interval() time.Duration {
	if w.Limited() != nil {
		return noticeInterval
	}
	return checkInterval
}
