package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// ErrUnavailable: Redis, or its Sentinels, can't be reached, or can't answer at the
// moment, as when Redis loads its data. A later call may succeed. What a user has to
// correct first is another error: a wrong password or name, a missing permission, a
// certificate that isn't trusted. errors.Is(ErrUnavailable, shsession.ErrUnavailable) is true.
var ErrUnavailable error = unavailable{}

type unavailable struct{}

func (unavailable) Error() string        { return "can't talk to Redis" }
func (unavailable) Is(target error) bool { return target == shsession.ErrUnavailable }

// What the user can do about an error of Redis.
var (
	errLogin         = errors.New("set SHSESSION_REDIS_PASSWORD, and the user in the URL")
	errACL           = errors.New("the user needs the ACL in docs/cluster.md")
	errReplica       = errors.New("this Redis is a replica, which can't be written to: name the master, or use redis+sentinel:// or redis+cluster://")
	errSentinelLogin = errors.New("set SHSESSION_REDIS_SENTINEL_PASSWORD, and sentinel_user= in the URL if they have users")
	errSentinelACL   = errors.New("the Sentinels' user needs the ACL in docs/cluster.md")
	errNoMaster      = errors.New("the Sentinels know no Redis by the name that the URL has as master=")
)

const (
	// tries is how often a method asks before it gives up.
	tries = 4

	// firstPause is the wait for the second try, at most. Each further one is twice as
	// long.
	firstPause = 20 * time.Millisecond
)

// withRetry has a conversation with Redis, within the bounds of ctx and s.patience. It
// tries again, a few times, what may pass at once: a connection that Redis has closed
// meanwhile, a server that restarts, a failover, a password that was changed.
func (s *Store) withRetry(ctx context.Context, talk func(ctx context.Context, client redis.UniversalClient) error) error {
	bounded, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	client, err := s.connector.get(bounded)
	if err != nil {
		return err
	}
	var last error // that said more than that time is up
	for try := 1; ; {
		began := time.Now()
		err := talk(bounded, client)
		if err == nil || errors.Is(err, redis.Nil) {
			return err
		}
		if last == nil || !isTimeout(err) {
			last = err
		}
		next, readErr := s.connector.renew(bounded, client, err)
		renewed := next != client
		client = next
		if readErr != nil || try == tries || !renewed && !retryable(err) || bounded.Err() != nil {
			return errors.Join(explain(ctx, last), readErr)
		}
		if isLeftOver(err, began) {
			continue
		}
		if cluster, ok := client.(*redis.ClusterClient); ok {
			cluster.ReloadState(bounded) // another node may have the key meanwhile
		}
		pause := firstPause << (try - 1)
		try++
		select {
		case <-time.After(pause/2 + rand.N(pause/2)):
		case <-bounded.Done():
			return explain(ctx, last)
		}
	}
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout() // which context.DeadlineExceeded is too
}

// retryable reports whether it's of use to ask again.
func retryable(err error) bool {
	cause, _ := causeOf(err)
	return isPassing(cause) || redis.IsReadOnlyError(cause) // which was the master a moment ago
}

// run runs a script, within the bounds of ctx and s.patience.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (*redis.Cmd, error) {
	var cmd *redis.Cmd
	err := s.withRetry(ctx, func(ctx context.Context, client redis.UniversalClient) error {
		cmd = script.Run(ctx, client, keys, args...)
		return cmd.Err()
	})
	return cmd, err
}

// explain says what an error of Redis means and, where that is known, what to do about
// it. ctx is the caller's own.
func explain(ctx context.Context, err error) error {
	cause, sentinel := causeOf(err)
	switch {
	case ctx.Err() != nil:
		return fmt.Errorf("%w while waiting for Redis", context.Cause(ctx))
	case sentinel:
		return explainSentinel(cause)
	case redis.IsAuthError(cause):
		return fmt.Errorf("logging in to Redis: %w; %w", cause, errLogin)
	case redis.IsPermissionError(cause):
		return fmt.Errorf("talking to Redis: %w; %w", cause, errACL)
	case redis.IsReadOnlyError(cause):
		return errReplica
	case isTimeout(cause):
		return fmt.Errorf("%w: it doesn't answer: %w", ErrUnavailable, cause)
	case isPassing(cause):
		return fmt.Errorf("%w: %w", ErrUnavailable, cause)
	}
	return fmt.Errorf("talking to Redis: %w", cause)
}

// explainSentinel is explain for what comes from the Sentinels.
func explainSentinel(err error) error {
	switch {
	case redis.IsAuthError(err):
		return fmt.Errorf("logging in to the Sentinels: %w; %w", err, errSentinelLogin)
	case redis.IsPermissionError(err):
		return fmt.Errorf("talking to the Sentinels: %w; %w", err, errSentinelACL)
	case errors.Is(err, redis.Nil):
		return errNoMaster
	case isTimeout(err):
		return fmt.Errorf("%w: the Sentinels don't answer: %w", ErrUnavailable, err)
	case isPassing(err):
		return fmt.Errorf("%w: asking the Sentinels: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("talking to the Sentinels: %w", err)
}

// isPassing reports whether an error may pass by itself.
func isPassing(err error) bool {
	var (
		answer  redis.Error
		network net.Error
	)
	switch {
	case isTLSRefusal(err):
		return false
	case errors.As(err, &answer):
		return redis.IsLoadingError(err) || redis.IsMasterDownError(err) || redis.IsClusterDownError(err) ||
			redis.IsTryAgainError(err) || redis.IsMaxClientsError(err) || redis.IsNoReplicasError(err) ||
			redis.HasErrorPrefix(err, "BUSY ") || isFull(answer)
	}
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout)
}

// isFull reports whether Redis refuses to write, for want of memory or because it can't
// save what it has. Redis 6 puts the words of a script's command behind its own.
func isFull(answer redis.Error) bool {
	for _, code := range []string{"OOM ", "MISCONF "} {
		if redis.HasErrorPrefix(answer, code) || strings.Contains(answer.Error(), ": -"+code) {
			return true
		}
	}
	return false
}
