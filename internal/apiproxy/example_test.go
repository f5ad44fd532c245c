package apiproxy_test

import (
	"context"
	"log"
	"net"
	"os"
	"os/signal"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/apiproxy"
)

// A proxy for QGIS: point its connections at http://127.0.0.1:8790.
func Example() {
	secret := shsession.NewSecret(os.Getenv("SH_CLIENT_SECRET"))
	session, err := shsession.New(shsession.CDSE(os.Getenv("SH_CLIENT_ID"), secret))
	if err != nil {
		log.Fatal(err)
	}
	proxy, err := apiproxy.New(session, apiproxy.Options{Upstream: shsession.CDSEBaseURL})
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err = proxy.ListenAndServe(ctx, "127.0.0.1:8790", func(addr net.Addr) { log.Printf("proxy at http://%s", addr) })
	if err != nil {
		log.Fatal(err)
	}
}
