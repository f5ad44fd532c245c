package shm

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// begin takes what is in the segment under protection, or what this Store published there
// before if it is gone. It is called in turn.
func (w *watch) begin() {
	w.store.mu.Lock()
	published := w.store.published
	w.store.mu.Unlock()
	seg, err := readSegment(w.store.path, nil)
	switch {
	case err == nil:
		w.adopt(seg)
		if !published.IsZero() && !published.Equal(seg.token) {
			w.notify()
		}
	case published.IsZero():
	case errors.Is(err, shsession.ErrNotShared):
		w.rewrite(published)
	default:
		w.notify()
	}
}

// keep looks whenever the guard asks, until ctx is done.
func (w *watch) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-w.look:
		}
		if err := w.settle(ctx); err != nil && ctx.Err() == nil {
			w.notify()
		}
	}
}

// errPassing says that the segment was just then being changed.
var errPassing = errors.New("the segment is being changed")

// settle inspects the segment until it is at rest, for a few milliseconds at most.
func (w *watch) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var err error
	for wait := 100 * time.Microsecond; wait < 10*time.Millisecond; wait *= 2 {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		if err = w.inspect(ctx); !errors.Is(err, errPassing) {
			return err
		}
		timer.Reset(wait)
	}
	return err
}

// inspect compares, in its turn, what is in the segment with what is protected.
func (w *watch) inspect(ctx context.Context) error {
	turn, err := w.store.turn(ctx)
	if err != nil {
		return err
	}
	defer turn.release()
	if err := w.keepCard(); err != nil {
		return err
	}
	return w.compare()
}

// compare puts the segment back if it is gone, and adopts it if it is another that is as
// new. It is called in turn.
func (w *watch) compare() error {
	sp := w.spare.Load()
	if sp == nil {
		return nil
	}
	seg, err := readSegment(w.store.path, nil)
	switch {
	case errors.Is(err, shsession.ErrNotShared):
		return w.restore(sp)
	case errors.Is(err, errUnsteady):
		return errPassing
	case err != nil:
		return err
	}
	same := seg.token.Equal(sp.token)
	if seg.token.ExpiresAt().Before(sp.token.ExpiresAt()) {
		if !same {
			w.notify()
		}
		return nil // the newer token stays at hand
	}
	if there, err := lstatID(sp.path); err == nil && there == seg.file && same {
		w.inherit(seg.token)
		return nil
	}
	err = w.adopt(seg)
	if err == nil && !same {
		w.notify()
	}
	return err
}

// inherit makes a protected token this Store's to withdraw, if it may have been another
// sharer who put it there: the last of the sharers withdraws it for all of them.
func (w *watch) inherit(t shsession.Token) {
	if w.fellow.Load() {
		w.store.setPublished(t)
	}
}

// adopt protects the segment that somebody else put there.
func (w *watch) adopt(seg *segment) error {
	next, err := w.newSpare(w.store.path, seg.token)
	if err != nil {
		return errPassing
	}
	if next.file != seg.file {
		unix.Unlink(next.path)
		return errPassing
	}
	if old := w.spare.Swap(next); old != nil {
		unix.Unlink(old.path)
	}
	w.inherit(seg.token)
	return nil
}

// restore puts the protected token back where nothing is, or nothing that can be read.
func (w *watch) restore(sp *spare) error {
	switch err := unix.Link(sp.path, w.store.path); err {
	case nil:
		w.restored.Add(1)
		return nil
	case unix.EEXIST:
		return errPassing // a Python sharer creates the segment before it writes to it
	}
	return w.rewrite(sp.token)
}

// rewrite publishes the token anew, from memory.
func (w *watch) rewrite(t shsession.Token) error {
	temp, err := w.store.writeTemp(t)
	if err != nil {
		return err
	}
	defer temp.remove()
	if err := w.place(temp.path, t); err != nil {
		return err
	}
	w.restored.Add(1)
	return nil
}
