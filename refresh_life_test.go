package shsession_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
)

// stamper is a token endpoint that costs nothing, for lives of a second over a day.
type stamper struct {
	expiresIn string // JSON
	requests  int
	last      time.Time
	closest   time.Duration // between two requests
}

func (st *stamper) RoundTrip(r *http.Request) (*http.Response, error) {
	if st.requests > 0 {
		if gap := time.Since(st.last); st.closest == 0 || gap < st.closest {
			st.closest = gap
		}
	}
	st.requests++
	st.last = time.Now()
	body := fmt.Sprintf(`{"access_token":"opaque-%d","token_type":"Bearer","expires_in":%s}`, st.requests, st.expiresIn)
	if st.expiresIn == "" {
		body = `{"access_token":"opaque","token_type":"Bearer"}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}},
		Body:   io.NopCloser(strings.NewReader(body)),
	}, nil
}

// A day at each life, or five thousand lives: a valid token at every moment, and at most
// one request in half a life.
func TestADayAtEachLife(t *testing.T) {
	t.Parallel()
	for _, life := range []time.Duration{time.Second, time.Minute, 10 * time.Minute, time.Hour} {
		t.Run(life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				span := min(24*time.Hour, 5000*life)
				st := &stamper{expiresIn: fmt.Sprint(life.Seconds())}
				s := newSession(t, configFor(st))
				for begin := time.Now(); time.Since(begin) < span; {
					mustToken(t, s)
					time.Sleep(life * 3 / 10)
				}
				if st.closest < life/2 {
					t.Errorf("two requests within %v", st.closest)
				}
				if most := int(2 * span / life); st.requests > most {
					t.Errorf("%d requests, more than %d", st.requests, most)
				}
			})
		})
	}
}

// An expires_in that says nothing is replaced by the claims; with an opaque token there
// is nothing to go on, which is an error, and no storm.
func TestAbsurdLives(t *testing.T) {
	t.Parallel()
	const span = 6 * time.Hour
	for _, expiresIn := range []string{"", "0", "-1", `"soon"`, "1e12", "null", "{}", "1e400", "true"} {
		t.Run("opaque "+expiresIn, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				st := &stamper{expiresIn: expiresIn}
				s := newSession(t, configFor(st))
				for begin := time.Now(); time.Since(begin) < span; time.Sleep(10 * time.Second) {
					_, err := s.Token(t.Context())
					var endpoint *shsession.EndpointError
					if !errors.As(err, &endpoint) {
						t.Fatalf("Token = %v, want an EndpointError", err)
					}
				}
				if most := int(2 * span / time.Minute); st.requests > most {
					t.Errorf("%d requests in %v", st.requests, span)
				}
			})
		})
		t.Run("JWT "+expiresIn, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, cfg := newService(t, 10*time.Minute)
				fault := "no-expiry"
				if expiresIn != "" {
					fault = "expires-in:" + expiresIn
				}
				service.Inject(identity.MustParseFault(fault), 0)
				s := newSession(t, cfg)
				if got := mustToken(t, s).Remaining().Round(time.Second); got != 10*time.Minute {
					t.Errorf("%v remain, want the 10m0s that the claims tell", got)
				}
				for begin := time.Now(); time.Since(begin) < span; time.Sleep(time.Minute) {
					mustToken(t, s)
				}
				if n := service.Counters().TokenRequests; n > int64(2*span/(10*time.Minute)) {
					t.Errorf("%d logins in %v of tokens that live ten minutes", n, span)
				}
			})
		})
	}
}

// A string that holds a number is a number: other servers send that.
func TestExpiresInAsText(t *testing.T) {
	st := &stamper{expiresIn: `"3600"`}
	if life := mustToken(t, newSession(t, configFor(st))).Life(); life != time.Hour {
		t.Errorf("a life of %v, want 1h0m0s", life)
	}
}

// Expiry counts from before the request was sent, and a token that arrives too late is
// not handed out.
func TestSlowEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.Inject(identity.MustParseFault("slow:20s"), 1)
		sent := time.Now()
		token := mustToken(t, newSession(t, cfg))
		if want := sent.Add(10 * time.Minute); !token.ExpiresAt().Equal(want) {
			t.Errorf("expires at %v, want %v", token.ExpiresAt(), want)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Second)
		service.Inject(identity.MustParseFault("slow:2s"), 1)
		if token := mustToken(t, newSession(t, cfg)); token.Remaining() < 900*time.Millisecond {
			t.Errorf("a token with %v left was handed out", token.Remaining())
		}
		if n := service.Counters().TokenRequests; n != 2 {
			t.Errorf("%d requests, want 2", n)
		}
	})
}
