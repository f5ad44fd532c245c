package filesink_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/atomicfile"
	"github.com/shsession/shsession/internal/testkit"
)

// watch watches a sink until the test ends.
func watch(t testing.TB, s *filesink.Sink) shsession.Watch {
	t.Helper()
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
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
		"moved":   func(path string) error { return move(path, path+".away") },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filesink.Options{Format: filesink.Header})
			publish(t, s, token(t, access(1)))
			w := watch(t, s)
			for n := uint64(1); n <= 3; n++ {
				if err := take(s.Path()); err != nil {
					t.Fatal(err)
				}
				testkit.Eventually(t, "put back", func() bool { return w.Restored() == n })
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
	testkit.Eventually(t, "put back", func() bool { return w.Restored() == 1 })
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
	testkit.Eventually(t, "the directory is gone", func() bool { return os.RemoveAll(dir) == nil && !exists(dir) })
	changed(t, w) // it couldn't be put back
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "put back in a new directory", func() bool { return exists(s.Path()) })
	n := w.Restored()
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "put back in it once more", func() bool { return w.Restored() > n })
}

// move renames a file. While the sink looks at the file, Windows may refuse that.
func move(from, to string) (err error) {
	testkit.Within(5*time.Second, func() bool {
		err = os.Rename(from, to)
		return err == nil
	})
	return err
}

func TestChanged(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"rewritten": func(path string) error { return os.WriteFile(path, []byte("other"), 0o600) },
		"emptied":   func(path string) error { return os.Truncate(path, 0) },
		"replaced": func(path string) error {
			return atomicfile.Replace(context.Background(), path, func(f *os.File) error {
				_, err := f.WriteString("other")
				return err
			})
		},
		"replaced by a link": func(path string) error {
			return errors.Join(os.Symlink(path+".target", path+".new"), os.Rename(path+".new", path))
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filesink.Options{Format: filesink.Raw})
			publish(t, s, token(t, access(1)))
			w := watch(t, s)
			if err := change(s.Path()); err != nil && runtime.GOOS == "windows" && name == "replaced by a link" {
				t.Skip(err) // which needs a privilege
			} else if err != nil {
				t.Fatal(err)
			}
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

// However much happens in the directory, a sharer publishes, and its watch looks.
func TestBusyDirectory(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	w := watch(t, s)
	stop := make(chan struct{})
	var busy sync.WaitGroup
	for n := range 4 {
		busy.Go(func() {
			path := filepath.Join(filepath.Dir(s.Path()), fmt.Sprint("other", n))
			for !isClosed(stop) {
				if err := errors.Join(os.WriteFile(path, nil, 0o600), os.Remove(path)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := range 100 {
		publish(t, s, token(t, access(n)))
	}
	close(stop)
	busy.Wait()
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the file is put back", func() bool { return w.Restored() > 0 })
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// Two sharers of one file with two tokens take it from each other once a second, and no more.
func TestNoticesAreRare(t *testing.T) {
	t.Parallel()
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
	if w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"}); err == nil {
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
	testkit.Eventually(t, "put back", func() bool { return exists(s.Path()) })
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
	service := testkit.NewService(t, identity.Options{})
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
	testkit.Eventually(t, "put back", func() bool { return exists(s.Path()) && read(t, s) == first })
	if err := os.WriteFile(s.Path(), []byte("something else\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "replaced", func() bool { return exists(s.Path()) && read(t, s) == first })
	if _, err := session.Renew(context.Background()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "renewed", func() bool { return read(t, s) != first })
	if err := sharing.Close(); err != nil {
		t.Fatal(err)
	}
	onlyFiles(t, s)
}
