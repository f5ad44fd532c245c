package storetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

func testLoadNothing(t *testing.T, s Setup) {
	wantNothing(t, s.Open())
}

func testRoundTrip(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	token := parse(t, `{"access_token": "secret", "expires_at": `+in(time.Hour)+`, "expires_in": 3600,
		"token_type": "Bearer", "not-before-policy": 0, "big": 123456789012345678901234567890, "small": 1.10,
		"text": "Žluťoučký kůň <&> \u2028", "nested": {"a": [1, null, true]}, "nothing": null}`)
	publish(t, ours, token)
	wantToken(t, ours, token)
	wantToken(t, theirs, token)
}

func testReplace(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	first, second := newToken(t, "first"), newToken(t, "second")
	publish(t, ours, first)
	publish(t, theirs, second)
	wantToken(t, ours, second)
	publish(t, ours, first)
	wantToken(t, theirs, first)
}

func testSizes(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	for _, size := range []int{100, 250, 4095, 4096, 4097, shsession.MaxTokenSize, 1 << 16, 99} {
		token := sized(t, size, in(time.Hour))
		publish(t, ours, token)
		wantToken(t, theirs, token)
	}
}

func testTooLong(t *testing.T, s Setup) {
	store := s.Open()
	old := newToken(t, "old")
	publish(t, store, old)
	// A longer expires_at is the one way to a token that is too long.
	long := sized(t, shsession.MaxTokenSize, "1").WithExpiry(time.Now().Add(time.Hour))
	if n := len(long.Encode()); n <= shsession.MaxTokenSize {
		t.Fatalf("storetest's own token is only %d bytes long", n)
	}
	if err := store.Publish(t.Context(), long); err == nil {
		t.Error("a token of more than MaxTokenSize was published")
	}
	wantToken(t, store, old)
}

func testNoToken(t *testing.T, s Setup) {
	store := s.Open()
	if err := store.Publish(t.Context(), shsession.Token{}); err == nil {
		t.Error("the zero Token was published")
	}
	wantNothing(t, store)
}

func testExpired(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	expired := parse(t, `{"access_token": "old", "expires_at": `+in(-time.Hour)+`}`)
	if s.Forgets {
		token := newToken(t, "token")
		publish(t, ours, token)
		if err := ours.Publish(t.Context(), expired); !errors.Is(err, shsession.ErrExpired) {
			t.Errorf("Publish of an expired token: %v, want ErrExpired", err)
		}
		wantToken(t, theirs, token)
		return
	}
	publish(t, ours, expired)
	got, err := theirs.Load(t.Context())
	if err != nil {
		t.Fatalf("Load of an expired token: %v", err)
	}
	if !got.Equal(expired) || got.Remaining() != 0 {
		t.Errorf("the expired token came back as %v", got)
	}
}

func testWithdraw(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	publish(t, ours, newToken(t, "token"))
	withdraw(t, ours)
	wantNothing(t, ours)
	wantNothing(t, theirs)

	again := newToken(t, "again")
	publish(t, ours, again)
	wantToken(t, theirs, again)
}

func testWithdrawNothing(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	withdraw(t, ours)
	publish(t, ours, newToken(t, "token"))
	withdraw(t, ours)
	withdraw(t, ours)

	token := newToken(t, "theirs")
	publish(t, theirs, token)
	withdraw(t, ours)
	withdraw(t, s.Open())
	wantToken(t, ours, token)
}

func testWithdrawAnothers(t *testing.T, s Setup) {
	ours, theirs := s.Open(), s.Open()
	token := newToken(t, "theirs")
	publish(t, ours, newToken(t, "ours"))
	publish(t, theirs, token)
	withdraw(t, ours)
	wantToken(t, ours, token)
	withdraw(t, theirs)
	wantNothing(t, ours)
}

// testNoMixture publishes tokens of one repeated letter and of many lengths, each with
// the same letter in another field.
func testNoMixture(t *testing.T, s Setup) {
	mixed := func(i int) shsession.Token {
		text := strings.Repeat(string(rune('a'+i%26)), 50+i*i%5000)
		return parse(t, fmt.Sprintf(`{"access_token": "%s", "expires_at": %s, "copy": "%s"}`, text, in(time.Hour), text))
	}
	publish(t, s.Open(), mixed(0))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var writers, readers sync.WaitGroup
	for n := range 4 {
		store := s.Open()
		writers.Go(func() {
			for i := range 50 {
				if err := store.Publish(ctx, mixed(n*50+i)); err != nil {
					t.Errorf("Publish: %v", err)
				}
			}
		})
		readers.Go(func() {
			for reads := 0; ctx.Err() == nil || reads < 100; reads++ {
				token, err := store.Load(t.Context())
				if err != nil {
					t.Errorf("Load beside a Publish: %v", err)
					return
				}
				if fields(t, token)["copy"] != `"`+token.AccessToken()+`"` {
					t.Error("Load returned a mixture of two tokens")
					return
				}
			}
		})
	}
	writers.Wait()
	cancel()
	readers.Wait()
}

func testContextDone(t *testing.T, s Setup) {
	store := s.Open()
	token := newToken(t, "token")
	publish(t, store, token)
	cause := errors.New("the caller had enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := store.Load(ctx); !errors.Is(err, cause) {
		t.Errorf("Load: %v, want the context's cause", err)
	}
	if err := store.Publish(ctx, newToken(t, "late")); !errors.Is(err, cause) {
		t.Errorf("Publish: %v, want the context's cause", err)
	}
	if err := store.Withdraw(ctx); !errors.Is(err, cause) {
		t.Errorf("Withdraw: %v, want the context's cause", err)
	}
	if _, _, err := store.TryLock(ctx, nil); !errors.Is(err, cause) {
		t.Errorf("TryLock: %v, want the context's cause", err)
	}
	wantToken(t, store, token)
	_, unlock := lock(t, store) // which the TryLock above mustn't have taken
	unlock()
}
