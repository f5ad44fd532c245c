package shsession_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/internal/testkit"
	"github.com/shsession/shsession/shm"
)

// readmeProgram is what stands around the blocks of README that aren't programs by themselves: one for shm, and
// one for redisstore. Its argument says which of them it runs.
const readmeProgram = `package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
	"github.com/shsession/shsession/shconfig"
	"github.com/shsession/shsession/shm"
)

func main() {
	profile, err := shconfig.Load(shconfig.Options{})
	if err != nil {
		log.Fatal(err)
	}
	run := overShm
	if os.Args[1] == "redis" {
		run = overRedis
	}
	if err := run(context.Background(), profile); err != nil {
		log.Fatal(err)
	}
}

func overShm(ctx context.Context, profile shconfig.Profile) error {
%s
	return nil
}

func overRedis(ctx context.Context, profile shconfig.Profile) error {
%s
	return nil
}
`

// README's Go compiles, and runs against an identity service.
func TestReadme(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(blocks) != 3 {
		t.Fatalf("README has %d blocks of Go", len(blocks))
	}
	t.Run("program", func(t *testing.T) {
		t.Parallel()
		wantReadme(t, buildReadme(t, blocks[0][1]), "", "200 OK\n")
	})
	t.Run("blocks", func(t *testing.T) {
		t.Parallel()
		own := fmt.Sprintf("shsession-readme-%d", os.Getpid())
		t.Cleanup(func() { _ = shm.Remove(context.Background(), own) }) // if the program shared it
		overShm := strings.Replace(blocks[1][1], "my-job", own, 1)
		redis := testkit.StartRedis(t)
		overRedis := strings.Replace(blocks[2][1], "redis://localhost:6379", redis, 1)
		program := buildReadme(t, fmt.Sprintf(readmeProgram, overShm, overRedis))
		wantReadme(t, program, "shm", " UTC\n")
		wantReadme(t, program, "redis", "1\n")
	})
}

// buildReadme compiles a program.
func buildReadme(t *testing.T, text string) (program string) {
	t.Helper()
	dir := t.TempDir()
	source, program := filepath.Join(dir, "main.go"), filepath.Join(dir, "program.exe")
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testkit.Need(t, "go"), "build", "-ldflags=-s -w", "-o", program, source).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, text)
	}
	return program
}

// wantReadme runs a program with credentials of an identity service in its environment. What
// it prints has to end as it should.
func wantReadme(t *testing.T, program, argument, want string) {
	t.Helper()
	server := httptest.NewServer(testkit.NewService(t, identity.Options{}))
	defer server.Close()
	cmd := exec.Command(program, argument)
	cmd.Env = append(os.Environ(), "XDG_CONFIG_HOME="+t.TempDir(), "SH_PROFILE=",
		"SH_CLIENT_ID="+identity.DevelopmentID, "SH_CLIENT_SECRET="+identity.DevelopmentSecret,
		"SH_BASE_URL="+server.URL, "SH_TOKEN_URL="+server.URL+"/auth/realms/main/protocol/openid-connect/token")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.Bytes())
	}
	if !strings.HasSuffix(string(out), want) {
		t.Errorf("printed %q, want %q at the end", out, want)
	}
}
