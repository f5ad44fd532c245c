package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/shm"
)

// proxyFlags are the flags of the proxy command.
type proxyFlags struct {
	listen  string
	from    string
	options apiproxy.Options
	service *serviceFlags
}

func (a *app) proxyCommand() *cobra.Command {
	var f proxyFlags
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Run a local proxy that adds the token to requests",
		Long: `proxy passes requests on to the service and adds the token to them, for QGIS, browsers and
whatever else can't log in by itself: let them use the proxy's address in the place of the
service's. The token is the one that "shsession token" prints, renewed in time.

It serves this machine alone, and no page of another site that a browser is showing, unless it's
told to. A browser that opens its address gets a page of its own, which shows what it does.

A STORE, for --from, is written as for "shsession share".`,
		Example: `  shsession proxy                      # http://127.0.0.1:8888 in place of https://services.sentinel-hub.com
  shsession --preset cdse proxy --listen 127.0.0.1:9000
  shsession proxy --from sh-session-token --allow-origin http://localhost:3000`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "from"); err != nil {
				return err
			}
			session, err := f.session(cmd.Context(), a)
			if err != nil {
				return err
			}
			if err := checkUpstream(cmd, f.options.Upstream); err != nil {
				return err
			}
			return a.proxy(cmd.Context(), session, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8888", "listen on this `address`; port 0 takes a free one")
	flags.StringVar(&f.options.Upstream, "upstream", "", "pass requests on to this `URL` (default: the profile's base URL)")
	flags.StringArrayVar(&f.options.AllowOrigins, "allow-origin", nil, "a web `origin` whose pages may use the proxy, such as http://localhost:3000 (may be repeated)")
	flags.StringArrayVar(&f.options.AllowHosts, "allow-host", nil, "another `name` that the proxy is reached by (may be repeated)")
	flags.BoolVar(&f.options.AllowRemote, "allow-remote", false, "listen where other machines can connect, too, and use the token")
	flags.StringVar(&f.from, "from", "", "take the token from this `STORE`, where somebody shares it, and don't log in")
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
	f.service = a.serviceFlags(cmd)
	return cmd
}

// session returns the session whose token is added, and completes the options with what the profile says.
func (f *proxyFlags) session(ctx context.Context, a *app) (*shsession.Session, error) {
	f.options.Logger = a.serviceLogger()
	if f.from != "" {
		p, err := a.settings()
		if err != nil {
			return nil, err
		}
		store, err := a.openStore(f.from)
		if err != nil {
			return nil, err
		}
		f.setUpstream(p.BaseURL)
		return shsession.FollowWith(shsession.Config{Logger: f.options.Logger}, store), nil
	}
	cfg, err := a.loginConfig()
	if err != nil {
		return nil, err
	}
	f.setUpstream(cfg.BaseURL)
	cfg.Logger = f.options.Logger
	return a.cachedSession(ctx, cfg)
}

func (f *proxyFlags) setUpstream(base string) {
	if f.options.Upstream == "" {
		f.options.Upstream = base
	}
}

// cachedSession returns a session that has its token in common with "shsession token", or where there is
// no shared memory to use, one of its own.
func (a *app) cachedSession(ctx context.Context, cfg shsession.Config) (*shsession.Session, error) {
	store, err := shm.Open(cacheName(cfg))
	if err == nil {
		err = tryStore(ctx, store)
	}
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		cfg.Logger.Debug("logging in without a cache", "error", err)
		return shsession.New(cfg)
	case cacheFailed(err):
		a.warn(fmt.Sprintf("logging in without this machine's cache: %v", err))
		return shsession.New(cfg)
	case err != nil:
		return nil, err
	}
	return shsession.Join(cfg, store)
}

// tryStore finds out whether a store can be read, and written.
func tryStore(ctx context.Context, store shsession.Store) error {
	if _, err := store.Load(ctx); err != nil && !errors.Is(err, shsession.ErrNotShared) {
		return err
	}
	_, unlock, err := store.TryLock(ctx)
	if errors.Is(err, shsession.ErrLocked) {
		return nil
	}
	if err == nil {
		unlock()
	}
	return err
}

// checkUpstream refuses a URL that no token would be sent to.
func checkUpstream(cmd *cobra.Command, upstream string) error {
	u, err := url.Parse(upstream)
	if err != nil || u.Scheme != "http" {
		return nil // package apiproxy has better words for what is wrong
	}
	if ip := net.ParseIP(u.Hostname()); u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() {
		return nil
	}
	return usage(cmd, "the token isn't sent to %s unencrypted: use https", u.Host)
}

// proxy serves until ctx is done and the requests under way have ended.
func (a *app) proxy(ctx context.Context, session *shsession.Session, f proxyFlags) error {
	service, err := beginService(ctx, f.service, f.options.Logger, func() shsession.SharingStatus {
		return shsession.SharingStatus{Session: session.Status()}
	})
	if err != nil {
		return err
	}
	defer service.stop()
	f.options.OnRequest = service.observe
	proxy, err := apiproxy.New(session, f.options)
	if err != nil {
		return asUsage(err)
	}
	defer context.AfterFunc(ctx, service.stopping)()
	serving, stop := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer stop(nil)
	err = proxy.ListenAndServe(serving, f.listen, func(addr net.Addr) {
		work := fmt.Sprintf("forwarding http://%s to %s", addr, f.options.Upstream)
		a.announce(f.options.Logger, work+"; interrupt to stop", "the proxy listens", "url", "http://"+addr.String(), "upstream", f.options.Upstream)
		service.ready(work)
		renewing.Go(func() {
			if err := keepFresh(serving, session); err != nil {
				stop(err)
			}
		})
	})
	if err == nil && ctx.Err() == nil {
		err = context.Cause(serving)
	}
	return proxyHint(err)
}

// keepFresh asks for a token whenever one is due, so that no request has to wait for a login, until ctx is
// done. It returns an error if the credentials are refused and there never was a token.
func keepFresh(ctx context.Context, session *shsession.Session) error {
	for {
		_, err := session.Token(ctx)
		status := session.Status()
		var refused *shsession.AuthError
		if errors.As(err, &refused) && status.ExpiresAt.IsZero() {
			return err
		}
		due := status.RenewAt
		if status.NextTry.After(due) {
			due = status.NextTry
		}
		select {
		case <-ctx.Done():
			return nil
		// A timer stands still while a laptop sleeps, and a request renews the token too.
		case <-time.After(min(max(time.Until(due), time.Second), time.Minute)):
		}
	}
}

// proxyHint adds to an error of the proxy what the user can do about it.
func proxyHint(err error) error {
	var network *net.OpError
	var address *net.AddrError
	switch {
	case errors.Is(err, apiproxy.ErrNotLoopback):
		return withHint(err, "--allow-remote allows it")
	case errors.As(err, &address) && isPort(address.Addr):
		return withHint(listenError(err), "--listen takes an address with the port: 127.0.0.1:"+address.Addr)
	case errors.As(err, &network) && network.Op == "listen":
		return withHint(listenError(err), "--listen names another address; with port 0 it takes a free port")
	}
	return err
}

// isPort reports whether text is the number of a port.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
