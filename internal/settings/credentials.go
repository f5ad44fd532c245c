package settings

import (
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/display"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// MissingCredentials returns an error that says which credentials a profile lacks, and where to get
// them. It wraps [shsession.ErrNoCredentials].
func MissingCredentials(p shconfig.Profile) error {
	err := &missingError{p}
	where := WhereMade(p)
	if shsession.TokenURLFor(p.TokenURL) == shsession.SentinelHubTokenURL {
		where += " (for the Copernicus Data Space add --preset cdse)"
	}
	if p.ClientID != "" {
		return usererror.WithHint(err, "set SH_CLIENT_SECRET, SH_CLIENT_SECRET_FILE or SH_CLIENT_SECRET_COMMAND, or store it with `"+
			storing(p)+"`; a new one is made "+where)
	}
	missing := "SH_CLIENT_ID and SH_CLIENT_SECRET, or store them"
	if p.HasSecret() {
		missing = "SH_CLIENT_ID, or store both"
	}
	return usererror.WithHint(err, "set "+missing+" with `"+
		storing(p)+"`; they are made "+where)
}

// WhereMade says where the credentials of a profile's service are made.
func WhereMade(p shconfig.Profile) string {
	switch shsession.TokenURLFor(p.TokenURL) {
	case shsession.CDSETokenURL:
		return "at https://shapps.dataspace.copernicus.eu/dashboard/#/account/settings"
	case shsession.SentinelHubTokenURL:
		return "at https://apps.sentinel-hub.com/dashboard/#/account/settings"
	}
	return "where " + display.URL(p.BaseURL) + " says"
}

// storing returns the command that stores the credentials of a profile, for the user to paste.
func storing(p shconfig.Profile) string {
	words := []string{"shsession"}
	if usual, err := shconfig.Path(); p.File != "" && (err != nil || p.File != usual) {
		words = append(words, "--config", display.ShellWord(p.File))
	}
	if p.Name != shconfig.DefaultProfile {
		words = append(words, "--profile", display.ShellWord(p.Name))
	}
	words = append(words, "login")
	if shsession.TokenURLFor(p.TokenURL) == shsession.CDSETokenURL {
		words = append(words, "--preset", "cdse")
	}
	if p.ClientID != "" {
		words = append(words, "--client-id", display.ShellWord(p.ClientID))
	}
	return strings.Join(words, " ")
}

// A missingError is an ErrNoCredentials that says what is missing.
type missingError struct{ profile shconfig.Profile }

func (e *missingError) Error() string {
	what := "no client id and secret are set"
	switch {
	case e.profile.ClientID != "":
		what = "client id " + e.profile.ClientID + " is set, but no secret"
	case e.profile.HasSecret():
		what = "a secret is set, but no client id"
	}
	return what + " (profile " + e.profile.Name + ")"
}

func (e *missingError) Unwrap() error { return shsession.ErrNoCredentials }
