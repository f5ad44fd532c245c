package packages_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// goreleaser makes the archives of all systems, and the manifests of Homebrew and Scoop,
// which name each archive with its hash.
func (r release) testSnapshot(t *testing.T) {
	dist := r.snapshot(t)
	sums := map[string]string{} // by the name of the archive
	for _, goos := range r.project.Builds[0].Goos {
		for _, goarch := range r.project.Builds[0].Goarch {
			extension := map[bool]string{false: ".tar.gz", true: ".zip"}[goos == "windows"]
			paths, err := filepath.Glob(filepath.Join(dist, "shsession_*_"+goos+"_"+goarch+extension))
			if err != nil || len(paths) != 1 {
				t.Fatalf("the archives of %s/%s: %q, %v", goos, goarch, paths, err)
			}
			data, err := os.ReadFile(paths[0])
			if err != nil {
				t.Fatal(err)
			}
			sum := sha256.Sum256(data)
			sums[filepath.Base(paths[0])] = hex.EncodeToString(sum[:])
			t.Run(goos+"/"+goarch, func(t *testing.T) { testArchive(t, goos, goarch, data) })
		}
	}
	t.Run("sums", func(t *testing.T) { testSums(t, filepath.Join(dist, "SHA256SUMS"), sums) })
	t.Run("scoop", func(t *testing.T) { testScoop(t, filepath.Join(dist, "scoop", "shsession.json"), sums) })
	t.Run("cask", func(t *testing.T) {
		testCask(t, filepath.Join(dist, "homebrew", "Casks", "shsession.rb"), sums)
	})
}

// snapshot runs goreleaser, without what build has done already, and returns the directory
// that it wrote. Neither a tag nor a remote nor the network is needed.
func (r release) snapshot(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(".goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	dist, config := filepath.Join(dir, "dist"), filepath.Join(dir, "goreleaser.yaml")
	if err := os.WriteFile(config, append(text, "\ndist: "+dist+"\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	goreleaser := strings.TrimSpace(run(t, "deploy/packages/goreleaser"))
	cmd := exec.Command(goreleaser, "release", "--snapshot", "--skip=before,sbom,nfpm,publish,announce", "--config", config)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	return dist
}

// testArchive checks that the program is in an archive, and what goes with it.
func testArchive(t *testing.T, goos, goarch string, data []byte) {
	program := "shsession"
	unpack := untar
	if goos == "windows" {
		program += ".exe"
		unpack = unzip
	}
	files, err := unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	checkProgram(t, goos+"/"+goarch, files[program].data)
	if mode := files[program].mode; mode&0o111 != 0o111 {
		t.Errorf("the program has the mode %v", mode)
	}
	for name, source := range map[string]string{
		"LICENSE": "LICENSE", "README.md": "README.md",
		"shsession.ps1":  ".cache/generated/shsession.ps1",
		"shsession.bash": ".cache/generated/shsession.bash",
		"shsession.fish": ".cache/generated/shsession.fish",
		"_shsession":     ".cache/generated/_shsession",
	} {
		want, err := os.ReadFile(source)
		if err != nil || len(want) == 0 || !bytes.Equal(files[name].data, want) {
			t.Errorf("%s isn't %s: %v", name, source, err)
		}
	}
	if !bytes.Contains(files["shsession.ps1"].data, []byte("Register-ArgumentCompleter")) {
		t.Error("shsession.ps1 registers no completion with PowerShell")
	}
}

// testSums checks that the file of checksums has those of all archives.
func testSums(t *testing.T, path string, sums map[string]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, sum := range sums {
		if line := sum + "  " + name; !slices.Contains(strings.Split(string(text), "\n"), line) {
			t.Errorf("no %q in\n%s", line, text)
		}
	}
}

// testScoop checks the manifest of Scoop.
func testScoop(t *testing.T, path string, sums map[string]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var manifest struct {
		Version, License, Homepage string
		Architecture               map[string]struct {
			URL, Hash string
			Bin       []string
		}
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.License != "Apache-2.0" || manifest.Version == "" || len(manifest.Architecture) != 2 {
		t.Errorf("the manifest says\n%s", text)
	}
	for arch, goarch := range map[string]string{"64bit": "amd64", "arm64": "arm64"} {
		resource := manifest.Architecture[arch]
		name := "shsession_" + manifest.Version + "_windows_" + goarch + ".zip"
		if !isRelease(resource.URL, name) || resource.Hash != sums[name] || !slices.Equal(resource.Bin, []string{"shsession.exe"}) {
			t.Errorf("%s is %+v, want %s with %s", arch, resource, name, sums[name])
		}
	}
}

// testCask checks the cask of Homebrew, which serves macOS and Linux.
func testCask(t *testing.T, path string, sums map[string]string) {
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cask := string(text)
	version := regexp.MustCompile(`(?m)^  version "(.+)"$`).FindStringSubmatch(cask)
	if version == nil {
		t.Fatalf("no version in\n%s", cask)
	}
	_, macOS, _ := strings.Cut(cask, "on_macos do")
	macOS, linux, _ := strings.Cut(macOS, "on_linux do")
	for goos, part := range map[string]string{"darwin": macOS, "linux": linux} {
		found := regexp.MustCompile(`on_(intel|arm) do\s+url "(.+)"\s+sha256 "(\w+)"`).FindAllStringSubmatch(part, -1)
		if len(found) != 2 {
			t.Fatalf("%d archives of %s in\n%s", len(found), goos, cask)
		}
		for _, f := range found {
			goarch := map[string]string{"intel": "amd64", "arm": "arm64"}[f[1]]
			name := "shsession_" + version[1] + "_" + goos + "_" + goarch + ".tar.gz"
			url := strings.ReplaceAll(f[2], "#{version}", version[1])
			if !isRelease(url, name) || f[3] != sums[name] {
				t.Errorf("%s of %s is %s with %s, want %s with %s", f[1], goos, url, f[3], name, sums[name])
			}
		}
	}
	for _, want := range []string{
		`binary "shsession"`, `bash_completion "shsession.bash"`, `fish_completion "shsession.fish"`,
		`zsh_completion "_shsession"`, `manpage "shsession.1.gz"`, `system_command "/usr/bin/xattr"`,
	} {
		if !strings.Contains(cask, want) {
			t.Errorf("no %s in\n%s", want, cask)
		}
	}
}

// isRelease reports whether url is that of a file of a release.
func isRelease(url, name string) bool {
	dir, file := filepath.Split(url)
	return file == name && strings.HasPrefix(dir, "https://github.com/shsession/shsession/releases/download/v")
}

// A packed is a file in a package.
type packed struct {
	mode os.FileMode
	data []byte
}

func unzip(data []byte) (map[string]packed, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	files := map[string]packed{}
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(in)
		if err != nil {
			return nil, err
		}
		files[f.Name] = packed{f.Mode(), content}
	}
	return files, nil
}

func untar(data []byte) (map[string]packed, error) {
	unzipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	archive := tar.NewReader(unzipped)
	files := map[string]packed{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		files[header.Name] = packed{header.FileInfo().Mode(), content}
	}
}
