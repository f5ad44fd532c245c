package shm_test

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// patience bounds the wait for another process.
const patience = 30 * time.Second

// token returns a token that is valid for a year.
func token(t testing.TB, access string) shsession.Token {
	t.Helper()
	token, err := parseToken(access)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func parseToken(access string) (shsession.Token, error) {
	return shsession.ParseToken(fmt.Appendf(nil, `{"access_token": "%s", "expires_at": %d.5}`, access, time.Now().AddDate(1, 0, 0).Unix()))
}

// runChild does what one role is for, says so in a line, and waits for the end of its
// standard input.
func runChild(role, name string) int {
	ctx := context.Background()
	if err := play(ctx, role, name); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	return 0
}

func play(ctx context.Context, role, name string) error {
	if role == "read-only" || role == "missing" {
		return shareElsewhere(ctx, role, name)
	}
	s, err := shm.Open(name)
	if err != nil {
		return err
	}
	switch role {
	case "lock":
		_, _, err = s.TryLock(ctx, nil)
		return err
	case "share", "die":
		t, err := parseToken("shared")
		if err != nil {
			return err
		}
		if err := s.Publish(ctx, t); err != nil {
			return err
		}
		_, err = s.Watch(ctx, shsession.Account{Issuer: os.Getenv(issuerEnv), ClientID: cmp.Or(os.Getenv(clientEnv), "client")})
		if role == "die" && err == nil {
			_, _, err = s.TryLock(ctx, nil)
		}
		return err
	case "publish": // without end
		t, err := parseToken("published")
		if err != nil {
			return err
		}
		go func() {
			for s.Publish(ctx, t) == nil {
			}
			fmt.Println("failed")
		}()
		return nil
	case "fill":
		return fillUp(ctx, s)
	case "limited":
		return testLimited()
	case "no descriptors":
		return withoutDescriptors(ctx, s)
	case "locked out":
		return lockedOut(ctx, s)
	}
	return fmt.Errorf("no role %q", role)
}

// startChild starts this test binary in another role, and returns when it is ready.
func startChild(t testing.TB, role, name string, adjust ...func(*exec.Cmd)) *testkit.Child {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childEnv+"="+role, nameEnv+"="+name)
	cmd.Stderr = os.Stderr
	for _, f := range adjust {
		f(cmd)
	}
	c := testkit.StartChild(t, cmd)
	if line := strings.TrimSpace(c.Line(t)); line != "ready" {
		t.Fatalf("the child %q says %q", role, line)
	}
	return c
}

func wantLoad(t testing.TB, s *shm.Store, want shsession.Token) {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !got.Equal(want) {
		t.Fatal("another token is there")
	}
}

func TestLockDiesWithItsHolder(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	holder := startChild(t, "lock", name)
	if _, _, err := s.TryLock(t.Context(), nil); err == nil {
		t.Fatal("the lock is free while another process has it")
	}
	holder.Kill()
	_, unlock, err := s.TryLock(t.Context(), nil)
	if err != nil {
		t.Fatalf("TryLock after the holder was killed: %v", err)
	}
	unlock(shsession.Note{})
}

