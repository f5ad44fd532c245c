package shconfig_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// isolate hides the machine's own configuration from a test, and returns the
// path where its config.toml would be.
func isolate(t *testing.T) string {
	t.Helper()
	for _, name := range []string{
		"SH_PROFILE", "SH_CLIENT_ID", "SH_CLIENT_SECRET", "SH_CLIENT_SECRET_FILE", "SH_CLIENT_SECRET_COMMAND", "SH_BASE_URL", "SH_TOKEN_URL",
	} {
		t.Setenv(name, "")
	}
	dir := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", dir)
	return filepath.Join(dir, "sentinelhub", "config.toml")
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func load(t *testing.T, o shconfig.Options) shconfig.Profile {
	t.Helper()
	p, err := shconfig.Load(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func mustEqual(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestLoadDefaults(t *testing.T) {
	path := isolate(t)
	p := load(t, shconfig.Options{})
	mustEqual(t, "name", p.Name, shconfig.DefaultProfile)
	mustEqual(t, "file", p.File, "")
	mustEqual(t, "base URL", p.BaseURL, shsession.SentinelHubBaseURL)
	mustEqual(t, "token URL", p.TokenURL, shsession.SentinelHubTokenURL)
	mustEqual(t, "attempts", p.MaxDownloadAttempts, 4)
	mustEqual(t, "wait", p.DownloadSleepTime, 5*time.Second)
	mustEqual(t, "timeout", p.DownloadTimeout, 120*time.Second)
	mustEqual(t, "warnings", len(p.Warnings), 0)
	if _, ok := p.Sources[shconfig.ClientID]; ok {
		t.Error("a client id that nobody set has a source")
	}
	mustEqual(t, "source", p.Sources[shconfig.BaseURL], shconfig.SourceDefault)
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("loading made a directory: %v", err)
	}
}

func TestLoadPrecedence(t *testing.T) {
	path := isolate(t)
	write(t, path, `
[default-profile]
sh_client_id = "file-id"
sh_client_secret = "file-secret"
max_download_attempts = 7
download_sleep_time = 2
download_timeout_seconds = 1.5
unknown = [1, 2]
`)
	p := load(t, shconfig.Options{})
	mustEqual(t, "client id", p.ClientID, "file-id")
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "file-secret")
	mustEqual(t, "attempts", p.MaxDownloadAttempts, 7)
	mustEqual(t, "wait", p.DownloadSleepTime, 2*time.Second)
	mustEqual(t, "timeout", p.DownloadTimeout, 1500*time.Millisecond)
	mustEqual(t, "file", p.File, path)
	mustEqual(t, "source", p.Sources[shconfig.ClientID], path)

	t.Setenv("SH_CLIENT_ID", "env-id")
	t.Setenv("SH_CLIENT_SECRET", "env-secret")
	t.Setenv("SH_TOKEN_URL", "https://example.com/token")
	p = load(t, shconfig.Options{})
	mustEqual(t, "client id", p.ClientID, "env-id")
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "env-secret")
	mustEqual(t, "token URL", p.TokenURL, "https://example.com/token")
	mustEqual(t, "source", p.Sources[shconfig.ClientSecret], "SH_CLIENT_SECRET")

	p = load(t, shconfig.Options{Preset: "cdse", Settings: shconfig.Settings{ClientID: "argument-id"}})
	mustEqual(t, "client id", p.ClientID, "argument-id")
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "env-secret")
	mustEqual(t, "base URL", p.BaseURL, shsession.CDSEBaseURL)
	mustEqual(t, "token URL", p.TokenURL, shsession.CDSETokenURL)
	mustEqual(t, "source", p.Sources[shconfig.ClientID], shconfig.SourceArgument)
	mustEqual(t, "source", p.Sources[shconfig.TokenURL], "preset cdse")
	for _, key := range shconfig.Keys() {
		if p.Sources[key] == "" {
			t.Errorf("%s came from nowhere", key)
		}
	}
}

func TestLoadProfileName(t *testing.T) {
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_client_id = 'a'\n[cdse]\nsh_client_id = 'b'\n[\"my.own\"]\nsh_client_id = 'c'\n")
	for _, tt := range []struct{ argument, environment, want string }{
		{"", "", "a"},
		{"", "cdse", "b"},
		{"my.own", "cdse", "c"},
		{"default-profile", "cdse", "a"},
	} {
		t.Setenv("SH_PROFILE", tt.environment)
		mustEqual(t, fmt.Sprintf("%+v", tt), load(t, shconfig.Options{Profile: tt.argument}).ClientID, tt.want)
	}
}

