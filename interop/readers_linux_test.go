package interop_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/shm"
)

// readers is how many short-lived Python processes read a segment, and delete it as they end.
const readers = 400

// readOnce runs so many Python processes, eight at a time, and returns how many found nothing.
func readOnce(t *testing.T, readers int, python, name string) (gaps int) {
	t.Helper()
	var missed, failed atomic.Int64
	var running sync.WaitGroup
	places := make(chan struct{}, 8)
	for range readers {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			cmd := exec.Command(python, "-S", "python/reader.py", name)
			output, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			switch {
			case errors.As(err, &exit) && exit.ExitCode() == 3:
				missed.Add(1)
			case err != nil:
				failed.Add(1)
				t.Logf("reader: %v: %s", err, output)
			}
		})
	}
	running.Wait()
	if n := failed.Load(); n > 0 {
		t.Errorf("%d readers failed", n)
	}
	return int(missed.Load())
}

// TestShortLivedPythonReaders has independent Python readers each delete the segment as it ends. Few
// meet the gap before it is back, and no Go reader does. With a Python sharer, most of them do.
func TestShortLivedPythonReaders(t *testing.T) {
	m := newMachine(t)
	name := ownName(t)
	_, url := listen(t, identity.Options{})
	sharing, err := shsession.Share(t.Context(), newSession(t, url), openStore(t, name))
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var reading sync.WaitGroup
	reads := 0
	reading.Go(func() {
		reader := openStore(t, name)
		for tick := time.Tick(100 * time.Microsecond); ; reads++ {
			select {
			case <-done:
				return
			case <-tick:
			}
			if _, err := reader.Load(t.Context()); err != nil {
				t.Errorf("a Go reader: %v", err)
			}
		}
	})
	gaps := readOnce(t, readers, m.python, name)
	close(done)
	reading.Wait()
	restored := sharing.Status().Sinks[0].Restored
	if err := sharing.Close(); err != nil {
		t.Error(err)
	}
	t.Logf("%d of %d Python readers met the gap, and none of %d Go reads; put back %d times", gaps, readers, reads, restored)
	if gaps > readers/4 { // about one in a hundred on an idle machine
		t.Errorf("%d of %d readers met the gap, more than a quarter", gaps, readers)
	}
	if restored < readers/4 { // two that end together may delete it once
		t.Errorf("%d readers had the segment put back only %d times: did they delete it?", readers, restored)
	}

	name = ownName(t)
	m.logInto(t, "", realmOf(url), credentials{identity.DevelopmentID, identity.DevelopmentSecret})
	m.share(t, "thread", name)
	if gaps := readOnce(t, readers/10, m.python, name); gaps < readers/10/2 {
		t.Errorf("of %d readers of a Python sharer's segment only %d found nothing", readers/10, gaps)
	}
}

// TestGoReadsUnderNonstopWriter replaces the token without pause while Go reads: ten million times
// under SHSESSION_SOAK.
func TestGoReadsUnderNonstopWriter(t *testing.T) {
	reads := 100_000
	if os.Getenv("SHSESSION_SOAK") != "" {
		reads = 10_000_000
	}
	name := ownName(t)
	writer := openStore(t, name)
	var tokens []shsession.Token
	for i, size := range []int{1, 900, 1500, 5000, 70_000} {
		access := strings.Repeat(string(rune('a'+i)), size)
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": %q, "expires_at": %d}`, access, time.Now().Add(24*time.Hour).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	if err := writer.Publish(t.Context(), tokens[0]); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = shm.Remove(t.Context(), name) }()
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for i := 1; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			if err := writer.Publish(t.Context(), tokens[i%len(tokens)]); err != nil {
				t.Error(err)
				return
			}
		}
	})
	seen := map[int]int{}
	reader := openStore(t, name)
	for range reads {
		token, err := reader.Load(t.Context())
		if err != nil {
			t.Errorf("Load: %v", err)
			break
		}
		access := token.AccessToken()
		if whole := tokens[access[0]-'a']; !token.Equal(whole) {
			t.Errorf("a mixture of %d bytes that begins with %q", len(access), access[:1])
			break
		}
		seen[len(access)]++
	}
	close(done)
	all.Wait()
	if len(seen) < len(tokens) {
		t.Errorf("only %d of %d tokens were seen: the writer didn't write", len(seen), len(tokens))
	}
}
