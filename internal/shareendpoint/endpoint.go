// Package shareendpoint is what "shsession share --endpoint" has of its own: a token endpoint for
// the token that is shared (package tokenendpoint), and the profile by which a command of the share
// logs in there (package endpointprofile).
package shareendpoint

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/child"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// removeTimeout bounds the wait for other processes that change config.toml.
const removeTimeout = 5 * time.Second

// Options say where an endpoint listens and for whom.
type Options struct {
	Addr       string // as tokenendpoint.Listen takes it
	SecretFile string // holds the placeholder; "" means a new one
	ClientID   string // what clients send if the session's token says nothing of its client

	// Profile describes the profile for a command of the share, whose TokenURL is not used.
	// nil means that there is no command.
	Profile *endpointprofile.Options

	Logger *slog.Logger
}

// An Endpoint is the token endpoint of a share. Its methods are for one goroutine, but for Status,
// which is for any number. A nil Endpoint is none: it has no Login, and Close does nothing.
type Endpoint struct {
	listener net.Listener
	secret   shsession.Secret
	fromFile bool                     // the secret is in a file, from which clients take it
	profile  *endpointprofile.Profile // nil without a command
	clientID string                   // the session's, from Start on
	logger   *slog.Logger

	handler atomic.Pointer[tokenendpoint.Endpoint] // nil before Start
	stop    context.CancelFunc                     // nil before Start
	serving sync.WaitGroup
}

// Open listens, reads or makes the placeholder, and adds the command's profile, in this order, so
// that errors are found before a login, and before a command starts. Clients that connect wait
// until Start. After an error nothing is left of the endpoint.
func Open(ctx context.Context, o Options) (*Endpoint, error) {
	listener, err := tokenendpoint.Listen(ctx, o.Addr)
	if err != nil {
		return nil, fmt.Errorf("--endpoint: %w", err)
	}
	e := &Endpoint{listener: listener, fromFile: o.SecretFile != "", clientID: o.ClientID, logger: o.Logger}
	if err := e.prepare(ctx, o); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return e, nil
}

func (e *Endpoint) prepare(ctx context.Context, o Options) (err error) {
	if o.SecretFile == "" {
		e.secret = tokenendpoint.NewSecret()
	} else if e.secret, err = tokenendpoint.SecretFile(o.SecretFile); err != nil {
		return err
	}
	if o.Profile != nil {
		profile := *o.Profile
		profile.TokenURL = tokenendpoint.TokenURL(e.listener.Addr())
		e.profile, err = endpointprofile.Add(ctx, profile)
	}
	return err
}

// Start begins to answer with the session's token, until Close. A nil Endpoint starts
// nothing.
func (e *Endpoint) Start(s *shsession.Session) error {
	if e == nil {
		return nil
	}
	transport, err := netenv.Transport() // for the service's keys
	if err != nil {
		return err
	}
	e.clientID = cmp.Or(s.Status().ClientID, e.clientID)
	handler, err := tokenendpoint.New(s, tokenendpoint.Options{
		ClientID: e.clientID, Secret: e.secret, HTTPClient: &http.Client{Transport: transport}, Logger: e.logger,
	})
	if err != nil {
		return err
	}
	e.handler.Store(handler)
	ctx, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.serving.Go(func() {
		defer transport.CloseIdleConnections()
		if err := handler.Serve(ctx, e.listener); err != nil {
			e.logger.Error("the token endpoint serves no more", "error", err)
		}
	})
	return nil
}

// Login returns what clients need to log in. It has no profile if there is no command.
func (e *Endpoint) Login() child.Login {
	if e == nil {
		return child.Login{}
	}
	login := child.Login{
		ClientID: e.clientID, Secret: e.secret, TokenURL: tokenendpoint.TokenURL(e.listener.Addr()),
	}
	if e.profile != nil {
		login.Profile = e.profile.Name()
	}
	return login
}

// Instructions says, in lines for people, where clients log in. The lines after the first are the
// variables for their environment, with the placeholder, unless that is in a file.
func (e *Endpoint) Instructions() string {
	login := e.Login()
	text := "token endpoint " + login.TokenURL
	if addr := e.listener.Addr(); addr.Network() == "unix" {
		text += " through the socket " + display.Line(addr.String())
	}
	if e.fromFile {
		return text
	}
	return text + fmt.Sprintf("\nSH_TOKEN_URL=%s\nSH_CLIENT_ID=%s\nSH_CLIENT_SECRET=%s",
		login.TokenURL, display.ShellWord(login.ClientID), login.Secret.Reveal())
}

// Status says what was handed out. It doesn't block.
func (e *Endpoint) Status() tokenendpoint.Status {
	handler := e.handler.Load()
	if handler == nil {
		return tokenendpoint.Status{}
	}
	return handler.Status()
}

// StatusFunc returns Status, or nil if the endpoint is none.
func (e *Endpoint) StatusFunc() func() tokenendpoint.Status {
	if e == nil {
		return nil
	}
	return e.Status
}

// Close stops the endpoint and removes the command's profile. It blocks until both is done, which
// takes some seconds at most. A profile that can't be removed is logged: the next share removes it.
func (e *Endpoint) Close() {
	if e == nil {
		return
	}
	if e.stop != nil {
		e.stop()
		e.serving.Wait()
	} else if err := e.listener.Close(); err != nil {
		e.logger.Warn("the token endpoint's address is still taken", "error", err)
	}
	if e.profile == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := e.profile.Remove(ctx); err != nil {
		e.logger.Warn(err.Error())
	}
}
