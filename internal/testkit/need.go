package testkit

import (
	"os"
	"os/exec"
	"testing"
)

// Need returns the path of a program. A test that needs what the machine lacks is skipped with
// the reason, so that go test is of use everywhere. Where SHSESSION_INTEROP is "required", as in
// CI, it fails, so that no skip is unseen there.
func Need(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		Missing(t, "the program "+name)
	}
	return path
}

// Missing ends a test for which the machine lacks something.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("SHSESSION_INTEROP") == "required" {
		t.Fatalf("%s is missing, and SHSESSION_INTEROP is required", what)
	}
	t.Skipf("%s is missing: interop/setup installs what it can", what)
}
