package bench

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// BenchmarkCommand starts programs and waits for their end, with their output
// thrown away. The floor is a static program in Go that says hello. The peer python -S is an
// interpreter that does nothing; python imports the package and logs in, each time, since the
// package keeps no token.
func BenchmarkCommand(b *testing.B) {
	do := func(name string, args ...string) work {
		return work{"do=" + name, func(b *testing.B) { runCommands(b, name, args) }}
	}
	each(b, do("token", "token"), do("headers", "headers"), do("login", "token", "--no-cache"), do("version", "version"))
}

func runCommands(b *testing.B, work string, args []string) {
	e := newEndpoint(b, 0)
	env := environment(b, e.url)
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

// environment returns that of a command that logs in at a URL. What it leaves in the machine's
// cache goes when the benchmark ends.
func environment(b *testing.B, tokenURL string) []string {
	b.Helper()
	env := loginEnv(b.TempDir(), tokenURL)
	b.Cleanup(func() {
		if out, err := command(env, program(b, "shsession"), "logout").CombinedOutput(); err != nil {
			b.Errorf("logout: %v\n%s", err, out)
		}
	})
	return env
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
