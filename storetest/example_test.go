package storetest_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/storetest"
)

// A program under test reads its token from a Memory.
func ExampleMemory() {
	ctx := context.Background()
	var store storetest.Memory
	token, err := shsession.ParseToken(fmt.Appendf(nil, `{"access_token": "secret", "expires_at": %d}`, time.Now().Add(time.Hour).Unix()))
	if err != nil {
		log.Fatal(err)
	}
	if err := store.Publish(ctx, token); err != nil {
		log.Fatal(err)
	}
	session, err := shsession.Collect(ctx, store.Handle())
	if err != nil {
		log.Fatal(err)
	}
	got, err := session.Token(ctx)
	fmt.Println(got.AccessToken(), err)
	// Output: secret <nil>
}
