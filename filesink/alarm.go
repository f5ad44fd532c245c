package filesink

import "time"

// A ticker is an alarm that rings every second.
type ticker struct {
	ticks *time.Ticker
	ended chan struct{}
}

func newTicker() *ticker {
	return &ticker{ticks: time.NewTicker(noticeInterval), ended: make(chan struct{})}
}

func (a *ticker) wait(time.Duration) bool {
	select {
	case <-a.ended:
		return false
	case <-a.ticks.C:
		return true
	}
}

func (a *ticker) rearm() {}

func (a *ticker) stop() { close(a.ended) }

func (a *ticker) close() { a.ticks.Stop() }
