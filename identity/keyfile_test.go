package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// pemOf returns a key as a key file has it.
func pemOf(t testing.TB, key any) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// wantAPI checks how the API answers a request with a token.
func (s service) wantAPI(token string, want int, what string) {
	s.t.Helper()
	if r := s.get("/api/v1/x", token); r.status != want {
		s.t.Errorf("%s: %d, want %d", what, r.status, want)
	}
}

// A token is good at the next server with the same key file, until it expires.
func TestKeyFileOutlivesTheServer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	synctest.Test(t, func(t *testing.T) {
		first := newService(t, identity.Options{KeyFile: file, Lifetime: time.Hour})
		token := first.login()
		keys := first.get(mainRealm+"/protocol/openid-connect/certs", "").body
		time.Sleep(time.Minute)
		next := newService(t, identity.Options{KeyFile: file})
		if again := next.get(mainRealm+"/protocol/openid-connect/certs", "").body; again != keys {
			t.Errorf("the keys are %s, and were %s", again, keys)
		}
		r := next.get("/api/v1/x", token)
		if answer := r.decode(t); r.status != http.StatusOK || answer["client_id"] != identity.DevelopmentID || answer["remaining"] != 3540.0 {
			t.Errorf("the next server answers %d %s", r.status, r.body)
		}
		if r := next.get("/oauth/tokeninfo", token); r.status != http.StatusOK {
			t.Errorf("the next server has no information about the token: %d", r.status)
		}
		newService(t, identity.Options{}).wantAPI(token, 401, "with another key")
		other := identity.Options{KeyFile: file, Clients: []identity.Client{{ID: "another", Secret: shsession.NewSecret("secret")}}}
		newService(t, other).wantAPI(token, 401, "without the client")
		time.Sleep(59 * time.Minute)
		next.wantAPI(token, 401, "after its end")
	})
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("the file's mode is %v", info.Mode())
	}
	if entries, err := os.ReadDir(filepath.Dir(file)); err != nil || len(entries) != 1 {
		t.Errorf("beside the file there is more: %v, %v", entries, err)
	}
}

// A token of an earlier server can be revoked, and then stays so.
func TestKeyFileRevoke(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	first := newService(t, identity.Options{KeyFile: file})
	one, two := first.login(), first.login()
	first.Revoke(one)
	first.wantAPI(one, 401, "revoked")
	next := newService(t, identity.Options{KeyFile: file})
	next.wantAPI(one, 200, "revoked at another server, which this one can't know")
	if !next.Revoke(one) || next.Revoke(one) {
		t.Error("Revoke reports wrongly which tokens were alive")
	}
	next.wantAPI(one, 401, "revoked")
	next.wantAPI(two, 200, "not revoked")
	next.RevokeAll()
	next.wantAPI(two, 401, "all revoked")
	next.wantAPI(next.login(), 200, "after all were revoked")
}

// Only access tokens with the key's signature count.
func TestKeyFileForgeries(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	s := newService(t, identity.Options{KeyFile: file})
	form := with("scope", "openid")
	id := s.post(tokenPath, form).decode(t)["id_token"].(string)
	parts := strings.Split(s.login(), ".")
	for name, token := range map[string]string{
		"an ID token":       id,
		"another's":         newService(t, identity.Options{}).login(),
		"a cut signature":   parts[0] + "." + parts[1] + ".",
		"no algorithm":      "eyJhbGciOiJub25lIn0." + parts[1] + ".",
		"another's claims":  parts[0] + "." + strings.Split(id, ".")[1] + "." + parts[2],
		"an opaque token":   "opaque",
		"a part of a token": parts[0] + "." + parts[1],
		"no token at all":   "",
		"empty parts":       "e30.e30.e30",
	} {
		next := newService(t, identity.Options{KeyFile: file})
		next.wantAPI(token, 401, name)
	}
}

func TestKeyFileIsRefused(t *testing.T) {
	elliptic256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := pemOf(t, testkit.SigningKey())
	for name, c := range map[string]struct {
		text string
		mode os.FileMode
		want string
	}{
		"readable by the group":  {good, 0o640, "open to other users"},
		"readable by all":        {good, 0o604, "open to other users"},
		"writable by others":     {good, 0o602, "open to other users"},
		"empty":                  {"", 0o600, "one PEM block"},
		"no PEM":                 {"the-secret-text", 0o600, "one PEM block"},
		"another block":          {strings.ReplaceAll(good, "PRIVATE", "RSA PRIVATE"), 0o600, "one PEM block"},
		"two blocks":             {good + good, 0o600, "one PEM block"},
		"a broken key":           {string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("the-secret-text")})), 0o600, "can be read"},
		"no RSA key":             {pemOf(t, elliptic256), 0o600, "no RSA key"},
		"larger than any key is": {strings.Repeat("x", 65<<10), 0o600, "no file that holds a key"},
		"as it should be":        {good, 0o600, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if runtime.GOOS == "windows" && c.mode != 0o600 {
				t.Skip("Windows has no such modes")
			}
			file := filepath.Join(t.TempDir(), "key.pem")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(file, c.mode); err != nil {
				t.Fatal(err)
			}
			_, err := identity.New(identity.Options{KeyFile: file})
			switch {
			case c.want == "" && err != nil, c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("got %v, want %q", err, c.want)
			case err != nil && (strings.Contains(err.Error(), "the-secret") || !strings.Contains(err.Error(), file)):
				t.Errorf("the error is %v", err)
			}
			if text, err := os.ReadFile(file); err != nil || string(text) != c.text {
				t.Errorf("the file was changed: %v", err)
			}
		})
	}
	dir := t.TempDir()
	for name, o := range map[string]identity.Options{
		"a directory":    {KeyFile: dir},
		"in no place":    {KeyFile: filepath.Join(dir, "nowhere", "key.pem")},
		"beside another": {KeyFile: filepath.Join(dir, "key.pem"), Key: testkit.SigningKey()},
	} {
		if _, err := identity.New(o); err == nil {
			t.Errorf("a key file %s is no error", name)
		}
	}
}

// A key that is too short for RS256 is refused, wherever it comes from.
func TestKeyFileIsTooShort(t *testing.T) {
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(file, []byte(pemOf(t, short)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := identity.New(identity.Options{KeyFile: file}); err == nil || !strings.Contains(err.Error(), "1024 bits") {
		t.Errorf("got %v", err)
	}
}

// Servers that start at one moment make one key.
func TestKeyFileIsMadeOnce(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	keys := make(chan string, 4)
	var starting sync.WaitGroup
	for range cap(keys) {
		starting.Go(func() {
			s, err := identity.New(identity.Options{KeyFile: file})
			if err != nil {
				t.Error(err)
				return
			}
			keys <- service{s, &http.Client{Transport: s.RoundTripper()}, t}.get(mainRealm+"/protocol/openid-connect/certs", "").body
		})
	}
	starting.Wait()
	close(keys)
	first := <-keys
	for key := range keys {
		if key != first {
			t.Errorf("two keys: %s and %s", first, key)
		}
	}
}
