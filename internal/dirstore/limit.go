package dirstore

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"

	"github.com/shsession/shsession/ratelimit"
)

// Limits implements ratelimit.Keeper, with a file beside the token. The first change makes
// the token's directory, if there is none yet.
func (s *Store) Limits() ratelimit.State {
	return limits{s, ratelimit.OpenFile(filepath.Join(s.base, s.dir, "limit"))}
}

type limits struct {
	store *Store
	file  *ratelimit.File
}

// String returns the file's path.
func (l limits) String() string { return l.file.String() }

// Step implements ratelimit.State.
func (l limits) Step(ctx context.Context, c ratelimit.Change) (ratelimit.Answer, error) {
	a, err := l.file.Step(ctx, c)
	if !errors.Is(err, fs.ErrNotExist) {
		return a, err
	}
	root, err := l.store.open(true)
	if err != nil {
		return a, err
	}
	root.Close()
	return l.file.Step(ctx, c)
}
