package windows_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// pip puts the command where Python's other commands are.
func TestWheel(t *testing.T) {
	python, wheel, dir := program(t, "SHSESSION_PYTHON"), program(t, "SHSESSION_WHEEL"), t.TempDir()
	install := exec.CommandContext(t.Context(), python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
		"--no-index", "--prefix", dir, wheel)
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	command := filepath.Join(dir, "Scripts", "shsession.exe")
	out, err := exec.CommandContext(t.Context(), command, "version").Output()
	if err != nil || !strings.HasPrefix(string(out), "shsession ") || !strings.Contains(string(out), "windows/amd64") {
		files, _ := filepath.Glob(filepath.Join(dir, "*", "*"))
		t.Errorf("it says %q, %v; there are %q", out, err, files)
	}
	if _, err := os.Stat(filepath.Join(dir, "Lib", "site-packages", "shsession-"+version(string(out))+".dist-info", "licenses", "LICENSE")); err != nil {
		t.Error(err)
	}
}

// version returns the version in what the command says.
func version(said string) string {
	fields := strings.Fields(said)
	if len(fields) < 2 {
		return ""
	}
	return fields[1]
}
