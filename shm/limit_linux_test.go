package shm_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/ratelimit/limittest"
	"github.com/shsession/shsession/shm"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	limittest.Test(t, func(t *testing.T) func() ratelimit.State {
		name := newName(t)
		t.Cleanup(func() { os.Remove(dir + "." + name + ".shsession.limit") })
		return func() ratelimit.State { return open(t, name).Limits() }
	})
}

// What is counted of a limit goes with the token, or when nobody has used it for long.
func TestLimitIsRemoved(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	path := dir + "." + name + ".shsession.limit"
	count := func() {
		t.Helper()
		_, err := s.Limits().Step(t.Context(), ratelimit.Change{Op: ratelimit.Reserve, ID: "x"})
		must(t, err)
	}
	there := func() bool {
		_, err := os.Stat(path)
		return err == nil
	}
	count()
	must(t, shm.Sweep(t.Context()))
	if !there() {
		t.Error("Sweep removes a limit in use")
	}
	old := time.Now().Add(-ratelimit.StateKept - time.Hour)
	must(t, os.Chtimes(path, old, old))
	must(t, shm.Sweep(t.Context()))
	if there() {
		t.Error("Sweep leaves an old limit")
	}
	count()
	must(t, s.Publish(t.Context(), token(t, "removed")))
	must(t, shm.Remove(t.Context(), name))
	if there() {
		t.Error("Remove leaves the limit")
	}
	count()
	if err := shm.Remove(t.Context(), name); !errors.Is(err, shsession.ErrNotShared) || there() {
		t.Errorf("Remove without a token: %v, the limit is there: %v", err, there())
	}
}
