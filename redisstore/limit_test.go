package redisstore_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/ratelimit/limittest"
	"github.com/shsession/shsession/redisstore"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	limittest.Test(t, func(t *testing.T) func() ratelimit.State {
		s.admin.FlushAll(t.Context())
		return func() ratelimit.State {
			client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
			t.Cleanup(func() { client.Close() })
			store, err := redisstore.New(client, "limited", redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return store.Limits()
		}
	})
}

// A step is one command, and so one round trip.
func TestLimitStepIsOneCommand(t *testing.T) {
	s := startRedis(t)
	client := redis.NewClient(&redis.Options{Addr: s.addr, ContextTimeoutEnabled: true})
	defer client.Close()
	store, err := redisstore.New(client, "one", redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, _ := ratelimit.ParsePolicy("60/h,200pu/h,3")
	c := p.Change(ratelimit.Reserve)
	c.ID, c.Lease, c.Month = "one", 3600e3, "2026-01"
	if _, err := store.Limits().Step(t.Context(), c); err != nil { // which loads the script
		t.Fatal(err)
	}
	var commands commandCounter
	client.AddHook(&commands)
	for _, c.Op = range []ratelimit.Op{ratelimit.Reserve, ratelimit.Wait, ratelimit.Renew, ratelimit.Finish, ratelimit.Look} {
		commands = 0
		if _, err := store.Limits().Step(t.Context(), c); err != nil || commands != 1 {
			t.Errorf("%s: %d commands, want 1; %v", c.Op, commands, err)
		}
	}
}

// A commandCounter counts the commands of a client.
type commandCounter int

func (n *commandCounter) DialHook(next redis.DialHook) redis.DialHook { return next }

func (n *commandCounter) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		*n++
		return next(ctx, cmd)
	}
}

func (n *commandCounter) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		*n += commandCounter(len(cmds))
		return next(ctx, cmds)
	}
}

// The script and ratelimit.Memory answer any sequence of changes alike. Periods and pauses
// are so long that it doesn't matter when a step is made.
func TestLimitScriptIsMemory(t *testing.T) {
	t.Parallel()
	s := startRedis(t)
	for seed := range uint64(8) {
		random := rand.New(rand.NewPCG(seed, 14))
		store, err := redisstore.New(s.admin, fmt.Sprint("seed", seed), redisstore.Options{})
		if err != nil {
			t.Fatal(err)
		}
		states := [2]ratelimit.State{new(ratelimit.Memory), store.Limits()}
		open := map[string][2]ratelimit.Change{} // the same reservations in both
		for i := range 200 {
			pair := nextChange(random, open, i, float64(seed%3)*3600e3)
			var answers [2]ratelimit.Answer
			for k, state := range states {
				if answers[k], err = state.Step(t.Context(), pair[k]); err != nil {
					t.Fatal(err)
				}
				pair[k].Ticket = answers[k].Ticket
			}
			if open[pair[0].ID] = pair; pair[0].Op == ratelimit.Finish {
				delete(open, pair[0].ID)
			}
			if diff := cmp.Diff(comparable(answers[0]), comparable(answers[1]), alike...); diff != "" {
				t.Fatalf("seed %d, step %d, %+v: memory (-), Redis (+):\n%s", seed, i, pair[0], diff)
			}
		}
	}
}

// nextChange returns the next step of a random reservation, one for each state.
func nextChange(random *rand.Rand, open map[string][2]ratelimit.Change, i int, knownPace float64) (pair [2]ratelimit.Change) {
	ids := slices.Sorted(maps.Keys(open))
	if len(ids) == 0 || random.IntN(3) == 0 {
		policies := []string{"60/h,200pu/h,3", "60/h,200pu/h,3", "auto", "7/h"}
		p, _ := ratelimit.ParsePolicy(policies[random.IntN(len(policies))])
		c := p.Change(ratelimit.Reserve)
		c.ID, c.Lease, c.Month, c.Units = strconv.Itoa(i), 3600e3, "2026-01", float64(random.IntN(10))
		if i > 0 && random.IntN(10) == 0 {
			c.Carry = []float64{2, 3.5}
		}
		c.KnownPace = knownPace
		return [2]ratelimit.Change{c, c}
	}
	pair = open[ids[random.IntN(len(ids))]]
	op := []ratelimit.Op{ratelimit.Wait, ratelimit.Renew, ratelimit.Look, ratelimit.Finish, ratelimit.Finish}[random.IntN(5)]
	sent, refused, spent := random.IntN(5) > 0, random.IntN(5) == 0, float64(random.IntN(10))
	pause := float64(random.IntN(2)) * 300e3
	if knownPace == 0 { // and the first pace may be short
		pause = 300e3
	}
	for k := range pair {
		pair[k].Op, pair[k].Carry = op, nil
		pair[k].Sent, pair[k].Refused, pair[k].Spent, pair[k].Pause = sent, refused, spent, pause
	}
	return pair
}

// alike are the differences, in milliseconds, between two steps that aren't made at the same moment.
var alike = cmp.Options{within("Wait", 10e3), within("Paused", 10e3), within("Pace", 1)}

// within takes values of an answer's field as equal that differ by so little.
func within(field string, margin float64) cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.String() == field }, cmpopts.EquateApprox(0, margin))
}

// comparable returns an answer without what is the clock's alone.
func comparable(a ratelimit.Answer) ratelimit.Answer {
	a.Ticket.At, a.Began, a.Full, a.MinuteNo, a.Recent, a.Minute = 0, 0, nil, 0, 0, ratelimit.Usage{}
	return a
}
