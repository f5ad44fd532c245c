package apiproxy_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"testing"

	"github.com/shsession/shsession/internal/apiproxy"
)

// payload answers with as many bytes as the path says.
func payload(w http.ResponseWriter, r *http.Request) {
	size, _ := strconv.Atoi(r.URL.Path[1:])
	w.Header().Set("Content-Length", strconv.Itoa(size))
	buf := make([]byte, 32<<10)
	for size > 0 {
		n, err := w.Write(buf[:min(size, len(buf))])
		if err != nil {
			return
		}
		size -= n
	}
}

// BenchmarkProxy and BenchmarkBare do the same, the second without a token and without this package: what it
// costs is the difference. Compare them within one run.
func BenchmarkProxy(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(payload))
	defer upstream.Close()
	proxy, err := apiproxy.New(newSession(b, newService(b), secret), apiproxy.Options{Upstream: upstream.URL, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended, ready := make(chan error, 1), make(chan net.Addr, 1)
	go func() { ended <- proxy.ListenAndServe(ctx, "127.0.0.1:0", func(a net.Addr) { ready <- a }) }()
	benchmarkSizes(b, "http://"+(<-ready).String())
	cancel()
	if err := <-ended; err != nil {
		b.Error(err)
	}
}

func BenchmarkBare(b *testing.B) {
	upstream := httptest.NewServer(http.HandlerFunc(payload))
	defer upstream.Close()
	target, err := url.Parse(upstream.URL)
	if err != nil {
		b.Fatal(err)
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 1024}
	defer transport.CloseIdleConnections()
	bare := httptest.NewServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(pr *httputil.ProxyRequest) { pr.SetURL(target) }})
	defer bare.Close()
	benchmarkSizes(b, bare.URL)
}

func benchmarkSizes(b *testing.B, base string) {
	transport := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 1024}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	fetch := func(b *testing.B, size int) {
		resp, err := client.Get(base + "/" + strconv.Itoa(size))
		if err != nil {
			b.Error(err)
			return
		}
		defer resp.Body.Close()
		if n, err := io.Copy(io.Discard, resp.Body); n != int64(size) || err != nil {
			b.Errorf("%d bytes, %v", n, err)
		}
	}
	for _, c := range []struct {
		name string
		size int
	}{{"1KiB", 1 << 10}, {"256KiB", 256 << 10}, {"16MiB", 16 << 20}} {
		b.Run(c.name, func(b *testing.B) {
			fetch(b, c.size) // which logs in, and connects
			b.SetBytes(int64(c.size))
			b.ReportAllocs()
			for b.Loop() {
				fetch(b, c.size)
			}
		})
	}
	b.Run("1KiB/parallel", func(b *testing.B) {
		b.SetParallelism(16)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				fetch(b, 1<<10)
			}
		})
	})
}
