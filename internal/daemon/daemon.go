// Package daemon reports the state of a command that runs until it is stopped: to Prometheus and
// probes (package metrics), systemd (package systemd), and "shsession status" (package status).
package daemon

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/serve"
	"github.com/shsession/shsession/internal/status"
	"github.com/shsession/shsession/internal/systemd"
	"github.com/shsession/shsession/internal/tokenendpoint"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/metrics"
	"github.com/shsession/shsession/ratelimit"
)

// Options say where a service serves its metrics.
type Options struct {
	Metrics       string // the address for /metrics, /healthz and /readyz, "" for none
	MetricsRemote bool   // other machines may connect there
}

// A Daemon is a command that runs until it is stopped. Begin makes one.
type Daemon struct {
	metrics *metrics.Metrics // nil without --metrics
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// Begin starts the reports. Stop ends them; the end of ctx doesn't. describe returns the state of the
// work, and endpoint that of a token endpoint, nil without one. Several goroutines call them at once,
// and they must not block. If listening on [Options.Metrics] fails, Begin returns the error and nothing runs.
func Begin(ctx context.Context, o Options, logger *slog.Logger, describe func() shsession.SharingStatus, endpoint func() tokenendpoint.Status) (*Daemon, error) {
	s := &Daemon{logger: logger}
	var listener net.Listener
	if o.Metrics != "" {
		var err error
		if listener, err = serve.Listen(ctx, o.Metrics, o.MetricsRemote); err != nil {
			return nil, metricsHint(err)
		}
		logger.Info("metrics and probes", "url", "http://"+listener.Addr().String()+"/metrics")
		s.metrics = metrics.New(describe)
		if endpoint != nil {
			s.metrics.CountEndpoint(func() metrics.EndpointStatus {
				now := endpoint()
				return metrics.EndpointStatus{Handed: now.Handed, Clients: now.Clients, Refused: now.Refused, Unavailable: now.Unavailable}
			})
		}
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if listener != nil {
		s.running.Go(func() {
			if err := s.metrics.Serve(ctx, listener, logger); err != nil {
				logger.Warn("metrics and probes are served no more", "error", err)
			}
		})
	}
	s.running.Go(func() { status.Serve(ctx, logger, describe, endpoint) })
	s.running.Go(func() {
		s.told(systemd.Watchdog(ctx, func() bool {
			describe() // which takes the session's lock
			return true
		}))
	})
	return s, nil
}

// CountLimit shows what a limiter does, if there is one. It is called once at most.
func (s *Daemon) CountLimit(l *ratelimit.Limiter) {
	if s.metrics != nil && l != nil {
		s.metrics.CountLimit(l.Status)
	}
}

// Ready says that the service does its work from now on, and what that is.
func (s *Daemon) Ready(work string) { s.told(systemd.Ready(work)) }

// Stopping says that the service is ending.
func (s *Daemon) Stopping() { s.told(systemd.Stopping("ending")) }

// ObserveRequest counts a request through the proxy.
func (s *Daemon) ObserveRequest(code int, took time.Duration) {
	if s.metrics != nil {
		s.metrics.ObserveRequest(code, took)
	}
}

// Stop ends the answers. It returns when the answers under way are given.
func (s *Daemon) Stop() {
	s.cancel()
	s.running.Wait()
}

// told logs that systemd couldn't be told something. The service goes on.
func (s *Daemon) told(err error) {
	if err != nil {
		s.logger.Debug("systemd wasn't told", "error", err)
	}
}

func metricsHint(err error) error {
	err = usererror.OfAddress(fmt.Errorf("--metrics: %w", err))
	var address *net.AddrError
	if errors.As(err, &address) {
		return usererror.WithHint(err, "--metrics takes an address with the port: 127.0.0.1:9464")
	}
	if errors.Is(err, serve.ErrNotLoopback) {
		return usererror.WithHint(err, "--metrics-allow-remote allows it")
	}
	return err
}
