package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession/identity"
)

func TestParseRule(t *testing.T) {
	for _, tt := range []struct{ text, canonical string }{
		{"503", "503"}, {"418*2", "418*2"}, {"429~0.1", "429~0.1"}, {"500*3~0.50", "500*3~0.5"},
		{"429:retry-after=7", "429:retry-after=7"}, {"429:retry-after=-1*2", "429:retry-after=-1*2"},
		{"429:retry-after=Wed, 21 Oct 2015 07:28:00 GMT", "429:retry-after=Wed, 21 Oct 2015 07:28:00 GMT"},
		{"html", "html"}, {"html:200", "html:200"}, {"html:0429", "html:429"},
		{"malformed", "malformed"}, {"oversized", "oversized"}, {"cut*1", "cut*1"}, {"drop", "drop"}, {"hang", "hang"},
		{"slow:2000ms", "slow:2s"}, {"skew:-10m", "skew:-10m0s"}, {"no-expiry", "no-expiry"},
		{"expires-in:0", "expires-in:0"}, {"expires-in:1e12*4", "expires-in:1e12*4"},
		{`expires-in:"a*3"*2`, `expires-in:"a*3"*2`}, {`expires-in: { "a" : [] }`, `expires-in:{"a":[]}`},
		{"307:https://evil.test/~x/*3", "307:https://evil.test/%7Ex/*3"},
		{"307:https://evil.test/a*b", "307:https://evil.test/a%2Ab"},
		{"api/429:retry-after=7000*1", "api/429:retry-after=7000*1"}, {"api/cut", "api/cut"},
	} {
		rule, err := identity.ParseRule(tt.text)
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
		} else if got := rule.String(); got != tt.canonical {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.canonical)
		}
	}
}

func TestParseRuleRefuses(t *testing.T) {
	for _, text := range []string{
		"", "*3", "none", "teapot", "200", "0503", "600", "503*0", "503*-1", "503*x", "503~0", "503~1.5", "503~NaN",
		"503:", "503:later", "429:retry-after=", "429:retry-after=a\nb", "429:retry-after= 7", "html:301", "html:x",
		"slow", "slow:0", "slow:-1s", "skew", "skew:soon", "cut:3", "hang:1s", "307", "307:", "307:%zz",
		"expires-in", "expires-in:soon", "api/", "api/skew:1m", "api/no-expiry", "api/expires-in:0",
	} {
		if rule, err := identity.ParseRule(text); err == nil {
			t.Errorf("%q is read as %q", text, rule)
		}
	}
}

func FuzzParseRule(f *testing.F) {
	for _, text := range []string{"503*3", "api/429:retry-after=7~0.5", "307:https://a.test/~b*c", `expires-in:"x*3"`, "skew:-1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rule, err := identity.ParseRule(text)
		if err != nil {
			return
		}
		if again, err := identity.ParseRule(rule.String()); err != nil || again != rule {
			t.Errorf("%q gives %q, which gives %q, %v", text, rule, again, err)
		}
		if f, err := identity.ParseFault(rule.Fault.String()); err != nil || f != rule.Fault {
			t.Errorf("%q has the fault %q, which gives %q, %v", text, rule.Fault, f, err)
		}
	})
}

// server serves a Server in one of the ways that must not differ.
type server struct {
	name  string
	start func(t *testing.T, s *identity.Server) (*http.Client, string)
}

func servers() []server {
	return []server{
		{"in process", func(_ *testing.T, s *identity.Server) (*http.Client, string) {
			return &http.Client{Transport: s.RoundTripper()}, host
		}},
		{"on a port", func(t *testing.T, s *identity.Server) (*http.Client, string) {
			ts := httptest.NewServer(s)
			t.Cleanup(ts.Close)
			return ts.Client(), ts.URL
		}},
	}
}

