package tokenendpoint_test

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/tokenendpoint"
)

const badClient = "Invalid client or Invalid client credentials"

// refusals are requests that don't get the token, and Keycloak's answers to them.
var refusals = map[string]struct {
	edit   func(form url.Values)     // makes a good login bad
	header func(req *http.Request)   // makes its request bad
	body   func(io.Reader) io.Reader // takes the place of its body

	status            int
	code, description string
}{
	"a wrong placeholder":     {edit: set("client_secret", "wrong"), status: 401, code: "invalid_client", description: badClient},
	"no placeholder":          {edit: del("client_secret"), status: 401, code: "invalid_client", description: badClient},
	"another share's":         {edit: set("client_secret", tokenendpoint.NewSecret().Reveal()), status: 401, code: "invalid_client", description: badClient},
	"the real secret":         {edit: set("client_secret", realSecret), status: 401, code: "invalid_client", description: badClient},
	"an unknown client":       {edit: set("client_id", "unknown"), status: 401, code: "invalid_client", description: badClient},
	"no client":               {edit: del("client_id"), status: 401, code: "invalid_client", description: badClient},
	"nothing of a client":     {edit: del("client_id", "client_secret"), status: 401, code: "invalid_client", description: badClient},
	"a password with nothing": {edit: func(f url.Values) { del("client_secret")(f); set("grant_type", "password")(f) }, status: 401, code: "invalid_client", description: badClient},

	"the grant of passwords":           {edit: set("grant_type", "password"), status: 400, code: "unauthorized_client", description: "Client not allowed for direct access grants"},
	"the grant of refresh tokens":      {edit: set("grant_type", "refresh_token"), status: 400, code: "invalid_request", description: "No refresh token"},
	"a refresh token":                  {edit: func(f url.Values) { set("grant_type", "refresh_token")(f); set("refresh_token", "x")(f) }, status: 400, code: "invalid_grant", description: "Invalid refresh token"},
	"no grant":                         {edit: del("grant_type"), status: 400, code: "invalid_request", description: "Missing form parameter: grant_type"},
	"an empty grant":                   {edit: set("grant_type", ""), status: 400, code: "unsupported_grant_type", description: "Unsupported grant_type"},
	"an unknown grant":                 {edit: set("grant_type", "magic"), status: 400, code: "unsupported_grant_type", description: "Unsupported grant_type"},
	"a grant in the URL":               {edit: del("grant_type"), header: func(r *http.Request) { r.URL.RawQuery = "grant_type=client_credentials" }, status: 400, code: "invalid_request", description: "Missing form parameter: grant_type"},
	"a parameter twice":                {edit: func(f url.Values) { f.Add("scope", "a"); f.Add("scope", "b") }, status: 400, code: "invalid_request", description: "duplicated parameter"},
	"a body that is no form":           {header: header("Content-Type", "application/json"), status: 400, code: "invalid_request", description: "Missing form parameter: grant_type"},
	"a body that is no proper form":    {body: func(io.Reader) io.Reader { return strings.NewReader("grant_type=%zz") }, status: 400, code: "HTTP 400 Bad Request"},
	"a body of 2 MiB":                  {body: func(io.Reader) io.Reader { return strings.NewReader("x=" + strings.Repeat("x", 2<<20)) }, status: 413, code: "HTTP 413 Request Entity Too Large"},
	"GET":                              {header: func(r *http.Request) { r.Method = http.MethodGet }, status: 405, code: "HTTP 405 Method Not Allowed"},
	"OPTIONS, as before a page's":      {header: func(r *http.Request) { r.Method = http.MethodOptions }, status: 405, code: "HTTP 405 Method Not Allowed"},
	"another path":                     {header: func(r *http.Request) { r.URL.Path = "/" }, status: 404, code: "HTTP 404 Not Found"},
	"Keycloak's path":                  {header: func(r *http.Request) { r.URL.Path = "/auth/realms/main/protocol/openid-connect/token" }, status: 404, code: "HTTP 404 Not Found"},
	"a foreign host":                   {header: func(r *http.Request) { r.Host = "attacker.example" }, status: 421, code: "HTTP 421 Misdirected Request"},
	"a foreign host that looks right":  {header: func(r *http.Request) { r.Host = "127.0.0.1.attacker.example:8080" }, status: 421, code: "HTTP 421 Misdirected Request"},
	"a foreign address":                {header: func(r *http.Request) { r.Host = "192.0.2.1" }, status: 421, code: "HTTP 421 Misdirected Request"},
	"no host":                          {header: func(r *http.Request) { r.Host = "" }, status: 421, code: "HTTP 421 Misdirected Request"},
	"a page's form":                    {header: header("Origin", "https://attacker.example"), status: 403, code: "HTTP 403 Forbidden"},
	"a form of a page that is a file":  {header: header("Origin", "null"), status: 403, code: "HTTP 403 Forbidden"},
	"a form of a page at another port": {header: header("Origin", "http://127.0.0.1:3000"), status: 403, code: "HTTP 403 Forbidden"},
	"a page's form, as browsers say":   {header: header("Sec-Fetch-Site", "cross-site"), status: 403, code: "HTTP 403 Forbidden"},
}

