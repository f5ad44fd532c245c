// Package packages_test builds the packages of a release from .goreleaser.yaml, and meets them as users do: installed, in
// their shells, and under a systemd of their own. What a test installs is gone when it ends.
//
// It is a module of its own, since what builds packages has many dependencies. Run it with make packages.
package packages_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

// A release is what the tests are about.
type release struct {
	project config.Project
	program string    // the path of the program, built as in a release
	version string    // of the program
	time    time.Time // of everything in the packages
	dir     string    // for packages
}

func TestPackages(t *testing.T) {
	scripts, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	sandbox := scripts + "/sandbox"
	t.Chdir("../..") // where the paths in .goreleaser.yaml start
	r := build(t)

	t.Run("configuration", r.testConfiguration)
	t.Run("manual", r.testManual)
	t.Run("image", r.testImage)
	t.Run("snapshot", r.testSnapshot)
	t.Run("wheels", r.testWheels)
	deb := r.pack(t, "deb")
	t.Run("links", func(t *testing.T) {
		need(t, "dpkg")
		testLinks(t, deb)
	})
	t.Run("deb", func(t *testing.T) {
		needRoot(t)
		need(t, "unshare", "dpkg", "systemd-analyze", "man", "bash", "fish", "zsh")
		quietly(t, sandbox, scripts+"/installed", deb)
	})
	t.Run("user unit", func(t *testing.T) {
		needRoot(t)
		need(t, "unshare", "dpkg", "systemctl")
		quietly(t, sandbox, scripts+"/live-user", deb)
	})
	t.Run("system unit", func(t *testing.T) {
		needRoot(t)
		need(t, "unshare", "dpkg", "systemctl", "useradd", "runuser")
		quietly(t, sandbox, scripts+"/live-system", deb)
		if said, err := os.ReadFile(deb + ".log"); err != nil || len(said) > 0 {
			t.Errorf("%v\n%s", err, said)
		}
	})
	rpm := r.pack(t, "rpm")
	t.Run("rpm", func(t *testing.T) {
		need(t, "rpm")
		testRPM(t, rpm)
	})
}

// build builds the program and what goes with it.
func build(t *testing.T) release {
	project, err := config.Load(".goreleaser.yaml") // refuses what it doesn't know
	if err != nil {
		t.Fatal(err)
	}
	if len(project.Builds) != 1 || len(project.NFPMs) != 1 {
		t.Fatalf("%d builds and %d nfpms, want 1 of each", len(project.Builds), len(project.NFPMs))
	}
	for _, hook := range project.Before.Hooks {
		run(t, "bash", "-c", hook)
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // dpkg reads the package as another user
		t.Fatal(err)
	}
	r := release{project: project, dir: dir, program: filepath.Join(dir, project.Builds[0].Binary)}
	b := project.Builds[0]
	args := append([]string{"build", "-o", r.program, "-ldflags", strings.Join(b.Ldflags, " ")}, b.Flags...)
	cmd := exec.Command("go", append(args, b.Main)...)
	cmd.Env = append(append(os.Environ(), b.Env...), "GOOS=linux")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	r.version = strings.Fields(run(t, r.program, "version"))[1]
	revised := strings.TrimSpace(run(t, "git", "log", "-1", "--format=%cI"))
	if r.time, err = time.Parse(time.RFC3339, revised); err != nil {
		t.Fatal(err)
	}
	return r
}

// run runs a command, which has to succeed, and returns its standard output.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s", cmd, err, out.String(), errs.String())
	}
	return out.String()
}

// quietly runs a command that says something only if something is amiss.
func quietly(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v: %v\n%s", cmd, err, out)
	}
}

// need skips a test that can't be run without programs, or fails it if SHSESSION_PACKAGES=required.
func need(t *testing.T, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			lack(t, program+" is missing")
		}
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		lack(t, "only root can install packages")
	}
}

func lack(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("SHSESSION_PACKAGES") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}
