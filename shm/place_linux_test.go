package shm_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// TestNoSharedMemory starts processes in mount namespaces where /dev/shm can't be written,
// or is missing: they share in a private directory.
func TestNoSharedMemory(t *testing.T) {
	for _, role := range []string{"read-only", "missing"} {
		t.Run(role, func(t *testing.T) {
			cache := t.TempDir()
			t.Setenv("XDG_CACHE_HOME", cache)
			startChild(t, role, "elsewhere", inNamespaces)
			left, err := filepath.Glob(filepath.Join(cache, "shsession", "shared", "*", "*"))
			if err != nil || len(left) > 0 {
				t.Errorf("left: %v, %v", left, err)
			}
		})
	}
}

// shareElsewhere runs in a mount namespace of its own.
func shareElsewhere(ctx context.Context, role, name string) error {
	var err error
	switch role {
	case "read-only":
		err = unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "")
	case "missing":
		err = unix.Mount("tmpfs", "/dev", "tmpfs", 0, "")
	}
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	s, err := shm.Open(name)
	if err != nil {
		return err
	}
	if !strings.HasPrefix(s.Dir(), os.Getenv("XDG_CACHE_HOME")+"/") {
		return fmt.Errorf("the directory is %q", s.Dir())
	}
	token, err := parseToken("elsewhere")
	if err != nil {
		return err
	}
	if err := s.Publish(ctx, token); err != nil {
		return err
	}
	w, err := s.Watch(ctx, shsession.Account{ClientID: "client"})
	if err != nil {
		return err
	}
	segments, err := shm.List(ctx)
	if err != nil || len(segments) != 1 || segments[0].Name != name || len(segments[0].Sharers) != 1 {
		return fmt.Errorf("List: %v, %w", segments, err)
	}
	w.Stop()
	if got, err := s.Load(ctx); err != nil || !got.Equal(token) {
		return fmt.Errorf("Load: %w", err)
	}
	if err := shm.Remove(ctx, name); err != nil {
		return err
	}
	if _, err := s.Load(ctx); !errors.Is(err, shsession.ErrNotShared) {
		return fmt.Errorf("Load of what was removed: %w", err)
	}
	return shm.Sweep(ctx)
}