func set(key, value string) func(url.Values) { return func(f url.Values) { f.Set(key, value) } }

func del(keys ...string) func(url.Values) {
	return func(f url.Values) {
		for _, key := range keys {
			f.Del(key)
		}
	}
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// Each refusal is Keycloak's, costs no login, and says nothing of the token. Wrong credentials
// take a second.
func TestRefusals(t *testing.T) {
	for name, test := range refusals {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, time.Hour)
			form := r.form()
			if test.edit != nil {
				test.edit(form)
			}
			req := r.post(form)
			if test.body != nil {
				req.Body = io.NopCloser(test.body(req.Body))
			}
			if test.header != nil {
				test.header(req)
			}
			a := r.send(t, req)
			if a.status != test.status || a.text("error") != test.code || a.text("error_description") != test.description {
				t.Errorf("%s: answered %d %q %q", name, a.status, a.text("error"), a.text("error_description"))
			}
			if members := len(a.body); members > 2 || members == 2 && test.description == "" {
				t.Errorf("%s: members %v", name, a.keys())
			}
			want := time.Duration(0)
			if test.status == http.StatusUnauthorized {
				want = time.Second
			}
			if a.took != want {
				t.Errorf("%s: took %v, want %v", name, a.took, want)
			}
			if n := r.service.Counters().TokenRequests; n != 0 {
				t.Errorf("%s: %d logins", name, n)
			}
			if refused := r.endpoint.Status().Refused; refused > 1 || (refused == 1) != (want > 0) {
				t.Errorf("%s: %d counted as refused", name, refused)
			}
		})
	}
}

// Of ten thousand guesses sixteen wait at a time, and the others are refused at once. The right
// answer never waits. The log has a line a minute.
func TestGuesses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		token := r.login(t)
		var mu sync.Mutex // guards delayed
		var delayed int
		var guesses sync.WaitGroup
		for range 10_000 {
			guesses.Go(func() {
				form := r.form()
				form.Set("client_secret", tokenendpoint.NewSecret().Reveal())
				a := r.send(t, r.post(form))
				if a.status != http.StatusUnauthorized {
					t.Errorf("answered %d", a.status)
				}
				if a.took == 0 {
					return
				}
				mu.Lock()
				defer mu.Unlock()
				delayed++
				if a.took != time.Second {
					t.Errorf("took %v", a.took)
				}
			})
		}
		synctest.Wait()
		if a := r.send(t, r.post(r.form())); a.text("access_token") != token.AccessToken() || a.took != 0 {
			t.Errorf("the right answer: %d after %v", a.status, a.took)
		}
		guesses.Wait()
		if delayed != 16 {
			t.Errorf("%d were delayed", delayed)
		}
		if s := r.endpoint.Status(); s.Refused != 10_000 || s.Handed != 1 {
			t.Errorf("status %+v", s)
		}
		if n := strings.Count(r.log.String(), "level=WARN"); n != 1 {
			t.Errorf("%d lines in the log", n)
		}
		time.Sleep(time.Minute)
		form := r.form()
		form.Del("client_id")
		r.send(t, r.post(form))
		if !strings.Contains(r.log.String(), "refused=10000") {
			t.Errorf("the log doesn't count what it left out: %s", r.log.String())
		}
		if n := r.service.Counters().TokenRequests; n != 1 {
			t.Errorf("%d logins", n)
		}
	})
}

