package shsession_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/storetest"
)

// exampleConfig logs in to an identity service in this process, where a program would use
// shsession.SentinelHub or shsession.CDSE.
func exampleConfig() shsession.Config {
	service, err := identity.New(identity.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		TokenURL:     "https://identity.example/auth/realms/main/protocol/openid-connect/token",
		HTTPClient:   &http.Client{Transport: service.RoundTripper()},
		Logger:       slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// A program with credentials.
func ExampleNew() {
	cfg := shsession.CDSE(os.Getenv("SH_CLIENT_ID"), shsession.NewSecret(os.Getenv("SH_CLIENT_SECRET")))
	s, err := shsession.New(cfg)
	if err != nil {
		log.Print(err) // no client id and secret are set
		return
	}
	resp, err := s.Client().Get(shsession.CDSEBaseURL + "/api/v1/catalog/1.0.0/collections")
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
}

// A client that authorises its requests.
func ExampleSession_Client() {
	service, err := identity.New(identity.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(service) // a program uses the service's own URLs
	defer server.Close()
	s, err := shsession.New(shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		BaseURL:      server.URL,
		TokenURL:     server.URL + "/auth/realms/main/protocol/openid-connect/token",
	})
	if err != nil {
		log.Fatal(err)
	}
	resp, err := s.Client().Get(server.URL + "/api/v1/catalog/1.0.0/collections")
	if err != nil {
		log.Fatal(err)
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
	// Output: 200
}

func ExampleSession_Info() {
	s, err := shsession.New(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	claims, err := s.Info(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.ClientID())
	// Output: shsession-development
}

// Equal processes with one token between them: here two, in one store.
func ExampleJoin() {
	ctx := context.Background()
	var store storetest.Memory // a program uses shm.Open or redisstore.Open
	cfg := exampleConfig()
	first, err := shsession.Join(cfg, &store)
	if err != nil {
		log.Fatal(err)
	}
	second, err := shsession.Join(cfg, store.Handle())
	if err != nil {
		log.Fatal(err)
	}
	a, err := first.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}
	b, err := second.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(a.Equal(b), second.Status().Logins)
	// Output: true 0
}

// One process logs in for workers that have no credentials.
func ExampleShare() {
	ctx := context.Background()
	var store storetest.Memory
	s, err := shsession.New(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	sharing, err := shsession.Share(ctx, s, &store)
	if err != nil {
		log.Fatal(err)
	}
	defer sharing.Close()

	worker := shsession.Follow(store.Handle())
	headers, err := worker.Headers(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(headers.Get("Authorization")) > len("Bearer "))
	// Output: true
}

// A worker without credentials, which has a fresh token for as long as another process
// shares one.
func ExampleFollow() {
	ctx := context.Background()
	var store storetest.Memory // a program uses shm.Open or redisstore.Open
	worker := shsession.Follow(store.Handle())
	_, err := worker.Token(ctx)
	fmt.Println(errors.Is(err, shsession.ErrNotShared))

	s, err := shsession.New(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	sharing, err := shsession.Share(ctx, s, &store) // in another process
	if err != nil {
		log.Fatal(err)
	}
	defer sharing.Close()
	worker = shsession.Follow(store.Handle())
	_, err = worker.Token(ctx)
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

// A worker that reads the shared token once, as Python's collect_shared_session does.
func ExampleCollect() {
	ctx := context.Background()
	var store storetest.Memory // a program uses shm.Open(shm.DefaultName)
	s, err := shsession.New(exampleConfig())
	if err != nil {
		log.Fatal(err)
	}
	sharing, err := shsession.Share(ctx, s, &store) // in another process
	if err != nil {
		log.Fatal(err)
	}
	defer sharing.Close()

	worker, err := shsession.Collect(ctx, store.Handle())
	if err != nil {
		log.Fatal(err)
	}
	claims, err := worker.Info(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(claims.ClientID())
	// Output: shsession-development
}

// A mirror brings one store's token into another, without credentials: from Redis into
// each machine's shared memory, say.
func ExampleShare_mirror() {
	ctx := context.Background()
	var cluster, machine storetest.Memory // a program uses redisstore.Open and shm.Open
	member, err := shsession.Join(exampleConfig(), &cluster)
	if err != nil {
		log.Fatal(err)
	}
	token, err := member.Token(ctx)
	if err != nil {
		log.Fatal(err)
	}

	mirror, err := shsession.Share(ctx, shsession.Follow(cluster.Handle()), &machine)
	if err != nil {
		log.Fatal(err)
	}
	defer mirror.Close()
	mirrored, err := machine.Load(ctx)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mirrored.Equal(token))
	// Output: true
}

// Tokens and secrets don't show themselves.
func ExampleSecret() {
	cfg := shsession.SentinelHub("my-client", shsession.NewSecret("s3cr3t"))
	fmt.Printf("%v %+v\n", cfg.ClientSecret, struct{ Nested any }{cfg.ClientSecret})
	// Output: [redacted] {Nested:[redacted]}
}
