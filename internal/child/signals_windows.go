package child

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"
)

// ^C and ^Break reach every process of the console, the child among them. We outlive it.
var leftToTerminal = []os.Signal{os.Interrupt}

// SIGTERM is the closing of the console, or the end of the logon session. The child gets it too.
var passedOn = []os.Signal{syscall.SIGTERM}

// closingTime is how long the child may take to end when the console is closing. Windows gives
// all of us 5 seconds.
const closingTime = 3 * time.Second

func pass(p *os.Process, sig os.Signal) {
	if sig == syscall.SIGTERM {
		time.AfterFunc(closingTime, func() { terminate(p) })
	}
}

func terminate(p *os.Process) {
	_ = p.Kill() // fails only when the child has ended, which Wait is about to say
}

func exitOf(state *os.ProcessState, _ map[os.Signal]bool) Exit { return Exit{Code: state.ExitCode()} }

// EndBy returns: on Windows no signal ends a process.
func EndBy(syscall.Signal) {}

// endWithUs makes all processes that we start from now on, and those that they start, end when
// we are killed, until release. We are put into a job, which the others inherit. The job ends
// them when its last handle is closed, and we have the only one.
func endWithUs() (release func(), err error) {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return nil, os.NewSyscallError("CreateJobObject", err)
	}
	if err := limitJob(job, windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE); err != nil {
		windows.CloseHandle(job)
		return nil, err
	}
	if err := windows.AssignProcessToJobObject(job, windows.CurrentProcess()); err != nil {
		windows.CloseHandle(job)
		return nil, os.NewSyscallError("AssignProcessToJobObject", err)
	}
	return func() {
		if limitJob(job, 0) == nil { // or its end would be ours
			windows.CloseHandle(job)
		}
	}, nil
}

func limitJob(job windows.Handle, flags uint32) error {
	info := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{
		BasicLimitInformation: windows.JOBOBJECT_BASIC_LIMIT_INFORMATION{LimitFlags: flags},
	}
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&info)), uint32(unsafe.Sizeof(info)))
	return os.NewSyscallError("SetInformationJobObject", err)
}
