package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

const (
	// withdrawTimeout bounds the end of a share.
	withdrawTimeout = 15 * time.Second

	// sourcePause is how often a source without a token is looked at.
	sourcePause = time.Second
)

// A sharer is a share at work.
type sharer struct {
	*app
	session    *shsession.Session
	source     shsession.Store // where the session's tokens come from, nil if it logs in
	sinks      []shsession.Sink
	logger     *slog.Logger
	command    []string // empty without one
	keepSecret bool
	sharing    atomic.Pointer[shsession.Sharing] // nil until there is one
}

// status describes the sharing, or what will be one: then nothing is published in its sinks.
func (s *sharer) status() shsession.SharingStatus {
	if sharing := s.sharing.Load(); sharing != nil {
		return sharing.Status()
	}
	status := shsession.SharingStatus{Session: s.session.Status()}
	for _, sink := range s.sinks {
		status.Sinks = append(status.Sinks, shsession.SinkStatus{Name: fmt.Sprint(sink)})
	}
	return status
}

// run shares the token until ctx is done, or the command has ended, and withdraws it.
func (s *sharer) run(ctx context.Context, service *service) error {
	var renew <-chan os.Signal
	if len(s.command) == 0 { // else SIGHUP is for the command
		var stop func()
		ctx, renew, stop = hangUps(ctx)
		defer stop()
	}
	sharing, err := s.begin(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	s.sharing.Store(sharing)
	service.ready(s.work())
	var ended error
	if len(s.command) > 0 {
		ended = s.runCommand(ctx)
	} else {
		s.announceToken()
		s.serve(ctx, renew)
	}
	service.stopping()
	return errors.Join(ended, s.withdraw(ctx, sharing))
}

// begin shares the token, once there is one at the source.
func (s *sharer) begin(ctx context.Context) (*shsession.Sharing, error) {
	for told := false; ; told = true {
		sharing, err := shsession.Share(ctx, s.session, s.sinks...)
		if s.source == nil || !passing(err) {
			return sharing, err
		}
		if !told {
			s.logger.Warn(fmt.Sprintf("waiting for a token to be shared in %v", s.source), "error", err)
		}
		select {
		case <-time.After(sourcePause):
		case <-ctx.Done():
			return nil, err
		}
	}
}

// passing reports whether a mirror only has to wait: nobody shares yet, or Redis isn't up.
func passing(err error) bool {
	return errors.Is(err, shsession.ErrNotShared) || errors.Is(err, shsession.ErrExpired) || errors.Is(err, redisstore.ErrUnavailable)
}

// work says what is going on, in a few words.
func (s *sharer) work() string {
	text := "sharing a token"
	if client := s.status().Session.ClientID; client != "" {
		text += " of client " + printable(client)
	}
	if s.source != nil {
		text += fmt.Sprintf(" from %v", s.source)
	}
	return text + " in " + sinkNames(s.sinks)
}

// announceToken says that the token is shared.
func (s *sharer) announceToken() {
	status := s.status().Session
	text := fmt.Sprintf("%s until %s, renewed in time; interrupt to withdraw it", s.work(), timeText(status.ExpiresAt))
	s.announce(s.logger, text, "the token is shared", "client_id", status.ClientID, "in", sinkNames(s.sinks), "expires_at", status.ExpiresAt)
}

// serve renews the token at each signal, until ctx is done.
func (s *sharer) serve(ctx context.Context, renew <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew:
		}
		if _, err := s.session.Renew(ctx); err != nil && ctx.Err() == nil {
			s.logger.Warn("the token wasn't renewed on SIGHUP", "error", err)
		}
	}
}

// A notWithdrawn is why a token is left where it was shared.
type notWithdrawn struct{ error }

func (e *notWithdrawn) Error() string { return "the token isn't withdrawn: " + e.error.Error() }
func (e *notWithdrawn) Unwrap() error { return e.error }

// withdraw ends the sharing. That it can't is an error, or behind a command, whose exit code
// is ours, a warning.
func (s *sharer) withdraw(ctx context.Context, sharing *shsession.Sharing) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTimeout)
	defer cancel()
	err := sharing.Shutdown(ctx)
	switch {
	case err == nil:
		s.logger.Info("the token is withdrawn", "from", sinkNames(s.sinks))
	case len(s.command) > 0:
		s.logger.Warn("the token isn't withdrawn", "error", err)
	default:
		return &notWithdrawn{err}
	}
	return nil
}
