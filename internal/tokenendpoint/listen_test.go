package tokenendpoint_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/serve"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

func listen(t *testing.T, addr string) net.Listener {
	t.Helper()
	ln, err := tokenendpoint.Listen(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ln.Close() })
	return ln
}

// A client logs in over TCP, where nothing else is said, and over a socket.
func TestServe(t *testing.T) {
	addrs := []string{"", "localhost:0"}
	if runtime.GOOS != "windows" {
		addrs = append(addrs, "unix:"+filepath.Join(t.TempDir(), "socket"))
	}
	for _, addr := range addrs {
		r := newRig(t, time.Hour)
		ln := listen(t, addr)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.endpoint.Serve(ctx, ln) }()
		transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, ln.Addr().Network(), ln.Addr().String())
		}}
		resp, err := (&http.Client{Transport: transport}).PostForm(tokenendpoint.TokenURL(ln.Addr()), r.form())
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%q: answered %d", addr, resp.StatusCode)
		}
		transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			t.Errorf("%q: %v", addr, err)
		}
	}
}

// Other machines can't reach an endpoint, and a token URL isn't one of a Keycloak realm.
func TestListen(t *testing.T) {
	for _, addr := range []string{":0", "0.0.0.0:0", "192.0.2.1:0", "[::]:0"} {
		if _, err := tokenendpoint.Listen(t.Context(), addr); !errors.Is(err, serve.ErrNotLoopback) {
			t.Errorf("%s: %v", addr, err)
		}
	}
	u, err := url.Parse(tokenendpoint.TokenURL(listen(t, "").Addr()))
	if err != nil || u.Hostname() != "127.0.0.1" || u.Port() == "0" || u.Path != "/token" {
		t.Errorf("token URL %v %v", u, err)
	}
	ln, err := net.Listen("tcp", "0.0.0.0:0")
	if err != nil {
		t.Skip(err)
	}
	if err := newRig(t, time.Hour).endpoint.Serve(t.Context(), ln); !errors.Is(err, serve.ErrNotLoopback) {
		t.Errorf("Serve: %v", err)
	}
	if _, err := ln.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Error("Serve left its listener open")
	}
}

// A socket is this user's alone, and goes with its listener. What another process listens on,
// and any other file, is left alone; a socket that nobody listens on is replaced.
func TestListenUnix(t *testing.T) {
	if runtime.GOOS == "windows" {
		if _, err := tokenendpoint.Listen(t.Context(), `unix:C:\socket`); err == nil {
			t.Error("no error")
		}
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "socket")
	ln := listen(t, "unix:"+path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != fs.ModeSocket|0o600 {
		t.Fatalf("the socket is %v, %v", info.Mode(), err)
	}
	if _, err := tokenendpoint.Listen(t.Context(), "unix:"+path); err == nil {
		t.Error("a second listener took the socket")
	}
	if err := ln.Close(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("%v were left behind, %v", entries, err)
	}

	killed, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	killed.SetUnlinkOnClose(false)
	killed.Close()
	listen(t, "unix:"+path)

	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := filepath.Join(dir, strings.Repeat("x", 108))
	for _, addr := range []string{"unix:" + file, "unix:" + dir, "unix:", "unix:" + long, "unix:" + filepath.Join(dir, "missing", "socket")} {
		if _, err := tokenendpoint.Listen(t.Context(), addr); err == nil {
			t.Errorf("%s: no error", addr)
		}
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "x" {
		t.Errorf("the file was changed: %q %v", text, err)
	}
}
