package delay_test

import (
	"testing"
	"time"

	"github.com/shsession/shsession/internal/delay"
)

// Jitter makes waits both shorter and longer, by a fifth at most.
func TestJitter(t *testing.T) {
	shorter, longer := 0, 0
	for range 1000 {
		switch d := delay.Jitter(time.Minute); {
		case d < 48*time.Second || d > 72*time.Second:
			t.Errorf("a minute became %v", d)
		case d < 54*time.Second:
			shorter++
		case d > 66*time.Second:
			longer++
		}
	}
	if shorter < 100 || longer < 100 {
		t.Errorf("of 1000 waits %d are shorter by a tenth and %d are longer", shorter, longer)
	}
	if d := delay.Jitter(0); d != 0 {
		t.Errorf("no wait became %v", d)
	}
}

func TestDoubled(t *testing.T) {
	for doublings, want := range map[int]time.Duration{
		-1: time.Second, 0: time.Second, 1: 2 * time.Second, 3: 8 * time.Second, 9: 512 * time.Second, 10: 15 * time.Minute, 1 << 40: 15 * time.Minute,
	} {
		if got := delay.Doubled(time.Second, doublings, 15*time.Minute); got != want {
			t.Errorf("%d doublings: %v, want %v", doublings, got, want)
		}
	}
	if got := delay.Doubled(time.Minute, 0, time.Second); got != time.Second {
		t.Errorf("above the limit: %v", got)
	}
}

// A store is read again more often as the end of the token comes nearer.
func TestPollInterval(t *testing.T) {
	for remaining, want := range map[time.Duration]time.Duration{
		-time.Hour: 500 * time.Millisecond, 0: 500 * time.Millisecond,
		time.Millisecond: 20 * time.Millisecond, 8 * time.Second: time.Second, time.Hour: 10 * time.Second,
	} {
		if got := delay.PollInterval(remaining); got != want {
			t.Errorf("with %v remaining: %v, want %v", remaining, got, want)
		}
	}
}
