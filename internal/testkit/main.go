package testkit

import (
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// VerifyTestMain runs a package's tests and ends the process. Its exit code is 1 if a test failed, or if a goroutine
// that the tests started doesn't end within two minutes: a session's attempts at a service that doesn't answer go on
// for a while when their callers have left.
func VerifyTestMain(m *testing.M) {
	code := m.Run()
	var left error
	if code == 0 && !Within(2*time.Minute, func() bool { left = goleak.Find(); return left == nil }) {
		fmt.Fprintln(os.Stderr, left)
		code = 1
	}
	os.Exit(code)
}
