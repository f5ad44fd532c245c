package shm_test

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// pythonCreate makes a segment as Python's sharer does, in three steps.
func pythonCreate(t testing.TB, name string, data []byte, between func()) {
	t.Helper()
	f, err := os.OpenFile(dir+name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	must(t, err)
	defer f.Close()
	between()
	must(t, f.Truncate(int64(len(data)+100)))
	between()
	pythonWrite(t, name, data)
}

// pythonWrite rewrites the segment in place as Python's sharer does.
func pythonWrite(t testing.TB, name string, data []byte) {
	f, err := os.OpenFile(dir+name, os.O_RDWR, 0)
	must(t, err)
	defer f.Close()
	fi, err := f.Stat()
	must(t, err)
	memory, err := unix.Mmap(int(f.Fd()), 0, int(fi.Size()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	copy(memory, append(data, make([]byte, len(memory)-len(data))...))
	must(t, unix.Munmap(memory))
}

// TestPythonWriter reads under a sharer that rewrites the segment in place as often as
// Python can, which makes up to 13 % of the tokens mixtures for Python's readers.
func TestPythonWriter(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	var data [26][]byte
	for i := range data {
		data[i] = []byte(strings.Replace(valid, "planted", strings.Repeat(string(rune('a'+i)), 1400+i), 1))
	}
	pythonCreate(t, name, data[0], func() {})
	defer remove(t, dir+name)
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				pythonWrite(t, name, data[i%len(data)])
				for start := time.Now(); time.Since(start) < 40*time.Microsecond; {
					continue // as Python does something else before it writes again
				}
			}
		}
	})
	defer writer.Wait()
	defer close(stop)
	mixtures, last := 0, ""
	for range 3000 {
		got, err := s.Load(t.Context())
		if err != nil {
			t.Error(err)
			return
		}
		// Nothing shows a mixture if the writer is interrupted for long within its copy,
		// and then all find the same.
		access := got.AccessToken()
		if strings.Count(access, access[:1]) != len(access) && access != last {
			mixtures++
		}
		last = access
	}
	if mixtures > 3 {
		t.Errorf("%d mixtures of two tokens in 3000 reads", mixtures)
	}
}

// TestPythonCreates reads while a Python sharer makes the segment.
func TestPythonCreates(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	defer os.Remove(dir + name)
	var loads sync.WaitGroup
	pythonCreate(t, name, []byte(valid), func() {
		loads.Go(func() {
			got, err := s.Load(t.Context())
			if err != nil || got.AccessToken() != "planted" {
				t.Errorf("Load while the segment was being made: %v", err)
			}
		})
	})
	loads.Wait()
}

// TestPythonReplaces lets a Python sharer take the name of one that watches: the watch
// says so, and keeps what is there since it lives longer.
func TestPythonReplaces(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	must(t, s.Publish(t.Context(), token(t, "ours")))
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	defer w.Stop()
	temp := newName(t)
	pythonCreate(t, temp, []byte(valid), func() {})
	must(t, os.Rename(dir+temp, dir+name))
	select {
	case <-w.Changed():
	case <-time.After(patience):
		t.Fatal("Changed didn't receive")
	}
	testkit.Eventually(t, "the other token is kept in place", func() bool {
		os.Remove(dir + name)
		got, err := s.Load(t.Context())
		return err == nil && got.AccessToken() == "planted"
	})
	w.Stop()
	must(t, s.Withdraw(t.Context())) // which isn't ours to withdraw
	if got, err := s.Load(t.Context()); err != nil || got.AccessToken() != "planted" {
		t.Errorf("Withdraw removed the token of a Python sharer: %v", err)
	}
	must(t, shm.Remove(t.Context(), name))
}

// TestRenamedAway moves the segment to another name.
func TestRenamedAway(t *testing.T) {
	name, away := newName(t), newName(t)
	s := open(t, name)
	must(t, s.Publish(t.Context(), token(t, "ours")))
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	must(t, os.Rename(dir+name, dir+away))
	testkit.Eventually(t, "it is put back", func() bool { return w.Restored() == 1 })
	wantLoad(t, s, token(t, "ours"))
	w.Stop()
	must(t, s.Withdraw(t.Context()))
	remove(t, dir+away)
}

// TestAllRemoved removes the segment and everything beside it, as systemd does with a
// user's shared memory when the user logs out (RemoveIPC=).
func TestAllRemoved(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	must(t, s.Publish(t.Context(), token(t, "ours")))
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	must(t, err)
	for range 20 {
		for _, file := range filesOf(t, name) { // the dotted names first
			os.Remove(dir + file)
		}
		testkit.Eventually(t, "the token is back", func() bool {
			got, err := os.ReadFile(dir + name)
			return err == nil && bytes.HasPrefix(got, []byte(`{"access_token": "ours"`))
		})
	}
	testkit.Eventually(t, "the sharer is known again", func() bool {
		live, dead, err := s.Sharers(t.Context())
		return err == nil && len(live) == 1 && len(dead) == 0
	})
	w.Stop()
	must(t, s.Withdraw(t.Context()))
}

// TestRoomToGrow has a Python sharer go on with our segment, though its token is a little
// longer.
func TestRoomToGrow(t *testing.T) {
	name := newName(t)
	s := open(t, name)
	must(t, s.Publish(t.Context(), token(t, "ours")))
	longer := token(t, "ours"+strings.Repeat("x", 100))
	pythonWrite(t, name, longer.Encode())
	wantLoad(t, s, longer)
	must(t, shm.Remove(t.Context(), name))
}

// A Store is both.
var (
	_ shsession.Store   = (*shm.Store)(nil)
	_ shsession.Watcher = (*shm.Store)(nil)
)
