// Package needtest is for tests that need what a machine may lack: a program, most often. They are skipped there, with the
// reason, so that go test is of use everywhere; and where SHSESSION_INTEROP is "required", as in CI, they fail, so that nothing
// is skipped there unseen.
package needtest

import (
	"os"
	"os/exec"
	"testing"
)

// Program returns the path of a program.
func Program(t testing.TB, name string) string {
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
