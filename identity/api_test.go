package identity_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession/identity"
)

const (
	processPath = "/api/v1/process"
	catalogPath = "/api/v1/catalog/1.0.0/search"
)

func TestAPIAcceptsToken(t *testing.T) {
	s := newService(t, identity.Options{})
	token := s.login()
	for _, path := range []string{processPath, catalogPath, "/ogc/wms/x", "/catalog/v1/search"} {
		answer := s.get(path, token).decode(t)
		if answer["client_id"] != identity.DevelopmentID || answer["path"] != path {
			t.Errorf("%s: %v", path, answer)
		}
	}
}

func TestAPIRefusals(t *testing.T) {
	const message = "You are not authorized! Please provide a valid access token within the header " +
		"[Authorization: Bearer <accessToken>] of your request."
	s := newService(t, identity.Options{Files: fstest.MapFS{"a": {Data: []byte("a")}}})
	other := newService(t, identity.Options{})
	process := `{"status":401,"reason":"Unauthorized","message":"` + message + `","code":"COMMON_UNAUTHORIZED"}`
	catalog := `{"code":401,"description":"` + message + `"}`
	for _, tt := range []struct{ name, path, token, body string }{
		{"no token", processPath, "", process},
		{"garbage", processPath, "garbage", process},
		{"of another server, same key", processPath, other.login(), process},
		{"catalog", catalogPath, "", catalog},
		{"new catalog", "/catalog/v1/search", "", catalog},
		{"files", "/files/a", "", process},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if r := s.get(tt.path, tt.token); r.status != 401 || r.body != tt.body {
				t.Errorf("got  %d %s\nwant 401 %s", r.status, r.body, tt.body)
			}
		})
	}
	if c := s.Counters(); c.APIUnauthorized != 6 || c.APIAuthorized != 0 || c.APIRequests != 6 {
		t.Errorf("counters %+v", c)
	}
}

func TestTokenInURLIsNotLookedFor(t *testing.T) {
	s := newService(t, identity.Options{})
	token := s.login()
	for _, path := range []string{processPath, "/oauth/tokeninfo"} {
		if r := s.get(path+"?access_token="+token, ""); r.status != 401 {
			t.Errorf("%s: %d", path, r.status)
		}
	}
}

func TestTokenInfo(t *testing.T) {
	s := newService(t, identity.Options{Claims: map[string]any{"account": "Škofja Loka"}})
	token := s.login()
	for name, r := range map[string]reply{
		"header": s.get("/oauth/tokeninfo", token),
		"form":   s.post("/oauth/tokeninfo", map[string][]string{"access_token": {token}}),
	} {
		if claims := r.decode(t); claims["azp"] != identity.DevelopmentID || claims["account"] != "Škofja Loka" {
			t.Errorf("%s: %v", name, claims)
		}
	}
	s.Revoke(token)
	if r := s.get("/oauth/tokeninfo", token); r.status != 401 {
		t.Errorf("revoked token: %d", r.status)
	}
}

func TestLifetime(t *testing.T) {
	for _, tt := range []struct {
		life    time.Duration
		seconds float64
	}{{300 * time.Millisecond, 1}, {2500 * time.Millisecond, 2}, {time.Minute, 60}, {time.Hour, 3600}} {
		t.Run(tt.life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newService(t, identity.Options{})
				s.SetLifetime(tt.life)
				answer := s.post(tokenPath, credentials()).decode(t)
				if answer["expires_in"] != tt.seconds {
					t.Errorf("expires_in %v, want %v", answer["expires_in"], tt.seconds)
				}
				token := answer["access_token"].(string)
				time.Sleep(tt.life - time.Nanosecond)
				if r := s.get(processPath, token); r.status != 200 {
					t.Errorf("just before the end: %d", r.status)
				}
				time.Sleep(time.Nanosecond)
				if r := s.get(processPath, token); r.status != 401 {
					t.Errorf("at the end: %d", r.status)
				}
			})
		})
	}
}

func TestLifetimeZeroIsDefault(t *testing.T) {
	s := newService(t, identity.Options{Lifetime: time.Minute})
	s.SetLifetime(0)
	if got := s.post(tokenPath, credentials()).decode(t)["expires_in"]; got != 3600.0 {
		t.Errorf("expires_in %v", got)
	}
}

