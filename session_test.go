package shsession_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// A thousand goroutines at a cold start, and again at expiry, make one request each time.
func TestOneLoginForAllCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		for round := range int64(3) {
			service.Inject(identity.MustParseFault("slow:2s"), 1)
			var callers sync.WaitGroup
			for range 1000 {
				callers.Go(func() { mustToken(t, s) })
			}
			callers.Wait()
			if got := service.Counters().TokenRequests; got != round+1 {
				t.Fatalf("%d token requests after round %d, want %d", got, round+1, round+1)
			}
			time.Sleep(time.Hour)
		}
	})
}

// What is asked for most costs no allocation, whatever the session's source.
func TestFreshTokenAllocatesNothing(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	store := &storetest.Memory{}
	joined, err := shsession.Join(cfg, store)
	if err != nil {
		t.Fatal(err)
	}
	mustToken(t, joined)
	for name, s := range map[string]*shsession.Session{
		"New": newSession(t, cfg), "Join": joined, "Follow": shsession.Follow(store),
	} {
		mustToken(t, s)
		if n := testing.AllocsPerRun(100, func() { mustToken(t, s) }); n != 0 {
			t.Errorf("a fresh Token of %s makes %v allocations", name, n)
		}
	}
}

func TestStates(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		check := func(want shsession.State) {
			t.Helper()
			if got := s.Status().State; got != want {
				t.Errorf("the state is %v, want %v", got, want)
			}
		}
		check(shsession.NoToken)
		mustToken(t, s)
		check(shsession.Fresh)
		time.Sleep(time.Hour - shsession.DefaultRefreshBeforeExpiry - time.Second)
		check(shsession.Fresh)
		time.Sleep(2 * time.Second)
		check(shsession.Stale)
		time.Sleep(shsession.DefaultRefreshBeforeExpiry - 10*time.Second)
		check(shsession.Expired)
	})
}

// While a token is stale, the first caller renews it and waits; the others go on with it
// at once.
func TestFirstCallerRenews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		old := mustToken(t, s)
		time.Sleep(time.Hour - time.Minute)
		service.Inject(identity.MustParseFault("slow:3s"), 1)
		start := time.Now()
		first := make(chan shsession.Token)
		go func() { first <- mustToken(t, s) }()
		synctest.Wait()
		for range 100 {
			if got := mustToken(t, s); !got.Equal(old) {
				t.Error("a second caller got another token than the one there is")
			}
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("the other callers waited %v", waited)
		}
		if got := <-first; got.Equal(old) || time.Since(start) != 3*time.Second {
			t.Errorf("the first caller has the old token (%v), or didn't wait for the new one: %v", got.Equal(old), time.Since(start))
		}
	})
}

// A caller who leaves cancels nobody's login.
func TestImpatientCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		service.Inject(identity.MustParseFault("slow:5s"), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		patient := make(chan shsession.Token)
		go func() { patient <- mustToken(t, s) }()
		if _, err := s.Token(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the impatient caller got %v, want its deadline", err)
		}
		<-patient
		if got := service.Counters().TokenRequests; got != 1 {
			t.Errorf("%d token requests, want 1", got)
		}
	})
}

func TestTokenFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		s := newSession(t, cfg)
		first := mustToken(t, s)
		time.Sleep(3 * time.Minute)
		if got, err := s.TokenFor(t.Context(), 6*time.Minute); err != nil || !got.Equal(first) {
			t.Errorf("with 7 minutes left, a token for 6 is (%v, %v), want the one there is", got, err)
		}
		got, err := s.TokenFor(t.Context(), 8*time.Minute)
		if err != nil || got.Equal(first) || got.Remaining() < 8*time.Minute {
			t.Errorf("with 7 minutes left, a token for 8 is (%v, %v), want a new one", got, err)
		}
		before := service.Counters().TokenRequests
		for range 100 {
			if _, err := s.TokenFor(t.Context(), time.Hour); !errors.Is(err, shsession.ErrLifeTooShort) {
				t.Fatalf("a token for an hour where they live ten minutes: %v", err)
			}
		}
		if after := service.Counters().TokenRequests; after != before {
			t.Errorf("asking for more than there can be made %d logins", after-before)
		}
	})
}

func TestTokenForWhileTheServiceIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		s := newSession(t, cfg)
		mustToken(t, s)
		time.Sleep(4 * time.Minute)
		service.Inject(identity.MustParseFault("503"), 0)
		var endpoint *shsession.EndpointError
		for range 3 { // the second doesn't even try
			if _, err := s.TokenFor(t.Context(), 8*time.Minute); !errors.As(err, &endpoint) || errors.Is(err, shsession.ErrLifeTooShort) {
				t.Errorf("TokenFor = %v, want the EndpointError", err)
			}
		}
		mustToken(t, s)
	})
}

func TestNever(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Minute)
		cfg.RefreshBeforeExpiry = shsession.Never
		var warnings bytes.Buffer
		cfg.Logger = slog.New(slog.NewTextHandler(&warnings, &slog.HandlerOptions{Level: slog.LevelWarn}))
		s := newSession(t, cfg)
		first := mustToken(t, s)
		time.Sleep(45 * time.Second)
		s.Reject(first)
		if got := mustToken(t, s); !got.Equal(first) {
			t.Error("a session that never renews has another token")
		}
		time.Sleep(time.Hour)
		got, err := s.Token(t.Context())
		if !errors.Is(err, shsession.ErrExpired) || !got.Equal(first) {
			t.Errorf("Token = (%v, %v), want the expired token with ErrExpired", got, err)
		}
		for range 10 {
			_, _ = s.Token(t.Context())
		}
		synctest.Wait() // the log is written after its cause has returned
		if n := bytes.Count(warnings.Bytes(), []byte{'\n'}); n != 1 {
			t.Errorf("%d warnings, want one:\n%s", n, &warnings)
		}
		if n := service.Counters().TokenRequests; n != 1 {
			t.Errorf("%d token requests, want 1", n)
		}
	})
}

func TestFromToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Minute)
		want := mustToken(t, newSession(t, cfg))
		s := shsession.FromToken(want)
		if got := mustToken(t, s); !got.Equal(want) {
			t.Error("the session has another token than it was made from")
		}
		header, err := s.Headers(t.Context())
		if err != nil || header.Get("Authorization") != "Bearer "+want.AccessToken() {
			t.Errorf("Headers: %v", err)
		}
		time.Sleep(time.Minute)
		if got, err := s.Token(t.Context()); !errors.Is(err, shsession.ErrExpired) || !got.Equal(want) {
			t.Errorf("Token = %v, want the token with ErrExpired", err)
		}
		if header, err := s.Headers(t.Context()); !errors.Is(err, shsession.ErrExpired) || header == nil {
			t.Errorf("Headers = %v, want the header with ErrExpired", err)
		}
		if claims, err := s.Info(t.Context()); !errors.Is(err, shsession.ErrExpired) || claims.ClientID() != clientID {
			t.Errorf("Info = %v, want the claims with ErrExpired", err)
		}
	})
}

// Nanoseconds since 1970 end in the year 2262, and a token may not.
func TestFarExpiry(t *testing.T) {
	for _, expiresAt := range []string{"1e10", "1e12", "1e400"} {
		token, err := shsession.ParseToken([]byte(`{"access_token":"abc","expires_at":` + expiresAt + `}`))
		if err != nil {
			t.Fatal(err)
		}
		s := shsession.FromToken(token)
		if _, err := s.TokenFor(t.Context(), time.Hour); err != nil {
			t.Errorf("expires_at %s: %v", expiresAt, err)
		}
		if state := s.Status().State; state != shsession.Fresh {
			t.Errorf("expires_at %s: the token is %v, want fresh", expiresAt, state)
		}
	}
}

func TestFromNoToken(t *testing.T) {
	if _, err := shsession.FromToken(shsession.Token{}).Token(t.Context()); err == nil {
		t.Error("a session of no token has a token")
	}
}

// At the very moment of expiry too, a caller waits for the new token.
func TestNoErrorAtTheEdge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, time.Minute)
		s := newSession(t, cfg)
		mustToken(t, s)
		time.Sleep(40 * time.Second)
		service.Inject(identity.MustParseFault("503"), 1)
		service.Inject(identity.MustParseFault("slow:100ms"), 0)
		var asking sync.WaitGroup
		for i := range 2000 {
			asking.Go(func() {
				time.Sleep(time.Duration(i) * 10 * time.Millisecond)
				mustToken(t, s)
			})
		}
		asking.Wait()
	})
}

func TestOnToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Minute)
		var calls atomic.Int64
		var s *shsession.Session
		cfg.OnToken = func(got shsession.Token) {
			if current := mustToken(t, s); !current.Equal(got) { // would deadlock under a lock
				t.Error("OnToken has another token than the session")
			}
			time.Sleep(time.Second) // delays no caller
			calls.Add(1)
		}
		s = newSession(t, cfg)
		for range 3 {
			start := time.Now()
			mustToken(t, s)
			if took := time.Since(start); took != 0 {
				t.Errorf("Token waited %v for OnToken", took)
			}
			time.Sleep(59 * time.Second)
		}
		if got := calls.Load(); got != 3 {
			t.Errorf("OnToken was called %d times for 3 tokens", got)
		}
	})
}

func TestTokenSource(t *testing.T) {
	_, cfg := newService(t, time.Minute)
	s := newSession(t, cfg)
	got, err := s.TokenSource().Token()
	if err != nil {
		t.Fatal(err)
	}
	want := mustToken(t, s)
	if got.AccessToken != want.AccessToken() || !got.Expiry.Equal(want.ExpiresAt()) || !got.Valid() {
		t.Error("the oauth2 token differs from the session's")
	}
}

func TestNewRefusesBadConfigs(t *testing.T) {
	good := configFor(nil)
	for name, change := range map[string]func(*shsession.Config){
		"no client id":        func(c *shsession.Config) { c.ClientID = "" },
		"no secret":           func(c *shsession.Config) { c.ClientSecret = shsession.Secret{} },
		"plain http":          func(c *shsession.Config) { c.TokenURL = "http://identity.example/token" },
		"no URL":              func(c *shsession.Config) { c.TokenURL = "identity" },
		"file URL":            func(c *shsession.Config) { c.TokenURL = "file:///etc/passwd" },
		"password in the URL": func(c *shsession.Config) { c.TokenURL = "https://a:b@identity.example/token" },
		"the 503 URL":         func(c *shsession.Config) { c.TokenURL = "https://sh.dataspace.copernicus.eu/oauth/token" },
		"unknown base alone":  func(c *shsession.Config) { c.TokenURL, c.BaseURL = "", "https://example.com" },
		"negative attempts":   func(c *shsession.Config) { c.MaxAttempts = -1 },
	} {
		cfg := good
		change(&cfg)
		if _, err := shsession.New(cfg); err == nil {
			t.Errorf("%s: New takes it", name)
		}
	}
	for _, url := range []string{"http://127.0.0.1:8081/token", "http://localhost/token", "http://[::1]:80/token"} {
		cfg := good
		cfg.TokenURL = url
		if _, err := shsession.New(cfg); err != nil {
			t.Errorf("%s: %v", url, err)
		}
	}
	good.TokenURL, good.AllowHTTP = "http://identity.example/token", true
	if _, err := shsession.New(good); err != nil {
		t.Errorf("AllowHTTP: %v", err)
	}
}

func TestURLsComeInPairs(t *testing.T) {
	for _, c := range []struct{ base, token, wantHost string }{
		{"", "", "services.sentinel-hub.com"},
		{shsession.SentinelHubBaseURL, "", "services.sentinel-hub.com"},
		{"https://services-uswest2.sentinel-hub.com", "", "services.sentinel-hub.com"},
		{shsession.CDSEBaseURL, "", "identity.dataspace.copernicus.eu"},
		{"", shsession.CDSETokenURL, "identity.dataspace.copernicus.eu"},
	} {
		var host string
		cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
			host = r.URL.Host
			return nil, errors.New("out of order")
		}))
		cfg.BaseURL, cfg.TokenURL, cfg.MaxAttempts = c.base, c.token, 1
		if _, err := newSession(t, cfg).Token(t.Context()); err == nil {
			t.Error("a token out of nothing")
		}
		if host != c.wantHost {
			t.Errorf("base %q, token %q: logged in at %q, want %q", c.base, c.token, host, c.wantHost)
		}
	}
}
