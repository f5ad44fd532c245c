package dirstore_test

import (
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/dirstore"
)

// Names that some file system doesn't take, or takes for others, are names as all are.
func TestNames(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	names := []string{"token", "Token", "TOKEN", "NUL", "con", "CON.txt", "a:b", "a*b", "a ", "a.", "a", "é", "e\u0301", strings.Repeat("x", 300)}
	for _, name := range names {
		if err := dirstore.Open(base, name).Publish(t.Context(), newToken(accessOf(name))); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
	}
	for _, name := range names {
		got, err := dirstore.Open(base, name).Load(t.Context())
		if err != nil || got.AccessToken() != accessOf(name) {
			t.Errorf("%q holds %q, %v", name, got.AccessToken(), err)
		}
	}
	entries, err := dirstore.List(t.Context(), base)
	var listed []string
	for _, e := range entries {
		listed = append(listed, e.Name)
		if e.Token.AccessToken() != accessOf(e.Name) || e.Modified.IsZero() {
			t.Errorf("%q: %+v", e.Name, e)
		}
	}
	slices.Sort(names)
	slices.Sort(listed)
	if err != nil || !slices.Equal(listed, names) {
		t.Errorf("listed: %q, %v", listed, err)
	}
	if all, err := dirstore.Names(t.Context(), base); err != nil || !slices.Equal(all, names) {
		t.Errorf("Names: %q, %v", all, err)
	}
	for _, name := range names {
		if err := dirstore.Remove(t.Context(), base, name); err != nil {
			t.Errorf("Remove %q: %v", name, err)
		}
	}
	if left, err := os.ReadDir(base); err != nil || len(left) > 0 {
		t.Errorf("left: %v, %v", left, err)
	}
}

func TestRemove(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	s := dirstore.Open(base, name)
	if err := dirstore.Remove(t.Context(), base, name); !errors.Is(err, shsession.ErrNotShared) {
		t.Errorf("Remove of nothing: %v", err)
	}
	if err := s.Publish(t.Context(), newToken("token")); err != nil {
		t.Fatal(err)
	}
	w, err := s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	if err != nil {
		t.Fatal(err)
	}
	if err := dirstore.Remove(t.Context(), base, name); err == nil {
		t.Error("a shared token was removed")
	}
	w.Stop()
	if err := dirstore.Remove(t.Context(), base, name); err != nil {
		t.Error(err)
	}
	if _, err := s.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Error(err)
	}
}

// What a killed writer left goes with the next Sweep, and the token stays.
func TestSweep(t *testing.T) {
	base := filepath.Join(t.TempDir(), "base")
	s := dirstore.Open(base, name)
	want := newToken("token")
	if err := s.Publish(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(only(t, base), "temp.dead")
	if err := os.WriteFile(temp, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := dirstore.Sweep(t.Context(), base); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(temp); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the temporary file: %v", err)
	}
	if got, err := s.Load(t.Context()); err != nil || !got.Equal(want) {
		t.Errorf("Load: %v, %v", got, err)
	}
}

// A directory that others can enter, or that is another user's, is refused by all methods.
func TestNotPrivate(t *testing.T) {
	for name, spoil := range spoils() {
		t.Run(name, func(t *testing.T) {
			base := filepath.Join(t.TempDir(), "base")
			if err := dirstore.Open(base, "token").Publish(t.Context(), newToken("token")); err != nil {
				t.Fatal(err)
			}
			if err := spoil(base); errors.Is(err, fs.ErrPermission) {
				t.Skip("this user can't give a directory away")
			} else if err != nil {
				t.Fatal(err)
			}
			wantRefused(t, base)
		})
	}
}

// wantRefused checks that no method uses what is in base.
func wantRefused(t *testing.T, base string) {
	t.Helper()
	refused := func(what string, err error) {
		t.Helper()
		var path *fs.PathError
		if !errors.As(err, &path) || path.Path != base || errors.Is(err, shsession.ErrNotShared) {
			t.Errorf("%s: %v", what, err)
		}
	}
	s := dirstore.Open(base, "token")
	_, err := s.Load(t.Context())
	refused("Load", err)
	refused("Publish", s.Publish(t.Context(), newToken("other")))
	_, _, err = s.TryLock(t.Context(), nil)
	refused("TryLock", err)
	_, err = s.Watch(t.Context(), shsession.Account{ClientID: "client"})
	refused("Watch", err)
	_, _, err = s.Sharers(t.Context())
	refused("Sharers", err)
	_, err = dirstore.List(t.Context(), base)
	refused("List", err)
	refused("Remove", dirstore.Remove(t.Context(), base, "token"))
	refused("Sweep", dirstore.Sweep(t.Context(), base))
}

func TestDefaultBase(t *testing.T) {
	home := t.TempDir()
	for _, variable := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(variable, home)
	}
	base, err := dirstore.DefaultBase()
	if err != nil || !strings.HasPrefix(base, home) {
		t.Errorf("%s, %v", base, err)
	}
	for _, variable := range []string{"XDG_CACHE_HOME", "HOME", "LocalAppData"} {
		t.Setenv(variable, "")
	}
	if base, err := dirstore.DefaultBase(); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("without a home directory: %s", base)
	}
}

// accessOf returns an access token that is made for a name.
func accessOf(name string) string { return hex.EncodeToString([]byte(name)) }
