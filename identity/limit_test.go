package identity_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/ratelimit"
)

func limitedService(t *testing.T, limit string, o identity.Options) (s service, get func() reply) {
	t.Helper()
	var err error
	if o.Limit, err = ratelimit.ParsePolicy(limit); err != nil {
		t.Fatal(err)
	}
	s = newService(t, o)
	token := s.login()
	return s, func() reply { return s.get("/api/v1/process", token) }
}

func TestLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, get := limitedService(t, "60/min,10pu/min", identity.Options{Units: 4})
		for range 2 {
			if r := get(); r.status != http.StatusOK || r.header.Get("X-Processingunits-Spent") != "4" {
				t.Fatalf("within the limit: %+v", r)
			}
		}
		r := get()
		if r.status != http.StatusTooManyRequests || r.header.Get("Retry-After") != "12000" || !strings.Contains(r.body, "RATE_LIMIT_EXCEEDED") {
			t.Errorf("two units short of four, which come in 12 s: %+v", r)
		}
		time.Sleep(12 * time.Second)
		if r := get(); r.status != http.StatusOK {
			t.Errorf("after Retry-After: %+v", r)
		}
		if c := s.Counters(); c.APILimited != 1 {
			t.Errorf("counted %d refusals, want 1", c.APILimited)
		}
	})
}

func TestMaxSessions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, get := limitedService(t, "4", identity.Options{Takes: time.Second})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				if r := get(); r.status != http.StatusOK {
					t.Errorf("one of four: %+v", r)
				}
			})
		}
		synctest.Wait()
		if r := get(); r.status != http.StatusTooManyRequests || !strings.Contains(r.body, "Max session number 4 exceeded") || r.header.Get("Retry-After") != "" {
			t.Errorf("the fifth: %+v", r)
		}
		all.Wait()
		if r := get(); r.status != http.StatusOK {
			t.Errorf("after the four: %+v", r)
		}
	})
}

func TestLimitIsChecked(t *testing.T) {
	for _, o := range []identity.Options{
		{Limit: ratelimit.Policy{Limits: []ratelimit.Limit{{Per: time.Minute}}}}, {Units: -1}, {Takes: -1},
	} {
		if _, err := identity.New(o); err == nil {
			t.Errorf("%+v is taken", o.Limit)
		}
	}
}
