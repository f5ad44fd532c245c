package main

import (
	"context"
	"os"
	"sync"
	"time"

	"github.com/shsession/shsession"
)

// A sharerReport is what a sharer tells of its session to who asks, which is "shsession status" of the same user.
type sharerReport struct {
	Renewals  uint64    `json:"renewals"`            // new tokens after the first
	Failures  uint64    `json:"failures"`            // attempts to get one
	LastError string    `json:"last_error,omitzero"` // why the last attempt failed, "" after a success
	RenewAt   time.Time `json:"renew_at,omitzero"`   // when the token is due for renewal
	NextTry   time.Time `json:"next_try,omitzero"`   // after a failure
}

// reportOf makes a report, which has no more in it than the log.
func reportOf(s shsession.Status) sharerReport {
	r := sharerReport{
		Renewals: max(s.Renewals, 1) - 1,
		Failures: s.Failures.Refused + s.Failures.Endpoint() + s.Failures.Store,
		RenewAt:  s.RenewAt.UTC(),
		NextTry:  s.NextTry.UTC(),
	}
	if !s.RenewAt.IsZero() && s.RenewAt.Unix() <= 0 { // it was refused, or somebody wants another
		r.RenewAt = time.Now().UTC()
	}
	if s.LastError != nil {
		r.LastError = s.LastError.Error()
	}
	return r
}

// askSharers has the sharers on this machine report, as far as they can be asked: those of
// other machines can't, nor Python's or those in another container. It blocks for reportTimeout at most.
func askSharers(ctx context.Context, rows []segmentRow) {
	ctx, cancel := context.WithTimeout(ctx, reportTimeout)
	defer cancel()
	here, _ := os.Hostname() // without it, nobody is taken for being here
	var asking sync.WaitGroup
	for _, row := range rows {
		for i := range row.Sharers {
			if sharer := &row.Sharers[i]; sharer.Host == "" || sharer.Host == here {
				asking.Go(func() { sharer.sharerReport = askSharer(ctx, sharer.PID) })
			}
		}
	}
	asking.Wait()
}

// reportTimeout is how long a sharer has to report. A live one takes far less than a millisecond.
const reportTimeout = 300 * time.Millisecond
