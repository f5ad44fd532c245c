package redisstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/shsession/shsession"
)

// A storeKey has the key of a Store's token, and reads it again where that may change.
type storeKey struct {
	name string                                              // the Store's
	read func(ctx context.Context) (shsession.Secret, error) // nil for a key that doesn't change

	mu     sync.Mutex // guards the fields below
	sealer *sealer    // of the key that was read last; nil for no encryption, or before that
	looked time.Time  // when a key that didn't fit was last read again
}

// newStoreKey checks the key, unless it is to be read.
func newStoreKey(opts Options, name string) (*storeKey, error) {
	k := &storeKey{name: name, read: opts.ReadKey}
	if k.read != nil {
		return k, nil
	}
	var err error
	k.sealer, err = newSealer(opts.Key, name)
	return k, err
}

// known returns the sealer of the key that was read last, or nil.
func (k *storeKey) known() *sealer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sealer
}

// current returns the sealer of the key as it is now, nil for no encryption.
func (k *storeKey) current(ctx context.Context) (*sealer, error) {
	if k.read == nil {
		return k.known(), nil
	}
	key, err := k.read(ctx)
	if err == nil && key.IsZero() {
		err = errors.New("there is none")
	}
	if err != nil {
		return nil, fmt.Errorf("reading the key for the shared token: %w", err)
	}
	now, err := newSealer(key, k.name)
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sealer = now
	return now, nil
}

// mayLook reports whether it is time to read the key again, which may be a command's work.
func (k *storeKey) mayLook() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := time.Now()
	if now.Sub(k.looked) < time.Second {
		return false
	}
	k.looked = now
	return true
}

// open returns the JSON of the token that is kept in Redis as data. It reads the key again
// if the one that was read last doesn't fit: once a second at most, unless that is to be
// sure because a login would follow.
func (k *storeKey) open(ctx context.Context, data []byte, sure bool) ([]byte, error) {
	if known := k.known(); k.read == nil || known != nil {
		token, err := known.open(data)
		if k.read == nil || !errors.Is(err, ErrWrongKey) || !k.mayLook() && !sure {
			return token, err
		}
	}
	now, err := k.current(ctx)
	if err != nil {
		return nil, err
	}
	return now.open(data)
}
