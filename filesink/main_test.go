package filesink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/filesink"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	data, err := os.ReadFile(s.Path())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// eventually waits for what is to become true.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	if !within(10*time.Second, ok) {
		t.Fatalf("%s: not within 10 s", what)
	}
}

// within reports whether ok became true in that time.
func within(limit time.Duration, ok func() bool) bool {
	deadline := time.After(limit)
	tick := time.NewTicker(200 * time.Microsecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-deadline:
			return ok()
		case <-tick.C:
		}
	}
	return true
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
