package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/apiproxy"
	"github.com/shsession/shsession/internal/daemon"
	"github.com/shsession/shsession/internal/netenv"
	"github.com/shsession/shsession/internal/serve"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/internal/usererror"
)

// proxyFlags are the flags of the proxy command.
type proxyFlags struct {
	listen  string
	from    string
	timeout timeout
	options apiproxy.Options
	limit   limitFlags
	service *daemon.Options
}

func (a *app) proxyCommand() *cobra.Command {
	var f proxyFlags
	cmd := &cobra.Command{
		Use:   "proxy",
		Short: "Run a local proxy that adds the token to requests",
		Long: `proxy forwards requests to the service and adds the token to them, for QGIS, browsers and other
programs that can't log in by themselves: give them the proxy's address instead of the service's.
The proxy uses the token that "shsession token" prints, and renews it before it expires.

A program that has to log in can log in at the proxy, with any credentials: set the program's base URL
and token URL to the proxy's address. It gets a token that no service accepts, and the proxy replaces
that token in each request.

The proxy listens at once, and requests wait for the first login. If there is no token after --timeout,
the proxy ends.

Other machines can use the proxy only with --allow-remote, and web pages of other sites only with
--allow-origin. The page at the proxy's own address shows what the proxy does.

` + limitHelp + `

A STORE is written as for "shsession share".`,
		Example: `  shsession proxy              # http://127.0.0.1:8790 in place of the service
  shsession --preset cdse proxy --listen 127.0.0.1:9000
  shsession proxy --from sh-session-token --allow-origin http://localhost:3000
  shsession proxy --limit cdse-free    # keep to the rate limit`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := notEmpty(cmd, "from"); err != nil {
				return err
			}
			if err := f.timeout.check(cmd); err != nil {
				return err
			}
			signals.CatchPipe()
			session, err := f.session(cmd.Context(), a)
			if err != nil {
				return err
			}
			if err := checkUpstream(cmd, f.options.Upstream); err != nil {
				return err
			}
			if f.options.Limiter, err = a.limiter(cmd, f.limit, f.from); err != nil {
				return err
			}
			if f.options.Limiter != nil {
				defer f.options.Limiter.Close()
			}
			return a.proxy(cmd.Context(), session, f)
		},
	}
	f.add(cmd)
	f.service = a.serviceFlags(cmd)
	return cmd
}

// add adds the flags that are the proxy's own.
func (f *proxyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8790", "listen on this `address`; port 0 takes a free one")
	flags.StringVar(&f.options.Upstream, "upstream", "", "pass requests on to this `URL` (default: the profile's base URL)")
	flags.StringArrayVar(&f.options.AllowOrigins, "allow-origin", nil, "a web `origin` whose pages may use the proxy, such as http://localhost:3000 (may be repeated)")
	flags.StringArrayVar(&f.options.AllowHosts, "allow-host", nil, "another host `name` of the proxy, which requests may use (may be repeated)")
	flags.BoolVar(&f.options.AllowRemote, "allow-remote", false, "let other machines connect, and use the token")
	flags.StringVar(&f.from, "from", "", "take the shared token from this `STORE`, and don't log in")
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
	f.timeout.add(cmd, usualStart)
	f.limit.add(cmd)
}

// session returns the session whose token is added. It sets the upstream from the profile, unless
// --upstream names one.
func (f *proxyFlags) session(ctx context.Context, a *app) (*shsession.Session, error) {
	f.options.Logger = a.ServiceLogger()
	if f.from != "" {
		p, err := a.settings.Profile()
		if err != nil {
			return nil, err
		}
		store, err := a.places.Store(f.from)
		if err != nil {
			return nil, err
		}
		f.setUpstream(p.BaseURL)
		return shsession.FollowWith(shsession.Config{Logger: f.options.Logger}, store), nil
	}
	cfg, err := a.settings.Login(ctx, a.Logger())
	if err != nil {
		return nil, err
	}
	f.setUpstream(cfg.BaseURL)
	cfg.Logger = f.options.Logger
	return a.cachedSession(cfg)
}

