package bench

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/storetest"
)

// BenchmarkFresh asks for a token that needs no renewal. The floor is an atomic load
// and a reading of the wall clock.
func BenchmarkFresh(b *testing.B) {
	loops := freshLoops(b)
	works := []work{{"alone", func(b *testing.B) {
		peers := []peer{pythonPeer("token")}
		for name, l := range loops {
			peers = append(peers, serial(name, l))
		}
		beside(b, peers...)
	}}}
	for _, n := range []int{1, 2, 8, 64} {
		works = append(works, work{fmt.Sprintf("goroutines=%d", n), func(b *testing.B) {
			var peers []peer
			for name, l := range loops {
				run := parallel(name, n, l).run
				peers = append(peers, peer{name, func(b *testing.B) {
					b.ReportAllocs()
					run(b)
				}})
			}
			beside(b, peers...)
		}})
	}
	each(b, works...)
}

// freshLoops returns the ways to ask in Go, by peer.
func freshLoops(b *testing.B) map[string]loop {
	ctx, e := b.Context(), newEndpoint(b, 0)
	session := newSession(b, e, fresh)
	reuse, provider, credentials := newOAuth2(e, fresh), newCloud(b, e, fresh), newAWS(b, e, fresh)
	return map[string]loop{
		floor: floorLoop(),
		ours:  sessionLoop(ctx, session),
		xoauth2: func(n int) bool {
			for range n {
				if t, err := reuse.Token(); err != nil || t == nil {
					return false
				}
			}
			return true
		},
		cloud: func(n int) bool {
			for range n {
				if t, err := provider.Token(ctx); err != nil || t == nil {
					return false
				}
			}
			return true
		},
		awsSDK: func(n int) bool {
			for range n {
				if c, err := credentials.Retrieve(ctx); err != nil || c.SessionToken == "" {
					return false
				}
			}
			return true
		},
	}
}

func floorLoop() loop {
	var until atomic.Pointer[int64]
	end := time.Now().Add(hour).UnixNano()
	until.Store(&end)
	return func(n int) bool {
		for range n {
			if time.Now().UnixNano() >= *until.Load() {
				return false
			}
		}
		return true
	}
}

func sessionLoop(ctx context.Context, s *shsession.Session) loop {
	return func(n int) bool {
		for range n {
			if t, err := s.Token(ctx); err != nil || t.IsZero() {
				return false
			}
		}
		return true
	}
}

// BenchmarkFreshBy asks sessions by how they were made, next to one another.
func BenchmarkFreshBy(b *testing.B) {
	ctx, e := b.Context(), newEndpoint(b, 0)
	store := &storetest.Memory{}
	made := newSession(b, e, fresh)
	t, err := made.Token(ctx)
	if err != nil {
		b.Fatal(err)
	}
	if err := store.Publish(ctx, t); err != nil {
		b.Fatal(err)
	}
	joined, err := shsession.Join(e.config(false), store)
	if err != nil {
		b.Fatal(err)
	}
	by := func(constructor string, s *shsession.Session) work {
		return work{"constructor=" + constructor, func(b *testing.B) {
			beside(b, serial(floor, floorLoop()), serial(ours, sessionLoop(ctx, s)))
		}}
	}
	each(b, by("New", made), by("Follow", shsession.Follow(store)), by("Join", joined))
}
