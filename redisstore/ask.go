package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// ErrUnavailable: Redis, or its Sentinels, can't be reached, or can't answer at the moment, as when Redis loads
// its data. It may be otherwise in a moment. What a user has to mend first is another error: a wrong password or
// name, a missing permission, a certificate that isn't trusted.
var ErrUnavailable = errors.New("can't talk to Redis")

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

	// firstPause is the wait for the second try, at most. Each further one is twice as long.
	firstPause = 20 * time.Millisecond
)

// ask has a conversation with Redis, within the bounds of ctx and patience. It tries again, a few times, what
// may pass at once: a connection that Redis has closed meanwhile, a server that restarts, a failover.
func (s *Store) ask(ctx context.Context, talk func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var last error // that said more than that time is up
	for try := 1; ; {
		began := time.Now()
		err := talk(bounded)
		if err == nil || errors.Is(err, redis.Nil) {
			return err
		}
		if last == nil || !isTimeout(err) {
			last = err
		}
		if try == tries || !mayPass(err) || bounded.Err() != nil {
			return explain(ctx, last)
		}
		if isLeftOver(err, began) {
			continue
		}
		if cluster, ok := s.client.(*redis.ClusterClient); ok {
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

// mayPass reports whether it's of use to ask again.
func mayPass(err error) bool {
	cause, _ := causeOf(err)
	return isPassing(cause) || redis.IsReadOnlyError(cause) // which was the master a moment ago
}

// run runs a script, within the bounds of ctx and patience.
func (s *Store) run(ctx context.Context, script *redis.Script, keys []string, args ...any) (*redis.Cmd, error) {
	var cmd *redis.Cmd
	err := s.ask(ctx, func(ctx context.Context) error {
		cmd = script.Run(ctx, s.client, keys, args...)
		return cmd.Err()
	})
	return cmd, err
}

// explain says what an error of Redis means and, where that is known, what to do about it. ctx is the
// caller's own.
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

// isPassing reports whether an error may pass without anybody's doing.
func isPassing(err error) bool {
	var (
		answer      redis.Error
		network     net.Error
		certificate *tls.CertificateVerificationError
		notTLS      tls.RecordHeaderError
		alert       tls.AlertError
	)
	switch {
	case errors.As(err, &certificate), errors.As(err, &notTLS), errors.As(err, &alert):
		return false
	case errors.As(err, &answer):
		return redis.IsLoadingError(err) || redis.IsMasterDownError(err) || redis.IsClusterDownError(err) ||
			redis.IsTryAgainError(err) || redis.IsMaxClientsError(err) || redis.IsNoReplicasError(err) || redis.HasErrorPrefix(err, "BUSY ")
	}
	return errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, redis.ErrPoolTimeout)
}
