package shm_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
	"github.com/shsession/shsession/storetest"
)

const dir = "/dev/shm/"

// This test binary is also the other processes: childEnv says what it does instead of
// testing, and nameEnv with which segment.
const (
	childEnv = "SHM_TEST_CHILD"
	nameEnv  = "SHM_TEST_NAME"

	issuerEnv, clientEnv = "SHM_TEST_ISSUER", "SHM_TEST_CLIENT" // who shares
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		os.Exit(runChild(role, os.Getenv(nameEnv)))
	}
	testkit.SetParallel("8")
	testkit.VerifyTestMain(m)
}

var names atomic.Int64 // makes each test's segment its own

// newName returns the name of a segment that doesn't exist, and fails the test if the
// test leaves anything there or beside it.
func newName(t testing.TB) string {
	name := "shsession-test-" + strconv.Itoa(os.Getpid()) + "-" + strconv.FormatInt(names.Add(1), 10)
	t.Cleanup(func() {
		for _, left := range filesOf(t, name) {
			t.Errorf("the test left %s behind", left)
			os.RemoveAll(dir + left)
		}
		for _, lock := range locks {
			os.Remove(lockPath(name, lock))
		}
	})
	return name
}

// locks are the kinds of locks that a segment has, which only shm.Remove removes.
var locks = []string{"lock", "change"}

// lockPath returns the file of a lock.
func lockPath(name, lock string) string {
	return dir + ".shsession-" + strconv.Itoa(os.Geteuid()) + "/" + name + "." + lock
}

// filesOf returns the names of the segment and of what is beside it.
func filesOf(t testing.TB, name string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var files []string
	for _, e := range entries {
		if e.Name() == name || strings.HasPrefix(e.Name(), "."+name+".") {
			files = append(files, e.Name())
		}
	}
	return files
}

func open(t testing.TB, name string) *shm.Store {
	t.Helper()
	s, err := shm.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func remove(t testing.TB, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Error(err)
	}
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Test(t, func(t *testing.T) storetest.Setup {
		t.Parallel()
		name := newName(t)
		t.Cleanup(func() { // before newName's
			os.Remove(dir + name)
			os.Remove(dir + "." + name + ".shsession.note")
		})
		return storetest.Setup{
			Open:     func() shsession.Store { return open(t, name) },
			Remove:   func() { remove(t, dir+name) },
			LoseLock: func() { remove(t, lockPath(name, "lock")) },
			Die: func(account shsession.Account) {
				startChild(t, "die", name, func(cmd *exec.Cmd) {
					cmd.Env = append(cmd.Env, issuerEnv+"="+account.Issuer, clientEnv+"="+account.ClientID)
				}).Kill()
			},
		}
	})
}
