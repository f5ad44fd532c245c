package shm_test

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// tempsOf returns the paths of the files beside a segment that are being written, or
// were.
func tempsOf(t *testing.T, name string) []string {
	t.Helper()
	var temps []string
	for _, file := range filesOf(t, name) {
		if strings.Contains(file, ".temp.") {
			temps = append(temps, dir+file)
		}
	}
	return temps
}

// stop stops a child of this process, and waits until all its threads have stopped (wait(2)).
func stop(t *testing.T, child *os.Process) {
	t.Helper()
	must(t, child.Signal(unix.SIGSTOP))
	_, err := unix.Wait4(child.Pid, nil, unix.WUNTRACED, nil)
	must(t, err)
}

// age makes a file a minute old.
func age(t *testing.T, path string) {
	t.Helper()
	past := time.Now().Add(-time.Minute)
	must(t, os.Chtimes(path, past, past))
}

// TestKilledWhilePublishing kills processes in the middle of publishing: the tokens that
// they leave go with the next login, or when they are swept up.
func TestKilledWhilePublishing(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	kill := func() {
		writer := startChild(t, "publish", name)
		testkit.Eventually(t, "a process that has stopped in the middle", func() bool {
			stop(t, writer.Process)
			return len(tempsOf(t, name)) > 0 || writer.Process.Signal(unix.SIGCONT) != nil
		})
		writer.Kill()
	}
	for what, sweep := range map[string]func(){
		"a login": func() {
			held, unlock, err := s.TryLock(t.Context(), nil)
			must(t, err)
			must(t, s.Publish(held, token(t, "logged-in")))
			unlock(shsession.Note{})
		},
		"Sweep": func() { must(t, shm.Sweep(t.Context())) },
	} {
		kill()
		sweep()
		if len(tempsOf(t, name)) == 0 {
			t.Errorf("%s removes what may be being written", what)
		}
		for _, path := range tempsOf(t, name) {
			age(t, path)
		}
		sweep()
		if left := tempsOf(t, name); len(left) > 0 {
			t.Errorf("%s leaves %v", what, left)
		}
	}
	must(t, shm.Remove(t.Context(), name))
}

// TestSweepSpares sweeps beside a writer that is stopped, and a lock that is held.
func TestSweepSpares(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	_, unlock, err := s.TryLock(t.Context(), nil)
	must(t, err)
	temp := dir + "." + name + ".shsession.temp.1-writer"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY, 0o600)
	must(t, err)
	must(t, unix.Flock(int(f.Fd()), unix.LOCK_EX))
	age(t, temp)
	must(t, shm.Sweep(t.Context()))
	if n := len(filesOf(t, name)); n != 1 {
		t.Errorf("of a file that is being written, %d are there", n)
	}
	if _, _, err := s.TryLock(t.Context(), nil); !errors.Is(err, shsession.ErrLocked) {
		t.Errorf("TryLock of a lock that was held during Sweep: %v", err)
	}
	unlock(shsession.Note{})
	must(t, f.Close())
	must(t, shm.Sweep(t.Context()))
	if left := filesOf(t, name); len(left) > 0 {
		t.Errorf("left of the dead: %v", left)
	}
}
