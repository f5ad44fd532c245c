package usererror

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/shconfig"
)

// A hinted error says what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

// WithHint returns err together with what the user can do about it.
func WithHint(err error, hint string) error { return &hinted{err, hint} }

// HintFor returns what the user can do about err, "" if nothing is known.
func HintFor(err error) string {
	var (
		own      *hinted
		refused  *shsession.AuthError
		endpoint *shsession.EndpointError
		unknown  *shconfig.UnknownProfileError
		network  *net.OpError
		conflict *shsession.ConflictError
	)
	switch {
	case errors.As(err, &own):
		return own.hint
	case errors.As(err, &network) && network.Op == "proxyconnect":
		return "the proxy can't be reached: correct or unset HTTPS_PROXY, or list the host in NO_PROXY"
	case errors.As(err, &refused):
		return refused.Hint
	case errors.As(err, &endpoint):
		return endpoint.Hint
	case errors.As(err, &unknown):
		return "`shsession profile list` shows the profiles, `shsession login --profile " +
			display.ShellWord(unknown.Profile) + "` makes this one"
	case errors.As(err, &conflict):
		return "share under another name with --name"
	case errors.Is(err, shsession.ErrNotShared):
		return "start `shsession share`"
	case errors.Is(err, shsession.ErrOpaque):
		return "`shsession token --json` shows what is known of it"
	case errors.Is(err, shsession.ErrLifeTooShort):
		return "ask for less with --min-ttl"
	case isOthersSegment(err):
		return "it belongs to another user, and only they can read it: share as this user, under another --name"
	}
	return ""
}

// isOthersSegment reports whether err is of a segment that exists and that this user may not open.
func isOthersSegment(err error) bool {
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(path.Path, "/dev/shm/") {
		return false
	}
	_, err = os.Lstat(path.Path)
	return err == nil
}