// A client that leaves while its refusal is delayed makes room for the next.
func TestDelayEndsWithClient(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := startServer(t, newRig(t, time.Hour))
		for range 16 {
			conn := s.dial()
			io.WriteString(conn, request("grant_type=client_credentials"))
			synctest.Wait()
			conn.Close()
			synctest.Wait()
		}
		start := time.Now()
		resp, _ := s.do(t, request("grant_type=client_credentials"))
		if resp.StatusCode != http.StatusUnauthorized || time.Since(start) != time.Second {
			t.Errorf("answered %d after %v, want a delay of a second", resp.StatusCode, time.Since(start))
		}
	})
}

// A body that takes too long, a header that does, and one that is too long end the connection.
// A request that waits for its token for longer than a body may take is not such a one.
func TestSlowClients(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		s := startServer(t, r)
		whole := request(r.form().Encode())

		start := time.Now()
		resp, rest := s.do(t, whole[:len(whole)-1])
		if resp == nil || resp.StatusCode != http.StatusRequestTimeout || rest != `{"error":"HTTP 408 Request Timeout"}` || time.Since(start) != 10*time.Second {
			t.Errorf("a slow body: %v %q after %v", resp, rest, time.Since(start))
		}
		start = time.Now()
		if resp, _ := s.do(t, whole[:20]); resp != nil || time.Since(start) != 5*time.Second {
			t.Errorf("a slow header: %v after %v", resp, time.Since(start))
		}
		if resp, _ := s.do(t, strings.Replace(whole, "\r\n", "\r\nX: "+strings.Repeat("x", 64<<10)+"\r\n", 1)); resp == nil || resp.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
			t.Errorf("a long header: %v", resp)
		}
		if resp, _ := s.do(t, request("x="+strings.Repeat("x", 2<<20))); resp == nil || resp.StatusCode != http.StatusRequestEntityTooLarge || !resp.Close {
			t.Errorf("a long body: %v", resp)
		}
		if n := r.service.Counters().TokenRequests; n != 0 {
			t.Errorf("%d logins", n)
		}

		inject(t, r.service, "slow:25s")
		start = time.Now()
		if resp, _ := s.do(t, whole); resp == nil || resp.StatusCode != http.StatusOK || time.Since(start) != 25*time.Second {
			t.Errorf("a slow login: %v after %v", resp, time.Since(start))
		}
	})
}

// When the server ends, whoever waits for a token is told so at once.
func TestServeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, time.Hour)
		inject(t, r.service, "slow:20s")
		s := startServer(t, r)
		conn := s.dial()
		io.WriteString(conn, request(r.form().Encode()))
		synctest.Wait()
		start := time.Now()
		s.stop()
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != http.StatusServiceUnavailable || time.Since(start) >= time.Second {
			t.Errorf("answered %d after %v", resp.StatusCode, time.Since(start))
		}
		if err := <-s.ended; err != nil {
			t.Error(err)
		}
		conn.Close()
		time.Sleep(time.Minute) // the login ends by itself
	})
}

// No request without the placeholder in it gets a token, whatever else it has.
func FuzzRequest(f *testing.F) {
	f.Add("grant_type=client_credentials&client_id=a&client_secret=b", "", "application/x-www-form-urlencoded", "127.0.0.1")
	f.Add("grant_type=client_credentials", basic("a", "b"), "application/x-www-form-urlencoded; charset=utf-8", "[::1]:80")
	f.Add("grant_type=password&%zz", "Basic Og==", "text/plain", "localhost")
	token, err := shsession.ParseToken([]byte(`{"access_token": "eyJ.eyJ.x", "expires_at": 4e9}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, body, authorization, contentType, host string) {
		e, err := tokenendpoint.New(shsession.FromToken(token), tokenendpoint.Options{
			ClientID: "a", Secret: tokenendpoint.NewSecret(), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := contextThatEnded()
		defer cancel()
		req := httptest.NewRequest(http.MethodPost, "/token", strings.NewReader(body)).WithContext(ctx)
		req.Host = host
		req.Header.Set("Authorization", authorization)
		req.Header.Set("Content-Type", contentType)
		rec := httptest.NewRecorder()
		e.ServeHTTP(rec, req)
		if rec.Code < 400 || bytes.Contains(rec.Body.Bytes(), []byte("eyJ")) {
			t.Errorf("answered %d %s", rec.Code, rec.Body)
		}
	})
}
