package dirstore_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/ratelimit/limittest"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	limittest.Test(t, func(t *testing.T) func() ratelimit.State {
		base := filepath.Join(t.TempDir(), "base")
		return func() ratelimit.State { return dirstore.Open(base, name).Limits() }
	})
}

// What is counted of a limit goes with the token, or when nobody has used it for long.
func TestLimitIsRemoved(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	s := dirstore.Open(base, name)
	count := func() string {
		t.Helper()
		if _, err := s.Limits().Step(t.Context(), ratelimit.Change{Op: ratelimit.Reserve, ID: "x"}); err != nil {
			t.Fatal(err)
		}
		files, err := filepath.Glob(filepath.Join(base, "*", "limit"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the files are %v, %v", files, err)
		}
		return files[0]
	}
	there := func(path string) bool {
		_, err := os.Stat(path)
		return err == nil
	}
	path := count()
	if err := dirstore.Sweep(t.Context(), base); err != nil || !there(path) {
		t.Errorf("Sweep of a limit in use: %v, it is there: %v", err, there(path))
	}
	old := time.Now().Add(-ratelimit.StateKept - time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if err := dirstore.Sweep(t.Context(), base); err != nil || there(path) {
		t.Errorf("Sweep of an old limit: %v, it is there: %v", err, there(path))
	}
	count()
	if err := dirstore.Remove(t.Context(), base, name); !errors.Is(err, shsession.ErrNotShared) || there(path) {
		t.Errorf("Remove without a token: %v, the limit is there: %v", err, there(path))
	}
}
