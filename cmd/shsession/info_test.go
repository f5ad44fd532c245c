package main

import (
	"testing"
	"time"
)

func TestLifeText(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second:                      "0s",
		1499 * time.Millisecond:           "1s",
		time.Minute:                       "1m",
		90 * time.Second:                  "1m30s",
		time.Hour - time.Millisecond:      "1h0m",
		time.Hour + time.Second:           "1h0m1s",
		48*time.Hour - time.Second:        "47h59m59s",
		48*time.Hour - time.Millisecond:   "2d0h",
		54*time.Hour + 29*time.Minute:     "2d6h",
		54*time.Hour + 31*time.Minute:     "2d7h",
		365*24*time.Hour - 20*time.Minute: "365d0h",
		365*24*time.Hour - 40*time.Minute: "364d23h",
	} {
		if got := lifeText(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}
