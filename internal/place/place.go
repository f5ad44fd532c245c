// Package place opens the places where the command finds and shares tokens, from their text on the
// command line: a segment of shared memory, Redis, a file.
//
// A STORE is a place that others can read a token from: shm:NAME, a bare NAME, or a URL of Redis.
// Files are places too, and written only: header:PATH, file:PATH and token-file:PATH.
package place

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shm"
)

// An Opener opens places for one run of the command. The end of the process closes them.
type Opener struct {
	Settings *settings.Settings  // for a store's key that follows from the client's secret
	Logger   func() *slog.Logger // for Redis's client

	redisLog sync.Once // before the first client of Redis
}

// A kind is a kind of place.
type kind struct {
	form    string   // how it is written, for people
	schemes []string // what is before the first colon
	isStore bool     // the token can be read there
	open    func(o *Opener, text string) (shsession.Sink, error)
}

func kinds() []kind {
	return []kind{
		{"shm:NAME", []string{"shm"}, true, (*Opener).openShared},
		{"redis://HOST", []string{"redis", "rediss"}, true, (*Opener).openRedis},
		{"redis+sentinel://HOSTS", []string{"redis+sentinel", "rediss+sentinel"}, true, (*Opener).openRedis},
		{"redis+cluster://HOSTS", []string{"redis+cluster", "rediss+cluster"}, true, (*Opener).openRedis},
		{"header:PATH", []string{filesink.Header.String()}, false, (*Opener).openFile},
		{"file:PATH", []string{filesink.JSON.String()}, false, (*Opener).openFile},
		{"token-file:PATH", []string{filesink.Raw.String()}, false, (*Opener).openFile},
	}
}

// Sink opens a place to share a token in: a STORE or a file. It doesn't connect to Redis. A text
// that is of no known form is a mistake on the command line, and no error repeats a password.
func (o *Opener) Sink(text string) (shsession.Sink, error) { return o.open(text, false) }

// Store is [Opener.Sink] for a STORE.
func (o *Opener) Store(text string) (shsession.Store, error) {
	sink, err := o.open(text, true)
	if err != nil {
		return nil, err
	}
	return sink.(shsession.Store), nil
}

// Limits returns the state of the rate limit beside the token of a STORE.
func (o *Opener) Limits(text string) (ratelimit.State, error) {
	store, err := o.Store(text)
	if err != nil {
		return nil, err
	}
	keeper, ok := store.(ratelimit.Keeper)
	if !ok {
		return nil, usererror.OfArgument(fmt.Errorf("%v can't keep a rate limit", store))
	}
	return keeper.Limits(), nil
}

func (o *Opener) open(text string, storesOnly bool) (shsession.Sink, error) {
	scheme, _, isURL := strings.Cut(text, ":")
	switch {
	case text == "":
		return nil, usererror.Mistake(errors.New("the name of a STORE is empty"))
	case !isURL && !storesOnly && strings.ContainsAny(text, "/"+string(filepath.Separator)):
		return nil, usererror.WithHint(usererror.Mistake(fmt.Errorf("%q is no name in shared memory", text)),
			"a file is written header:PATH, token-file:PATH or file:PATH, by what is in it")
	case !isURL:
		text, scheme = "shm:"+text, "shm"
	}
	known := []string{"NAME"}
	for _, kind := range kinds() {
		if storesOnly && !kind.isStore {
			continue
		}
		if slices.Contains(kind.schemes, scheme) {
			sink, err := kind.open(o, text)
			return sink, usererror.OfArgument(err)
		}
		known = append(known, kind.form)
	}
	// The rest of the text isn't repeated: there may be a password in it.
	return nil, usererror.Mistake(fmt.Errorf("%q is not known here: there are %s", scheme+":", strings.Join(known, ", ")))
}

// openShared opens shm:NAME, the default segment if there is no name.
func (o *Opener) openShared(text string) (shsession.Sink, error) {
	name := strings.TrimPrefix(text, "shm:")
	if name == "" {
		name = shm.DefaultName
	}
	return shm.Open(name)
}

// openFile opens header:PATH and the other files. The directory has to exist and be writable: an
// error after the login would have spent a login.
func (o *Opener) openFile(text string) (shsession.Sink, error) {
	sink, err := filesink.OpenURL(text)
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(filepath.Dir(sink.Path())); err != nil {
		return nil, fmt.Errorf("%v can't be written: %w", sink, err)
	}
	if info, err := os.Stat(sink.Path()); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory: name a file in it", sink.Path())
	}
	return sink, nil
}

// Same reports whether two open places are one: a token in the first is in the second too.
func Same(a, b shsession.Sink) bool {
	switch a := a.(type) {
	case *shm.Store:
		b, ok := b.(*shm.Store)
		return ok && a.String() == b.String()
	case *redisstore.Store:
		b, ok := b.(*redisstore.Store)
		return ok && a.SamePlace(b)
	case *filesink.Sink:
		b, ok := b.(*filesink.Sink)
		return ok && realPath(a.Path()) == realPath(b.Path())
	}
	return a == b
}

// realPath returns the path of a file without symbolic links in its directory. The file itself
// needn't exist.
func realPath(path string) string {
	dir, base := filepath.Split(path)
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		dir = real
	}
	return filepath.Join(dir, base)
}
