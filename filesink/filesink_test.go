package filesink_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/testkit"
)

func TestFormats(t *testing.T) {
	tok := token(t, access(1))
	for format, want := range map[filesink.Format]string{
		filesink.JSON:   string(tok.Encode()) + "\n",
		filesink.Raw:    access(1),
		filesink.Header: "Authorization: Bearer " + access(1) + "\n",
	} {
		t.Run(format.String(), func(t *testing.T) {
			s := open(t, filesink.Options{Format: format})
			publish(t, s, tok)
			if got := read(t, s); got != want {
				t.Errorf("the file holds %q, want %q", got, want)
			}
			withdraw(t, s)
			onlyFiles(t, s)
		})
	}
}

func TestJSONIsReadBack(t *testing.T) {
	s := open(t, filesink.Options{})
	publish(t, s, token(t, access(1)))
	got, err := shsession.ParseToken([]byte(read(t, s)))
	if err != nil || got.AccessToken() != access(1) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestPublishReplaces(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	for n := range 3 {
		publish(t, s, token(t, access(n)))
		if got := read(t, s); got != access(n) {
			t.Errorf("the file holds %.30q, want %.30q", got, access(n))
		}
	}
	onlyFiles(t, s, "token")
}

func TestPublishReplacesWhatAnEarlierProcessLeft(t *testing.T) {
	for format, left := range map[filesink.Format]string{
		filesink.Header: "Authorization: Bearer " + access(1) + "\n",
		filesink.Raw:    access(1) + "\n",
		filesink.JSON:   string(token(t, access(1)).Encode()),
	} {
		for _, left := range []string{left, ""} {
			s := open(t, filesink.Options{Format: format})
			if err := os.WriteFile(s.Path(), []byte(left), 0o644); err != nil {
				t.Fatal(err)
			}
			publish(t, s, token(t, access(2)))
			if got := read(t, s); !strings.Contains(got, access(2)) {
				t.Errorf("%v: the file holds %.30q", format, got)
			}
		}
	}
}

// What was named by mistake is not replaced, and stays as it is.
func TestPublishRefuses(t *testing.T) {
	file := func(content string) func(t *testing.T, path string) {
		return func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, lay := range map[string]func(t *testing.T, path string){
		"text":          file("export PATH=/usr/bin\nalias ll='ls -l'\n"),
		"other header":  file("X-Api-Key: 0123456789abcdef0123\n"),
		"more headers":  file("Authorization: Bearer " + access(1) + "\nX-Api-Key: 1\n"),
		"other format":  file(access(1)),
		"token JSON":    file(`{"access_token":"` + access(1) + `","expires_at":1}`),
		"JSON":          file(`{"name":"package.json"}`),
		"short":         file("yes"),
		"larger":        file(strings.Repeat("a", 2<<20)),
		"directory":     func(t *testing.T, path string) { os.Mkdir(path, 0o755) },
		"symbolic link": func(t *testing.T, path string) { os.Symlink(path+".target", path) },
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filesink.Options{Format: filesink.Header})
			lay(t, s.Path())
			before, err := os.Lstat(s.Path())
			if err != nil {
				t.Skip("this system can't lay it out:", err) // symbolic links on Windows
			}
			if err := s.Publish(context.Background(), token(t, access(2))); !errors.Is(err, filesink.ErrNotToken) {
				t.Errorf("got %v, want ErrNotToken", err)
			}
			withdraw(t, s)
			after, err := os.Lstat(s.Path())
			if err != nil || !os.SameFile(before, after) || before.Size() != after.Size() {
				t.Errorf("it was changed: %v, %v", after, err)
			}
			onlyFiles(t, s, "token")
		})
	}
}

func TestPublishWithoutDirectory(t *testing.T) {
	s, err := filesink.Open(filepath.Join(t.TempDir(), "missing", "token"), filesink.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Publish(context.Background(), token(t, access(1))); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want ErrNotExist", err)
	}
}

func TestPublishNothing(t *testing.T) {
	s := open(t, filesink.Options{})
	if err := s.Publish(context.Background(), shsession.Token{}); err == nil {
		t.Error("the zero Token was published")
	}
	onlyFiles(t, s)
}

