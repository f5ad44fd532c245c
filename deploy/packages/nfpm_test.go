package packages_test

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/goreleaser/nfpm/v2"
	_ "github.com/goreleaser/nfpm/v2/deb"
	"github.com/goreleaser/nfpm/v2/files"
	_ "github.com/goreleaser/nfpm/v2/rpm"
)

// What isn't said in .goreleaser.yaml is made up from the place that it is run in.
func (r release) testConfiguration(t *testing.T) {
	if r.project.Version != 2 || r.project.ProjectName != "shsession" || r.project.Builds[0].Binary != "shsession" {
		t.Errorf("version %d, project %q, binary %q", r.project.Version, r.project.ProjectName, r.project.Builds[0].Binary)
	}
	for _, archive := range r.project.Archives {
		for _, file := range archive.Files {
			if found, err := filepath.Glob(strings.ReplaceAll(file.Source, "**", "*")); err != nil || len(found) == 0 {
				t.Errorf("archives: there is no %s (%v)", file.Source, err)
			}
		}
	}
}

// pack builds a package from the section nfpms, as goreleaser does, and returns its path.
func (r release) pack(t *testing.T, format string) string {
	t.Helper()
	spec := r.project.NFPMs[0]
	if !slices.Contains(spec.Formats, format) {
		t.Fatalf("the formats are %v", spec.Formats)
	}
	contents := files.Contents{{
		Source: r.program, Destination: "/usr/bin/" + filepath.Base(r.program), FileInfo: &files.ContentFileInfo{Mode: 0o755},
	}}
	for _, c := range spec.Contents {
		contents = append(contents, &files.Content{
			Source: c.Source, Destination: c.Destination, Type: c.Type, Packager: c.Packager,
			FileInfo: &files.ContentFileInfo{Owner: c.FileInfo.Owner, Group: c.FileInfo.Group, Mode: c.FileInfo.Mode},
		})
	}
	info := nfpm.WithDefaults(&nfpm.Info{
		Name: spec.PackageName, Version: r.version, Arch: runtime.GOARCH, Platform: "linux", MTime: r.time,
		Section: spec.Section, Priority: spec.Priority, Maintainer: spec.Maintainer, Description: spec.Description,
		Vendor: spec.Vendor, Homepage: spec.Homepage, License: spec.License,
		Overridables: nfpm.Overridables{Contents: contents, Recommends: spec.Recommends},
	})
	packager, err := nfpm.Get(format)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(r.dir, packager.ConventionalFileName(info))
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := packager.Package(info, file); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// testLinks checks that the pages are in a package, and that what they link to is there too.
func testLinks(t *testing.T, deb string) {
	const root = "/usr/share/doc/shsession/"
	there := map[string]bool{}
	for _, field := range strings.Fields(run(t, "dpkg", "--contents", deb)) {
		for file := strings.TrimPrefix(field, "."); strings.HasPrefix(file, root); file = filepath.Dir(file) {
			there[filepath.Clean(file)] = true
		}
	}
	link := regexp.MustCompile(`\]\(([^)\s#]+)`)
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") {
		if !there[root+page] {
			t.Errorf("%s isn't in the package", page)
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			target := filepath.Join(root, filepath.Dir(page), match[1])
			if !strings.Contains(match[1], "://") && !there[target] {
				t.Errorf("%s links to %s, which isn't in the package", page, match[1])
			}
		}
	}
}

func testRPM(t *testing.T, path string) {
	list := strings.Fields(run(t, "rpm", "--query", "--package", "--list", path))
	for _, file := range []string{
		"/usr/bin/shsession", "/usr/lib/systemd/user/shsession.service", "/usr/lib/systemd/user/shsession-proxy.service",
		"/usr/lib/systemd/system/shsession@.service",
		"/usr/share/man/man1/shsession.1.gz", "/usr/share/licenses/shsession/LICENSE", "/usr/share/zsh/site-functions/_shsession",
	} {
		if !slices.Contains(list, file) {
			t.Errorf("%s is missing", file)
		}
	}
	if slices.Contains(list, "/usr/share/zsh/vendor-completions/_shsession") {
		t.Error("what is Debian's is in it")
	}
	if got := run(t, "rpm", "--query", "--package", "--requires", path); strings.Contains(got, "/") {
		t.Errorf("it requires %s", got)
	}
	quietly(t, "rpm", "--checksig", "--nosignature", "--quiet", path)
}
