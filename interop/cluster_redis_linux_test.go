package interop_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/testkit"
)

// A redisServer is a redis-server on a host of a lan. Killed and started again it is empty.
type redisServer struct {
	lan  *lan
	host int
	addr string
	dir  string
	args []string
	cmd  *exec.Cmd
}

// startRedis starts a redis-server that ends with the test. args go before the usual ones.
func (l *lan) startRedis(t *testing.T, host, port int, args ...string) *redisServer {
	t.Helper()
	needProgram(t, "redis-server")
	s := &redisServer{lan: l, host: host, addr: net.JoinHostPort(l.addr(host), strconv.Itoa(port)), dir: t.TempDir()}
	s.args = append(args, "--port", strconv.Itoa(port), "--bind", l.addr(host), "--protected-mode", "no",
		"--dir", s.dir, "--logfile", filepath.Join(s.dir, "log"))
	t.Cleanup(s.kill)
	s.start(t)
	return s
}

func (s *redisServer) start(t *testing.T) {
	t.Helper()
	s.cmd = exec.Command("redis-server", s.args...)
	s.cmd.Stderr = os.Stderr
	if err := s.lan.start(s.host, s.cmd); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "redis-server at "+s.addr+" answers", func() bool {
		_, err := s.ask("PING")
		return err == nil
	})
}

// kill ends the server, which saves nothing.
func (s *redisServer) kill() {
	_ = s.cmd.Process.Kill() // once killed, it can be killed again
	_ = s.cmd.Wait()
}

// do runs a command as the server's administrator.
func (s *redisServer) do(t *testing.T, words ...string) string {
	t.Helper()
	answer, err := s.ask(words...)
	if err != nil {
		t.Fatalf("%v: %v", words, err)
	}
	return answer
}

// ask runs a command whose answer is no list, over a connection of its own.
func (s *redisServer) ask(words ...string) (answer string, err error) {
	var conn net.Conn
	err = s.lan.on(s.host, func() (err error) {
		conn, err = net.DialTimeout("tcp", s.addr, time.Second)
		return err
	})
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(time.Second)); err != nil {
		return "", err
	}
	if _, err := fmt.Fprintln(conn, strings.Join(words, " ")); err != nil {
		return "", err
	}
	lines := bufio.NewReader(conn)
	line, err := lines.ReadString('\n')
	if err != nil {
		return "", err
	}
	kind, rest := line[0], strings.TrimSpace(line[1:])
	switch kind {
	case '+', ':':
		return rest, nil
	case '$':
		length, err := strconv.Atoi(rest)
		if err != nil {
			return "", err
		}
		text := make([]byte, max(0, length))
		_, err = io.ReadFull(lines, text)
		return string(text), err
	}
	return "", errors.New(rest)
}
