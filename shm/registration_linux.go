package shm

import (
	"context"
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/record"
)

// readRegistration reads a sharer's registration and reports whether that sharer lives.
func readRegistration(path string) (sharer shsession.Sharer, live bool, err error) {
	data, live, err := readSmall(path, record.MaxSharer)
	if err != nil {
		return shsession.Sharer{}, false, err
	}
	return record.ParseSharer(data), live, nil
}

// register registers this sharer beside the segment, unless a live sharer of another
// account is registered. It is called with the change lock held, so that of two clients'
// sharers only one can. The dead stay registered until something is published in their
// place.
func (w *watch) register() error {
	peers, err := w.store.peers(w)
	if err != nil {
		return err
	}
	if err := record.CheckConflict(w.store, w.account, sharersIn(peers, true)); err != nil {
		return err
	}
	w.seePeers(peers)
	w.registration, err = w.writeRegistration()
	return err
}

// seePeers notes whether another sharer is registered.
func (w *watch) seePeers(peers []besideFile) {
	for _, f := range peers {
		if f.kind == "registration" {
			w.peer.Store(true)
		}
	}
}

// writeRegistration writes this sharer's registration and returns the descriptor that
// keeps it locked. No process sees it unlocked, since it is renamed into place.
func (w *watch) writeRegistration() (fd int, err error) {
	data, err := record.Sharer(w.account)
	if err != nil {
		return -1, err
	}
	temp, err := createTemp(w.store.beside("temp", w.id), data)
	if err != nil {
		return -1, err
	}
	if err := os.Rename(temp.path, w.registrationPath()); err != nil {
		temp.remove()
		return -1, err
	}
	return temp.fd, nil
}

// keepRegistration registers this sharer again if something removed its registration. It
// is called with the change lock held.
func (w *watch) keepRegistration() error {
	if _, err := lstatID(w.registrationPath()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fd, err := w.writeRegistration()
	if err != nil {
		return err
	}
	unix.Close(w.registration)
	w.registration = fd
	return nil
}

// unregister is called with the change lock held.
func (w *watch) unregister() {
	unix.Unlink(w.registrationPath())
	unix.Close(w.registration)
}

func (w *watch) registrationPath() string { return w.store.beside("registration", w.id) }

// sharersIn returns those sharers whose registrations are among files: the live or the
// dead.
func sharersIn(files []besideFile, live bool) []shsession.Sharer {
	var sharers []shsession.Sharer
	for _, f := range files {
		if f.kind == "registration" && f.live == live {
			sharers = append(sharers, f.sharer)
		}
	}
	return sharers
}

// Sharers is [Store.Sharers].
func (s *segmentStore) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if err := context.Cause(ctx); err != nil {
		return nil, nil, err
	}
	files, _, err := listBeside(s.name)
	return sharersIn(files, true), sharersIn(files, false), err
}
