package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// A server is a redis-server of our own.
type server struct {
	addr string
	dir  string
	cmd  *exec.Cmd
}

// startRedis starts a redis-server with room for that many clients, each with a connection or a few.
func startRedis(ctx context.Context, clients int) (*server, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0") // to have a free port
	if err != nil {
		return nil, err
	}
	addr := listener.Addr().String()
	if err := listener.Close(); err != nil {
		return nil, err
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "followers")
	if err != nil {
		return nil, err
	}
	s := &server{addr: addr, dir: dir}
	s.cmd = exec.CommandContext(ctx, "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", dir,
		"--save", "", "--logfile", "log", "--maxclients", strconv.Itoa(max(10_000, 2*clients)))
	if err := s.cmd.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		_, err := s.info()
		if err == nil {
			return s, nil
		}
		if tick.Reset(10 * time.Millisecond); ctx.Err() != nil || s.cmd.ProcessState != nil {
			s.stop()
			return nil, err
		}
		<-tick.C
	}
}

// stop kills the server and removes what it wrote.
func (s *server) stop() {
	_ = s.cmd.Process.Kill() // it may have ended
	_ = s.cmd.Wait()
	_ = os.RemoveAll(s.dir)
}

// info returns what Redis says of itself: "connected_clients" is "7".
func (s *server) info() (map[string]string, error) {
	conn, err := net.DialTimeout("tcp", s.addr, time.Second)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := io.WriteString(conn, "INFO everything\r\n"); err != nil {
		return nil, err
	}
	reader := bufio.NewReader(conn)
	header, err := reader.ReadString('\n')
	if err != nil {
		return nil, err
	}
	length, err := strconv.Atoi(strings.TrimSpace(strings.TrimPrefix(header, "$")))
	if err != nil {
		return nil, fmt.Errorf("the answer of Redis begins with %q", header)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(reader, text); err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), ":"); found {
			fields[name] = value
		}
	}
	return fields, nil
}

// calls returns how often a command was called, and number a field that is a number.
func calls(info map[string]string, command string) int {
	stat, _ := strings.CutPrefix(info["cmdstat_"+command], "calls=") // no field means that it never was
	n, _, _ := strings.Cut(stat, ",")
	count, _ := strconv.Atoi(n)
	return count
}
