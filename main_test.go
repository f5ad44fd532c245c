package shsession_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

func TestMain(m *testing.M) {
	if os.Getenv(memberEnv) != "" { // this process is one of the many of a test
		os.Exit(member(os.Getenv(memberEnv), os.Getenv(memberURLEnv)))
	}
	if segment := os.Getenv(collectEnv); segment != "" {
		os.Exit(collect(segment))
	}
	if url := os.Getenv(loginEnv); url != "" {
		os.Exit(login(url))
	}
	testkit.SetParallel("12")
	testkit.VerifyTestMain(m)
}

const (
	clientID = "client-7"
	secret   = "the-client-secret-zzz"
	tokenURL = "https://identity.example/auth/realms/main/protocol/openid-connect/token"
	apiURL   = "https://identity.example/api/v1/process"
)

// newService returns an identity service with tokens of the given life, and a config that
// logs in to it.
func newService(t *testing.T, lifetime time.Duration) (*identity.Server, shsession.Config) {
	t.Helper()
	service := testkit.NewService(t, identity.Options{
		Clients:  []identity.Client{{ID: clientID, Secret: shsession.NewSecret(secret)}},
		Lifetime: lifetime,
	})
	return service, configFor(service.RoundTripper())
}

// configFor returns a config whose token requests go through a RoundTripper.
func configFor(rt http.RoundTripper) shsession.Config {
	return shsession.Config{
		ClientID:     clientID,
		ClientSecret: shsession.NewSecret(secret),
		TokenURL:     tokenURL,
		HTTPClient:   &http.Client{Transport: rt},
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func newSession(t *testing.T, cfg shsession.Config) *shsession.Session {
	t.Helper()
	s, err := shsession.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// mustToken returns the session's token, which has to be valid.
func mustToken(t *testing.T, s *shsession.Session) shsession.Token {
	t.Helper()
	token, err := s.Token(t.Context())
	if err != nil {
		t.Fatalf("Token: %v", err)
	}
	if token.Remaining() <= 0 {
		t.Fatalf("Token returned an expired %v", token)
	}
	return token
}

// roundTripFunc is an endpoint made of a function.
type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newBenchSession(rt http.RoundTripper) (*shsession.Session, error) {
	return shsession.New(configFor(rt))
}

var errDead = errors.New("the store is dead")

// deadStore can't be reached until it's revived.
type deadStore struct {
	storetest.Memory
	mu    sync.Mutex // guards alive
	alive bool
}

func (d *deadStore) revive() { d.set(true) }
func (d *deadStore) kill()   { d.set(false) }

func (d *deadStore) set(alive bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.alive = alive
}

func (d *deadStore) Load(ctx context.Context) (shsession.Token, error) {
	d.mu.Lock()
	alive := d.alive
	d.mu.Unlock()
	if !alive {
		return shsession.Token{}, errDead
	}
	return d.Memory.Load(ctx)
}
