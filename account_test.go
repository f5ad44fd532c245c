package shsession_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// anotherService is a second service with the same client id, at another issuer.
func anotherService(t *testing.T) (*identity.Server, shsession.Config) {
	t.Helper()
	service, cfg := newService(t, 10*time.Minute)
	cfg.TokenURL = strings.Replace(tokenURL, "identity.example", "staging.example", 1)
	return service, cfg
}

// One client id at two services is two accounts: neither is served the other's token.
func TestOneClientAtTwoServices(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		_, production := newService(t, 10*time.Minute)
		service, staging := anotherService(t)
		var store storetest.Memory
		sh := share(t, newSession(t, production), &store)
		wantConflict := func(what string, err error) {
			t.Helper()
			var conflict *shsession.ConflictError
			if !errors.As(err, &conflict) {
				t.Errorf("%s = %v, want a ConflictError", what, err)
				return
			}
			for _, issuer := range []string{"https://identity.example/auth/realms/main", "https://staging.example/auth/realms/main"} {
				if !strings.Contains(err.Error(), issuer) {
					t.Errorf("%s doesn't name the issuer %s: %v", what, issuer, err)
				}
			}
		}
		_, err := shsession.Share(t.Context(), newSession(t, staging), store.Handle())
		wantConflict("Share", err)
		_, err = join(t, staging, store.Handle()).Token(t.Context())
		wantConflict("Join's Token", err)
		if n := service.Counters().TokenRequests; n != 0 {
			t.Errorf("%d logins at the second service", n)
		}
		wantShared(t, &store)
		sh.Close()
		share(t, newSession(t, staging), store.Handle()).Close()
	})
}

// The old and the new addresses of Sentinel Hub are one issuer.
func TestOneIssuerAtSeveralAddresses(t *testing.T) {
	main := shsession.Account{Issuer: "https://services.sentinel-hub.com/auth/realms/main", ClientID: "c"}
	for _, issuer := range []string{
		"https://services.sentinel-hub.com/oauth/token",
		"https://services-uswest2.sentinel-hub.com/auth/realms/main",
		"", // can't be told
	} {
		if other := (shsession.Account{Issuer: issuer, ClientID: "c"}); !main.Matches(other) || !other.Matches(main) {
			t.Errorf("issuer %q is another one than Sentinel Hub's", issuer)
		}
	}
	cdse := "https://identity.dataspace.copernicus.eu/auth/realms/CDSE"
	if main.Matches(shsession.Account{Issuer: cdse, ClientID: "c"}) || main.Matches(shsession.Account{Issuer: main.Issuer, ClientID: "d"}) {
		t.Error("two accounts are taken for one")
	}
}

// What is published names the account, and holds no token but the access token.
func TestWhatIsPublished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		body := `{"access_token":"opaque-1","expires_in":600,"refresh_token":"r-secret","id_token":"i-secret","kept":1.50}`
		cfg := configFor(answer(200, "application/json", body))
		var store storetest.Memory
		s := newSession(t, cfg)
		sh := share(t, s, &store)
		var published map[string]json.RawMessage
		if err := json.Unmarshal(wantShared(t, &store).Encode(), &published); err != nil {
			t.Fatal(err)
		}
		for name, want := range map[string]string{
			"client_id": `"client-7"`, "issuer": `"https://identity.example/auth/realms/main"`, "kept": "1.50",
			"refresh_token": "", "id_token": "",
		} {
			if got := string(published[name]); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		want := shsession.Account{Issuer: "https://identity.example/auth/realms/main", ClientID: clientID}
		if got := wantShared(t, &store).Account(); got != want {
			t.Errorf("the opaque token's account is %+v, want %+v", got, want)
		}
		sh.Close()
	})
}
