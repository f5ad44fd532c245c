package testkit

import (
	"crypto/rand"
	"crypto/rsa"
	"sync"
	"testing"

	"github.com/shsession/shsession/identity"
)

// SigningKey returns a key for identity services. It is made once in a process, since that
// takes a while.
var SigningKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// NewService returns an identity service, with SigningKey unless o names a key.
func NewService(t testing.TB, o identity.Options) *identity.Server {
	t.Helper()
	if o.Key == nil && o.KeyFile == "" {
		o.Key = SigningKey()
	}
	s, err := identity.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
