package main

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/daemon"
	"github.com/shsession/shsession/internal/place"
	"github.com/shsession/shsession/internal/share"
	"github.com/shsession/shsession/internal/signals"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shm"
)

// shareFlags are the flags of the share command.
type shareFlags struct {
	name       string
	from       string
	targets    []string
	keepSecret bool
	timeout    timeout
	endpoint   endpointFlags
	service    *daemon.Options
}

func (a *app) shareCommand() *cobra.Command {
	var f shareFlags
	cmd := &cobra.Command{
		Use:   "share [flags] [-- COMMAND ARGUMENTS...]",
		Short: "Keep a token fresh for other programs",
		Long: `share logs in and keeps the token fresh in shared memory, or in the places that --to names.
SIGINT, SIGTERM and the end of its terminal end share and withdraw the token. SIGHUP renews the token now.

Other programs read the token with "shsession collect", with Follow in Go, or with
collect_shared_session of the Python package. Several sharers may share one client's token under
one name; they take turns at logging in.

With a COMMAND, the token is shared while the COMMAND runs. share passes signals on to the COMMAND and
exits with its exit code: 127 if the COMMAND isn't found, 126 if it can't be run. The COMMAND's
environment has SHSESSION_NAME, the name of the shared memory, and for a header: file the file's path
in GDAL_HTTP_HEADER_FILE and SHSESSION_HEADER_FILE. It doesn't have the client's secret. In the
COMMAND, "shsession headers", token, info and collect read SHSESSION_NAME and use the shared token. If
--to names no shared memory, SHSESSION_NAME is set only with --name.

With --from, share needs no credentials and doesn't renew the token: the sharer of that STORE does.
share waits until the STORE has a token.

A STORE is shm:NAME or NAME, a segment of this machine's shared memory, or a URL of Redis, for many
machines. --to takes a STORE or a file: header:PATH holds the line "Authorization: Bearer …" that
curl and GDAL read, token-file:PATH the token alone, and file:PATH its JSON object. After a PATH,
?mode=0640&group=NAME lets others read the file, and ?keep=1 keeps the file when share ends.

` + endpointHelp + "\n\n" + place.RedisHelp,
		Example: `  shsession share                      # under the Python package's name
  shsession share --name my-name
  shsession share --to shm:one --to header:/run/user/1000/header
  shsession share -- python work.py
  shsession share --endpoint -- python unchanged.py
  shsession share -- bash -c 'curl -H @<(shsession headers) https://…'
  shsession share --to header:header.txt -- gdalinfo /vsicurl/https://…
  shsession share --to 'redis://redis.example:6379/0?key=team'
  shsession share --from 'redis://redis.example:6379/0?key=team' --to shm:`,
		Args:              shareArguments,
		ValidArgsFunction: completeCommand,
		RunE: func(cmd *cobra.Command, command []string) error {
			if err := f.check(cmd, command); err != nil {
				return err
			}
			if err := f.endpoint.check(cmd, command, a.HasRecords()); err != nil {
				return err
			}
			return a.share(cmd, f, command)
		},
	}
	f.add(cmd)
	f.service = a.serviceFlags(cmd)
	return cmd
}

// add adds the flags that are share's own.
func (f *shareFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "name", "", "share under this `NAME` in shared memory (default "+shm.DefaultName+")")
	cmd.Flags().StringArrayVar(&f.targets, "to", nil, "share to this `STORE` or file (may be repeated)")
	cmd.Flags().StringVar(&f.from, "from", "", "take the token from this `STORE`, and don't log in")
	cmd.Flags().BoolVar(&f.keepSecret, "keep-secret", false, "leave the secrets in the command's environment")
	must(cmd.RegisterFlagCompletionFunc("name", cobra.NoFileCompletions))
	must(cmd.RegisterFlagCompletionFunc("to", completeSinks))
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
	f.timeout.add(cmd, usualStart)
	f.endpoint.add(cmd)
}

// shareArguments is the Args of share: none, or a command behind --.
func shareArguments(cmd *cobra.Command, args []string) error {
	switch dash := cmd.ArgsLenAtDash(); {
	case len(args) > 0 && dash != 0 && cmd.Flags().Changed("endpoint"):
		return usage(cmd, "share takes a command behind --, but got %q before it; the address of --endpoint follows an equals sign", args[0])
	case dash < 0 && len(args) > 0, dash > 0:
		err := usererror.Mistake(fmt.Errorf("share takes a command behind --, but got %q before it", args[0]))
		if dash > 0 {
			return usererror.WithHint(err, "see `shsession share --help`")
		}
		return usererror.WithHint(err, "did you mean `shsession share -- "+strings.Join(args, " ")+"`?")
	case dash == 0 && len(args) == 0:
		return usage(cmd, "there is no command behind --")
	}
	return nil
}

