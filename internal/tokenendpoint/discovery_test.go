package tokenendpoint_test

import (
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// get is a request for one of the endpoint's documents.
func get(path, host string) *http.Request {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.Host = host
	return req
}

// The issuer is the address that the client asked, whichever of the endpoint's that is.
func TestDiscovery(t *testing.T) {
	r := newRig(t, time.Hour)
	for _, host := range []string{"127.0.0.1:8080", "localhost:8080", "localhost", "[::1]:8080", "127.0.0.2"} {
		for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"} {
			a := r.send(t, get(path, host))
			if a.status != http.StatusOK || a.text("issuer") != "http://"+host ||
				a.text("token_endpoint") != "http://"+host+"/token" || a.text("jwks_uri") != "http://"+host+"/certs" {
				t.Errorf("%s at %s: answered %d %v", path, host, a.status, a.body)
			}
		}
	}
	if a := r.send(t, httptest.NewRequest(http.MethodPost, "http://localhost/.well-known/openid-configuration", nil)); a.status != http.StatusMethodNotAllowed {
		t.Errorf("POST: answered %d", a.status)
	}
	if n := r.service.Counters().TokenRequests + r.gets.Load(); n != 0 {
		t.Errorf("%d requests to the service", n)
	}
}

// The keys are the service's. They are fetched once in five minutes, however many ask.
func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		if a := r.send(t, get("/certs", host)); a.status != http.StatusServiceUnavailable {
			t.Errorf("before there is a token it answered %d", a.status)
		}
		r.login(t)
		rec := httptest.NewRecorder()
		r.service.ServeHTTP(rec, get("/auth/realms/main/protocol/openid-connect/certs", "identity.test"))
		want := decode(t, rec.Body.Bytes())
		var clients sync.WaitGroup
		for range 50 {
			clients.Go(func() {
				a := r.send(t, get("/certs", host))
				if diff := cmp.Diff(want, a.body); a.status != http.StatusOK || diff != "" {
					t.Errorf("answered %d; keys (-want +got):\n%s", a.status, diff)
				}
			})
		}
		clients.Wait()
		time.Sleep(5*time.Minute - time.Second)
		r.send(t, get("/certs", host))
		if n := r.gets.Load(); n != 2 {
			t.Errorf("%d requests to the service, want one for discovery and one for the keys", n)
		}
		time.Sleep(time.Second)
		r.send(t, get("/certs", host))
		if n := r.gets.Load(); n != 4 {
			t.Errorf("%d requests to the service after five minutes", n)
		}
	})
}

// A failure to fetch the keys stands for ten seconds. None of them reaches beyond the service.
func TestKeysMissing(t *testing.T) {
	for name, answers := range map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotFound) },
		"no JSON":  func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<html>")) },
		"plain http": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"jwks_uri": "http://identity.test/certs"}`))
		},
		"a file": func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(`{"jwks_uri": "file:///etc/passwd"}`)) },
		"a redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere.test/", http.StatusFound)
		},
		"no keys": func(w http.ResponseWriter, _ *http.Request) {
			w.Write([]byte(`{"jwks_uri": "https://identity.test/.well-known/openid-configuration"}`))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, time.Hour)
			r.login(t)
			var asked int
			e := r.endpointWith(t, func(req *http.Request) (*http.Response, error) {
				asked++
				if req.URL.Host != "identity.test" || req.URL.Scheme != "https" {
					t.Errorf("%s: asked %s", name, req.URL)
				}
				rec := httptest.NewRecorder()
				answers(rec, req)
				resp := rec.Result()
				resp.Request = req
				return resp, nil
			})
			for range 2 {
				if a := send(t, e, get("/certs", host)); a.status != http.StatusServiceUnavailable || a.text("error_description") == "" {
					t.Errorf("%s: answered %d %v", name, a.status, a.body)
				}
			}
			before := asked
			time.Sleep(10 * time.Second)
			send(t, e, get("/certs", host))
			if before == 0 || asked != 2*before {
				t.Errorf("%s: asked %d times at first and %d in all", name, before, asked)
			}
		})
	}
}