func TestLoadWithoutDefaultProfile(t *testing.T) {
	path := isolate(t)
	write(t, path, "[other]\nsh_client_id = 'x'\n")
	t.Setenv("SH_CLIENT_ID", "env")
	mustEqual(t, "client id", load(t, shconfig.Options{}).ClientID, "env")
}

func TestLoadNamedFile(t *testing.T) {
	isolate(t)
	path := filepath.Join(t.TempDir(), "other.toml")
	if _, err := shconfig.Load(shconfig.Options{File: path}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a named file that is missing: got %v", err)
	}
	write(t, path, "[default-profile]\nsh_client_id = 'x'\n")
	mustEqual(t, "client id", load(t, shconfig.Options{File: path}).ClientID, "x")
}

func TestLoadRefusesHugeFile(t *testing.T) {
	path := isolate(t)
	write(t, path, strings.Repeat("# comment\n", 200_000))
	if _, err := shconfig.Load(shconfig.Options{}); err == nil {
		t.Error("2 MB were read")
	}
}

func TestLoadOldAuthURL(t *testing.T) {
	path := isolate(t)
	write(t, path, "[default-profile]\nsh_token_url = 'https://loses.example'\nsh_auth_base_url = 'https://old.example/'\n")
	p := load(t, shconfig.Options{})
	mustEqual(t, "token URL", p.TokenURL, "https://old.example/oauth/token")
	mustEqual(t, "warnings", len(p.Warnings), 1)
	p = load(t, shconfig.Options{Settings: shconfig.Settings{TokenURL: "https://argument.example"}})
	mustEqual(t, "token URL", p.TokenURL, "https://argument.example")
}

func TestConfig(t *testing.T) {
	path := isolate(t)
	t.Setenv("SH_CLIENT_ID", "id")
	t.Setenv("SH_CLIENT_SECRET", "secret")
	got := load(t, shconfig.Options{}).Config()
	if got.ClientSecret.Reveal() != "secret" || got.ClientID != "id" || got.BaseURL != shsession.SentinelHubBaseURL || got.TokenURL != shsession.SentinelHubTokenURL {
		t.Errorf("got %+v", got)
	}
	mustEqual(t, "attempts", got.MaxAttempts, 4)
	mustEqual(t, "wait", got.RetryWait, 5*time.Second)
	mustEqual(t, "timeout", got.Timeout, time.Duration(0)) // New's own default

	write(t, path, "[default-profile]\ndownload_timeout_seconds = 120\ndownload_sleep_time = 0\n")
	got = load(t, shconfig.Options{}).Config()
	mustEqual(t, "timeout", got.Timeout, 120*time.Second)
	if got.RetryWait <= 0 || got.RetryWait > time.Microsecond {
		t.Errorf("no wait became %v", got.RetryWait)
	}
}

func TestPath(t *testing.T) {
	isolate(t)
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	xdg := t.TempDir()
	for set, want := range map[string]string{
		xdg:        filepath.Join(xdg, "sentinelhub", "config.toml"),
		"":         filepath.Join(home, ".config", "sentinelhub", "config.toml"),
		"relative": filepath.Join(home, ".config", "sentinelhub", "config.toml"),
	} {
		t.Setenv("XDG_CONFIG_HOME", set)
		got, err := shconfig.Path()
		if err != nil {
			t.Fatal(err)
		}
		mustEqual(t, "path for "+set, got, want)
	}
}

func TestLoadWarnsAboutOpenFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("mode bits say nothing on Windows")
	}
	path := isolate(t)
	for _, tt := range []struct {
		text     string
		mode     fs.FileMode
		warnings int
	}{
		{"[other]\nsh_client_secret = 'hunter2'\n", 0o644, 1},
		{"[other]\nsh_client_secret = 'hunter2'\n", 0o620, 1},
		{"[other]\nsh_client_secret = 'hunter2'\n", 0o600, 0},
		{"[default-profile]\n", 0o644, 0}, // as the Python package makes it by itself
	} {
		write(t, path, tt.text)
		if err := os.Chmod(path, tt.mode); err != nil {
			t.Fatal(err)
		}
		p := load(t, shconfig.Options{})
		mustEqual(t, fmt.Sprintf("warnings about %o, %s", tt.mode, tt.text), len(p.Warnings), tt.warnings)
	}
}

func TestMask(t *testing.T) {
	// The right column is what SHConfig._mask_credentials answers.
	for value, want := range map[string]string{
		"":                 "",
		"abc":              "***",
		"0123456789":       "**********",
		"0123456789ab":     "**********ab",
		"0123456789abcd":   "**********abcd",
		"0123456789abcdef": "************cdef",
		"ßßßßßßßßßßßß":     "**********ßß",
	} {
		mustEqual(t, value, shconfig.Mask(value), want)
	}
}
