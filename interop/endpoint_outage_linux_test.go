package interop_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/oauth2/clientcredentials"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// outageLife is the life of a token. Half of it is the window in which it is renewed, and a tenth
// is the margin in which it isn't handed out any more.
const outageLife = 30 * time.Second

// A restartedSharer is a share whose endpoint keeps its address and its secret.
type restartedSharer struct {
	command command
	args    []string
	cmd     *exec.Cmd
}

func (s *restartedSharer) start(t *testing.T) {
	t.Helper()
	s.cmd = s.command.run(context.Background(), s.args...)
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
}

// kill kills the process, which can do nothing about it.
func (s *restartedSharer) kill(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = s.cmd.Wait()
}

// The service is down for the whole window in which a token is renewed, and in its middle the
// sharer is killed and started again with its secret file. No request of the package fails while
// the token is valid, nor once the service is back.
func TestEndpointOutage(t *testing.T) {
	t.Parallel()
	python := needPython(t)
	service, url := listen(t, identity.Options{Lifetime: outageLife})
	secretFile, addr := filepath.Join(t.TempDir(), "secret"), testkit.FreeAddr(t)
	sharer := &restartedSharer{command: newCommand(t, url), args: []string{
		"share", "--name", ownName(t), "--endpoint=" + addr, "--endpoint-secret-file", secretFile}}
	sharer.start(t)
	t.Cleanup(func() {
		_ = sharer.cmd.Process.Signal(os.Interrupt)
		_ = sharer.cmd.Wait()
	})
	secret := awaitFile(t, secretFile)
	m := machine{python: python, env: clientEnv(t, url, addr, secret)}
	var all []renewer
	for range 4 {
		all = append(all, startRenewer(t, m, endpoint{url: url}.api()))
	}
	for _, r := range all {
		r.ready(t)
	}

	expiry := newTokenExpiry(t, addr, secret)
	service.AddRule(identity.Rule{Fault: identity.MustParseFault("503")})
	before := service.Counters().TokensIssued
	<-time.After(time.Until(expiry.Add(-outageLife / 4)))
	sharer.kill(t)
	sharer.start(t)
	<-time.After(time.Until(expiry))
	if n := service.Counters(); n.TokensIssued != before || n.TokenRequests == n.TokensIssued {
		t.Errorf("in the outage there were %d logins and %d requests for tokens", n.TokensIssued-before, n.TokenRequests-before)
	}
	service.Clear()
	testkit.Eventually(t, "there is a new token", func() bool { return service.Counters().TokensIssued > before })
	back := time.Now()
	<-time.After(outageLife / 10)

	withheld := expiry.Add(-outageLife / 10)
	var asked, failed int
	for _, r := range all {
		seen := r.end(t)
		asked, failed = asked+seen.Asked, failed+len(seen.Failed)
		for i, at := range seen.Times {
			began, ended := seconds(at[0]), seconds(at[1])
			if ended.Before(withheld) || began.After(back) {
				t.Errorf("a request failed from %v to %v after the token's expiry: %s", began.Sub(expiry), ended.Sub(expiry), seen.Failed[i])
			}
		}
	}
	n := service.Counters()
	if asked == 0 {
		t.Error("no requests")
	}
	t.Logf("%d requests, of which %d failed without a valid token, which there was again %v after the expiry; %d logins of %d",
		asked, failed, back.Sub(expiry), n.TokensIssued, n.TokenRequests)
}

// newTokenExpiry waits for a new token and returns when it expires.
func newTokenExpiry(t *testing.T, addr, secret string) (expiry time.Time) {
	t.Helper()
	cfg := clientcredentials.Config{ClientID: identity.DevelopmentID, ClientSecret: secret, TokenURL: "http://" + addr + "/token"}
	testkit.Eventually(t, "the token is a new one", func() bool {
		token, err := cfg.Token(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := shsession.ParseToken([]byte(`{"access_token": "` + token.AccessToken + `", "expires_at": 4e9}`))
		if err != nil {
			t.Fatal(err)
		}
		claims, err := parsed.Claims()
		if err != nil {
			t.Fatal(err)
		}
		expiry = claims.ExpiresAt
		return time.Until(expiry) > outageLife*3/4
	})
	return expiry
}

func seconds(sinceEpoch float64) time.Time { return time.UnixMicro(int64(sinceEpoch * 1e6)) }
