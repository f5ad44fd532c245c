package filesink_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
	"github.com/shsession/shsession/internal/atomicfile"
	"github.com/shsession/shsession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

// token returns a token that has an hour to live.
func token(t testing.TB, access string) shsession.Token {
	t.Helper()
	tok, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token":%q,"expires_in":3600,"token_type":"Bearer","expires_at":%d}`,
		access, time.Now().Add(time.Hour).Unix()))
	if err != nil {
		t.Fatal(err)
	}
	return tok
}

// access returns an access token that is made for n.
func access(n int) string { return fmt.Sprintf("access-token-%06d-%s", n, strings.Repeat("x", 1500)) }

// open returns a sink in a directory of its own.
func open(t testing.TB, o filesink.Options) *filesink.Sink {
	t.Helper()
	s, err := filesink.Open(filepath.Join(t.TempDir(), "token"), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func publish(t testing.TB, s shsession.Sink, tok shsession.Token) {
	t.Helper()
	if err := s.Publish(context.Background(), tok); err != nil {
		t.Error(err)
	}
}

func withdraw(t testing.TB, s shsession.Sink) {
	t.Helper()
	if err := s.Withdraw(context.Background()); err != nil {
		t.Fatal(err)
	}
}

// read returns what is in the sink's file.
func read(t testing.TB, s *filesink.Sink) string {
	t.Helper()
	f, err := atomicfile.Open(s.Path())
	for runtime.GOOS == "windows" && errors.Is(err, fs.ErrNotExist) { // Wine removes the old file before it renames the new one
		f, err = atomicfile.Open(s.Path())
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// onlyFiles fails the test if anything but the named files is in the sink's directory.
func onlyFiles(t testing.TB, s *filesink.Sink, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(s.Path()))
	if err != nil {
		t.Fatal(err)
	}
	var have []string
	for _, e := range entries {
		have = append(have, e.Name())
	}
	if fmt.Sprint(have) != fmt.Sprint(names) {
		t.Errorf("the directory has %v, want %v", have, names)
	}
}
