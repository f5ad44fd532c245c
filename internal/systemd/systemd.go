// Package systemd tells systemd how a long-running command is doing: that it's ready, what it's
// at, that it's stopping, and that it hasn't hung (sd_notify(3), Type=notify and WatchdogSec= in
// systemd.service(5)).
//
// Without NOTIFY_SOCKET in the environment, and on other systems than Linux, all of it does
// nothing. Nothing here blocks but [Watchdog]: systemd's socket takes a datagram at once or not at
// all. An error means that systemd wasn't told; it's worth a line in the log and no more.
package systemd

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready says that the service does its work now, and what it's at, in a line for systemctl status.
func Ready(status string) error { return notify(daemon.SdNotifyReady, status) }

// Status says what the service is at.
func Status(status string) error { return notify("", status) }

// Stopping says that the service is ending.
func Stopping(status string) error { return notify(daemon.SdNotifyStopping, status) }

// Watchdog tells systemd's watchdog that the service is alive, twice in the time that WatchdogSec=
// allows, whenever healthy says so: if it doesn't for that time, or doesn't return, systemd ends
// the service. Watchdog blocks until ctx is done. It returns at once if no watchdog waits for us,
// and otherwise the error of the last try.
func Watchdog(ctx context.Context, healthy func() bool) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	patience, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return fmt.Errorf("systemd's watchdog: %w", err)
	}
	if patience == 0 {
		return nil
	}
	tick := time.NewTicker(patience / 2)
	defer tick.Stop()
	for {
		if healthy() {
			err = notify(daemon.SdNotifyWatchdog, "")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

// notify sends a state and a status line, either of which may be "".
func notify(state, status string) error {
	if runtime.GOOS != "linux" {
		return nil
	}
	var lines []string
	if state != "" {
		lines = append(lines, state)
	}
	if status != "" {
		lines = append(lines, "STATUS="+oneLine(status))
	}
	if len(lines) == 0 {
		return nil
	}
	// The variable stays: a later call needs it. Package child keeps it from children.
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		return fmt.Errorf("systemd can't be notified: %w", err)
	}
	return nil
}

// oneLine keeps a status from being read as further assignments.
func oneLine(s string) string {
	return strings.Join(strings.Fields(strings.ToValidUTF8(s, "\uFFFD")), " ")
}
