// Package demo is "shsession demo": it shows, without credentials or a network, one token for many
// processes, some of which are killed.
package demo

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/display"
)

// The demo's times. A token's life is short, so that several pass. Requests are frequent enough to
// meet each moment of it.
const (
	loginLife    = time.Second
	loginTime    = 2500 * time.Millisecond
	shareLife    = 5 * time.Second
	shareTime    = 10 * time.Second
	requestPause = 100 * time.Millisecond
)

// workers is how many processes call the API in the demo.
const workers = 8

// Options say how the demo runs.
type Options struct {
	Out        io.Writer    // what it shows
	Logger     *slog.Logger // of its sessions
	Goroutines bool         // the workers are goroutines, and not processes
}

// Run runs the demo: a development identity service in this process, a login there, a token that is
// kept fresh through several lifetimes, and a token that is shared with workers, two of which are
// killed. It takes 13 seconds. The error is of the first step that failed, or says how many requests
// failed; it is ctx's cause if ctx ended.
func Run(ctx context.Context, o Options) error {
	d, stop, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer stop()
	if err := d.logIn(ctx); err != nil {
		return err
	}
	return d.shareToken(ctx)
}

// A demo is an identity service and a client that may log in there.
type demo struct {
	Options
	server *identity.Server
	config shsession.Config
	api    string // the URL of an API that wants a token
}

// start starts the identity service. stop ends it.
func start(parent context.Context, o Options) (d *demo, stop func(), err error) {
	const client = "demo"
	secret := rand.Text()
	server, err := identity.New(identity.Options{
		Clients:  []identity.Client{{ID: client, Secret: shsession.NewSecret(secret)}},
		Lifetime: loginLife,
	})
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(parent)
	address, ended := make(chan net.Addr, 1), make(chan error, 1)
	go func() {
		ended <- server.ListenAndServe(ctx, "127.0.0.1:0", func(addr net.Addr) { address <- addr })
	}()
	select {
	case err := <-ended:
		cancel()
		return nil, nil, err
	case addr := <-address:
		base := "http://" + addr.String()
		d = &demo{Options: o, server: server, api: base + "/api/v1/process"}
		d.config = shsession.Config{
			ClientID:     client,
			ClientSecret: shsession.NewSecret(secret),
			BaseURL:      base,
			TokenURL:     base + "/auth/realms/main/protocol/openid-connect/token",
			Logger:       o.Logger,
		}
	}
	return d, func() { cancel(); <-ended }, nil
}

// logIn shows one session: a login, the token's claims, and requests through
// several of its lives.
func (d *demo) logIn(ctx context.Context) error {
	fmt.Fprintf(d.Out, "A development identity service runs at %s.\n\n1. One session\n\n", d.config.BaseURL)
	session, err := shsession.New(d.config)
	if err != nil {
		return err
	}
	claims, err := session.Info(ctx)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprint(d.Out, display.Claims(claims, "")); err != nil {
		return err
	}
	fmt.Fprintf(d.Out, "\nIts tokens live %s. Calling the API for %s, every %s:\n\n", display.Life(loginLife), loginTime, requestPause)
	start, tokens, requests, failed := time.Now(), map[string]bool{}, 0, 0
	ctx, cancel := context.WithTimeout(ctx, loginTime)
	defer cancel()
	caller := newCaller(d.api)
	for paced(ctx) {
		r := caller.call(ctx, session)
		if ctx.Err() != nil {
			break
		}
		requests++
		if !r.ok() {
			failed++
			fmt.Fprintf(d.Out, "%5.1fs  failed: %s\n", time.Since(start).Seconds(), display.Line(r.String()))
		} else if !tokens[r.Token] {
			tokens[r.Token] = true
			fmt.Fprintf(d.Out, "%5.1fs  token %d, the API answers %d\n", time.Since(start).Seconds(), len(tokens), r.Status)
		}
	}
	fmt.Fprintf(d.Out, "\n%d requests, %d failed, %d logins.\n", requests, failed, session.Status().Logins)
	return failure(requests, failed)
}

// paced waits until the next request is due. It returns false when ctx is done.
func paced(ctx context.Context) bool {
	timer := time.NewTimer(requestPause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// failure is the demo's error.
func failure(requests, failed int) error {
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d requests failed", failed, requests)
	case requests == 0:
		return fmt.Errorf("no request was made")
	}
	return nil
}
