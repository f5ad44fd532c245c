package windows_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// logsIn prepares a share whose command is a script of the directory interop/python, which logs in
// at the share's endpoint.
func (d *desk) logsIn(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := d.shsession(t, append([]string{"share", "--name", d.name, "--endpoint", "--",
		program(t, "SHSESSION_PYTHON"), filepath.Join("..", "python", script)}, args...)...)
	cmd.Env = append(cmd.Env, "USERPROFILE="+d.dir, "XDG_CONFIG_HOME="+d.dir, "HTTP_PROXY=http://127.0.0.1:9", "NO_PROXY=corp.example")
	return cmd
}

// api is an address of the service that wants a token.
func (d *desk) api() string {
	var base string
	for _, variable := range d.env {
		if value, ok := strings.CutPrefix(variable, "SH_BASE_URL="); ok {
			base = value // the last one counts
		}
	}
	return base + "/api/v1/catalog/1.0.0/collections"
}

// hasNoProfile returns an error if a profile is left in config.toml.
func (d *desk) hasNoProfile() error {
	if _, err := os.Stat(filepath.Join(d.dir, "sentinelhub", "config.toml")); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("config.toml is left: %w", err)
	}
	return nil
}

// runUntil is run for a script that says "ready", and goes on for a time, until its standard input
// ends.
func runUntil(cmd *exec.Cmd, goesOn time.Duration, into any) error {
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, errIn := cmd.StdinPipe()
	stdout, errOut := cmd.StdoutPipe()
	if err := errors.Join(errIn, errOut, cmd.Start()); err != nil {
		return err
	}
	out := bufio.NewReader(stdout)
	line, err := out.ReadString('\n')
	if err == nil && strings.TrimSpace(line) == "ready" {
		<-time.After(goesOn)
	}
	stdin.Close()
	if err := errors.Join(err, json.NewDecoder(out).Decode(into), cmd.Wait()); err != nil {
		return fmt.Errorf("%w: %q %s", err, line, stderr.String())
	}
	return nil
}

// Spawned processes of the Python package, without a line changed, make one login.
func TestEndpointDownloads(t *testing.T) {
	d := newDesk(t, time.Hour)
	var downloads int
	output(t, d.logsIn(t, "endpoint_downloads.py", "2", "2", d.api()), &downloads)
	if n := d.service.Counters(); downloads != 4 || n.TokenRequests != 1 || n.APIAuthorized != 4 || n.APIUnauthorized != 0 {
		t.Errorf("%d downloads with %+v, want 1 login and 4 authorised requests", downloads, n)
	}
	if err := d.hasNoProfile(); err != nil {
		t.Error(err)
	}
}

// Programs are served through three lives of a token, and nothing fails.
func TestEndpointThroughLives(t *testing.T) {
	const life, runs = 10 * time.Second, 31 * time.Second
	var all sync.WaitGroup
	start := func(name string, d *desk, run func(into any) error) {
		all.Go(func() {
			var seen struct {
				Asked  int
				Failed []string
			}
			if err := errors.Join(run(&seen), d.hasNoProfile()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			n := d.service.Counters()
			t.Logf("%s: %d requests with %d logins", name, seen.Asked, n.TokensIssued)
			if seen.Asked < 4 || len(seen.Failed) > 0 || n.APIUnauthorized != 0 {
				t.Errorf("%s: of %d requests %d failed: %v; %+v", name, seen.Asked, len(seen.Failed), seen.Failed, n)
			}
			if n.TokensIssued < 4 || n.TokenRequests != n.TokensIssued {
				t.Errorf("%s: %d logins of %d for three lives", name, n.TokensIssued, n.TokenRequests)
			}
		})
	}
	for _, how := range []string{"post", "basic"} {
		d := newDesk(t, life)
		cmd := d.logsIn(t, "endpoint_requests_oauthlib.py", how, d.api(), fmt.Sprint(runs.Seconds()))
		start("requests-oauthlib, "+how, d, func(into any) error { return run(cmd, into) })
	}
	d := newDesk(t, life)
	cmd := d.logsIn(t, "endpoint_renewals.py", d.api())
	start("the package", d, func(into any) error { return runUntil(cmd, runs, into) })
	all.Wait()
}
