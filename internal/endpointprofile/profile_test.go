package endpointprofile_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/shsession/shsession/internal/endpointprofile"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shconfig"
)

// childVariable has the config.toml for a process of the test, which adds a profile to it and
// lives until it is killed.
const childVariable = "SHSESSION_TEST_ENDPOINT_PROFILE"

func TestMain(m *testing.M) {
	if file := os.Getenv(childVariable); file != "" {
		p, err := endpointprofile.Add(context.Background(), endpointprofile.Options{File: file, TokenURL: tokenURL})
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		fmt.Println(p.Name())
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const (
	tokenURL = "http://127.0.0.1:40001/token"
	baseURL  = "https://sh.dataspace.copernicus.eu"

	users = `# The team's.
[default-profile]
sh_client_id = "id"   # ours
sh_client_secret = "secret"
instance_id = "default's"

[cdse]
sh_client_id = 'c'
sh_client_secret = 's'
sh_token_url = 'https://identity.example/token'
max_download_attempts = 9
aws_access_key_id = "kept"
[cdse.x]
y = [1, "a"]
# the end
`
)

// newFile returns the path of a config.toml with a text, or of none.
func newFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sentinelhub", "config.toml")
	if text == "" {
		return path
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// wantFile checks that a config.toml has a text and nothing beside it, or isn't there.
func wantFile(t *testing.T, path, want string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if want == "" {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("config.toml has %q, %v; want none", got, err)
		}
		return
	}
	if err != nil || string(got) != want {
		t.Errorf("config.toml has\n%s\n%v", got, err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("beside config.toml: %v, %v", entries, err)
	}
}

func add(t *testing.T, o endpointprofile.Options) *endpointprofile.Profile {
	t.Helper()
	o.TokenURL = tokenURL
	p, err := endpointprofile.Add(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The profile is at the end while it is there, and the rest stays as it was, byte for byte.
func TestAddAndRemove(t *testing.T) {
	for name, test := range map[string]struct {
		before, like, base, want string
	}{
		"in no file":       {"", "", baseURL, "sh_base_url = '" + baseURL + "'\nsh_token_url = '" + tokenURL + "'\n"},
		"like the default": {users, "", baseURL, "instance_id = \"default's\"\nsh_base_url = '" + baseURL + "'\nsh_token_url = '" + tokenURL + "'\n"},
		"like another": {users, "cdse", "https://services.sentinel-hub.com",
			"aws_access_key_id = 'kept'\nmax_download_attempts = 9\nsh_token_url = '" + tokenURL + "'\n\n[NAME.x]\ny = [1, 'a']\n"},
		"like one that isn't there": {users, "none", "", "sh_token_url = '" + tokenURL + "'\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := newFile(t, test.before)
			p := add(t, endpointprofile.Options{File: path, Like: test.like, BaseURL: test.base})
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			added, kept := strings.CutPrefix(string(text), test.before)
			want := "[" + p.Name() + "]\n" + strings.ReplaceAll(test.want, "NAME", p.Name())
			if test.before != "" {
				want = "\n" + want
			}
			if !kept || added != want {
				t.Errorf("config.toml has\n%s\nwant at its end\n%s", text, want)
			}
			for range 2 {
				if err := p.Remove(t.Context()); err != nil {
					t.Error(err)
				}
			}
			wantFile(t, path, test.before)
		})
	}
}

// A profile that somebody has removed already is no error.
func TestRemoveWhatIsGone(t *testing.T) {
	path := newFile(t, users)
	p := add(t, endpointprofile.Options{File: path})
	if err := os.WriteFile(path, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	wantFile(t, path, users)
}

// Without a config.toml that can be written there is an error, and nothing is left behind.
func TestAddMistakes(t *testing.T) {
	if p, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: newFile(t, users)}); err == nil || p != nil {
		t.Error("no token URL: no error")
	}
	for name, text := range map[string]string{
		"no TOML": "x", "no table": "default-profile = 1\n", "too long": "# " + strings.Repeat("x", 1<<20-20),
	} {
		path := newFile(t, text)
		p, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: path, TokenURL: tokenURL})
		if err == nil || p != nil || !strings.Contains(err.Error(), "config.toml") {
			t.Errorf("%s: %v", name, err)
		}
		wantFile(t, path, text)
	}
	path := newFile(t, users)
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: path, TokenURL: tokenURL}); err == nil {
		t.Error("a directory: no error")
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside it: %v, %v", entries, err)
	}
	blocked := filepath.Join(newFile(t, users), "config.toml")
	if _, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: blocked, TokenURL: tokenURL}); err == nil {
		t.Error("a file for a directory: no error")
	}
}

// killed starts a process that adds a profile, kills it, and returns the profile's name.
func killed(t *testing.T, path string) string {
	t.Helper()
	name, kill := started(t, path)
	kill()
	return name
}

// started starts a process that adds a profile, and returns the profile's name.
func started(t *testing.T, path string) (name string, kill func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childVariable+"="+path)
	c := testkit.StartChild(t, cmd)
	line := strings.TrimSpace(c.Line(t))
	if !strings.HasPrefix(line, "shsession-endpoint-") {
		t.Fatalf("the process said %q", line)
	}
	return line, c.Kill
}

func profiles(t *testing.T, path string) []string {
	t.Helper()
	f, err := shconfig.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return f.Profiles()
}

// What killed processes left goes with the next Add, or with Sweep. What belongs to living ones
// stays.
func TestKilled(t *testing.T) {
	path := newFile(t, users)
	living, kill := started(t, path)
	dead := killed(t, path)
	if got := strings.Join(profiles(t, path), " "); !strings.Contains(got, living) || !strings.Contains(got, dead) {
		t.Fatalf("profiles %s", got)
	}
	p := add(t, endpointprofile.Options{File: path})
	if got := strings.Join(profiles(t, path), " "); !strings.Contains(got, living) || strings.Contains(got, dead) || !strings.Contains(got, p.Name()) {
		t.Errorf("after Add there are the profiles %s", got)
	}
	if err := p.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	kill()
	if err := endpointprofile.Sweep(t.Context(), path); err != nil {
		t.Error(err)
	}
	wantFile(t, path, users)
	if err := endpointprofile.Sweep(t.Context(), path); err != nil {
		t.Error(err)
	}
	if err := endpointprofile.Sweep(t.Context(), newFile(t, "")); err != nil {
		t.Errorf("without a config.toml: %v", err)
	}
}

// Processes that add and remove profiles at once don't lose any, nor anything else.
func TestManyAtOnce(t *testing.T) {
	path := newFile(t, users)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			p, err := endpointprofile.Add(t.Context(), endpointprofile.Options{File: path, TokenURL: tokenURL})
			if err != nil {
				t.Error(err)
				return
			}
			if f, err := shconfig.Open(path); err != nil || !strings.Contains(strings.Join(f.Profiles(), " "), p.Name()) {
				t.Errorf("the profile isn't there, %v", err)
			}
			if err := p.Remove(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	wantFile(t, path, users)
}
