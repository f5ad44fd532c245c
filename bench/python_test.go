package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A pythonProcess is a Python that has imported the package sentinelhub. It starts
// when it's first needed.
type pythonProcess struct {
	home    string
	started bool
	missing error  // why there is none
	version string // of the package
	cmd     *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// findPython returns a Python with the package: SHSESSION_PYTHON, or the one that
// interop/setup installs.
func findPython() (string, error) {
	if path := os.Getenv("SHSESSION_PYTHON"); path != "" {
		return path, nil
	}
	venv, err := exec.Command("bash", "-c", ". ../interop/lib.sh && [ -e $venv/.complete ] && echo $venv").Output()
	if err != nil {
		return "", errors.New("no Python with the package sentinelhub: run interop/setup, or set SHSESSION_PYTHON")
	}
	return filepath.Join(strings.TrimSpace(string(venv)), "bin", "python"), nil
}

// loginEnv is the environment of the programs that log in at a token URL: nobody's own
// configuration.
func loginEnv(home, tokenURL string) []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home,
		"SH_CLIENT_ID=" + clientID, "SH_CLIENT_SECRET=" + clientSecret, "SH_TOKEN_URL=" + tokenURL,
		"OAUTHLIB_INSECURE_TRANSPORT=1", // the endpoint speaks http
		"PYTHONWARNINGS=ignore",         // Python deletes the segments that it read, and complains if they are gone
	}
}

func (p *pythonProcess) start() error {
	if p.started {
		return p.missing
	}
	p.started = true
	python, err := findPython()
	if err != nil {
		p.missing = err
		return err
	}
	p.cmd = exec.Command(python, filepath.Join("testdata", "peer.py"))
	p.cmd.Env, p.cmd.Stderr = loginEnv(p.home, ""), os.Stderr
	in, err := p.cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.in, p.out = in, bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return fmt.Errorf("%s said %q: %w", python, line, err)
	}
	p.version = strings.TrimSpace(strings.TrimPrefix(line, "ready, "))
	return nil
}

func (p *pythonProcess) stop() {
	if p.cmd == nil {
		return
	}
	p.in.Close()
	p.cmd.Wait()
}

// needPython starts Python and waits until it has imported the package, or skips the benchmark where there is none.
func needPython(b *testing.B) *pythonProcess {
	b.Helper()
	p := theRig.python
	if err := p.start(); err != nil {
		if p.missing != nil {
			theRig.skip(b, err.Error())
		}
		b.Fatal(err)
	}
	return p
}

// do has Python do some work and decodes its answer.
func (p *pythonProcess) do(b *testing.B, answer any, work string, n int, argument string) {
	b.Helper()
	if _, err := fmt.Fprintln(p.in, work, n, argument); err != nil {
		b.Fatal(err)
	}
	line, err := p.out.ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, answer)
	}
	if err != nil {
		b.Fatalf("python %s: %v", work, err)
	}
}

// login gives Python a session with a token of the endpoint.
func (p *pythonProcess) login(b *testing.B, e *endpoint) {
	b.Helper()
	var took float64
	p.do(b, &took, "login", 1, e.url)
	e.reset()
}

// pythonWork does b.N times some work in Python, which measures it itself.
func pythonWork(b *testing.B, p *pythonProcess, work, argument string) {
	var seconds float64
	b.ResetTimer() // which decides on b.N, and what was done before would count
	p.do(b, &seconds, work, b.N, argument)
	b.ReportMetric(seconds*1e9/float64(b.N), "ns/op")
}

// pythonPeer does some work of the session in Python.
func pythonPeer(work string) peer {
	return peer{pythonSH, func(b *testing.B) {
		p := needPython(b)
		p.login(b, newEndpoint(b, 0))
		pythonWork(b, p, work, "")
	}}
}

// pythonRenewal is callThroughRenewal in Python.
func pythonRenewal(b *testing.B, e *endpoint) [][]call {
	p := needPython(b)
	p.login(b, e)
	var callers [][][2]float64
	p.do(b, &callers, "renewal", renewalCallers, "")
	calls := make([][]call, len(callers))
	for i, pairs := range callers {
		for _, pair := range pairs {
			start := time.Unix(0, int64(pair[0]*1e9))
			calls[i] = append(calls[i], call{start, time.Duration(pair[1] * 1e9)})
		}
	}
	return calls
}

// pythonCrowd is crowd in Python.
func pythonCrowd(b *testing.B, e *endpoint, callers int) time.Duration {
	p := needPython(b)
	p.login(b, e)
	var seconds float64
	p.do(b, &seconds, "crowd", callers, "")
	return time.Duration(seconds * 1e9)
}
