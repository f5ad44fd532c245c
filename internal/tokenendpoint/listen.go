package tokenendpoint

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"

	"github.com/shsession/shsession/internal/serve"
)

// DefaultAddr is the default address of an endpoint, with a free port.
const DefaultAddr = "127.0.0.1:0"

// unixScheme is before the path of a Unix socket.
const unixScheme = "unix:"

// Limits of the endpoint's server.
const (
	headerTimeout = 5 * time.Second
	idleTimeout   = time.Minute
	maxHeader     = 16 << 10 // bytes, and net/http adds 4096
	drainTimeout  = 2 * time.Second
)

// maxSocketPath is the length of the longest path that clients can connect to, in bytes.
const maxSocketPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// IsSocket reports whether an address for [Listen] is that of a Unix socket.
func IsSocket(addr string) bool { return strings.HasPrefix(addr, unixScheme) }

// TokenURL returns the token URL of an endpoint that listens on an address. For a Unix socket its
// host is localhost; every name of this machine works there.
func TokenURL(addr net.Addr) string {
	if addr.Network() == "unix" {
		return "http://localhost" + tokenPath
	}
	return "http://" + addr.String() + tokenPath
}

// Listen listens on a TCP address of the loopback interface, [DefaultAddr] if addr is "", or on
// the Unix socket "unix:PATH", which only this user can connect to. The error wraps
// [serve.ErrNotLoopback] if other machines could reach the address. ctx bounds the look-up of a
// host's name.
//
// A socket that a killed process left is replaced. A socket that a process listens on is an
// error, and so is any other file. Closing the listener removes the socket.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	if path, isSocket := strings.CutPrefix(addr, unixScheme); isSocket {
		return listenUnix(ctx, path)
	}
	if addr == "" {
		addr = DefaultAddr
	}
	return serve.Listen(ctx, addr, false)
}

// listenUnix makes the socket in a directory that is closed to others and moves it to path, so
// that it never has any other mode than 0600.
func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	switch {
	case runtime.GOOS == "windows":
		return nil, errors.New("unix: there are no Unix sockets with an owner on Windows: use a port of 127.0.0.1")
	case path == "":
		return nil, errors.New("unix: has no path")
	case len(path) > maxSocketPath:
		return nil, fmt.Errorf("the path of a Unix socket has at most %d bytes, and %s has %d", maxSocketPath, path, len(path))
	}
	if err := checkUnused(ctx, path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".sh") // short: a socket's path has 107 bytes at most
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	ln, err := (&net.ListenConfig{}).Listen(ctx, "unix", filepath.Join(dir, "s"))
	if err != nil {
		return nil, err
	}
	socket := ln.(*net.UnixListener)
	socket.SetUnlinkOnClose(false) // of a path where it won't be
	err = os.Chmod(filepath.Join(dir, "s"), 0o600)
	if err == nil {
		err = os.Rename(filepath.Join(dir, "s"), path)
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return &unixListener{socket, path}, nil
}

// checkUnused returns an error if the file at path must not be replaced.
func checkUnused(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s exists, and is no socket", path)
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "unix", path)
	if err == nil {
		return errors.Join(fmt.Errorf("another process listens on %s", path), conn.Close())
	}
	return nil
}

// A unixListener is a listener whose socket was moved.
type unixListener struct {
	*net.UnixListener
	path string
}

// Addr returns the address where the socket is.
func (ln *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: ln.path, Net: "unix"} }

// Close removes the socket and stops listening.
func (ln *unixListener) Close() error {
	err := os.Remove(ln.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(ln.UnixListener.Close(), err)
}

// Serve serves on ln and blocks until ctx is done. Then it closes ln, answers requests that wait
// for a token at once, and gives others two seconds to finish. The error is nil after ctx is
// done.
func (e *Endpoint) Serve(ctx context.Context, ln net.Listener) error {
	if err := serve.Check(ln.Addr()); err != nil {
		return errors.Join(err, ln.Close())
	}
	server := &http.Server{
		Handler:                      e,
		BaseContext:                  func(net.Listener) context.Context { return ctx },
		DisableGeneralOptionsHandler: true,
		ReadHeaderTimeout:            headerTimeout,
		IdleTimeout:                  idleTimeout,
		MaxHeaderBytes:               maxHeader,
		ErrorLog:                     slog.NewLogLogger(e.logger.Handler(), slog.LevelWarn),
	}
	_, err := serve.Until(ctx, server, ln, drainTimeout)
	return err
}
