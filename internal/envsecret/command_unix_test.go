//go:build unix

package envsecret_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/envsecret"
)

func TestRun(t *testing.T) {
	seen := filepath.Join(t.TempDir(), "seen")
	for command, want := range map[string]string{
		"echo hunter2":                    "hunter2",
		"printf 'hunter2\\r\\n'":          "hunter2",
		"printf ' hunter2 '":              " hunter2 ",
		"echo hunter3 >&2; echo hunter2":  "hunter2",
		"cat; echo hunter2":               "hunter2", // there is nothing to read
		"env >" + seen + "; echo hunter2": "hunter2",
	} {
		t.Setenv(variable+"_COMMAND", command)
		isCommand, err := envsecret.IsCommand(variable)
		if !isCommand || err != nil {
			t.Errorf("%s: %v, %v", command, isCommand, err)
		}
		if secret, err := envsecret.Run(t.Context(), variable); err != nil || secret.Reveal() != want {
			t.Errorf("%s: %q, %v", command, secret.Reveal(), err)
		}
	}
	env, err := os.ReadFile(seen)
	if err != nil || strings.Contains(string(env), variable) {
		t.Errorf("the command sees %v, %s", err, env)
	}
}

// Every mistake names the variable, and repeats neither the command nor what it writes.
func TestRunMistakes(t *testing.T) {
	for _, command := range []string{
		"echo hunter2; exit 3", "echo hunter2 >&2; false", "true", "echo", "echo hunter2; echo hunter3",
		"printf 'hunter2\\000'", "yes hunter2", "hunter2-is-no-program", "kill -9 $$",
	} {
		t.Setenv(variable+"_COMMAND", command)
		secret, err := envsecret.Run(t.Context(), variable)
		if err == nil || !secret.IsZero() || !strings.HasPrefix(err.Error(), variable+"_COMMAND: ") || strings.Contains(err.Error(), "hunter") {
			t.Errorf("%s: %q, %v", command, secret.Reveal(), err)
		}
	}
	t.Setenv(variable, "hunter2")
	if _, err := envsecret.IsCommand(variable); err == nil || strings.Contains(err.Error(), "hunter") {
		t.Errorf("two variables are set: %v", err)
	}
}

// A command is killed when nobody waits for it any longer, and so is one whose child holds its output.
func TestRunTooLong(t *testing.T) {
	for _, command := range []string{"exec sleep 1000", "sleep 1000 & wait"} {
		pid := filepath.Join(t.TempDir(), "pid")
		t.Setenv(variable+"_COMMAND", "echo $$ >"+pid+"; "+command)
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		go func() {
			for {
				if text, err := os.ReadFile(pid); err == nil && len(text) > 0 {
					cancel(gone)
					return
				}
			}
		}()
		if _, err := envsecret.Run(ctx, variable); !errors.Is(err, gone) {
			t.Errorf("%s: %v", command, err)
		}
	}
}
