package shsession_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
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

// Tokens and secrets don't show themselves.
func ExampleSecret() {
	cfg := shsession.SentinelHub("my-client", shsession.NewSecret("s3cr3t"))
	fmt.Printf("%v %+v\n", cfg.ClientSecret, struct{ Nested any }{cfg.ClientSecret})
	// Output: [redacted] {Nested:[redacted]}
}
