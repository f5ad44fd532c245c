package storetest_test

import (
	"context"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/storetest"
)

func TestMain(m *testing.M) { testkit.VerifyTestMain(m) }

func memory(t *testing.T) storetest.Setup {
	var m storetest.Memory
	first := true
	return storetest.Setup{
		Open: func() shsession.Store {
			if first { // a Memory is a handle of itself
				first = false
				return &m
			}
			return m.Handle().Handle()
		},
		Remove:   m.Remove,
		LoseLock: m.LoseLock,
		Die: func(account shsession.Account) {
			dying := m.Handle()
			token, err := shsession.ParseToken([]byte(`{"access_token": "dying", "expires_at": 4000000000}`))
			if err == nil {
				err = dying.Publish(t.Context(), token)
			}
			if err == nil {
				_, err = dying.Watch(t.Context(), account)
			}
			if err == nil {
				_, _, err = dying.TryLock(t.Context(), nil)
			}
			if err != nil {
				t.Fatal(err)
			}
			dying.Die()
		},
	}
}

func TestMemory(t *testing.T)         { storetest.Test(t, memory) }
func TestMemoryInBubble(t *testing.T) { storetest.TestInBubble(t, memory) }

func TestMemorySharers(t *testing.T) {
	var m storetest.Memory
	w, err := m.Handle().Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	live, dead, err := m.Sharers(t.Context())
	if err != nil || len(live) != 1 || live[0].ClientID != "client" || len(dead) != 0 {
		t.Errorf("Sharers while watching: %v, %v, %v", live, dead, err)
	}
	w.Stop()
	if live, _, err = m.Sharers(context.Background()); err != nil || len(live) != 0 {
		t.Errorf("Sharers after Stop: %v, %v", live, err)
	}
}
