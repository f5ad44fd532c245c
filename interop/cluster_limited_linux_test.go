package interop_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/ratelimit"
	"github.com/shsession/shsession/redisstore"
)

// apiPath is what workers ask for.
const apiPath = "/api/v1/process"

// limitLease is a slot's, shortened as the tokens' lives are.
const limitLease = 2 * time.Second

// workLimited is work for a worker that shares a rate limit with the others: it sends one
// request after the other to the API, and prints a line for each:
//
//	done                 it was served
//	failed other 0 E     it wasn't
func workLimited(session *shsession.Session, store *redisstore.Store, limit string) int {
	policy, err := ratelimit.ParsePolicy(limit)
	if err != nil {
		fmt.Println("failed other 0", err)
		return 1
	}
	limiter, err := ratelimit.New(ratelimit.Config{
		Policy: policy, State: store.Limits(), Lease: limitLease, RetryAfterUnit: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		fmt.Println("failed other 0", err)
		return 1
	}
	client := &http.Client{Transport: ratelimit.Transport(session.Transport(signed{}), limiter)}
	pause := time.NewTicker(20 * time.Millisecond) // after a failure
	for {
		if err := request(client); err != nil {
			fmt.Println("failed", class(err), 0, err)
			<-pause.C
			continue
		}
		fmt.Println("done")
	}
}

// request sends one to the API. It gives up after half a minute.
func request(client *http.Client) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv(workerServiceEnv)+apiPath, nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
