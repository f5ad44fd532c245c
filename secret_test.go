package shsession_test

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

// holder keeps secrets where methods aren't called: in unexported fields.
type holder struct {
	token  shsession.Token
	secret shsession.Secret
	config shsession.Config
	Open   any
	List   []any
	Map    map[string]any
}

// secretHolders returns every exported type that holds a secret, plain and nested, and
// the texts that mustn't show.
func secretHolders(t *testing.T) (values []any, secrets []string) {
	_, cfg := newService(t, time.Hour)
	s := newSession(t, cfg)
	token := mustToken(t, s)
	joined := shsession.FromToken(token)
	plain := []any{
		token, &token, cfg, &cfg, cfg.ClientSecret, &cfg.ClientSecret, s, joined, s.Status(),
		s.TokenSource(), s.Transport(nil), s.Client(),
	}
	for _, v := range plain {
		h := holder{token, cfg.ClientSecret, cfg, v, []any{v}, map[string]any{"k": v}}
		values = append(values, v, h, &h, []any{v}, map[string]any{"k": v}, struct{ V any }{v})
	}
	return values, []string{secret, token.AccessToken(), strings.Split(token.AccessToken(), ".")[2]}
}

func TestSecretsDontShow(t *testing.T) {
	values, secrets := secretHolders(t)
	scan := func(how, output string) {
		t.Helper()
		for _, s := range secrets {
			if strings.Contains(output, s) {
				t.Errorf("%s shows a secret", how)
			}
		}
	}
	for _, v := range values {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%p", "%10.3v", "%t"} {
			scan(fmt.Sprintf("%s of a %T", verb, v), fmt.Sprintf(verb, v))
		}
		scan(fmt.Sprintf("Sprint of a %T", v), fmt.Sprint(v)+fmt.Sprintln(v)+fmt.Errorf("error: %v", v).Error())
		if text, err := json.Marshal(v); err == nil {
			scan(fmt.Sprintf("JSON of a %T", v), string(text))
		}
		if text, err := xml.Marshal(v); err == nil {
			scan(fmt.Sprintf("XML of a %T", v), string(text))
		}
		var buf bytes.Buffer
		if gob.NewEncoder(&buf).Encode(v) == nil {
			scan(fmt.Sprintf("gob of a %T", v), buf.String())
		}
		buf.Reset()
		for _, handler := range []slog.Handler{slog.NewTextHandler(&buf, nil), slog.NewJSONHandler(&buf, nil)} {
			logger := slog.New(handler)
			logger.Info("message", "value", v, slog.Group("group", "nested", v))
			logger.With("with", v).WithGroup("g").Info("message", "values", []any{v})
		}
		scan(fmt.Sprintf("slog of a %T", v), buf.String())
	}
}

// A panic with a secret in hand shows none. The child of this test panics.
func TestSecretsDontShowInPanics(t *testing.T) {
	if which := os.Getenv("SHSESSION_TEST_PANIC"); which != "" {
		token, err := shsession.ParseToken([]byte(`{"access_token":"the-access-token-zzz","expires_at":4e9}`))
		if err != nil {
			t.Fatal(err)
		}
		cfg := shsession.SentinelHub(clientID, shsession.NewSecret(secret))
		panic(map[string]any{
			"token": token, "secret": cfg.ClientSecret, "config": cfg, "session": shsession.FromToken(token),
			"error": fmt.Errorf("with %v and %v", token, cfg),
		}[which])
	}
	for _, which := range []string{"token", "secret", "config", "session", "error"} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestSecretsDontShowInPanics$")
		cmd.Env = append(os.Environ(), "SHSESSION_TEST_PANIC="+which)
		output, err := cmd.CombinedOutput()
		if err == nil || !bytes.Contains(output, []byte("panic")) {
			t.Fatalf("%s: no panic: %s", which, output)
		}
		if bytes.Contains(output, []byte("zzz")) {
			t.Errorf("a panic with a %s shows its secret", which)
		}
	}
}

// An endpoint that sends the secret back doesn't get it into an error or a log.
func TestSecretsDontShowInErrors(t *testing.T) {
	var logged bytes.Buffer
	for _, body := range []string{
		`{"error":"invalid_client","error_description":"no client with ` + secret + `"}`,
		`{"error":"` + secret + `"}`,
		`<html>` + secret,
		`{"access_token":"` + secret + ` "}`,
		`{"access_token":"` + secret + `","expires_in":"` + secret + `"}`,
	} {
		for _, status := range []int{200, 400, 401, 503} {
			cfg := configFor(answer(status, "application/json", body))
			cfg.MaxAttempts = 1
			cfg.Logger = slog.New(slog.NewTextHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
			s := newSession(t, cfg)
			_, err := s.Token(t.Context())
			if err == nil {
				t.Fatalf("%d: a token out of %d bytes", status, len(body))
			}
			if strings.Contains(fmt.Sprintf("%v %+v %#v", err, err, err), secret) {
				t.Errorf("%d: the error shows the secret: %v", status, err)
			}
			if strings.Contains(fmt.Sprintf("%+v", s.Status()), secret) {
				t.Errorf("%d: the status shows the secret", status)
			}
		}
	}
	if strings.Contains(logged.String(), secret) {
		t.Error("the log shows the secret")
	}
}

// An endpoint that doesn't speak HTTP is quoted by net/http.
func TestSecretsDontShowInQuotes(t *testing.T) {
	const secret = "zzz &% zzz"
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		fmt.Fprintf(conn, "%s\r\n\r\n", body)
		conn.Close()
	}))
	t.Cleanup(service.Close)
	cfg := configFor(service.Client().Transport)
	cfg.TokenURL, cfg.ClientSecret, cfg.MaxAttempts = service.URL, shsession.NewSecret(secret), 1
	_, err := newSession(t, cfg).Token(t.Context())
	var endpoint *shsession.EndpointError
	if !errors.As(err, &endpoint) {
		t.Fatalf("%v, want an EndpointError", err)
	}
	if strings.Contains(err.Error(), "zzz") {
		t.Errorf("the error shows the secret: %v", err)
	}
}

func TestSecretReveals(t *testing.T) {
	if got := shsession.NewSecret(secret).Reveal(); got != secret {
		t.Error("Reveal returns another text")
	}
	if s := shsession.NewSecret(""); !s.IsZero() || s.Reveal() != "" || s.String() != "" {
		t.Error("an empty secret isn't zero")
	}
}
