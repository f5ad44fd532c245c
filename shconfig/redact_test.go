package shconfig_test

import (
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shconfig"
)

// What mustn't show. The old secret is in the file, too.
const hidden, alsoHidden = "the-client-secret-zzz", "another-secret-zzz"

// secretHolders returns every exported type that holds a secret, by name.
func secretHolders(t *testing.T) map[string]any {
	t.Helper()
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_id = 'me'\nsh_client_secret = '"+alsoHidden+"'\n")
	f := open(t, "")
	settings := shconfig.Settings{ClientID: "you", ClientSecret: shsession.NewSecret(hidden)}
	set(t, f, "second", settings)
	options := shconfig.Options{Settings: settings}
	profile := load(t, options)
	return map[string]any{
		"file": *f, "pointer to a file": f, "profile": profile, "settings": settings, "options": options, "config": profile.Config(),
	}
}

func TestSecretsDontShow(t *testing.T) {
	testkit.ScanSecrets(t, secretHolders(t), "zzz")
}

func TestSecretsDontShowInPanics(t *testing.T) {
	testkit.ScanPanics(t, secretHolders(t), "zzz")
}
