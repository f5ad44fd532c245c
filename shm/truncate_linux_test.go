package shm_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
)

// TestTruncated empties, shortens and overwrites the segment in place, and with it every
// link to it. The token is back at once, and again after the next time.
func TestTruncated(t *testing.T) {
	t.Parallel()
	name := newName(t)
	s := open(t, name)
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	damages := map[string]func(){
		"truncate":  func() { must(t, os.Truncate(dir+name, 0)) },
		"shorten":   func() { must(t, os.Truncate(dir+name, 20)) },
		"overwrite": func() { must(t, os.WriteFile(dir+name, []byte("no token"), 0o600)) },
		"both": func() {
			must(t, os.Truncate(dir+name, 0))
			remove(t, dir+name) // the backup is empty now
		},
	}
	want := token(t, "ours")
	for range 3 {
		must(t, s.Publish(t.Context(), want))
		for what, damage := range damages {
			before := settled(t, w)
			damage()
			testkit.Eventually(t, "the token is back after "+what, func() bool {
				got, err := s.Load(t.Context())
				return err == nil && got.Equal(want) && w.Restored() > before
			})
		}
	}
	w.Stop()
	must(t, s.Withdraw(t.Context()))
}

// settled waits until the watch has put back what was removed before, and returns how often
// it has done so.
func settled(t *testing.T, w shsession.Watch) (restored uint64) {
	t.Helper()
	same := 0
	testkit.Eventually(t, "the watch to be at rest", func() bool {
		if now := w.Restored(); now != restored {
			restored, same = now, 0
		}
		same++
		return same > 10
	})
	return restored
}

// TestPythonWriterIsSilent: what a Watch listens to on the segment's file tells of a
// truncation, but not of Python's readers and writers, who use a mapping. So they wake no
// Watch.
func TestPythonWriterIsSilent(t *testing.T) {
	name := newName(t)
	pythonCreate(t, name, []byte(valid), func() {})
	defer remove(t, dir+name)
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	must(t, err)
	defer unix.Close(fd)
	_, err = unix.InotifyAddWatch(fd, dir+name, unix.IN_MODIFY)
	must(t, err)
	buf := make([]byte, 4096)
	for range 1000 {
		pythonWrite(t, name, []byte(strings.Replace(valid, "planted", "changed", 1)))
	}
	if n, err := unix.Read(fd, buf); !errors.Is(err, unix.EAGAIN) {
		t.Errorf("1000 writes by a mapping make %d bytes of events (%v)", n, err)
	}
	must(t, os.Truncate(dir+name, 0))
	if _, err := unix.Read(fd, buf); err != nil {
		t.Errorf("a truncation makes no event: %v", err)
	}
}
