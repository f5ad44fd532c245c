package child

import (
	"os/signal"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// follow reacts to a stop of the child. If the child waits for the terminal, follow gives it the
// terminal. Otherwise it stops us as well, so that our shell sees a stopped job.
func (j *job) follow(sig syscall.Signal) {
	wants := sig == unix.SIGTTIN || sig == unix.SIGTTOU
	if wants && j.terminal.give() {
		j.send(unix.SIGCONT)
		return
	}
	holder := j.terminal.holder()
	held := holder == j.pid
	if holder == -1 || sig == unix.SIGSTOP && !held {
		return // we are no job of a shell: we go on sharing, and pass SIGCONT on when it comes
	}
	// A stop that began with the child is news to the rest of our group, such as a script that runs us.
	switch resumed := j.stop(sig, held || wants); {
	case resumed:
		j.resume()
	case wants:
		// No shell can bring us to the foreground any more, so the child would wait for ever.
		j.send(unix.SIGHUP)
		j.send(unix.SIGCONT)
	case sig == unix.SIGTSTP:
		j.send(unix.SIGCONT) // ^Z means nothing here, so it mustn't stop the child
	}
}

// stop stops our process as sig does, and the rest of our process group if that's asked for. It
// returns when we've been continued, or with false if the kernel won't stop us, as it won't where
// no shell could continue us.
func (j *job) stop(sig syscall.Signal, group bool) (resumed bool) {
	if sig == unix.SIGSTOP {
		sig = unix.SIGTSTP // which the kernel may refuse
	}
	select {
	case <-j.continued: // of an earlier stop
	default:
	}
	signal.Ignore(sig)
	if group {
		_ = unix.Kill(0, sig) // never fails: we're in the group
	}
	byDefault(sig)
	// Sent to this very thread, the signal has done its work when the call returns.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
	switch sig {
	case unix.SIGTSTP:
		signal.Notify(j.signals, sig)
	case unix.SIGTTOU:
		signal.Ignore(sig)
	}
	select {
	case <-j.continued:
		return true
	case <-time.After(100 * time.Millisecond): // os/signal brings it in far less
		return false
	}
}

// byDefault gives sig back to the kernel's default. signal.Reset doesn't for signals that stop a
// process: it leaves them ignored.
func byDefault(sig syscall.Signal) {
	signal.Ignore(sig)        // os/signal installs its handler anew on the next Notify
	var sigDefault [8]uint64  // struct sigaction of the kernel; zeros are SIG_DFL wherever its fields are
	const sigsetSize = 64 / 8 // as the kernel wants it said
	unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&sigDefault)), 0, sigsetSize, 0, 0)
}

// EndBy ends our process by a signal, or returns if it can't. It leaves no core, in which a token would
// be, and no stacks, which Go writes on SIGQUIT.
func EndBy(sig syscall.Signal) {
	_ = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0) // never fails for 0
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	byDefault(sig)
	// Sent to this very thread, the signal has done its work when the call returns.
	_ = unix.Tgkill(unix.Getpid(), unix.Gettid(), sig)
}