// send sends a token request and reads the answer, without a word about errors.
func send(ctx context.Context, client *http.Client, base string) (*http.Response, string, error) {
	c := *client
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, base+tokenPath, strings.NewReader(credentials().Encode()))
	if err != nil {
		return nil, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := c.Do(req)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestFaults(t *testing.T) {
	valid := func(body string) bool { return json.Valid([]byte(body)) }
	tests := []struct {
		fault string
		check func(resp *http.Response, body string, err error) bool
	}{
		{"500", func(r *http.Response, body string, err error) bool { return r.StatusCode == 500 && valid(body) }},
		{"503", func(r *http.Response, body string, err error) bool { return r.StatusCode == 503 && valid(body) }},
		{"429", func(r *http.Response, body string, err error) bool {
			return r.StatusCode == 429 && r.Header["Retry-After"] == nil && strings.Contains(body, `"code":"RATE_LIMIT_EXCEEDED"`)
		}},
		{"429:retry-after=7", func(r *http.Response, _ string, err error) bool {
			return r.StatusCode == 429 && r.Header.Get("Retry-After") == "7"
		}},
		{"html:429", func(r *http.Response, body string, err error) bool {
			return r.StatusCode == 429 && r.Header.Get("Content-Type") == "text/html" && strings.HasPrefix(body, "<html>")
		}},
		{"307:https://evil.test/x", func(r *http.Response, _ string, err error) bool {
			return r.StatusCode == 307 && r.Header.Get("Location") == "https://evil.test/x"
		}},
		{"malformed", func(r *http.Response, body string, err error) bool {
			return err == nil && r.StatusCode == 200 && strings.HasPrefix(body, `{"access_token":`) && !valid(body)
		}},
		{"oversized", func(r *http.Response, body string, err error) bool {
			return err == nil && r.StatusCode == 200 && len(body) > 4<<20 && valid(body)
		}},
		{"cut", func(r *http.Response, body string, err error) bool {
			return errors.Is(err, io.ErrUnexpectedEOF) && r.StatusCode == 200 && int64(len(body)) < r.ContentLength && body != ""
		}},
		{"drop", func(r *http.Response, _ string, err error) bool { return r == nil && errors.Is(err, io.EOF) }},
		{"slow:1ms", func(r *http.Response, body string, err error) bool { return r.StatusCode == 200 && valid(body) }},
		{"no-expiry", func(r *http.Response, body string, err error) bool {
			return r.StatusCode == 200 && valid(body) && !strings.Contains(body, `"expires_in"`)
		}},
		{`expires-in:"soon"`, func(_ *http.Response, body string, err error) bool {
			return strings.Contains(body, `"expires_in":"soon"`)
		}},
		{"expires-in:1e12", func(_ *http.Response, body string, err error) bool {
			return strings.Contains(body, `"expires_in":1e12`)
		}},
	}
	for _, srv := range servers() {
		for _, tt := range tests {
			t.Run(srv.name+"/"+tt.fault, func(t *testing.T) {
				s := newService(t, identity.Options{})
				client, base := srv.start(t, s.Server)
				s.Inject(identity.MustParseFault(tt.fault), 1)
				if resp, body, err := send(t.Context(), client, base); !tt.check(resp, body, err) {
					t.Errorf("%v, %.200q, %v", resp, body, err)
				}
				if resp, body, err := send(t.Context(), client, base); err != nil || resp.StatusCode != 200 || !valid(body) {
					t.Errorf("afterwards: %v, %.200q, %v", resp, body, err)
				}
				if c := s.Counters(); c.FaultsServed != 1 || c.TokenRequests != 2 {
					t.Errorf("counters %+v", c)
				}
			})
		}
	}
}

func TestHangEndsWithContext(t *testing.T) {
	for _, fault := range []string{"hang", "slow:1h"} {
		for _, srv := range servers() {
			t.Run(srv.name+"/"+fault, func(t *testing.T) {
				s := newService(t, identity.Options{})
				client, base := srv.start(t, s.Server)
				s.Inject(identity.MustParseFault(fault), 1)
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if _, _, err := send(ctx, client, base); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("error %v", err)
				}
			})
		}
	}
}

func TestSlowTakesFakeTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newService(t, identity.Options{})
		s.Inject(identity.MustParseFault("slow:3h"), 1)
		start := time.Now()
		s.login()
		if took := time.Since(start); took != 3*time.Hour {
			t.Errorf("took %v", took)
		}
	})
}

