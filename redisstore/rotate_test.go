package redisstore_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
)

// A rotation is a client whose secret changes, and processes that learn of it one by one.
type rotation struct {
	service *identity.Server
	current atomic.Pointer[http.Handler] // service, or the one that accepts another secret
	url     string
}

const rotatingClient = "rotating"

func newRotation(t *testing.T) *rotation {
	t.Helper()
	r := &rotation{}
	r.accept(t, "first")
	listening := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		(*r.current.Load()).ServeHTTP(w, req)
	}))
	t.Cleanup(listening.Close)
	r.url = listening.URL + "/auth/realms/main/protocol/openid-connect/token"
	return r
}

// accept makes the service accept one secret, and counts logins from now on.
func (r *rotation) accept(t *testing.T, secret string) {
	t.Helper()
	service, err := identity.New(identity.Options{
		Clients: []identity.Client{{ID: rotatingClient, Secret: shsession.NewSecret(secret)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	var handler http.Handler = service
	r.service = service
	r.current.Store(&handler)
}

func (r *rotation) wantLogins(t *testing.T, issued, refused int64) {
	t.Helper()
	if n := r.service.Counters(); n.TokensIssued != issued || n.TokenRequests-n.TokensIssued != refused {
		t.Errorf("%d logins and %d refusals, want %d and %d", n.TokensIssued, n.TokenRequests-n.TokensIssued, issued, refused)
	}
}

// A rotating is one process of the client: its secret is what it would read in its file.
type rotating struct {
	secret  atomic.Value
	log     testkit.Output
	store   *redisstore.Store
	session *shsession.Session
}

func (r *rotation) join(t *testing.T, s *server, secret string) *rotating {
	t.Helper()
	p := &rotating{}
	p.secret.Store(secret)
	read := func(context.Context) (shsession.Secret, error) {
		return shsession.NewSecret(p.secret.Load().(string)), nil
	}
	p.store = s.open(t, "name", redisstore.Options{
		Interval: 50 * time.Millisecond,
		ReadKey: func(ctx context.Context) (shsession.Secret, error) {
			secret, _ := read(ctx)
			return redisstore.ClientKey(rotatingClient, secret)
		},
	})
	var err error
	p.session, err = shsession.Join(shsession.Config{
		ClientID: rotatingClient, ReadSecret: read, TokenURL: r.url,
		HTTPClient: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}},
		Logger:     slog.New(slog.NewTextHandler(&p.log, nil)),
	}, p.store)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *rotating) token(t *testing.T) shsession.Token {
	t.Helper()
	token, err := p.session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestClientSecretRotated: with a key that follows from the client's secret, members recover
// from a rotation without a restart, each when it reads the new secret.
func TestClientSecretRotated(t *testing.T) {
	t.Parallel()
	s, r := startRedis(t), newRotation(t)
	a, b := r.join(t, s, "first"), r.join(t, s, "first")
	if !a.token(t).Equal(b.token(t)) {
		t.Error("two members have two tokens")
	}
	r.wantLogins(t, 1, 0)

	r.accept(t, "second")
	before := s.do(t, "GET", tokenKey).Val()
	refused := r.join(t, s, "wrong") // which can't read the token, and so logs in
	var auth *shsession.AuthError
	if _, err := refused.session.Token(t.Context()); !errors.As(err, &auth) {
		t.Errorf("a member with a wrong secret: %v, want an AuthError", err)
	}
	if s.do(t, "GET", tokenKey).Val() != before {
		t.Error("a member whose secret was refused has replaced the token")
	}
	r.wantLogins(t, 0, 1)

	a.secret.Store("second")
	renewed, err := a.session.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := s.do(t, "GET", tokenKey).Val()
	if _, err := b.session.Renew(t.Context()); !errors.As(err, &auth) {
		t.Errorf("a member with the old secret: %v, want an AuthError", err)
	}
	if s.do(t, "GET", tokenKey).Val() != after {
		t.Error("a member with the old secret has replaced the token")
	}
	if _, err := shsession.Collect(t.Context(), b.store); !errors.Is(err, redisstore.ErrWrongKey) || !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Collect with the old key: %v, want ErrWrongKey and ErrNotShared", err)
	}
	b.secret.Store("second")
	refused.secret.Store("second")
	testkit.Eventually(t, "a member with an old token has the first one's token", func() bool {
		token, err := b.session.Renew(t.Context())
		return err == nil && token.Equal(renewed)
	})
	testkit.Eventually(t, "a member that reads the new secret has the first one's token", func() bool {
		token, err := refused.session.Token(t.Context())
		return err == nil && token.Equal(renewed)
	})
	r.wantLogins(t, 1, 2)
}

// TestClientSecretRotatedBeforeTheRest: who starts with the new secret logs in, though the
// token of the old one is there, and takes the others along.
func TestClientSecretRotatedBeforeTheRest(t *testing.T) {
	t.Parallel()
	s, r := startRedis(t), newRotation(t)
	old := r.join(t, s, "first")
	old.token(t)
	r.accept(t, "second")
	fresh := r.join(t, s, "second")
	renewed := fresh.token(t)
	old.secret.Store("second")
	old.session.Reject(old.token(t))
	if !old.token(t).Equal(renewed) {
		t.Error("two members have two tokens")
	}
	r.wantLogins(t, 1, 0)
}

// TestSharersOfARotatedSecret: a sharer that hasn't read the new secret yet leaves the token
// of those who have, and shares that one once it has.
func TestSharersOfARotatedSecret(t *testing.T) {
	t.Parallel()
	s, r := startRedis(t), newRotation(t)
	a, b := r.join(t, s, "first"), r.join(t, s, "first")
	for _, p := range []*rotating{a, b} {
		sharing, err := shsession.Share(t.Context(), p.session, p.store)
		if err != nil {
			t.Fatal(err)
		}
		defer sharing.Close()
	}
	r.accept(t, "second")
	a.secret.Store("second")
	renewed, err := a.session.Renew(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := b.store.Publish(t.Context(), b.token(t)); !errors.Is(err, redisstore.ErrWrongKey) {
		t.Errorf("Publish with the old key and without the lock: %v, want ErrWrongKey", err)
	}
	testkit.Eventually(t, "b is told that its token was replaced", func() bool {
		return strings.Contains(b.log.String(), "couldn't be shared")
	})
	if there, err := a.store.Load(t.Context()); err != nil || !there.Equal(renewed) {
		t.Error("a sharer with the old secret has put its own token back")
	}
	b.secret.Store("second")
	testkit.Eventually(t, "b has a's token", func() bool { return b.token(t).Equal(renewed) })
	r.wantLogins(t, 1, 0)
}

// TestAnotherClientsKey: the token of another client isn't absent.
func TestAnotherClientsKey(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	for i, clientID := range []string{"one", "two"} {
		key, err := redisstore.ClientKey(clientID, shsession.NewSecret("secret"))
		if err != nil {
			t.Fatal(err)
		}
		store := s.open(t, "name", redisstore.Options{Key: key})
		if i == 0 {
			publish(t, store, newToken(t, "token", time.Hour))
			continue
		}
		if _, err := store.Load(t.Context()); !errors.Is(err, redisstore.ErrWrongKey) || errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("Load with another client's key: %v, want ErrWrongKey alone", err)
		}
	}
}
