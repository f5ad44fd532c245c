package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/shsession/shsession"
)

// isSegment reports whether a STORE is a segment of shared memory.
func isSegment(text string) bool { return strings.HasPrefix(canonical(text), "shm:") }

// storeRow describes a STORE of another kind, such as Redis, which can't be listed but asked.
func storeRow(ctx context.Context, store shsession.Store) (segmentRow, error) {
	t, err := store.Load(ctx)
	if err != nil {
		return segmentRow{}, err
	}
	row := segmentRow{
		Name:             fmt.Sprint(store),
		ExpiresAt:        t.ExpiresAt().UTC(),
		RemainingSeconds: seconds(t.Remaining()),
		Sharers:          []sharerRow{},
		State:            stateUnknown,
		token:            t,
	}
	if claims, err := t.Claims(); err == nil {
		row.ClientID = claims.ClientID()
	}
	lister, ok := store.(interface {
		Sharers(context.Context) (live, dead []shsession.Sharer, err error)
	})
	if !ok {
		return row, nil
	}
	live, dead, err := lister.Sharers(ctx)
	switch {
	case err != nil: // a follower's ACL needn't permit it
		return row, nil
	case len(live) > 0:
		row.State = stateShared
	case len(dead) > 0:
		row.State = stateOrphan
	}
	for _, s := range live {
		row.Sharers = append(row.Sharers, sharerRow{PID: s.PID, Host: s.Host, ClientID: s.ClientID})
	}
	return row, nil
}
