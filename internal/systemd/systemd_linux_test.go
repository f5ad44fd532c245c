package systemd_test

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/systemd"
	"github.com/shsession/shsession/internal/testkit"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

// A manager is systemd's end of the socket.
type manager struct{ conn *net.UnixConn }

func newManager(t *testing.T) manager {
	t.Helper()
	dir, err := os.MkdirTemp("", "notify") // t.TempDir may be too long for a socket's path
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	addr := &net.UnixAddr{Name: filepath.Join(dir, "socket"), Net: "unixgram"}
	conn, err := net.ListenUnixgram("unixgram", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	t.Setenv("NOTIFY_SOCKET", addr.Name)
	return manager{conn}
}

// next returns the next message, or fails the test if there is none for a long time.
func (m manager) next(t *testing.T) string {
	t.Helper()
	if err := m.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	n, err := m.conn.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n])
}

func TestMessages(t *testing.T) {
	m := newManager(t)
	tests := []struct {
		name string
		call func() error
		want string
	}{
		{"ready", func() error { return systemd.Ready("sharing shm:a") }, "READY=1\nSTATUS=sharing shm:a"},
		{"ready without a status", func() error { return systemd.Ready("") }, "READY=1"},
		{"status", func() error { return systemd.Status("renewing") }, "STATUS=renewing"},
		{"stopping", func() error { return systemd.Stopping("bye") }, "STOPPING=1\nSTATUS=bye"},
		{"a status with assignments", func() error { return systemd.Status("a\nMAINPID=1\r\n b\xff") }, "STATUS=a MAINPID=1 b\uFFFD"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if err := test.call(); err != nil {
				t.Fatal(err)
			}
			if got := m.next(t); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	if err := systemd.Status(""); err != nil {
		t.Error(err)
	}
}

func TestWithoutSystemd(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	t.Setenv("WATCHDOG_USEC", "")
	for _, err := range []error{
		systemd.Ready("a"), systemd.Status("a"), systemd.Stopping("a"),
		systemd.Watchdog(t.Context(), func() bool { t.Error("health was asked for"); return true }),
	} {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "none"))
	if err := systemd.Ready("a"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Ready = %v", err)
	}
}

// watch runs Watchdog until stop is called, which returns its error.
func watch(t *testing.T, healthy func() bool) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- systemd.Watchdog(ctx, healthy) }()
	return func() error { cancel(); return <-ended }
}

func TestWatchdog(t *testing.T) {
	m := newManager(t)
	const patience = 100 * time.Millisecond
	t.Setenv("WATCHDOG_USEC", strconv.FormatInt(patience.Microseconds(), 10))
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	start := time.Now()
	stop := watch(t, func() bool { return true })
	const pings = 6
	for range pings {
		if got := m.next(t); got != "WATCHDOG=1" {
			t.Errorf("got %q", got)
		}
	}
	// The first comes at once, and each of the others half of the time after it.
	if took, least := time.Since(start), (pings-1)*patience/2; took < least-patience/4 {
		t.Errorf("%d pings in %v, want them to take %v", pings, took, least)
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

func TestWatchdogOfTheUnhealthy(t *testing.T) {
	m := newManager(t)
	t.Setenv("WATCHDOG_USEC", "10000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	asked := make(chan struct{})
	var healthy atomic.Bool
	stop := watch(t, func() bool { asked <- struct{}{}; return healthy.Load() })
	for range 5 {
		<-asked
	}
	if err := systemd.Status("unhealthy"); err != nil {
		t.Fatal(err)
	}
	if got := m.next(t); got != "STATUS=unhealthy" { // no ping came before it
		t.Errorf("got %q", got)
	}
	healthy.Store(true)
	<-asked
	if got := m.next(t); got != "WATCHDOG=1" {
		t.Errorf("got %q", got)
	}
	go func() {
		for range asked { // until the watchdog has ended
		}
	}()
	if err := stop(); err != nil {
		t.Error(err)
	}
	close(asked)
}

func TestWatchdogThatIsNotOurs(t *testing.T) {
	newManager(t)
	t.Setenv("WATCHDOG_USEC", "1000000")
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()+1))
	never := func() bool { t.Error("health was asked for"); return true }
	if err := systemd.Watchdog(t.Context(), never); err != nil {
		t.Error(err)
	}
	t.Setenv("WATCHDOG_PID", strconv.Itoa(os.Getpid()))
	t.Setenv("WATCHDOG_USEC", "soon")
	if err := systemd.Watchdog(t.Context(), never); err == nil {
		t.Error("WATCHDOG_USEC=soon is taken")
	}
}
