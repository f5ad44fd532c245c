package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/shsession/shsession/shm"
)

// A crew is the demo's processes.
type crew struct {
	*demo
	board   *board
	segment string
	members []*member
	said    chan said // what all of them report
}

// A member is one process of the demo.
type member struct {
	cmd      *exec.Cmd
	row      *row
	stdin    io.Closer
	stderr   bytes.Buffer // to be read when gone is closed
	expected bool         // to die
	gone     chan struct{}
}

// said is a report and whose it is. end is set, and nothing else, for the last
// of a process.
type said struct {
	row    *row
	report report
	end    *member
}

func (m *member) pid() int { return m.cmd.Process.Pid }

// kill kills the process with SIGKILL.
func (m *member) kill() error {
	m.expected = true
	m.row.isKilled = true
	return m.cmd.Process.Kill()
}

// hire starts a process of this program.
func (c *crew) hire(role, name string) (*member, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	t := task{Role: role, Segment: c.segment, API: c.api}
	if role != roleWorker {
		t.TokenURL, t.ClientID, t.Secret = c.config.TokenURL, c.config.ClientID, c.config.ClientSecret.Reveal()
	}
	cmd := exec.Command(self, ProcessCommand)
	cmd.Args[0] = os.Args[0]
	return c.start(cmd, name, t)
}

// hirePython starts a worker that is a few lines of Python.
func (c *crew) hirePython(python, name string) (*member, error) {
	return c.start(exec.Command(python, "-c", pythonWorker, "/dev/shm/"+c.segment, c.api), name, task{})
}

// start starts a process that gets its task on standard input, and an environment
// without secrets.
func (c *crew) start(cmd *exec.Cmd, name string, t task) (*member, error) {
	cmd.Env = []string{"NO_PROXY=127.0.0.1"}
	for _, name := range []string{"PATH", "HOME", "XDG_CACHE_HOME", "LocalAppData"} { // for a store in a private directory
		cmd.Env = append(cmd.Env, name+"="+os.Getenv(name))
	}
	m := &member{cmd: cmd, gone: make(chan struct{})}
	cmd.Stderr = &m.stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	m.stdin = stdin
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the %s: %w", name, err)
	}
	m.row = c.board.add(name, m.pid())
	c.members = append(c.members, m)
	go func() {
		decoder := json.NewDecoder(stdout)
		for {
			var r report
			if decoder.Decode(&r) != nil { // it was killed, perhaps in mid-word
				break
			}
			c.said <- said{row: m.row, report: r}
		}
		cmd.Wait()
		close(m.gone)
		c.said <- said{end: m}
	}()
	return m, json.NewEncoder(stdin).Encode(t)
}

// untilShared waits until there is a token in the segment.
func (c *crew) untilShared(ctx context.Context) error {
	store, err := shm.Open(c.segment)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); {
		if err := c.listen(ctx, time.Now().Add(10*time.Millisecond)); err != nil {
			return err
		}
		if _, err := store.Load(ctx); err == nil {
			return nil
		}
	}
	return errors.New("the sharer has shared nothing in 10 seconds")
}

// listen follows what the processes report, until a time.
func (c *crew) listen(ctx context.Context, until time.Time) error {
	return c.board.listen(ctx, c.said, until)
}

// unexpected is the error of a process that ended by itself.
func (m *member) unexpected() error {
	text := strings.TrimSpace(m.stderr.String())
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		text = text[i+1:]
	}
	return fmt.Errorf("the process %s ended by itself (%v): %s", m.row.name, m.cmd.ProcessState, text)
}

// disband ends all processes and removes what they shared.
func (c *crew) disband() {
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-c.said:
			case <-done:
				return
			}
		}
	}()
	for _, m := range c.members {
		m.expected = true
		m.stdin.Close()
		m.cmd.Process.Kill() // an error means that it has ended
	}
	for _, m := range c.members {
		<-m.gone
	}
	close(done)
	shm.Remove(context.Background(), c.segment) // an error means that nothing was there
}
