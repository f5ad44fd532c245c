package shconfig_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

func modeOf(t *testing.T, path string) fs.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}

// onlyFile fails if anything but config.toml is left in its directory.
func onlyFile(t *testing.T, path string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestSaveMakesPrivateFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("mode bits say nothing on Windows")
	}
	path := isolate(t)
	f := open(t, "")
	mustEqual(t, "path", f.Path(), path)
	set(t, f, "a", shconfig.Settings{ClientSecret: shsession.NewSecret("hunter2")})
	save(t, f)
	mustEqual(t, "mode of the directory", modeOf(t, filepath.Dir(path)).Perm(), fs.FileMode(0o700))
	mustEqual(t, "mode of the file", modeOf(t, path), fs.FileMode(0o600))
	onlyFile(t, path)

	for before, want := range map[fs.FileMode]fs.FileMode{0o644: 0o600, 0o666: 0o600, 0o400: 0o400} {
		if err := os.Chmod(path, before); err != nil {
			t.Fatal(err)
		}
		f := open(t, "")
		set(t, f, fmt.Sprint("profile", before), shconfig.Settings{})
		save(t, f)
		mustEqual(t, fmt.Sprintf("mode after %o", before), modeOf(t, path), want)
	}
}

func TestSaveWithoutChangeWritesNothing(t *testing.T) {
	path := isolate(t)
	save(t, open(t, ""))
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	write(t, path, "[a]\nsh_client_id = \"x\"\n")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, "")
	set(t, f, "a", shconfig.Settings{ClientID: "x"})
	save(t, f)
	after, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if !os.SameFile(before, after) {
		t.Error("the file was replaced by its like")
	}
}

func TestSaveFollowsLinks(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links")
	}
	for _, name := range []string{"target there", "target missing"} {
		t.Run(name, func(t *testing.T) {
			path := isolate(t)
			write(t, path, "")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			dotfiles := filepath.Join(filepath.Dir(path), "..", "dotfiles")
			target := filepath.Join(dotfiles, "sh.toml")
			if name == "target there" {
				write(t, target, "[old]\n")
			}
			for _, err := range []error{
				os.MkdirAll(dotfiles, 0o700),
				os.Symlink("sh.toml", filepath.Join(dotfiles, "link")),
				os.Symlink(filepath.Join("..", "dotfiles", "link"), path),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			f := open(t, "")
			set(t, f, "a", shconfig.Settings{})
			save(t, f)
			if modeOf(t, path)&fs.ModeSymlink == 0 {
				t.Error("the link was replaced")
			}
			if !strings.Contains(read(t, target), "[a]") {
				t.Error("the target was not written")
			}
		})
	}
}

func TestSaveRefusesWhatIsNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("needs symbolic links")
	}
	path := isolate(t)
	write(t, path, "")
	for target, name := range map[string]string{os.DevNull: "device", "loop": "loop"} {
		link := filepath.Join(filepath.Dir(path), name)
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
		f, err := shconfig.Open(link)
		if err == nil {
			set(t, f, "a", shconfig.Settings{})
			err = f.Save()
		}
		if err == nil {
			t.Errorf("%s: saved", name)
		}
	}
	if modeOf(t, os.DevNull)&fs.ModeDevice == 0 {
		t.Fatal("the null device is gone")
	}
}

// Writers that know nothing of each other, and a reader: no mixture is ever seen.
func TestSaveConcurrently(t *testing.T) {
	path := isolate(t)
	write(t, path, "[a]\nsh_client_id = \"xxxx\"\nsh_client_secret = \"xxxx\"\n")
	var writers sync.WaitGroup
	for w := range 4 {
		writers.Go(func() {
			text := strings.Repeat(fmt.Sprint(w), 1+1000*w)
			for range 20 {
				f, err := shconfig.Open(path)
				if err == nil {
					err = f.Set("a", shconfig.Settings{ClientID: text, ClientSecret: shsession.NewSecret(text)})
				}
				if err == nil {
					err = f.Save()
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		p := load(t, shconfig.Options{Profile: "a"})
		if p.ClientID != p.ClientSecret.Reveal() {
			t.Error("a mixture was read")
		}
	}
	onlyFile(t, path)
}
