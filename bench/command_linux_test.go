package bench

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkCommand starts programs and waits for their end, with their output
// thrown away. The floor is a static program in Go that says hello. The peer python -S is an
// interpreter that does nothing; python imports the package and logs in, each time, since the
// package keeps no token.
func BenchmarkCommand(b *testing.B) {
	for _, work := range []struct {
		name string
		args []string
	}{
		{"token", []string{"token"}},
		{"headers", []string{"headers"}},
		{"login", []string{"token", "--no-cache"}},
		{"version", []string{"version"}},
	} {
		b.Run("do="+work.name, func(b *testing.B) { runCommands(b, work.name, work.args) })
	}
}

func runCommands(b *testing.B, work string, args []string) {
	e := newEndpoint(b, 0)
	env := loginEnv(b.TempDir(), e.url)
	b.Cleanup(func() { command(env, program(b, "shsession"), "logout").Run() })
	peers := []peer{
		startEach(floor, func(b *testing.B) []string { return []string{program(b, "hello")} }, env),
		startEach(ours, func(b *testing.B) []string { return append([]string{program(b, "shsession")}, args...) }, env),
	}
	if work != "login" {
		peers = append(peers, startEach("python-S", func(b *testing.B) []string {
			// Not the python3 in PATH, which may be a script that looks for one.
			python, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
			if err != nil {
				theRig.skip(b, "no python3: "+err.Error())
			}
			return []string{strings.TrimSpace(string(python)), "-S", "-c", "pass"}
		}, env))
	}
	if work == "token" || work == "login" {
		peers = append(peers, startEach(pythonSH, func(b *testing.B) []string {
			python, err := findPython()
			if err != nil {
				theRig.skip(b, err.Error())
			}
			return []string{python, filepath.Join("testdata", "first.py")}
		}, env))
	}
	beside(b, peers...)
}

// startEach starts a program once for each b.N, after one time that isn't measured.
func startEach(name string, args func(*testing.B) []string, env []string) peer {
	return peer{name, func(b *testing.B) {
		argv := args(b)
		if out, err := command(env, argv...).CombinedOutput(); err != nil {
			b.Fatalf("%s: %v\n%s", argv, err, out)
		}
		null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
		if err != nil {
			b.Fatal(err)
		}
		defer null.Close()
		attr := &os.ProcAttr{Env: env, Files: []*os.File{null, null, null}}
		b.ResetTimer()
		for range b.N {
			p, err := os.StartProcess(argv[0], argv, attr)
			if err != nil {
				b.Fatal(err)
			}
			if state, err := p.Wait(); err != nil || !state.Success() {
				b.Fatalf("%s: %v %v", argv, state, err)
			}
		}
	}}
}

func command(env []string, argv ...string) *exec.Cmd {
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = env
	return cmd
}

// BenchmarkShareCommand is the memory of an idle process that shares a token, and the processor
// time that it takes in a second. The floor is a program in Go that waits.
func BenchmarkShareCommand(b *testing.B) {
	e := newEndpoint(b, 0)
	env := loginEnv(b.TempDir(), e.url)
	sharer := func(name string, args func(b *testing.B, segment string) []string) peer {
		return peer{name, func(b *testing.B) {
			_, segment := newSegment(b)
			watchIdle(b, command(env, args(b, segment)...))
		}}
	}
	beside(b,
		sharer(floor, func(b *testing.B, _ string) []string { return []string{program(b, "hello"), "wait"} }),
		sharer(ours, func(b *testing.B, segment string) []string {
			return []string{program(b, "shsession"), "share", "--name", segment}
		}),
		sharer(pythonSH, func(b *testing.B, segment string) []string {
			python, err := findPython()
			if err != nil {
				theRig.skip(b, err.Error())
			}
			return []string{python, filepath.Join("testdata", "share.py"), segment}
		}))
}

// watchIdle starts a program, waits for its first line, and watches it do nothing.
func watchIdle(b *testing.B, cmd *exec.Cmd) {
	const settle, idle = 100 * time.Millisecond, 300 * time.Millisecond
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		in.Close() // which ends the others
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
	}()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		b.Fatalf("%s: %q, %v", cmd, line, err)
	}
	var cpu time.Duration
	for range b.N {
		time.Sleep(settle)
		before := ranFor(b, cmd.Process.Pid)
		time.Sleep(idle)
		cpu += ranFor(b, cmd.Process.Pid) - before
	}
	b.ReportMetric(float64(cpu)/(float64(b.N)*idle.Seconds()), "cpu-ns/s")
	b.ReportMetric(residentBytes(b, cmd.Process.Pid), "resident-B")
	b.ReportMetric(0, "ns/op")
}

// ranFor returns how long a process's threads have run, all together.
func ranFor(b *testing.B, pid int) time.Duration {
	b.Helper()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(files) == 0 {
		theRig.skip(b, "this kernel doesn't tell how long a thread has run")
	}
	var sum time.Duration
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // the thread has ended
		}
		first, _, _ := strings.Cut(string(data), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			b.Fatal(err)
		}
		sum += time.Duration(ns)
	}
	return sum
}

// residentBytes returns the memory of a process: its own pages, and those of files that it has touched.
func residentBytes(b *testing.B, pid int) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			if err != nil {
				b.Fatal(err)
			}
			return kb * 1024
		}
	}
	theRig.skip(b, "this kernel doesn't tell a process's memory")
	return 0
}
