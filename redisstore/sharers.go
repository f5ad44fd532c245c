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

// A card is what a sharer says about itself: a field of the hash of sharers, whose
// value is the time, by Redis's clock, until which it is taken for alive.
type card struct {
	Host     string `json:"host"`
	PID      int    `json:"pid"`
	ClientID string `json:"client_id,omitempty"`
	ID       string `json:"id"` // tells two sharers in one process apart
}

// newMember returns the card of this process.
func newMember(clientID string) string {
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	data, err := json.Marshal(card{Host: host, PID: os.Getpid(), ClientID: clientID, ID: rand.Text()[:10]})
	if err != nil {
		panic("redisstore: strings and numbers can't be encoded: " + err.Error())
	}
	return string(data)
}

// parseMember reads a card, and returns the zero Sharer if it is none.
func parseMember(text string) shsession.Sharer {
	var c card
	if json.Unmarshal([]byte(text), &c) != nil {
		return shsession.Sharer{}
	}
	return shsession.Sharer{PID: c.PID, Host: c.Host, ClientID: c.ClientID}
}

// unregister takes a sharer off the list. Should that fail, it is taken for dead
// in time.
func (s *Store) unregister(ctx context.Context, member string) {
	_ = s.ask(ctx, func(ctx context.Context) error {
		return s.client.HDel(ctx, s.keys.sharers, member).Err()
	})
}

// Sharers returns who keeps the token in place with a Watch, on whatever machine,
// and who did and died without withdrawing the token. The dead are forgotten
// when another shares it, or after a day.
func (s *Store) Sharers(ctx context.Context) (live, dead []shsession.Sharer, err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	var now time.Time
	var fields map[string]string
	err = s.ask(ctx, func(ctx context.Context) (err error) {
		if fields, err = s.client.HGetAll(ctx, s.keys.sharers).Result(); err != nil {
			return err
		}
		now, err = s.now(ctx)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		until, err := strconv.ParseInt(fields[name], 10, 64)
		sharer := parseMember(name)
		if err != nil || sharer == (shsession.Sharer{}) {
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

// now returns the time by the clock of the Redis that has the keys. It is not asked for in a script: a
// follower, who may read and no more, can have it too.
func (s *Store) now(ctx context.Context) (time.Time, error) {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return s.client.Time(ctx).Result()
	}
	node, err := cluster.MasterForKey(ctx, s.keys.sharers)
	if err != nil {
		return time.Time{}, err
	}
	return node.Time(ctx).Result()
}
