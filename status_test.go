package shsession_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// A status tells the token's whole life, however much of that is left.
func TestStatusLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, cfg := newService(t, time.Hour)
		s := newSession(t, cfg)
		if life := s.Status().Life; life != 0 {
			t.Errorf("without a token the life is %v", life)
		}
		mustToken(t, s)
		for range 2 {
			if life := s.Status().Life; life != time.Hour {
				t.Errorf("the life is %v, want 1h", life)
			}
			time.Sleep(2 * time.Hour)
		}
	})
}
