package interop_test

import (
	"bufio"
	"net"
	"os/exec"
	"testing"
	"time"
)

// TestPrograms checks that what the scripts promise to later tests is there and runs.
func TestPrograms(t *testing.T) {
	for program, argument := range map[string]string{
		"chromium": "--version", "curl": "--version", "gdalinfo": "--version", "less": "--version", "node": "--version", "promtool": "--version",
		"redis-server": "--version", "Rscript": "--version", "samtools": "--version", "tmux": "-V", "vi": "--version", "wget": "--version",
	} {
		t.Run(program, func(t *testing.T) {
			if out, err := exec.CommandContext(t.Context(), needProgram(t, program), argument).CombinedOutput(); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		})
	}
}

func TestRedisAnswers(t *testing.T) {
	conn, err := net.DialTimeout("tcp", needRedis(t), 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if answer != "+PONG\r\n" {
		t.Errorf("answered %q", answer)
	}
}
