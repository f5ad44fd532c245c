//go:build !linux

package filesink

import (
	"time"

	"github.com/shsession/shsession"
)

const checkInterval = time.Second

func newAlarm(string) alarm { return newTicker() }

// A spare is what Linux alone has.
type spare struct{}

func (s *Sink) newSpare(shsession.Token) *spare { return nil }

func (*spare) link(string) bool { return false }

func (*spare) close() {}
