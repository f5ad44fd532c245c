package shsession_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// Programs that share a session, and ask the same session for tokens, take turns for those
// too: five of them make one login a life.
func TestSharersThatAskTakeTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		service, cfg := newService(t, 10*time.Minute)
		service.AddRule(identity.Rule{Fault: identity.MustParseFault("slow:2s")})
		var store storetest.Memory
		var programs sync.WaitGroup
		for range 5 {
			s, handle := newSession(t, cfg), store.Handle()
			programs.Go(func() {
				sh, err := shsession.Share(t.Context(), s, handle)
				if err != nil {
					t.Error(err)
					return
				}
				for begin := time.Now(); time.Since(begin) < time.Hour; time.Sleep(100 * time.Millisecond) {
					mustToken(t, s)
				}
				if err := sh.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		programs.Wait()
		if n := service.Counters().TokenRequests; n > 8 {
			t.Errorf("%d logins by five programs in an hour of ten-minute tokens, want at most 8", n)
		}
		wantNothingShared(t, &store)
	})
}
