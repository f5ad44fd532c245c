package login

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/shsession/shsession"
	"github.com/shsession/shsession/internal/prompt"
	"github.com/shsession/shsession/internal/settings"
	"github.com/shsession/shsession/internal/usererror"
	"github.com/shsession/shsession/shconfig"
)

// askAccount asks for the service and the client id, unless the change has them.
func (d *Dialogue) askAccount(ctx context.Context, before shconfig.Profile) error {
	if err := d.addURLs(); err != nil {
		return err
	}
	var err error
	var missing []string
	s := &d.Change.Settings
	if s.BaseURL == "" {
		usual := cmp.Or(os.Getenv("SH_BASE_URL"), before.BaseURL)
		switch {
		case prompt.IsTerminal(d.In):
			err = d.askService(ctx, cmp.Or(usual, shsession.SentinelHubBaseURL), before)
		case usual == "":
			missing = append(missing, "the service (--preset sentinelhub, --preset cdse or --base-url URL)")
		default:
			s.BaseURL, s.TokenURL = usual, cmp.Or(s.TokenURL, tokenURLOf(usual, before))
		}
	}
	if err == nil && s.ClientID == "" {
		switch {
		case prompt.IsTerminal(d.In):
			p := shconfig.Profile{Settings: *s}
			fmt.Fprintf(d.Output.Err, "A client's id and secret are made %s\n", settings.WhereMade(p))
			s.ClientID, err = d.ask(ctx, "Client id", before.ClientID)
		case before.ClientID == "":
			missing = append(missing, "the client id (--client-id ID)")
		default:
			s.ClientID = before.ClientID
		}
	}
	switch {
	case err != nil:
		return err
	case missing != nil:
		if !before.HasSecret() {
			missing = append(missing, "the secret (the first line of standard input)")
		}
		return d.usage("there is no terminal to ask at: login needs %s", strings.Join(missing, ", "))
	case s.ClientID == "":
		return d.usage("no client id was given, and nothing is written")
	}
	return nil
}

// addURLs puts the preset under the URLs that were given, and lets a known base URL bring
// its token URL.
func (d *Dialogue) addURLs() error {
	s := &d.Change.Settings
	if d.Options.Preset != "" {
		preset, err := shconfig.Preset(d.Options.Preset)
		if err != nil {
			return err
		}
		if s.BaseURL == "" {
			s.BaseURL = preset.BaseURL
		}
		if s.TokenURL == "" {
			s.TokenURL = preset.TokenURL
		}
	}
	if s.TokenURL == "" && s.BaseURL != "" {
		s.TokenURL = shsession.TokenURLFor(s.BaseURL)
	}
	return nil
}

// askService asks for the service, and for the token URL of one that isn't known.
func (d *Dialogue) askService(ctx context.Context, usual string, before shconfig.Profile) error {
	known := []string{shsession.SentinelHubBaseURL, shsession.CDSEBaseURL}
	fmt.Fprintf(d.Output.Err, "  1  Sentinel Hub           %s\n  2  Copernicus Data Space  %s\n", known[0], known[1])
	if i := slices.Index(known, usual); i >= 0 {
		usual = fmt.Sprint(i + 1)
	}
	answer, err := d.ask(ctx, "Service: 1, 2, or another one's base URL", usual)
	if err != nil {
		return err
	}
	switch answer {
	case "1", "2":
		answer = known[answer[0]-'1']
	}
	if err := settings.CheckBaseURL(answer); err != nil {
		return usererror.Mistake(fmt.Errorf("%w, nor 1 or 2", err))
	}
	s := &d.Change.Settings
	s.BaseURL = answer
	if s.TokenURL != "" {
		return nil
	}
	if s.TokenURL = shsession.TokenURLFor(answer); s.TokenURL == "" {
		s.TokenURL, err = d.ask(ctx, "Token URL", tokenURLOf(answer, before))
	}
	return err
}

// tokenURLOf returns the token URL that is known for a base URL, from the environment, the service or
// the profile.
func tokenURLOf(base string, before shconfig.Profile) string {
	if base == os.Getenv("SH_BASE_URL") && os.Getenv("SH_TOKEN_URL") != "" {
		return os.Getenv("SH_TOKEN_URL")
	}
	if base == before.BaseURL {
		return before.TokenURL
	}
	return shsession.TokenURLFor(base)
}
