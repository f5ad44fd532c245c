package ratelimit_test

import (
	"path/filepath"
	"testing"

	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/ratelimit/limittest"
)

func TestMemory(t *testing.T) {
	limittest.Test(t, func(*testing.T) func() ratelimit.State {
		m := new(ratelimit.Memory)
		return func() ratelimit.State { return m }
	})
}

func TestFile(t *testing.T) {
	limittest.Test(t, func(t *testing.T) func() ratelimit.State {
		path := filepath.Join(t.TempDir(), "limit")
		return func() ratelimit.State { return ratelimit.OpenFile(path) }
	})
}
