// Package livestatus shows shared tokens and their changes, for "shsession status --watch": on a terminal
// a picture of every token's life, and elsewhere a line for each change.
package livestatus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/status"
)

// A view shows a watch to the user.
type view interface {
	// show shows the watch, and the changes since the last show.
	show(w *watch, changes []change) error

	// signals are the signals that the view handles; the watch is shown again after each. nil for none.
	signals() <-chan os.Signal
	heed(os.Signal)

	// enough is closed when the user has seen enough; nil if they can't say so.
	enough() <-chan struct{}

	// redraw is sent to when the view is to be shown the watch at once; nil if it never is.
	redraw() <-chan struct{}

	// close ends the view.
	close()
}

// Show looks every second and shows the shared tokens: as a picture if out is a terminal that can show
// one and asJSON is false, else a line for each change. It blocks until ctx is done or the user
// quits, and then returns nil. An error comes from the first look, or from writing.
func Show(ctx context.Context, look status.Look, out io.Writer, asJSON bool) error {
	view := newView(out, asJSON)
	defer view.close()
	var w watch
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	rows, err := look(ctx)
	if err != nil && !errors.Is(err, shsession.ErrNotShared) {
		return err
	}
	changes := w.note(time.Now(), rows, err)
	for {
		if err := view.show(&w, changes); err != nil {
			return err
		}
		changes = nil
		select {
		case <-ctx.Done():
			return nil
		case <-view.enough():
			return nil
		case s := <-view.signals():
			view.heed(s)
		case <-view.redraw():
		case <-tick.C:
			rows, err := look(ctx)
			if ctx.Err() != nil {
				return nil
			}
			changes = w.note(time.Now(), rows, err)
		}
	}
}

func newView(out io.Writer, asJSON bool) view {
	if file, ok := out.(*os.File); ok && !asJSON && display.CanDraw(file) {
		return openScreen(file)
	}
	return &changeLog{out, asJSON}
}

// A changeLog is a view that writes a line for each change.
type changeLog struct {
	out    io.Writer
	asJSON bool
}

func (l *changeLog) show(_ *watch, changes []change) error {
	for _, c := range changes {
		var err error
		if l.asJSON {
			err = json.NewEncoder(l.out).Encode(c)
		} else {
			_, err = fmt.Fprintf(l.out, "%s  %s\n", c.Time.Format(time.DateTime), c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (*changeLog) signals() <-chan os.Signal { return nil }
func (*changeLog) heed(os.Signal)            {}
func (*changeLog) enough() <-chan struct{}   { return nil }
func (*changeLog) redraw() <-chan struct{}   { return nil }
func (*changeLog) close()                    {}
