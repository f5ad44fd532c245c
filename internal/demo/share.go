package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// shareToken shows one token for many processes, two of which are killed, or for
// as many goroutines.
func (d *demo) shareToken(ctx context.Context) error {
	before := d.server.Counters().TokenRequests
	d.server.SetLifetime(shareLife)
	fmt.Fprintf(d.Out, "\n2. One token for every process\n\n")
	b := newBoard(d.Out)
	name := fmt.Sprintf("shsession-demo-%d", os.Getpid())
	_, err := shm.Open(name)
	unsupported := errors.Is(err, errors.ErrUnsupported)
	if unsupported {
		b.event("processes have no place to share a token here: %v", err)
	}
	if unsupported || d.Goroutines {
		b.event("%d workers start: goroutines that have one session between them", workers)
		err = d.inGoroutines(ctx, b)
	} else {
		err = d.inProcesses(ctx, b, name)
	}
	b.erase()
	if err != nil {
		return err
	}
	return b.summary(d.server.Counters().TokenRequests - before)
}

// inProcesses runs a sharer and workers as processes, and kills some.
func (d *demo) inProcesses(ctx context.Context, b *board, name string) error {
	c := &crew{demo: d, board: b, segment: name, said: make(chan said)}
	defer c.disband()
	sharer, err := c.hire(roleSharer, roleSharer)
	if err != nil {
		return err
	}
	if err := c.untilShared(ctx); err != nil {
		return err
	}
	b.event("the sharer, process %d, has logged in; %d workers start, who have no credentials", sharer.pid(), workers)
	victim, err := c.hireWorkers()
	if err != nil {
		return err
	}
	steps := []struct {
		until time.Duration
		then  func() error
	}{
		{shareTime * 3 / 10, func() error {
			b.event("%s, process %d, is killed, and a Join starts", victim.row.name, victim.pid())
			_, hireErr := c.hire(roleJoin, roleJoin)
			return errors.Join(victim.kill(), hireErr)
		}},
		{shareTime * 5 / 10, func() error {
			b.event("the sharer, process %d, is killed; the Join renews the token from now on", sharer.pid())
			return sharer.kill()
		}},
		{shareTime, func() error { return nil }},
	}
	start := time.Now()
	for _, step := range steps {
		if err := c.listen(ctx, start.Add(step.until)); err != nil {
			return err
		}
		if err := step.then(); err != nil {
			return err
		}
	}
	for b.idle() != nil && time.Since(start) < 3*shareTime { // on a busy machine a program takes long to start
		if err := c.listen(ctx, time.Now().Add(100*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// hireWorkers starts the workers, one of them in Python where there is that, and returns
// the one to be killed.
func (c *crew) hireWorkers() (victim *member, err error) {
	python, noPython := exec.LookPath("python3")
	for i := range workers {
		name := fmt.Sprintf("worker %d", i+1)
		if i == workers-1 && noPython == nil {
			_, err = c.hirePython(python, "python")
		} else if i == workers/2 {
			victim, err = c.hire(roleWorker, name)
		} else {
			_, err = c.hire(roleWorker, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return victim, nil
}

// inGoroutines runs the workers in this process, with one session.
func (d *demo) inGoroutines(ctx context.Context, b *board) error {
	session, err := shsession.New(d.config)
	if err != nil {
		return err
	}
	working, cancel := context.WithTimeout(ctx, shareTime)
	defer cancel()
	reports := make(chan said)
	t := task{API: d.api}
	for i := range workers {
		row := b.add(fmt.Sprintf("worker %d", i+1), 0)
		tell := func(r report) error {
			select {
			case reports <- said{row: row, report: r}:
			case <-working.Done():
			}
			return nil
		}
		go t.work(working, tell, func() (*shsession.Session, error) { return session, nil })
	}
	return b.listen(ctx, reports, time.Now().Add(shareTime))
}
