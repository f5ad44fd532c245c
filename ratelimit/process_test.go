package ratelimit_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/ratelimit"
)

// Environment variables of a member that is a process of its own.
const (
	memberOf  = "RATELIMIT_TEST_FILE"
	memberURL = "RATELIMIT_TEST_URL"
	memberBy  = "RATELIMIT_TEST_POLICY"
)

// readyPath is what a member asks for first. It is answered when all are there.
const readyPath = "/ready"

func TestMain(m *testing.M) {
	if path := os.Getenv(memberOf); path != "" {
		if err := runMember(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	testkit.SetParallel("8")
	testkit.VerifyTestMain(m)
}

// runMember sends requests until there is no more work, which is answered 204, and prints
// how many it has done. With the URL "hold" it takes a slot, says so, and keeps it.
func runMember(path string) error {
	policy, err := ratelimit.ParsePolicy(os.Getenv(memberBy))
	if err != nil {
		return err
	}
	l, err := ratelimit.New(ratelimit.Config{Policy: policy, State: ratelimit.OpenFile(path), RetryAfterUnit: time.Millisecond, Lease: time.Second})
	if err != nil {
		return err
	}
	defer l.Close()
	url := os.Getenv(memberURL)
	if url == "hold" {
		if _, err := l.Reserve(context.Background(), 0); err != nil {
			return err
		}
		fmt.Println("holding")
		select {}
	}
	if _, err := http.Get(url + readyPath); err != nil {
		return err
	}
	client := &http.Client{Transport: ratelimit.Transport(nil, l)}
	for done := 0; ; done++ {
		resp, err := client.Get(url)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusNoContent {
			fmt.Println(done)
			return nil
		}
		if resp.StatusCode != http.StatusOK {
			return fmt.Errorf("status %d", resp.StatusCode)
		}
	}
}

// member returns a process that is a member.
func member(t *testing.T, path, url, policy string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), memberOf+"="+path, memberURL+"="+url, memberBy+"="+policy)
	cmd.Stderr = os.Stderr
	return cmd
}

// Twenty processes share a limit, known or learned. Few requests are refused, and nothing
// fails. How long it takes is no business of this test: the machine may be busy.
func TestTwentyProcesses(t *testing.T) {
	t.Parallel()
	const members, work = 20, 300
	for name, test := range map[string]struct {
		policy  string
		refused float64 // for each success, at most
	}{
		"known":    {"120/3s", 0.02}, // five for what the network delays
		"learning": {"auto", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newService(policy(t, "125/3s"), 0)
			server := httptest.NewServer(workFor(s, members, work))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "limit")
			done := make([]int, members)
			var all sync.WaitGroup
			for i := range done {
				cmd := member(t, path, server.URL, test.policy)
				all.Go(func() {
					out, err := cmd.Output()
					if err != nil {
						t.Errorf("member %d: %v", i, err)
						return
					}
					done[i], err = strconv.Atoi(strings.TrimSpace(string(out)))
					if err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			total := 0
			for _, n := range done {
				total += n
			}
			t.Logf("%d refusals for %d successes; the members did %v", s.refused, total, slices.Sorted(slices.Values(done)))
			if total != work || float64(s.refused) > test.refused*work {
				t.Errorf("%d refusals for %d successes, want at most %v a success", s.refused, total, test.refused)
			}
		})
	}
}

// workFor returns a handler that serves so much work within the service's limits, once all
// members are there.
func workFor(s *service, members, work int) http.HandlerFunc {
	var mu sync.Mutex
	var missing sync.WaitGroup
	missing.Add(members)
	return func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == readyPath {
			missing.Done()
			missing.Wait()
			return
		}
		mu.Lock()
		defer mu.Unlock()
		if work == 0 {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		if wait := s.take(); wait > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(wait.Milliseconds()+1, 10))
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		s.together--
		work--
	}
}

// Whoever holds a slot and is killed frees it when the lease ends.
func TestKilledHolder(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "limit")
	holder := member(t, path, "hold", "1")
	out, err := holder.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	state := ratelimit.OpenFile(path)
	if s, err := ratelimit.Inspect(t.Context(), state); err != nil || s.InUse != 1 {
		t.Fatalf("while it is held: %+v, %v", s, err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = holder.Wait() // that it was killed is no news
	l := newLimiter(t, ratelimit.Config{Policy: policy(t, "1"), State: state})
	reserve(t, l, 0).Done(success)
}
