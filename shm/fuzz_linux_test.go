package shm_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// FuzzSegment plants any bytes as a segment: Load returns a token that was there whole,
// or an error that says that there is none.
func FuzzSegment(f *testing.F) {
	for _, seed := range []string{valid, valid + strings.Repeat("\x00", 100), valid[:20], "", "\x00", valid + "\x00" + valid} {
		f.Add([]byte(seed))
	}
	name := newName(f)
	f.Cleanup(func() { os.Remove(dir + name) })
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > shsession.MaxTokenSize {
			return
		}
		plant(t, dir+name, data, 0o600)
		got, err := open(t, name).Load(t.Context())
		switch {
		case err == nil:
			if !bytes.Equal(got.Encode(), bytes.TrimRight(data, "\x00")) {
				t.Error("Load returned other bytes than are there")
			}
		case !errors.Is(err, shsession.ErrNotShared):
			t.Errorf("Load: %v, want ErrNotShared", err)
		}
	})
}

// FuzzRegistration plants any bytes as a sharer's registration. Since nobody has its
// lock, it is a dead sharer's, whatever it says.
func FuzzRegistration(f *testing.F) {
	for _, seed := range []string{`{"pid": 1, "client_id": "x"}`, `{`, ``, `[]`, `{"pid": "1"}`} {
		f.Add([]byte(seed))
	}
	name := newName(f)
	registration := dir + "." + name + ".shsession.registration.1-fuzz"
	f.Cleanup(func() { os.Remove(registration) })
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > shsession.MaxTokenSize {
			return
		}
		plant(t, registration, data, 0o600)
		live, dead, err := open(t, name).Sharers(t.Context())
		if err != nil || len(live) != 0 || len(dead) != 1 {
			t.Errorf("Sharers: %v, %v, %v", live, dead, err)
		}
	})
}

// FuzzEvents parses any bytes as inotify events, which can't be longer than they are.
func FuzzEvents(f *testing.F) {
	event := make([]byte, unix.SizeofInotifyEvent)
	binary.NativeEndian.PutUint32(event[4:], unix.IN_DELETE)
	binary.NativeEndian.PutUint32(event[12:], 16)
	f.Add(append(event, "name\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	binary.NativeEndian.PutUint32(event[12:], 1<<32-1)
	f.Add(event)
	f.Fuzz(func(t *testing.T, data []byte) {
		size := 0
		for name := range shm.Events(data) {
			size += unix.SizeofInotifyEvent + len(name)
			if bytes.IndexByte(name, 0) >= 0 {
				t.Error("a name holds a NUL byte")
			}
		}
		if size > len(data) {
			t.Errorf("%d bytes of events are in %d bytes", size, len(data))
		}
	})
}

// FuzzBesideName parses any file name. What it splits off was in the name.
func FuzzBesideName(f *testing.F) {
	for _, seed := range []string{
		".sh-session-token.shsession.note", ".a.shsession.registration.12-abc", ".a.shsession.backup.12-abc.a",
		".a.shsession.b.shsession.temp.1-x", ".shsession.", "..shsession.note", "a.shsession.note", "",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, file string) {
		segment, kind, id, ok := shm.ParseBeside(file)
		if !ok {
			return
		}
		whole := "." + segment + ".shsession." + kind
		if id != "" {
			whole += "." + id
		}
		if segment == "" || !strings.HasPrefix(file, whole) {
			t.Errorf("%q is not of segment %q, kind %q, id %q", file, segment, kind, id)
		}
	})
}
