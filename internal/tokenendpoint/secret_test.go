package tokenendpoint_test

import (
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/shsession/shsession/internal/tokenendpoint"
)

func TestNewSecret(t *testing.T) {
	a, b := tokenendpoint.NewSecret().Reveal(), tokenendpoint.NewSecret().Reveal()
	if a == b || len(a) != 43 || url.QueryEscape(a) != a {
		t.Errorf("%q and %q aren't two placeholders of 256 bits that stay the same in a form", a, b)
	}
}

// The file is made once, for however many ask at once, and stays.
func TestSecretFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "secret")
	var mu sync.Mutex // guards found
	found := map[string]int{}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			secret, err := tokenendpoint.SecretFile(path)
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			found[secret.Reveal()]++
		})
	}
	all.Wait()
	if len(found) != 1 || found[""] != 0 {
		t.Errorf("%d secrets", len(found))
	}
	if text, err := os.ReadFile(path); err != nil || found[string(text)] != 20 {
		t.Errorf("the file holds more than the secret: %q, %v", text, err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("%v %v, want the file alone", entries, err)
	}
}

// A file that isn't ours, or that others can read, is an error that doesn't repeat its text.
func TestSecretFileMistakes(t *testing.T) {
	good := tokenendpoint.NewSecret().Reveal()
	for name, test := range map[string]struct {
		text string
		mode fs.FileMode
		ok   bool
	}{
		"as it is made":         {good, 0o600, true},
		"with a line's end":     {good + "\n", 0o600, true},
		"with Windows' own":     {good + "\r\n", 0o400, true},
		"open to others":        {good, 0o644, false},
		"writable by the group": {good, 0o620, false},
		"empty":                 {"", 0o600, false},
		"too short":             {good[:42], 0o600, false},
		"too long":              {good + "x", 0o600, false},
		"another secret":        {"hunter2-hunter2-hunter2-hunter2-hunter2-!!!", 0o600, false},
		"two lines":             {good + "\n" + good, 0o600, false},
	} {
		path := filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, test.mode); err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS == "windows" && test.mode&0o077 != 0 {
			continue
		}
		secret, err := tokenendpoint.SecretFile(path)
		if (err == nil) != test.ok || test.ok && secret.Reveal() != good {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), good[:42])) {
			t.Errorf("%s: the error shows the text: %v", name, err)
		}
	}
	if _, err := tokenendpoint.SecretFile(t.TempDir()); err == nil {
		t.Error("a directory: no error")
	}
	if _, err := tokenendpoint.SecretFile(filepath.Join(t.TempDir(), "missing", "secret")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a missing directory: %v", err)
	}
}
