package interop_test

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

const (
	clientLife = 10 * time.Second // of a token, half of which a client may stand still
	clientRuns = 31 * time.Second // three lives
)

// check looks at what a client counted over three lives, and whether it was served with the
// logins that these take.
func (e endpoint) check(t *testing.T, how string, seen renewals) {
	t.Helper()
	if seen.Asked < 4 || len(seen.Failed) > 0 {
		t.Errorf("%s: of %d requests %d failed: %v", how, seen.Asked, len(seen.Failed), seen.Failed)
	}
	e.checkUse(t, int64(seen.Asked), 4, int64(clientRuns/(clientLife/2))+3)
}

// A client is a program of the directories clients and python.
type client struct {
	name    string
	how     []string // ways to send the credentials
	command func(t *testing.T) []string
}

var clients = []client{
	{"curl.sh", []string{"post", "basic", "socket"}, func(t *testing.T) []string {
		needProgram(t, "curl")
		return []string{needProgram(t, "bash"), script(t, "curl.sh")}
	}},
	{"httr2.R", []string{"body", "header"}, func(t *testing.T) []string {
		return []string{needProgram(t, "Rscript"), script(t, "httr2.R")}
	}},
	{"openid-client.mjs", []string{"post", "basic"}, func(t *testing.T) []string {
		return []string{needProgram(t, "node"), withNodeModules(t, "openid-client.mjs")}
	}},
	{"requests-oauthlib", []string{"post", "basic"}, func(t *testing.T) []string {
		return []string{needPython(t), filepath.Join("python", "endpoint_requests_oauthlib.py")}
	}},
	{"simple-oauth2.mjs", []string{"body", "header"}, func(t *testing.T) []string {
		return []string{needProgram(t, "node"), withNodeModules(t, "simple-oauth2.mjs")}
	}},
}

// Programs that know nothing of us are served over three token lives, without a failure.
func TestEndpointClients(t *testing.T) {
	t.Parallel()
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := c.command(t)
			var all []*clientRun
			for _, how := range c.how {
				all = append(all, startClient(t, how, args))
			}
			for _, r := range all {
				r.end(t)
			}
		})
	}
}

// A clientRun is a client at work, with an endpoint of its own.
type clientRun struct {
	how       string
	endpoint  endpoint
	cmd       *exec.Cmd
	out, said strings.Builder
}

func startClient(t *testing.T, how string, args []string) *clientRun {
	t.Helper()
	r := &clientRun{how: how, endpoint: startEndpoint(t, clientLife)}
	args = append(slices.Clone(args), how, r.endpoint.api(), strconv.Itoa(int(clientRuns.Seconds())))
	r.cmd = exec.CommandContext(t.Context(), args[0], args[1:]...)
	r.cmd.Env = append(r.endpoint.env, "SOCKET="+r.endpoint.socket)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.said
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// end waits for the client and looks at what it saw.
func (r *clientRun) end(t *testing.T) {
	t.Helper()
	var seen renewals
	if err := r.cmd.Wait(); err != nil || json.Unmarshal([]byte(r.out.String()), &seen) != nil {
		t.Errorf("%s: %v, %q\n%s", r.how, err, r.out.String(), r.said.String())
		return
	}
	r.endpoint.check(t, r.how, seen)
}

func TestEndpointXOAuth2(t *testing.T) {
	t.Parallel()
	needVariable(t, "SHSESSION_INTEROP", "half a minute of the machine's time")
	var all sync.WaitGroup
	for how, style := range map[string]oauth2.AuthStyle{
		"in the body": oauth2.AuthStyleInParams, "by Basic": oauth2.AuthStyleInHeader, "by itself": oauth2.AuthStyleAutoDetect,
	} {
		e := startEndpoint(t, clientLife)
		cfg := clientcredentials.Config{
			ClientID: e.login.ClientID, ClientSecret: e.login.Secret.Reveal(), TokenURL: e.login.TokenURL, AuthStyle: style,
		}
		all.Go(func() { e.check(t, how, use(t, cfg.Client(t.Context()), e.api())) })
	}
	all.Wait()
}

// use asks a URL five times a second.
func use(t *testing.T, web *http.Client, url string) (seen renewals) {
	ctx, cancel := context.WithTimeout(t.Context(), clientRuns)
	defer cancel()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for ctx.Err() == nil {
		<-tick.C
		seen.Asked++
		resp, err := web.Get(url)
		if err != nil {
			seen.Failed = append(seen.Failed, err.Error())
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			seen.Failed = append(seen.Failed, resp.Status)
		}
	}
	return seen
}

// script is the path of a program of the directory clients.
func script(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("clients", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// withNodeModules copies the programs of Node to where they find the packages that they import,
// and returns the path of one.
func withNodeModules(t *testing.T, name string) string {
	t.Helper()
	modules := needVariable(t, "SHSESSION_NODE_MODULES", "the packages of Node")
	dir := t.TempDir()
	for _, file := range []string{name, "run.mjs"} {
		data, err := os.ReadFile(script(t, file))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, file), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}
