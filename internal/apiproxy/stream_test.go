package apiproxy_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/apiproxy"
)

// echo answers with each part of the body as soon as it comes.
func echo(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	rc.EnableFullDuplex()
	w.WriteHeader(200)
	rc.Flush()
	buf := make([]byte, 1024)
	for {
		n, err := r.Body.Read(buf)
		w.Write(buf[:n])
		rc.Flush()
		if err != nil {
			return
		}
	}
}

func TestStreamsBothWays(t *testing.T) {
	r := newRig(t, http.HandlerFunc(echo), apiproxy.Options{})
	for name, length := range map[string]int64{"chunked": -1, "of known length": 3 << 20} {
		t.Run(name, func(t *testing.T) {
			body, upload := io.Pipe()
			req := r.request(t, "POST", "/x", body)
			req.ContentLength = length
			sent := make(chan error, 1)
			next := make(chan string)
			go func() {
				var err error
				for part := range next {
					if _, err = io.WriteString(upload, part); err != nil {
						break
					}
				}
				upload.Close()
				sent <- err
			}()
			next <- "first"
			resp, err := r.client.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			got := make([]byte, 5)
			if _, err := io.ReadFull(resp.Body, got); err != nil || string(got) != "first" {
				t.Fatalf("got %q, %v before the upload has ended", got, err)
			}
			rest := "second"
			if length > 0 {
				rest = strings.Repeat("x", int(length)-len("first"))
			}
			next <- rest
			close(next)
			all, err := io.ReadAll(resp.Body)
			if err != nil || string(all) != rest {
				t.Errorf("then %d bytes came, %v; want %d", len(all), err, len(rest))
			}
			if err := <-sent; err != nil {
				t.Error(err)
			}
		})
	}
}

// An answer arrives as it is written, even if its length is known from the start.
func TestAnswersDontWaitForTheirEnd(t *testing.T) {
	for name, header := range map[string]string{"of known length": "8", "chunked": ""} {
		t.Run(name, func(t *testing.T) {
			goOn := make(chan struct{})
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if header != "" {
					w.Header().Set("Content-Length", header)
				}
				io.WriteString(w, "half")
				http.NewResponseController(w).Flush()
				<-goOn
				io.WriteString(w, "half")
			}), apiproxy.Options{})
			resp, err := r.client.Do(r.request(t, "GET", "/x", nil))
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			half := make([]byte, 4)
			if _, err := io.ReadFull(resp.Body, half); err != nil {
				t.Error(err)
			}
			close(goOn)
			if rest, err := io.ReadAll(resp.Body); string(half)+string(rest) != "halfhalf" || err != nil {
				t.Errorf("got %q and %q, %v", half, rest, err)
			}
		})
	}
}

func TestTrailers(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Trailer", "X-Sum")
		io.WriteString(w, "body")
		w.Header().Set("X-Sum", "7")
	}), apiproxy.Options{})
	resp, body := r.get(t, "/x")
	if body != "body" || resp.Trailer.Get("X-Sum") != "7" {
		t.Errorf("got %q with trailers %v", body, resp.Trailer)
	}
}

// Trailers bring nothing that headers may not, announced or not, nor what has no place in
// trailers.
func TestWithholdsTrailers(t *testing.T) {
	misplaced := []string{"Content-Length", "Content-Encoding", "Transfer-Encoding", "Location", "Host", "Trailer"}
	for name, announced := range map[string]string{
		"announced":     "X-Sum, Set-Cookie, Clear-Site-Data, Access-Control-Allow-Origin, Location",
		"not announced": "",
		"in part":       "Set-Cookie",
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				conn, rw, err := http.NewResponseController(w).Hijack()
				if err != nil {
					t.Error(err)
					return
				}
				defer conn.Close()
				rw.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n")
				if announced != "" {
					rw.WriteString("Trailer: " + announced + "\r\n")
				}
				rw.WriteString("\r\n4\r\nbody\r\n0\r\n")
				for _, field := range append(append([]string{"X-Sum"}, withheld...), misplaced...) {
					rw.WriteString(field + ": 7\r\n")
				}
				rw.WriteString("\r\n")
				rw.Flush()
			}), apiproxy.Options{AllowOrigins: []string{"http://app.example"}})
			resp, body := r.get(t, "/x", "Origin: http://app.example")
			if body != "body" || resp.Trailer.Get("X-Sum") != "7" || len(resp.Trailer) != 1 {
				t.Errorf("got %q with trailers %v", body, resp.Trailer)
			}
			if resp.Header.Get("Access-Control-Allow-Origin") != "http://app.example" {
				t.Error("an allowed page can't read the answer")
			}
		})
	}
}

// The client's trailers aren't passed on, nor announced.
func TestWithholdsRequestTrailers(t *testing.T) {
	trailers := make(chan http.Header, 1)
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		trailers <- r.Trailer
	}), apiproxy.Options{})
	wantStatus(t, r.raw(t, "POST /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"+
		"Trailer: Authorization\r\n\r\n1\r\nx\r\n0\r\nAuthorization: Basic abc\r\nX-Forwarded-Host: evil\r\n\r\n"), 200)
	if got := <-trailers; len(got) != 0 {
		t.Errorf("the upstream got trailers %v", got)
	}
}

