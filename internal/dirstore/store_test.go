package dirstore_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

// This test binary is also the other processes: roleEnv says what it does instead of
// testing, and the others with what.
const (
	roleEnv   = "DIRSTORE_TEST_ROLE"
	baseEnv   = "DIRSTORE_TEST_BASE"
	issuerEnv = "DIRSTORE_TEST_ISSUER"
	clientEnv = "DIRSTORE_TEST_CLIENT"
	readsEnv  = "DIRSTORE_TEST_READS"
)

const name = "token"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(runChild(role, dirstore.Open(os.Getenv(baseEnv), name)))
	}
	testkit.SetParallel("8")
	testkit.VerifyTestMain(m)
}

func newToken(access string) shsession.Token {
	t, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": "%s", "expires_at": %d}`, access, time.Now().AddDate(1, 0, 0).Unix()))
	if err != nil {
		panic(err)
	}
	return t
}

// runChild does what one role is for, says so in a line, and waits for the end of its
// standard input.
func runChild(role string, s *dirstore.Store) int {
	if err := play(context.Background(), role, s); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("ready")
	if role == "read" {
		if err := readAll(s); err != nil {
			fmt.Println("failed:", err)
			return 1
		}
		return 0
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
}

// readAll loads the token as often as readsEnv says. Each access token repeats one letter.
func readAll(s *dirstore.Store) error {
	reads, err := strconv.Atoi(os.Getenv(readsEnv))
	if err != nil {
		return err
	}
	for n := range reads {
		t, err := s.Load(context.Background())
		if access := t.AccessToken(); err != nil || access != strings.Repeat(access[:1], len(access)) {
			return fmt.Errorf("read %d: %q, %w", n, access, err)
		}
	}
	return nil
}

func play(ctx context.Context, role string, s *dirstore.Store) error {
	switch role {
	case "read":
		return nil
	case "die": // as a sharer that has the lock
		if _, _, err := s.TryLock(ctx, nil); err != nil {
			return err
		}
		if err := s.Publish(ctx, newToken("died")); err != nil {
			return err
		}
		_, err := s.Watch(ctx, shsession.Account{Issuer: os.Getenv(issuerEnv), ClientID: os.Getenv(clientEnv)})
		return err
	}
	return fmt.Errorf("no role %q", role)
}

// startChild starts this test binary in another role, and returns when it is ready.
func startChild(t *testing.T, role, base string, env ...string) *testkit.Child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(append(os.Environ(), roleEnv+"="+role, baseEnv+"="+base), env...)
	cmd.Stderr = os.Stderr
	c := testkit.StartChild(t, cmd)
	if line := strings.TrimSpace(c.Line(t)); line != "ready" {
		t.Fatalf("the child %q says %q", role, line)
	}
	return c
}

// only returns the path of the one directory in base.
func only(t *testing.T, base string) string {
	t.Helper()
	entries, err := os.ReadDir(base)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	return filepath.Join(base, entries[0].Name())
}

// loseLock takes the lock from its holder. Windows lets a file that is open be renamed, but
// it keeps its name until then if it is removed.
func loseLock(t *testing.T, base string) {
	t.Helper()
	lock := filepath.Join(only(t, base), "lock")
	if err := errors.Join(os.Rename(lock, lock+".away"), os.Remove(lock+".away")); err != nil {
		t.Fatal(err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Test(t, func(t *testing.T) storetest.Setup {
		t.Parallel()
		base := filepath.Join(t.TempDir(), "base")
		return storetest.Setup{
			Open: func() shsession.Store { return dirstore.Open(base, name) },
			Remove: func() {
				files, err := filepath.Glob(filepath.Join(only(t, base), "token.*"))
				if err != nil || len(files) == 0 {
					t.Fatalf("%v, %v", files, err)
				}
				for _, file := range files {
					if err := os.Remove(file); err != nil {
						t.Fatal(err)
					}
				}
			},
			LoseLock: func() { loseLock(t, base) },
			Die: func(account shsession.Account) {
				startChild(t, "die", base, issuerEnv+"="+account.Issuer, clientEnv+"="+account.ClientID).Kill()
			},
		}
	})
}

// Readers in other processes find the old token or the new one, whole, however fast it is
// replaced. SHSESSION_SOAK makes it a million reads, and 20,000 on Windows, which Wine takes
// minutes for.
func TestReadersOfAWriter(t *testing.T) {
	t.Parallel()
	reads := 300
	switch {
	case os.Getenv("SHSESSION_SOAK") == "":
	case runtime.GOOS == "windows":
		reads = 20_000
	default:
		reads = 1_000_000
	}
	base := filepath.Join(t.TempDir(), "base")
	s := dirstore.Open(base, name)
	publish := func(n int) {
		t.Helper()
		if err := s.Publish(t.Context(), newToken(strings.Repeat(string(rune('a'+n%26)), 1000+n%100))); err != nil {
			t.Fatal(err)
		}
	}
	publish(0)
	const readers = 3
	each := (reads + readers - 1) / readers
	ended := make(chan error, readers)
	for range readers {
		reader := startChild(t, "read", base, fmt.Sprintf("%s=%d", readsEnv, each))
		go func() {
			said, err := io.ReadAll(reader.Out)
			if err == nil && len(said) > 0 {
				err = errors.New(string(said))
			}
			ended <- err
		}()
	}
	published := 0
	for left := readers; left > 0; {
		select {
		case err := <-ended:
			left--
			if err != nil {
				t.Error(err)
			}
		default:
			published++
			publish(published)
		}
	}
	t.Logf("%d reads of %d tokens", readers*each, published)
}

// published returns the base of a Store with a token of the usual length.
func published(b *testing.B) string {
	base := filepath.Join(b.TempDir(), "base")
	if err := dirstore.Open(base, name).Publish(b.Context(), newToken(strings.Repeat("x", 1400))); err != nil {
		b.Fatal(err)
	}
	return base
}

// BenchmarkLoad reads a token that this Store has read before.
func BenchmarkLoad(b *testing.B) {
	s := dirstore.Open(published(b), name)
	for b.Loop() {
		if _, err := s.Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstLoad reads and parses a token that this Store hasn't read before.
func BenchmarkFirstLoad(b *testing.B) {
	base := published(b)
	for b.Loop() {
		if _, err := dirstore.Open(base, name).Load(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
