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
	// DefaultName is the name for a URL without key=, the same as package shm's.
	DefaultName = "sh-session-token"

	// DefaultLease is how long the lock outlives its holder when [Options]
	// doesn't say: long enough for a slow network, and short enough that
	// another logs in before the token of a dead holder ends.
	DefaultLease = 5 * time.Second

	// DefaultInterval is how often a Watch looks at the token when [Options] doesn't say.
	DefaultInterval = time.Second

	// defaultPatience is the patience of every Store, but in tests.
	defaultPatience = 2 * time.Second

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

	// ReadKey, if not nil, returns the key in place of Key. It is called before each
	// Publish, and again, once a second at most, while the token in Redis is under another
	// key, so that a key that [ClientKey] makes changes with the client's secret while the
	// program runs.
	ReadKey func(ctx context.Context) (shsession.Secret, error) `json:"-"`

	// Lease is how long the lock is kept from others after its holder died.
	// The holder renews it three times in that time. 0 means DefaultLease.
	Lease time.Duration

	// Interval is how often a Watch looks after the token, give or take a
	// quarter. 0 means DefaultInterval.
	Interval time.Duration

	// Password and SentinelPassword are the passwords with which a Store that Open made logs
	// in to Redis and to its Sentinels. New doesn't use them.
	Password         shsession.Secret
	SentinelPassword shsession.Secret

	// ReadPassword and ReadSentinelPassword, if not nil, return the passwords in place of
	// the fields above. They are called before the first login, and again when a password
	// was refused, so that one can be rotated while the program runs.
	ReadPassword         func(ctx context.Context) (shsession.Secret, error) `json:"-"`
	ReadSentinelPassword func(ctx context.Context) (shsession.Secret, error) `json:"-"`
}

// A Store is one token in Redis. Make it with New or Open.
//
// Several goroutines may call its methods at once. Two Stores of one name are like
// two processes that share under that name. Each method waits for Redis until ctx is
// done, and for two seconds at most. A deadline of ctx holds exactly; a cancelled ctx
// may be noticed a second later.
type Store struct {
	connector *connector
	name      string
	place     string // see SamePlace; "" from New
	keys      keys
	key       *storeKey

	lease, interval time.Duration
	patience        time.Duration // bounds one call to Redis, with all its retries

	// turn holds one element while a goroutine publishes, withdraws or watches
	// the token. It guards the fields below. A goroutine keeps it while it asks
	// Redis, since the fields say what is in Redis: otherwise a watch could take
	// a token that was just published for another process's. It is a channel
	// and not a mutex, so that a goroutine can wait for it until its ctx is done.
	turn         chan struct{}
	own          *value // what this Store published last and hasn't withdrawn, or nil
	kept         *value // what a watch saw last, to be kept in place, or nil
	watch        *watch // nil unless watching
	registration string // what this Store was registered as since the last Withdraw, or ""
}

// keys are the names of the Store's keys, which are all in one hash slot.
type keys struct{ token, lock, fence, sharers, note, limit string }

// A value is a token as it is in Redis.
type value struct {
	data   []byte    // nil for a value that isn't a token
	digest string    // of data
	expiry time.Time // by the wall clock
	asked  time.Time // when the request for it was sent, if it comes from Redis
}

func newValue(data []byte, expiry time.Time) *value {
	return &value{data: data, digest: fmt.Sprintf("%x", sha1.Sum(data)), expiry: expiry.Round(0)}
}

// New returns the Store of that name in the Redis that client is connected to. It sends
// nothing. The caller owns the client and closes it after use; the Store that [Open]
// returns owns its client. Set the client's ContextTimeoutEnabled: without it a deadline
// takes effect only between its retries. The client must not read from replicas.
//
// A name has 1 to 255 bytes of printable text without spaces or braces.
func New(client redis.UniversalClient, name string, opts Options) (*Store, error) {
	if err := checkName(name); err != nil {
		return nil, err
	}
	if opts.Lease < 0 || opts.Interval < 0 {
		return nil, errors.New("the lease and the interval can't be negative")
	}
	key, err := newStoreKey(opts, name)
	if err != nil {
		return nil, err
	}
	return &Store{
		connector: &connector{client: client},
		name:      name,
		keys: keys{
			token:   "shsession:{" + name + "}:token",
			lock:    "shsession:{" + name + "}:lock",
			fence:   "shsession:{" + name + "}:fence",
			sharers: "shsession:{" + name + "}:sharers",
			note:    "shsession:{" + name + "}:note",
			limit:   "shsession:{" + name + "}:limit",
		},
		key:      key,
		lease:    orDefault(opts.Lease, DefaultLease),
		interval: orDefault(opts.Interval, DefaultInterval),
		patience: defaultPatience,
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

// Format writes what String returns, for every verb: reflection would read
// fields that are in use.
func (s *Store) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// Close closes the client if Open made it. Stop a Watch and release the lock
// first.
func (s *Store) Close() error {
	return s.connector.close()
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
