package ratelimit_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// The file is this user's alone, and a look doesn't make it.
func TestFileMode(t *testing.T) {
	path := filepath.Join(t.TempDir(), "limit")
	state := ratelimit.OpenFile(path)
	if s, err := ratelimit.Inspect(t.Context(), state); err != nil || s.Policy != "" {
		t.Errorf("without a file: %+v, %v", s, err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a look makes the file: %v", err)
	}
	if _, err := state.Step(t.Context(), policy(t, "10/h").Change(ratelimit.Reserve)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

// What is no record is replaced. A longer record leaves nothing behind a shorter one.
func TestDamagedFile(t *testing.T) {
	for _, text := range []string{"", "{", "null", "[]", `{"full":[1,2]}`, strings.Repeat("x", 5000), strings.Repeat("[", 2<<20), `{"rules":null,"full":null,"last":-1e300}`} {
		path := filepath.Join(t.TempDir(), "limit")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		state := ratelimit.OpenFile(path)
		for i := range 3 {
			a, err := state.Step(t.Context(), policy(t, "2/h").Change(ratelimit.Reserve))
			if err != nil || a.Go != (i < 2) {
				t.Errorf("%.20q: request %d: go %v, %v", text, i, a.Go, err)
			}
		}
	}
}

// A file that somebody else may have written isn't believed.
func TestUntrustedFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs mode bits")
	}
	path := filepath.Join(t.TempDir(), "limit")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := path + ".link"
	if err := os.Symlink(path, link); err != nil {
		t.Skip(err)
	}
	step := func(path string) error {
		_, err := ratelimit.OpenFile(path).Step(t.Context(), ratelimit.Policy{}.Change(ratelimit.Reserve))
		return err
	}
	if err := step(link); err == nil {
		t.Error("a link is followed")
	}
	if err := os.Chmod(path, 0o622); err != nil {
		t.Fatal(err)
	}
	if err := step(path); err == nil || !strings.Contains(err.Error(), "isn't believed") {
		t.Errorf("a file that others can write: %v", err)
	}
	if err := step(t.TempDir()); err == nil {
		t.Error("a directory is taken")
	}
}

// A step waits for the lock no longer than its context.
func TestFileLocked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "limit")
	unlock := ratelimit.LockFile(t, path)
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := ratelimit.OpenFile(path).Step(ctx, ratelimit.Policy{}.Change(ratelimit.Reserve)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
}

func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"rules":[{"amount":2,"period":3600000}],"full":[1],"last":1e300,"pace":-1,"held":[{"id":"x","until":1e400}]}`))
	f.Add([]byte(`{"minute_no":9223372036854775807,"tail":9223372036854775807,"head":-1e308,"pace":1e308}`))
	path := filepath.Join(f.TempDir(), "limit")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		state := ratelimit.OpenFile(path)
		for _, op := range []ratelimit.Op{ratelimit.Reserve, ratelimit.Wait, ratelimit.Renew, ratelimit.Finish, ratelimit.Look} {
			c := policy(t, "2/h,1").Change(op)
			c.ID, c.Lease, c.Sent, c.Refused = "x", 1000, true, true
			if _, err := state.Step(t.Context(), c); err != nil {
				t.Errorf("%s: %v", op, err)
			}
		}
	})
}

// A step that waited for the lock of a file that was removed meanwhile is made in the new one.
func TestFileRemoved(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open can't be removed")
	}
	path := filepath.Join(t.TempDir(), "limit")
	state := ratelimit.OpenFile(path)
	change := policy(t, "1/h").Change(ratelimit.Reserve)
	unlock := ratelimit.LockFile(t, path)
	stepped := make(chan error, 1)
	go func() {
		_, err := state.Step(t.Context(), change)
		stepped <- err
	}()
	ticker := time.NewTicker(time.Millisecond) // until it has opened the file and waits, most times
	defer ticker.Stop()
	for range 20 {
		<-ticker.C
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	unlock()
	if err := <-stepped; err != nil {
		t.Fatal(err)
	}
	if a, err := ratelimit.OpenFile(path).Step(t.Context(), change); err != nil || a.Go {
		t.Errorf("the second of one an hour may go: %v, %v", a.Go, err)
	}
}
