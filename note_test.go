package shsession_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// Each run of a program with a wrong secret has the answer that the first run had, without
// a login; a run with another secret logs in.
func TestARefusalIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		wrong := cfg
		wrong.ClientSecret = shsession.NewSecret("wrong")
		for range 20 {
			var auth *shsession.AuthError
			if _, err := join(t, wrong, store.Handle()).Token(t.Context()); !errors.As(err, &auth) || auth.Code == "" {
				t.Errorf("Token = %v, want the AuthError with its code", err)
			}
		}
		if n := service.Counters().TokenRequests; n != 1 {
			t.Errorf("%d logins with one wrong secret, want 1", n)
		}
		mustToken(t, join(t, cfg, store.Handle())) // another secret
		if n := service.Counters().TokenRequests; n != 2 {
			t.Errorf("%d logins, want 2", n)
		}
	})
}

// A member whose secret was refused has the token that another brings, at once.
func TestARefusalHidesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		wrong := cfg
		wrong.ClientSecret = shsession.NewSecret("wrong")
		refused := join(t, wrong, store.Handle())
		if _, err := refused.Token(t.Context()); err == nil {
			t.Fatal("a token for a wrong secret")
		}
		token := mustToken(t, join(t, cfg, store.Handle()))
		if got := mustToken(t, refused); !got.Equal(token) {
			t.Error("the refused member has another token than the shared one")
		}
	})
}

// Twenty members with a wrong secret, who ask all the time, are refused a few times an hour:
// the wait doubles up to 15 minutes.
func TestMembersWithAWrongSecret(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		cfg.ClientSecret = shsession.NewSecret("wrong")
		var store storetest.Memory
		members := make([]*shsession.Session, 20)
		for i := range members {
			members[i] = join(t, cfg, store.Handle())
		}
		for begin := time.Now(); time.Since(begin) < time.Hour; time.Sleep(time.Second) {
			for _, m := range members {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				if _, err := m.Token(ctx); err == nil {
					t.Error("a token for a wrong secret")
				}
				cancel()
			}
		}
		if n := service.Counters().TokenRequests; n < 5 || n > 10 { // after 1, 2, 4, 8, 15, 15, 15 minutes
			t.Errorf("%d logins in an hour, want about 8", n)
		}
	})
}

// A noted failure doesn't hide a fresh token, and Renew passes it.
func TestANoteHidesNoToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		var store storetest.Memory
		first := join(t, cfg, store.Handle())
		token := mustToken(t, first)
		service.Inject(identity.MustParseFault("429"), 0)
		first.Reject(token)
		mustToken(t, first) // the renewal fails, and leaves a note
		service.Clear()
		second := join(t, cfg, store.Handle())
		if got := mustToken(t, second); !got.Equal(token) {
			t.Error("the fresh token isn't what a new member gets")
		}
		if got, err := second.Renew(t.Context()); err != nil || got.Equal(token) {
			t.Errorf("Renew = %v, want a new token past the note", err)
		}
	})
}

// What is local isn't noted: another process may have another network.
func TestALocalFailureIsNotNoted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		var store storetest.Memory
		cut := cfg
		cut.MaxAttempts = 1
		cut.HTTPClient = &http.Client{Transport: roundTripFunc(func(*http.Request) (*http.Response, error) {
			return nil, errors.New("no route to host")
		})}
		var endpoint *shsession.EndpointError
		if _, err := join(t, cut, store.Handle()).Token(t.Context()); !errors.As(err, &endpoint) {
			t.Fatalf("Token = %v, want an EndpointError", err)
		}
		asked := time.Now()
		mustToken(t, join(t, cfg, store.Handle()))
		if waited := time.Since(asked); waited > 0 {
			t.Errorf("another process waited %v for what is wrong with one process's network", waited)
		}
	})
}

