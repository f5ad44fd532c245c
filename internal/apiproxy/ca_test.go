package apiproxy_test

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/shsession/shsession/internal/apiproxy"
)

// An upstream's certificate is checked with the CA file that the environment names.
func TestCAFromEnvironment(t *testing.T) {
	upstream := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer upstream.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	t.Setenv("SSL_CERT_FILE", "")
	t.Setenv("REQUESTS_CA_BUNDLE", file)
	o := apiproxy.Options{Upstream: upstream.URL}
	if _, err := apiproxy.New(newSession(t, newService(t), secret), o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("with no such file: %v", err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: upstream.Certificate().Raw})
	if err := os.WriteFile(file, block, 0o600); err != nil {
		t.Fatal(err)
	}
	r := &rig{}
	r.start(t, newSession(t, newService(t), secret), o)
	resp, _ := r.get(t, "/")
	wantStatus(t, resp, http.StatusOK)
}
