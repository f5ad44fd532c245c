package shsession_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// pythonSharing returns a session whose token is the fixture's fake_token, and the segments
// that Python's tests share it in. Python's own default segment may have a user, so another
// name stands for it.
func pythonSharing(t *testing.T) (s *shsession.Session, segments map[string]*shm.Store) {
	t.Helper()
	segments = map[string]*shm.Store{}
	for _, memoryName := range []string{"None", "test-name"} {
		segment := fmt.Sprintf("shsession-%s-%d-%d", memoryName, os.Getpid(), rand.Uint32())
		store, err := shm.Open(segment)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { shm.Remove(context.Background(), segment) })
		segments[memoryName] = store
	}
	token := pythonToken(1000 * time.Second)
	return newSession(t, configFor(roundTripFunc(func(r *http.Request) (*http.Response, error) {
		return answer(200, "application/json", token).RoundTrip(r)
	}))), segments
}

// Python: test_session_sharing_single_process, two cases.
func TestPythonSharingSingleProcess(t *testing.T) {
	s, segments := pythonSharing(t)
	for memoryName, store := range segments {
		share(t, s, store)
		collected, err := shsession.Collect(t.Context(), store)
		if err != nil {
			t.Fatalf("%s: %v", memoryName, err)
		}
		if !mustToken(t, collected).Equal(mustToken(t, s)) {
			t.Errorf("%s: another token was collected", memoryName)
		}
	}
}

// Python: test_session_sharing_multiprocess, two cases: ten collections by four processes at
// a time.
func TestPythonSharingMultiprocess(t *testing.T) {
	t.Parallel()
	s, segments := pythonSharing(t)
	for memoryName, store := range segments {
		share(t, s, store)
		segment := store.String()[len("shm:"):]
		var collecting sync.WaitGroup
		places := make(chan struct{}, 4)
		for range 10 {
			collecting.Go(func() {
				places <- struct{}{}
				defer func() { <-places }()
				cmd := exec.Command(os.Args[0])
				cmd.Env = append(os.Environ(), collectEnv+"="+segment)
				output, err := cmd.Output()
				if want := mustToken(t, s).Encode(); err != nil || string(output) != string(want) {
					t.Errorf("%s: a process collected %d bytes: %v; want the %d that are shared", memoryName, len(output), err, len(want))
				}
			})
		}
		collecting.Wait()
	}
}

// Python: test_session_sharing_object, two cases.
func TestPythonSharingObject(t *testing.T) {
	s, segments := pythonSharing(t)
	for memoryName, store := range segments {
		nothing := func(when string) {
			if _, err := shsession.Collect(t.Context(), store); !errors.Is(err, shsession.ErrNotShared) {
				t.Errorf("%s: Collect %s: %v, want ErrNotShared", memoryName, when, err)
			}
		}
		nothing("before")
		sharing := share(t, s, store)
		if collected, err := shsession.Collect(t.Context(), store); err != nil || !mustToken(t, collected).Equal(mustToken(t, s)) {
			t.Errorf("%s: another token was collected, or none: %v", memoryName, err)
		}
		if err := sharing.Close(); err != nil {
			t.Error(err)
		}
		nothing("after")
	}
}

// Python: test_handling_of_unclosed_memory. Python's second thread warns, and takes the
// first one's segment away. Here two sharers of one account share one token, and the last
// one to end withdraws it.
func TestPythonUnclosedMemory(t *testing.T) {
	s, segments := pythonSharing(t)
	store := segments["test-name"]
	first := share(t, s, store)
	again, err := shm.Open(store.String()[len("shm:"):])
	if err != nil {
		t.Fatal(err)
	}
	second := share(t, s, again)
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	wantShared(t, store)
	if err := second.Close(); err != nil {
		t.Error(err)
	}
	wantNothingShared(t, store)
}