func TestSkewMovesClockNotLife(t *testing.T) {
	for _, skew := range []time.Duration{10 * time.Minute, -10 * time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			s := newService(t, identity.Options{Skew: skew, Lifetime: time.Minute})
			r := s.post(tokenPath, credentials())
			token := r.decode(t)["access_token"].(string)
			std, _ := verify(t, s, mainRealm, token)
			want := time.Now().Add(skew)
			if got := std.IssuedAt.Time(); !got.Equal(want) {
				t.Errorf("iat %v, want %v", got, want)
			}
			if got := r.header.Get("Date"); got != want.UTC().Format(http.TimeFormat) {
				t.Errorf("Date %s, want %v", got, want)
			}
			time.Sleep(59 * time.Second)
			if r := s.get(processPath, token); r.status != 200 {
				t.Errorf("in its life: %d", r.status)
			}
			time.Sleep(time.Second)
			if r := s.get(processPath, token); r.status != 401 {
				t.Errorf("after its life: %d", r.status)
			}
		})
	}
}

func TestRevoke(t *testing.T) {
	s := newService(t, identity.Options{})
	one, two, three := s.login(), s.login(), s.login()
	alive := func(token string) bool { return s.get(processPath, token).status == 200 }

	if !s.Revoke(one) || s.Revoke(one) || s.Revoke("unknown") {
		t.Error("Revoke reports wrongly which tokens were alive")
	}
	form := credentials()
	form.Set("token", two)
	if r := s.post(mainRealm+"/protocol/openid-connect/revoke", form); r.status != 200 || r.body != "" {
		t.Errorf("revoke over HTTP: %d %s", r.status, r.body)
	}
	if alive(one) || alive(two) || !alive(three) {
		t.Errorf("alive: %t %t %t, want only the third", alive(one), alive(two), alive(three))
	}
	s.RevokeAll()
	if alive(three) {
		t.Error("RevokeAll left a token")
	}
	if !alive(s.login()) {
		t.Error("no login after RevokeAll")
	}
}

func TestRevokeNeedsCredentials(t *testing.T) {
	s := newService(t, identity.Options{})
	token := s.login()
	form := with("client_secret", "wrong")
	form.Set("token", token)
	if r := s.post(mainRealm+"/protocol/openid-connect/revoke", form); r.status != 401 {
		t.Errorf("%d %s", r.status, r.body)
	}
	if r := s.get(processPath, token); r.status != 200 {
		t.Error("revoked by a stranger")
	}
}

// A long run must not gather ended tokens, nor lose live ones when it sweeps.
func TestManyTokens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, identity.Options{Lifetime: 100 * time.Second})
		var tokens []string
		for range 1100 {
			tokens = append(tokens, s.login())
			time.Sleep(time.Second)
		}
		for i, token := range tokens {
			want := 401
			if i > 1000 {
				want = 200
			}
			if r := s.get(processPath, token); r.status != want {
				t.Fatalf("token %d: %d, want %d", i, r.status, want)
			}
		}
	})
}

func TestFiles(t *testing.T) {
	content := bytes.Repeat([]byte("0123456789"), 1000)
	s := newService(t, identity.Options{Files: fstest.MapFS{"scene/b04.tif": {Data: content}}})
	token := s.login()
	send := func(method, byteRange string) reply {
		req := s.request(method, "/files/scene/b04.tif", "")
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Range", byteRange)
		return s.do(req)
	}
	if r := send(http.MethodGet, ""); r.status != 200 || r.body != string(content) || r.header.Get("Accept-Ranges") != "bytes" {
		t.Errorf("whole: %d, %d bytes, %v", r.status, len(r.body), r.header)
	}
	if r := send(http.MethodGet, "bytes=5-14"); r.status != 206 || r.body != "5678901234" ||
		r.header.Get("Content-Range") != "bytes 5-14/10000" {
		t.Errorf("range: %d %q %v", r.status, r.body, r.header)
	}
	if r := send(http.MethodGet, "bytes=20000-"); r.status != 416 {
		t.Errorf("beyond the end: %d", r.status)
	}
	if r := send(http.MethodHead, ""); r.status != 200 || r.body != "" || r.header.Get("Content-Length") != "10000" {
		t.Errorf("HEAD: %d %v", r.status, r.header)
	}
	if r := s.get("/files/none.tif", token); r.status != 404 {
		t.Errorf("missing: %d", r.status)
	}
}

func TestNoFilesByDefault(t *testing.T) {
	s := newService(t, identity.Options{})
	if r := s.get("/files/", s.login()); r.status != 404 {
		t.Errorf("%d", r.status)
	}
}

func TestIndexSaysWhatThisIs(t *testing.T) {
	s := newService(t, identity.Options{})
	first, _, _ := strings.Cut(s.get("/", "").body, "\n")
	if !strings.Contains(first, "development and testing only") {
		t.Errorf("first line %q", first)
	}
}
