package shm

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// lookInterval is how often the reconciler looks at the segment where inotify can't tell
// it.
const lookInterval = time.Second

// begin protects the token in the segment, or the one that this Store published there
// before if it is gone. It is called with the change lock held.
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

// runReconciler reconciles whenever the restorer asks, and once a second while inotify
// can't tell everything, until ctx is done.
func (w *watch) runReconciler(ctx context.Context) {
	var ticks <-chan time.Time
	for {
		if ticks == nil && w.Limited() != nil {
			ticker := time.NewTicker(lookInterval)
			defer ticker.Stop()
			ticks = ticker.C
		}
		select {
		case <-ctx.Done():
			return
		case <-w.look:
		case <-ticks:
		}
		if err := w.reconcile(ctx); err != nil && ctx.Err() == nil {
			w.notify()
		}
	}
}

// errPassing says that the segment was just then being changed.
var errPassing = errors.New("the segment is being changed")

// reconcile compares the segment with what is protected until the segment is at rest, for
// a few milliseconds at most.
func (w *watch) reconcile(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	timer := time.NewTimer(0)
	defer timer.Stop()
	var err error
	for wait := 100 * time.Microsecond; wait < 10*time.Millisecond; wait *= 2 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
		if err = w.reconcileOnce(ctx); !errors.Is(err, errPassing) {
			return err
		}
		timer.Reset(wait)
	}
	return err
}

// reconcileOnce compares with the change lock held.
func (w *watch) reconcileOnce(ctx context.Context) error {
	changes, err := w.store.lockChanges(ctx)
	if err != nil {
		return err
	}
	defer changes.Release()
	if err := w.keepRegistration(); err != nil {
		return err
	}
	if w.Limited() != nil {
		if peers, err := w.store.peers(w); err == nil {
			w.seePeers(peers)
		}
	}
	return w.compare()
}

// compare puts the segment back if it is gone, and adopts it if it is another that is as
// new. It is called with the change lock held.
func (w *watch) compare() error {
	b := w.backup.Load()
	if b == nil {
		return nil
	}
	seg, err := readSegment(w.store.path, nil)
	switch {
	case errors.Is(err, shsession.ErrNotShared):
		return w.restore(b)
	case errors.Is(err, errUnsteady):
		return errPassing
	case err != nil:
		return err
	}
	same := seg.token.Equal(b.token)
	if seg.token.ExpiresAt().Before(b.token.ExpiresAt()) {
		if !same {
			w.notify()
		}
		return nil // the backup keeps the newer token
	}
	if there, err := lstatID(b.path); err == nil && there == seg.file && same {
		w.inherit(seg.token)
		return nil
	}
	err = w.adopt(seg)
	if err == nil && !same {
		w.notify()
	}
	return err
}

// inherit makes a protected token this Store's to withdraw, if a peer may have put it
// there: the last of the sharers withdraws it for all of them.
func (w *watch) inherit(t shsession.Token) {
	if w.peer.Load() {
		w.store.setPublished(t)
	}
}

// adopt protects the segment that another process put there.
func (w *watch) adopt(seg *segment) error {
	next, err := w.newBackup(w.store.path, seg.token)
	if err != nil {
		return errPassing
	}
	if next.file != seg.file {
		w.dropBackup(next, w.backup.Load())
		return errPassing
	}
	w.dropBackup(w.backup.Swap(next), next)
	w.inherit(seg.token)
	return nil
}

// restore puts the protected token back where there is no segment, or one that holds no
// token.
func (w *watch) restore(b *backup) error {
	if there, err := lstatID(w.store.path); err == nil && there == b.file {
		return w.rewrite(b.token) // it was truncated or overwritten in place, and the backup with it
	}
	switch err := unix.Link(b.path, w.store.path); err {
	case nil:
		w.restored.Add(1)
		return errPassing // the backup may have been truncated before it was put back: compare again
	case unix.EEXIST:
		return errPassing // a Python sharer creates the segment before it writes to it
	}
	return w.rewrite(b.token)
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
