package interop_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/internal/testkit"
)

// A lan is some hosts at one switch, which are network namespaces: nothing of it is in the machine's own network.
// The hosts have the numbers from 1; number 0 is the switch itself.
type lan struct {
	prefix string      // of the namespaces' names
	starts chan func() // runs what it receives on one thread, which lives as long as the lan
}

// lanPrefix begins the names of all namespaces. The process id of the test is next.
const lanPrefix = "shsession-lan-"

// newLAN makes a lan that ends with the test. It takes root, the program ip and, since what runs on a lan keeps the
// machine busy for half a minute, that the interop tests were asked for.
func newLAN(t *testing.T, hosts int) *lan {
	t.Helper()
	needVariable(t, "SHSESSION_INTEROP", "half a minute of the machine's time")
	needProgram(t, "ip")
	if os.Geteuid() != 0 {
		testkit.Missing(t, "root's right to make network namespaces")
	}
	removeDeadLANs(t)
	l := &lan{prefix: fmt.Sprintf("%s%d-%04x", lanPrefix, os.Getpid(), rand.N(1<<16)), starts: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for start := range l.starts {
			start()
		}
	}()
	t.Cleanup(func() {
		close(l.starts)
		for host := range hosts + 1 {
			removeNamespace(t, l.namespace(host))
		}
	})
	hub := l.namespace(0)
	ip(t, "netns add "+hub)
	ip(t, "-n "+hub+" link set lo up")
	ip(t, "-n "+hub+" link add switch type bridge")
	ip(t, "-n "+hub+" addr add "+l.addr(0)+"/24 dev switch")
	ip(t, "-n "+hub+" link set switch up")
	for host := 1; host <= hosts; host++ {
		name, port := l.namespace(host), l.port(host)
		ip(t, "netns add "+name)
		ip(t, "-n "+hub+" link add "+port+" type veth peer name eth0 netns "+name)
		ip(t, "-n "+name+" link set lo up")
		ip(t, "-n "+name+" addr add "+l.addr(host)+"/24 dev eth0")
		ip(t, "-n "+name+" link set eth0 up")
		ip(t, "-n "+hub+" link set "+port+" master switch up")
	}
	return l
}

func (l *lan) namespace(host int) string { return fmt.Sprintf("%s-%d", l.prefix, host) }

func (l *lan) port(host int) string { return "port" + strconv.Itoa(host) }

// addr is in the network that RFC 2544 sets aside for tests.
func (l *lan) addr(host int) string { return fmt.Sprintf("198.18.0.%d", 10+host) }

// cut pulls a host's cable out of the switch.
func (l *lan) cut(t *testing.T, host int) {
	t.Helper()
	ip(t, "-n "+l.namespace(0)+" link set "+l.port(host)+" down")
}

func (l *lan) mend(t *testing.T, host int) {
	t.Helper()
	ip(t, "-n "+l.namespace(0)+" link set "+l.port(host)+" up")
}

// on calls f in a host's network: sockets that f makes, and processes that it starts, stay there.
func (l *lan) on(host int, f func() error) error {
	runtime.LockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer own.Close()
	there, err := os.Open(filepath.Join("/run/netns", l.namespace(host)))
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if back := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // and the thread ends with this goroutine
	}
	runtime.UnlockOSThread()
	return err
}

// start starts a program on a host. It is killed when the test's process dies: in truth, when the thread dies
// that started it, which may be long before if it is any thread of Go's.
func (l *lan) start(host int, cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	l.starts <- func() { started <- l.on(host, cmd.Start) }
	return <-started
}

func (l *lan) listen(t *testing.T, host int) net.Listener {
	t.Helper()
	var listener net.Listener
	err := l.on(host, func() (err error) {
		listener, err = net.Listen("tcp", l.addr(host)+":0")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// ip runs the program ip with a line of arguments.
func ip(t *testing.T, line string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(line)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v\n%s", line, err, out)
	}
	return string(out)
}

// removeDeadLANs removes what tests left that were killed.
func removeDeadLANs(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(ip(t, "netns list")) {
		name, _, _ := strings.Cut(strings.TrimSpace(line), " ")
		owner, found := strings.CutPrefix(name, lanPrefix)
		if !found {
			continue
		}
		owner, _, _ = strings.Cut(owner, "-")
		if pid, err := strconv.Atoi(owner); err == nil && errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
			removeNamespace(t, name)
		}
	}
}

// removeNamespace kills what runs in a namespace, which would keep it alive, and removes it if it exists. Its
// end of a cable takes the other one with it.
func removeNamespace(t *testing.T, name string) {
	t.Helper()
	if _, err := os.Stat(filepath.Join("/run/netns", name)); err != nil {
		return
	}
	for _, field := range strings.Fields(ip(t, "netns pids "+name)) {
		if pid, err := strconv.Atoi(field); err == nil && pid != os.Getpid() {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may have ended meanwhile
		}
	}
	ip(t, "netns del "+name)
}