func TestPublishEndsWithItsContext(t *testing.T) {
	s := open(t, filesink.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Publish(ctx, token(t, access(1))); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	onlyFiles(t, s)
}

// A reader finds one token or another, whole, whenever it looks.
func TestReadersFindAWholeToken(t *testing.T) {
	t.Parallel()
	s := open(t, filesink.Options{Format: filesink.Header})
	publish(t, s, token(t, access(0)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for n := range 500 {
			publish(t, s, token(t, access(n)))
		}
	}()
	for reads := 0; ; reads++ {
		got := read(t, s)
		if len(got) != len("Authorization: Bearer \n")+len(access(0)) || !strings.HasSuffix(got, "x\n") {
			t.Fatalf("read %d found %d bytes: %.60q", reads, len(got), got)
		}
		select {
		case <-done:
			return
		default:
		}
	}
}

func TestPublishByMany(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	done := make(chan struct{})
	for n := range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			for range 20 {
				publish(t, s, token(t, access(n)))
			}
		}()
	}
	for range 8 {
		<-done
	}
	if got := read(t, s); len(got) != len(access(0)) {
		t.Errorf("the file holds %d bytes", len(got))
	}
	withdraw(t, s)
	onlyFiles(t, s)
}

func TestWithdrawLeavesWhatIsNotItsOwn(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw})
	other, err := filesink.Open(s.Path(), filesink.Options{Format: filesink.Raw})
	if err != nil {
		t.Fatal(err)
	}
	withdraw(t, s) // nothing
	publish(t, s, token(t, access(1)))
	publish(t, other, token(t, access(2)))
	withdraw(t, s)
	if got := read(t, s); got != access(2) {
		t.Errorf("the file holds %.30q", got)
	}
	withdraw(t, other)
	onlyFiles(t, s)
	withdraw(t, other)
}

func TestKeep(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw, Keep: true})
	publish(t, s, token(t, access(1)))
	withdraw(t, s)
	if got := read(t, s); got != access(1) {
		t.Errorf("the file holds %.30q", got)
	}
}

// There is nothing worth keeping in a token that has expired.
func TestKeepsNoExpiredToken(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Raw, Keep: true})
	publish(t, s, token(t, access(1)).WithExpiry(time.Now().Add(-time.Second)))
	withdraw(t, s)
	onlyFiles(t, s)
}

// What was kept is replaced by the next Sink of that file, and removed with its token.
func TestKeptIsReplaced(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Header, Keep: true})
	publish(t, s, token(t, access(1)))
	withdraw(t, s)
	next, err := filesink.Open(s.Path(), filesink.Options{Format: filesink.Header})
	if err != nil {
		t.Fatal(err)
	}
	publish(t, next, token(t, access(2)))
	if got := read(t, next); !strings.Contains(got, access(2)) {
		t.Errorf("the file holds %.50q", got)
	}
	withdraw(t, next)
	onlyFiles(t, next)
}

// A token that has expired stays there, and is put back, until there is another: see the package's doc.
func TestExpiredStaysInPlace(t *testing.T) {
	s := open(t, filesink.Options{Format: filesink.Header})
	expiry := time.Now().Add(20 * time.Millisecond)
	publish(t, s, token(t, access(1)).WithExpiry(expiry))
	watch(t, s)
	testkit.Eventually(t, "expired", func() bool { return time.Now().After(expiry) })
	if got := read(t, s); !strings.Contains(got, access(1)) {
		t.Errorf("the file holds %.50q", got)
	}
	if err := os.Remove(s.Path()); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "put back", func() bool { return exists(s.Path()) })
	publish(t, s, token(t, access(2)))
	if got := read(t, s); !strings.Contains(got, access(2)) {
		t.Errorf("the file holds %.50q", got)
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, o := range map[string]filesink.Options{
		"format":         {Format: 9},
		"world-readable": {Mode: 0o644},
		"group-writable": {Mode: 0o660},
		"writable":       {Mode: 0o602, WorldReadable: true},
		"executable":     {Mode: 0o700},
		"setuid":         {Mode: 0o600 | fs.ModeSetuid},
		"unreadable":     {Mode: 0o040},
		"owner":          {Owner: "no-such-user-here"},
		"group":          {Group: "no-such-group-here"},
		"negative group": {Group: "-1"},
		"no group":       {Group: "4294967295"},
	} {
		if _, err := filesink.Open("token", o); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := filesink.Open("", filesink.Options{}); err == nil {
		t.Error("empty path: no error")
	}
}

// The place is the one that was meant when the sink was opened.
func TestPathIsAbsolute(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := filesink.Open("token", filesink.Options{Format: filesink.Raw})
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	publish(t, s, token(t, access(1)))
	if exists("token") || !filepath.IsAbs(s.Path()) {
		t.Errorf("it was written to the new directory, not to %s", s.Path())
	}
}
