package shsession_test

import (
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/oauth2"
)

// The floor of a fresh Token, what it costs, and what x/oauth2's ReuseTokenSource costs:
// compare the three within one run.

type floor struct {
	until atomic.Pointer[int64]
}

func (f *floor) fresh() bool { return time.Now().UnixNano() < *f.until.Load() }

func BenchmarkFresh(b *testing.B) {
	st := &stamper{expiresIn: "3600"}
	s, err := newBenchSession(st)
	if err != nil {
		b.Fatal(err)
	}
	token, err := s.Token(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	f, until := &floor{}, token.ExpiresAt().UnixNano()
	f.until.Store(&until)
	reuse := oauth2.ReuseTokenSource(nil, s.TokenSource())
	if _, err := reuse.Token(); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	for _, c := range []struct {
		name string
		ask  func() bool
	}{
		{"floor", f.fresh},
		{"shsession", func() bool { t, err := s.Token(ctx); return err == nil && !t.IsZero() }},
		{"ReuseTokenSource", func() bool { t, err := reuse.Token(); return err == nil && t != nil }},
	} {
		b.Run("serial/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !c.ask() {
					b.Fatal("no fresh token")
				}
			}
		})
		b.Run("parallel/"+c.name, func(b *testing.B) {
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if !c.ask() {
						b.Error("no fresh token")
					}
				}
			})
		})
	}
}
