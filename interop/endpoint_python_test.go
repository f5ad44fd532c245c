package interop_test

import (
	"bufio"
	"encoding/json"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// machine is the machine of an endpoint's command.
func (e endpoint) machine(t *testing.T) machine {
	t.Helper()
	return machine{python: needPython(t), env: e.env}
}

// A renewer is a running endpoint_renewals.py.
type renewer struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Reader
	said  *strings.Builder // on standard error
}

// A renewals is what it prints.
type renewals struct {
	Asked  int
	Failed []string
	Times  [][2]float64       // when each of those began and ended
	Seen   map[string]float64 // tokens, by when they came up
}

func startRenewer(t *testing.T, m machine, url string) renewer {
	t.Helper()
	r := renewer{cmd: m.command(t.Context(), "endpoint_renewals.py", url), said: &strings.Builder{}}
	r.cmd.Stderr = r.said
	var err error
	if r.stdin, err = r.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := r.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	r.out = bufio.NewReader(out)
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// ready waits until the process has a token.
func (r renewer) ready(t *testing.T) {
	t.Helper()
	if line, err := r.out.ReadString('\n'); err != nil || line != "ready\n" {
		t.Errorf("%s said %q, %v", filepath.Base(r.cmd.Path), line, err)
	}
}

// end ends the process and returns what it saw.
func (r renewer) end(t *testing.T) (seen renewals) {
	t.Helper()
	_ = r.stdin.Close()
	if err := json.NewDecoder(r.out).Decode(&seen); err != nil {
		t.Error(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, r.said.String())
	}
	return seen
}

// wantNoFailure checks that the process asked, and always got what it asked for.
func (seen renewals) wantNoFailure(t *testing.T) {
	t.Helper()
	if seen.Asked == 0 || len(seen.Failed) > 0 {
		t.Errorf("of %d requests %d failed: %v", seen.Asked, len(seen.Failed), seen.Failed)
	}
}

// The processes of the package renew by themselves, which collect_shared_session never does, and
// have the same tokens. So many processes run alone.
func TestEndpointPythonRenews(t *testing.T) {
	const processes, life, runs = 16, 8 * time.Second, 20 * time.Second
	e := startEndpoint(t, life)
	m := e.machine(t)
	var all []renewer
	for range processes {
		all = append(all, startRenewer(t, m, e.api()))
	}
	for _, r := range all {
		r.ready(t)
	}
	before, start := e.service.Counters().TokensIssued, time.Now()
	<-time.After(runs)
	logins, end := e.service.Counters().TokensIssued-before, time.Now()

	results := make([]renewals, processes)
	var ending sync.WaitGroup
	for i, r := range all {
		ending.Go(func() {
			results[i] = r.end(t)
			results[i].wantNoFailure(t)
		})
	}
	ending.Wait()
	window := life / 2
	if most := int64((end.Sub(start)-1)/(life-window)) + 2; logins > most {
		t.Errorf("%d logins in %v, want %d at most", logins, end.Sub(start), most)
	}
	first := map[string]float64{}
	for _, r := range results {
		for token, at := range r.Seen {
			if was, ok := first[token]; !ok || at < was {
				first[token] = at
			}
		}
	}
	var asked, common int
	lastMoments := float64(end.Add(-3*time.Second).UnixMilli()) / 1e3
	for token, at := range first {
		if at > lastMoments {
			continue // some may have ended before they saw it
		}
		common++
		for i, r := range results {
			if _, ok := r.Seen[token]; !ok && at > float64(start.UnixMilli())/1e3 {
				t.Errorf("process %d hasn't seen a token that came up %.1f s after the start", i, at-float64(start.UnixMilli())/1e3)
			}
		}
	}
	for _, r := range results {
		asked += r.Asked
	}
	t.Logf("%d requests of %d processes with %d tokens, of %d logins in %v", asked, processes, common, logins, end.Sub(start))
	if common < 3 {
		t.Errorf("%d tokens only", common)
	}
	e.checkUse(t, int64(asked), 3, before+logins+2)
}
