package soak_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"

	"github.com/shsession/shsession/identity"
)

// A fault is something that happens to a crew. It returns when it is over.
type fault struct {
	name   string
	happen func()
}

const sharers, askers = 3, 4

// commonFaults returns what may happen to a crew, whatever its store is.
func (c *crew) commonFaults() []fault {
	return []fault{
		{"kill a sharer", func() { c.kill(true) }},
		{"kill an asker", func() { c.kill(false) }},
		{"stop a sharer", func() { c.stop(true) }},
		{"stop an asker", func() { c.stop(false) }},
		{"EMFILE in a sharer", func() { c.starve(true) }},
		{"EMFILE in an asker", func() { c.starve(false) }},
		{"rotate the secret", c.rotate},
		{"the log is stuck", c.stickLog},
		{"the service is down", func() {
			c.service.Inject(identity.MustParseFault([]string{"503", "drop", "429", "slow:1s", "cut"}[rand.N(5)]), 0)
			aWhile(3 * time.Second)
			c.service.Clear()
		}},
		{"the token is renewed by hand", func() {
			if p := c.some(true); p != nil {
				p.signal(syscall.SIGHUP)
			}
		}},
	}
}

// aWhile waits for a random time.
func aWhile(most time.Duration) { <-time.After(rand.N(most)) }

func (c *crew) kill(sharer bool) {
	if p := c.some(sharer); p != nil {
		p.signal(syscall.SIGKILL)
		<-p.ended
	}
}

func (c *crew) stop(sharer bool) {
	if p := c.some(sharer); p != nil {
		p.signal(syscall.SIGSTOP)
		aWhile(6 * time.Second)
		p.signal(syscall.SIGCONT)
	}
}

// starve leaves a process no descriptor.
func (c *crew) starve(sharer bool) {
	p := c.some(sharer)
	if p == nil {
		return
	}
	var before unix.Rlimit
	pid := p.cmd.Process.Pid
	if unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &before) != nil {
		return // it has ended
	}
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 3, Max: before.Max}, nil)
	aWhile(3 * time.Second)
	_ = unix.Prlimit(pid, unix.RLIMIT_NOFILE, &before, nil)
}

// stickLog makes a sharer's log one that nobody reads: the pipe is full until a while has
// passed.
func (c *crew) stickLog() {
	p := c.some(true)
	if p == nil {
		return
	}
	p.reading.Lock()
	defer p.reading.Unlock()
	pipe, err := unix.Open(fmt.Sprintf("/proc/%d/fd/2", p.cmd.Process.Pid), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return // the process has ended
	}
	defer unix.Close(pipe)
	for _, filler := range []string{strings.Repeat("\n", 4096), "\n"} {
		for err = nil; err == nil; {
			_, err = unix.Write(pipe, []byte(filler))
		}
	}
	aWhile(6 * time.Second)
}

// segmentFaults returns what may happen to a segment of shared memory.
func (c *crew) segmentFaults() []fault {
	path := "/dev/shm/" + strings.TrimPrefix(c.place, "shm:")
	plant := func(content string, mode os.FileMode) func() {
		return func() {
			planted := path + ".planted"
			if os.WriteFile(planted, []byte(content), mode) != nil || os.Chmod(planted, mode) != nil || os.Rename(planted, path) != nil {
				os.Remove(planted) // there is no space
			}
		}
	}
	return []fault{
		{"unlink", func() { os.Remove(path) }},
		{"truncate", func() { os.Truncate(path, 0) }},
		{"overwrite in place", func() {
			if f, err := os.OpenFile(path, os.O_WRONLY, 0); err == nil {
				_, _ = f.WriteString("garbage")
				f.Close()
			}
		}},
		{"plant garbage", plant("garbage", 0o600)},
		{"plant an expired token", plant(`{"access_token":"planted","expires_at":1000000000}`, 0o600)},
		{"plant a token that others may write", func() { // which nobody replaces
			plant(`{"access_token":"planted","expires_at":9999999999}`, 0o666)()
			aWhile(4 * time.Second)
			os.Remove(path)
		}},
		{"plant a link", func() {
			os.Remove(path)
			_ = os.Symlink("/etc/hostname", path) // a sharer may be quicker
		}},
		{"the locks' directory is taken", c.takeLocks},
		{"ENOSPC", c.fill},
	}
}

// lockDir is where this user's locks are.
func lockDir() string { return fmt.Sprintf("/dev/shm/.shsession-%d", os.Geteuid()) }

// takeLocks puts a file in the place of the locks' directory for a while.
func (c *crew) takeLocks() {
	aside := lockDir() + ".aside"
	if os.Rename(lockDir(), aside) != nil {
		return // there is none yet
	}
	planted := os.WriteFile(lockDir(), nil, 0o600) == nil // else there is no space
	aWhile(4 * time.Second)
	if planted {
		os.Remove(lockDir())
	}
	if os.Rename(aside, lockDir()) != nil { // somebody has made a new one meanwhile
		os.RemoveAll(aside)
	}
}

// fill fills /dev/shm, which is this test's own.
func (c *crew) fill() {
	ballast, err := os.Create("/dev/shm/ballast")
	if err != nil {
		return
	}
	block := make([]byte, 4096)
	for {
		if _, err := ballast.Write(block); err != nil {
			break
		}
	}
	ballast.Close()
	aWhile(4 * time.Second)
	os.Remove(ballast.Name())
}

// replay returns what puts the token back that was in Redis when it was called last.
func (c *crew) replay(client *redis.Client, token string) func() {
	old := ""
	var mu sync.Mutex // guards old
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		there := client.Get(ctx, token).Val() // "" while Redis is stopped
		mu.Lock()
		defer mu.Unlock()
		if old != "" {
			_ = client.Set(ctx, token, old, time.Second).Err()
		}
		old = there
	}
}

// redisFaults returns what may happen to a Redis and to what is in it.
func (c *crew) redisFaults(client *redis.Client, server int) []fault {
	do := func(args ...any) func() {
		return func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			_ = client.Do(ctx, args...).Err() // Redis may be stopped
		}
	}
	each := func(args ...any) func() {
		return func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Second)
			defer cancel()
			keys, _ := client.Keys(ctx, "*").Result()
			for _, key := range keys {
				_ = client.Do(ctx, append([]any{args[0], key}, args[1:]...)...).Err()
			}
		}
	}
	token := "shsession:{soak}:token"
	// While Redis is away each sharer goes on alone.
	return []fault{
		{"FLUSHALL", do("FLUSHALL")},
		{"the token is deleted", do("DEL", token)},
		{"the token is damaged", do("SETRANGE", token, "40", "garbage")},
		{"plant a token that isn't encrypted", do("SET", token, `{"access_token":"planted","expires_at":9999999999}`, "PX", "2000")},
		{"plant a token under another key", do("SET", token, "SHS1"+strings.Repeat("another key ", 9), "PX", "2000")},
		{"the token of a while ago is put back", c.replay(client, token)},
		{"garbage in all keys", each("SET", "garbage")},
		{"all keys are empty", each("SET", "")},
		{"connections are cut", do("CLIENT", "KILL", "TYPE", "normal")},
		{"Redis is stopped", func() {
			_ = syscall.Kill(server, syscall.SIGSTOP)
			aWhile(4 * time.Second)
			_ = syscall.Kill(server, syscall.SIGCONT)
		}},
		{"OOM", func() {
			do("CONFIG", "SET", "maxmemory", "1")()
			aWhile(4 * time.Second)
			do("CONFIG", "SET", "maxmemory", "0")()
		}},
	}
}
