package shconfig_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/shsession/shsession/shconfig"
)

// The command isn't run by Load, and wins over what is in the file.
func TestSecretCommand(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the command is for a Unix shell")
	}
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_secret = \"from-the-file\"\n")
	runs := filepath.Join(t.TempDir(), "runs")
	t.Setenv(shconfig.SourceCommand, "echo >>"+runs+"; echo hunter2")
	p := load(t, shconfig.Options{})
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "")
	mustEqual(t, "has a secret", p.HasSecret(), true)
	mustEqual(t, "source", p.Sources[shconfig.ClientSecret], shconfig.SourceCommand)
	if _, err := os.Stat(runs); err == nil {
		t.Error("Load has run the command")
	}
	secret, err := p.Config().ReadSecret(t.Context())
	if err != nil || secret.Reveal() != "hunter2" {
		t.Errorf("%q, %v", secret.Reveal(), err)
	}
}

// A profile whose secret is in the keyring has no secret of its own.
func TestSecretInTheKeyring(t *testing.T) {
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_secret = \""+shconfig.KeyringSecret+"\"\n")
	p := load(t, shconfig.Options{})
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "")
	mustEqual(t, "has a secret", p.HasSecret(), true)
	mustEqual(t, "source", p.Sources[shconfig.ClientSecret], shconfig.SourceKeyring)
	t.Setenv("SH_CLIENT_SECRET", "y")
	mustEqual(t, "the variable's", load(t, shconfig.Options{}).ClientSecret.Reveal(), "y")
}
