package shm_test

import (
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession"
)

// TestThreadsSurvive ends watches in a process that has children which are to die with
// it: the kernel means the thread that started them, so none of those may end.
func TestThreadsSurvive(t *testing.T) {
	var children []*exec.Cmd
	for range 20 {
		cmd := exec.Command("cat")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
		stdin, err := cmd.StdinPipe()
		must(t, err)
		must(t, cmd.Start())
		children = append(children, cmd)
		defer func() {
			stdin.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("a child of this process: %v", err)
			}
		}()
	}
	name := newName(t)
	for range len(children) {
		s := open(t, name)
		w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
		must(t, err)
		must(t, s.Publish(t.Context(), token(t, "token")))
		w.Stop()
		must(t, s.Withdraw(t.Context()))
	}
}
