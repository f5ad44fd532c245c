// Command wheel builds the wheels of a release, by which pip puts the command on the PATH, from
// the build in .goreleaser.yaml: go run ./wheel DIRECTORY [SYSTEM...], in deploy/packages. A
// system is such as linux/amd64; without any it builds those of all. It prints their paths.
//
// A wheel (PEP 427) holds the program and says what it is. It needs no Python once it is
// installed.
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

// platforms are the tags of each system that a release is built for. The program of Linux is
// linked statically, so it runs with either C library. Go needs macOS 12.
var platforms = map[string]string{
	"linux/amd64":   "manylinux_2_17_x86_64.manylinux2014_x86_64.musllinux_1_1_x86_64",
	"linux/arm64":   "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
	"darwin/amd64":  "macosx_12_0_x86_64",
	"darwin/arm64":  "macosx_12_0_arm64",
	"windows/amd64": "win_amd64",
	"windows/arm64": "win_arm64",
}

const root = "../.."

func main() {
	log.SetFlags(0)
	if len(os.Args) < 2 {
		log.Fatal("usage: go run ./wheel DIRECTORY [SYSTEM...]")
	}
	project, err := config.Load(filepath.Join(root, ".goreleaser.yaml"))
	if err != nil {
		log.Fatal(err)
	}
	build := project.Builds[0]
	version, err := versionOf(build)
	if err != nil {
		log.Fatal(err)
	}
	for _, goos := range build.Goos {
		for _, goarch := range build.Goarch {
			if len(os.Args) > 2 && !slices.Contains(os.Args[2:], goos+"/"+goarch) {
				continue
			}
			path, err := writeWheel(project, version, goos, goarch, os.Args[1])
			if err != nil {
				log.Fatal(err)
			}
			fmt.Println(path)
		}
	}
}

// writeWheel builds the program for one system, and writes its wheel in dir.
func writeWheel(project config.Project, version, goos, goarch, dir string) (path string, err error) {
	build := project.Builds[0]
	tags, ok := platforms[goos+"/"+goarch]
	if !ok {
		return "", fmt.Errorf("no platform tag for %s/%s", goos, goarch)
	}
	program, err := compile(build, goos, goarch)
	if err != nil {
		return "", err
	}
	license, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		return "", err
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return "", err
	}
	name := build.Binary + "-" + version
	binary := build.Binary
	if goos == "windows" {
		binary += ".exe"
	}
	w := wheel{info: name + ".dist-info/"}
	w.zip = zip.NewWriter(&w.data)
	w.add(name+".data/scripts/"+binary, 0o755, program)
	w.add(w.info+"licenses/LICENSE", 0o644, license)
	w.add(w.info+"METADATA", 0o644, metadata(project.NFPMs[0], version, readme))
	w.add(w.info+"WHEEL", 0o644, wheelFile(tags))
	if err := w.close(); err != nil {
		return "", err
	}
	path = filepath.Join(dir, name+"-py3-none-"+tags+".whl")
	return path, os.WriteFile(path, w.data.Bytes(), 0o644)
}

// versionOf returns what the program says is its version.
func versionOf(build config.Build) (string, error) {
	cmd := exec.Command("go", "run", build.Main, "version")
	cmd.Dir = root
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%v: %w", cmd, err)
	}
	return strings.Fields(string(out))[1], nil
}

// compile returns the program as a release has it.
func compile(build config.Build, goos, goarch string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "wheel-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, build.Binary)
	cmd := exec.Command("go", append(append([]string{"build", "-o", path, "-ldflags", strings.Join(build.Ldflags, " ")}, build.Flags...), build.Main)...)
	cmd.Dir = root
	cmd.Env = append(append(os.Environ(), build.Env...), "GOOS="+goos, "GOARCH="+goarch)
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%v: %w\n%s", cmd, err, out)
	}
	return os.ReadFile(path)
}

// metadata describes the package, as the other packages do (core metadata 2.4).
func metadata(nfpm config.NFPM, version string, readme []byte) []byte {
	summary, _, _ := strings.Cut(nfpm.Description, "\n")
	return fmt.Appendf(nil, `Metadata-Version: 2.4
Name: %s
Version: %s
Summary: %s
Project-URL: Homepage, %s
License-Expression: %s
License-File: LICENSE
Requires-Python: >=3.8
Description-Content-Type: text/markdown

%s`, nfpm.PackageName, version, summary, nfpm.Homepage, nfpm.License, readme)
}

func wheelFile(tags string) []byte {
	text := "Wheel-Version: 1.0\nGenerator: shsession\nRoot-Is-Purelib: false\n"
	for tag := range strings.SplitSeq(tags, ".") {
		text += "Tag: py3-none-" + tag + "\n"
	}
	return []byte(text)
}

// A wheel is being written.
type wheel struct {
	info   string // the directory of what describes it
	data   bytes.Buffer
	zip    *zip.Writer
	record strings.Builder
	err    error // the first
}

// add adds a file, with the same time in every build.
func (w *wheel) add(name string, mode os.FileMode, data []byte) {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(mode)
	f, err := w.zip.CreateHeader(header)
	if err == nil {
		_, err = f.Write(data)
	}
	if w.err == nil {
		w.err = err
	}
	sum := sha256.Sum256(data)
	fmt.Fprintf(&w.record, "%s,sha256=%s,%d\n", name, base64.RawURLEncoding.EncodeToString(sum[:]), len(data))
}

// close adds the record of all files, and returns the first error.
func (w *wheel) close() error {
	text := w.record.String() + w.info + "RECORD,,\n"
	w.add(w.info+"RECORD", 0o644, []byte(text))
	if w.err != nil {
		return w.err
	}
	return w.zip.Close()
}
