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

	"github.com/shsession/shsession"
)

// What is between these lines of speed.md is written here, and the rest by hand.
const (
	beginMark = "<!-- measured: begin -->\n"
	endMark   = "<!-- measured: end -->\n"
)

// writeDocs writes what was measured into speed.md, and the plots beside it, and returns the files.
func writeDocs(dir string, m *measurements) ([]string, error) {
	path := filepath.Join(dir, "speed.md")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	before, rest, begins := strings.Cut(string(text), beginMark)
	_, after, ends := strings.Cut(rest, endMark)
	if !begins || !ends {
		return nil, errors.New(path + " has no lines that say where the measurements go")
	}
	measured := circumstances(m) + "\n### Goals\n\n" + goalTable(m) + "\n"
	var written []string
	for _, p := range []struct {
		file, title string
		draw        func(*measurements) ([]byte, error)
	}{
		{"speed.svg", "shsession's time divided by each peer's", ratioPlot},
		{"speed-renewal.svg", "How long a call takes while the token is renewed", renewalPlot},
		{"speed-growth.svg", "Costs as the work grows", growthPlot},
	} {
		picture, err := p.draw(m)
		if err != nil {
			return written, err
		}
		name := filepath.Join(dir, p.file)
		if err := os.WriteFile(name, picture, 0o644); err != nil {
			return written, err
		}
		written = append(written, name)
		measured += fmt.Sprintf("![%s](%s)\n\n", p.title, p.file)
	}
	page := before + beginMark + measured + tables(m) + endMark + after
	return append(written, path), os.WriteFile(path, []byte(page), 0o644)
}

// circumstances says when, where and with what.
func circumstances(m *measurements) string {
	var out strings.Builder
	fmt.Fprintf(&out, "Measured on %s in %d rounds, in %v, on %s.\n", m.start.UTC().Format("2 January 2006"), m.rounds,
		time.Since(m.start).Round(time.Minute), machine(m))
	fmt.Fprintf(&out, "\nVersions: %s.\n", strings.Join(versions(m), ", "))
	for _, reason := range m.skippedReasons() {
		fmt.Fprintf(&out, "\nLeft out: %s.\n", reason)
	}
	return out.String()
}

func machine(m *measurements) string {
	return fmt.Sprintf("%d processors (%s), %s %s", runtime.NumCPU(), m.cpu, runtime.GOOS, output("uname", "-r"))
}

// versions returns those of Go, of the modules that are measured, and of the programs.
func versions(m *measurements) []string {
	versions := []string{strings.Replace(runtime.Version(), "go", "Go ", 1)}
	us := "shsession " + shsession.Version
	if commit := output("git", "describe", "--always", "--dirty"); commit != "" {
		us += " (" + commit + ")"
	}
	versions = append(versions, us)
	list := output("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "golang.org/x/oauth2", "cloud.google.com/go/auth",
		"github.com/aws/aws-sdk-go-v2", "github.com/redis/go-redis/v9", "golang.org/x/time", "github.com/go-redis/redis_rate/v10")
	versions = append(versions, strings.Split(list, "\n")...)
	if python := output("python3", "--version"); python != "" {
		versions = append(versions, python)
	}
	versions = append(versions, m.versions...)
	for _, field := range strings.Fields(output("redis-server", "--version")) {
		if v, ok := strings.CutPrefix(field, "v="); ok {
			versions = append(versions, "Redis "+v)
		}
	}
	if _, nginx, ok := strings.Cut(output("nginx", "-v"), "nginx/"); ok {
		versions = append(versions, "nginx "+nginx)
	}
	return versions
}

// output returns what a program prints, "" if it can't be run.
func output(program string, args ...string) string {
	out, err := exec.Command(program, args...).CombinedOutput()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
