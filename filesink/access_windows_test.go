package filesink_test

import (
	"errors"
	"testing"

	"github.com/shsession/shsession/filesink"
)

func TestUnsupported(t *testing.T) {
	for _, o := range []filesink.Options{{Mode: 0o600}, {Group: "1"}, {Owner: "1"}} {
		if _, err := filesink.Open("token", o); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%+v: got %v, want ErrUnsupported", o, err)
		}
	}
}
