package main

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
)

// clientIn returns the id of startService's client, under which tests share, since its segments
// and locks are removed in the end.
func clientIn(env []string) string { return strings.TrimPrefix(env[0], "SH_CLIENT_ID=") }

// A share is ready once its token is shared, counts what it does, and logs in JSON if it's told to.
func TestProbesAndMetrics(t *testing.T) {
	t.Parallel()
	service, env := startService(t)
	service.Inject(identity.MustParseFault("503"), 0)
	config := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(config, []byte("[default-profile]\nmax_download_attempts = 100\ndownload_sleep_time = 0.05\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := command(t, append(env, "JOURNAL_STREAM=1:2"), "share", "--config", config,
		"--name", clientIn(env), "--metrics", "127.0.0.1:0", "--log-format", "json",
		"--endpoint=unix:"+filepath.Join(t.TempDir(), "s"), "--endpoint-secret-file", filepath.Join(t.TempDir(), "secret"))
	p.start(t)
	said := regexp.MustCompile(`"url":"(http://127\.0\.0\.1:\d+)/metrics"`)
	testkit.Eventually(t, "metrics", func() bool { return said.MatchString(p.err.String()) })
	base := said.FindStringSubmatch(p.err.String())[1]
	testkit.Eventually(t, "a login", func() bool { return service.Counters().TokenRequests > 0 })
	if code, text := get(t.Context(), base+"/readyz"); code != http.StatusServiceUnavailable || text == "" {
		t.Errorf("readyz before there is a token: %d %q", code, text)
	}
	if code, _ := get(t.Context(), base+"/healthz"); code != http.StatusOK {
		t.Errorf("healthz before there is a token: %d", code)
	}
	service.Clear()
	testkit.Eventually(t, "readiness", func() bool { code, _ := get(t.Context(), base+"/readyz"); return code == http.StatusOK })
	_, text := get(t.Context(), base+"/metrics")
	for _, want := range []string{
		"shsession_logins_total 1\n", "shsession_endpoint_tokens_total 0\n", "shsession_sink_up{sink=\"shm:shsession-cmdtest-", "process_resident_memory_bytes ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in the metrics:\n%s", want, text)
		}
	}
	if strings.Contains(text, "eyJ") || strings.Contains(text, scriptSecret) {
		t.Error("the metrics hold a secret")
	}
	p.Process.Signal(syscall.SIGTERM)
	if got := p.exit(t); got != 0 {
		t.Errorf("exit code %d", got)
	}
	if code, _ := get(t.Context(), base+"/healthz"); code != 0 {
		t.Errorf("healthz after the end: %d", code)
	}
	if p.out.String() != "" {
		t.Errorf("it wrote %q beside its log", p.out.String())
	}
	for line := range strings.Lines(p.err.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("no JSON: %s", line)
		}
	}
	if !strings.Contains(p.err.String(), `"msg":"the token is shared"`) {
		t.Errorf("the log doesn't say that the token is shared: %s", p.err.String())
	}
}

func TestMetricsAddress(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, hint := range map[string]string{"0.0.0.0:0": "--metrics-allow-remote", taken.Addr().String(): ""} {
		p := command(t, env, "share", "--name", clientIn(env), "--metrics", address)
		p.start(t)
		if got := p.exit(t); got != 1 || !strings.Contains(p.err.String(), "--metrics: ") || !strings.Contains(p.err.String(), hint) {
			t.Errorf("--metrics %s: exit code %d, %s", address, got, p.err.String())
		}
	}
}

// systemd is told that the service is ready, alive and ending, and its journal gets levels and no times.
func TestSystemd(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	dir := t.TempDir()
	socket, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: filepath.Join(dir, "notify"), Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	journal, err := os.Create(filepath.Join(dir, "journal"))
	if err != nil {
		t.Fatal(err)
	}
	defer journal.Close()
	p := command(t, env, "share", "--name", clientIn(env))
	p.Env = append(p.Env, "NOTIFY_SOCKET="+socket.LocalAddr().String(), "WATCHDOG_USEC=100000", "JOURNAL_STREAM="+device(t, journal))
	p.Stderr = journal
	p.start(t)
	awaitDatagram(t, socket, "READY=1\nSTATUS=sharing a token of client shsession-cmdtest-")
	awaitDatagram(t, socket, "WATCHDOG=1")
	awaitDatagram(t, socket, "WATCHDOG=1")
	p.Process.Signal(syscall.SIGTERM)
	awaitDatagram(t, socket, "STOPPING=1")
	if got := p.exit(t); got != 0 {
		t.Errorf("exit code %d", got)
	}
	text, err := os.ReadFile(journal.Name())
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(text), `<6>msg="new token" client_id=`) || strings.Contains(string(text), "time=") {
		t.Errorf("the journal got %s", text)
	}
}

