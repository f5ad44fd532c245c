package interop_test

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestFollowers runs the command that makes the figures of docs/cluster.md, at a twentieth of its size. It checks by
// itself what it promises.
func TestFollowers(t *testing.T) {
	needProgram(t, "redis-server")
	needVariable(t, "SHSESSION_INTEROP", "a quarter of a minute of the machine's time")
	program := filepath.Join(t.TempDir(), "followers")
	if out, err := exec.Command("go", "build", "-o", program, "./followers").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Parallel()
	plot := filepath.Join(t.TempDir(), "plot.svg")
	out, err := exec.Command(program, "-followers", "500", "-lives", "3", "-plot", plot).CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
