package metrics

import (
	"errors"
	"fmt"
	"time"

	"github.com/shsession/shsession"
)

// ready returns nil if there is a valid token and each sink holds it, according to the last
// attempt to publish there, and else the reason. The reason contains no error of a login or a
// sink.
func ready(status shsession.SharingStatus) error {
	switch status.Session.State {
	case shsession.NoToken:
		return errors.New("there is no token yet")
	case shsession.Expired:
		return errors.New("the token has expired")
	}
	for _, sink := range status.Sinks {
		if !isUp(sink) {
			return fmt.Errorf("the token isn't in %q", sink.Name)
		}
	}
	return nil
}

// isUp reports whether a sink holds a valid token. After a failed attempt to publish, the
// sink counts as empty: its old token may be lost, for example after a restart of Redis.
func isUp(sink shsession.SinkStatus) bool {
	return sink.Err == nil && time.Until(sink.ExpiresAt) > 0
}
