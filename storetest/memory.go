package storetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/shsession/shsession"
)

// A Memory is a Store in this process's memory, for tests of programs that share a token.
// The zero value is an empty store, ready to use. It must not be copied.
//
// One Memory acts for one process; Handle makes another, of the same store, to act for
// another process. No method blocks and no goroutine runs, so that a Memory works in a
// testing/synctest bubble.
type Memory struct {
	home *Memory // whose contents this is a handle of; nil for its own

	contents                  // of home
	published shsession.Token // by this handle, and not withdrawn; guarded by home.mu
	watch     *memoryWatch    // nil unless watching; guarded by home.mu
}

type contents struct {
	mu       sync.Mutex // guards the rest
	token    shsession.Token
	locks    int         // how many there have been
	holder   *memoryLock // who took the lock last
	watchers []*Memory   // the handles that watch
}

// Handle returns another handle of the same store.
func (m *Memory) Handle() *Memory { return &Memory{home: m.at()} }

func (m *Memory) at() *Memory {
	if m.home != nil {
		return m.home
	}
	return m
}

// String returns "memory".
func (m *Memory) String() string { return "memory" }

// Load implements shsession.Store.
func (m *Memory) Load(ctx context.Context) (shsession.Token, error) {
	if err := ctx.Err(); err != nil {
		return shsession.Token{}, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.token.IsZero() {
		return shsession.Token{}, fmt.Errorf("the memory is empty: %w", shsession.ErrNotShared)
	}
	return home.token, nil
}

// Publish implements shsession.Sink.
func (m *Memory) Publish(ctx context.Context, t shsession.Token) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch size := len(t.Encode()); {
	case size == 0:
		return errors.New("there is no token to publish")
	case size > shsession.MaxTokenSize:
		return fmt.Errorf("the token is %d bytes long, more than %d", size, shsession.MaxTokenSize)
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if lock, ok := ctx.Value(memoryKey{home}).(*memoryLock); ok && lock != home.holder {
		return errors.New("the lock was lost before the token was published")
	}
	replaced := !home.token.IsZero() && !home.token.Equal(t)
	home.token = t
	m.published = t
	for _, other := range home.watchers {
		if other == m {
			continue
		}
		if m.watch != nil { // the last sharer withdraws for all of them
			other.published = t
		}
		if replaced {
			other.watch.notify()
		}
	}
	return nil
}

// Withdraw implements shsession.Sink.
func (m *Memory) Withdraw(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	shared := slices.ContainsFunc(home.watchers, func(other *Memory) bool { return other != m })
	if !shared && home.token.Equal(m.published) {
		home.token = shsession.Token{}
	}
	m.published = shsession.Token{}
	return nil
}

// Remove removes the token as something outside would. A Watch puts it back.
func (m *Memory) Remove() {
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if len(home.watchers) > 0 && !home.token.IsZero() {
		home.watchers[0].watch.restored++
		return
	}
	home.token = shsession.Token{}
}

// Sharers returns this process once for every handle that watches.
func (m *Memory) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	for _, other := range home.watchers {
		live = append(live, shsession.Sharer{PID: os.Getpid(), ClientID: other.watch.clientID})
	}
	return live, nil, nil
}

// A memoryLock is a lock that was taken.
type memoryLock struct {
	done <-chan struct{}
	lose context.CancelFunc
}

// memoryKey is the context key of the lock of one Memory.
type memoryKey struct{ home *Memory }

// TryLock implements shsession.Store.
func (m *Memory) TryLock(ctx context.Context) (held context.Context, unlock context.CancelFunc, err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.locked() {
		return nil, nil, &shsession.LockedError{Holder: fmt.Sprint(home.locks)}
	}
	lock := &memoryLock{}
	held, unlock = context.WithCancel(context.WithValue(ctx, memoryKey{home}, lock))
	lock.done, lock.lose = held.Done(), unlock
	home.holder = lock
	home.locks++
	return held, unlock, nil
}

// LoseLock takes the lock from whoever has it, as an expiry would.
func (m *Memory) LoseLock() {
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.holder != nil {
		home.holder.lose()
	}
}

// locked reports whether somebody has the lock. It is called with mu held.
func (c *contents) locked() bool {
	if c.holder == nil {
		return false
	}
	select {
	case <-c.holder.done:
		return false
	default:
		return true
	}
}

// Watch implements shsession.Watcher.
func (m *Memory) Watch(ctx context.Context, clientID string) (shsession.Watch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if m.watch != nil {
		return nil, errors.New("the memory is being watched already")
	}
	for _, other := range home.watchers {
		if id := other.watch.clientID; id != clientID && id != "" && clientID != "" {
			return nil, &shsession.ConflictError{Store: m.String(), ClientID: id, Sharers: []shsession.Sharer{{PID: os.Getpid(), ClientID: id}}}
		}
	}
	m.watch = &memoryWatch{handle: m, clientID: clientID, changed: make(chan struct{}, 1)}
	if !m.published.IsZero() && !m.published.Equal(home.token) {
		if home.token.IsZero() {
			home.token = m.published
			m.watch.restored++
		} else {
			m.watch.notify()
		}
	}
	if len(home.watchers) > 0 && !home.token.IsZero() {
		m.published = home.token
	}
	home.watchers = append(home.watchers, m)
	return m.watch, nil
}

// A memoryWatch is a Watch of a Memory.
type memoryWatch struct {
	handle   *Memory
	clientID string
	changed  chan struct{}
	restored uint64 // guarded by handle's home.mu
}

func (w *memoryWatch) Changed() <-chan struct{} { return w.changed }

func (w *memoryWatch) notify() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *memoryWatch) Restored() uint64 {
	home := w.handle.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	return w.restored
}

func (w *memoryWatch) Stop() {
	m := w.handle
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if m.watch != w {
		return
	}
	m.watch = nil
	home.watchers = slices.DeleteFunc(home.watchers, func(other *Memory) bool { return other == m })
}
