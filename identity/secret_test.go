package identity_test

import (
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

const ossifrage = "squeamish-ossifrage-zzz"

// secretHolders returns every exported type that holds a secret, by name.
func secretHolders(t *testing.T) map[string]any {
	t.Helper()
	client := identity.Client{ID: "a", Secret: shsession.NewSecret(ossifrage)}
	o := identity.Options{Clients: []identity.Client{client}, Key: testkit.SigningKey()}
	s, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]any{
		"client": client, "pointer to a client": &client, "options": o, "pointer to options": &o, "server": s,
	}
}

func TestSecretsDontShow(t *testing.T) {
	key := testkit.SigningKey()
	testkit.ScanSecrets(t, secretHolders(t), "zzz", key.D.String(), key.D.Text(16), key.Primes[0].String())
}

func TestSecretsDontShowInPanics(t *testing.T) {
	t.Parallel()
	testkit.ScanPanics(t, secretHolders(t), "zzz")
}
