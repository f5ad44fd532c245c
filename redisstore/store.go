package redisstore

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

const (
	// DefaultName is the name that a URL without key= means, the same as
	// package shm's.
	DefaultName = "sh-session-token"

	// DefaultLease is how long the lock outlives its holder when [Options]
	// doesn't say: long enough for a slow network, and short enough that
	// another logs in before the token of a dead holder ends.
	DefaultLease = 5 * time.Second

	// DefaultInterval is how often a Watch looks when [Options] doesn't say.
	DefaultInterval = time.Second

	// patience bounds one conversation with Redis, with all retries.
	patience = 2 * time.Second

	maxName = 255
)

// Options are the settings of a Store. The zero value is ready to use. It shows no
// secret when it is printed, logged or marshalled.
type Options struct {
	// Key encrypts the token, so that it can't be read in Redis, its files or
	// its traffic. Every process that uses the name needs the same key. It
	// has at least 16 characters that can't be guessed: `openssl rand -hex 32`
	// makes one. With the zero Secret the token isn't encrypted. See also ClientKey.
	Key shsession.Secret

	// Lease is how long the lock is kept from others after its holder died.
	// The holder renews it three times in that time. 0 means DefaultLease.
	Lease time.Duration

	// Interval is how often a Watch looks after the token, give or take a
	// quarter. 0 means DefaultInterval.
	Interval time.Duration

	// Password and SentinelPassword are what Open logs in to Redis, and to
	// its Sentinels, with. New doesn't use them.
	Password         shsession.Secret
	SentinelPassword shsession.Secret
}

// A Store is one token in Redis. Make it with New or Open.
//
// Its methods may be called by several goroutines at once. Two Stores of one
// name are like two processes that share it. Besides ctx, two seconds bound what
// each method waits for Redis. A deadline of ctx holds exactly; that ctx was cancelled
// may be noticed a second later.
type Store struct {
	client redis.UniversalClient
	owned  bool // Close closes the client
	name   string
	keys   keys
	sealer *sealer // nil if the token isn't encrypted

	lease, interval time.Duration

	// turn holds one element while somebody publishes, withdraws or looks
	// after the token. It guards the fields below, and it is held while Redis
	// is asked, since they say what is there: between a Publish and the note
	// of it, a look would take the token for a stranger's. It's no mutex:
	// whoever waits for it does so until its ctx is done.
	turn   chan struct{}
	own    *value // what this Store published last and hasn't withdrawn, or nil
	kept   *value // what a watch saw last, to be kept in place, or nil
	watch  *watch // nil unless watching
	member string // who this was among the sharers since the last Withdraw, or ""
}

// keys are the names of the Store's keys, which are all in one hash slot.
type keys struct{ token, lock, fence, sharers string }

// A value is a token as it is in Redis.
type value struct {
	data   []byte    // nil for something that isn't a token of ours
	digest string    // of data
	expiry time.Time // by the wall clock
	asked  time.Time // when it was asked for, if it comes from Redis
}

func newValue(data []byte, expiry time.Time) *value {
	return &value{data: data, digest: fmt.Sprintf("%x", sha1.Sum(data)), expiry: expiry.Round(0)}
}

// New returns the Store of that name in the Redis that client is connected to. It sends
// nothing. The client is the caller's, who closes it after use; see [Open] for
// one that the Store owns. Its ContextTimeoutEnabled should be set, or a deadline
// takes effect only between its retries, and it must not read from replicas.
//
// A name has 1 to 255 bytes of printable text without spaces or braces.
func New(client redis.UniversalClient, name string, opts Options) (*Store, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if opts.Lease < 0 || opts.Interval < 0 {
		return nil, errors.New("the lease and the interval can't be negative")
	}
	sealer, err := newSealer(opts.Key, name)
	if err != nil {
		return nil, err
	}
	return &Store{
		client: client,
		name:   name,
		keys: keys{
			token:   "shsession:{" + name + "}:token",
			lock:    "shsession:{" + name + "}:lock",
			fence:   "shsession:{" + name + "}:fence",
			sharers: "shsession:{" + name + "}:sharers",
		},
		sealer:   sealer,
		lease:    orDefault(opts.Lease, DefaultLease),
		interval: orDefault(opts.Interval, DefaultInterval),
		turn:     make(chan struct{}, 1),
	}, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the name of the token in Redis is empty")
	case len(name) > maxName:
		return fmt.Errorf("the name of the token in Redis is %d bytes long, more than %d", len(name), maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsPrint(r) || r == ' ' || r == '{' || r == '}'
	}):
		return fmt.Errorf("the name %q of the token in Redis has a space, a brace or something unprintable in it", name)
	}
	return nil
}

// String returns "redis:" and the name.
func (s *Store) String() string { return "redis:" + s.name }

// Format writes what String returns, whatever the verb: reflection would read
// fields that are in use.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// Close closes the client if Open made it. Stop a Watch and release the lock
// first.
func (s *Store) Close() error {
	if !s.owned {
		return nil
	}
	return s.client.Close()
}

// begin waits for the turn. Call done to end it.
func (s *Store) begin(ctx context.Context) (done func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case s.turn <- struct{}{}:
		return func() { <-s.turn }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
