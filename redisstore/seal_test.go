package redisstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

func seal(t testing.TB, key shsession.Secret, name, token string) []byte {
	t.Helper()
	data, err := redisstore.Seal(key, name, []byte(token))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestSeal(t *testing.T) {
	t.Parallel()
	other := shsession.NewSecret(strings.Repeat("another key ", 3))
	const token = `{"access_token": "secret", "expires_at": 99999999999}`
	sealed := seal(t, key(), "name", token)
	if bytes.Contains(sealed, []byte("secret")) || bytes.Contains(sealed, []byte("name")) {
		t.Errorf("something of the token shows in %q", sealed)
	}
	if bytes.Equal(sealed, seal(t, key(), "name", token)) {
		t.Error("the same token encrypts to the same twice")
	}
	for _, test := range []struct {
		what string
		key  shsession.Secret
		name string
		data []byte
		want error // nil for any, if not opened
		open bool
	}{
		{"as it was", key(), "name", sealed, nil, true},
		{"neither key nor encryption", shsession.Secret{}, "name", []byte(token), nil, true},
		{"another key", other, "name", sealed, redisstore.ErrWrongKey, false},
		{"no key", shsession.Secret{}, "name", sealed, redisstore.ErrWrongKey, false},
		{"no encryption", key(), "name", []byte(token), redisstore.ErrWrongKey, false},
		{"empty", key(), "name", nil, shsession.ErrNotShared, false},
		{"no token", key(), "name", []byte("{}"), shsession.ErrNotShared, false},
		{"another name", key(), "other", sealed, nil, false},
		{"cut short", key(), "name", sealed[:len(sealed)-1], nil, false},
		{"header alone", key(), "name", sealed[:12], nil, false},
		{"magic alone", key(), "name", sealed[:4], shsession.ErrNotShared, false},
		{"added to", key(), "name", append(bytes.Clone(sealed), 0), nil, false},
	} {
		got, err := redisstore.Unseal(test.key, test.name, test.data)
		switch {
		case test.open && (err != nil || string(got) != token):
			t.Errorf("%s: %q, %v", test.what, got, err)
		case !test.open && err == nil:
			t.Errorf("%s: opened", test.what)
		case test.want != nil && !errors.Is(err, test.want):
			t.Errorf("%s: %v, want %v", test.what, err, test.want)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		if _, err := redisstore.Unseal(key(), "name", changed); err == nil {
			t.Errorf("opened with a change at byte %d", i)
		}
	}
}

func FuzzUnseal(f *testing.F) {
	f.Add([]byte(nil), "name")
	f.Add([]byte("SHS1"), "name")
	f.Add([]byte("SHS1aaaaaaaabbbbbbbbbbbbccccccccccccccccdddd"), "name")
	f.Add(seal(f, key(), "other", "{}"), "other")
	f.Fuzz(func(t *testing.T, data []byte, name string) {
		if got, err := redisstore.Unseal(shsession.Secret{}, name, data); err == nil && !bytes.Equal(got, data) {
			t.Error("without a key, something else came out")
		}
		if got, err := redisstore.Unseal(key(), name, data); err == nil && string(got) != "{}" {
			t.Errorf("a forgery was opened: %q", got)
		}
		sealed := seal(t, key(), name, string(data))
		if got, err := redisstore.Unseal(key(), name, sealed); err != nil || !bytes.Equal(got, data) {
			t.Errorf("the way back brings %q, %v", got, err)
		}
	})
}

func TestKeys(t *testing.T) {
	t.Parallel()
	if _, err := redisstore.New(nil, "name", redisstore.Options{Key: shsession.NewSecret("too short")}); err == nil {
		t.Error("a short key is accepted")
	} else if strings.Contains(err.Error(), "too short") {
		t.Error("the error shows the key")
	}
	if _, err := redisstore.Open("redis://host", redisstore.Options{Key: shsession.NewSecret("client-secret")}); !errors.Is(err, redisstore.ErrClientKeyWord) {
		t.Errorf("the command's word for a key: %v", err)
	}
	secret := shsession.NewSecret("s3cret") // the service makes them, as short as it may
	k, err := redisstore.ClientKey("client", secret)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := redisstore.ClientKey("client", secret)
	other, _ := redisstore.ClientKey("other", secret)
	if k.Reveal() != again.Reveal() || k.Reveal() == other.Reveal() || strings.Contains(k.Reveal(), "s3cret") {
		t.Error("the key isn't one for this client and secret")
	}
	if _, err := redisstore.New(nil, "name", redisstore.Options{Key: k}); err != nil {
		t.Error(err)
	}
	if _, err := redisstore.ClientKey("client", shsession.Secret{}); !errors.Is(err, shsession.ErrNoCredentials) {
		t.Errorf("a key of no secret: %v, want ErrNoCredentials", err)
	}
	opts := redisstore.Options{Key: key(), Password: shsession.NewSecret("hunter2"), SentinelPassword: shsession.NewSecret("hunter3")}
	text := fmt.Sprintf("%v %+v %#v", opts, opts, opts)
	if strings.Contains(text, "hunter") || strings.Contains(text, key().Reveal()) {
		t.Errorf("Options print as %s", text)
	}
}

// TestWrongKey has members with different keys meet in one store: an error, and no login.
func TestWrongKey(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	publish(t, s.open(t, "name", redisstore.Options{Key: key()}), newToken(t, "token", time.Hour))
	for what, k := range map[string]shsession.Secret{
		"another key": shsession.NewSecret(strings.Repeat("another key ", 3)),
		"no key":      {},
	} {
		store := s.open(t, "name", redisstore.Options{Key: k})
		if _, err := store.Load(t.Context()); !errors.Is(err, redisstore.ErrWrongKey) {
			t.Errorf("%s: Load: %v, want ErrWrongKey", what, err)
		}
		if _, err := shsession.Follow(store).Token(t.Context()); !errors.Is(err, redisstore.ErrWrongKey) {
			t.Errorf("%s: a follower's error is %v, want ErrWrongKey", what, err)
		}
	}
}
