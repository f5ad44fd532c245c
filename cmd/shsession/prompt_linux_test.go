package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal opens a pseudo-terminal: what the user sits at, and what the
// command gets.
func openTerminal(t *testing.T) (user, terminal *os.File) {
	t.Helper()
	user, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { user.Close() })
	if err := unix.IoctlSetPointerInt(int(user.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(user.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return user, terminal
}

// echoes reports whether a terminal shows what is typed.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	settings, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return settings.Lflag&unix.ECHO != 0
}

// At a terminal the secret is asked for without echo.
func TestPrompt(t *testing.T) {
	t.Parallel()
	user, terminal := openTerminal(t)
	config := filepath.Join(t.TempDir(), "config.toml")
	p := command(t, nil, "--config", config, "profile", "set", "x", "--client-id", "y")
	p.Stdin = terminal
	p.start(t)
	eventually(t, "no echo", func() bool { return !echoes(t, terminal) })
	eventually(t, "a prompt", func() bool { return strings.HasPrefix(p.err.String(), "Client secret") })
	fmt.Fprintln(user, scriptSecret)
	if got := p.exit(t); got != 0 {
		t.Errorf("exit code %d: %s", got, p.err.String())
	}
	if !echoes(t, terminal) {
		t.Error("the terminal is left without echo")
	}
	fmt.Fprintln(terminal, "end")
	if shown := readUntil(t, user, "end"); strings.Contains(shown, scriptSecret) {
		t.Errorf("the terminal shows %q", shown)
	}
	text, err := os.ReadFile(config)
	if err != nil || !strings.Contains(string(text), scriptSecret) {
		t.Errorf("%v, config.toml: %s", err, text)
	}
}

// An interrupt at the prompt leaves the terminal as it was.
func TestPromptInterrupted(t *testing.T) {
	t.Parallel()
	_, terminal := openTerminal(t)
	p := command(t, nil, "profile", "set", "x", "--client-id", "y")
	p.Stdin = terminal
	p.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // or a signal would end it, if this test has a terminal
	p.start(t)
	eventually(t, "no echo", func() bool { return !echoes(t, terminal) })
	p.Process.Signal(os.Interrupt)
	if got := p.exit(t); got != 130 {
		t.Errorf("exit code %d, want 130: %s", got, p.err.String())
	}
	if !echoes(t, terminal) {
		t.Error("the terminal is left without echo")
	}
}