func (f *proxyFlags) setUpstream(base string) {
	if f.options.Upstream == "" {
		f.options.Upstream = base
	}
}

// checkUpstream refuses an upstream that isn't encrypted and isn't on this machine.
func checkUpstream(cmd *cobra.Command, upstream string) error {
	u, err := url.Parse(upstream)
	if err != nil || u.Scheme != "http" {
		return nil // apiproxy.New checks the URL, with a better message
	}
	if netenv.IsLoopback(u.Hostname()) {
		return nil
	}
	return usage(cmd, "the token isn't sent to %s unencrypted: use https", u.Host)
}

// proxy serves until ctx is done and the requests under way have ended.
func (a *app) proxy(ctx context.Context, session *shsession.Session, f proxyFlags) error {
	logins, err := tokenendpoint.NewWorthless(session)
	if err != nil {
		return err
	}
	f.options.TokenHandler, f.options.Logins = logins, logins.Status
	service, err := daemon.Begin(ctx, *f.service, f.options.Logger, func() shsession.SharingStatus {
		return shsession.SharingStatus{Session: session.Status()}
	}, logins.Status)
	if err != nil {
		return err
	}
	defer service.Stop()
	service.CountLimit(f.options.Limiter)
	f.options.OnRequest = service.ObserveRequest
	proxy, err := apiproxy.New(session, f.options)
	if err != nil {
		return usererror.OfArgument(err)
	}
	defer context.AfterFunc(ctx, service.Stopping)()
	serving, stop := context.WithCancelCause(ctx)
	var renewing sync.WaitGroup
	defer renewing.Wait()
	defer stop(nil)
	err = proxy.ListenAndServe(serving, f.listen, func(addr net.Addr) {
		work := fmt.Sprintf("forwarding http://%s to %s", addr, f.options.Upstream)
		a.Announce(f.options.Logger, work+"; interrupt to stop", "the proxy listens", "url", "http://"+addr.String(), "upstream", f.options.Upstream)
		service.Ready(work)
		renewing.Go(func() {
			if err := keepFresh(serving, session, f.timeout.ofStart(a, f.from == "")); err != nil {
				stop(toShare(f.from, err))
			}
		})
	})
	if err == nil && ctx.Err() == nil {
		err = context.Cause(serving)
	}
	return proxyHint(err)
}

// keepFresh renews the token whenever renewal is due, until ctx is done, so that no request waits for
// a login. It returns an error if there never was a token: the credentials are refused, or the time
// is over that start, unless it is nil, gives to the wait.
func keepFresh(ctx context.Context, session *shsession.Session, start func(context.Context) (context.Context, context.CancelFunc)) error {
	starting, cancel := ctx, func() {}
	if start != nil {
		starting, cancel = start(ctx)
	}
	sharing, err := shsession.ShareConfig{Wait: true}.Share(starting, session)
	cancel()
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	<-ctx.Done()
	return sharing.Close()
}

// proxyHint adds to an error of the proxy what the user can do about it.
func proxyHint(err error) error {
	var network *net.OpError
	var address *net.AddrError
	switch {
	case errors.Is(err, serve.ErrNotLoopback):
		return usererror.WithHint(err, "--allow-remote allows it")
	case errors.As(err, &address) && isPort(address.Addr):
		return usererror.WithHint(usererror.OfAddress(err), "--listen takes an address with the port: 127.0.0.1:"+address.Addr)
	case errors.As(err, &network) && network.Op == "listen":
		return usererror.WithHint(usererror.OfAddress(err), "--listen names another address; with port 0 it takes a free port")
	}
	return err
}

// isPort reports whether text is the number of a port.
func isPort(text string) bool {
	_, err := strconv.ParseUint(text, 10, 16)
	return err == nil
}
