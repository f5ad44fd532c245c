package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/ratelimit"
)

// identityFlags are the flags of the identity command.
type identityFlags struct {
	listen      string
	allowRemote bool
	lifetime    time.Duration
	skew        time.Duration
	clients     []string
	clientFile  string
	faults      []string
	files       string
	limit       string
	units       float64
}

func (a *app) identityCommand() *cobra.Command {
	var f identityFlags
	cmd := &cobra.Command{
		Use:   "identity",
		Short: "Run an identity service to develop against",
		Long: `identity runs a service for development and tests, never for production: it logs
clients in as Sentinel Hub does, answers API requests that have a valid token, and
fails on demand. It keeps nothing after it ends.

A fault is an HTTP status or one of html, malformed, oversized, slow:2s, cut, drop, hang, skew:-10m,
no-expiry, expires-in:0, 307:URL and 429:retry-after=7. api/FAULT is a fault at the API, FAULT one at
the token endpoint. FAULT*3 is served three times, FAULT~0.1 to a tenth of the requests. POST /faults
adds a fault while the service runs; GET /counters returns the service's counters.`,
		Example: `  shsession identity --listen 127.0.0.1:8081 --lifetime 60s
  shsession identity --client id:secret --fault '503*3' --fault api/401~0.1`,
		Args: arguments(0, 0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			signals.CatchPipe()
			var logger *slog.Logger
			if a.Verbose {
				logger = a.ServiceLogger()
			}
			o, err := f.options(cmd, logger)
			if err != nil {
				return err
			}
			server, err := identity.New(o)
			if err != nil {
				return usage(cmd, "%w", err)
			}
			return a.serveIdentity(cmd.Context(), server, f.listen, o)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8081", "listen on this `address`")
	flags.BoolVar(&f.allowRemote, "allow-remote", false, "let other machines connect")
	flags.DurationVar(&f.lifetime, "lifetime", identity.DefaultLifetime, "the life of the tokens")
	flags.DurationVar(&f.skew, "skew", 0, "how far the service's clock is ahead; negative: behind")
	flags.StringArrayVar(&f.clients, "client", nil, "let the client `ID:SECRET` log in (may be repeated)")
	flags.StringVar(&f.clientFile, "client-file", "", "let the clients in this `file` log in, one ID:SECRET a line")
	flags.StringArrayVar(&f.faults, "fault", nil, "serve this `fault` (may be repeated)")
	flags.StringVar(&f.limit, "limit", "", "limit each client to this `POLICY` at the API, such as 300/min,300pu/min,4")
	flags.Float64Var(&f.units, "units", 0, "the cost of each API request, in processing `units`")
	flags.StringVar(&f.files, "files", "", "serve this `directory` under /files/ to requests with a token")
	return cmd
}

func (f *identityFlags) options(cmd *cobra.Command, logger *slog.Logger) (identity.Options, error) {
	o := identity.Options{Lifetime: f.lifetime, Skew: f.skew, AllowRemote: f.allowRemote, Logger: logger}
	if f.lifetime <= 0 {
		return o, usage(cmd, "--lifetime %v is not above 0", f.lifetime)
	}
	lines := f.clients
	if f.clientFile != "" {
		text, err := os.ReadFile(f.clientFile)
		if err != nil {
			return o, err
		}
		lines = append(lines, strings.Split(strings.TrimSpace(string(text)), "\n")...)
	}
	for _, line := range lines {
		id, secret, ok := strings.Cut(strings.TrimSpace(line), ":")
		if !ok || id == "" || secret == "" {
			return o, usage(cmd, "a client is written ID:SECRET") // without the line, which may be a secret
		}
		o.Clients = append(o.Clients, identity.Client{ID: id, Secret: shsession.NewSecret(secret)})
	}
	for _, text := range f.faults {
		rule, err := identity.ParseRule(text)
		if err != nil {
			return o, usage(cmd, "%w", err)
		}
		o.Faults = append(o.Faults, rule)
	}
	if f.limit != "" {
		policy, err := ratelimit.ParsePolicy(f.limit)
		if err != nil {
			return o, usage(cmd, "--limit: %w", err)
		}
		o.Limit = policy
	}
	o.Units = f.units
	if f.files != "" {
		if info, err := os.Stat(f.files); err != nil {
			return o, err
		} else if !info.IsDir() {
			return o, usage(cmd, "--files %s is no directory", f.files)
		}
		o.Files = os.DirFS(f.files)
	}
	return o, nil
}

// serveIdentity serves until ctx is done.
func (a *app) serveIdentity(ctx context.Context, server *identity.Server, listen string, o identity.Options) error {
	err := server.ListenAndServe(ctx, listen, func(addr net.Addr) { a.introduce("http://"+addr.String(), o) })
	if errors.Is(err, identity.ErrNotLoopback) {
		return usererror.WithHint(err, "--allow-remote allows it")
	}
	return usererror.OfAddress(err)
}

// introduce says how to use the identity service at a URL.
func (a *app) introduce(base string, o identity.Options) {
	fmt.Fprintf(a.Out, "For development only: an identity service on %s, whose tokens live %s.\n\n", base, display.Life(o.Lifetime))
	id, secret := identity.DevelopmentID, identity.DevelopmentSecret
	if len(o.Clients) > 0 {
		id, secret = o.Clients[0].ID, "…"
	}
	fmt.Fprintf(a.Out, "  export SH_BASE_URL=%s\n", base)
	fmt.Fprintf(a.Out, "  export SH_TOKEN_URL=%s/auth/realms/main/protocol/openid-connect/token\n", base)
	fmt.Fprintf(a.Out, "  export SH_CLIENT_ID=%s SH_CLIENT_SECRET=%s\n\n", display.Line(id), secret)
	fmt.Fprintln(a.Out, "Then `shsession token` logs in there. Interrupt to stop the service.")
}
