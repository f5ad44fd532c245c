package windows_test

import (
	"bytes"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// collectAll collects the session over and over until it has seen a number of tokens, and
// prints how often that was, and what it failed with.
const collectAll = `
import json, sys, time
from sentinelhub.download import collect_shared_session

tokens, collected, failures = set(), 0, []
while len(tokens) < int(sys.argv[2]) and len(failures) < 10:
    try:
        token = collect_shared_session(sys.argv[1]).token
        if token["expires_at"] <= time.time():
            failures.append("expired")
        tokens.add(token["access_token"])
        collected += 1
    except Exception as error:
        failures.append(repr(error))
    time.sleep(0.01)
json.dump({"collected": collected, "failures": failures}, sys.stdout)
`

// collectOnce is the same once, and prints the token or the name of the exception.
const collectOnce = `
import json, sys
from sentinelhub.download import collect_shared_session

try:
    json.dump(collect_shared_session(sys.argv[1]).token["access_token"], sys.stdout)
except Exception as error:
    json.dump(type(error).__name__, sys.stdout)
`

// readOnce is collectOnce with the standard library alone, since importing the package takes
// longer than the rest.
const readOnce = `
import json, sys
from multiprocessing.shared_memory import SharedMemory

try:
    memory = SharedMemory(name=sys.argv[1])
    json.dump(json.loads(memory.buf.tobytes().rstrip(b"\\x00"))["access_token"], sys.stdout)
    memory.close()
except Exception as error:
    json.dump(type(error).__name__, sys.stdout)
`

// Python processes, which know nothing of us, collect what we share for as long as it lives.
func TestPythonCollects(t *testing.T) {
	d := newDesk(t, 4*time.Second)
	s := d.share(t)
	var first string // whose process writes the package's config.toml: others that read it meanwhile would fail
	output(t, d.python(t, collectOnce, d.name), &first)
	const lives = 5
	var all sync.WaitGroup
	for n := range 8 {
		cmd := d.python(t, collectAll, d.name, fmt.Sprint(lives+1))
		all.Go(func() {
			var said struct {
				Collected int
				Failures  []string
			}
			if err := run(cmd, &said); err != nil {
				t.Errorf("process %d: %v", n, err)
			} else if len(said.Failures) > 0 {
				t.Errorf("process %d collected %d tokens, and failed: %s", n, said.Collected, strings.Join(said.Failures, ", "))
			}
			t.Logf("process %d collected %d times", n, said.Collected)
		})
	}
	all.Wait()
	s.stop(t)
	var got string
	if output(t, d.python(t, collectOnce, d.name), &got); got != "FileNotFoundError" {
		t.Errorf("after the end, Python has %s, want a FileNotFoundError", got)
	}
}

// A sharer that is killed leaves nothing for Python, and the next one has its token.
func TestKilledSharer(t *testing.T) {
	d := newDesk(t, time.Hour)
	first := d.share(t)
	var before, after string
	output(t, d.python(t, readOnce, d.name), &before)
	first.Process.Kill()
	first.Wait()
	if output(t, d.python(t, readOnce, d.name), &after); after != "FileNotFoundError" {
		t.Errorf("after the kill, Python has %.20s, want a FileNotFoundError", after)
	}
	second := d.share(t)
	if output(t, d.python(t, readOnce, d.name), &after); after != before {
		t.Errorf("the next sharer shares %.20s, want %.20s", after, before)
	}
	if n := d.logins(); n != 1 {
		t.Errorf("%d logins, want 1", n)
	}
	second.stop(t)
}

// Two sharers of one account have one mapping, which lasts as long as either.
func TestTwoSharers(t *testing.T) {
	d := newDesk(t, time.Hour)
	one, two := d.share(t), d.share(t)
	other := d.shsession(t, "share", "--name", d.name)
	other.Env = append(other.Env, "SH_CLIENT_ID=other")
	if out, err := other.CombinedOutput(); err == nil || !strings.Contains(string(out), "shared by process") {
		t.Errorf("another client: %v, %q", err, out)
	}
	var before, after string
	output(t, d.python(t, readOnce, d.name), &before)
	one.stop(t)
	if output(t, d.python(t, readOnce, d.name), &after); after != before || after == "FileNotFoundError" {
		t.Errorf("with one of two sharers, Python has %.20s, and had %.20s", after, before)
	}
	two.stop(t)
	if output(t, d.python(t, readOnce, d.name), &after); after != "FileNotFoundError" {
		t.Errorf("after the end, Python has %.20s, want a FileNotFoundError", after)
	}
}

// Every process that asks the command gets the same token.
func TestOneLoginForAllCommands(t *testing.T) {
	d := newDesk(t, time.Hour)
	n := 200
	if testing.Short() {
		n = 40
	}
	work := make(chan *exec.Cmd, n)
	for range n {
		work <- d.shsession(t, "token")
	}
	close(work)
	var mu sync.Mutex // guards tokens
	tokens := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for cmd := range work {
				var out, stderr bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &stderr
				if err := cmd.Run(); err != nil {
					t.Errorf("%v: %s", err, stderr.String())
				}
				mu.Lock()
				tokens[out.String()]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(tokens) != 1 || d.logins() != 1 {
		t.Errorf("%d commands, %d tokens, %d logins", n, len(tokens), d.logins())
	}
}
