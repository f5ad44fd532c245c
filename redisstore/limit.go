package redisstore

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/shsession/shsession/ratelimit"
)

// Limits returns the state of a rate limit that all members keep beside this token, in one
// key of the token's hash slot. It holds no secret and isn't encrypted. A step is one round
// trip, by the clock of Redis.
func (s *Store) Limits() ratelimit.State { return limits{s} }

type limits struct{ store *Store }

// String returns the store's name.
func (l limits) String() string { return l.store.String() }

// Step implements ratelimit.State.
func (l limits) Step(ctx context.Context, c ratelimit.Change) (a ratelimit.Answer, err error) {
	if ctx.Err() != nil {
		return a, context.Cause(ctx)
	}
	change, err := json.Marshal(c)
	if err != nil {
		return a, err
	}
	cmd, err := l.store.run(ctx, limitScript, []string{l.store.keys.limit}, change, ratelimit.StateKept.Milliseconds())
	if err != nil {
		return a, err
	}
	text, err := cmd.Text()
	if err != nil {
		return a, fmt.Errorf("the limit's script: %w", err)
	}
	if err := json.Unmarshal([]byte(text), &a); err != nil {
		return a, fmt.Errorf("the limit's script: %w", err)
	}
	return a, nil
}
