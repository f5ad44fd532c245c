package interop_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/redisstore"
)

const (
	workerStoreEnv   = "SHSESSION_TEST_WORKER_STORE"   // the Redis URL
	workerServiceEnv = "SHSESSION_TEST_WORKER_SERVICE" // the identity service's base URL
	workerLimitEnv   = "SHSESSION_TEST_WORKER_LIMIT"   // if it shares a rate limit, this
)

// workerLease is the redisstore's, shortened as the tokens' lives are.
const workerLease = time.Second

// work is the main function of a worker: it joins the others in Redis, asks for a token all the time, and uses it
// at the service's API. It prints what happens, a line for each:
//
//	clock SECONDS        its clock, at the start
//	token HASH           a token that it didn't have before
//	refused              the API didn't take the token
//	failed CLASS LEFT E  Token returned error E, when the last token had LEFT seconds to live
func work() int {
	go func() { // the test holds the other end, dead or alive
		io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	redisstore.LogClient(slog.New(slog.DiscardHandler))
	session, redis, err := join(os.Getenv(workerStoreEnv), os.Getenv(workerServiceEnv))
	if err != nil {
		fmt.Println("failed other 0", err)
		return 1
	}
	fmt.Println("clock", time.Now().Unix())
	if limit := os.Getenv(workerLimitEnv); limit != "" {
		return workLimited(session, redis, limit)
	}
	var last shsession.Token
	tick := time.NewTicker(20 * time.Millisecond)
	for n := 0; ; n++ {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		token, err := session.Token(ctx)
		cancel()
		switch {
		case err != nil:
			fmt.Println("failed", class(err), last.ExpiresAt().Sub(time.Now().Round(0)).Seconds(), err)
		case !token.Equal(last):
			last = token
			fmt.Printf("token %x\n", sha256.Sum256([]byte(token.AccessToken())))
		case n%10 == 0 && refused(token):
			fmt.Println("refused")
		}
		<-tick.C
	}
}

func join(store, service string) (*shsession.Session, *redisstore.Store, error) {
	opts, err := redisstore.OptionsFromEnv()
	if err != nil {
		return nil, nil, err
	}
	opts.Lease = workerLease
	redis, err := redisstore.Open(store, opts)
	if err != nil {
		return nil, nil, err
	}
	session, err := shsession.Join(shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		TokenURL:     realmOf(service) + "/protocol/openid-connect/token",
		AllowHTTP:    true,
		HTTPClient:   &http.Client{Transport: signed{}},
		Logger:       slog.New(slog.DiscardHandler),
	}, redis)
	return session, redis, err
}

// class says in a word what an error of Token is about.
func class(err error) string {
	var auth *shsession.AuthError
	var endpoint *shsession.EndpointError
	var network net.Error
	switch {
	case errors.As(err, &auth):
		return "refused"
	case errors.As(err, &endpoint):
		return "endpoint"
	case errors.Is(err, shsession.ErrLocked):
		return "locked"
	case errors.As(err, &network):
		return "network"
	}
	return "other"
}

// refused reports whether the API says that a token is no good. It asks over a connection of its own, and not for long.
func refused(token shsession.Token) bool {
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, os.Getenv(workerServiceEnv)+apiPath, nil)
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+token.AccessToken())
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusUnauthorized
}

// signed tells the service which process logs in.
type signed struct{}

func (signed) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-Process", strconv.Itoa(os.Getpid()))
	transport := &http.Transport{DisableKeepAlives: true}
	return transport.RoundTrip(r)
}
