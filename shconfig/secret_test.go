package shconfig_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// A secret that came from a file is read again, in whatever way the file is replaced.
func TestReadSecretAgain(t *testing.T) {
	const profile = "[default-profile]\nsh_client_id = \"client\"\nsh_client_secret = \"%\"\n"
	for name, tt := range map[string]struct {
		variable bool   // the secret is in the file of SH_CLIENT_SECRET_FILE, else in config.toml
		text     string // of the file, with % for the secret
	}{
		"config.toml":           {false, profile},
		"SH_CLIENT_SECRET_FILE": {true, "%\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := isolate(t)
			if tt.variable {
				path = filepath.Join(t.TempDir(), "secret")
				t.Setenv("SH_CLIENT_SECRET_FILE", path)
			}
			hold := func(secret string) { write(t, path, strings.ReplaceAll(tt.text, "%", secret)) }
			hold("of yesterday")
			cfg := load(t, shconfig.Options{}).Config()
			want := func(what, secret string) {
				t.Helper()
				got, err := cfg.ReadSecret(t.Context())
				if err != nil || got.Reveal() != secret {
					t.Errorf("%s: %q, %v, want %q", what, got.Reveal(), err, secret)
				}
			}
			want("unchanged", "of yesterday")
			hold("of today")
			want("overwritten", "of today")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			want("gone", "of yesterday")
			hold("of tomorrow")
			want("there again", "of tomorrow")
			write(t, path, "two\nlines = \n")
			if got, err := cfg.ReadSecret(t.Context()); err == nil {
				t.Errorf("a file that can't be read is no error: %q", got.Reveal())
			} else if strings.Contains(err.Error(), "lines") {
				t.Errorf("the error repeats the file: %v", err)
			}
		})
	}
}

// A session doesn't send the secret of another client.
func TestReadSecretOfAnotherClient(t *testing.T) {
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_id = \"client\"\nsh_client_secret = \"a\"\n")
	p := load(t, shconfig.Options{})
	write(t, path, "[default-profile]\nsh_client_id = \"another\"\nsh_client_secret = \"hidden\"\n")
	if got, err := p.ReadSecret(t.Context()); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%q, %v, want an error without the secret", got.Reveal(), err)
	}
}

// A secret that is in no file isn't read again.
func TestSecretInNoFile(t *testing.T) {
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_id = \"client\"\nsh_client_secret = \"in the file\"\n")
	argument := shconfig.Options{Settings: shconfig.Settings{ClientSecret: shsession.NewSecret("argument")}}
	if load(t, argument).Config().ReadSecret != nil {
		t.Error("an argument is read again")
	}
	t.Setenv("SH_CLIENT_SECRET", "variable")
	if load(t, shconfig.Options{}).Config().ReadSecret != nil {
		t.Error("a variable is read again")
	}
}
