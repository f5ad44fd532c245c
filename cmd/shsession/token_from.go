package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/status"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shm"
)

// A tokenFrom says where token, headers and info get the token from: a STORE, or this machine's
// cache and, where the cache has none, a login. In the command of a share it is the segment that is
// shared for that command, unless a flag says otherwise.
type tokenFrom struct {
	store   string
	noCache bool
	renew   bool
}

// flags adds the flags to cmd.
func (f *tokenFrom) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.noCache, "no-cache", false, "log in, and neither read nor write this machine's cache")
	cmd.Flags().BoolVar(&f.renew, "renew", false, "get a new token, for a service that has refused the cached one (401)")
	fromFlag(cmd, &f.store)
}

// fromFlag adds --from, the one spelling for the STORE that a token is read from.
func fromFlag(cmd *cobra.Command, store *string) {
	cmd.Flags().StringVar(store, "from", "", "take the token from this `STORE` (default in a command of share: the token that it shares)")
	must(cmd.RegisterFlagCompletionFunc("from", completeStores))
}

// token returns a token from there that is valid for at least minTTL.
func (f *tokenFrom) token(cmd *cobra.Command, a *app, minTTL time.Duration) (shsession.Token, error) {
	if err := notEmpty(cmd, "from"); err != nil {
		return shsession.Token{}, err
	}
	store, inherited := f.store, false
	if store == "" && !logsIn(cmd) {
		store, inherited = sharedWithUs()
	}
	if store == "" {
		return a.login(cmd.Context(), minTTL, *f)
	}
	if f.noCache {
		return shsession.Token{}, usage(cmd, "--no-cache is about logging in, and --from doesn't log in")
	}
	if f.renew {
		return shsession.Token{}, usage(cmd, "--renew is about logging in, and --from doesn't log in: the sharer renews the token")
	}
	t, err := a.collect(cmd.Context(), store)
	if err == nil && t.Remaining() == 0 {
		err = a.expired(cmd.Context(), store, t)
	}
	if inherited && (errors.Is(err, shsession.ErrNotShared) || errors.Is(err, status.ErrExpired)) {
		err = usererror.WithHint(err, nameVariable+" names it, which `shsession share` sets for its command: unset it, or add --no-cache, to log in")
	}
	if err == nil && t.Remaining() < minTTL {
		err = fmt.Errorf("the shared token has %s left, less than %s", display.Life(t.Remaining()), display.Life(minTTL))
		if problem := a.problem(cmd.Context(), store); problem != "" {
			err = fmt.Errorf("%w, and its sharer can't renew it: %s", err, problem)
		}
		err = usererror.WithHint(err, "its sharer renews it shortly before it ends: ask for less with --min-ttl, or wait")
	}
	return t, err
}

// login returns the token that this machine's processes have in common or, with --no-cache or --renew,
// one from a login.
func (a *app) login(ctx context.Context, minTTL time.Duration, f tokenFrom) (shsession.Token, error) {
	cfg, err := a.settings.Login(ctx, a.Logger())
	if err != nil {
		return shsession.Token{}, err
	}
	newSession := a.cachedSession
	if f.noCache {
		newSession = shsession.New
	}
	session, err := newSession(cfg)
	if err != nil {
		return shsession.Token{}, err
	}
	if f.renew {
		if _, err := cache.LogInAnew(ctx, session); err != nil {
			return shsession.Token{}, err
		}
	}
	t, err := session.TokenFor(ctx, minTTL)
	if err == nil {
		a.compareClocks(t)
	}
	return t, err
}

// cachedSession returns a session that has its token in common with this machine's other commands of
// the client. At an endpoint of share there is no cache: the endpoint has the shared token.
func (a *app) cachedSession(cfg shsession.Config) (*shsession.Session, error) {
	if a.settings.AtEndpoint() {
		return shsession.New(cfg)
	}
	return cache.Session(cfg, func(err error) { a.Warn(err.Error()) })
}

// nameVariable is how "shsession share" tells its command the name of the segment.
const nameVariable = "SHSESSION_NAME"

// sharedWithUs returns the STORE that a share has told this process of, its command.
func sharedWithUs() (store string, ok bool) {
	name := os.Getenv(nameVariable)
	if name == "" {
		return "", false
	}
	return "shm:" + name, true
}

// storeArgument returns a command's only argument, or the STORE that a share has told of, or the
// default segment.
func storeArgument(args []string) string {
	if len(args) == 1 {
		return args[0]
	}
	if store, ok := sharedWithUs(); ok {
		return store
	}
	return "shm:" + shm.DefaultName
}

// logsIn reports whether a flag says how to log in, which then is what the user wants.
func logsIn(cmd *cobra.Command) bool {
	return slices.ContainsFunc([]string{"no-cache", "profile", "preset", "config"}, cmd.Flags().Changed)
}

// collect returns the token that is in a STORE, expired or not.
func (a *app) collect(ctx context.Context, text string) (shsession.Token, error) {
	store, err := a.places.Store(text)
	if err != nil {
		return shsession.Token{}, err
	}
	t, err := store.Load(ctx)
	return t, toShare(text, err)
}

// toShare adds to the error of a STORE that holds no token how to share one there.
func toShare(store string, err error) error {
	if errors.Is(err, shsession.ErrNotShared) {
		return usererror.WithHint(err, howToShare(store))
	}
	return err
}

// howToShare says how to share a token in a STORE.
func howToShare(store string) string {
	if !strings.Contains(store, ":") {
		store = "shm:" + store
	}
	if store == "shm:" || store == "shm:"+shm.DefaultName {
		return "start `shsession share`"
	}
	return "start `shsession share --to " + display.ShellWord(store) + "`"
}
