package shsession_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/testkit"
)

func TestSecretsDontShow(t *testing.T) {
	_, cfg := newService(t, time.Hour)
	announced := make(chan struct{}) // the last thing that a login does: then nothing writes what reflection reads
	cfg.OnToken = func(shsession.Token) { close(announced) }
	s := newSession(t, cfg)
	token := mustToken(t, s)
	<-announced
	testkit.ScanSecrets(t, map[string]any{
		"token": token, "pointer to a token": &token, "secret": cfg.ClientSecret, "pointer to a secret": &cfg.ClientSecret,
		"config": cfg, "pointer to a config": &cfg, "session": s, "session of a token": shsession.FromToken(token),
		"status": s.Status(), "token source": s.TokenSource(), "transport": s.Transport(nil), "client": s.Client(),
	}, secret, token.AccessToken(), strings.Split(token.AccessToken(), ".")[2])
}

func TestSecretsDontShowInPanics(t *testing.T) {
	t.Parallel()
	token, err := shsession.ParseToken([]byte(`{"access_token":"the-access-token-zzz","expires_at":4e9}`))
	if err != nil {
		t.Fatal(err)
	}
	cfg := shsession.SentinelHub(clientID, shsession.NewSecret(secret))
	testkit.ScanPanics(t, map[string]any{
		"token": token, "secret": cfg.ClientSecret, "config": cfg, "session": shsession.FromToken(token),
	}, "zzz")
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
