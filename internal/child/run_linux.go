package child

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// A job is a child at work, and its process group, which has its number.
type job struct {
	pid      int
	terminal *terminal

	signals   chan os.Signal // to be passed on
	continued chan os.Signal // SIGCONT
	changed   chan os.Signal // SIGCHLD: the child has stopped or ended
	passed    map[os.Signal]bool
}

// run is [Run] on Linux.
func run(ctx context.Context, c Command) (Exit, error) {
	// PR_SET_PDEATHSIG counts from the death of the thread that forked, so that thread has to live
	// as long as we do.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	j := &job{
		signals:   make(chan os.Signal, 64),
		continued: make(chan os.Signal, 1),
		changed:   make(chan os.Signal, 1),
		passed:    make(map[os.Signal]bool),
	}
	for _, sig := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH, unix.SIGTSTP} {
		if !signal.Ignored(sig) { // or Notify would end the ignoring
			signal.Notify(j.signals, sig)
		}
	}
	signal.Notify(j.continued, unix.SIGCONT)
	signal.Notify(j.changed, unix.SIGCHLD)
	defer byDefault(unix.SIGTSTP)
	defer signal.Stop(j.signals)
	defer signal.Stop(j.continued)
	defer signal.Stop(j.changed)

	if err := c.caught(ctx); err != nil {
		return Exit{Code: NotExecutable}, err
	}
	// A job must stop when it wants the terminal too early, or it would get EIO: shells see to this too, but tmux
	// lets the commands that it runs itself ignore these.
	byDefault(unix.SIGTTIN)
	byDefault(unix.SIGTTOU)
	cmd, code, err := c.start(&syscall.SysProcAttr{Setpgid: true, Pdeathsig: unix.SIGTERM})
	if err != nil {
		return Exit{Code: code}, err
	}
	j.pid = cmd.Process.Pid
	_ = cmd.Process.Release() // wait4 says more than os.Process does; this can't fail before a Wait
	j.terminal = openTerminal(j.pid)
	defer j.terminal.close()
	if wantsTerminal(cmd) {
		j.terminal.give()
	}
	return j.wait(ctx), nil
}

// wait passes signals on and follows the child's stops until it ends, and returns how it did.
func (j *job) wait(ctx context.Context) Exit {
	done := ctx.Done()
	for {
		select {
		case sig := <-j.signals:
			j.passed[sig] = true
			j.send(sig.(syscall.Signal))
		case <-j.continued:
			j.resume()
		case <-done:
			j.send(unix.SIGTERM)
			done = nil
		case <-j.changed:
			if status, ended := j.reap(); ended {
				return j.end(status)
			}
		}
	}
}

// send sends a signal to the child's process group, as the terminal would. The child hasn't been reaped,
// so the number is still its own.
func (j *job) send(sig syscall.Signal) {
	if unix.Kill(-j.pid, sig) != nil {
		// The child has moved to another group. If this fails too it isn't ours to signal, having
		// become another user's.
		_ = unix.Kill(j.pid, sig)
	}
}

// resume continues the child, with the terminal if that is ours to give.
func (j *job) resume() {
	if j.terminal.wanted {
		j.terminal.give()
	}
	j.send(unix.SIGCONT)
}

// reap follows the child's changes until there are no more, or it has ended. The first process of
// a container is everybody's parent in the end: then it reaps them all.
func (j *job) reap() (status unix.WaitStatus, ended bool) {
	whose := j.pid
	if os.Getpid() == 1 {
		whose = -1
	}
	for {
		pid, err := unix.Wait4(whose, &status, unix.WUNTRACED|unix.WNOHANG, nil)
		switch {
		case err == unix.EINTR:
		case err != nil || pid == 0:
			return 0, false
		case pid != j.pid:
		case status.Stopped():
			j.follow(status.StopSignal())
		default:
			return status, true
		}
	}
}

// end tidies up after the child and returns how it ended.
func (j *job) end(status unix.WaitStatus) Exit {
	held := j.terminal.holder() == j.pid
	j.terminal.takeBack()
	if !status.Signaled() {
		return Exit{Code: status.ExitStatus()}
	}
	sig := status.Signal()
	exit := Exit{Code: 128 + int(sig)}
	if sig != unix.SIGINT && sig != unix.SIGQUIT {
		return exit
	}
	if held && !j.passed[sig] {
		j.tellGroup(sig)
	}
	if held || j.passed[sig] && j.terminal.fd >= 0 {
		exit.Key = sig
	}
	return exit
}

// tellGroup passes the ^C that ended the child on to our own process group, which would have got
// it from the terminal too: a script that runs us in a loop ends with it.
func (j *job) tellGroup(sig syscall.Signal) {
	if signal.Ignored(sig) || unix.Kill(0, sig) != nil {
		return
	}
	for got := range j.signals { // it reaches us too, and must not once nobody waits for it
		if got == sig {
			return
		}
	}
}
