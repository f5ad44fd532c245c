package check_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

const clientID = "kubernetes-test"

// secret is what stands for the CHANGE-ME of each key of the Secrets.
var secret = map[string]string{
	"client-id": clientID, "client-secret": "not-a-secret", "redis-password": "not-a-password",
	"store-key": "0123456789abcdef0123456789abcdef",
}

// TestRun runs what the sharer's pod and both kinds of mirrors run, as they do: with the arguments, variables and files of
// the manifests, from a root like the image's that can't be written to, as their user. Redis knows users who may do
// what the documentation says and no more.
func TestRun(t *testing.T) {
	need(t)
	program := filepath.Join(t.TempDir(), "shsession")
	build := exec.Command("go", "build", "-C", "../../..", "-o", program, "./cmd/shsession")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	redis, service := startRedis(t), startIdentity(t, program)
	pods := pods(t)

	var mirrors []*pod // which wait for a token
	for _, name := range []string{"workers", "shsession-mirror"} {
		mirror := startPod(t, program, pods[name], redis)
		awaitStatus(t, mirror.url("/healthz"), http.StatusOK)
		awaitStatus(t, mirror.url("/readyz"), http.StatusServiceUnavailable)
		mirrors = append(mirrors, mirror)
	}
	sharer := startPod(t, program, pods["shsession-sharer"], redis, service...)
	awaitStatus(t, sharer.url("/readyz"), http.StatusOK)
	for _, mirror := range mirrors {
		awaitStatus(t, mirror.url("/readyz"), http.StatusOK)
		segment := filepath.Join(mirror.root, "dev/shm/sh-session-token")
		if data, err := os.ReadFile(segment); err != nil || !strings.Contains(string(data), `"access_token"`) {
			t.Errorf("the mirror's shared memory: %v", err)
		}
		mirror.stop(t)
		if _, err := os.Stat(segment); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the mirror left its shared memory: %v", err)
		}
	}
	sharer.stop(t)
}

// need skips the test, or fails it if SHSESSION_INTEROP=required, without what it needs.
func need(t *testing.T) {
	t.Helper()
	_, err := exec.LookPath("redis-server")
	if os.Geteuid() != 0 {
		err = errors.Join(err, errors.New("to change the root directory takes root"))
	}
	switch {
	case err != nil && os.Getenv("SHSESSION_INTEROP") == "required":
		t.Fatal(err)
	case err != nil:
		t.Skip(err)
	}
}

// A pod is a running container of ours.
type pod struct {
	root, metrics string
	cmd           *exec.Cmd
	grace         time.Duration
}

func (p *pod) url(path string) string { return "http://" + p.metrics + path }

// startPod starts the container of a pod that runs the program.
func startPod(t *testing.T, program string, template corev1.PodTemplateSpec, redis string, env ...string) *pod {
	t.Helper()
	all := containers(template)
	c := all[slices.IndexFunc(all, func(c corev1.Container) bool { return strings.Contains(c.Image, "/shsession:") })]
	user := uint32(*template.Spec.SecurityContext.RunAsUser)
	address := freeAddress(t)
	_, port, _ := net.SplitHostPort(address)
	p := &pod{root: t.TempDir(), metrics: address, grace: time.Duration(*template.Spec.TerminationGracePeriodSeconds) * time.Second}
	for _, err := range []error{
		os.Link(program, filepath.Join(p.root, "shsession")),
		os.MkdirAll(filepath.Join(p.root, "etc/shsession"), 0o755),
		os.MkdirAll(filepath.Join(p.root, "dev/shm"), 0o755),
		os.Chmod(filepath.Join(p.root, "dev/shm"), 0o1777),
		os.Chmod(filepath.Dir(p.root), 0o755),
		os.Chmod(p.root, 0o555),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for key, value := range secret {
		file := filepath.Join(p.root, "etc/shsession", key)
		if err := errors.Join(os.WriteFile(file, []byte(value), 0o440), os.Chown(file, 0, int(user))); err != nil {
			t.Fatal(err)
		}
	}
	for _, variable := range c.Env {
		if variable.ValueFrom != nil {
			variable.Value = secret[variable.ValueFrom.SecretKeyRef.Key]
		}
		env = append(env, variable.Name+"="+variable.Value)
	}
	var args []string
	for _, arg := range c.Args {
		args = append(args, strings.NewReplacer("@redis:6379", "@"+redis, ":9464", ":"+port).Replace(arg))
	}
	p.cmd = exec.Command("/shsession", args...)
	p.cmd.Dir, p.cmd.Env = "/", env
	p.cmd.SysProcAttr = &syscall.SysProcAttr{
		Chroot: p.root, Credential: &syscall.Credential{Uid: user, Gid: user}, Pdeathsig: syscall.SIGKILL,
	}
	log := &strings.Builder{}
	p.cmd.Stderr = log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // if it was stopped, it has ended
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("%q\n%s", args, log)
		}
	})
	return p
}

// stop ends the pod as Kubernetes does.
func (p *pod) stop(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	kill := time.AfterFunc(p.grace, func() { p.cmd.Process.Kill() })
	defer kill.Stop()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("%q ended with %v", p.cmd.Args, err)
	}
}

// startRedis starts a redis-server with the users that the documentation gives it, and returns its address.
func startRedis(t *testing.T) string {
	t.Helper()
	address := freeAddress(t)
	host, port, _ := net.SplitHostPort(address)
	doc, err := os.ReadFile("../../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	users := "user default off\n"
	for line := range strings.Lines(string(doc)) {
		// The third user is the Sentinels'.
		if user, ok := strings.CutPrefix(line, "ACL SETUSER "); ok && !strings.HasPrefix(user, "watcher ") {
			users += "user " + strings.Replace(user, "PASSWORD", secret["redis-password"], 1)
		}
	}
	if n := strings.Count(users, "\n"); n != 3 {
		t.Fatalf("there are %d users with the default one:\n%s", n, users)
	}
	file := filepath.Join(t.TempDir(), "users.acl")
	if err := os.WriteFile(file, []byte(users), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command("redis-server", "--bind", host, "--port", port, "--save", "", "--dir", t.TempDir(), "--aclfile", file))
	await(t, address)
	return address
}

// startIdentity starts a service to log in at, and returns the variables that say where it is.
func startIdentity(t *testing.T, program string) []string {
	t.Helper()
	address := freeAddress(t)
	file := filepath.Join(t.TempDir(), "clients")
	if err := os.WriteFile(file, []byte(clientID+":"+secret["client-secret"]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, exec.Command(program, "identity", "--listen", address, "--client-file", file))
	await(t, address)
	base := "http://" + address
	return []string{"SH_BASE_URL=" + base, "SH_TOKEN_URL=" + base + "/auth/realms/main/protocol/openid-connect/token"}
}

// start starts a program that is killed when the test ends.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// await waits until somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	soon(t, "somebody listens on "+address, func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			return false
		}
		conn.Close()
		return true
	})
}

func awaitStatus(t *testing.T, url string, status int) {
	t.Helper()
	soon(t, fmt.Sprintf("%s is answered %d", url, status), func() bool {
		resp, err := http.Get(url)
		if err != nil {
			return false
		}
		resp.Body.Close()
		return resp.StatusCode == status
	})
}

// soon polls until ok or half a minute has passed.
func soon(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not within half a minute: %s", what)
		}
	}
}
