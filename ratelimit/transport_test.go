package ratelimit_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/ratelimit"
)

// A tripper answers requests with a function.
type tripper func(r *http.Request) (*http.Response, error)

func (f tripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func request(t *testing.T, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTransportWithoutLimiterIsBase(t *testing.T) {
	base := new(http.Transport)
	if got := ratelimit.Transport(base, nil); got != http.RoundTripper(base) {
		t.Errorf("it is %T", got)
	}
}

// A 429 is repeated with the same body, and the caller gets what comes in the end.
func TestRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bodies []string
		base := tripper(func(r *http.Request) (*http.Response, error) {
			data, _ := io.ReadAll(r.Body)
			r.Body.Close()
			bodies = append(bodies, string(data))
			resp := answerTo(r)
			if len(bodies) < 3 {
				resp.StatusCode = http.StatusTooManyRequests
				resp.Header.Set("Retry-After", "5")
			}
			return resp, nil
		})
		transport := ratelimit.Transport(base, newLimiter(t, ratelimit.Config{}))
		start := time.Now()
		r := request(t, "https://example.org/", "body")
		resp, err := transport.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusOK || resp.Request != r {
			t.Fatalf("%v, %v", resp, err)
		}
		if got := strings.Join(bodies, ","); got != "body,body,body" {
			t.Errorf("the bodies are %s", got)
		}
		if took := time.Since(start); took < 10*time.Second || took > 12*time.Second {
			t.Errorf("it took %v, want twice five seconds", took)
		}
	})
}

// A service that refuses for ever is asked a bounded number of times. So is one whose
// request can't be sent again, once.
func TestRepeatsEnd(t *testing.T) {
	for name, test := range map[string]struct {
		oneShot bool
		want    int
	}{
		"replayable": {false, 11},
		"one shot":   {true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				base := tripper(func(r *http.Request) (*http.Response, error) {
					asked++
					resp := answerTo(r)
					resp.StatusCode = http.StatusTooManyRequests
					resp.Header.Set("Retry-After", "1")
					return resp, nil
				})
				r := request(t, "https://example.org/", "body")
				if test.oneShot {
					r.GetBody = nil
				}
				resp, err := ratelimit.Transport(base, newLimiter(t, ratelimit.Config{})).RoundTrip(r)
				if err != nil || resp.StatusCode != http.StatusTooManyRequests || asked != test.want {
					t.Errorf("%v, %v after %d requests, want a 429 after %d", resp, err, asked, test.want)
				}
			})
		})
	}
}

// Retry-After is milliseconds at the services, and seconds or a date elsewhere.
func TestRetryAfter(t *testing.T) {
	for name, test := range map[string]struct {
		host, value string
		want        time.Duration
	}{
		"milliseconds":       {"services.sentinel-hub.com", "7000", 7 * time.Second},
		"milliseconds, CDSE": {"sh.dataspace.copernicus.eu", "1500", 1500 * time.Millisecond},
		"another's name":     {"sentinel-hub.com.example.org", "7", 7 * time.Second},
		"seconds":            {"example.org", "7", 7 * time.Second},
		"date":               {"example.org", "Sat, 01 Jan 2000 00:01:00 GMT", time.Minute}, // a bubble's time begins in 2000
		"past":               {"example.org", "Fri, 31 Dec 1999 00:00:00 GMT", 0},
		"0":                  {"example.org", "0", 0},
		"negative":           {"example.org", "-5", 30 * time.Second},
		"none":               {"example.org", "", 30 * time.Second},
		"nonsense":           {"example.org", "soon", 30 * time.Second},
		"a week":             {"example.org", "604800", 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				asked := 0
				base := tripper(func(r *http.Request) (*http.Response, error) {
					resp := answerTo(r)
					if asked++; asked == 1 {
						resp.StatusCode = http.StatusTooManyRequests
						resp.Header.Set("Retry-After", test.value)
					}
					return resp, nil
				})
				start := time.Now()
				resp, err := ratelimit.Transport(base, newLimiter(t, ratelimit.Config{})).RoundTrip(request(t, "https://"+test.host+"/", ""))
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Fatalf("%v, %v", resp, err)
				}
				if took := time.Since(start); took < test.want || took > test.want+100*time.Millisecond {
					t.Errorf("it waited %v, want %v", took, test.want)
				}
			})
		})
	}
}

// The cost that a header says is reserved, and not sent on. Without one it is the mean of
// the path's.
func TestUnitsOfARequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := tripper(func(r *http.Request) (*http.Response, error) {
			if v := r.Header.Get(ratelimit.UnitsHeader); v != "" {
				t.Errorf("the header is sent on: %q", v)
			}
			resp := answerTo(r)
			if r.URL.Path == "/process" {
				resp.Header.Set(ratelimit.SpentHeader, "10")
			}
			return resp, nil
		})
		transport := ratelimit.Transport(base, newLimiter(t, ratelimit.Config{Policy: policy(t, "40pu/min")}))
		send := func(path, units string) time.Duration {
			start := time.Now()
			r := request(t, "https://example.org"+path, "")
			if units != "" {
				r.Header.Set(ratelimit.UnitsHeader, units)
			}
			if _, err := transport.RoundTrip(r); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // until the limiter knows
			return time.Since(start)
		}
		for range 4 { // which spends all
			if took := send("/process", "10"); took != 0 {
				t.Errorf("a request within the limit waits %v", took)
			}
		}
		if took := send("/process", ""); took.Round(time.Second) != 15*time.Second {
			t.Errorf("a request that has cost 10 units before waits %v, want 15s", took)
		}
		if took := send("/catalog", "0"); took != 0 {
			t.Errorf("a request that costs nothing waits %v", took)
		}
		if took := send("/process", "NaN"); took.Round(time.Second) != 15*time.Second {
			t.Errorf("a request with an odd cost waits %v, want 15s", took)
		}
	})
}

// A slot is taken until the answer has been read.
func TestSlotUntilBodyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(policy(t, "1"), time.Second)
		transport := ratelimit.Transport(s, newLimiter(t, ratelimit.Config{Policy: policy(t, "1")}))
		first, err := transport.RoundTrip(request(t, "https://example.org/", ""))
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		var wg sync.WaitGroup
		wg.Go(func() {
			resp, err := transport.RoundTrip(request(t, "https://example.org/", ""))
			if err != nil {
				t.Error(err)
				return
			}
			resp.Body.Close()
		})
		time.Sleep(time.Minute)
		first.Body.Close()
		wg.Wait()
		if took := time.Since(start); took < time.Minute || took > time.Minute+2*time.Second {
			t.Errorf("the second request ended after %v, want just after the first's minute", took)
		}
	})
}

// A request whose context ends while it waits isn't sent, and its body is closed.
func TestTransportWithinContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		base := tripper(func(*http.Request) (*http.Response, error) { return nil, errors.New("cut") })
		transport := ratelimit.Transport(base, newLimiter(t, ratelimit.Config{Policy: policy(t, "1/h")}))
		if _, err := transport.RoundTrip(request(t, "https://example.org/", "")); err == nil || err.Error() != "cut" {
			t.Errorf("the base's error is %v", err)
		}
		r := request(t, "https://example.org/", "")
		closed := &closer{Reader: strings.NewReader("")}
		r.Body = closed
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := transport.RoundTrip(r.WithContext(ctx)); err == nil || !closed.closed {
			t.Errorf("error %v, body closed: %v", err, closed.closed)
		}
	})
}

type closer struct {
	io.Reader
	closed bool
}

func (c *closer) Close() error {
	c.closed = true
	return nil
}
