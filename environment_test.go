package shsession_test

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shsession/shsession"
)

// loginEnv makes a process of this test log in at a URL, since net/http reads the
// environment once in a process's life.
const loginEnv = "SHSESSION_TEST_LOGIN_URL"

// login is the main function of such a process: it logs in, and then makes a request.
func login(url string) int {
	cfg := configFor(nil)
	cfg.TokenURL, cfg.HTTPClient, cfg.MaxAttempts = url, nil, 1
	s, err := shsession.New(cfg)
	if err == nil {
		_, err = s.Token(context.Background())
	}
	fmt.Println("login:", err)
	if err == nil {
		_, err = s.Client().Get(strings.TrimSuffix(url, "/oauth/token") + "/api/v1/process")
		fmt.Println("request:", err)
	}
	return 0
}

// loginWith logs in with environment variables and returns the outcome's text.
func loginWith(t *testing.T, url string, variables ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{"HOME=" + t.TempDir(), loginEnv + "=" + url}
	cmd.Env = append(cmd.Env, variables...)
	output, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return string(output)
}

func TestProxyFromTheEnvironment(t *testing.T) {
	var mu sync.Mutex // guards asked
	var asked string
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	loginWith(t, tokenURL, "HTTPS_PROXY="+proxy.URL)
	mu.Lock()
	defer mu.Unlock()
	if asked != "CONNECT identity.example:443" {
		t.Errorf("the proxy was asked for %q", asked)
	}
}

func TestCAFileFromTheEnvironment(t *testing.T) {
	service, _ := newService(t, time.Hour)
	server := httptest.NewUnstartedServer(service)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	url := server.URL + "/oauth/token"
	ca := filepath.Join(t.TempDir(), "ca.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	if err := os.WriteFile(ca, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := loginWith(t, url); strings.Contains(got, "<nil>") {
		t.Error("an unknown authority was trusted")
	}
	for _, variable := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		if got := loginWith(t, url, variable+"="+ca); strings.Count(got, "<nil>") != 2 {
			t.Errorf("%s: %s", variable, got)
		}
		if got := loginWith(t, url, variable+"=/nonexistent"); !strings.Contains(got, variable) {
			t.Errorf("%s names no file, and the error doesn't say so: %s", variable, got)
		}
	}
}

// One kilobyte too many is refused whole.
func TestLongAnswer(t *testing.T) {
	padding := strings.Repeat("x", shsession.MaxTokenSize)
	cfg := configFor(answer(http.StatusOK, "application/json", `{"access_token":"a","expires_in":60,"padding":"`+padding+`"}`))
	cfg.MaxAttempts = 1
	if _, err := newSession(t, cfg).Token(t.Context()); err == nil {
		t.Error("an answer of more than a MiB was taken")
	}
}
