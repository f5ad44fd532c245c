package interop_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/shsession/shsession/internal/testkit"
)

// TestFollowers runs the command that makes the figures of docs/cluster.md, at a twentieth of its size or, under
// SHSESSION_SOAK, in full: then alone, since its promises are of a machine that has nothing else to do. It checks by
// itself what it promises.
func TestFollowers(t *testing.T) {
	needProgram(t, "redis-server")
	program := filepath.Join(t.TempDir(), "followers")
	if out, err := exec.Command("go", "build", "-o", program, "./followers").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	args := []string{"-plot", filepath.Join(t.TempDir(), "plot.svg")}
	if os.Getenv("SHSESSION_SOAK") == "" {
		t.Parallel()
		args = append(args, "-followers", "500", "-lives", "3")
	}
	err := testkit.Steady(t, func() error {
		out, err := exec.Command(program, args...).CombinedOutput()
		t.Logf("%s", out)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
