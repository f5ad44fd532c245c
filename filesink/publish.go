package filesink

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/atomicfile"
)

// Publish replaces the token in the file, which it creates if there is none. It
// blocks until ctx is done if another call on this Sink is at work.
//
// The error wraps [fs.ErrNotExist] if the file's directory is missing, and [ErrNotToken] if something
// else than a token's file is in the place.
func (s *Sink) Publish(ctx context.Context, t shsession.Token) error {
	if t.IsZero() {
		return errors.New("there is no token to publish")
	}
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	if err := s.write(ctx, t); err != nil {
		return err
	}
	s.published, s.owned = t, true
	if s.watch != nil {
		s.watch.rearm()
	}
	return nil
}

// takeTurn waits until no other goroutine works on the file, at most until ctx is done.
func (s *Sink) takeTurn(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (s *Sink) endTurn() { <-s.turn }

// write puts a new file that holds t into place. It is called in turn.
func (s *Sink) write(ctx context.Context, t shsession.Token) error {
	if err := s.checkPlace(); err != nil {
		return err
	}
	err := atomicfile.Replace(ctx, s.path, func(f *os.File) error {
		if err := s.access.grant(f); err != nil {
			return err
		}
		_, err := f.Write(s.opts.Format.content(t))
		return err
	})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("the directory of %s is missing, and isn't created: %w", s.path, fs.ErrNotExist)
	case err != nil:
		return fmt.Errorf("%s can't be written: %w", s.path, err)
	}
	return nil
}

// checkPlace returns an error if something is in the file's place that isn't to be replaced.
func (s *Sink) checkPlace() error {
	if s.owned {
		return nil
	}
	data, err := readFile(s.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("it can't be told what is there: %w", err)
	case err != nil:
		return err
	case s.opts.Format.isContent(data):
		return nil
	}
	for f := JSON; f <= Header; f++ {
		if f.isContent(data) {
			return &otherFormatError{s.path, f, s.opts.Format}
		}
	}
	return fmt.Errorf("%s: %w: name another file, or remove that one if it isn't needed", s.path, ErrNotToken)
}

// An otherFormatError says that another process may share a token at the path in another format.
type otherFormatError struct {
	path         string
	there, asked Format
}

func (e *otherFormatError) Error() string {
	return fmt.Sprintf("%s holds what %v: would write there, perhaps for a program that reads it, and isn't replaced by %v: "+
		"name another file, or remove that one if it isn't shared any more", e.path, e.there, e.asked)
}

func (e *otherFormatError) Is(target error) bool { return target == ErrNotToken }

// Withdraw removes the file if it still holds what this Sink published last, unless
// Options.Keep says to leave it and the token is still good. It waits its turn as Publish does.
func (s *Sink) Withdraw(ctx context.Context) error {
	if err := s.takeTurn(ctx); err != nil {
		return err
	}
	defer s.endTurn()
	t := s.published
	if t.IsZero() {
		return nil
	}
	s.published = shsession.Token{}
	if s.opts.Keep && t.Remaining() > 0 {
		return nil
	}
	ours, err := s.holds(t)
	if err == nil && ours {
		err = os.Remove(s.path)
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrNotToken):
		return nil // it is gone, or another process's
	}
	s.published = t // to be tried again
	return err
}
