package envsecret_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/envsecret"
)

const variable = "SHSESSION_TEST_SECRET"

func TestRead(t *testing.T) {
	for name, test := range map[string]struct{ variable, file, want, from string }{
		"neither":    {"", "", "", variable},
		"variable":   {"hunter2", "", "hunter2", variable},
		"bare":       {"", "hunter2", "hunter2", variable + "_FILE"},
		"newline":    {"", "hunter2\n", "hunter2", variable + "_FILE"},
		"CRLF":       {"", "hunter2\r\n", "hunter2", variable + "_FILE"},
		"space kept": {"", " hunter2 \n", " hunter2 ", variable + "_FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, test.variable, test.file)
			v, err := envsecret.Read(variable)
			if err != nil || v.Secret.Reveal() != test.want || v.Variable != test.from {
				t.Errorf("got %q from %s, error %v", v.Secret.Reveal(), v.Variable, err)
			}
			if isFile := test.file != ""; (v.Info != nil) != isFile || (v.Path != "") != isFile {
				t.Errorf("the file is %q, %v", v.Path, v.Info)
			}
		})
	}
}

// Every mistake is an error that names the variable and doesn't repeat the secret.
func TestReadMistakes(t *testing.T) {
	for name, test := range map[string]struct{ variable, file string }{
		"both":      {"hunter2", "hunter3"},
		"blank":     {"", "\n\n"},
		"two lines": {"", "hunter2\nhunter3\n"},
		"NUL":       {"", "hunter2\x00"},
		"too large": {"", "hunter" + strings.Repeat("x", 100_000)},
	} {
		t.Run(name, func(t *testing.T) {
			set(t, test.variable, test.file)
			v, err := envsecret.Read(variable)
			if err == nil || !v.Secret.IsZero() || !strings.Contains(err.Error(), variable) || strings.Contains(err.Error(), "hunter") {
				t.Errorf("got %q, error %v", v.Secret.Reveal(), err)
			}
		})
	}
	t.Setenv(variable, "")
	t.Setenv(variable+"_FILE", filepath.Join(t.TempDir(), "missing"))
	if _, err := envsecret.Read(variable); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// set sets the variable, and the file that the other one names, unless its text is "".
func set(t *testing.T, value, text string) {
	t.Helper()
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "secret")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(variable, value)
	t.Setenv(variable+"_FILE", path)
}
