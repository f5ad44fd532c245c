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
// One Memory stands for one process. Handle makes another Memory of the same store, which
// stands for another process. No method blocks and no goroutine runs, so a Memory works in
// a testing/synctest bubble.
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
	note     shsession.Note
	watchers []*Memory          // the handles that watch
	dead     []shsession.Sharer // the sharers that died
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
	if err := context.Cause(ctx); err != nil {
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
	if err := context.Cause(ctx); err != nil {
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
	home.note = shsession.Note{}
	replaced := !home.token.IsZero() && !home.token.Equal(t)
	home.token = t
	m.published = t
	if m.watch != nil {
		home.dead = nil // this token takes the place of theirs
	}
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
	if err := context.Cause(ctx); err != nil {
		return err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	shared := slices.ContainsFunc(home.watchers, func(other *Memory) bool { return other != m })
	if !shared && !m.published.IsZero() && home.token.Equal(m.published) {
		home.token, home.note = shsession.Token{}, shsession.Note{}
	}
	m.published = shsession.Token{}
	return nil
}

// Remove removes the token as another program would. A Watch puts the token back.
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

// Die does what the death of this handle's process does: it ends the handle's Watch, and
// frees the lock if the handle has it. The token stays.
func (m *Memory) Die() {
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.holder != nil && home.holder.by == m {
		home.holder.lose()
	}
	if m.watch != nil {
		home.dead = append(home.dead, shsession.Sharer{PID: os.Getpid(), Account: m.watch.account})
		m.watch.end()
	}
}

// Sharers returns this process once for every handle that watches, and once for every one
// that died.
func (m *Memory) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	for _, other := range home.watchers {
		live = append(live, shsession.Sharer{PID: os.Getpid(), Account: other.watch.account})
	}
	return live, slices.Clone(home.dead), nil
}

// A memoryLock is a lock that was taken.
type memoryLock struct {
	by   *Memory
	done <-chan struct{}
	lose context.CancelFunc
}

// memoryKey is the context key of the lock of one Memory.
type memoryKey struct{ home *Memory }

// TryLock implements shsession.Store.
func (m *Memory) TryLock(ctx context.Context, pass func(shsession.Note) bool) (held context.Context, unlock func(shsession.Note), err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.locked() {
		return nil, nil, &shsession.LockedError{Holder: fmt.Sprint(home.locks)}
	}
	if home.note.KeepsOut(pass) {
		return nil, nil, &shsession.LockedError{Note: home.note}
	}
	lock := &memoryLock{by: m}
	held, lock.lose = context.WithCancel(context.WithValue(ctx, memoryKey{home}, lock))
	lock.done = held.Done()
	home.holder = lock
	home.locks++
	return held, func(note shsession.Note) {
		home.mu.Lock()
		defer home.mu.Unlock()
		if held.Err() == nil && home.holder == lock && !note.IsZero() {
			home.note = note
		}
		lock.lose()
	}, nil
}

// LoseLock takes the lock from its holder, as an expiry would.
func (m *Memory) LoseLock() {
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if home.holder != nil {
		home.holder.lose()
	}
}

// locked reports whether a handle has the lock. It is called with mu held.
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
func (m *Memory) Watch(ctx context.Context, account shsession.Account) (shsession.Watch, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	home := m.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	if m.watch != nil {
		return nil, errors.New("the memory is being watched already")
	}
	for _, other := range home.watchers {
		if there := other.watch.account; !there.Matches(account) {
			return nil, &shsession.ConflictError{
				Store: m.String(), Account: there, Own: account,
				Sharers: []shsession.Sharer{{PID: os.Getpid(), Account: there}},
			}
		}
	}
	m.watch = &memoryWatch{handle: m, account: account, changed: make(chan struct{}, 1)}
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
	account  shsession.Account
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
	home := w.handle.at()
	home.mu.Lock()
	defer home.mu.Unlock()
	w.end()
}

// end ends the watch, unless it has ended. It is called with mu held.
func (w *memoryWatch) end() {
	m, home := w.handle, w.handle.at()
	if m.watch != w {
		return
	}
	m.watch = nil
	home.watchers = slices.DeleteFunc(home.watchers, func(other *Memory) bool { return other == m })
}
