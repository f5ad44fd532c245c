package main

import (
	"context"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shm"
)

// shareFlags are the flags of the share command.
type shareFlags struct {
	name       string
	from       string
	targets    []string
	keepSecret bool
	service    *serviceFlags
}

func (a *app) shareCommand() *cobra.Command {
	var f shareFlags
	cmd := &cobra.Command{
		Use:   "share [flags] [-- COMMAND ARGUMENTS...]",
		Short: "Keep a token fresh for other programs",
		Long: `share logs in and keeps the token fresh in shared memory, or wherever --to says, until it
is interrupted: SIGINT, SIGTERM and the end of its terminal withdraw the token, SIGHUP renews it now.

Others read it with "shsession collect", with Follow in Go, and with collect_shared_session of the
Python package. Several may share one client's token under one name; they take turns.

With a COMMAND, the token is shared for as long as that runs. The command gets every signal, and its
exit code is that of share: 127 if it isn't found, 126 if it can't be run. In its environment are
SHSESSION_NAME, the name of the shared memory, and where the token is in a header: file too
GDAL_HTTP_HEADER_FILE and SHSESSION_HEADER_FILE, the file's path. The client's secret is not.
shsession itself reads SHSESSION_NAME: in the COMMAND, "shsession headers", token, info and collect have the
shared token without being told. It isn't set where --to names no shared memory; --name adds some.

With --from, the token is somebody else's, renewed by them, and no credentials are needed. share
waits for one to be there.

A STORE is shm:NAME, a segment of this machine's shared memory, a bare NAME, or a URL of Redis, for
many machines. --to takes these, and files: header:PATH holds the line "Authorization: Bearer …"
that curl and GDAL read, token-file:PATH the token alone, and file:PATH its JSON object. Behind a
file's PATH there may be ?mode=0640&group=NAME, for others to read it, and keep=1 to leave it there
in the end.

` + redisHelp,
		Example: `  shsession share                      # under the Python package's name, sh-session-token
  shsession share --name my-name
  shsession share --to shm:one --to header:/run/user/1000/header
  shsession share -- python work.py
  shsession share -- bash -c 'curl -H @<(shsession headers) https://…'
  shsession share --to header:header.txt -- gdalinfo /vsicurl/https://…
  shsession share --to 'redis://redis.example:6379/0?key=team'
  shsession share --from 'redis://redis.example:6379/0?key=team' --to shm:sh-session-token`,
		Args:              shareArguments,
		ValidArgsFunction: completeCommand,
		RunE: func(cmd *cobra.Command, command []string) error {
			if err := f.check(cmd, command); err != nil {
				return err
			}
			return a.share(cmd.Context(), f, command)
		},
	}
	cmd.Flags().StringVar(&f.name, "name", "", "share under this `NAME` in shared memory (default "+shm.DefaultName+")")
	cmd.Flags().StringArrayVar(&f.targets, "to", nil, "share to this `STORE` or file (may be repeated)")
	cmd.Flags().StringVar(&f.from, "from", "", "take the token from this `STORE`, and don't log in")
	cmd.Flags().BoolVar(&f.keepSecret, "keep-secret", false, "leave the secrets in the command's environment")
	must(cmd.RegisterFlagCompletionFunc("name", cobra.NoFileCompletions))
	must(cmd.RegisterFlagCompletionFunc("to", completeSinks))
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
	f.service = a.serviceFlags(cmd)
	return cmd
}

// shareArguments is the Args of share: none, or a command behind --.
func shareArguments(cmd *cobra.Command, args []string) error {
	switch dash := cmd.ArgsLenAtDash(); {
	case dash < 0 && len(args) > 0, dash > 0:
		return usage(cmd, "share takes a command behind --, but got %q before it", args[0])
	case dash == 0 && len(args) == 0:
		return usage(cmd, "there is no command behind --")
	}
	return nil
}

