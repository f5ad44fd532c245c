package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/cache"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// isolated is the environment of every test: nothing of the machine's.
func isolated(home string) []string {
	return []string{
		"HOME=" + home, "XDG_CONFIG_HOME=" + home + "/config", "LocalAppData=" + os.Getenv("LocalAppData"), // where Windows has what Linux has in /dev/shm
		"SH_PROFILE=", "SH_CLIENT_ID=", "SH_CLIENT_SECRET=", "SH_CLIENT_SECRET_FILE=", "SH_CLIENT_SECRET_COMMAND=", "SH_BASE_URL=", "SH_TOKEN_URL=",
		"SSL_CERT_FILE=", "REQUESTS_CA_BUNDLE=", "CURL_CA_BUNDLE=",
		"HTTP_PROXY=", "HTTPS_PROXY=", "http_proxy=", "https_proxy=", "NO_PROXY=", "no_proxy=",
		"GORACE=atexit_sleep_ms=0", // under the race detector each process would end with a second's sleep
	}
}

// unique returns a name that no other test has, on the whole machine.
func unique() string { return "shsession-cmdtest-" + strings.ToLower(rand.Text()[:10]) }

// removeSegments removes the segments with a client's tokens, and the locks that
// logins at tokenURL left when they failed.
func removeSegments(client, tokenURL string) {
	ctx := context.Background()
	segments, _ := shm.List(ctx)
	for _, s := range segments {
		claims, err := s.Token.Claims()
		if err == nil && claims.ClientID() == client {
			shm.Remove(ctx, s.Name)
		}
	}
	patterns := []string{client + ".*"} // scripts share under the client's name
	for _, id := range []string{client, "nobody", "other"} {
		name := cache.Name(shsession.Config{TokenURL: tokenURL, ClientID: id})
		patterns = append(patterns, name[:strings.LastIndexByte(name, '-')+1]+"*") // with any secret
	}
	for _, pattern := range patterns {
		locks, _ := filepath.Glob("/dev/shm/." + pattern)
		for _, lock := range locks {
			os.Remove(lock)
		}
	}
}

// setUp gives a script a client id and the name of a segment, which no other has.
func setUp(env *testscript.Env) error {
	name := unique()
	env.Vars = append(env.Vars, isolated(env.WorkDir)...)
	env.Values[serviceKey{}] = new(atomic.Pointer[identity.Server])
	env.Setenv("NAME", name)
	env.Setenv("CLIENT", name)
	return nil
}

// scriptCondition knows [namespaces], whether a process can be given a /dev/shm of its own, and whether
// there are the programs for [redis], [bash] and [curl].
func scriptCondition(name string) (bool, error) {
	switch name {
	case "namespaces":
	case "redis":
		return haveProgram("redis-server")
	case "bash", "curl":
		return haveProgram(name)
	default:
		return false, fmt.Errorf("unknown condition %s", name)
	}
	return exec.Command("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/dev/shm").Run() == nil, nil
}

// haveProgram reports whether a script can use a program. Where it has to be there, it's an error if not.
func haveProgram(name string) (bool, error) {
	_, err := exec.LookPath(name)
	if err != nil && os.Getenv("SHSESSION_INTEROP") == "required" {
		return false, fmt.Errorf("%s isn't on the PATH, and SHSESSION_INTEROP=required", name)
	}
	return err == nil, nil
}

const scriptSecret = "correct-horse-battery-staple"

// identity [LIFETIME] starts an identity service and sets the variables that point to it.
func scriptIdentity(ts *testscript.TestScript, _ bool, args []string) {
	options := identity.Options{Clients: []identity.Client{{ID: ts.Getenv("CLIENT"), Secret: shsession.NewSecret(scriptSecret)}}}
	if len(args) == 1 {
		lifetime, err := time.ParseDuration(args[0])
		ts.Check(err)
		options.Lifetime = lifetime
	}
	options.Key = testkit.SigningKey()
	service, err := identity.New(options)
	ts.Check(err)
	listening := httptest.NewServer(service)
	ts.Defer(listening.Close)
	tokenURL := listening.URL + "/auth/realms/main/protocol/openid-connect/token"
	ts.Defer(func() { removeSegments(ts.Getenv("CLIENT"), tokenURL) })
	ts.Value(serviceKey{}).(*atomic.Pointer[identity.Server]).Store(service)
	ts.Setenv("URL", listening.URL)
	ts.Setenv("SH_BASE_URL", listening.URL)
	ts.Setenv("SH_TOKEN_URL", tokenURL)
	ts.Setenv("SH_CLIENT_ID", ts.Getenv("CLIENT"))
	ts.Setenv("SH_CLIENT_SECRET", scriptSecret)
}

