package filesink_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/identity"
)

// watch watches a sink until the test ends.
func watch(t testing.TB, s *filesink.Sink) shsession.Watch {
	t.Helper()
	w, err := s.Watch(t.Context(), "client")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Stop)
	return w
}

func changed(t testing.TB, w shsession.Watch) {
	t.Helper()
	select {
	case <-w.Changed():
	case <-time.After(10 * time.Second):
		t.Fatal("no notice within 10 s")
	}
}

func TestPutBack(t *testing.T) {
	for name, take := range map[string]func(path string) error{
		"deleted": os.Remove,
		"moved":   func(path string) error { return os.Rename(path, path+".away") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filesink.Options{Format: filesink.Header})
			publish(t, s, token(t, access(1)))
			w := watch(t, s)
			for n := uint64(1); n <= 3; n++ {
				if err := take(s.Path()); err != nil {
					t.Fatal(err)
				}
				eventually(t, "put back", func() bool { return w.Restored() == n })
				if got := read(t, s); !strings.Contains(got, access(1)) {
					t.Errorf("the file holds %.30q", got)
				}
			}
		})
	}
}

// The newest token is the one that is put back.
func TestPutBackAfterPublish(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	publish(t, s, token(t, access(2)))
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "put back", func() bool { return w.Restored() == 1 })
	if got := read(t, s); got != access(2) {
		t.Errorf("the file holds %.30q", got)
	}
}

func TestPutBackWithItsDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "dir")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := filesink.Open(filepath.Join(dir, "token"), filesink.Options{Format: filesink.Raw})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	eventually(t, "the directory is gone", func() bool { return os.RemoveAll(dir) == nil && !exists(dir) })
	changed(t, w) // it couldn't be put back
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, "put back in a new directory", func() bool { return exists(s.Path()) })
	n := w.Restored()
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "put back in it once more", func() bool { return w.Restored() > n })
}

func TestChanged(t *testing.T) {
	for name, change := range map[string]func(t *testing.T, path string){
		"rewritten": func(t *testing.T, path string) { os.WriteFile(path, []byte("other"), 0o600) },
		"emptied":   func(t *testing.T, path string) { os.Truncate(path, 0); os.WriteFile(path, nil, 0o600) },
		"replaced": func(t *testing.T, path string) {
			os.WriteFile(path+".new", []byte("other"), 0o600)
			os.Rename(path+".new", path)
		},
		"replaced by a link": func(t *testing.T, path string) {
			os.Symlink(path+".target", path+".new")
			os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filesink.Options{Format: filesink.Raw})
			publish(t, s, token(t, access(1)))
			w := watch(t, s)
			change(t, s.Path())
			changed(t, w)
			publish(t, s, token(t, access(1))) // the place is its own now
			if got := read(t, s); got != access(1) {
				t.Errorf("the file holds %.30q", got)
			}
			if w.Restored() != 0 {
				t.Error("something was put back")
			}
		})
	}
}

// Publishing isn't a change, and neither is another sharer with the same token.
func TestUnchanged(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	other, err := filesink.Open(s.Path(), filesink.Options{Format: filesink.Raw})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	for n := range 50 {
		publish(t, s, token(t, access(n)))
		publish(t, other, token(t, access(n)))
	}
	w.Stop() // returns when everything was looked at that had happened
	select {
	case <-w.Changed():
		t.Error("there was a notice")
	default:
	}
}

// Two sharers of one file with two tokens take it from each other once a second, and no more.
func TestNoticesAreRare(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	overwrite := func() {
		if err := os.WriteFile(s.Path(), []byte("other"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	overwrite()
	changed(t, w)
	first := time.Now()
	publish(t, s, token(t, access(1)))
	overwrite()
	changed(t, w)
	if took := time.Since(first); took < 900*time.Millisecond {
		t.Errorf("the second notice came %v after the first", took)
	}
}

func TestWithdrawnStaysAway(t *testing.T) {
	s := open(t, filesink.Options{})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	withdraw(t, s)
	w.Stop()
	if exists(s.Path()) || w.Restored() != 0 {
		t.Error("what was withdrawn was put back")
	}
}

func TestOneWatchAtATime(t *testing.T) {
	s := open(t, filesink.Options{})
	first := watch(t, s)
	if w, err := s.Watch(t.Context(), "client"); err == nil {
		w.Stop()
		t.Error("a second Watch is no error")
	}
	first.Stop()
	first.Stop()
	watch(t, s)
	publish(t, s, token(t, access(1)))
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "put back", func() bool { return exists(s.Path()) })
}

func TestStoppedWatchPutsNothingBack(t *testing.T) {
	s := open(t, filesink.Options{})
	publish(t, s, token(t, access(1)))
	w := watch(t, s)
	w.Stop()
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	publish(t, s, token(t, access(2))) // and no watch is needed to publish
	if w.Restored() != 0 {
		t.Error("it was put back")
	}
}

// A Sharing keeps the file fresh, in place, and takes it away.
func TestShare(t *testing.T) {
	service, err := identity.New(identity.Options{})
	if err != nil {
		t.Fatal(err)
	}
	session, err := shsession.New(shsession.Config{
		ClientID: identity.DevelopmentID, ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		TokenURL:   "https://identity.test/oauth/token",
		HTTPClient: &http.Client{Transport: service.RoundTripper()},
	})
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, filesink.Options{Format: filesink.Header})
	sharing, err := shsession.Share(context.Background(), session, s)
	if err != nil {
		t.Fatal(err)
	}
	defer sharing.Close()
	first := read(t, s)
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "put back", func() bool { return exists(s.Path()) && read(t, s) == first })
	if err := os.WriteFile(s.Path(), []byte("something else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	eventually(t, "replaced", func() bool { return exists(s.Path()) && read(t, s) == first })
	if _, err := session.Renew(context.Background()); err != nil {
		t.Fatal(err)
	}
	eventually(t, "renewed", func() bool { return read(t, s) != first })
	if err := sharing.Close(); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, s)
}
