package shm

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

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
	defer unix.Unlink(temp) // which is gone already if all went well
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
		err = w.place(temp, t)
	} else {
		err = os.Rename(temp, s.path)
	}
	if err != nil {
		return err
	}
	s.setPublished(t)
	return nil
}

// writeTemp writes a new segment beside the real one and returns its path.
func (s *Store) writeTemp(t shsession.Token) (string, error) {
	data := t.Encode()
	switch {
	case len(data) == 0:
		return "", errors.New("there is no token to publish")
	case len(data) > shsession.MaxTokenSize:
		return "", fmt.Errorf("the token is %d bytes long, more than %d", len(data), shsession.MaxTokenSize)
	}
	temp := s.beside("temp", newID())
	fd, err := createFile(temp, append(data, make([]byte, spareBytes)...))
	if err != nil {
		return "", err
	}
	return temp, unix.Close(fd)
}

// createFile creates a file of mode 0600 that holds data. The caller closes fd.
func createFile(path string, data []byte) (fd int, err error) {
	fd, err = unix.Open(path, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return -1, openError(path, err)
	}
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil {
			unix.Close(fd)
			unix.Unlink(path)
			return -1, &fs.PathError{Op: "write", Path: path, Err: err}
		}
		data = data[n:]
	}
	return fd, nil
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
		s.removeFreeLock()
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