// However long a note asks for, readers believe it for a minute, and a refused secret's up to
// 15 minutes.
func TestNotesAreCapped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			note shsession.Note
			want time.Duration
		}{
			"none":               {shsession.Note{Until: time.Now().Add(time.Hour)}, 0},
			"ended":              {shsession.Note{Status: 503, Until: time.Now().Add(-time.Second)}, 0},
			"short":              {shsession.Note{Status: 503, Until: time.Now().Add(time.Second)}, time.Second},
			"trouble":            {shsession.Note{Status: 503, Until: time.Now().Add(time.Hour), Failures: 9}, time.Minute},
			"first refusal":      {shsession.Note{Status: 401, Secret: "x", Until: time.Now().Add(time.Hour), Failures: 1}, time.Minute},
			"third refusal":      {shsession.Note{Status: 401, Secret: "x", Until: time.Now().Add(time.Hour), Failures: 3}, 4 * time.Minute},
			"refused for long":   {shsession.Note{Status: 401, Secret: "x", Until: time.Now().Add(time.Hour), Failures: 1e9}, 15 * time.Minute},
			"senseless failures": {shsession.Note{Status: 401, Secret: "x", Until: time.Now().Add(time.Hour), Failures: -1}, time.Minute},
		} {
			if got := c.note.Remaining(); got != c.want {
				t.Errorf("%s: the note is in force for %v, want %v", name, got, c.want)
			}
		}
	})
}

// Any 4xx is final for its call, but for those that say to come back; as in the Python
// package, with or without an error code.
func TestFinalAnswers(t *testing.T) {
	for status, want := range map[int]int{400: 1, 401: 1, 403: 1, 404: 1, 410: 1, 408: 4, 425: 4, 429: 4, 500: 4, 503: 4} {
		for _, body := range []string{"", "<html>", `{"error":"whatever"}`} {
			t.Run(fmt.Sprint(status, body), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					requests := 0
					s := newSession(t, configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
						requests++
						if r.GetBody != nil {
							t.Error("the request has a GetBody, so that a transport can repeat it")
						}
						return answer(status, "text/html", body).RoundTrip(r)
					})))
					if _, err := s.Token(t.Context()); err == nil {
						t.Error("a token of a failure")
					}
					if requests != want {
						t.Errorf("%d requests, want %d", requests, want)
					}
				})
			})
		}
	}
}

// A renewal never makes it worse: a token that lives longer is kept, unless it was refused.
func TestARenewalNeverMakesItWorse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lives := []string{"600", "20"}
		requests := 0
		cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			if requests >= len(lives) {
				return answer(503, "text/html", "").RoundTrip(r)
			}
			body := fmt.Sprintf(`{"access_token":"token-%d","expires_in":%s}`, requests, lives[requests])
			requests++
			return answer(200, "application/json", body).RoundTrip(r)
		}))
		store := &storetest.Memory{}
		s := join(t, cfg, store)
		first := mustToken(t, s)
		time.Sleep(8*time.Minute + time.Second)
		for range 100 {
			if !mustToken(t, s).Equal(first) || !wantShared(t, store).Equal(first) {
				t.Fatalf("the token of 20 s took the place of one with %v left", first.Remaining())
			}
			time.Sleep(time.Second)
		}
	})
}

// Of expires_in and the token's own exp - iat the shorter life is believed.
func TestTheShorterLifeIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().Unix()
		token := jwt(fmt.Sprintf(`{"iat":%d,"exp":%d}`, now, now+60))
		s := newSession(t, configFor(answer(200, "application/json", fmt.Sprintf(`{"access_token":%q,"expires_in":3600}`, token))))
		if got := mustToken(t, s); got.Life() != time.Minute || got.Remaining() > time.Minute {
			t.Errorf("the token lives %v and has %v left, want a minute", got.Life(), got.Remaining())
		}
	})
}

// A sharer goes on alone while its store is down, and takes turns again when it is back.
func TestShareGoesOnAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		store := &deadStore{alive: true}
		s := newSession(t, cfg)
		sh := share(t, s, store)
		store.kill()
		for begin := time.Now(); time.Since(begin) < time.Hour; time.Sleep(time.Second) {
			mustToken(t, s)
		}
		if n := service.Counters().TokenRequests; n < 6 || n > 9 {
			t.Errorf("%d logins in an hour of ten-minute tokens", n)
		}
		store.revive()
		time.Sleep(2 * time.Minute)
		if got := wantShared(t, store); !got.Equal(mustToken(t, s)) {
			t.Error("the store that is back doesn't hold the session's token")
		}
		sh.Close()
		wantNothingShared(t, store)
	})
}
