// Package share is "shsession share" at work: it shares a session's token until it is stopped, or
// for as long as a command runs, and withdraws the token in the end.
package share

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/daemon"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/shareendpoint"
	"github.com/shsession/shsession/internal/signals"
)

// withdrawTimeout bounds the withdrawal.
const withdrawTimeout = 15 * time.Second

// A Sharer shares the token of a session in some sinks. Its fields are set before Run.
type Sharer struct {
	Session *shsession.Session
	Source  shsession.Store // where the session's tokens come from, nil if it logs in
	Sinks   []shsession.Sink
	Logger  *slog.Logger

	// Announce says that the token is shared: a text for people, or a record with attributes.
	Announce func(logger *slog.Logger, text, record string, attrs ...any)

	// Start bounds the wait for the first token; nil is no bound. The context that it returns ends in
	// time, with a cause for people.
	Start func(context.Context) (context.Context, context.CancelFunc)

	Command    []string // is run while the token is shared; empty for none
	KeepSecret bool     // leave the client's secret in the command's environment

	Endpoint *shareendpoint.Endpoint // hands out the token to programs that log in; nil without one

	sharing atomic.Pointer[shsession.Sharing] // nil until there is one
}

// Status describes the sharing. Before the token is shared it is published in no sink.
func (s *Sharer) Status() shsession.SharingStatus {
	if sharing := s.sharing.Load(); sharing != nil {
		return sharing.Status()
	}
	status := shsession.SharingStatus{Session: s.Session.Status()}
	for _, sink := range s.Sinks {
		status.Sinks = append(status.Sinks, shsession.SinkStatus{Name: fmt.Sprint(sink)})
	}
	return status
}

// Run shares the token until ctx is done or the command has ended, and withdraws it. With a Source
// it first waits for a token there. The error is an *[ExitError] if a command ended with another
// code than 0, a *[NotWithdrawnError], ctx's cause if ctx ended before the token was shared, or why
// the token couldn't be shared.
func (s *Sharer) Run(ctx context.Context, daemon *daemon.Daemon) error {
	var renew <-chan os.Signal
	if len(s.Command) == 0 { // else SIGHUP is for the command
		var stop func()
		ctx, renew, stop = signals.HangUps(ctx)
		defer stop()
	}
	sharing, err := s.start(ctx)
	if err != nil && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return err
	}
	s.sharing.Store(sharing)
	if err := s.Endpoint.Start(s.Session); err != nil {
		return errors.Join(err, s.withdraw(ctx, sharing))
	}
	daemon.Ready(s.work())
	var ended error
	if len(s.Command) > 0 {
		ended = s.runCommand(ctx)
	} else {
		s.announce(ctx)
		s.serve(ctx, renew)
	}
	daemon.Stopping()
	return errors.Join(ended, s.withdraw(ctx, sharing))
}

// start begins to share, within the time that there is for it.
func (s *Sharer) start(ctx context.Context) (*shsession.Sharing, error) {
	if s.Start != nil {
		var cancel context.CancelFunc
		ctx, cancel = s.Start(ctx)
		defer cancel()
	}
	return shsession.ShareConfig{Wait: s.Source != nil}.Share(ctx, s.Session, s.Sinks...)
}

// work says what the sharer does, in a few words.
func (s *Sharer) work() string {
	text := "sharing a token"
	if client := s.Status().Session.ClientID; client != "" {
		text += " of client " + display.Line(client)
	}
	if s.Source != nil {
		text += fmt.Sprintf(" from %v", s.Source)
	}
	return text + " in " + s.sinkNames()
}

// announce says that the token is shared, and how programs log in at the endpoint.
func (s *Sharer) announce(ctx context.Context) {
	status := s.Status().Session
	beside := s.others(ctx)
	text := s.work()
	if len(beside) > 0 {
		text += ", beside " + strings.Join(beside, " and ") + ","
	}
	text += fmt.Sprintf(" until %s, renewed in time; interrupt to withdraw it", display.Time(status.ExpiresAt))
	s.Announce(s.Logger, text, "the token is shared",
		"client_id", status.ClientID, "in", s.sinkNames(), "expires_at", status.ExpiresAt, "beside", beside)
	if s.Endpoint != nil {
		login := s.Endpoint.Login()
		s.Announce(s.Logger, s.Endpoint.Instructions(), "the token endpoint listens",
			"url", login.TokenURL, "client_id", login.ClientID)
	}
}

// others names the other processes that share in the same places, as far as those tell.
func (s *Sharer) others(ctx context.Context) []string {
	here, _ := os.Hostname() // on an error, no sharer with a host is taken for this process
	names := []string{}
	for _, sink := range s.Sinks {
		lister, ok := sink.(shsession.SharerLister)
		if !ok {
			continue
		}
		live, _, err := lister.Sharers(ctx)
		if err != nil { // the rights of a user of Redis needn't permit it
			continue
		}
		for _, other := range live {
			if other.PID == os.Getpid() && (other.Host == "" || other.Host == here) {
				continue
			}
			name := display.Line(other.String())
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// serve renews the token at each signal, until ctx is done.
func (s *Sharer) serve(ctx context.Context, renew <-chan os.Signal) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-renew:
		}
		if _, err := s.Session.Renew(ctx); err != nil && ctx.Err() == nil {
			s.Logger.Warn("the token wasn't renewed on SIGHUP", "error", err)
		}
	}
}

// A NotWithdrawnError says why a token is still where it was shared.
type NotWithdrawnError struct{ Err error }

func (e *NotWithdrawnError) Error() string { return "the token isn't withdrawn: " + e.Err.Error() }
func (e *NotWithdrawnError) Unwrap() error { return e.Err }

// withdraw ends the sharing. A failure is an error, or a warning if there is a command: the
// command's exit code is the share's.
func (s *Sharer) withdraw(ctx context.Context, sharing *shsession.Sharing) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), withdrawTimeout)
	defer cancel()
	err := sharing.Shutdown(ctx)
	switch {
	case err == nil:
		s.Logger.Info("the token is withdrawn", "from", s.sinkNames())
	case len(s.Command) > 0:
		s.Logger.Warn("the token isn't withdrawn", "error", err)
	default:
		return &NotWithdrawnError{err}
	}
	return nil
}

// sinkNames returns the names of the sinks, for people.
func (s *Sharer) sinkNames() string {
	var names []string
	for _, sink := range s.Sinks {
		names = append(names, fmt.Sprint(sink))
	}
	return strings.Join(names, ", ")
}
