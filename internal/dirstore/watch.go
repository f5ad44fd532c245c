package dirstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
)

// lookInterval is how often a watch looks at the token: in a private directory it is seldom
// that anything but a sharer touches it.
const lookInterval = time.Second / 2

// A watch keeps a token in place. One goroutine looks at it twice a second.
type watch struct {
	store        *Store
	account      shsession.Account
	id           string   // of the registration
	registration *os.File // which is locked while this process lives

	// Guarded by the Store's mu, and only changed with the change lock held.
	kept    shsession.Token // what is kept in place, zero if there is nothing
	mapping mapping         // holds kept, if the Store has one
	peer    bool            // whether another sharer was ever seen

	restored atomic.Uint64
	changed  chan struct{} // holds one notice
	done     sync.WaitGroup
	cancel   context.CancelFunc // ends run
	stop     func()             // see Stop
}

// Watch implements shsession.Watcher. It keeps the token that this Store published last in
// place, or, with none published yet, the one that is there, and adopts a newer one that
// somebody else publishes. It blocks as Publish does, for 5 seconds at most.
func (s *Store) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	root, release, err := s.lockChanges(ctx, true)
	if err != nil {
		return nil, err
	}
	defer release()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.watch != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	if s.mapping != "" {
		if err := checkMapping(s.mapping); err != nil {
			return nil, err
		}
	}
	w := &watch{store: s, account: account, id: newID(), changed: make(chan struct{}, 1), mapping: mapping{name: s.mapping}}
	w.stop = sync.OnceFunc(w.end)
	if err := w.register(root); err != nil {
		return nil, err
	}
	w.begin(root)
	running, stop := context.WithCancel(context.Background())
	w.cancel = stop
	s.watch = w
	w.done.Go(func() { w.run(running) })
	return w, nil
}

// begin keeps the token that is there, or the one that this Store published before if it is
// gone. It is called with both locks held.
func (w *watch) begin(root *os.Root) {
	c, err := readToken(root, nil)
	switch published := w.store.published; {
	case err == nil:
		_ = w.adopt(c.token) // or at the next look
		if !published.IsZero() && !published.Equal(c.token) {
			w.notify()
		}
	case published.IsZero():
	case errors.Is(err, shsession.ErrNotShared):
		_ = w.keep(published)
		_ = w.putBack(root) // or at the next look
	default:
		w.notify()
	}
}

// run looks twice a second until ctx is done.
func (w *watch) run(ctx context.Context) {
	ticker := time.NewTicker(lookInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.notify()
		}
	}
}

func (w *watch) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, changeTimeout)
	defer cancel()
	root, release, err := w.store.lockChanges(ctx, true)
	if err != nil {
		return err
	}
	defer release()
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if err := w.keepRegistration(root); err != nil {
		return err
	}
	return w.compare(root)
}

// compare puts the token back if it is gone, and adopts one that is as new. It is called
// with both locks held.
func (w *watch) compare(root *os.Root) error {
	live, dead, err := sharers(root, w)
	if err != nil {
		return err
	}
	w.peer = w.peer || len(live)+len(dead) > 0
	if w.kept.IsZero() {
		return nil
	}
	c, err := readToken(root, nil)
	switch {
	case errors.Is(err, shsession.ErrNotShared):
		return w.putBack(root)
	case err != nil:
		return err
	case c.token.Equal(w.kept):
		return w.adopt(c.token)
	}
	w.notify()
	if !c.token.ExpiresAt().Before(w.kept.ExpiresAt()) { // else what is kept is the newer one
		return w.adopt(c.token)
	}
	return nil
}

// keep keeps a token in place, and in the mapping if there is one. The error is of the
// mapping alone.
func (w *watch) keep(t shsession.Token) error {
	w.kept = t
	if w.mapping.name == "" {
		return nil
	}
	return w.mapping.write(t.Encode())
}

// keepNothing is for a token that has been withdrawn.
func (w *watch) keepNothing() {
	w.kept = shsession.Token{}
	w.mapping.close()
}

// adopt keeps a token in place. If another sharer may have published it, it becomes this
// Store's to withdraw: the last of the sharers withdraws it for all of them.
func (w *watch) adopt(t shsession.Token) error {
	if w.peer {
		w.store.published = t
	}
	return w.keep(t)
}

func (w *watch) putBack(root *os.Root) error {
	if err := put(root, w.kept.Encode()); err != nil {
		return err
	}
	w.restored.Add(1)
	return nil
}

func (w *watch) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

// Changed implements shsession.Watch.
func (w *watch) Changed() <-chan struct{} { return w.changed }

// Restored implements shsession.Watch.
func (w *watch) Restored() uint64 { return w.restored.Load() }

// Stop implements shsession.Watch. It blocks for 5 seconds at most, and that only if another
// process stops in the middle of publishing.
func (w *watch) Stop() { w.stop() }

func (w *watch) end() {
	w.cancel()
	w.done.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), changeTimeout)
	defer cancel()
	root, release, err := w.store.lockChanges(ctx, false)
	if err == nil {
		defer release()
	} // else it is better to leave without the lock than not at all
	w.store.mu.Lock()
	defer w.store.mu.Unlock()
	if err == nil {
		_ = w.compare(root) // in case another sharer has just published
	}
	w.unregister(root)
	w.keepNothing()
	w.store.watch = nil
}
