package shsession_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
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
	var endpoint *shsession.EndpointError
	fmt.Println("login:", err, "permanent:", errors.As(err, &endpoint) && endpoint.Permanent)
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

func TestAllProxyFromTheEnvironment(t *testing.T) {
	asked := make(chan string, 1)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Method + " " + r.Host
		w.WriteHeader(http.StatusForbidden)
	}))
	defer proxy.Close()
	loginWith(t, tokenURL, "ALL_PROXY="+proxy.URL)
	select {
	case got := <-asked:
		if got != "CONNECT identity.example:443" {
			t.Errorf("the proxy was asked for %q", got)
		}
	default:
		t.Error("the login went past the proxy")
	}
}

// A proxy that can't be parsed is an error at once that names the variable, and not its
// value: the login doesn't go past the proxy.
func TestProxyThatCannotBeParsed(t *testing.T) {
	t.Parallel()
	service, _ := newService(t, time.Hour)
	server := httptest.NewServer(service)
	defer server.Close()
	for variable, url := range map[string]string{
		"HTTP_PROXY": server.URL + "/oauth/token", "ALL_PROXY": server.URL + "/oauth/token", "HTTPS_PROXY": tokenURL,
	} {
		got := loginWith(t, url, variable+"=http://user:p%ss@proxy:3128")
		if !strings.Contains(got, variable) || strings.Contains(got, "p%ss") || !strings.Contains(got, "permanent: true") {
			t.Errorf("%s: %s", variable, got)
		}
	}
	if n := service.Counters().TokenRequests; n != 0 {
		t.Errorf("%d logins went past the proxy", n)
	}
}

func TestCAFileFromTheEnvironment(t *testing.T) {
	t.Parallel()
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
	directory := filepath.Dir(ca) // as requests takes it, with what isn't a certificate
	for _, err := range []error{
		os.WriteFile(filepath.Join(directory, "README"), []byte("certificates"), 0o600),
		os.Symlink("removed.pem", filepath.Join(directory, "0123abcd.0")),
		os.Mkdir(filepath.Join(directory, "old"), 0o700),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, variable := range []string{"SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"} {
		for _, path := range []string{ca, directory} {
			if got := loginWith(t, url, variable+"="+path); strings.Count(got, "<nil>") != 2 {
				t.Errorf("%s=%s: %s", variable, path, got)
			}
		}
		if got := loginWith(t, url, variable+"="+t.TempDir()); !strings.Contains(got, variable) {
			t.Errorf("%s names an empty directory, and the error doesn't say so: %s", variable, got)
		}
		if got := loginWith(t, url, variable+"=/nonexistent"); !strings.Contains(got, variable) {
			t.Errorf("%s names no file, and the error doesn't say so: %s", variable, got)
		}
	}
}

// A bundle of authorities that is replaced while a program runs is believed at its next login.
func TestCAFileIsReadAgain(t *testing.T) {
	service, cfg := newService(t, time.Hour)
	server := httptest.NewUnstartedServer(service)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	t.Setenv("SSL_CERT_FILE", "") // which Go itself reads, once
	t.Setenv("REQUESTS_CA_BUNDLE", ca)
	hold := func(der []byte) {
		t.Helper()
		if err := os.WriteFile(ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	hold(server.Certificate().Raw)
	cfg.TokenURL, cfg.BaseURL, cfg.HTTPClient, cfg.MaxAttempts = server.URL+"/oauth/token", "", nil, 1
	s := newSession(t, cfg)
	mustToken(t, s)
	hold(strangersCertificate(t))
	if _, err := s.Renew(t.Context()); err == nil || !strings.Contains(err.Error(), "unknown authority") {
		t.Errorf("Renew with another bundle: %v", err)
	}
}

// strangersCertificate returns a certificate that nothing is signed by.
func strangersCertificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
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
