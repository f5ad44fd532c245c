// Package status looks at what is shared: the tokens in this machine's segments of shared memory, or
// the one in another STORE, who shares each, and how their renewals go.
package status

import (
	"context"
	"fmt"
	"math"
	"os"
	"sync"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/shm"
)

// A Share is a token in a STORE, and who shares it. Its JSON is what "shsession status --json"
// prints.
type Share struct {
	Name             string    `json:"name"`
	ClientID         string    `json:"client_id"` // "" if the token doesn't tell
	Issuer           string    `json:"issuer"`    // "" if the token doesn't tell
	ExpiresAt        time.Time `json:"expires_at"`
	RemainingSeconds float64   `json:"remaining_seconds"`
	PublishedAt      time.Time `json:"published_at,omitzero"` // zero if it isn't known
	AgeSeconds       float64   `json:"age_seconds,omitzero"`
	Sharers          []Sharer  `json:"sharers"`
	State            string    `json:"state"`
	Limit            *Limit    `json:"limit,omitempty"` // nil if nobody shares one

	Token shsession.Token `json:"-"`

	title  string // for people, if the client isn't enough to tell it from others
	orphan bool   // its sharers died
}

// A Sharer is a process that shares a token.
type Sharer struct {
	PID      int    `json:"pid"`
	Host     string `json:"host,omitempty"` // "" for this machine
	ClientID string `json:"client_id"`

	*Report // nil if it gives none
}

// Is reports whether s and other are one process.
func (s Sharer) Is(other Sharer) bool { return s.PID == other.PID && s.Host == other.Host }

// The states of a share.
const (
	Shared   = "shared"   // live processes keep the token fresh
	Failing  = "failing"  // live processes share the token, and couldn't renew it last time
	Orphaned = "orphaned" // its sharers died; the next one takes it over
	Cached   = "cached"   // "shsession token" renews it when it is called
	Unknown  = "unknown"  // of Join or of Python, which don't say whether they run
	Expired  = "expired"
)

// A Look returns what is shared at the moment. For an empty STORE it returns no share, or an error
// that wraps [shsession.ErrNotShared].
type Look func(context.Context) ([]Share, error)

// LookAtAll looks at every segment of this user.
func LookAtAll(ctx context.Context) ([]Share, error) {
	return segments(ctx, func(shm.Segment) bool { return true })
}

// LookAt returns a look at one STORE.
func LookAt(store shsession.Store) Look {
	if segment, ok := store.(*shm.Store); ok {
		return func(ctx context.Context) ([]Share, error) {
			shares, err := segments(ctx, func(s shm.Segment) bool { return "shm:"+s.Name == segment.String() })
			if err == nil && len(shares) == 0 {
				_, err = segment.Load(ctx) // which says why there is none
			}
			return shares, err
		}
	}
	return func(ctx context.Context) ([]Share, error) {
		share, err := shareIn(ctx, store)
		if err != nil {
			return nil, err
		}
		share.Limit = limitOf(ctx, store)
		shares := []Share{share}
		askSharers(ctx, shares)
		return shares, nil
	}
}

// segments returns the shares in those segments that are wanted.
func segments(ctx context.Context, wanted func(shm.Segment) bool) ([]Share, error) {
	found, err := shm.List(ctx)
	if err != nil {
		return nil, err
	}
	shares := []Share{}
	for _, s := range found {
		if !wanted(s) {
			continue
		}
		share := newShare(s.Name, s.Token)
		share.PublishedAt, share.AgeSeconds = s.Modified.UTC(), Seconds(time.Since(s.Modified))
		share.setState(len(s.Sharers) > 0, s.Orphan)
		if store, err := shm.Open(s.Name); err == nil {
			share.Limit = limitOf(ctx, store)
		}
		for _, sharer := range s.Sharers {
			share.Sharers = append(share.Sharers, Sharer{PID: sharer.PID, ClientID: sharer.ClientID})
		}
		shares = append(shares, share)
	}
	tellApart(shares)
	askSharers(ctx, shares)
	return shares, nil
}

func newShare(name string, t shsession.Token) Share {
	account := t.Account()
	return Share{
		Name:             name,
		ClientID:         account.ClientID,
		Issuer:           account.Issuer,
		ExpiresAt:        t.ExpiresAt().UTC(),
		RemainingSeconds: Seconds(t.Remaining()),
		Sharers:          []Sharer{},
		State:            Unknown,
		Token:            t,
	}
}

// setState sets the state of a share that has live sharers, or had sharers that died.
func (s *Share) setState(live, orphan bool) {
	s.orphan = orphan
	switch {
	case s.Token.Remaining() == 0:
		s.State = Expired
	case live:
		s.State = Shared
	case orphan:
		s.State = Orphaned
	case cache.IsName(s.Name):
		s.State = Cached
	}
}

// Seconds returns d in seconds, to the millisecond.
func Seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// shareIn returns the share in a STORE that can't be listed, such as Redis.
func shareIn(ctx context.Context, store shsession.Store) (Share, error) {
	t, err := store.Load(ctx)
	if err != nil {
		return Share{}, err
	}
	share := newShare(fmt.Sprint(store), t)
	var live, dead []shsession.Sharer
	if lister, ok := store.(shsession.SharerLister); ok {
		if live, dead, err = lister.Sharers(ctx); err != nil { // the rights of a user of Redis needn't permit it
			live, dead = nil, nil
		}
	}
	share.setState(len(live) > 0, len(live) == 0 && len(dead) > 0)
	for _, s := range live {
		share.Sharers = append(share.Sharers, Sharer{PID: s.PID, Host: s.Host, ClientID: s.ClientID})
	}
	return share, nil
}

// askSharers asks the sharers on this machine for their reports.
func askSharers(ctx context.Context, shares []Share) {
	here, _ := os.Hostname() // on an error, no sharer with a host is taken for one of this machine
	var asking sync.WaitGroup
	for _, share := range shares {
		for i := range share.Sharers {
			if sharer := &share.Sharers[i]; sharer.Host == "" || sharer.Host == here {
				asking.Go(func() { sharer.Report = Ask(ctx, sharer.PID) })
			}
		}
	}
	asking.Wait()
	for i := range shares {
		if s := &shares[i]; s.State == Shared && s.isFailing() {
			s.State = Failing
		}
	}
}
