package interop_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/child"
)

// The package's downloads in 32 spawned processes of a command of share make one login, without a
// line changed, and nothing is sent to the proxy that the environment names. So many processes run
// alone: they would keep other tests' from using their tokens in time.
func TestEndpointCommand(t *testing.T) {
	python := needPython(t)
	service, url := listen(t, identity.Options{Lifetime: time.Hour})
	c := newCommand(t, url)
	c.env = append(c.env, append(proxyTrap(t), "PYTHONDONTWRITEBYTECODE=1", "NO_PROXY=corp.example")...)
	cmd := c.run(t.Context(), "share", "--name", ownName(t), "--endpoint", "--",
		python, filepath.Join("python", "endpoint_downloads.py"), "32", "2", endpoint{url: url}.api())
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil || string(out) != "64" {
		t.Fatalf("%v, %q\n%s", err, out, said.String())
	}
	if n := service.Counters(); n.TokenRequests != 1 || n.APIAuthorized != 64 || n.APIUnauthorized != 0 {
		t.Errorf("%+v, want 1 login and 64 authorised requests", n)
	}
}

// At the proxy the package logs in with any credentials, and what it gets there is no token.
func TestProxyPythonLogsIn(t *testing.T) {
	t.Parallel()
	server, url := listen(t, identity.Options{Lifetime: time.Hour})
	proxy := newCommand(t, url).proxy(t)
	m := newMachine(t)
	m.logInto(t, proxy, realmOf(proxy), credentials{"any", "thing"})
	var downloads int
	m.run(t, nil, &downloads, "endpoint_downloads.py", "2", "2", endpoint{url: proxy}.api())
	if n := server.Counters(); downloads != 4 || n.TokenRequests != 1 || n.APIAuthorized != 4 || n.APIUnauthorized != 0 {
		t.Errorf("%d downloads with %+v, want 1 login and 4 authorised requests", downloads, n)
	}

	at := func(issuer string) service {
		return service{http: http.DefaultClient, issuer: issuer, client: credentials{"any", "thing"}}
	}
	token := at(realmOf(proxy)).login(t, "").text("access_token")
	if a := at(realmOf(url)).get(t, endpoint{url: url}.api(), token); a.status != http.StatusUnauthorized {
		t.Errorf("what the proxy hands out was answered with %d", a.status)
	}
}

// clientEnv is the environment of a program that logs in at an endpoint, with the profile for that.
func clientEnv(t *testing.T, baseURL, addr, secret string) []string {
	t.Helper()
	home := t.TempDir()
	login := child.Login{
		ClientID: identity.DevelopmentID, Secret: shsession.NewSecret(secret), TokenURL: "http://" + addr + "/token",
	}
	login.Profile = addProfile(t, filepath.Join(home, "sentinelhub", "config.toml"), baseURL, login.TokenURL)
	return child.Environ([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "XDG_CONFIG_HOME=" + home, "PYTHONDONTWRITEBYTECODE=1",
	}, child.Shared{Login: login})
}

// awaitFile waits for a file to be made and returns the line in it.
func awaitFile(t *testing.T, path string) string {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-time.After(20 * time.Millisecond) {
		if data, err := os.ReadFile(path); err == nil {
			return strings.TrimSpace(string(data))
		}
	}
	t.Fatalf("%s isn't made", path)
	return ""
}