// check completes the targets, and looks for what makes no sense together.
func (f *shareFlags) check(cmd *cobra.Command, command []string) error {
	if err := notEmpty(cmd, "name", "from"); err != nil {
		return err
	}
	if slices.Contains(f.targets, "") {
		return usage(cmd, "--to is empty")
	}
	if f.name != "" || len(f.targets) == 0 {
		f.targets = append([]string{"shm:" + f.name}, f.targets...)
	}
	seen := []string{}
	for _, target := range f.targets {
		place := canonical(target)
		switch {
		case slices.Contains(seen, place):
			return usage(cmd, "one place is named twice, which gets the token once")
		case f.from != "" && canonical(f.from) == place:
			return usage(cmd, "--from and --to are one place: its token can't be kept fresh by itself")
		}
		seen = append(seen, place)
	}
	if f.keepSecret && len(command) == 0 {
		return usage(cmd, "--keep-secret is for a command, and there is none")
	}
	return nil
}

// canonical returns the same text for two ways to write one segment, Redis's token or file: whatever is written
// there, it can't be two things.
func canonical(target string) string {
	name, isShared := strings.CutPrefix(target, "shm:")
	switch {
	case isShared && name == "":
		return "shm:" + shm.DefaultName
	case !strings.Contains(target, ":"):
		return "shm:" + target
	case isShared:
		return target
	}
	if place, isRedis := redisstore.Place(target); isRedis {
		return place
	}
	sink, err := filesink.OpenURL(target)
	if err != nil {
		return target // it's no file, or there is a mistake that opening it tells of
	}
	dir, base := filepath.Split(sink.Path())
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return "file:" + filepath.Join(dir, base)
}

func (a *app) openSinks(targets []string) ([]shsession.Sink, error) {
	var sinks []shsession.Sink
	for _, target := range targets {
		sink, err := a.openSink(target)
		if err != nil {
			return nil, err
		}
		sinks = append(sinks, sink)
	}
	return sinks, nil
}

// share shares a token until ctx is done, or for as long as the command runs.
func (a *app) share(ctx context.Context, f shareFlags, command []string) error {
	s := &sharer{app: a, command: command, keepSecret: f.keepSecret, logger: a.serviceLogger()}
	if len(command) > 0 && !a.logsRecords() {
		s.logger = a.logger() // standard error is the command's
	}
	sinks, err := a.openSinks(f.targets)
	if err != nil {
		return err
	}
	s.sinks = sinks
	if f.from != "" {
		if s.source, err = a.openStore(f.from); err != nil {
			return err
		}
		s.session = shsession.FollowWith(shsession.Config{Logger: s.logger}, s.source)
	} else if s.session, err = s.login(ctx); err != nil {
		return err
	}
	service, err := beginService(ctx, f.service, s.logger, s.status)
	if err != nil {
		return err
	}
	defer service.stop()
	return s.run(ctx, service)
}

// login returns a session that logs in. Sharers of one client do so once between them: on many
// machines with the first store that these have in common, and on one with its cache. So a
// loop of short commands, each with a share of its own, makes one login too.
func (s *sharer) login(ctx context.Context) (*shsession.Session, error) {
	cfg, err := s.loginConfig()
	if err != nil {
		return nil, err
	}
	cfg.Logger = s.logger
	cfg.OnToken = func(t shsession.Token) {
		s.logger.Info("new token", "client_id", cfg.ClientID, "expires_at", t.ExpiresAt())
		debug.FreeOSMemory() // what the login took isn't needed for most of an hour
	}
	for _, sink := range s.sinks {
		if store, ok := sink.(*redisstore.Store); ok {
			return shsession.Join(cfg, store)
		}
	}
	return s.cachedSession(ctx, cfg)
}

// sinkNames returns the names of the sinks, for people.
func sinkNames(sinks []shsession.Sink) string {
	var names []string
	for _, sink := range sinks {
		names = append(names, fmt.Sprint(sink))
	}
	return strings.Join(names, ", ")
}
