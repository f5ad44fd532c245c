package shsession_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Each dependency earns its keep in one package, and the root has only two.
func TestEachDependencyHasOneImporter(t *testing.T) {
	t.Parallel()
	shared := []string{"golang.org/x/sys", "golang.org/x/term"} // what the standard library lacks of systems
	importers := map[string]map[string]bool{}
	eachGoFile(t, func(path string) {
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range file.Imports {
			name := strings.Trim(spec.Path.Value, `"`)
			first, _, _ := strings.Cut(name, "/")
			if !strings.Contains(first, ".") || strings.HasPrefix(name, "github.com/shsession/") {
				continue
			}
			parts := strings.Split(name, "/")
			module := strings.Join(parts[:min(3, len(parts))], "/")
			if importers[module] == nil {
				importers[module] = map[string]bool{}
			}
			importers[module][filepath.Dir(path)] = true
		}
	})
	for _, module := range shared {
		delete(importers, module)
	}
	if len(importers) < 3 {
		t.Fatalf("found the imports of %d modules only", len(importers))
	}
	for module, dirs := range importers {
		if len(dirs) > 1 {
			t.Errorf("%s is imported by %v", module, dirs)
		}
		root := module == "golang.org/x/oauth2" || module == "github.com/cenkalti/backoff" || module == "golang.org/x/time"
		if dirs["."] != root {
			t.Errorf("%s: imported by the root package: %v", module, dirs["."])
		}
	}
}

// A file has one subject, four hundred lines are enough for it, and a function fits a
// screen.
func TestFilesAndFunctionsAreShort(t *testing.T) {
	t.Parallel()
	eachFile(t, ".go", func(path string) {
		files := token.NewFileSet()
		file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		if lines := files.File(file.FileStart).LineCount(); lines > 400 {
			t.Errorf("%s has %d lines", path, lines)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if lines := files.Position(f.End()).Line - files.Position(f.Pos()).Line + 1; lines > 60 {
				t.Errorf("%s: %s has %d lines", path, f.Name.Name, lines)
			}
		}
	})
}

// Nothing sleeps but tests in a bubble: a wait is for something, and can end early.
func TestNothingSleeps(t *testing.T) {
	eachGoFile(t, func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "time.Sleep(") {
			t.Errorf("%s sleeps", path)
		}
	})
}

// eachGoFile calls f with each Go file of this module that isn't a test.
func eachGoFile(t *testing.T, f func(path string)) {
	t.Helper()
	eachFile(t, ".go", func(path string) {
		if !strings.HasSuffix(path, "_test.go") {
			f(path)
		}
	})
}

// eachFile calls f with each file of this module whose name ends so.
func eachFile(t *testing.T, ending string, f func(path string)) {
	t.Helper()
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && path != "." && (path == "bench" || strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case strings.HasSuffix(path, ending):
			f(path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
