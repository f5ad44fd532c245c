package dirstore

import (
	"context"
	"errors"
	"os"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
	"github.com/shsession/shsession/internal/storelock"
)

// registrationPrefix is what the names of registrations start with.
const registrationPrefix = "registration."

// Sharers implements shsession.SharerLister. The dead are forgotten when another sharer
// publishes, or withdraws the token.
func (s *Store) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	root, err := s.open(false)
	if errors.Is(err, shsession.ErrNotShared) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	defer root.Close()
	return sharers(root, nil)
}

// sharers returns the sharers that are registered, but for w, which may be nil.
func sharers(root *os.Root, w *watch) (live, dead []shsession.Sharer, err error) {
	files, err := list(root)
	if err != nil {
		return nil, nil, err
	}
	for _, file := range files {
		if !strings.HasPrefix(file, registrationPrefix) || w != nil && file == w.registrationName() {
			continue
		}
		sharer, isLive, err := readRegistration(root, file)
		switch {
		case err != nil: // it is gone
		case isLive:
			live = append(live, sharer)
		default:
			dead = append(dead, sharer)
		}
	}
	return live, dead, nil
}

// errUnfinished says that a registration is being written.
var errUnfinished = errors.New("the registration is empty")

// readRegistration reads a sharer's registration and reports whether that sharer lives.
func readRegistration(root *os.Root, file string) (sharer shsession.Sharer, live bool, err error) {
	f, err := root.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return shsession.Sharer{}, false, err
	}
	defer f.Close()
	data, err := read(f, record.MaxSharer)
	if err != nil {
		return shsession.Sharer{}, false, err
	}
	if len(data) == 0 {
		return shsession.Sharer{}, false, errUnfinished
	}
	locked, err := storelock.TryFlock(f, true)
	return record.ParseSharer(data), !locked, err
}

// removeDead removes the registrations of dead sharers. It is called with the change lock
// held.
func removeDead(root *os.Root) {
	files, err := list(root)
	if err != nil {
		return
	}
	for _, file := range files {
		if !strings.HasPrefix(file, registrationPrefix) {
			continue
		}
		_, live, err := readRegistration(root, file)
		if err == nil && !live || errors.Is(err, errUnfinished) { // whose writer had the change lock
			_ = root.Remove(file)
		}
	}
}

// register registers this sharer, unless a live sharer of another account is registered. It
// is called with the change lock held, so that of two clients' sharers only one can.
func (w *watch) register(root *os.Root) error {
	live, dead, err := sharers(root, w)
	if err != nil {
		return err
	}
	if err := record.CheckConflict(w.store, w.account, live); err != nil {
		return err
	}
	w.peer = w.peer || len(live)+len(dead) > 0
	return w.writeRegistration(root)
}

// writeRegistration writes this sharer's registration, and keeps it locked. It is locked
// before there is anything in it.
func (w *watch) writeRegistration(root *os.Root) error {
	data, err := record.Sharer(w.account)
	if err != nil {
		return err
	}
	f, err := root.OpenFile(w.registrationName(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	locked, err := storelock.TryFlock(f, false)
	if err == nil && !locked {
		err = errors.New("another process has this process's registration")
	}
	if err == nil {
		_, err = f.WriteAt(data, 0)
	}
	if err != nil {
		f.Close()
		_ = root.Remove(w.registrationName())
		return err
	}
	if w.registration != nil {
		w.registration.Close()
	}
	w.registration = f
	return nil
}

// keepRegistration registers this sharer again if something removed its registration. It is
// called with the change lock held.
func (w *watch) keepRegistration(root *os.Root) error {
	if _, err := root.Lstat(w.registrationName()); !gone(err) {
		return err
	}
	return w.writeRegistration(root)
}

// unregister is called with the change lock held.
func (w *watch) unregister(root *os.Root) {
	w.registration.Close()
	if root != nil {
		_ = root.Remove(w.registrationName())
	}
}

func (w *watch) registrationName() string { return registrationPrefix + w.id }
