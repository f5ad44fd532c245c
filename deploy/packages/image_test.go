package packages_test

import (
	"context"
	"debug/elf"
	"errors"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// There may be no Docker here, so the Dockerfile is read, and its program is run as it would be in the image: in a root with nothing
// else in it but certificate authorities, as a user who has no name, without a home and a /dev/shm.
func (r release) testImage(t *testing.T) {
	text, err := os.ReadFile("Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	_, final, ok := strings.Cut(string(text), "\nFROM scratch\n")
	if !ok || strings.Contains(final, "FROM ") || strings.Contains(final, "RUN ") {
		t.Fatal("the image isn't made from scratch")
	}
	for _, want := range []string{"USER 65532:65532", `ENTRYPOINT ["/shsession"]`, "COPY --from=build /shsession /shsession"} {
		if !strings.Contains(final, want+"\n") {
			t.Errorf("the image has no %s", want)
		}
	}
	testImageVersion(t, string(text))
	program, err := elf.Open(r.program)
	if err != nil {
		t.Fatal(err)
	}
	defer program.Close()
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP || part.Type == elf.PT_DYNAMIC {
			t.Errorf("the program isn't static: %v", part.Type)
		}
	}
	needRoot(t)
	root := t.TempDir()
	if err := errors.Join(os.Chmod(root, 0o555), os.Chmod(filepath.Dir(root), 0o755), os.Link(r.program, filepath.Join(root, "shsession"))); err != nil {
		t.Fatal(err)
	}
	r.useImage(t, root)
}

// testImageVersion runs the line of the Dockerfile that builds the program, where there is no history of the source, and
// has the program say which revision it is of.
func testImageVersion(t *testing.T, dockerfile string) {
	line := regexp.MustCompile(`(?m)^RUN (CGO_ENABLED=0 .*go build -trimpath .*) -o /shsession (.*)$`).FindStringSubmatch(dockerfile)
	if line == nil {
		t.Fatal("the image isn't built as the packages are")
	}
	program := filepath.Join(t.TempDir(), "shsession")
	cmd := exec.Command("sh", "-c", line[1]+" -o "+program+" "+line[2])
	cmd.Env = append(os.Environ(), "GOFLAGS=-buildvcs=false", "TARGETOS="+runtime.GOOS, "TARGETARCH="+runtime.GOARCH, "REVISION=0123abcd")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	out, err := exec.Command(program, "version").Output()
	if err != nil || !strings.Contains(string(out), ", revision 0123abcd)") {
		t.Errorf("the image's version is %q, %v", out, err)
	}
}

// useImage logs in from the image, for a command and for a service.
func (r release) useImage(t *testing.T, root string) {
	credentials := startIdentity(t, r.program)
	var errs strings.Builder
	contained := func(args ...string) *exec.Cmd {
		cmd := exec.Command("/shsession", args...)
		cmd.Dir, cmd.Env, cmd.Stderr = "/", credentials, &errs
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}}
		return cmd
	}
	out, err := contained("info").Output()
	if err != nil || !strings.Contains(string(out), "packages-test") {
		t.Errorf("info: %v\n%s%s", err, out, errs.String())
	}
	address := freeAddress(t)
	proxy := contained("proxy", "--listen", address)
	if err := proxy.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		proxy.Process.Signal(syscall.SIGTERM)
		if err := proxy.Wait(); err != nil {
			t.Errorf("the proxy ended with %v\n%s", err, errs.String())
		}
	}()
	awaitOK(t, "http://"+address+"/api/v1/process")
}

// startIdentity starts a service to log in at, and returns the environment of its client.
func startIdentity(t *testing.T, program string) []string {
	t.Helper()
	address := freeAddress(t)
	clients := filepath.Join(t.TempDir(), "clients")
	if err := os.WriteFile(clients, []byte("packages-test:not-a-secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "identity", "--listen", address, "--client-file", clients)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Wait() })
	base := "http://" + address
	await(t, address)
	return []string{
		"SH_CLIENT_ID=packages-test", "SH_CLIENT_SECRET=not-a-secret", "SH_BASE_URL=" + base,
		"SH_TOKEN_URL=" + base + "/auth/realms/main/protocol/openid-connect/token",
	}
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
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for tick := time.Tick(20 * time.Millisecond); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick:
		case <-ctx.Done():
			t.Fatalf("nobody listens on %s: %v", address, err)
		}
	}
}

// awaitOK waits until somebody listens, and has to be answered 200.
func awaitOK(t *testing.T, url string) {
	t.Helper()
	await(t, strings.Split(url, "/")[2])
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("%s: %s", url, resp.Status)
	}
}
