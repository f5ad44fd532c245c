package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// nginx is the peer that adds a fixed header, and direct no proxy at all.
const (
	nginx  = "nginx"
	direct = "direct"
)

// BenchmarkProxy fetches answers of some sizes through a proxy, which is a process of its own. The floor is
// httputil.ReverseProxy with one header; what a proxy adds to the latency is what it takes above direct.
func BenchmarkProxy(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(payload))
	b.Cleanup(upstream.Close)
	urls := map[string]string{
		floor:  startReverse(b, upstream.URL),
		ours:   startProxy(b, upstream.URL),
		nginx:  startNginx(b, upstream.URL), // "" where there is none
		direct: upstream.URL,
	}
	fetched := func(name string, size, goroutines int) work {
		return work{name, func(b *testing.B) {
			var peers []peer
			for name, url := range urls {
				fetch := parallel(name, goroutines, download(b, url, size))
				peers = append(peers, peer{name, func(b *testing.B) {
					if url == "" {
						theRig.skip(b, "no nginx")
					}
					b.SetBytes(int64(size))
					fetch.run(b)
				}})
			}
			beside(b, peers...)
		}}
	}
	each(b, fetched("KB=1", 1<<10, 1), fetched("KB=1/clients=16", 1<<10, 16), fetched("MB=16", 16<<20, 1))
}

// payload answers with as many bytes as the path says.
func payload(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/"))
	w.Header().Set("Content-Length", strconv.Itoa(size))
	chunk := make([]byte, min(size, 64<<10))
	for size > 0 {
		n, err := w.Write(chunk[:min(size, len(chunk))])
		if err != nil {
			return
		}
		size -= n
	}
}

// download returns a loop that fetches size bytes.
func download(b *testing.B, url string, size int) loop {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	b.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	return repeat(b, func() error {
		resp, err := client.Get(url + "/" + strconv.Itoa(size))
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		n, err := io.Copy(io.Discard, resp.Body)
		if err == nil && (n != int64(size) || resp.StatusCode != http.StatusOK) {
			err = fmt.Errorf("status %d with %d bytes", resp.StatusCode, n)
		}
		return err
	})
}

// startProgram starts a program, which ends with the benchmark, and returns its first line.
func startProgram(b *testing.B, cmd *exec.Cmd) string {
	b.Helper()
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	var log bytes.Buffer
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close() // which ends the others
		cmd.Process.Signal(os.Interrupt)
		stuck := time.AfterFunc(10*time.Second, func() { cmd.Process.Kill() })
		defer stuck.Stop()
		if cmd.Wait(); b.Failed() {
			b.Logf("%s:\n%s", cmd, log.String())
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatalf("%s: %q, %v", cmd, line, err)
	}
	return line
}

func startReverse(b *testing.B, upstream string) string {
	env := []string{"TOKEN=" + accessToken(1<<10, 1, hour)}
	return strings.TrimSpace(startProgram(b, command(env, program(b, "reverse"), upstream)))
}

func startProxy(b *testing.B, upstream string) string {
	env := append(environment(b, newEndpoint(b, 0).url), "SH_BASE_URL="+upstream)
	b.Cleanup(func() { command(env, program(b, "shsession"), "logout").Run() })
	line := startProgram(b, command(env, program(b, "shsession"), "proxy", "--listen", "127.0.0.1:0"))
	return strings.Fields(line)[1]
}

// nginxConfig makes nginx one process a processor that keeps its connections, streams, and writes no log.
const nginxConfig = `daemon off; error_log stderr error; pid %[1]s/pid; worker_processes auto;
events { worker_connections 1024; }
http {
	access_log off; keepalive_requests 1000000; client_body_temp_path %[1]s; proxy_temp_path %[1]s;
	fastcgi_temp_path %[1]s; uwsgi_temp_path %[1]s; scgi_temp_path %[1]s;
	upstream api { server %[2]s; keepalive 64; keepalive_requests 1000000; }
	server {
		listen %[3]s;
		location / {
			proxy_pass http://api; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_max_temp_file_size 0;
			proxy_set_header Authorization "Bearer %[4]s";
		}
	}
}
`

// startNginx starts nginx and returns its URL, or "" if there is none.
func startNginx(b *testing.B, upstream string) string {
	path, err := exec.LookPath("nginx")
	if err != nil {
		return ""
	}
	addr := freeAddress(b)
	dir := b.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // its workers are another user
		b.Fatal(err)
	}
	config := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConfig, dir, strings.TrimPrefix(upstream, "http://"), addr, accessToken(1<<10, 1, hour))
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(path, "-p", dir, "-c", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	})
	awaitListener(b, addr)
	return "http://" + addr
}

// freeAddress returns an address that nobody listened at a moment ago.
func freeAddress(b *testing.B) string {
	b.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

func awaitListener(b *testing.B, addr string) {
	b.Helper()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if conn, err := net.Dial("tcp", addr); err == nil {
			conn.Close()
			return
		}
	}
	b.Fatal("nginx doesn't listen after 10 seconds")
}
