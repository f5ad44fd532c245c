package redisstore

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/shsession/shsession"
)

// aliveIntervals is how many looks a sharer can miss before it's taken for dead.
const aliveIntervals = 10

func (s *Store) aliveFor() time.Duration { return aliveIntervals * s.interval }

// A registration is what a sharer says about itself: a field of the hash of sharers,
// whose value is the time, by Redis's clock, until which it is taken for alive.
type registration struct {
	Host     string `json:"host"`
	PID      int    `json:"pid"`
	ClientID string `json:"client_id,omitempty"`
	Issuer   string `json:"issuer,omitempty"`
	ID       string `json:"id"` // tells two sharers in one process apart
}

// newRegistration returns the registration of this process.
func newRegistration(account shsession.Account) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	data, err := json.Marshal(registration{Host: host, PID: os.Getpid(), ClientID: account.ClientID, Issuer: account.Issuer, ID: rand.Text()[:10]})
	if err != nil {
		panic("redisstore: strings and numbers can't be encoded: " + err.Error())
	}
	return string(data)
}

// parseRegistration reads a registration, and returns the zero Sharer if it is none.
func parseRegistration(text string) shsession.Sharer {
	var c registration
	if json.Unmarshal([]byte(text), &c) != nil {
		return shsession.Sharer{}
	}
	return shsession.Sharer{PID: c.PID, Host: c.Host, Account: shsession.Account{Issuer: c.Issuer, ClientID: c.ClientID}}
}

// unregister takes a sharer off the list. Should that fail, it is taken for dead
// in time.
func (s *Store) unregister(ctx context.Context, registration string) {
	_ = s.withRetry(ctx, func(ctx context.Context, client redis.UniversalClient) error {
		return client.HDel(ctx, s.keys.sharers, registration).Err()
	})
}

// Sharers returns the processes, on all machines, that keep the token in place with
// a Watch, and those that did and died without withdrawing the token. The dead are
// removed when another process shares the token, or after a day.
func (s *Store) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	var now time.Time
	var fields map[string]string
	err = s.withRetry(ctx, func(ctx context.Context, client redis.UniversalClient) (err error) {
		fields, err = client.HGetAll(ctx, s.keys.sharers).Result()
		if redis.HasErrorPrefix(err, "WRONGTYPE ") {
			fields, err = nil, nil // it isn't ours
		}
		if err == nil {
			now, err = s.now(ctx, client)
		}
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		until, err := strconv.ParseInt(fields[name], 10, 64)
		sharer := parseRegistration(name)
		if err != nil || sharer == (shsession.Sharer{}) || until > now.Add(memory).UnixMilli() {
			continue // the digest of what they share, or nothing of ours
		}
		if until > now.UnixMilli() {
			live = append(live, sharer)
		} else {
			dead = append(dead, sharer)
		}
	}
	return live, dead, nil
}

// now returns the time by the clock of the Redis that has the keys. It is not asked for
// in a script: a follower, who may read and no more, can have it too.
func (s *Store) now(ctx context.Context, client redis.UniversalClient) (time.Time, error) {
	cluster, ok := client.(*redis.ClusterClient)
	if !ok {
		return client.Time(ctx).Result()
	}
	node, err := cluster.MasterForKey(ctx, s.keys.sharers)
	if err != nil {
		return time.Time{}, err
	}
	return node.Time(ctx).Result()
}
