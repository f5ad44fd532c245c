package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shm"
)

func (a *app) statusCommand() *cobra.Command {
	var asJSON, watch bool
	cmd := &cobra.Command{
		Use:   "status [STORE]",
		Short: "Show the tokens that this user's processes share",
		Long: `status shows every segment of shared memory of this user that holds a token, or
the one with that name: whose token it is, how long it lives, how long ago it was
put there, and who keeps it fresh. The names of those that "shsession token" has cached
start with shsession-. The STORE can also be a URL of Redis (see "shsession share").

With --watch it goes on until q is pressed or it is interrupted: at a terminal as a picture of every
token's life, drawn anew each second, and elsewhere as a line for each change. Renewals and failed
attempts are counted from the start of the sharers, which tell of them if they run on this machine,
and else from the start of the watch. That a token expires while it is shared, or that its sharers die, is
a failure too. NO_COLOR, set to anything, means no colours.`,
		Example: `  shsession status
  shsession status --watch
  shsession status sh-session-token --json
  shsession status 'redis://redis.example:6379/0?key=team'`,
		Args: arguments(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			look, err := a.statusLook(args)
			if err != nil {
				return err
			}
			if watch {
				return watchStatus(cmd.Context(), look, a.newStatusView(asJSON))
			}
			rows, err := look(cmd.Context())
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(a.out).Encode(rows)
			} else if len(rows) > 0 {
				err = a.printSegments(rows)
			}
			if err == nil && len(rows) == 0 {
				return nothingShared(args)
			}
			return err
		},
		ValidArgsFunction: completeSegments,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as a JSON array, or with --watch each change as a JSON object on a line")
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing what changes")
	return cmd
}

// A look returns what status shows at the moment.
type look func(context.Context) ([]segmentRow, error)

// statusLook returns a look at every segment, or at what the argument names.
func (a *app) statusLook(args []string) (look, error) {
	if len(args) == 1 && !isSegment(args[0]) {
		store, err := a.openStore(args[0])
		return func(ctx context.Context) ([]segmentRow, error) {
			row, err := storeRow(ctx, store)
			rows := []segmentRow{row}
			askSharers(ctx, rows)
			return rows, err
		}, err
	}
	if len(args) == 1 {
		if _, err := a.openStore(args[0]); err != nil { // a name that no segment can have
			return nil, err
		}
	}
	return func(ctx context.Context) ([]segmentRow, error) {
		segments, err := shm.List(ctx)
		rows := segmentRows(segments, args)
		askSharers(ctx, rows)
		return rows, err
	}, nil
}

// A segmentRow describes a segment, or another STORE.
type segmentRow struct {
	Name             string      `json:"name"`
	ClientID         string      `json:"client_id"` // "" if the token doesn't tell
	ExpiresAt        time.Time   `json:"expires_at"`
	RemainingSeconds float64     `json:"remaining_seconds"`
	PublishedAt      time.Time   `json:"published_at,omitzero"` // zero if it isn't known
	AgeSeconds       float64     `json:"age_seconds,omitzero"`
	Sharers          []sharerRow `json:"sharers"`
	State            string      `json:"state"`

	token shsession.Token
}

type sharerRow struct {
	PID      int    `json:"pid"`
	Host     string `json:"host,omitempty"` // "" for this machine
	ClientID string `json:"client_id"`

	*sharerReport // nil if it gives none
}

// isSame reports whether two rows are of one sharer.
func (s sharerRow) isSame(other sharerRow) bool { return s.PID == other.PID && s.Host == other.Host }

// The states of a segment.
const (
	stateShared  = "shared"  // live processes keep the token fresh
	stateOrphan  = "orphan"  // its sharers died; the next one takes it over
	stateCached  = "cached"  // shsession token renews it when it's called
	stateUnknown = "unknown" // of Join or of Python, who don't say whether they live
	stateExpired = "expired" // whoever put it there
)

func segmentRows(segments []shm.Segment, args []string) []segmentRow {
	rows := []segmentRow{}
	for _, s := range segments {
		if len(args) == 1 && "shm:"+s.Name != canonical(args[0]) {
			continue
		}
		row := segmentRow{
			Name:             s.Name,
			ExpiresAt:        s.Token.ExpiresAt().UTC(),
			RemainingSeconds: seconds(s.Token.Remaining()),
			PublishedAt:      s.Modified.UTC(),
			AgeSeconds:       seconds(time.Since(s.Modified)),
			Sharers:          []sharerRow{},
			State:            segmentState(s),
			token:            s.Token,
		}
		if claims, err := s.Token.Claims(); err == nil {
			row.ClientID = claims.ClientID()
		}
		for _, sharer := range s.Sharers {
			row.Sharers = append(row.Sharers, sharerRow{PID: sharer.PID, ClientID: sharer.ClientID})
		}
		rows = append(rows, row)
	}
	return rows
}

func segmentState(s shm.Segment) string {
	switch {
	case s.Token.Remaining() == 0:
		return stateExpired
	case len(s.Sharers) > 0:
		return stateShared
	case s.Orphan:
		return stateOrphan
	case isCache(s.Name):
		return stateCached
	}
	return stateUnknown
}

// seconds returns d in seconds, to the millisecond.
func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

func (a *app) printSegments(rows []segmentRow) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NAME\tCLIENT\tLEFT\tAGE\tSTATE\tSHARERS")
	for _, r := range rows {
		left := lifeText(time.Duration(r.RemainingSeconds * float64(time.Second)))
		age := "-"
		if !r.PublishedAt.IsZero() {
			age = lifeText(time.Duration(r.AgeSeconds * float64(time.Second)))
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n",
			printable(r.Name), printable(orDash(r.ClientID)), left, age, r.State, orDash(pids(r.Sharers)))
	}
	return w.Flush()
}

func pids(sharers []sharerRow) string {
	var text []string
	for _, s := range sharers {
		process := strconv.Itoa(s.PID)
		if s.Host != "" {
			process += "@" + s.Host
		}
		text = append(text, printable(process))
	}
	return strings.Join(text, " ")
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// nothingShared says that nothing of that name, or nothing at all, is shared.
func nothingShared(args []string) error {
	if len(args) == 1 {
		return fmt.Errorf("%w under the name %q", shsession.ErrNotShared, args[0])
	}
	return shsession.ErrNotShared
}
