package storetest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

// patience bounds the wait for something that happens in the background.
const patience = 30 * time.Second

// tolerance is how much a time may be off that a store has kept as what remains of it.
const tolerance = 10 * time.Second

// newToken returns a token that is valid for an hour.
func newToken(t *testing.T, access string) shsession.Token {
	t.Helper()
	return parse(t, fmt.Sprintf(`{"access_token": %q, "expires_in": 3600, "expires_at": %s}`, access, in(time.Hour)))
}

// in returns an expires_at.
func in(d time.Duration) string {
	return fmt.Sprintf("%.3f", float64(time.Now().Add(d).UnixMilli())/1000)
}

func parse(t *testing.T, object string) shsession.Token {
	t.Helper()
	token, err := shsession.ParseToken([]byte(object))
	if err != nil {
		t.Fatalf("storetest's own token: %v", err)
	}
	return token
}

// sized returns a token whose encoding is size bytes long.
func sized(t *testing.T, size int, expiresAt string) shsession.Token {
	t.Helper()
	object := fmt.Sprintf(`{"expires_at": %s, "access_token": "a"}`, expiresAt)
	return parse(t, strings.Replace(object, `"a"`, `"`+strings.Repeat("a", size-len(object)+1)+`"`, 1))
}

func publish(t *testing.T, s shsession.Sink, token shsession.Token) {
	t.Helper()
	if err := s.Publish(t.Context(), token); err != nil {
		t.Fatalf("Publish: %v", err)
	}
}

func withdraw(t *testing.T, s shsession.Sink) {
	t.Helper()
	if err := s.Withdraw(t.Context()); err != nil {
		t.Fatalf("Withdraw: %v", err)
	}
}

// wantToken fails unless the store holds want, in every field.
func wantToken(t *testing.T, s shsession.Store, want shsession.Token) {
	t.Helper()
	got, err := s.Load(t.Context())
	if err != nil {
		t.Fatalf("Load: %v", err)
	}
	if !got.Equal(want) {
		t.Fatal("Load returned another token than was published")
	}
	// A store may keep the time that remains, which Publish takes some of.
	if d := got.ExpiresAt().Sub(want.ExpiresAt()).Abs(); d > tolerance {
		t.Errorf("the expiry changed by %v", d)
	}
	gotFields, wantFields := fields(t, got), fields(t, want)
	for name, value := range wantFields {
		if gotFields[name] != value {
			t.Errorf("%s is %s, not %s", name, gotFields[name], value)
		}
	}
	if len(gotFields) != len(wantFields) {
		t.Errorf("there are %d fields, not %d", len(gotFields), len(wantFields))
	}
}

// fields returns the fields as they are written, but for the space between, and but for
// the expiry.
func fields(t *testing.T, token shsession.Token) map[string]string {
	t.Helper()
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(token.Encode(), &raw); err != nil {
		t.Fatalf("the token is no JSON object: %v", err)
	}
	delete(raw, "expires_at")
	written := map[string]string{}
	for name, value := range raw {
		var compact bytes.Buffer
		if err := json.Compact(&compact, value); err != nil {
			t.Fatalf("%s is no JSON: %v", name, err)
		}
		written[name] = compact.String()
	}
	return written
}

func wantNothing(t *testing.T, s shsession.Store) {
	t.Helper()
	if _, err := s.Load(t.Context()); !errors.Is(err, shsession.ErrNotShared) {
		t.Fatalf("Load of nothing: %v, want ErrNotShared", err)
	}
}

// eventually fails unless ok becomes true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatal("it never happened that " + what)
		}
		<-ticker.C
	}
}
