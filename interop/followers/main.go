// The command followers has many followers in one process share a token through a real Redis, for a number of token
// lives, and checks what docs/cluster.md promises of that:
//
//	go run ./interop/followers -plot docs/cluster-followers.svg
//
// It logs in to an identity service of its own, and starts a redis-server of its own, which has to be installed. It
// prints its figures as a table in Markdown, and exits with status 1 if a promise wasn't kept.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"time"

	"github.com/shsession/shsession/redisstore"
)

// A plan says what to do.
type plan struct {
	followers int
	clients   int           // of Redis, that the followers have between them
	lives     int           // how many tokens there are
	life      time.Duration // of each
	asks      time.Duration // between two of a follower's calls of Token, on average
}

func main() {
	var p plan
	flag.IntVar(&p.followers, "followers", 10_000, "how many follow")
	flag.IntVar(&p.clients, "clients", 10, "how many Redis clients the followers have between them, of 16 connections at most each")
	flag.IntVar(&p.lives, "lives", 20, "how many tokens they follow")
	flag.DurationVar(&p.life, "life", 8*time.Second, "how long each token lives")
	flag.DurationVar(&p.asks, "asks", 300*time.Millisecond, "how often each follower asks for a token, on average")
	plot := flag.String("plot", "", "write a plot to this SVG `file`")
	flag.Parse()
	slog.SetDefault(slog.New(slog.DiscardHandler)) // failures are counted
	redisstore.LogClient(slog.New(slog.DiscardHandler))
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, p, *plot); err != nil {
		fmt.Fprintln(os.Stderr, "followers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan, plot string) error {
	server, err := startRedis(ctx, p.clients)
	if err != nil {
		return err
	}
	defer server.stop()
	r, err := p.measure(ctx, server)
	if err != nil {
		return err
	}
	fmt.Print(r.table())
	if plot != "" {
		if err := os.WriteFile(plot, r.plot(), 0o644); err != nil {
			return err
		}
	}
	return r.check()
}