func TestSkewFault(t *testing.T) {
	for _, tt := range []struct {
		skew   string
		move   time.Duration
		status int
	}{{"10m", 10 * time.Minute, 200}, {"-10m", -10 * time.Minute, 401}} {
		synctest.Test(t, func(t *testing.T) {
			s := newService(t, identity.Options{Lifetime: 5 * time.Minute})
			s.Inject(identity.MustParseFault("skew:"+tt.skew), 1)
			r := s.post(tokenPath, credentials())
			token := r.decode(t)["access_token"].(string)
			want := time.Now().Add(tt.move)
			if got := r.header.Get("Date"); got != want.UTC().Format(http.TimeFormat) {
				t.Errorf("Date %s", got)
			}
			if std, _ := verify(t, s, mainRealm, token); !std.IssuedAt.Time().Equal(want) {
				t.Errorf("iat %v, want %v", std.IssuedAt.Time(), want)
			}
			if r := s.get(processPath, token); r.status != tt.status {
				t.Errorf("the API's clock is right, it answers %d, want %d", r.status, tt.status)
			}
		})
	}
}

func TestRulesInOrder(t *testing.T) {
	s := newService(t, identity.Options{Faults: []identity.Rule{{Fault: identity.MustParseFault("500"), Times: 2}}})
	s.Inject(identity.MustParseFault("503"), 1)
	s.Inject(identity.MustParseFault("429"), 0)
	s.AddRule(identity.Rule{Fault: identity.MustParseFault("401"), API: true, Times: 1})
	var got []int
	for range 6 {
		got = append(got, s.post(tokenPath, credentials()).status)
	}
	s.Clear()
	got = append(got, s.post(tokenPath, credentials()).status)
	if diff := cmp.Diff([]int{500, 500, 503, 429, 429, 429, 200}, got); diff != "" {
		t.Error(diff)
	}
}

func TestProbability(t *testing.T) {
	s := newService(t, identity.Options{})
	s.AddRule(identity.Rule{Fault: identity.MustParseFault("500"), Probability: 0.5})
	s.AddRule(identity.Rule{Fault: identity.MustParseFault("503")})
	count := map[int]int{}
	for range 1000 {
		count[s.post(tokenPath, credentials()).status]++
	}
	// Twelve standard deviations either way: this fails once in 10^32 runs.
	if n := count[500]; n < 300 || n > 700 || n+count[503] != 1000 {
		t.Errorf("%v", count)
	}
}

func TestAPIFault(t *testing.T) {
	s := newService(t, identity.Options{})
	rule, err := identity.ParseRule("api/429:retry-after=7000*1")
	if err != nil {
		t.Fatal(err)
	}
	s.AddRule(rule)
	token := s.login() // not touched by it
	r := s.get(processPath, token)
	want := `{"status":429,"reason":"Too Many Requests","message":"You have exceeded your rate limit","code":"RATE_LIMIT_EXCEEDED"}`
	if r.status != 429 || r.header.Get("Retry-After") != "7000" || r.body != want {
		t.Errorf("%d %v %s", r.status, r.header, r.body)
	}
	if r := s.get(processPath, token); r.status != 200 {
		t.Errorf("afterwards: %d", r.status)
	}
	if c := s.Counters(); c.APIFaults != 1 || c.APIRequests != 2 || c.APIAuthorized != 1 {
		t.Errorf("counters %+v", c)
	}
}

func TestFaultsOverHTTP(t *testing.T) {
	s := newService(t, identity.Options{})
	if r := s.do(s.request(http.MethodPost, "/faults", "503*2\n\n api/500 \n")); r.status != 200 || r.body != "503*2\napi/500\n" {
		t.Errorf("POST: %d %q", r.status, r.body)
	}
	s.post(tokenPath, credentials())
	if r := s.get("/faults", ""); r.body != "503*1\napi/500\n" {
		t.Errorf("GET: %q", r.body)
	}
	if r := s.do(s.request(http.MethodPost, "/faults", "429\nnonsense")); r.status != 400 || len(s.Rules()) != 2 {
		t.Errorf("bad line: %d, rules %v", r.status, s.Rules())
	}
	if r := s.do(s.request(http.MethodDelete, "/faults", "")); r.status != 200 || len(s.Rules()) != 0 {
		t.Errorf("DELETE: %d, rules %v", r.status, s.Rules())
	}
	evil := s.request(http.MethodPost, "/faults", "503")
	evil.Header.Set("Sec-Fetch-Site", "cross-site")
	if r := s.do(evil); r.status != 403 || len(s.Rules()) != 0 {
		t.Errorf("from another site's page: %d", r.status)
	}
}
