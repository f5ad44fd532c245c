package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
)

// noticeInterval is the least time between two notices of a Watch. Two sharers of one
// file take it from each other no faster.
const noticeInterval = time.Second

// A watch keeps a sink's file in place.
type watch struct {
	sink     *Sink
	alarm    alarm
	changed  chan struct{} // holds one notice
	restored atomic.Uint64
	done     chan struct{} // closed when run has ended
	stop     func()        // see Stop

	// Guarded by the sink's turn.
	spare    *spare // what is linked into the file's place when it's gone, or nil
	noticed  time.Time
	unsolved bool // there is something to give notice of
}

// An alarm tells when something may have happened to a file. There is one that the system
// rings, and one that rings all the time.
type alarm interface {
	// wait blocks until something may have happened, at most for max. It
	// returns false when the alarm was stopped.
	wait(max time.Duration) bool

	// rearm is called after the file was published, perhaps in a directory that is new.
	rearm()

	// stop ends a wait, and all waits to come.
	stop()

	// close releases what the alarm holds. Nobody waits any more.
	close()
}

// Watch keeps what was published last in the file until the Watch is stopped: when the
// file is deleted or moved away it is put back.
//
// On Linux that takes some microseconds. The watch is one goroutine that blocks in a system
// call on the directory, and looks at the file every ten seconds besides, since a network file system
// doesn't tell everything. Elsewhere, or if the system has no more watches to give, it
// looks every second.
//
// Changed receives at most once a second. clientID isn't used: a file has no place for it.
func (s *Sink) Watch(ctx context.Context, clientID string) (shsession.Watch, error) {
	if err := s.takeTurn(ctx); err != nil {
		return nil, err
	}
	defer s.endTurn()
	if s.watch != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{sink: s, alarm: newAlarm(s.path), changed: make(chan struct{}, 1), done: make(chan struct{})}
	w.stop = sync.OnceFunc(w.end)
	s.watch = w
	w.arm(s.published)
	go w.run()
	return w, nil
}

// Changed implements shsession.Watch.
func (w *watch) Changed() <-chan struct{} { return w.changed }

// Restored implements shsession.Watch.
func (w *watch) Restored() uint64 { return w.restored.Load() }

// Stop implements shsession.Watch.
func (w *watch) Stop() { w.stop() }

func (w *watch) end() {
	w.alarm.stop()
	<-w.done
	_ = w.sink.takeTurn(context.Background())
	defer w.sink.endTurn()
	w.alarm.close()
	w.disarm()
	w.sink.watch = nil
}

// arm makes ready to put t back. It is called in turn.
func (w *watch) arm(t shsession.Token) {
	w.alarm.rearm()
	w.disarm()
	if !t.IsZero() {
		w.spare = w.sink.newSpare(t)
	}
	w.unsolved = false
}

// disarm forgets what would be put back. It is called in turn.
func (w *watch) disarm() {
	w.spare.close()
	w.spare = nil
}

// run looks at the file whenever the alarm rings.
func (w *watch) run() {
	defer close(w.done)
	pause := checkInterval
	for w.alarm.wait(pause) {
		_ = w.sink.takeTurn(context.Background())
		pause = w.look()
		w.sink.endTurn()
	}
}

// look puts the file back if it is gone, and gives notice of what it can't mend. It
// returns how soon to look again. It is called in turn.
func (w *watch) look() time.Duration {
	t := w.sink.published
	if t.IsZero() {
		return checkInterval
	}
	if w.spare.link(w.sink.path) {
		w.restored.Add(1)
		w.arm(t)
	}
	ours, err := w.sink.holds(t)
	switch {
	case ours:
		w.unsolved = false
	case errors.Is(err, fs.ErrNotExist):
		w.unsolved = w.rewrite(t) != nil
	default:
		w.unsolved = true
	}
	return w.notify()
}

// rewrite puts the file back where there is no spare to do it with.
func (w *watch) rewrite(t shsession.Token) error {
	ctx, cancel := context.WithTimeout(context.Background(), noticeInterval)
	defer cancel()
	if err := w.sink.write(ctx, t); err != nil {
		return err
	}
	w.restored.Add(1)
	w.arm(t)
	return nil
}

// notify gives notice if there is something to give notice of, and its time has
// come. It returns how soon to look again.
func (w *watch) notify() time.Duration {
	if !w.unsolved {
		return checkInterval
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
