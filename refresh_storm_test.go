package shsession_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// answers is an endpoint that takes 50 ms and answers what a function returns: the
// access_token and the seconds it has left to live.
type answers struct {
	token    func() (string, float64)
	requests atomic.Int64
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	time.Sleep(50 * time.Millisecond)
	a.requests.Add(1)
	token, left := a.token()
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Header: http.Header{},
		Body: io.NopCloser(strings.NewReader(fmt.Sprintf(`{"access_token":%q,"token_type":"Bearer","expires_in":%f}`, token, left))),
	}, nil
}

// A gateway may answer with the same token again, until there is another. That makes no loop
// of logins, and no caller wait.
func TestTheSameTokenAgain(t *testing.T) {
	const life = time.Minute
	for name, token := range map[string]func(since time.Duration) (string, float64){
		"with what is left": func(since time.Duration) (string, float64) {
			return fmt.Sprintf("token-%d", since/life), (life - since%life).Seconds()
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				endpoint := &answers{token: func() (string, float64) { return token(time.Since(begin)) }}
				store := &storetest.Memory{}
				s := newSession(t, configFor(endpoint))
				sharing, err := shsession.Share(t.Context(), s, store)
				if err != nil {
					t.Fatal(err)
				}
				defer time.Sleep(2 * time.Minute) // for the last flight to end
				defer sharing.Close()
				for time.Since(begin) < 10*life {
					ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second) // the margin before the end
					if _, err := s.Token(ctx); err != nil {
						t.Fatalf("after %v: %v", time.Since(begin), err)
					}
					cancel()
					time.Sleep(100 * time.Millisecond)
					synctest.Wait()
					until := s.Status().ExpiresAt
					if got, err := store.Load(t.Context()); err != nil || until.Sub(got.ExpiresAt()) > time.Second {
						t.Fatalf("after %v what is shared is %v, %v, and the session has one until %v", time.Since(begin), got, err, until)
					}
				}
				if n := endpoint.requests.Load(); n > 60 { // ten lives, and some attempts in each that brought nothing
					t.Errorf("%d requests in ten lives", n)
				}
			})
		})
	}
}

// A token that the server refused, and that comes again, is no reason to ask for it
// again at once.
func TestTheSameTokenAfterRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		endpoint := &answers{token: func() (string, float64) { return "same", 3600 }}
		s := newSession(t, configFor(endpoint))
		for range 600 { // ten minutes
			s.Reject(mustToken(t, s))
			time.Sleep(time.Second)
		}
		if n := endpoint.requests.Load(); n > 20 {
			t.Errorf("%d requests for a token that was always the same", n)
		}
	})
}

// An API that refuses every token, asked now and then for ten hours, costs few logins.
func TestAnAPIThatAlwaysRefuses(t *testing.T) {
	t.Parallel()
	for _, pause := range []time.Duration{time.Second, 61 * time.Second, 10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			service, cfg := newService(t, time.Hour)
			s := newSession(t, cfg)
			for begin := time.Now(); time.Since(begin) < 10*time.Hour; time.Sleep(pause) {
				s.Reject(mustToken(t, s))
			}
			if n := service.Counters().TokenRequests; n > 40 { // two in each half hour
				t.Errorf("refused every %v: %d logins in ten hours", pause, n)
			}
		})
	}
}

// Whoever asks for nearly all of a token's life at every call gets an error, not a login
// at every call.
func TestTokenForNearlyAllOfALife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		mustToken(t, s)
		for begin := time.Now(); time.Since(begin) < time.Hour; time.Sleep(time.Second) {
			got, err := s.TokenFor(t.Context(), 55*time.Minute)
			if got.Remaining() < 55*time.Minute && !errors.Is(err, shsession.ErrLifeTooShort) {
				t.Fatalf("55 minutes of an hour: %v, %v, want ErrLifeTooShort", got, err)
			}
			got, err = s.TokenFor(t.Context(), 54*time.Minute)
			if err != nil || got.Remaining() < 54*time.Minute {
				t.Fatalf("54 minutes of an hour: %v, %v", got, err)
			}
		}
		if n := service.Counters().TokenRequests; n > 11 {
			t.Errorf("%d logins in an hour", n)
		}
	})
}

// A caller whose renewal hangs until the token has ended goes on waiting for the next
// attempt.
func TestRenewalThatHangsPastTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Minute)
		cfg.Timeout = 20 * time.Second
		s := newSession(t, cfg)
		first := mustToken(t, s)
		time.Sleep(45 * time.Second)
		service.Inject(identity.MustParseFault("hang"), 1)
		if got := mustToken(t, s); got.Equal(first) {
			t.Error("the token that had ended came back")
		}
	})
}

// Members wait while others try in turn at a service that hangs, however long that takes:
// those who lose patience don't all log in at once.
func TestMembersOfAServiceThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		cfg.Timeout = 12 * time.Second
		service.Inject(identity.MustParseFault("hang"), 0)
		begin := time.Now()
		time.AfterFunc(time.Minute, service.Clear)
		var store storetest.Memory
		var asking sync.WaitGroup
		for range 20 {
			member := join(t, cfg, store.Handle())
			asking.Go(func() {
				for time.Since(begin) < 5*time.Minute {
					if _, err := member.Token(t.Context()); err == nil {
						return
					}
				}
				t.Error("a member had no token five minutes later")
			})
		}
		asking.Wait()
		if n := service.Counters().TokenRequests; n > 8 {
			t.Errorf("%d token requests by 20 members", n)
		}
		if n := service.Counters().TokensIssued; n > 1 {
			t.Errorf("%d logins, want one", n)
		}
		time.Sleep(5 * time.Minute) // for the last flight to end
	})
}
