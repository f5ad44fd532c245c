package main

import (
	"net"
	"os/exec"
	"strconv"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// redis PASSWORD [ARGUMENT...] starts a redis-server for the script, and sets REDIS to its host and port and REDIS_PID
// to its process.
func scriptRedis(ts *testscript.TestScript, _ bool, args []string) {
	for range 5 { // another process may take the port first
		if addr, ok := startRedis(ts, args[0], args[1:]...); ok {
			ts.Setenv("REDIS", addr)
			return
		}
	}
	ts.Fatalf("redis-server doesn't start")
}

func startRedis(ts *testscript.TestScript, password string, args ...string) (addr string, ok bool) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	addr = free.Addr().String()
	ts.Check(free.Close())
	_, port, err := net.SplitHostPort(addr)
	ts.Check(err)
	server := exec.Command("redis-server", append(args, "--bind", "127.0.0.1", "--port", port, "--requirepass", password,
		"--save", "", "--appendonly", "no", "--dir", ts.MkAbs("."), "--logfile", ts.MkAbs("redis.log"))...)
	server.Dir = ts.MkAbs(".")
	ts.Check(server.Start())
	ts.Setenv("REDIS_PID", strconv.Itoa(server.Process.Pid))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Wait() // that it was killed is no news
	}()
	ts.Defer(func() {
		server.Process.Kill()
		<-ended
	})
	ticker := time.NewTicker(5 * time.Millisecond)
	defer ticker.Stop()
	for range 2000 {
		if conn, err := net.Dial("tcp", addr); err == nil {
			return addr, conn.Close() == nil
		}
		select {
		case <-ended:
			return "", false
		case <-ticker.C:
		}
	}
	return "", false
}
