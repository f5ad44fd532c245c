package bench

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"
	"golang.org/x/time/rate"

	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/redisstore"
)

// BenchmarkLimit is one reservation that needn't wait, without contention. We check two
// limits and the slots in one step; rate and redis_rate know one limit. The floor of a file
// is to open, lock, read, write and close one; that of Redis one command.
func BenchmarkLimit(b *testing.B) {
	each(b, work{"state=memory", limitInMemory}, work{"state=file", limitInFile}, work{"state=Redis", limitInRedis})
}

func limitInMemory(b *testing.B) {
	limiter := rate.NewLimiter(1e9, 1e9)
	beside(b,
		serial(ours, reserve(b, new(ratelimit.Memory))),
		serial(xRate, repeat(b, func() error { return limiter.Wait(b.Context()) })))
}

func limitInFile(b *testing.B) {
	_, segment := newSegment(b)
	bare, file := segmentPath(segment+"-bare"), segmentPath(segment+"-limit")
	b.Cleanup(func() { os.Remove(bare); os.Remove(file) })
	record := make([]byte, 700)
	beside(b,
		serial(floor, repeat(b, func() error { return rewrite(bare, record) })),
		serial(ours, reserve(b, ratelimit.OpenFile(file))))
}

func limitInRedis(b *testing.B) {
	addr := needRedis(b)
	bare := dialRedis(b, addr)
	if err := bare.do("SET", "bare-limit", "0"); err != nil {
		b.Fatal(err)
	}
	store, err := redisstore.Open("redis://"+addr+"/0?key=shsession-limit", redisstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { store.Close() })
	client := redis.NewClient(&redis.Options{Addr: addr})
	b.Cleanup(func() { client.Close() })
	limiter := redis_rate.NewLimiter(client)
	beside(b,
		serial(floor, repeat(b, func() error { return bare.do("GET", "bare-limit") })),
		serial(ours, reserve(b, store.Limits())),
		serial(redisRate, repeat(b, func() error {
			_, err := limiter.Allow(b.Context(), "bench", redis_rate.PerSecond(1e9))
			return err
		})))
}

// reserve reserves one and the same request again and again, which keeps its slot.
func reserve(b *testing.B, state ratelimit.State) loop {
	policy, err := ratelimit.ParsePolicy("1000000000/s,1000000000pu/s,4")
	if err != nil {
		b.Fatal(err)
	}
	c := policy.Change(ratelimit.Reserve)
	c.ID, c.Lease, c.Month, c.Units = "bench", 10e3, "2026-01", 1
	return repeat(b, func() error {
		a, err := state.Step(b.Context(), c)
		if err == nil && !a.Go {
			err = fmt.Errorf("it has to wait %v ms", a.Wait)
		}
		return err
	})
}

// rewrite opens, locks, reads, writes and closes a file.
func rewrite(path string, record []byte) error {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	var buf [4096]byte
	if _, err := file.ReadAt(buf[:], 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	_, err = file.WriteAt(record, 0)
	return err
}

// BenchmarkLimitTransport is a request through a Transport without a limiter, and with one
// in memory. The floor is the same request without a Transport.
func BenchmarkLimitTransport(b *testing.B) {
	limiter, err := ratelimit.New(ratelimit.Config{Policy: ratelimit.Policy{Limits: []ratelimit.Limit{{Amount: 1e9, Per: time.Second}}}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { limiter.Close() })
	through := func(l *ratelimit.Limiter) func(*testing.B) {
		return func(b *testing.B) {
			beside(b,
				serial(floor, send(b, answering{})),
				serial(ours, send(b, ratelimit.Transport(answering{}, l))))
		}
	}
	each(b, work{"limiter=none", through(nil)}, work{"limiter=in_memory", through(limiter)})
}

func send(b *testing.B, transport http.RoundTripper) loop {
	r, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "https://example.org/", nil)
	if err != nil {
		b.Fatal(err)
	}
	return repeat(b, func() error {
		_, err := transport.RoundTrip(r)
		return err
	})
}

// answering answers without a network.
type answering struct{}

var anAnswer = http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}

func (answering) RoundTrip(*http.Request) (*http.Response, error) {
	resp := anAnswer
	return &resp, nil
}
