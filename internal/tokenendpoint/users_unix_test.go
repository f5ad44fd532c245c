//go:build unix

package tokenendpoint_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/internal/tokenendpoint"
)

// strangerVariable has the two addresses that a process of another user tries.
const strangerVariable = "SHSESSION_TEST_STRANGER"

// stranger tries to get a token over TCP, with the client id that everybody can know, and over a
// socket.
func stranger() int {
	tcp, socket, _ := strings.Cut(os.Getenv(strangerVariable), " ")
	resp, err := http.PostForm(tcp, url.Values{"grant_type": {"client_credentials"}, "client_id": {clientID}, "client_secret": {"guess"}})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	resp.Body.Close()
	conn, err := net.Dial("unix", socket)
	if err == nil {
		conn.Close()
	}
	fmt.Println(resp.StatusCode, errors.Is(err, syscall.EACCES))
	return 0
}

// Another user of this machine is refused over TCP, and can't connect to the socket.
func TestAnotherUser(t *testing.T) {
	t.Parallel()
	if os.Getuid() != 0 {
		t.Skip("only root can be another user")
	}
	r := newRig(t, time.Hour)
	dir, err := os.MkdirTemp("", "shsession-endpoint-") // in which others can look
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	program := filepath.Join(dir, "test")
	data, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = errors.Join(os.WriteFile(program, data, 0o755), os.Chmod(dir, 0o755))
	}
	if err != nil {
		t.Fatal(err)
	}
	tcp, socket := listen(t, ""), listen(t, "unix:"+filepath.Join(dir, "socket"))
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 2)
	for _, ln := range []net.Listener{tcp, socket} {
		go func() { ended <- r.endpoint.Serve(ctx, ln) }()
	}
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = []string{strangerVariable + "=" + tokenendpoint.TokenURL(tcp.Addr()) + " " + filepath.Join(dir, "socket")}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "401 true\n" {
		t.Errorf("another user got %q, %v; want 401, and no access to the socket", out, err)
	}
	stop()
	if err := errors.Join(<-ended, <-ended); err != nil {
		t.Error(err)
	}
	if n := r.service.Counters().TokenRequests; n != 0 {
		t.Errorf("%d logins", n)
	}
}

// The file of a secret that another user has made isn't used: that user knows the secret.
func TestSecretFileOfAnotherUser(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file away")
	}
	path := filepath.Join(t.TempDir(), "secret")
	secret, err := tokenendpoint.SecretFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chown(path, 12345, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenendpoint.SecretFile(path); err == nil || !strings.Contains(err.Error(), "belongs to another user") {
		t.Errorf("another user's: %v", err)
	}
	if err := os.Chown(path, 0, -1); err != nil {
		t.Fatal(err)
	}
	if again, err := tokenendpoint.SecretFile(path); err != nil || again.Reveal() != secret.Reveal() {
		t.Errorf("given back: %v", err)
	}
}

// A named pipe is an error at once, though nobody writes to it.
func TestSecretFileIsAPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := tokenendpoint.SecretFile(path); err == nil {
		t.Error("no error")
	}
}
