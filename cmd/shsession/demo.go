package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// The demo's times. A token's life is short, so that several pass; a request every
// requestPause is enough to meet each moment of it.
const (
	loginLife    = time.Second
	loginTime    = 2500 * time.Millisecond
	shareLife    = 3 * time.Second
	shareTime    = 10 * time.Second
	requestPause = 100 * time.Millisecond
)

// workers is how many processes call the API in the demo.
const workers = 8

func (a *app) demoCommand() *cobra.Command {
	var goroutines bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "See it work, without credentials or a network",
		Long: `demo runs a development identity service in this process, logs in there, and keeps the
token fresh through several lifetimes. Then it shares a token with eight worker processes
that call an API all the time, kills one of them, kills the sharer, and lets a Join take
over. It takes 13 seconds, and fails if a single request does. Where memory can't be shared
yet, on macOS and Windows, the workers are goroutines, and nobody is killed.`,
		Example: "  shsession demo",
		Args:    arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			d, stop, err := a.startDemo(cmd.Context())
			if err != nil {
				return err
			}
			defer stop()
			if err := d.logIn(cmd.Context()); err != nil {
				return err
			}
			return d.shareToken(cmd.Context(), goroutines)
		},
	}
	cmd.Flags().BoolVar(&goroutines, "goroutines", false, "let the workers be goroutines here, too")
	return cmd
}

// A demo is an identity service and a client that may log in there.
type demo struct {
	*app
	server *identity.Server
	config shsession.Config
	api    string // the URL of an API that wants a token
}

// startDemo starts the identity service. stop ends it.
func (a *app) startDemo(parent context.Context) (d *demo, stop func(), err error) {
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
		d = &demo{app: a, server: server, api: base + "/api/v1/process"}
		d.config = shsession.Config{
			ClientID:     client,
			ClientSecret: shsession.NewSecret(secret),
			BaseURL:      base,
			TokenURL:     base + "/auth/realms/main/protocol/openid-connect/token",
			Logger:       a.logger(),
		}
	}
	return d, func() { cancel(); <-ended }, nil
}

// logIn shows one session: a login, the token's claims, and requests through
// several of its lives.
func (d *demo) logIn(ctx context.Context) error {
	fmt.Fprintf(d.out, "A development identity service runs at %s.\n\n1. One session\n\n", d.config.BaseURL)
	session, err := shsession.New(d.config)
	if err != nil {
		return err
	}
	claims, err := session.Info(ctx)
	if err != nil {
		return err
	}
	if err := d.printClaims(claims, ""); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "\nIts tokens live %s. Calling the API for %s, every %s:\n\n", lifeText(loginLife), loginTime, requestPause)
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
			fmt.Fprintf(d.out, "%5.1fs  failed: %s\n", time.Since(start).Seconds(), printable(r.String()))
		} else if !tokens[r.Token] {
			tokens[r.Token] = true
			fmt.Fprintf(d.out, "%5.1fs  token %d, the API answers %d\n", time.Since(start).Seconds(), len(tokens), r.Status)
		}
	}
	fmt.Fprintf(d.out, "\n%d requests, %d failed, %d logins.\n", requests, failed, session.Status().Logins)
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
