package tokenendpoint_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

// basic is an Authorization header with both parts as they are.
func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// The credentials may come in the body, by Basic, or in part by each, where the body's count.
func TestCredentials(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		encoded := basic(url.QueryEscape(clientID), url.QueryEscape(r.secret))
		for name, test := range map[string]struct {
			drop   []string
			header string
			status int
		}{
			"in the body":                        {nil, "", 200},
			"by Basic":                           {[]string{"client_id", "client_secret"}, encoded, 200},
			"by basic, written so":               {[]string{"client_id", "client_secret"}, "b" + encoded[1:], 200},
			"the id in both":                     {[]string{"client_secret"}, encoded, 200},
			"the body's before the header's":     {nil, basic("unknown", "wrong"), 200},
			"by Basic, not encoded":              {[]string{"client_id", "client_secret"}, basic(clientID, r.secret), 401},
			"by Basic with a bad percent sign":   {[]string{"client_id", "client_secret"}, basic("%zz", r.secret), 401},
			"by Basic that isn't base64":         {[]string{"client_id", "client_secret"}, "Basic ???", 401},
			"the secret as a bearer token":       {[]string{"client_id", "client_secret"}, "Bearer " + r.secret, 401},
			"the header's right, the body's not": {[]string{"client_id", "client_secret"}, basic("x", r.secret), 401},
		} {
			form := r.form()
			for _, key := range test.drop {
				form.Del(key)
			}
			req := r.post(form)
			if test.header != "" {
				req.Header.Set("Authorization", test.header)
			}
			if a := r.send(t, req); a.status != test.status {
				t.Errorf("%s: answered %d, want %d", name, a.status, test.status)
			}
		}
	})
}

// The answer is the service's own, but for the life: that is what's left.
func TestAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		first := r.send(t, r.post(r.form()))
		r.wantToken(t, first)
		want := []string{"access_token", "expires_in", "not-before-policy", "refresh_expires_in", "scope", "token_type"}
		if diff := cmp.Diff(want, first.keys()); diff != "" {
			t.Errorf("members (-want +got):\n%s", diff)
		}
		if first.text("token_type") != "Bearer" || first.text("scope") != "profile email" || first.expiresIn() != time.Hour {
			t.Errorf("answered %v %v %v", first.body["token_type"], first.body["scope"], first.body["expires_in"])
		}
		time.Sleep(20*time.Minute + time.Millisecond)
		if a := r.send(t, r.post(r.form())); a.expiresIn() != 40*time.Minute-time.Second || a.text("access_token") != first.text("access_token") {
			t.Errorf("after 20 minutes it answered %v, want the same token for 40 minutes, rounded down", a.expiresIn())
		}
		if n := r.service.Counters().TokensIssued; n != 1 {
			t.Errorf("%d logins", n)
		}
	})
}

