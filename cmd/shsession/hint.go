package main

import (
	"cmp"
	"errors"
	"io/fs"
	"net"
	"os"
	"strings"
	"unicode"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/shconfig"
)

// hinted is an error together with what to do about it.
type hinted struct {
	error
	hint string
}

func (h *hinted) Unwrap() error { return h.error }

func withHint(err error, hint string) error { return &hinted{err, hint} }

// hintFor returns what the user can do about err, "" if that isn't known.
func hintFor(err error) string {
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
		return "`shsession profile list` shows the profiles, `shsession profile set " + shellWord(unknown.Profile) + " --client-id ID` makes this one"
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

// isOthersSegment reports whether err is of a segment that is there, and isn't this user's to open.
func isOthersSegment(err error) bool {
	var path *fs.PathError
	if !errors.As(err, &path) || !errors.Is(err, fs.ErrPermission) || !strings.HasPrefix(path.Path, "/dev/shm/") {
		return false
	}
	_, err = os.Lstat(path.Path)
	return err == nil
}

// missingCredentials says which of them a profile lacks, and where to get them.
func missingCredentials(p shconfig.Profile) error {
	err := &missingError{p}
	where := "where " + withoutPassword(p.BaseURL) + " says"
	switch shsession.TokenURLFor(p.TokenURL) {
	case shsession.CDSETokenURL:
		where = "at https://shapps.dataspace.copernicus.eu/dashboard/#/account/settings"
	case shsession.SentinelHubTokenURL:
		where = "at https://apps.sentinel-hub.com/dashboard/#/account/settings (for the Copernicus Data Space add --preset cdse)"
	}
	if p.ClientID != "" {
		return withHint(err, "set SH_CLIENT_SECRET or SH_CLIENT_SECRET_FILE, or store it with `"+storing(p)+"`; a new one is made "+where)
	}
	return withHint(err, "set SH_CLIENT_ID and SH_CLIENT_SECRET, or store them with `"+storing(p)+"`; they are made "+where)
}

// storing returns the command that stores the credentials of a profile, ready to be pasted.
func storing(p shconfig.Profile) string {
	words := []string{"shsession"}
	if usual, err := shconfig.Path(); p.File != "" && (err != nil || p.File != usual) {
		words = append(words, "--config", shellWord(p.File))
	}
	words = append(words, "profile", "set", shellWord(p.Name))
	if shsession.TokenURLFor(p.TokenURL) == shsession.CDSETokenURL {
		words = append(words, "--preset", "cdse")
	}
	return strings.Join(append(words, "--client-id", shellWord(cmp.Or(p.ClientID, "ID"))), " ")
}

// shellWord writes a word so that a shell takes it as it is.
func shellWord(word string) string {
	plain := func(r rune) bool {
		return unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_./:@+,=%", r)
	}
	if word != "" && !strings.ContainsFunc(word, func(r rune) bool { return !plain(r) }) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// A missingError is an ErrNoCredentials that says more.
type missingError struct{ profile shconfig.Profile }

func (e *missingError) Error() string {
	what := "no client id and secret are set"
	switch {
	case e.profile.ClientID != "":
		what = "client id " + e.profile.ClientID + " is set, but no secret"
	case !e.profile.ClientSecret.IsZero():
		what = "a secret is set, but no client id"
	}
	return what + " (profile " + e.profile.Name + ")"
}

func (e *missingError) Unwrap() error { return shsession.ErrNoCredentials }