// TestKilledSharer takes over from a sharer that was killed: the token stays, the dead
// one is known, and what it left goes away.
func TestKilledSharer(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	sharer := startChild(t, "share", name)
	live, dead, err := s.Sharers(t.Context())
	if err != nil || len(live) != 1 || live[0] != (shsession.Sharer{PID: sharer.Process.Pid, Account: shsession.Account{ClientID: "client"}}) || len(dead) != 0 {
		t.Fatalf("Sharers: %v, %v, %v", live, dead, err)
	}
	sharer.Kill()
	live, dead, err = s.Sharers(t.Context())
	if err != nil || len(live) != 0 || len(dead) != 1 || dead[0].PID != sharer.Process.Pid {
		t.Fatalf("Sharers after one was killed: %v, %v, %v", live, dead, err)
	}
	wantLoad(t, s, token(t, "shared"))

	// An heir who gives up before it has published leaves the orphan an orphan.
	heir, err := s.Watch(t.Context(), shsession.Account{ClientID: "another"})
	if err != nil {
		t.Fatal(err)
	}
	heir.Stop()
	if live, dead, err := s.Sharers(t.Context()); err != nil || len(live) != 0 || len(dead) != 1 {
		t.Fatalf("Sharers after an heir gave up: %v, %v, %v", live, dead, err)
	}

	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	remove(t, dir+name)
	wantLoad(t, s, token(t, "shared"))
	must(t, s.Publish(t.Context(), token(t, "next"))) // in the place of the dead sharer's
	if n := len(filesOf(t, name)); n != 3 {
		t.Errorf("there are %d files, not the segment, the registration and the backup: %v", n, filesOf(t, name))
	}
	w.Stop()
	if err := s.Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestDeletingReaders has Go readers meet no gap while readers like Python's delete the
// segment without pause, and while one of two sharers is killed.
func TestDeletingReaders(t *testing.T) {
	t.Parallel()
	name := newName(t)
	s := open(t, name)
	other := startChild(t, "share", name)
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	var deletions, reads atomic.Int64
	done := make(chan struct{})
	running := func() bool {
		select {
		case <-done:
			return false
		default:
			return t.Context().Err() == nil
		}
	}
	all.Go(func() {
		for running() {
			if os.Remove(dir+name) == nil {
				deletions.Add(1)
			}
		}
	})
	for range 4 {
		reader := open(t, name)
		all.Go(func() {
			for running() {
				if _, err := reader.Load(t.Context()); err != nil {
					t.Errorf("Load: %v", err)
					return
				}
				reads.Add(1)
			}
		})
	}
	enough := func() bool { return t.Failed() || deletions.Load() > 500 && reads.Load() > 2000 }
	testkit.Eventually(t, "the segment is deleted and read often", enough)
	other.Kill()
	deletions.Store(0)
	reads.Store(0)
	testkit.Eventually(t, "the segment is deleted and read often with one sharer dead", enough)
	close(done)
	all.Wait()
	if w.Restored() == 0 {
		t.Error("nothing was put back here")
	}
	w.Stop()
	if err := s.Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestWithdrawBesideAProcess leaves the segment to another process that shares it.
func TestWithdrawBesideAProcess(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	other := startChild(t, "share", name)
	if err := s.Publish(t.Context(), token(t, "ours")); err != nil {
		t.Fatal(err)
	}
	if err := s.Withdraw(t.Context()); err != nil {
		t.Fatal(err)
	}
	wantLoad(t, s, token(t, "ours"))
	if err := shm.Remove(t.Context(), name); err == nil {
		t.Error("a segment that is shared was removed")
	}
	other.Kill()
	if err := shm.Remove(t.Context(), name); err != nil {
		t.Error(err)
	}
}

// TestSharersRace starts and ends sharers of one name at random: each finds its token or
// another's while it shares, and the last leaves nothing.
func TestSharersRace(t *testing.T) {
	t.Parallel()
	name := newName(t)
	var all sync.WaitGroup
	for n := range 6 {
		s := open(t, name)
		shared := token(t, fmt.Sprint("token", n))
		all.Go(func() {
			for range 20 {
				w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"}) // first, as Share does: who publishes is known then
				if err != nil {
					t.Errorf("Watch: %v", err)
					return
				}
				if err := s.Publish(t.Context(), shared); err != nil {
					t.Errorf("Publish: %v", err)
				}
				if _, err := s.Load(t.Context()); err != nil {
					t.Errorf("Load beside a Watch: %v", err)
				}
				w.Stop()
				if err := s.Withdraw(t.Context()); err != nil {
					t.Errorf("Withdraw: %v", err)
				}
			}
		})
	}
	all.Wait()
}
