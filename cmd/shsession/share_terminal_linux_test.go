package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// bashAt starts an interactive bash whose $NAME is a segment's name, that of the client.
func bashAt(t *testing.T, env []string) *testkit.Console {
	t.Helper()
	variables := append(isolated(t.TempDir()), env...)
	return testkit.Shell(t, "bash", append(variables, "NAME="+clientIn(env))...)
}

// isShared reports whether there is a segment of that name.
func isShared(t *testing.T, name string) bool {
	t.Helper()
	_, err := os.Lstat("/dev/shm/" + name)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// One ^C ends a shell's loop of shares, as it ends one of their commands alone, and what was shared is withdrawn.
func TestInterruptedLoop(t *testing.T) {
	t.Parallel()
	for key, code := range map[string]string{testkit.CtrlC: "130", testkit.CtrlBackslash: "131"} {
		_, env := startService(t)
		c := bashAt(t, env)
		c.Type(t, "for i in 1 2 3; do echo start $i; shsession share --name $NAME -- sh -c 'echo run''ning; exec sleep 100'; done; echo fin''ished\n",
			"\nrunning")
		c.Write(t, key)
		if key == testkit.CtrlC {
			c.Await(t, "prompt> ")
			c.Type(t, "echo code=$?\n", "code="+code)
			if c.Count("start 2")+c.Count("finished") > 0 {
				t.Error("the loop has gone on")
			}
		} else { // which ends no loop, in any shell
			c.Await(t, "\nrunning")
			c.Type(t, testkit.CtrlC, "prompt> ")
		}
		if c.Count("goroutine")+c.Count("core dumped") > 0 {
			t.Error("there are stacks, or a core")
		}
		if isShared(t, clientIn(env)) {
			t.Error("the token is still there")
		}
	}
}

// Nor does a loop go on when ^C has ended a login.
func TestInterruptedLoopOfLogins(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.Inject(identity.MustParseFault("hang"), 0)
	c := bashAt(t, env)
	c.Write(t, "for i in 1 2 3; do echo start $i; shsession token; done; echo fin''ished\n")
	testkit.Eventually(t, "a login", func() bool { return service.Counters().TokenRequests > 0 })
	c.Type(t, testkit.CtrlC, "prompt> ")
	c.Type(t, "echo code=$?\n", "code=130")
	if c.Count("start 2")+c.Count("finished") > 0 {
		t.Error("the loop has gone on")
	}
}

// A share ends with the window that it was started in, in the foreground and the background, and renews on a SIGHUP that
// comes from elsewhere.
func TestHangUp(t *testing.T) {
	t.Parallel()
	for _, foreground := range []bool{true, false} {
		service, env := startService(t)
		c := bashAt(t, env)
		c.Write(t, "shsession share --name $NAME & echo pid=$!\n")
		pid, err := strconv.Atoi(c.Await(t, `\npid=(\d+)`)[1])
		if err != nil {
			t.Fatal(err)
		}
		c.Await(t, "interrupt to withdraw it")
		if foreground {
			c.Type(t, "fg\n", "\nshsession share")
		}
		if err := unix.Kill(pid, unix.SIGHUP); err != nil {
			t.Fatal(err)
		}
		testkit.Eventually(t, "a renewal", func() bool { return service.Counters().TokensIssued == 2 })
		if !isShared(t, clientIn(env)) {
			t.Error("the token is withdrawn by a SIGHUP")
		}
		c.HangUp()
		testkit.Eventually(t, "the share's end", func() bool { return unix.Kill(pid, 0) != nil })
		if isShared(t, clientIn(env)) {
			t.Error("the token is still there")
		}
		if n := service.Counters().TokensIssued; n != 2 {
			t.Errorf("%d logins, want none for the end", n)
		}
	}
}

// With nohup a share survives its terminal, and can still be told to renew.
func TestNohup(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	c := bashAt(t, env)
	c.Write(t, "nohup shsession share --name $NAME >/dev/null 2>&1 & echo pid=$!\n")
	pid, err := strconv.Atoi(c.Await(t, `\npid=(\d+)`)[1])
	if err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a token", func() bool { return isShared(t, clientIn(env)) })
	c.HangUp()
	c.Cmd.Wait() // the shell has passed the hang-up on by then
	if err := unix.Kill(pid, unix.SIGHUP); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "a renewal", func() bool { return service.Counters().TokensIssued >= 2 })
	if err := unix.Kill(pid, unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "the withdrawal", func() bool { return !isShared(t, clientIn(env)) })
}

// What is shared with a command in a pane is there for it, and gone when the window is closed: the command is told.
func TestHangUpOfCommand(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	c := bashAt(t, env)
	mark := t.TempDir() + "/mark"
	c.Type(t, "shsession share --name $NAME -- sh -c 'trap \"echo hung up >"+mark+"; exit\" HUP; echo run''ning; while :; do sleep 0.01; done'\n",
		"\nrunning")
	c.HangUp()
	testkit.Eventually(t, "the withdrawal", func() bool { return !isShared(t, clientIn(env)) })
	text, err := os.ReadFile(mark)
	if err != nil || strings.TrimSpace(string(text)) != "hung up" {
		t.Errorf("the command was told %q: %v", text, err)
	}
}

// A full-screen command has the terminal to itself, at every size, and is stopped and continued; each time its
// exit code is ours, and the token is there for it and not after it. SHSESSION_SOAK makes it two hundred times.
func TestFullScreenCommand(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "vim")
	times := 3
	if os.Getenv("SHSESSION_SOAK") != "" {
		times = 200
	}
	_, env := startService(t)
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("a line of the text\n", 200)), 0o600); err != nil {
		t.Fatal(err)
	}
	p := shAt(t, append(env, "NAME="+clientIn(env), "TEXT="+text)...)
	showing := func(lines int) func(string) bool {
		return func(shown string) bool { return strings.Count(shown, "a line of the text") >= lines }
	}
	for i := range times {
		p.Resize(t, 80, 12)
		p.Command(t, "clear; shsession share --name $NAME -- vim --clean $TEXT")
		p.AwaitThat(t, "vim", showing(11))
		if !isShared(t, clientIn(env)) {
			t.Error("there is no token for the command")
		}
		p.Resize(t, 100, 40)
		p.AwaitThat(t, "more of vim", showing(39))
		p.Keys(t, "C-z")
		p.Await(t, "Stopped")
		p.Command(t, "clear; fg")
		p.AwaitThat(t, "vim again", func(shown string) bool { return showing(39)(shown) && !strings.Contains(shown, "prompt>") })
		p.Keys(t, "C-c")
		p.Await(t, "exit Vim")
		p.Keys(t, ":cquit 9", "Enter")
		p.Await(t, "prompt>")
		p.Command(t, "echo code=$? in turn "+strconv.Itoa(i))
		p.Await(t, "code=9 in turn "+strconv.Itoa(i)+"\n")
		if isShared(t, clientIn(env)) {
			t.Error("the token is still there")
		}
	}
}
