package shm_test

import (
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
	"github.com/shsession/shsession/storetest"
)

const dir = "/dev/shm/"

// This test binary is also the other processes: childEnv says what it does instead of
// testing, and nameEnv with which segment.
const (
	childEnv = "SHM_TEST_CHILD"
	nameEnv  = "SHM_TEST_NAME"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childEnv); role != "" {
		os.Exit(runChild(role, os.Getenv(nameEnv)))
	}
	goleak.VerifyTestMain(m)
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
	})
	return name
}

// filesOf returns the names of the segment and what is beside it.
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
	storetest.Test(t, func(t *testing.T) storetest.Setup {
		name := newName(t)
		t.Cleanup(func() { os.Remove(dir + name) }) // before newName's
		return storetest.Setup{
			Open:     func() shsession.Store { return open(t, name) },
			Remove:   func() { remove(t, dir+name) },
			LoseLock: func() { remove(t, dir+"."+name+".shsession.lock") },
		}
	})
}
