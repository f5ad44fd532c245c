package shm

import (
	"context"
	"slices"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/internal/record"
	"github.com/shsession/shsession/ratelimit"
)

// A place is where the Stores of this system keep their tokens: in shared memory, or in a
// private directory.
type place interface {
	dir() string // see Store.Dir
	open(name string) backend
	list(ctx context.Context) ([]record.Entry, error)
	names(ctx context.Context) ([]string, error)
	sweep(ctx context.Context) error
	remove(ctx context.Context, name string) error
}

// A backend does what a Store does.
type backend interface {
	shsession.Watcher
	shsession.SharerLister
	ratelimit.Keeper
}

// A privateDir is the place of tokens in a private directory, the base of dirstore.
type privateDir string

func (p privateDir) dir() string { return string(p) }

func (p privateDir) open(name string) backend { return dirstore.OpenMapped(string(p), name) }

func (p privateDir) sweep(ctx context.Context) error { return dirstore.Sweep(ctx, string(p)) }

func (p privateDir) names(ctx context.Context) ([]string, error) {
	return dirstore.Names(ctx, string(p))
}

func (p privateDir) remove(ctx context.Context, name string) error {
	return dirstore.Remove(ctx, string(p), name)
}

func (p privateDir) list(ctx context.Context) ([]record.Entry, error) {
	return dirstore.List(ctx, string(p))
}

// List returns every segment of this user that holds a token, sorted by name. It leaves out
// other files in shared memory, and files that can't be trusted.
func List(ctx context.Context) ([]Segment, error) {
	place, err := here()
	if err != nil {
		return nil, err
	}
	entries, err := place.list(ctx)
	slices.SortFunc(entries, func(a, b record.Entry) int { return strings.Compare(a.Name, b.Name) })
	var segments []Segment
	for _, e := range entries {
		segments = append(segments, Segment{
			Name:     e.Name,
			Token:    e.Token,
			Modified: e.Modified,
			Sharers:  e.Live,
			Orphan:   len(e.Live) == 0 && len(e.Dead) > 0,
		})
	}
	return segments, err
}

// Names returns every name, sorted, under which this user has a token in shared memory, or only
// what was kept beside one: a note of a failed login, the state of a rate limit, or locks.
// [Remove] removes that too. A name of more than 200 bytes is returned only with a token.
func Names(ctx context.Context) ([]string, error) {
	place, err := here()
	if err != nil {
		return nil, err
	}
	return place.names(ctx)
}

// Sweep removes files that this user's processes left in shared memory when they were killed
// or ended early: unfinished files, which may hold a token, old notes of failed logins, and
// rate limits that weren't used for 40 days. Segments stay, and so do the registrations of
// dead sharers, by which List finds orphans.
func Sweep(ctx context.Context) error {
	place, err := here()
	if err != nil {
		return err
	}
	return place.sweep(ctx)
}

// Remove removes the segment of that name and all files beside it, also the state of a rate
// limit: members that still use the limit begin a new count with what they know. The error
// wraps shsession.ErrNotShared if there is no segment; the files beside it are removed then too. Remove doesn't remove a segment that a
// live process shares, since that process would put it back.
func Remove(ctx context.Context, name string) error {
	s, err := Open(name)
	if err != nil {
		return err
	}
	return s.place.remove(ctx, name)
}
