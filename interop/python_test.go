package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A machine is the files and environment that a Python script sees: its home directory is its own.
type machine struct {
	python string
	home   string
	env    []string
}

// newMachine returns one without a config.toml.
func newMachine(t *testing.T) machine {
	t.Helper()
	python := needPython(t)
	home := t.TempDir()
	return machine{python, home, []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + home,
		"XDG_CONFIG_HOME=" + home,
		"OAUTHLIB_INSECURE_TRANSPORT=1", // our services speak http
		"PYTHONDONTWRITEBYTECODE=1",
		"PYTHONIOENCODING=utf-8",
	}}
}

// configFile is the machine's config.toml.
func (m machine) configFile() string { return filepath.Join(m.home, "sentinelhub", "config.toml") }

// command returns the command that runs a script of the directory python.
func (m machine) command(ctx context.Context, script string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, m.python, append([]string{filepath.Join("python", script)}, args...)...)
	cmd.Env = m.env
	return cmd
}

// run runs a script, which must succeed, with stdin as JSON unless it is nil, and decodes its output into result unless that is nil.
func (m machine) run(t *testing.T, stdin, result any, script string, args ...string) {
	t.Helper()
	if err := m.try(t, stdin, result, script, args...); err != nil {
		t.Fatal(err)
	}
}

// A scriptError is a script's failure.
type scriptError struct {
	script, stderr string
	err            error
}

func (e *scriptError) Error() string { return e.script + ": " + e.err.Error() + "\n" + e.stderr }

func (e *scriptError) Unwrap() error { return e.err }

// try is run for a script that may fail, with a *scriptError.
func (m machine) try(t *testing.T, stdin, result any, script string, args ...string) error {
	t.Helper()
	cmd := m.command(t.Context(), script, args...)
	if stdin != nil {
		data, err := json.Marshal(stdin)
		if err != nil {
			t.Fatal(err)
		}
		cmd.Stdin = bytes.NewReader(data)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return &scriptError{script, stderr.String(), err}
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(out, result); err != nil {
		t.Fatalf("%s printed %q: %v", script, out, err)
	}
	return nil
}
