package interop_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// names are those that a session is shared under: the package's default, and one of our own.
func names(t *testing.T) map[string]string {
	return map[string]string{"default name": shm.DefaultName, "own name": ownName(t)}
}

func openStore(t *testing.T, name string) *shm.Store {
	t.Helper()
	store, err := shm.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// shareNew shares a new session at an identity service under a name for as long as the test runs.
func shareNew(t *testing.T, url, name string) shsession.Token {
	t.Helper()
	return share(t, newSession(t, url), name)
}

// share shares a session under a name for as long as the test runs, and returns its token.
func share(t *testing.T, session *shsession.Session, name string) shsession.Token {
	t.Helper()
	sharing, err := shsession.Share(t.Context(), session, openStore(t, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := sharing.Close(); err != nil {
			t.Errorf("close the sharing: %v", err)
		}
	})
	token, err := session.Token(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// decode returns the JSON object that a token is shared as.
func decode(t *testing.T, token shsession.Token) map[string]any {
	t.Helper()
	var object map[string]any
	if err := json.Unmarshal(token.Encode(), &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// arguments leaves out the default name, so that the package's own default is what is tested.
func arguments(name string) []string {
	if name == shm.DefaultName {
		return nil
	}
	return []string{name}
}

func TestPythonCollectsWhatGoShares(t *testing.T) {
	m := newMachine(t)
	_, url := listen(t, identity.Options{})
	for title, name := range names(t) {
		t.Run(title, func(t *testing.T) {
			token := shareNew(t, url, name)
			// Each run deletes the segment when it exits, as Python's shared memory does.
			for range 3 {
				var got map[string]any
				m.run(t, nil, &got, "collect.py", arguments(name)...)
				if diff := cmp.Diff(decode(t, token), got); diff != "" {
					t.Fatalf("token (-shared +collected):\n%s", diff)
				}
			}
		})
	}
}

func TestGoCollectsWhatPythonShares(t *testing.T) {
	_, url := listen(t, identity.Options{})
	m := newMachine(t)
	m.logInto(t, "", realmOf(url), credentials{identity.DevelopmentID, identity.DevelopmentSecret})
	for _, kind := range []string{"thread", "context"} {
		for title, name := range names(t) {
			t.Run(kind+", "+title, func(t *testing.T) {
				want, stop := m.share(t, kind, name)
				store := openStore(t, name)
				session, err := shsession.Collect(t.Context(), store)
				if err != nil {
					t.Fatal(err)
				}
				token, err := session.Token(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, decode(t, token)); diff != "" {
					t.Errorf("token (-shared +collected):\n%s", diff)
				}
				stop()
				if _, err := shsession.Collect(t.Context(), store); !errors.Is(err, shsession.ErrNotShared) {
					t.Errorf("after the sharing: %v, want ErrNotShared", err)
				}
			})
		}
	}
}

// TestGoMirrorsWhatPythonShares has a token go from Python through Go to Python: nothing in it is lost or changed, whether we
// know the field or not.
func TestGoMirrorsWhatPythonShares(t *testing.T) {
	t.Parallel()
	_, url := listen(t, identity.Options{})
	m := newMachine(t)
	m.logInto(t, "", realmOf(url), credentials{identity.DevelopmentID, identity.DevelopmentSecret})
	source, mirror := ownName(t)+"-source", ownName(t)+"-mirror"
	want, _ := m.share(t, "thread", source)

	share(t, shsession.Follow(openStore(t, source)), mirror)
	var got map[string]any
	m.run(t, nil, &got, "collect.py", mirror)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("token (-shared +mirrored):\n%s", diff)
	}
}

func TestPythonPoolCollectsWhatGoShares(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	_, url := listen(t, identity.Options{})
	const workers = 6
	for _, method := range []string{"fork", "spawn"} {
		t.Run(method, func(t *testing.T) {
			name := ownName(t)
			token := shareNew(t, url, name)
			var got []map[string]any
			m.run(t, nil, &got, "pool.py", method, strconv.Itoa(workers), name)
			if len(got) != workers {
				t.Fatalf("%d workers answered, want %d", len(got), workers)
			}
			for i, worker := range got {
				if diff := cmp.Diff(decode(t, token), worker); diff != "" {
					t.Errorf("worker %d (-shared +collected):\n%s", i, diff)
				}
			}
			if _, err := shsession.Collect(t.Context(), openStore(t, name)); err != nil {
				t.Errorf("after the pool: %v", err)
			}
		})
	}
}

// TestPythonDownloadsWithGoSession puts a session collected from us into the package's cache of sessions.
func TestPythonDownloadsWithGoSession(t *testing.T) {
	t.Parallel()
	m := newMachine(t)
	server, url := listen(t, identity.Options{})
	name := ownName(t)
	shareNew(t, url, name)
	var got struct {
		Status   int
		ClientID string `json:"client_id"`
	}
	m.run(t, nil, &got, "download.py", name, url+"/api/v1/process")
	if got.Status != 200 || got.ClientID != identity.DevelopmentID {
		t.Errorf("the API answered %+v", got)
	}
	if c := server.Counters(); c.TokensIssued != 1 || c.APIAuthorized != 1 || c.APIUnauthorized != 0 {
		t.Errorf("counters %+v, want one login and one request", c)
	}
}

// TestPythonReadsUnderNonstopWriter replaces the token without pause while the package's reader reads: a million times
// under SHSESSION_SOAK.
func TestPythonReadsUnderNonstopWriter(t *testing.T) {
	m := newMachine(t)
	reads := 10_000
	if os.Getenv("SHSESSION_SOAK") != "" {
		reads = 1_000_000
	}
	store := openStore(t, ownName(t))
	var tokens []shsession.Token
	var valid []string
	for i, size := range []int{1, 900, 1500, 5000, 70_000} {
		access := strings.Repeat(string(rune('a'+i)), size)
		token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": %q, "expires_at": %d}`, access, time.Now().Add(time.Hour).Unix()))
		if err != nil {
			t.Fatal(err)
		}
		tokens, valid = append(tokens, token), append(valid, access)
	}
	if err := store.Publish(t.Context(), tokens[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = shm.Remove(context.Background(), ownName(t)) })

	done, written := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 1; ; i++ {
			select {
			case <-done:
				written <- nil
				return
			default:
			}
			if err := store.Publish(t.Context(), tokens[i%len(tokens)]); err != nil {
				written <- err
				return
			}
		}
	}()
	var got struct{ Reads, Absent, Broken, Foreign, Distinct int }
	m.run(t, valid, &got, "read.py", ownName(t), strconv.Itoa(reads))
	close(done)
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got.Reads != reads || got.Absent+got.Broken+got.Foreign != 0 {
		t.Errorf("of %d reads, %d found nothing, %d no token and %d a mixture", got.Reads, got.Absent, got.Broken, got.Foreign)
	}
	if got.Distinct < 2 {
		t.Errorf("the reader saw %d different tokens: the writer didn't write", got.Distinct)
	}
}

// share starts share.py and returns the token that it shares and what ends it; the test's end does so too.
func (m machine) share(t *testing.T, kind, name string) (token map[string]any, stop func()) {
	t.Helper()
	cmd := m.command(context.Background(), "share.py", append([]string{kind}, arguments(name)...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	c := testkit.StartChild(t, cmd)
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		_ = c.In.Close()
		_, _ = io.Copy(io.Discard, c.Out)
		if err := cmd.Wait(); err != nil {
			t.Errorf("share.py: %v\n%s", err, stderr.String())
		}
	}
	t.Cleanup(stop)
	late := time.AfterFunc(time.Minute, func() { cmd.Process.Kill() }) // with another sharer there it would wait for ever
	line, err := c.Out.ReadBytes('\n')
	late.Stop()
	if err != nil {
		t.Fatalf("share.py: %v\n%s", err, stderr.String())
	}
	if err := json.Unmarshal(line, &token); err != nil {
		t.Fatalf("share.py printed %q: %v", line, err)
	}
	return token, stop
}
