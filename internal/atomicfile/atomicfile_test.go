package atomicfile_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/shsession/shsession/internal/atomicfile"
)

// text returns what fills a file with that text.
func text(s string) func(*os.File) error {
	return func(f *os.File) error {
		_, err := f.WriteString(s)
		return err
	}
}

func want(t *testing.T, path, text string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != text {
		t.Errorf("%s holds %q, %v; want %q", path, got, err, text)
	}
}

// wantAlone fails the test if anything but the file at path is in its directory.
func wantAlone(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(path) {
		t.Errorf("the directory holds %v, %v", entries, err)
	}
}

func TestReplace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, s := range []string{"one", "two", ""} {
		if err := atomicfile.Replace(t.Context(), path, text(s)); err != nil {
			t.Fatal(err)
		}
		want(t, path, s)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	wantAlone(t, path)
}

// What fails leaves the file as it was, and nothing beside it.
func TestFillFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Replace(t.Context(), path, text("old")); err != nil {
		t.Fatal(err)
	}
	failure := errors.New("failure")
	fail := func(f *os.File) error { return errors.Join(text("new")(f), failure) }
	if err := atomicfile.Replace(t.Context(), path, fail); !errors.Is(err, failure) {
		t.Error(err)
	}
	want(t, path, "old")
	wantAlone(t, path)
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := atomicfile.Create(path, text("first")); err != nil {
		t.Fatal(err)
	}
	if err := atomicfile.Create(path, text("second")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a second file: %v", err)
	}
	want(t, path, "first")
	wantAlone(t, path)
}

func TestNoDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "missing", "file")
	if err := atomicfile.Replace(t.Context(), path, text("")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

// Many writers of one directory remove none of each other's new files, and leave none.
func TestConcurrently(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	n := 16
	if runtime.GOOS == "windows" {
		n = 4 // a writer gives up after 5 seconds, and Wine is slow
	}
	var writers sync.WaitGroup
	for range n {
		writers.Go(func() {
			for range 50 {
				if err := atomicfile.Replace(context.Background(), path, text("same")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writers.Wait()
	want(t, path, "same")
	wantAlone(t, path)
}
