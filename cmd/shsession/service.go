package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/lifecycle"
	"github.com/shsession/shsession/internal/metrics"
)

// serviceFlags are the flags of every command that runs until it is stopped.
type serviceFlags struct {
	metrics       string
	metricsRemote bool
}

// serviceFlags adds them to cmd.
func (a *app) serviceFlags(cmd *cobra.Command) *serviceFlags {
	var f serviceFlags
	a.logFormat = choice{logText, []string{logText, logJSON}}
	flags := cmd.Flags()
	flags.StringVar(&f.metrics, "metrics", "", "serve /metrics for Prometheus, /healthz and /readyz on this `address`, such as 127.0.0.1:9464")
	flags.BoolVar(&f.metricsRemote, "metrics-allow-remote", false, "serve them where other machines can connect, too; they show no token")
	flags.Var(&a.logFormat, "log-format", "how to log to standard error")
	must(cmd.RegisterFlagCompletionFunc("log-format", cobra.FixedCompletions(a.logFormat.choices, cobra.ShellCompDirectiveNoFileComp)))
	return &f
}

// A service tells others how a command that runs until it is stopped is doing: whoever asks on
// --metrics, and systemd.
type service struct {
	metrics *metrics.Metrics // nil without --metrics
	logger  *slog.Logger
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// beginService begins to answer, which it does until stop is called, whatever becomes of ctx.
// status is called by several goroutines at once and must not block.
func beginService(ctx context.Context, f *serviceFlags, logger *slog.Logger, status func() shsession.SharingStatus) (*service, error) {
	s := &service{logger: logger}
	var listener net.Listener
	if f.metrics != "" {
		var err error
		if listener, err = metrics.Listen(ctx, f.metrics, f.metricsRemote); err != nil {
			return nil, metricsHint(err)
		}
		logger.Info("metrics and probes", "url", "http://"+listener.Addr().String()+"/metrics")
		s.metrics = metrics.New(status)
	}
	ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if listener != nil {
		s.running.Go(func() {
			if err := s.metrics.Serve(ctx, listener, logger); err != nil {
				logger.Warn("metrics and probes are served no more", "error", err)
			}
		})
	}
	s.running.Go(func() { tellStatus(ctx, logger, status) })
	s.running.Go(func() {
		s.told(lifecycle.Watchdog(ctx, func() bool {
			status() // which takes the session's lock
			return true
		}))
	})
	return s, nil
}

// ready says that the service does its work now, and what that is.
func (s *service) ready(work string) { s.told(lifecycle.Ready(work)) }

// stopping says that the service is ending.
func (s *service) stopping() { s.told(lifecycle.Stopping("ending")) }

// observe counts a request through the proxy.
func (s *service) observe(code int, took time.Duration) {
	if s.metrics != nil {
		s.metrics.ObserveRequest(code, took)
	}
}

// stop ends the answers, and returns when those under way are given.
func (s *service) stop() {
	s.cancel()
	s.running.Wait()
}

// told notes that systemd couldn't be told something, which is no reason to stop.
func (s *service) told(err error) {
	if err != nil {
		s.logger.Debug("systemd wasn't told", "error", err)
	}
}

func metricsHint(err error) error {
	err = listenError(fmt.Errorf("--metrics: %w", err))
	if errors.Is(err, metrics.ErrNotLoopback) {
		return withHint(err, "--metrics-allow-remote allows it")
	}
	return err
}