// What other sharers wrote beside a token isn't handed out, and what's missing is put there.
func TestAnswerWithSharedToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expires := time.Now().Add(time.Hour).Unix()
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": "opaque", "expires_at": %d.5, "expires_in": 3600,
			"issuer": "https://identity.test", "client_id": "c", "not-before-policy": 1700000000123, "x": {"y": [1]}}`, expires))
		if err != nil {
			t.Fatal(err)
		}
		secret := tokenendpoint.NewSecret()
		e, err := tokenendpoint.New(shsession.FromToken(token), tokenendpoint.Options{ClientID: clientID, Secret: secret, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		r := &rig{secret: secret.Reveal()}
		a := send(t, e, r.post(r.form()))
		want := map[string]any{"access_token": "opaque", "expires_in": 3600.0, "token_type": "Bearer", "scope": "",
			"not-before-policy": 1700000000123.0, "x": map[string]any{"y": []any{1.0}}}
		if diff := cmp.Diff(want, a.body); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		time.Sleep(2 * time.Hour)
		if a := send(t, e, r.post(r.form())); a.status != http.StatusServiceUnavailable {
			t.Errorf("an expired token was answered with %d", a.status)
		}
	})
}

// A token with less life than clients need is renewed before it is handed out.
func TestLifeLeft(t *testing.T) {
	for life, least := range map[time.Duration]time.Duration{
		time.Hour: 150 * time.Second, 10 * time.Minute: 150 * time.Second, time.Minute: 30 * time.Second, 8 * time.Second: 4 * time.Second,
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, life)
			for start := time.Now(); time.Since(start) < 3*life; time.Sleep(life / 50) {
				a := r.send(t, r.post(r.form()))
				if a.status != http.StatusOK || a.expiresIn() < least-time.Second {
					t.Fatalf("tokens of %v: answered %d with a life of %v, want %v at least", life, a.status, a.expiresIn(), least)
				}
			}
			if n, most := r.service.Counters().TokensIssued, int64(3*life/(life-least))+1; n > most {
				t.Errorf("tokens of %v: %d logins in three lives, want %d at most", life, n, most)
			}
		})
	}
}

// In an outage the valid token is handed out, whatever is left of it: at once if the service
// refuses, after five seconds if it hangs.
func TestOutage(t *testing.T) {
	for fault, patience := range map[string]time.Duration{"503": 0, "hang": 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, time.Hour)
			token := r.login(t)
			inject(t, r.service, fault)
			time.Sleep(58 * time.Minute)
			for token.Remaining() > 11*time.Second {
				a := r.send(t, r.post(r.form()))
				if a.text("access_token") != token.AccessToken() || a.took > patience {
					t.Fatalf("%s: answered %d after %v, with %v left of the token", fault, a.status, a.took, token.Remaining())
				}
				time.Sleep(3 * time.Second)
			}
			time.Sleep(time.Minute) // the last attempt ends by itself
		})
	}
}

func inject(t *testing.T, service *identity.Server, text string) {
	t.Helper()
	service.AddRule(identity.Rule{Fault: identity.MustParseFault(text)})
}

// Without a valid token, clients wait for the login, and are told when to ask again if that
// fails.
func TestUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		inject(t, r.service, "503")
		a := r.send(t, r.post(r.form()))
		if a.status != http.StatusServiceUnavailable || a.text("error") != "temporarily_unavailable" || a.took < 30*time.Second {
			t.Errorf("answered %d %s after %v", a.status, a.text("error"), a.took)
		}
		wait, err := strconv.Atoi(a.header.Get("Retry-After"))
		if next := r.session.Status().NextTry; err != nil || wait < 1 || time.Duration(wait-1)*time.Second > time.Until(next) {
			t.Errorf("Retry-After %q, and the next attempt is in %v", a.header.Get("Retry-After"), time.Until(next))
		}

		ctx, cancel := context.WithTimeout(t.Context(), 7*time.Second)
		defer cancel()
		if a := r.send(t, r.post(r.form()).WithContext(ctx)); a.status != http.StatusServiceUnavailable || a.took != 7*time.Second {
			t.Errorf("a client that waits for 7 s was answered %d after %v", a.status, a.took)
		}
		if s := r.endpoint.Status(); s.Unavailable != 2 || s.Handed != 0 || s.Refused != 0 {
			t.Errorf("status %+v", s)
		}

		r.service.Clear()
		r.wantToken(t, r.send(t, r.post(r.form())))
	})
}

// A thousand clients whose token has expired make one login.
func TestManyAtExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		old := r.login(t)
		inject(t, r.service, "slow:500ms")
		time.Sleep(2 * time.Hour)
		var clients sync.WaitGroup
		for range 1000 {
			clients.Go(func() {
				if a := r.send(t, r.post(r.form())); a.status != http.StatusOK || a.text("access_token") == old.AccessToken() || a.took != 500*time.Millisecond {
					t.Errorf("answered %d after %v", a.status, a.took)
				}
			})
		}
		clients.Wait()
		if c := r.service.Counters(); c.TokensIssued != 2 || c.TokenRequests != 2 {
			t.Errorf("%d token requests, want one before and one after", c.TokenRequests)
		}
		if s := r.endpoint.Status(); s.Handed != 1000 || s.Clients != 1000 || s.LastAt.IsZero() {
			t.Errorf("status %+v", s)
		}
	})
}

// Current counts the clients of the token that was handed out last.
func TestStatus(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		if s := r.endpoint.Status(); s != (tokenendpoint.Status{}) {
			t.Errorf("status %+v before any request", s)
		}
		for range 3 {
			r.send(t, r.post(r.form()))
		}
		time.Sleep(59 * time.Minute)
		at := time.Now()
		r.send(t, r.post(r.form()))
		if s := r.endpoint.Status(); s.Handed != 4 || s.Clients != 3 || !s.LastAt.Equal(at) {
			t.Errorf("status %+v", s)
		}
	})
}

func TestNoSecretIsShown(t *testing.T) {
	r := newRig(t, time.Hour)
	token := r.login(t).AccessToken()
	r.send(t, r.post(r.form()))
	testkit.Eventually(t, "the login is over", func() bool { return r.tokens.Load() == 1 }) // reflection reads what it writes
	w, err := tokenendpoint.NewWorthless(r.session)
	if err != nil {
		t.Fatal(err)
	}
	testkit.ScanSecrets(t, map[string]any{"endpoint": r.endpoint, "worthless endpoint": w}, r.secret, realSecret, token)
}

// Zero values and missing parts are errors.
func TestNewMistakes(t *testing.T) {
	r := newRig(t, time.Hour)
	secret := tokenendpoint.NewSecret()
	for name, test := range map[string]struct {
		session *shsession.Session
		options tokenendpoint.Options
	}{
		"no session":   {nil, tokenendpoint.Options{ClientID: clientID, Secret: secret}},
		"no client id": {r.session, tokenendpoint.Options{Secret: secret}},
		"no secret":    {r.session, tokenendpoint.Options{ClientID: clientID}},
	} {
		if e, err := tokenendpoint.New(test.session, test.options); err == nil || e != nil {
			t.Errorf("%s: no error", name)
		}
	}
	if h, err := tokenendpoint.NewWorthless(nil); err == nil || h != nil {
		t.Error("a worthless endpoint without a session: no error")
	}
}
