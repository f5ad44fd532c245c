package metrics_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/identity"
	"github.com/shsession/shsession/metrics"
)

// A program that has metrics of its own registers the session's beside them.
func ExampleNewCollector() {
	service, err := identity.New(identity.Options{})
	if err != nil {
		log.Fatal(err)
	}
	server := httptest.NewServer(service)
	defer server.Close()
	session, err := shsession.New(shsession.Config{
		ClientID:     identity.DevelopmentID,
		ClientSecret: shsession.NewSecret(identity.DevelopmentSecret),
		BaseURL:      server.URL,
		TokenURL:     server.URL + "/auth/realms/main/protocol/openid-connect/token",
	})
	if err != nil {
		log.Fatal(err)
	}

	registry := prometheus.NewRegistry() // or prometheus.DefaultRegisterer
	registry.MustRegister(metrics.NewCollector(func() shsession.SharingStatus {
		return shsession.SharingStatus{Session: session.Status()}
	}))

	if _, err := session.Token(context.Background()); err != nil {
		log.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		log.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == "shsession_logins_total" {
			fmt.Println(family.GetName(), family.GetMetric()[0].GetCounter().GetValue())
		}
	}
	// Output: shsession_logins_total 1
}
