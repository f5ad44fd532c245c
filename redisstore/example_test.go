package redisstore_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/redisstore"
)

// Any number of these, on any number of machines, make one login a token's life.
func Example() {
	opts, err := redisstore.OptionsFromEnv() // SHSESSION_REDIS_PASSWORD, SHSESSION_STORE_KEY
	if err != nil {
		log.Fatal(err)
	}
	store, err := redisstore.Open("rediss://shsession@redis.example.com:6379/0?key=team", opts)
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	secret := shsession.NewSecret(os.Getenv("SH_CLIENT_SECRET"))
	session, err := shsession.Join(shsession.CDSE(os.Getenv("SH_CLIENT_ID"), secret), store)
	if err != nil {
		log.Fatal(err)
	}
	token, err := session.Token(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token)
}

// Members that all have the client's secret need no other key.
func ExampleClientKey() {
	key, err := redisstore.ClientKey("client", shsession.NewSecret("the client's secret"))
	if err != nil {
		log.Fatal(err)
	}
	store, err := redisstore.Open("redis://localhost", redisstore.Options{Key: key})
	if err != nil {
		log.Fatal(err)
	}
	defer store.Close()
	fmt.Println(store, key)
	// Output: redis:sh-session-token [redacted]
}
