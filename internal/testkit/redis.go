// Package testkit has what the tests of several packages need: programs, servers, and ways
// to wait.
package testkit

import (
	"bufio"
	"net"
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
	server := exec.Command("redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--logfile", filepath.Join(dir, "log"), "--save", "", "--appendonly", "no")
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
		if answersPing(addr) {
			return true
		}
		select {
		case <-ended:
			return false
		case <-ticker.C:
		}
	}
}

// answersPing reports whether the server at addr speaks Redis's protocol.
func answersPing(addr string) bool {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer conn.Close()
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && line == "+PONG\r\n"
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
