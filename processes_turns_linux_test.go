package shsession_test

import (
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shm"
)

// The same as TestSharersThatAskTakeTurns over real stores, a hundred times as fast: tokens
// of 6 s, a window of 1.2 s, logins of 20 ms, for 36 s.
func TestSharersThatAskTakeTurnsOverRealStores(t *testing.T) {
	t.Parallel()
	redisURL := testkit.StartRedis(t)
	segment := fmt.Sprintf("shsession-test-turns-%d", os.Getpid())
	var stores sync.WaitGroup
	for _, open := range []func() (shsession.Store, error){
		func() (shsession.Store, error) { return shm.Open(segment) },
		func() (shsession.Store, error) { return redisstore.Open(redisURL+"?key=turns", redisstore.Options{}) },
	} {
		stores.Go(func() { takeTurns(t, open) })
	}
	stores.Wait()
}

// takeTurns has five programs share and ask over one store.
func takeTurns(t *testing.T, open func() (shsession.Store, error)) {
	service, cfg := newService(t, 6*time.Second)
	service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:20ms")})
	server := httptest.NewServer(service)
	defer server.Close()
	cfg.HTTPClient = server.Client()
	cfg.TokenURL = server.URL + "/auth/realms/main/protocol/openid-connect/token"
	cfg.RefreshBeforeExpiry = 1200 * time.Millisecond
	var programs sync.WaitGroup
	begin := time.Now()
	for range 5 {
		store, err := open()
		if err != nil {
			t.Error(err)
			return
		}
		programs.Go(func() {
			if closer, ok := store.(io.Closer); ok {
				defer closer.Close()
			}
			shareAndAsk(t, cfg, store, 36*time.Second)
		})
	}
	programs.Wait()
	// A login is due 4.8 s after the one before: eight in 36 s, and more if the programs took longer to end.
	if n, most := service.Counters().TokenRequests, 1+int64(time.Since(begin)/(4800*time.Millisecond)); n > most {
		t.Errorf("%d logins by five programs in %v, want at most %d", n, time.Since(begin), most)
	}
}

// shareAndAsk is a program that shares a session in a store, and asks it for tokens.
func shareAndAsk(t *testing.T, cfg shsession.Config, store shsession.Store, life time.Duration) {
	s, err := shsession.New(cfg)
	if err != nil {
		t.Error(err)
		return
	}
	sh, err := shsession.Share(t.Context(), s, store)
	if err != nil {
		t.Error(err)
		return
	}
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for begin := time.Now(); time.Since(begin) < life; <-ticker.C {
		if _, err := s.Token(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := sh.Close(); err != nil {
		t.Error(err)
	}
}
