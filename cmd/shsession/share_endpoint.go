package main

import (
	"context"
	"errors"
	"log/slog"
	"net"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/serve"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/internal/shareendpoint"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/internal/usererror"
)

const endpointHelp = `With --endpoint, programs that log in by themselves get the shared token: share serves a token endpoint
for them, on a free port of 127.0.0.1, or at ADDR, which is HOST:PORT of this machine or unix:PATH, a
socket. They send the client's id and, instead of its secret, a placeholder that share makes and no
service accepts. The COMMAND needs no change: share sets its SH_PROFILE, SH_CLIENT_ID, SH_CLIENT_SECRET
and SH_TOKEN_URL for the endpoint, and while it runs, config.toml has a profile for it, without a secret.
Without a COMMAND share prints these variables, or keeps the placeholder in --endpoint-secret-file.`

// endpointFlags are the flags of share that are about its token endpoint.
type endpointFlags struct {
	addr       string // "" for no endpoint
	secretFile string
}

func (f *endpointFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.addr, "endpoint", "", "serve a token endpoint at this `ADDR`, for programs that log in by themselves")
	flags.Lookup("endpoint").NoOptDefVal = tokenendpoint.DefaultAddr
	flags.StringVar(&f.secretFile, "endpoint-secret-file", "", "keep the placeholder of --endpoint=ADDR in the file at this `PATH`, which is made if missing")
	must(cmd.RegisterFlagCompletionFunc("endpoint", cobra.NoFileCompletions))
	must(cmd.MarkFlagFilename("endpoint-secret-file"))
}

// check refuses flags that contradict each other.
func (f *endpointFlags) check(cmd *cobra.Command, command []string, isLogged bool) error {
	if err := notEmpty(cmd, "endpoint", "endpoint-secret-file"); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(f.addr)
	switch {
	case f.addr == "" && f.secretFile != "":
		return usage(cmd, "--endpoint-secret-file is for --endpoint=ADDR, and there is none")
	case f.secretFile != "" && port == "0":
		return usage(cmd, "--endpoint-secret-file is for clients that know the endpoint's address: give --endpoint=ADDR a port, or unix:PATH")
	case tokenendpoint.IsSocket(f.addr) && len(command) > 0:
		return usage(cmd, "a command can't be told to log in at a Unix socket: give --endpoint a port")
	case f.addr != "" && f.secretFile == "" && len(command) == 0 && isLogged:
		return usage(cmd, "the placeholder isn't written to a log: --endpoint needs --endpoint-secret-file, or a command")
	}
	return nil
}

// open opens the endpoint of a share, if there is one. It also removes the profiles of killed shares.
func (f *endpointFlags) open(ctx context.Context, s *settings.Settings, logger *slog.Logger, hasCommand bool) (*shareendpoint.Endpoint, error) {
	if f.addr == "" || !hasCommand {
		if err := endpointprofile.Sweep(ctx, s.Options.File); err != nil {
			logger.Debug("the profiles of shares that were killed are left in config.toml", "error", err)
		}
	}
	if f.addr == "" {
		return nil, nil
	}
	p, err := s.Profile()
	if err != nil {
		return nil, err
	}
	o := shareendpoint.Options{Addr: f.addr, SecretFile: f.secretFile, ClientID: p.ClientID, Logger: logger}
	if hasCommand {
		o.Profile = &endpointprofile.Options{File: s.Options.File, Like: p.Name, BaseURL: p.BaseURL}
	}
	endpoint, err := shareendpoint.Open(ctx, o)
	return endpoint, endpointHint(err)
}

// endpointHint adds to an error of the endpoint what the user can do about it.
func endpointHint(err error) error {
	var network *net.OpError
	var address *net.AddrError
	switch {
	case errors.As(err, &address) && isPort(address.Addr):
		return usererror.WithHint(usererror.OfAddress(err), "--endpoint takes an address with the port: --endpoint=127.0.0.1:"+address.Addr)
	case errors.Is(err, serve.ErrNotLoopback):
		return usererror.WithHint(err, "only programs on this machine can use the endpoint")
	case errors.As(err, &network) && network.Op == "listen":
		return usererror.WithHint(usererror.OfAddress(err), "--endpoint=ADDR names another address; --endpoint alone takes a free port")
	}
	return err
}
