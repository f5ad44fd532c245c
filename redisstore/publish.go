package redisstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/shsession/shsession"
)

const (
	// memory is how long Redis remembers who had the lock last, and who died
	// sharing. It is longer than tokens live, and an expired one isn't published: so
	// a holder that slept for longer has nothing to publish.
	memory = 24 * time.Hour

	// shortestLife is the shortest that Redis can be told.
	shortestLife = time.Millisecond
)

// Publish replaces the token, for as long as it has left to live by this machine's clock.
// An expired token has no life to be kept for: then the error wraps shsession.ErrExpired
// and the old token stays.
//
// A token under the [ClientKey] of another secret of this client is replaced by the holder of
// the lock alone, who has just logged in: else the error wraps [ErrWrongKey].
//
// If Redis doesn't answer, it may have replaced the token or not.
func (s *Store) Publish(ctx context.Context, t shsession.Token) error {
	data := t.Encode()
	switch {
	case len(data) == 0:
		return errors.New("there is no token to publish")
	case len(data) > shsession.MaxTokenSize:
		return fmt.Errorf("the token is %d bytes long, more than %d", len(data), shsession.MaxTokenSize)
	}
	sealer, err := s.key.current(ctx)
	if err != nil {
		return err
	}
	done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	left := t.Remaining()
	if left < shortestLife {
		return fmt.Errorf("%w at %s, and Redis keeps a token for as long as it lives",
			shsession.ErrExpired, t.ExpiresAt().UTC().Format(time.RFC3339))
	}
	v := newValue(sealer.seal(data), t.ExpiresAt())
	mark := ""
	if s.watch != nil {
		mark = v.digest
	}
	keys := []string{s.keys.token, s.keys.fence, s.keys.sharers, s.keys.note}
	cmd, err := s.run(ctx, publishScript, keys,
		v.data, left.Milliseconds(), s.holderID(ctx), mark, memory.Milliseconds(), sealer.clientHeader(), headerSize)
	if err != nil {
		return err
	}
	switch published, err := cmd.Int(); {
	case err != nil:
		return fmt.Errorf("what Redis says of the publication can't be read: %w", err)
	case published < 0:
		return fmt.Errorf("%w: the token was encrypted with another secret of this client", ErrWrongKey)
	case published == 0:
		return errLockLost
	}
	s.own, s.kept = v, v
	if s.watch != nil {
		s.registration = s.watch.registration
	}
	return nil
}

// Withdraw removes the token if it is the one that this Store published last, or if this
// was the last of several sharers and one of them published it. While another sharer
// lives it leaves the token there.
func (s *Store) Withdraw(ctx context.Context) error {
	done, err := s.begin(ctx)
	if err != nil {
		return err
	}
	defer done()
	if s.own == nil && s.registration == "" {
		return nil
	}
	own := "" // and never the digest of anything
	if s.own != nil {
		own = s.own.digest
	}
	if _, err := s.run(ctx, withdrawScript, []string{s.keys.token, s.keys.sharers, s.keys.note}, own, s.registration, memory.Milliseconds()); err != nil {
		return err
	}
	s.own, s.kept, s.registration = nil, nil, ""
	return nil
}
