// Package testkit has what the tests of several packages need: programs, servers, and ways
// to wait.
package testkit

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// StartRedis starts an empty redis-server on the loopback interface, which ends with the
// test, and returns its redis:// URL. Without the program the test is skipped, unless
// SHSESSION_INTEROP=required.
func StartRedis(t testing.TB) (url string) {
	t.Helper()
	Need(t, "redis-server")
	for range 5 { // another process may take the port first
		addr := FreeAddr(t)
		if startRedis(t, addr) {
			return "redis://" + addr
		}
	}
	t.Fatal("redis-server doesn't start")
	return ""
}

func startRedis(t testing.TB, addr string) bool {
	t.Helper()
	dir := t.TempDir()
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	logFile := filepath.Join(dir, "log")
	server := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--logfile", logFile, "--save", "", "--appendonly", "no")
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Wait() // that it was killed is no news
	}()
	t.Cleanup(func() {
		_ = server.Process.Kill() // it may have ended
		<-ended
	})
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for {
		if RedisStarts(logFile) > 0 {
			return true
		}
		select {
		case <-ended:
			return false
		case <-ticker.C:
		}
	}
}

// RedisStarts returns how often the Redis or the Sentinel with that log has begun to listen. An answer at its port says
// less: it may be another server's, which took the port first.
func RedisStarts(logFile string) int {
	text, err := os.ReadFile(logFile)
	if err != nil { // it isn't written yet
		return 0
	}
	return bytes.Count(text, []byte("Server initialized")) + bytes.Count(text, []byte("Sentinel ID is"))
}

// FreeAddr returns an address of the loopback interface on which nobody listens.
func FreeAddr(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
