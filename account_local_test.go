package shsession_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

const (
	// localEndpoint is the token URL of a `share --endpoint`.
	localEndpoint = "http://127.0.0.1:40001/token"

	// localKeycloak is a token URL of Keycloak's on this machine: that of a proxy, for example.
	localKeycloak = "http://127.0.0.1:40002/auth/realms/main/protocol/openid-connect/token"
)

// localService returns a config for a token URL on this machine, behind which is a service whose
// tokens have their own issuer.
func localService(t *testing.T, url, issuer string) (*identity.Server, shsession.Config) {
	t.Helper()
	service := testkit.NewService(t, identity.Options{
		Clients: []identity.Client{{ID: clientID, Secret: shsession.NewSecret(secret)}}, BaseURL: issuer, Lifetime: 10 * time.Minute,
	})
	cfg := configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		r = r.Clone(r.Context())
		r.URL.Path = "/auth/realms/main/protocol/openid-connect/token"
		return service.RoundTripper().RoundTrip(r)
	}))
	cfg.TokenURL = url
	return service, cfg
}

// wantOtherAccount checks for a ConflictError that names two issuers.
func wantOtherAccount(t *testing.T, err error, issuers ...string) {
	t.Helper()
	if !errors.As(err, new(*shsession.ConflictError)) {
		t.Errorf("%v, want a ConflictError", err)
		return
	}
	for _, issuer := range issuers {
		if !strings.Contains(err.Error(), issuer) {
			t.Errorf("the error doesn't name %s: %v", issuer, err)
		}
	}
}

// Behind an endpoint on this machine is whoever issued the token: its account is the service's, and
// has the service's token.
func TestAccountBehindALocalEndpoint(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, direct := newService(t, 10*time.Minute)
		service, local := localService(t, localEndpoint, "https://identity.example")
		var store storetest.Memory
		share(t, newSession(t, direct), &store)
		sharer := newSession(t, local)
		share(t, sharer, store.Handle())
		if !mustToken(t, sharer).Equal(wantShared(t, &store)) {
			t.Error("the session at the endpoint has another token")
		}
		if n := service.Counters().TokenRequests; n != 0 {
			t.Errorf("%d logins at the endpoint", n)
		}

		s := newSession(t, local)
		want := shsession.Account{Issuer: "https://identity.example/auth/realms/main", ClientID: clientID}
		if got := mustToken(t, s).Account(); got != want {
			t.Errorf("the account is %+v, want %+v", got, want)
		}
		_, staging := anotherService(t)
		var others storetest.Memory
		share(t, newSession(t, staging), &others)
		_, err := shsession.Share(t.Context(), s, others.Handle())
		wantOtherAccount(t, err, "https://identity.example/auth/realms/main", "https://staging.example/auth/realms/main")
	})
}

// A token URL of Keycloak's names an account of its own on this machine too, whoever issues the
// tokens there: a proxy's are worthless elsewhere, and nobody is given one for the service's own.
func TestAccountAtALocalKeycloak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const issuer, address = "https://identity.example/auth/realms/main", "http://127.0.0.1:40002/auth/realms/main"
		service, direct := newService(t, 10*time.Minute)
		behind, local := localService(t, localKeycloak, "https://identity.example")
		for name, test := range map[string]struct {
			first, second shsession.Config
			counted       *identity.Server
		}{
			"the service's first":  {direct, local, behind},
			"this machine's first": {local, direct, service},
		} {
			before := test.counted.Counters().TokenRequests
			var store storetest.Memory
			sh := share(t, newSession(t, test.first), &store)
			_, err := shsession.Share(t.Context(), newSession(t, test.second), store.Handle())
			wantOtherAccount(t, err, issuer, address)
			_, err = join(t, test.second, store.Handle()).Token(t.Context())
			wantOtherAccount(t, err, issuer, address)
			if n := test.counted.Counters().TokenRequests - before; n != 0 {
				t.Errorf("%s: %d logins of the second", name, n)
			}
			sh.Close()
		}
	})
}

// Two services at one address, one after the other, are one account as long as a token of the first
// is valid: nothing tells them apart before a login.
func TestTwoServicesAtOneLocalAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, first := localService(t, localKeycloak, "https://identity.example")
		service, second := localService(t, localKeycloak, "https://staging.example")
		var store storetest.Memory
		token := mustToken(t, join(t, first, &store))
		s := join(t, second, store.Handle())
		if !mustToken(t, s).Equal(token) || service.Counters().TokenRequests != 0 {
			t.Error("the second service's session has a token of its own")
		}
		time.Sleep(10 * time.Minute)
		claims, err := mustToken(t, s).Claims()
		if err != nil || claims.Issuer != "https://staging.example/auth/realms/main" {
			t.Errorf("after the first one's end the token is of %s, %v", claims.Issuer, err)
		}
	})
}
