package cache

import (
	"context"
	"errors"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// Forget removes what the cache holds for cfg's client, with this secret or an earlier one: tokens,
// notes of failed logins, and locks. It returns how many tokens there were, and blocks until they
// are removed or ctx is done.
func Forget(ctx context.Context, cfg shsession.Config) (int, error) {
	return forget(ctx, family(cfg))
}

// ForgetAll is [Forget] for every client of this user.
func ForgetAll(ctx context.Context) (int, error) { return forget(ctx, prefix) }

// forget removes what the cache has under names that start with start, and what dead processes have
// left of others. A token that another process removes meanwhile isn't counted.
func forget(ctx context.Context, start string) (int, error) {
	names, err := shm.Names(ctx)
	if err != nil {
		return 0, err
	}
	forgotten := 0
	var errs []error
	for _, name := range names {
		if !strings.HasPrefix(name, start) || !IsName(name) {
			continue
		}
		switch err := shm.Remove(ctx, name); {
		case err == nil:
			forgotten++
		case !errors.Is(err, shsession.ErrNotShared):
			errs = append(errs, err)
		}
	}
	return forgotten, errors.Join(append(errs, shm.Sweep(ctx))...)
}