// An answer that breaks off isn't taken for a whole one.
func TestCutAnswers(t *testing.T) {
	for name, header := range map[string]string{"of known length": "1000000", "chunked": ""} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if header != "" {
					w.Header().Set("Content-Length", header)
				}
				io.WriteString(w, strings.Repeat("x", 100_000))
				panic(http.ErrAbortHandler)
			}), apiproxy.Options{})
			resp, err := r.client.Do(r.request(t, "GET", "/x", nil))
			if err == nil {
				_, err = io.ReadAll(resp.Body)
				resp.Body.Close()
			}
			if !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
				t.Errorf("got %v, want an unexpected EOF", err)
			}
			if code := r.lastCode(t, 1); code != 502 {
				t.Errorf("it was counted under %d, want 502", code)
			}
		})
	}
}

// serveWebSocket upgrades the connection and echoes lines. The token must have come with the handshake.
func serveWebSocket(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Upgrade") != "websocket" || r.Header.Get("Sec-Websocket-Key") == "" || !strings.HasPrefix(r.Header.Get("Authorization"), "Bearer ") {
		http.Error(w, "no handshake", http.StatusBadRequest)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n", r.Header.Get("Sec-Websocket-Key"))
	rw.Flush()
	for {
		line, err := rw.ReadString('\n')
		if err != nil {
			return
		}
		rw.WriteString(line)
		rw.Flush()
	}
}

// dialWebSocket makes a handshake through the proxy.
func (r *rig) dialWebSocket(t *testing.T) (net.Conn, *bufio.Reader) {
	t.Helper()
	conn, err := net.Dial("tcp", r.addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: key\r\nSec-WebSocket-Version: 13\r\n\r\n")
	back := bufio.NewReader(conn)
	resp, err := http.ReadResponse(back, nil)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != 101 || resp.Header.Get("Upgrade") != "websocket" || resp.Header.Get("Sec-Websocket-Accept") != "key" {
		t.Fatalf("the handshake got %v", resp)
	}
	return conn, back
}

func TestWebSocket(t *testing.T) {
	r := newRig(t, http.HandlerFunc(serveWebSocket), apiproxy.Options{})
	conn, back := r.dialWebSocket(t)
	for n := range 100 {
		want := strconv.Itoa(n) + "\n"
		io.WriteString(conn, want)
		if got, err := back.ReadString('\n'); got != want || err != nil {
			t.Fatalf("got %q, %v; want %q", got, err, want)
		}
	}
	conn.Close()
	if code := r.lastCode(t, 1); code != 101 {
		t.Errorf("it was counted under %d, want 101", code)
	}
}

// No other protocol is switched to: its requests would pass by unseen.
func TestUpgradesToWebSocketAlone(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	resp, _ := r.get(t, "/x", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA")
	wantStatus(t, resp, 200)
	for _, name := range []string{"Upgrade", "Connection", "Http2-Settings"} {
		if value := up.last(t).Header.Get(name); value != "" {
			t.Errorf("the upstream got %s: %s", name, value)
		}
	}
}

// An upstream that switches all the same is out of order.
func TestUnaskedUpgrade(t *testing.T) {
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, rw, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		rw.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
		rw.Flush()
	}), apiproxy.Options{})
	resp, body := r.get(t, "/x", "Connection: Upgrade", "Upgrade: h2c")
	wantStatus(t, resp, 502)
	if !strings.Contains(body, "PROXY_UPSTREAM") {
		t.Errorf("got %s", body)
	}
}

func TestThousandConnections(t *testing.T) {
	const many = 1000
	arrived := make(chan struct{}, many)
	all := make(chan struct{})
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		<-all
		io.WriteString(w, r.URL.Path)
	}), apiproxy.Options{})
	var wg sync.WaitGroup
	for n := range many {
		wg.Go(func() {
			path := "/" + strconv.Itoa(n)
			resp, err := r.client.Do(r.request(t, "GET", path, nil))
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if body, err := io.ReadAll(resp.Body); string(body) != path || err != nil {
				t.Errorf("got %q, %v; want %q", body, err, path)
			}
		})
	}
	for range many {
		<-arrived // all of them are under way at once
	}
	close(all)
	wg.Wait()
}

// A client that goes away takes its request along.
func TestClientGoesAway(t *testing.T) {
	ended, arrived := make(chan struct{}), make(chan struct{})
	r := newRig(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
		close(ended)
	}), apiproxy.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		<-arrived
		cancel()
	}()
	if _, err := r.client.Do(r.request(t, "GET", "/x", nil).WithContext(ctx)); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-ended
	if code := r.lastCode(t, 1); code != 499 {
		t.Errorf("it was counted under %d, want 499", code)
	}
}
