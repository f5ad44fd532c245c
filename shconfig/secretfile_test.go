package shconfig_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

func TestSecretFile(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string // want "" means an error
	}{
		"bare":       {"hunter2", "hunter2"},
		"newline":    {"hunter2\n", "hunter2"},
		"CRLF":       {"hunter2\r\n", "hunter2"},
		"space kept": {" hunter2 \n", " hunter2 "},
		"empty":      {"", ""},
		"blank":      {"\n\n", ""},
		"two lines":  {"hunter2\nhunter3\n", ""},
		"too large":  {strings.Repeat("x", 100_000), ""},
	} {
		t.Run(name, func(t *testing.T) {
			isolate(t)
			path := filepath.Join(t.TempDir(), "secret")
			write(t, path, tt.text)
			t.Setenv("SH_CLIENT_SECRET_FILE", path)
			p, err := shconfig.Load(shconfig.Options{})
			if (err == nil) != (tt.want != "") {
				t.Fatalf("got error %v", err)
			}
			if err != nil {
				if strings.Contains(err.Error(), "hunter") {
					t.Errorf("%v shows the secret", err)
				}
				return
			}
			mustEqual(t, "secret", p.ClientSecret.Reveal(), tt.want)
			mustEqual(t, "source", p.Sources[shconfig.ClientSecret], "SH_CLIENT_SECRET_FILE")
			mustEqual(t, "warnings", len(p.Warnings), 0)
		})
	}
}

func TestSecretFileMissing(t *testing.T) {
	isolate(t)
	t.Setenv("SH_CLIENT_SECRET_FILE", filepath.Join(t.TempDir(), "missing"))
	if _, err := shconfig.Load(shconfig.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	// Not needed, so not opened.
	p := load(t, shconfig.Options{Settings: shconfig.Settings{ClientSecret: shsession.NewSecret("argument")}})
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "argument")
}

func TestSecretTwice(t *testing.T) {
	isolate(t)
	path := filepath.Join(t.TempDir(), "secret")
	write(t, path, "b")
	t.Setenv("SH_CLIENT_SECRET", "a")
	t.Setenv("SH_CLIENT_SECRET_FILE", path)
	if _, err := shconfig.Load(shconfig.Options{}); err == nil {
		t.Error("one of two secrets was chosen")
	}
}

// A Kubernetes secret is a link to a link to a file of mode 0644.
func TestSecretFileAsMounted(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links and mode bits")
	}
	isolate(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "..2026_01_01", "secret"), "hunter2")
	for _, err := range []error{
		os.Chmod(filepath.Join(dir, "..2026_01_01", "secret"), 0o644),
		os.Symlink("..2026_01_01", filepath.Join(dir, "..data")),
		os.Symlink(filepath.Join("..data", "secret"), filepath.Join(dir, "secret")),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("SH_CLIENT_SECRET_FILE", filepath.Join(dir, "secret"))
	p := load(t, shconfig.Options{})
	mustEqual(t, "secret", p.ClientSecret.Reveal(), "hunter2")
	mustEqual(t, "warnings", len(p.Warnings), 1)
}