// check refuses flags that contradict each other.
func (f *shareFlags) check(cmd *cobra.Command, command []string) error {
	if err := notEmpty(cmd, "name", "from"); err != nil {
		return err
	}
	if slices.Contains(f.targets, "") {
		return usage(cmd, "--to is empty")
	}
	if f.keepSecret && len(command) == 0 {
		return usage(cmd, "--keep-secret is for a command, and there is none")
	}
	return f.timeout.check(cmd)
}

// open opens the sinks, and the source unless its text is empty.
func (f *shareFlags) open(cmd *cobra.Command, places *place.Opener) (source shsession.Store, sinks []shsession.Sink, err error) {
	if f.from != "" {
		if source, err = places.Store(f.from); err != nil {
			return nil, nil, err
		}
	}
	targets := f.targets
	if f.name != "" || len(targets) == 0 {
		targets = append([]string{"shm:" + f.name}, targets...)
	}
	for _, target := range targets {
		sink, err := places.Sink(target)
		if err != nil {
			return nil, nil, err
		}
		isSame := func(other shsession.Sink) bool { return place.Same(sink, other) }
		switch {
		case slices.ContainsFunc(sinks, isSame):
			return nil, nil, usage(cmd, "the same --to was given twice: %v", sink)
		case source != nil && isSame(source):
			return nil, nil, usage(cmd, "--from and --to are the same place: a token can't be kept fresh by itself")
		}
		sinks = append(sinks, sink)
	}
	return source, sinks, nil
}

// share shares a token until the command's context is done, or for as long as a command runs.
func (a *app) share(cmd *cobra.Command, f shareFlags, command []string) error {
	signals.CatchPipe()
	ctx := cmd.Context()
	source, sinks, err := f.open(cmd, &a.places)
	if err != nil {
		return err
	}
	for _, sink := range sinks {
		if store, ok := sink.(*shm.Store); ok && store.Dir() != "" && runtime.GOOS != "windows" {
			a.Warn(fmt.Sprintf("there is no shared memory here: %s is shared in %s, where Python's collect_shared_session can't read it", store, store.Dir()))
		}
	}
	logger := a.ServiceLogger()
	if len(command) > 0 && !a.HasRecords() {
		logger = a.Logger() // standard error belongs to the command
	}
	sharer := &share.Sharer{
		Source:     source,
		Sinks:      sinks,
		Logger:     logger,
		Announce:   a.Announce,
		Command:    command,
		KeepSecret: f.keepSecret,
	}
	sharer.Start = f.timeout.ofStart(a, source == nil)
	if source != nil {
		sharer.Session = shsession.FollowWith(shsession.Config{Logger: logger}, source)
	} else if sharer.Session, err = a.sharedLogin(ctx, logger, sinks); err != nil {
		return err
	}
	if sharer.Endpoint, err = f.endpoint.open(ctx, &a.settings, logger, len(command) > 0); err != nil {
		return err
	}
	defer sharer.Endpoint.Close()
	service, err := daemon.Begin(ctx, *f.service, logger, sharer.Status, sharer.Endpoint.StatusFunc())
	if err != nil {
		return err
	}
	defer service.Stop()
	return toShare(f.from, sharer.Run(ctx, service))
}

// sharedLogin returns a session that logs in. All sharers of one client make one login: those on
// many machines through the first Redis among their sinks, those on one machine through its cache.
func (a *app) sharedLogin(ctx context.Context, logger *slog.Logger, sinks []shsession.Sink) (*shsession.Session, error) {
	cfg, err := a.settings.Login(ctx, logger)
	if err != nil {
		return nil, err
	}
	var tokens atomic.Uint64
	cfg.OnToken = func(t shsession.Token) {
		if tokens.Add(1) > 1 || !a.isWatched() || a.Verbose { // a person is told of the first when it is shared
			logger.Info("new token", "client_id", cfg.ClientID, "expires_at", t.ExpiresAt())
		}
		debug.FreeOSMemory() // the login's memory isn't needed for most of an hour
	}
	for _, sink := range sinks {
		if store, ok := sink.(*redisstore.Store); ok {
			return shsession.Join(cfg, store)
		}
	}
	return a.cachedSession(cfg)
}
