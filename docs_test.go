package shsession_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Each test that a page names exists, so that each promise is held by one.
func TestNamedTestsExist(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func (Test\w*)\(`)
	eachFile(t, ".go", func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range declared.FindAllStringSubmatch(string(text), -1) {
			tests[match[1]] = true
		}
	})
	named := regexp.MustCompile("`(Test\\w+)`")
	found := 0
	eachFile(t, ".md", func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range named.FindAllStringSubmatch(string(text), -1) {
			if found++; !tests[match[1]] {
				t.Errorf("%s: there is no %s", path, match[1])
			}
		}
	})
	if found < 80 {
		t.Errorf("the pages name %d tests only", found)
	}
}

// No page mounts the file of a secret by itself into a container, where nobody would see
// that it is replaced.
func TestSecretsAreMountedInDirectories(t *testing.T) {
	inContainer := regexp.MustCompile(`SECRET_FILE=(\S+)[^` + "`" + `]*?dst=([^,\s]+)`)
	found := 0
	eachFile(t, ".md", func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range inContainer.FindAllStringSubmatch(string(text), -1) {
			if found++; match[1] == match[2] {
				t.Errorf("%s: %s is mounted by itself", path, match[1])
			}
		}
	})
	if found == 0 {
		t.Error("no page mounts a secret")
	}
}

// Each file and directory that docs/ARCHITECTURE.md names exists, and each file of this
// package and each package below internal is in its map.
func TestArchitectureNamesWhatExists(t *testing.T) {
	data, err := os.ReadFile("docs/ARCHITECTURE.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	named := 0
	for line := range strings.Lines(page) {
		cell, _, isRow := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		if !isRow || !strings.HasPrefix(line, "| `") {
			continue
		}
		for _, match := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cell, -1) {
			if _, err := os.Stat(match[1]); err != nil {
				t.Error(err)
			}
			named++
		}
	}
	if named < 40 {
		t.Errorf("the page names %d files only", named)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	packages, err := filepath.Glob("internal/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, packages...) {
		file = filepath.ToSlash(file)
		if !strings.HasSuffix(file, "_test.go") && !strings.Contains(page, "`"+file+"`") {
			t.Errorf("%s isn't in the map", file)
		}
	}
}

// Each link to a file of this repository, or to a heading in one, leads somewhere.
func TestLinksLeadSomewhere(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)\s]+)\)`)
	found := 0
	eachFile(t, ".md", func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			found++
			file, heading, _ := strings.Cut(match[1], "#")
			if file = filepath.Join(filepath.Dir(path), file); strings.HasPrefix(match[1], "#") {
				file = path
			}
			if _, err := os.Stat(file); err != nil {
				t.Errorf("%s: %v", path, err)
			} else if heading != "" && !headings(t, file)[heading] {
				t.Errorf("%s: there is no heading for %s", path, match[1])
			}
		}
	})
	if found < 20 {
		t.Errorf("found %d links only", found)
	}
}

// headings returns the headings of a page, as GitHub writes them in links.
func headings(t *testing.T, path string) map[string]bool {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	drop := regexp.MustCompile(`[^\p{L}\p{N} _-]`)
	all := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if _, heading, ok := strings.Cut(line, "# "); ok && strings.HasPrefix(line, "#") {
			heading = drop.ReplaceAllString(strings.ToLower(strings.TrimSpace(heading)), "")
			all[strings.ReplaceAll(heading, " ", "-")] = true
		}
	}
	return all
}