// serviceKey is the key of a script's identity service, a *atomic.Pointer.
type serviceKey struct{}

func serviceOf(ts *testscript.TestScript) *identity.Server {
	service := ts.Value(serviceKey{}).(*atomic.Pointer[identity.Server]).Load()
	if service == nil {
		ts.Fatalf("there is no identity service yet")
	}
	return service
}

// silence sets SILENCE to the URL of a Redis that accepts connections and never answers.
func scriptSilence(ts *testscript.TestScript, _ bool, _ []string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Defer(func() { listener.Close() }) // which the system accepts connections for
	ts.Setenv("SILENCE", "redis://"+listener.Addr().String()+"/0?key=team")
}

// fault RULE puts a fault in force; fault none clears them.
func scriptFault(ts *testscript.TestScript, _ bool, args []string) {
	if args[0] == "none" {
		serviceOf(ts).Clear()
		return
	}
	rule, err := identity.ParseRule(args[0])
	ts.Check(err)
	serviceOf(ts).AddRule(rule)
}

// logins N checks how many tokens were issued.
func scriptLogins(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.ParseInt(args[0], 10, 64)
	ts.Check(err)
	if got := serviceOf(ts).Counters().TokensIssued; (got == want) == neg {
		ts.Fatalf("%d logins, not %d", got, want)
	}
}

// exits CODE COMMAND... runs a command and checks its exit code.
func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// await COMMAND... runs a command, less and less often, until it succeeds.
func scriptAwait(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(time.Minute)
	for wait := 20 * time.Millisecond; ts.Exec(args[0], args[1:]...) != nil; wait = min(wait*3/2, 250*time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("no success in a minute")
		}
		<-time.After(wait) // each try is a process or more
	}
}

// age REMAINING leaves the client's shared tokens with that life.
func scriptAge(ts *testscript.TestScript, _ bool, args []string) {
	remaining, err := time.ParseDuration(args[0])
	ts.Check(err)
	for _, s := range segmentsOf(ts) {
		store, err := shm.Open(s.Name)
		ts.Check(err)
		ts.Check(store.Publish(context.Background(), s.Token.WithExpiry(time.Now().Add(remaining))))
	}
}

// spoil puts a directory in the place of the client's segment, and sets SPOILT to it.
func scriptSpoil(ts *testscript.TestScript, _ bool, _ []string) {
	for _, s := range segmentsOf(ts) {
		path := "/dev/shm/" + s.Name
		ts.Check(os.Remove(path))
		ts.Check(os.Mkdir(path, 0o700))
		ts.Defer(func() { os.Remove(path) })
		ts.Setenv("SPOILT", path)
	}
}

// signal TERM|HUP|INT|KILL sends a signal to the process that was started last.
func scriptSignal(ts *testscript.TestScript, _ bool, args []string) {
	running := ts.BackgroundCmds()
	signal := map[string]os.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "KILL": syscall.SIGKILL}[args[0]]
	ts.Check(running[len(running)-1].Process.Signal(signal))
}

func segmentsOf(ts *testscript.TestScript) (own []shm.Segment) {
	segments, err := shm.List(context.Background())
	ts.Check(err)
	for _, s := range segments {
		if claims, err := s.Token.Claims(); err == nil && claims.ClientID() == ts.Getenv("CLIENT") {
			own = append(own, s)
		}
	}
	if len(own) == 0 {
		ts.Fatalf("the client has no segment")
	}
	return own
}

// together N COMMAND... runs a command N times at once and checks that the outputs are the same.
func scriptTogether(ts *testscript.TestScript, _ bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	outputs := make([]string, n)
	var running sync.WaitGroup
	for i := range n {
		running.Go(func() {
			cmd := exec.Command(args[1], args[2:]...)
			cmd.Env = []string{"SH_CLIENT_ID=" + ts.Getenv("SH_CLIENT_ID"), "SH_CLIENT_SECRET=" + ts.Getenv("SH_CLIENT_SECRET"),
				"SH_BASE_URL=" + ts.Getenv("SH_BASE_URL"), "SH_TOKEN_URL=" + ts.Getenv("SH_TOKEN_URL"), "HOME=" + ts.Getenv("HOME"), "LocalAppData=" + os.Getenv("LocalAppData")}
			out, err := cmd.CombinedOutput()
			outputs[i] = string(out)
			if err != nil {
				outputs[i] += err.Error()
			}
		})
	}
	running.Wait()
	for _, out := range outputs[1:] {
		if out != outputs[0] {
			ts.Fatalf("the outputs differ: %s", strings.Join(outputs, "---\n"))
		}
	}
}
