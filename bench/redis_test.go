package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// BenchmarkRedis is a Store in a Redis on the loopback interface. The floor is the
// one command that the work can't do without, on a bare connection: GET, SET, and SET NX with DEL.
func BenchmarkRedis(b *testing.B) {
	addr := needRedis(b)
	ctx := b.Context()
	store, err := redisstore.Open("redis://"+addr+"/0?key=shsession-bench", redisstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	tokens := [2]shsession.Token{issue(b, 1<<10, 0, hour), issue(b, 1<<10, 1, hour)}
	if err := store.Publish(ctx, tokens[0]); err != nil {
		b.Fatal(err)
	}
	bare := dialRedis(b, addr)
	data := string(tokens[0].Encode())
	if err := bare.do("SET", "bare", data); err != nil {
		b.Fatal(err)
	}
	turn := 0
	type method struct {
		name        string
		floor, ours func() error
	}
	for _, method := range shuffled([]method{
		{"Load", func() error { return bare.do("GET", "bare") },
			func() error { _, err := store.Load(ctx); return err }},
		{"Publish", func() error { return bare.do("SET", "bare", data, "PX", "3600000") },
			func() error { turn++; return store.Publish(ctx, tokens[turn%2]) }},
		{"TryLock", func() error {
			if err := bare.do("SET", "bare-lock", "id", "NX", "PX", "5000"); err != nil {
				return err
			}
			return bare.do("DEL", "bare-lock")
		}, func() error {
			_, unlock, err := store.TryLock(ctx, nil)
			if err == nil {
				unlock(shsession.Note{})
			}
			return err
		}},
	}...) {
		b.Run("method="+method.name, func(b *testing.B) {
			beside(b, serial(floor, repeat(b, method.floor)), serial(ours, repeat(b, method.ours)))
		})
	}
}

// needRedis returns the address of a Redis: SHSESSION_REDIS, or one that is started here, or
// it skips the benchmark.
func needRedis(b *testing.B) string {
	b.Helper()
	if addr := os.Getenv("SHSESSION_REDIS"); addr != "" {
		return addr
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		theRig.skip(b, "no redis-server, and no SHSESSION_REDIS")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := listener.Addr().String()
	listener.Close()
	_, port, _ := net.SplitHostPort(addr)
	server := exec.Command(path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--dir", b.TempDir())
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { server.Process.Kill(); server.Wait() })
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return addr
		}
	}
	b.Fatal("redis-server doesn't answer")
	return ""
}

// A bareRedis is a connection, and nothing else.
type bareRedis struct {
	conn    net.Conn
	answers *bufio.Reader
	out     bytes.Buffer
}

func dialRedis(b *testing.B, addr string) *bareRedis {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &bareRedis{conn: conn, answers: bufio.NewReader(conn)}
}

// do sends a command and reads its answer.
func (r *bareRedis) do(args ...string) error {
	r.out.Reset()
	fmt.Fprintf(&r.out, "*%d\r\n", len(args))
	for _, arg := range args {
		fmt.Fprintf(&r.out, "$%d\r\n%s\r\n", len(arg), arg)
	}
	if _, err := r.conn.Write(r.out.Bytes()); err != nil {
		return err
	}
	line, err := r.answers.ReadString('\n')
	if err != nil {
		return err
	}
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "-") {
		return fmt.Errorf("redis: %s", line)
	}
	if !strings.HasPrefix(line, "$") {
		return nil
	}
	n, err := strconv.Atoi(line[1:])
	if err != nil || n < 0 {
		return fmt.Errorf("redis: %s", line)
	}
	_, err = io.CopyN(io.Discard, r.answers, int64(n)+2)
	return err
}