// device returns what JOURNAL_STREAM is when a file is the journal.
func device(t *testing.T, file *os.File) string {
	t.Helper()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	stat := info.Sys().(*syscall.Stat_t)
	return fmt.Sprintf("%d:%d", stat.Dev, stat.Ino)
}

// awaitDatagram reads what systemd is told, until that begins with text.
func awaitDatagram(t *testing.T, socket *net.UnixConn, text string) {
	t.Helper()
	if err := socket.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 4096)
	for {
		n, err := socket.Read(buf)
		if err != nil {
			t.Fatalf("systemd wasn't told %q: %v", text, err)
		}
		if strings.HasPrefix(string(buf[:n]), text) {
			return
		}
	}
}

// A command gets our signals once each, is told of no systemd, and its answer to them is ours.
func TestCommandGetsSignals(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	name := clientIn(env)
	script := `trap 'echo TERM' TERM; trap 'echo HUP' HUP; trap 'echo INT; exit 5' INT
		echo "socket $NOTIFY_SOCKET"; while :; do sleep 0.01; done`
	p := command(t, append(env, "NOTIFY_SOCKET=/nowhere"), "share", "--name", name, "--", "sh", "-c", script)
	p.start(t)
	testkit.Eventually(t, "a command", func() bool { return p.out.String() == "socket \n" })
	want := "socket \n"
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT} {
		p.Process.Signal(signal)
		want += map[syscall.Signal]string{syscall.SIGTERM: "TERM\n", syscall.SIGHUP: "HUP\n", syscall.SIGINT: "INT\n"}[signal]
		testkit.Eventually(t, want, func() bool { return p.out.String() == want })
	}
	if got := p.exit(t); got != 5 {
		t.Errorf("exit code %d: %s", got, p.err.String())
	}
	if p.out.String() != want {
		t.Errorf("it wrote %q", p.out.String())
	}
	if _, err := os.Lstat("/dev/shm/" + name); !os.IsNotExist(err) {
		t.Errorf("the token is still there: %v", err)
	}
}

// A share isn't ready, and its sink isn't up, soon after Redis has gone, though the token would live
// for long.
func TestNotReadyWithoutRedis(t *testing.T) {
	t.Parallel()
	_, env := startService(t)
	url := testkit.StartRedis(t)
	p := command(t, env, "share", "--to", url+"?key="+clientIn(env), "--metrics", "127.0.0.1:0", "--log-format", "json")
	p.start(t)
	said := regexp.MustCompile(`"url":"(http://127\.0\.0\.1:\d+)/metrics"`)
	testkit.Eventually(t, "metrics", func() bool { return said.MatchString(p.err.String()) })
	base := said.FindStringSubmatch(p.err.String())[1]
	ready := func() int { code, _ := get(t.Context(), base+"/readyz"); return code }
	testkit.Eventually(t, "readiness", func() bool { return ready() == http.StatusOK })
	redis, err := net.Dial("tcp", strings.TrimPrefix(url, "redis://"))
	if err != nil {
		t.Fatal(err)
	}
	defer redis.Close()
	if _, err := fmt.Fprint(redis, "SHUTDOWN NOSAVE\r\n"); err != nil {
		t.Fatal(err)
	}
	testkit.Eventually(t, "/readyz says so", func() bool { return ready() == http.StatusServiceUnavailable })
	if _, text := get(t.Context(), base+"/metrics"); !regexp.MustCompile(`shsession_sink_up\{sink="redis:.*"\} 0\n`).MatchString(text) {
		t.Errorf("the sink is up: %s", text)
	}
	if code, _ := get(t.Context(), base+"/healthz"); code != http.StatusOK {
		t.Errorf("/healthz: %d", code)
	}
}
