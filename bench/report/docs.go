package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// What is between these lines of speed.md is written here, and the rest by hand.
const (
	beginMark = "<!-- measured: begin -->\n"
	endMark   = "<!-- measured: end -->\n"
)

// writeDocs writes what was measured into speed.md, and the plots beside it.
func writeDocs(dir string, m *measurements) error {
	path := filepath.Join(dir, "speed.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, begins := strings.Cut(string(text), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return errors.New(path + " has no lines that say where the measurements go")
	}
	measured := strings.Join([]string{
		circumstances(m), "### Goals\n", goalTable(m), "![The ratios](speed.svg)\n", "![Growth](speed-growth.svg)\n", tables(m),
	}, "\n")
	return errors.Join(
		os.WriteFile(path, []byte(before+beginMark+measured+endMark+after), 0o644),
		os.WriteFile(filepath.Join(dir, "speed.svg"), []byte(ratioPlot(m)), 0o644),
		os.WriteFile(filepath.Join(dir, "speed-growth.svg"), []byte(growthPlot(m)), 0o644))
}

// circumstances says when, where and with what.
func circumstances(m *measurements) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s in %d rounds, in %v, on %s.\n", m.start.UTC().Format("2 January 2006"), m.rounds,
		time.Since(m.start).Round(time.Minute), machine(m))
	fmt.Fprintf(&out, "\nVersions: %s.\n", strings.Join(versions(), ", "))
	for _, reason := range m.skipped {
		fmt.Fprintf(&out, "\nLeft out: %s.\n", reason)
	}
	return out.String()
}

func machine(m *measurements) string {
	return fmt.Sprintf("%d processors (%s), %s %s", runtime.NumCPU(), m.cpu, runtime.GOOS, output("uname", "-r"))
}

// versions returns those of Go, of the modules that are measured, and of the programs.
func versions() []string {
	versions := []string{strings.Replace(runtime.Version(), "go", "Go ", 1)}
	if commit := output("git", "describe", "--always", "--dirty", "--exclude=*"); commit != "" {
		versions = append(versions, "shsession "+commit)
	}
	list := output("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "golang.org/x/oauth2", "cloud.google.com/go/auth",
		"github.com/aws/aws-sdk-go-v2", "github.com/redis/go-redis/v9")
	versions = append(versions, strings.Split(list, "\n")...)
	if python := output("python3", "--version"); python != "" {
		versions = append(versions, python)
	}
	if requirement := output("tail", "-n", "1", "../interop/python/requirements.txt"); requirement != "" {
		versions = append(versions, strings.Replace(requirement, "==", " ", 1))
	}
	for _, field := range strings.Fields(output("redis-server", "--version")) {
		if v, ok := strings.CutPrefix(field, "v="); ok {
			versions = append(versions, "Redis "+v)
		}
	}
	return versions
}

// output returns what a program prints, "" if it can't be run.
func output(program string, args ...string) string {
	out, err := exec.Command(program, args...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
