package shm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/storelock"
)

// Publish is [Store.Publish].
func (s *segmentStore) Publish(ctx context.Context, t shsession.Token) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	temp, err := s.writeTemp(t)
	if err != nil {
		return err
	}
	defer temp.remove() // which is gone already if all went well
	changes, err := s.lockChanges(ctx)
	if err != nil {
		return err
	}
	defer changes.Release()
	if err := storelock.CheckHeld(ctx, heldKey(s.name)); err != nil {
		return err
	}
	if err := checkOwn(s.path); err != nil && !errors.Is(err, shsession.ErrNotShared) {
		return err
	}
	if w := s.watching(); w != nil {
		err = w.place(temp.path, t)
	} else {
		err = os.Rename(temp.path, s.path)
	}
	if err != nil {
		return err
	}
	s.setPublished(t)
	s.removeNote()
	s.sweep()
	return nil
}

// sweep removes what dead processes left beside the segment: the temporary files of those
// that were killed while they published, and, if this Store shares the token, which has
// taken their token's place, the registrations and backup links of dead sharers. What
// can't be removed is left for the next time. It is called with the change lock held.
func (s *segmentStore) sweep() {
	w := s.watching()
	files, err := s.peers(w)
	if err == nil {
		removeDead(slices.DeleteFunc(files, func(f besideFile) bool { return w == nil && f.kind != "temp" }))
	}
}

// writeTemp writes a new segment beside the real one.
func (s *segmentStore) writeTemp(t shsession.Token) (*tempFile, error) {
	data := t.Encode()
	switch {
	case len(data) == 0:
		return nil, errors.New("there is no token to publish")
	case len(data) > shsession.MaxTokenSize:
		return nil, fmt.Errorf("the token is %d bytes long, more than %d", len(data), shsession.MaxTokenSize)
	}
	return createTemp(s.beside("temp", newID()), append(data, make([]byte, spareBytes)...))
}

// checkOwn returns an error unless the file at path is this very user's.
func checkOwn(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return openError(path, err)
	}
	return trustOwn(path, &st)
}

func (s *segmentStore) watching() *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}

func (s *segmentStore) setPublished(t shsession.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = t
}

// Withdraw is [Store.Withdraw].
func (s *segmentStore) Withdraw(ctx context.Context) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	changes, err := s.lockChanges(ctx)
	if err != nil {
		return err
	}
	defer changes.Release()
	s.mu.Lock()
	w, published := s.watch, s.published
	s.mu.Unlock()
	if published.IsZero() {
		return nil
	}
	peers, err := s.peers(w)
	if err != nil {
		return err
	}
	if len(sharersIn(peers, true)) == 0 {
		if err := s.removeOwn(w, published); err != nil {
			return err
		}
		removeDead(peers)
		s.removeNote()
	}
	s.setPublished(shsession.Token{})
	return nil
}

// removeOwn removes the segment if it holds the token published.
func (s *segmentStore) removeOwn(w *watch, published shsession.Token) error {
	seg, err := readSegment(s.path, nil)
	switch {
	case errors.Is(err, shsession.ErrNotShared):
	case err != nil || !seg.token.Equal(published):
		return nil // it is another process's
	}
	if w != nil {
		w.disarm()
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
