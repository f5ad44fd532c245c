package shm_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

// Read the token that a sharer, in Go or Python, has put in shared memory.
func ExampleStore_Load() {
	store, err := shm.Open("example-of-nothing")
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Load(context.Background())
	fmt.Println(store, errors.Is(err, shsession.ErrNotShared))
	// Output: shm:example-of-nothing true
}

// List what is shared on this machine.
func ExampleList() {
	segments, err := shm.List(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	for _, segment := range segments {
		fmt.Println(segment.Name, segment.Token, segment.Sharers)
	}
}
