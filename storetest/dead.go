package storetest

import (
	"testing"

	"github.com/shsession/shsession"
)

// testDead looks for what a process leaves that was killed while it shared a token and
// had the lock.
func testDead(t *testing.T, s Setup) {
	if s.Die == nil {
		t.Skip("nobody who shares in this store can die")
	}
	died := shsession.Account{Issuer: "https://staging.example.com", ClientID: "died"}
	s.Die(died)
	ours := s.Open()
	if _, err := ours.Load(t.Context()); err != nil {
		t.Errorf("Load of a dead sharer's token: %v", err)
	}
	eventuallyFree(t, ours)
	wantNote(t, ours, shsession.Note{}) // which a holder that was killed can't leave
	lister, ok := ours.(shsession.SharerLister)
	if !ok {
		return
	}
	eventually(t, "the sharer is known to be dead", func() bool {
		live, dead, err := lister.Sharers(t.Context())
		return err == nil && len(live) == 0 && len(dead) == 1 && dead[0].Account == died
	})
	wantDead := func(want int, when string) {
		t.Helper()
		if _, dead, err := lister.Sharers(t.Context()); err != nil || len(dead) != want {
			t.Errorf("%s the dead sharers are %v (%v), not %d", when, dead, err, want)
		}
	}
	publish(t, s.Open(), newToken(t, "somebody's"))
	wantDead(1, "after a Publish by somebody who doesn't share")
	heir := s.Open()
	w := watch(t, heir) // the dead have no account to conflict with
	wantDead(1, "before the heir publishes")
	publish(t, heir, newToken(t, "heir's"))
	wantDead(0, "after the heir has published")
	w.Stop()
	withdraw(t, heir)
	wantNothing(t, ours)
}
