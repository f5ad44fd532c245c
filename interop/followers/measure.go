package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/redisstore"
)

const (
	// ramp is how long it takes until all followers have started.
	ramp = 2 * time.Second

	// slice is the resolution of what is counted over time.
	slice = 100 * time.Millisecond
)

// measure carries out the plan. It blocks until every follower has had the last token, or ctx is done.
func (p plan) measure(ctx context.Context, server *server) (*result, error) {
	service, err := identity.New(identity.Options{Lifetime: p.life})
	if err != nil {
		return nil, err
	}
	session, err := shsession.New(shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		HTTPClient:   &http.Client{Transport: service.RoundTripper()},
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	stores, err := p.open(server.addr)
	if err != nil {
		return nil, err
	}
	defer closeAll(stores)

	start := time.Now()
	h := &history{start: start, tokens: map[string]published{}, reads: make([]atomic.Int64, p.slices())}
	sharing, err := shsession.Share(ctx, session, source{stores[0], h})
	if err != nil {
		return nil, err
	}
	followers := p.follow(ctx, h, stores[1:])
	r := &result{plan: p, logins: int(service.Counters().TokenRequests), took: time.Since(start), history: h, followers: followers}
	info, infoErr := server.info()
	r.redis = info
	return r, errors.Join(ctx.Err(), infoErr, sharing.Close())
}

// slices is how many slices of time the plan takes at most.
func (p plan) slices() int { return int((time.Duration(p.lives+2)*p.life + ramp) / slice) }

// open opens a Store for the sharer and those of the followers.
func (p plan) open(addr string) ([]*redisstore.Store, error) {
	key, err := redisstore.ClientKey(identity.DevelopmentID, shsession.NewSecret(identity.DevelopmentSecret))
	if err != nil {
		return nil, err
	}
	var stores []*redisstore.Store
	for range p.clients + 1 {
		store, err := redisstore.Open("redis://"+addr+"/0", redisstore.Options{Key: key})
		if err != nil {
			closeAll(stores)
			return nil, err
		}
		stores = append(stores, store)
	}
	return stores, nil
}

func closeAll[C io.Closer](all []C) {
	for _, c := range all {
		_ = c.Close() // of a connection to Redis, at the end
	}
}

// follow starts the followers one after another and waits for them.
func (p plan) follow(ctx context.Context, h *history, stores []*redisstore.Store) []*follower {
	var running sync.WaitGroup
	followers := make([]*follower, p.followers)
	start := time.Now()
	for i := range followers {
		f := &follower{history: h}
		f.session = shsession.Follow(counted{stores[i%len(stores)], f})
		followers[i] = f
		running.Go(func() { f.run(ctx, p) })
		<-time.After(time.Until(start.Add(ramp * time.Duration(i) / time.Duration(p.followers))))
	}
	running.Wait()
	return followers
}

// A history is what happened, since start.
type history struct {
	start time.Time
	reads []atomic.Int64 // by followers, in each slice of time

	mu     sync.Mutex // guards what follows
	tokens map[string]published
}

// published is a token that was published at a moment, and ends at another.
type published struct {
	number  int // from 1
	at, end time.Time
}

// publish notes a token, if it's new.
func (h *history) publish(t shsession.Token) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, known := h.tokens[t.AccessToken()]; !known {
		h.tokens[t.AccessToken()] = published{len(h.tokens) + 1, time.Now(), t.ExpiresAt()}
	}
}

// find returns what is known of a token.
func (h *history) find(t shsession.Token) published {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.tokens[t.AccessToken()]
}

func (h *history) read() {
	if i := int(time.Since(h.start) / slice); i < len(h.reads) {
		h.reads[i].Add(1)
	}
}

// A source is the sharer's Store, and notes what it is about to publish.
type source struct {
	*redisstore.Store
	history *history
}

func (s source) Publish(ctx context.Context, t shsession.Token) error {
	s.history.publish(t) // first: a follower may be fast
	return s.Store.Publish(ctx, t)
}

// A follower follows one session.
type follower struct {
	session *shsession.Session
	history *history
	reads   atomic.Int64    // of Redis
	delays  []time.Duration // from publication until it had the token, of all but the first
	late    int             // times that it was given a token that had expired
	errs    []error
}

// run asks for tokens until it has the last.
func (f *follower) run(ctx context.Context, p plan) {
	var last shsession.Token
	var current published
	for current.number < p.lives && ctx.Err() == nil {
		token, err := f.session.Token(ctx)
		now := time.Now()
		switch {
		case err != nil:
			f.errs = append(f.errs, err)
		case !token.Equal(last):
			first := last.IsZero()
			last, current = token, f.history.find(token)
			if !first {
				f.delays = append(f.delays, now.Sub(current.at))
			}
		}
		if err == nil && now.After(current.end) {
			f.late++
		}
		select {
		case <-ctx.Done():
		case <-time.After(p.asks/2 + rand.N(p.asks)):
		}
	}
}

// counted is a Store that counts a follower's reads.
type counted struct {
	*redisstore.Store
	follower *follower
}

func (c counted) Load(ctx context.Context) (shsession.Token, error) {
	c.follower.reads.Add(1)
	c.follower.history.read()
	return c.Store.Load(ctx)
}
