package shm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// turnTimeout bounds how long starting, stopping and looking wait for their turn.
const turnTimeout = 5 * time.Second

// A watch keeps a segment in place. One goroutine, the guard, blocks in read(2) on
// inotify and answers a deletion with a link(2) at once. Another, the keeper, does all
// that takes longer.
type watch struct {
	store    *Store
	clientID string
	id       string // of the files beside the segment that are this watch's
	beside   []byte // what the names of all files beside the segment begin with
	fd, wd   int    // inotify
	card     int    // the descriptor that holds the card's lock; changes in turn

	spare    atomic.Pointer[spare] // nil if there is nothing to protect
	fellow   atomic.Bool           // whether another sharer was ever seen
	restored atomic.Uint64
	stopping atomic.Bool

	changed chan struct{} // holds one notice
	look    chan struct{} // holds one request to the keeper
	done    sync.WaitGroup
	cancel  context.CancelFunc // ends the keeper
	stop    func()             // see Stop
}

// A spare is a hard link to the segment that a watch protects.
type spare struct {
	path  string
	file  fileID
	token shsession.Token
}

// Watch keeps the token that this Store published last in place, and tells the other
// processes that this one shares it. It uses two goroutines, one of them on a thread of
// its own, which use no time while nothing happens in shared memory.
//
// If somebody else published a newer token there, Changed receives, and the watch keeps
// that one in place. With no token published yet, it keeps what is there. While a live
// process shares another client's token there, the error is a [*shsession.ConflictError].
//
// Watch blocks as Publish does, until ctx is done or for 5 seconds at most.
func (s *Store) Watch(ctx context.Context, clientID string) (shsession.Watch, error) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	turn, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer turn.release()
	if s.watching() != nil {
		return nil, fmt.Errorf("%s is being watched already", s)
	}
	w := &watch{
		store:    s,
		clientID: clientID,
		id:       newID(),
		beside:   []byte("." + stem(s.name) + mark),
		changed:  make(chan struct{}, 1),
		look:     make(chan struct{}, 1),
	}
	w.stop = sync.OnceFunc(w.end)
	if w.fd, w.wd, err = openInotify(); err != nil {
		return nil, err
	}
	if err := w.register(); err != nil {
		unix.Close(w.fd)
		return nil, err
	}
	w.begin()
	keeping, stopKeeping := context.WithCancel(context.Background())
	w.cancel = stopKeeping
	w.done.Go(w.guard)
	w.done.Go(func() { w.keep(keeping) })
	s.setWatch(w)
	return w, nil
}

func (s *Store) setWatch(w *watch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watch = w
}

// register lays the card out and clears away what the dead left. It is called in turn, so
// that of two clients' sharers only one can.
func (w *watch) register() error {
	fellows, err := w.store.fellows(w)
	if err != nil {
		return err
	}
	for _, sharer := range sharersIn(fellows, true) {
		if id := sharer.ClientID; id != w.clientID && id != "" && w.clientID != "" {
			return &shsession.ConflictError{Store: w.store.String(), ClientID: id, Sharers: []shsession.Sharer{sharer}}
		}
	}
	if w.card, err = w.layCard(); err != nil {
		return err
	}
	for _, f := range fellows {
		if f.kind == "sharer" {
			w.fellow.Store(true)
		}
	}
	removeDead(fellows)
	return nil
}

// layCard puts this sharer's card beside the segment and returns the descriptor that
// keeps it locked. Whoever sees the card sees it locked, since it is renamed into place.
func (w *watch) layCard() (fd int, err error) {
	data, err := json.Marshal(card{PID: os.Getpid(), ClientID: w.clientID})
	if err != nil {
		return -1, err
	}
	if len(data) > maxCard {
		return -1, fmt.Errorf("the client id is %d bytes long, too long to share under", len(w.clientID))
	}
	temp, err := createTemp(w.store.beside("temp", w.id), data)
	if err != nil {
		return -1, err
	}
	if err := os.Rename(temp.path, w.cardPath()); err != nil {
		temp.remove()
		return -1, err
	}
	return temp.fd, nil
}

// keepCard lays the card out again if something removed it. It is called in turn.
func (w *watch) keepCard() error {
	if _, err := lstatID(w.cardPath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fd, err := w.layCard()
	if err != nil {
		return err
	}
	unix.Close(w.card)
	w.card = fd
	return nil
}

func (w *watch) cardPath() string { return w.store.beside("sharer", w.id) }

// place moves the new segment temp into its place, with a spare that is there before. It
// is called in turn.
func (w *watch) place(temp string, t shsession.Token) error {
	old := w.spare.Load()
	next, err := w.newSpare(temp, t)
	if err != nil {
		return err
	}
	w.spare.Store(next) // before the segment is, which may be deleted the moment it is
	if err := os.Rename(temp, w.store.path); err != nil {
		w.spare.Store(old)
		unix.Unlink(next.path)
		return err
	}
	if old == nil {
		return nil
	}
	unix.Unlink(old.path)
	// The guard may have put the old one back after the rename, but can't any more.
	if there, err := lstatID(w.store.path); err == nil && there == old.file {
		return w.overwrite(next)
	}
	return nil
}

// newSpare links a spare to the file at path.
func (w *watch) newSpare(path string, t shsession.Token) (*spare, error) {
	next := &spare{path: w.store.beside("spare", w.id, "a"), token: t}
	if old := w.spare.Load(); old != nil && old.path == next.path {
		next.path = w.store.beside("spare", w.id, "b")
	}
	unix.Unlink(next.path)
	if err := os.Link(path, next.path); err != nil {
		return nil, err
	}
	var err error
	next.file, err = lstatID(next.path)
	return next, err
}

// overwrite puts the spare's token in place of whatever is there.
func (w *watch) overwrite(sp *spare) error {
	temp := w.store.beside("temp", newID())
	if err := os.Link(sp.path, temp); err != nil {
		return err
	}
	defer unix.Unlink(temp) // a rename to another link of the same file does nothing
	return os.Rename(temp, w.store.path)
}

// disarm ends the protection of what was published. It is called in turn.
func (w *watch) disarm() {
	if old := w.spare.Swap(nil); old != nil {
		unix.Unlink(old.path) // and now the guard can't put it back any more
	}
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
	unix.InotifyRmWatch(w.fd, uint32(w.wd)) // which wakes the guard
	w.cancel()
	w.done.Wait()
	unix.Close(w.fd)

	ctx, cancel := context.WithTimeout(context.Background(), turnTimeout)
	defer cancel()
	turn, err := w.store.turn(ctx)
	if err == nil {
		defer turn.release()
	} // else it is better to leave out of turn than not at all
	_ = w.compare() // in case another sharer has just published
	w.store.setWatch(nil)
	w.disarm()
	unix.Unlink(w.cardPath())
	unix.Close(w.card)
}
