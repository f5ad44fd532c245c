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
)

// Publish replaces the token in the segment. It creates the segment if there is none,
// with mode 0600. While the Store is watching, it also keeps the token at hand to put it
// back.
//
// The segment must be this user's own, or Publish returns an [UntrustedError]. It blocks
// until ctx is done if another process stops while it publishes.
func (s *Store) Publish(ctx context.Context, t shsession.Token) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	temp, err := s.writeTemp(t)
	if err != nil {
		return err
	}
	defer temp.remove() // which is gone already if all went well
	turn, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer turn.release()
	if err := s.checkHeld(ctx); err != nil {
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
	if ctx.Value(heldKey(s.name)) != nil { // a member of a Join, once in a token's life
		s.sweep()
	}
	return nil
}

// sweep removes what processes left beside the segment that were killed while they
// published, or leaves it for the next time. It is called in turn.
func (s *Store) sweep() {
	files, err := s.fellows(nil)
	if err == nil {
		removeDead(slices.DeleteFunc(files, func(f besideFile) bool { return f.kind != "temp" }))
	}
}

// writeTemp writes a new segment beside the real one.
func (s *Store) writeTemp(t shsession.Token) (*tempFile, error) {
	data := t.Encode()
	switch {
	case len(data) == 0:
		return nil, errors.New("there is no token to publish")
	case len(data) > shsession.MaxTokenSize:
		return nil, fmt.Errorf("the token is %d bytes long, more than %d", len(data), shsession.MaxTokenSize)
	}
	return createTemp(s.beside("temp", newID()), append(data, make([]byte, spareBytes)...))
}

// checkOwn returns an error unless the file at path is a segment of this very user.
func checkOwn(path string) error {
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return openError(path, err)
	}
	if uid := int(st.Uid); uid != unix.Geteuid() {
		return &UntrustedError{Path: path, UID: uid, Reason: "belongs to another user"}
	}
	return trust(path, &st)
}

func (s *Store) watching() *watch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watch
}

func (s *Store) setPublished(t shsession.Token) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published = t
}

// Withdraw removes the segment if it still holds the token that this Store published last
// and no other process shares it. It waits its turn as Publish does.
func (s *Store) Withdraw(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	turn, err := s.turn(ctx)
	if err != nil {
		return err
	}
	defer turn.release()
	s.mu.Lock()
	w, published := s.watch, s.published
	s.mu.Unlock()
	if published.IsZero() {
		return nil
	}
	fellows, err := s.fellows(w)
	if err != nil {
		return err
	}
	if len(sharersIn(fellows, true)) == 0 {
		if err := s.removeOwn(w, published); err != nil {
			return err
		}
		removeDead(fellows)
		removeFreeLock(s.beside("lock"))
	}
	s.setPublished(shsession.Token{})
	return nil
}

// removeOwn removes the segment if it holds the token published.
func (s *Store) removeOwn(w *watch, published shsession.Token) error {
	seg, err := readSegment(s.path, nil)
	switch {
	case errors.Is(err, shsession.ErrNotShared):
	case err != nil || !seg.token.Equal(published):
		return nil // it is somebody else's
	}
	if w != nil {
		w.disarm()
	}
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}
