package apiproxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/shsession/shsession/internal/apiproxy"
)

// Requests for the token endpoint, and no others, get the handler's answer if there is one.
func TestTokenHandler(t *testing.T) {
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusAccepted)
		io.WriteString(w, r.Method+" "+string(body)+" "+r.Header.Get("Authorization"))
	})
	for path, isToken := range map[string]bool{
		"/oauth/token": true,
		"/auth/realms/main/protocol/openid-connect/token": true,
		"/auth/realms/CDSE/protocol/openid-connect/token": true,
		"/realms/main/protocol/openid-connect/token":      true,
		"/oauth/token?x=1": true,
		"/oauth/tokeninfo": false,
		"/oauth/token/":    false,
		"/x/oauth/token":   false,
		"/auth/realms/a/b/protocol/openid-connect/token":  false,
		"/auth/realms//protocol/openid-connect/token":     false,
		"/auth/realms/main/protocol/openid-connect/certs": false,
		"/realms/main/protocol/openid-connect/token/x":    false,
		"/protocol/openid-connect/token":                  false,
		"/realms/protocol/openid-connect/token":           false,
	} {
		up := &seen{}
		r := newRig(t, up, apiproxy.Options{TokenHandler: handler})
		resp, body := r.do(t, r.request(t, "POST", path, strings.NewReader("form"), "Authorization: Basic abc"))
		if answered := resp.StatusCode == http.StatusAccepted && body == "POST form Basic abc"; answered != isToken {
			t.Errorf("%s: answered by the handler: %t", path, answered)
		}
		if forwarded := up.count() == 1; forwarded == isToken {
			t.Errorf("%s: forwarded: %t", path, forwarded)
		}
		if code := r.lastCode(t, 1); code != resp.StatusCode {
			t.Errorf("%s: counted under %d", path, code)
		}
	}
}

// Whom the proxy doesn't serve, the handler doesn't either.
func TestTokenHandlerIsGuarded(t *testing.T) {
	handler := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the handler was asked") })
	r := newRig(t, &seen{}, apiproxy.Options{TokenHandler: handler})
	for want, header := range map[int]string{403: "Origin: http://evil.example", 421: "Host: evil.example"} {
		resp, _ := r.do(t, r.request(t, "POST", "/oauth/token", nil, header))
		wantStatus(t, resp, want)
	}
}

// Without a handler the service answers.
func TestNoTokenHandler(t *testing.T) {
	up := &seen{}
	r := newRig(t, up, apiproxy.Options{})
	r.do(t, r.request(t, "POST", "/oauth/token", nil))
	if up.count() != 1 {
		t.Errorf("%d requests reached the upstream, want 1", up.count())
	}
}
