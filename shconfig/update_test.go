package shconfig_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// Processes that make a profile each, all at once, lose none. The children of this test make them.
func TestUpdateLosesNothing(t *testing.T) {
	if name := os.Getenv("SHSESSION_TEST_PROFILE"); name != "" {
		err := shconfig.Update(t.Context(), "", func(f *shconfig.File) error {
			return f.Set(name, shconfig.Settings{ClientID: name, ClientSecret: shsession.NewSecret("secret of " + name)})
		})
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	path := isolate(t) // the directory isn't there yet
	const processes = 20
	var running sync.WaitGroup
	for i := range processes {
		running.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=^TestUpdateLosesNothing$")
			cmd.Env = append(os.Environ(), fmt.Sprintf("SHSESSION_TEST_PROFILE=p%d", i), "GORACE=atexit_sleep_ms=0")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
	running.Wait()
	mustEqual(t, "profiles", len(open(t, "").Profiles()), processes)
	if runtime.GOOS != "windows" {
		mustEqual(t, "mode of the file", modeOf(t, path), fs.FileMode(0o600))
		mustEqual(t, "mode of the directory", modeOf(t, filepath.Dir(path)).Perm(), fs.FileMode(0o700))
	}
	onlyFile(t, path)
}

func TestUpdateThatFailsWritesNothing(t *testing.T) {
	isolate(t)
	refusal := errors.New("refusal")
	update := func() {
		t.Helper()
		err := shconfig.Update(t.Context(), "", func(f *shconfig.File) error {
			set(t, f, "a", shconfig.Settings{ClientID: "x"})
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Errorf("got %v", err)
		}
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "missing"))
	update()
	if _, err := os.Stat(os.Getenv("XDG_CONFIG_HOME")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory was made: %v", err)
	}
	path := open(t, "").Path()
	write(t, path, "[b]\n")
	update()
	mustEqual(t, "file", read(t, path), "[b]\n")
	onlyFile(t, path)
}

// While one Update is at work another waits, and gives up with its ctx.
func TestUpdateWaitsForItsTurn(t *testing.T) {
	isolate(t)
	var second error
	err := shconfig.Update(t.Context(), "", func(f *shconfig.File) error {
		set(t, f, "a", shconfig.Settings{ClientID: "x"})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		second = shconfig.Update(ctx, "", func(*shconfig.File) error {
			t.Error("two at once")
			return nil
		})
		return nil
	})
	if err != nil || !errors.Is(second, context.DeadlineExceeded) {
		t.Errorf("got %v and %v", err, second)
	}
	mustEqual(t, "profiles", len(open(t, "").Profiles()), 1)
}
