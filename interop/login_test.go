package interop_test

import (
	"maps"
	"math"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/oidcverify"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shconfig"
)

// listen serves an identity service on a port for as long as the test runs.
func listen(t *testing.T, o identity.Options) (server *identity.Server, url string) {
	t.Helper()
	server = testkit.NewService(t, o)
	ts := httptest.NewServer(server)
	t.Cleanup(ts.Close)
	return server, ts.URL
}

// realmOf is the issuer at a URL of listen.
func realmOf(url string) string { return url + "/auth/realms/main" }

// logInto makes a client the one that the machine's default profile logs in as.
func (m machine) logInto(t *testing.T, baseURL, issuer string, as credentials) {
	t.Helper()
	file, err := shconfig.Open(m.configFile())
	if err != nil {
		t.Fatal(err)
	}
	err = file.Set(shconfig.DefaultProfile, shconfig.Settings{
		ClientID:     as.id,
		ClientSecret: shsession.NewSecret(as.secret),
		BaseURL:      baseURL,
		TokenURL:     issuer + "/protocol/openid-connect/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := file.Save(); err != nil {
		t.Fatal(err)
	}
}

// A pythonLogin is what login.py prints.
type pythonLogin struct {
	Token   map[string]any
	Info    map[string]any
	Headers map[string]string
}

func TestPythonLogsIntoKeycloak(t *testing.T) {
	t.Parallel()
	issuer := needKeycloak(t)
	clients, _ := realm(t)
	checkPythonLogin(t, issuer, clients["tokens of a minute"], time.Minute)
}

func TestPythonLogsIntoStandIn(t *testing.T) {
	t.Parallel()
	as := credentials{identity.DevelopmentID, identity.DevelopmentSecret}
	server, url := listen(t, identity.Options{Lifetime: time.Minute})
	checkPythonLogin(t, realmOf(url), as, time.Minute)
	if n := server.Counters().TokensIssued; n != 2 {
		t.Errorf("%d tokens issued to a run of Python and one of Go, want 2", n)
	}
}

// checkPythonLogin logs in with the package and with ours, and compares what they have to show for it.
func checkPythonLogin(t *testing.T, issuer string, as credentials, life time.Duration) {
	m := newMachine(t)
	m.logInto(t, "", issuer, as)
	var python pythonLogin
	m.run(t, nil, &python, "login.py")

	want := []string{
		"access_token", "expires_at", "expires_in", "not-before-policy", "refresh_expires_in", "scope", "token_type",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(python.Token))); diff != "" {
		t.Errorf("members of the token (-want +got):\n%s", diff)
	}
	access, _ := python.Token["access_token"].(string)
	if got := python.Headers["Authorization"]; got != "Bearer "+access || len(python.Headers) != 1 {
		t.Error("session_headers is not the token's Authorization header")
	}
	if diff := cmp.Diff(decodePart(t, access, 1), python.Info); diff != "" {
		t.Errorf("info() (-claims +got):\n%s", diff)
	}
	expires, _ := python.Token["expires_at"].(float64)
	if left := expires - float64(time.Now().UnixMilli())/1e3; math.Abs(left-life.Seconds()) > 10 {
		t.Errorf("%.1f s remain of a new token of %v", left, life)
	}
	if _, err := oidcverify.Verify(t.Context(), nil, issuer, access); err != nil {
		t.Errorf("verify: %v", err)
	}

	session, err := shsession.New(shconfigOf(t, m))
	if err != nil {
		t.Fatal(err)
	}
	claims, err := session.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for claim, ours := range map[string]string{
		"azp": claims.AuthorizedParty, "iss": claims.Issuer, "sub": claims.Subject, "scope": claims.Scope,
	} {
		if python.Info[claim] != ours {
			t.Errorf("%s is %v in Python and %q in Go", claim, python.Info[claim], ours)
		}
	}
}

// shconfigOf is the machine's default profile as a session's config.
func shconfigOf(t *testing.T, m machine) shsession.Config {
	t.Helper()
	profile, err := shconfig.Load(shconfig.Options{File: m.configFile()})
	if err != nil {
		t.Fatal(err)
	}
	return profile.Config()
}
